#include "framework/store/exchange_rules.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/task_spec.hpp"

namespace segue {

namespace {

std::vector<ItemIdx> sorted_set(const std::uint32_t* begin, const std::uint32_t* end) {
  std::vector<ItemIdx> out;
  for (; begin != end; ++begin) out.push_back(item_at(*begin));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

bool has(const std::vector<ItemIdx>& sorted, ItemIdx item) {
  return std::binary_search(sorted.begin(), sorted.end(), item);
}

}  // namespace

TaskRules::TaskRules(const StoredTask& task, const StoredTaskFold& fold) : task_(task), fold_(fold) {
  try {
    const auto description = nlohmann::json::parse(task.description);
    const auto& split = description.at("task").at("split");
    const auto& view = description.at("view");
    seed_ = split.value("seed", SplitSpec{}.seed);
    repeats_ = view.at("repeats");
    const std::string candidates = view.at("candidates");
    given_ = candidates == "given";
    if (candidates.starts_with("sampled:")) sampled_ = std::stoul(candidates.substr(8));
    // The history does not say which part of it is validation. Where only one part is excluded, nothing is refused: an
    // item that the user knows is never truth there, so a list with it gains nothing.
    const auto& parts = view.at("exclude");
    const bool validation = split.value("validation", 0.0) > 0;
    excludes_ = repeats_ == "exclude" && candidates == "full" &&
                (parts.size() == 2 || (parts.size() == 1 && parts[0] == "train" && !validation));
    catalogue_.assign(task.item_ids.size(), 1);
    if (view.at("catalogue") == "train")
      for (std::size_t i = 0; i < catalogue_.size(); ++i) catalogue_[i] = fold.train_counts.at(i) > 0 ? 1 : 0;
  } catch (const std::exception& e) {
    throw DataError("the description of task {} is damaged: {}", task.id, e.what());
  }
  catalogue_size_ = static_cast<std::uint64_t>(std::count(catalogue_.begin(), catalogue_.end(), 1));
}

void TaskRules::select(std::size_t query) {
  const auto& h = fold_.history_items;
  known_ = sorted_set(h.data() + fold_.history_offsets.at(query), h.data() + fold_.history_offsets.at(query + 1));
  candidates_.clear();
  if (!has_candidates()) return;
  const auto& t = fold_.truth_items;
  const std::vector<ItemIdx> truth =
      sorted_set(t.data() + fold_.truth_offsets.at(query), t.data() + fold_.truth_offsets.at(query + 1));
  const bool again = repeats_ == "only";
  if (sampled_ > 0) {
    std::vector<ItemIdx> positives = truth;
    if (!again) positives.insert(positives.end(), known_.begin(), known_.end());
    std::sort(positives.begin(), positives.end());
    candidates_ =
        sample_negatives(catalogue_, positives, again ? &known_ : nullptr, sampled_, seed_, hash64(fold_.users[query]));
    candidates_.insert(candidates_.end(), truth.begin(), truth.end());
    std::sort(candidates_.begin(), candidates_.end());
    candidates_.erase(std::unique(candidates_.begin(), candidates_.end()), candidates_.end());
  } else {
    for (const ItemIdx item : known_)
      if (catalogue_[raw(item)] != 0) candidates_.push_back(item);
  }
}

TaskRules::Verdict TaskRules::judge(std::uint32_t item) const {
  const ItemIdx i = item_at(item);
  if (sampled_ > 0) return has(candidates_, i) ? Verdict::kAllowed : Verdict::kNotSampled;
  if (given_) return Verdict::kAllowed;
  if (catalogue_.at(item) == 0) return Verdict::kOutside;
  if (repeats_ == "only" && !has(known_, i)) return Verdict::kNotKnown;
  return excludes_ && has(known_, i) ? Verdict::kExcluded : Verdict::kAllowed;
}

std::uint64_t TaskRules::tie(std::size_t query, std::uint32_t item) const {
  return tie_order(seed_, hash64(fold_.users[query]), hash64(task_.item_ids[item]));
}

}  // namespace segue
