#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/rng.hpp"
#include "framework/data/task.hpp"

namespace segue {

namespace {

void sort_unique(std::vector<ItemIdx>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

// Rows of the validation set by user, for looking up what a test query's user did there.
std::vector<std::uint32_t> validation_rows(const PreparedFold& fold) {
  std::vector<std::uint32_t> row(fold.users.size(), 0xFFFFFFFFu);
  for (std::size_t q = 0; q < fold.validation.size(); ++q) row[raw(fold.validation.users[q])] = static_cast<std::uint32_t>(q);
  return row;
}

bool wants(const ViewSpec& view, const char* part) {
  return view.repeats != "exclude" ? true : std::find(view.exclude.begin(), view.exclude.end(), part) != view.exclude.end();
}

}  // namespace

JudgedView apply_view(const PreparedFold& fold, const EvalSet& set, const ViewSpec& view) {
  JudgedView out;
  const std::size_t n_items = fold.items.size();
  out.catalogue.assign(n_items, view.catalogue == "all" ? 1 : 0);
  if (view.catalogue == "train")
    for (ItemIdx item : fold.train.by_user().all_indices()) out.catalogue[raw(item)] = 1;
  out.catalogue_size = static_cast<std::uint64_t>(std::count(out.catalogue.begin(), out.catalogue.end(), 1));
  if (view.candidates == "given" && fold.given_negatives.rows() == 0)
    throw UsageError("candidates 'given': split '{}' of data set '{}' comes without candidate lists; use full or {{sampled: 99}}", fold.name, fold.dataset_name);
  if (view.candidates == "sampled" && static_cast<std::uint64_t>(view.sampled) >= out.catalogue_size)
    throw UsageError("candidates: cannot sample {} negatives from a catalogue of {}", view.sampled, out.catalogue_size);

  const std::vector<std::uint32_t> validation_row = validation_rows(fold);
  const bool is_test = &set == &fold.test;
  const bool lists = view.candidates != "full" || view.repeats == "only";
  const bool masks = view.repeats == "exclude" && view.candidates == "full";
  out.truth_offsets.push_back(0);
  if (masks) out.excluded_offsets.push_back(0);
  if (lists) out.candidate_offsets.push_back(0);

  std::vector<ItemIdx> seen, truth, positives;
  for (std::size_t q = 0; q < set.size(); ++q) {
    const UserIdx user = set.users[q];
    seen.clear();
    if (wants(view, "train")) {
      const auto items = fold.train_histories.of(user).items;
      seen.insert(seen.end(), items.begin(), items.end());
    }
    const std::uint32_t v = validation_row[raw(user)];
    if (is_test && v != 0xFFFFFFFFu && wants(view, "validation"))
      seen.insert(seen.end(), fold.validation.truth_items.begin() + fold.validation.truth_offsets[v],
                  fold.validation.truth_items.begin() + fold.validation.truth_offsets[v + 1]);
    sort_unique(seen);
    const auto is_seen = [&](ItemIdx item) { return std::binary_search(seen.begin(), seen.end(), item); };

    truth.clear();
    std::vector<float> gains;
    for (std::uint64_t t = set.truth_offsets[q]; t < set.truth_offsets[q + 1]; ++t) {
      const ItemIdx item = set.truth_items[t];
      const bool drop = (view.repeats == "exclude" && is_seen(item)) || (view.repeats == "only" && !is_seen(item)) || out.catalogue[raw(item)] == 0;
      // With given candidates the published lists decide; with catalogue: train an unseen truth item stays, unreachable.
      if (drop && !(view.catalogue == "train" && out.catalogue[raw(item)] == 0)) {
        ++out.truth_removed;
        continue;
      }
      truth.push_back(item);
      gains.push_back(view.relevance == "value" ? set.truth_values[t] : 1.0f);
    }
    if (truth.empty()) {
      ++out.queries_without_truth;
      continue;
    }
    const std::uint64_t user_key = fold.users.keys()[raw(user)];
    out.query.push_back(q);
    out.user_keys.push_back(user_key);
    out.truth_items.insert(out.truth_items.end(), truth.begin(), truth.end());
    out.truth_gains.insert(out.truth_gains.end(), gains.begin(), gains.end());
    out.truth_offsets.push_back(out.truth_items.size());
    if (masks) {
      out.excluded_items.insert(out.excluded_items.end(), seen.begin(), seen.end());
      out.excluded_offsets.push_back(out.excluded_items.size());
    }
    if (!lists) continue;

    std::vector<ItemIdx> candidates = truth;
    if (view.repeats == "only" && view.candidates == "full") {
      candidates = seen;
    } else if (view.candidates == "given") {
      const auto negatives = fold.given_negatives.indices(raw(user));
      candidates.insert(candidates.end(), negatives.begin(), negatives.end());
    } else {
      // Uniform over the catalogue without anything the user has ever done; a function of the task's seed and the user.
      positives = seen;
      positives.insert(positives.end(), set.truth_items.begin() + set.truth_offsets[q], set.truth_items.begin() + set.truth_offsets[q + 1]);
      for (ItemIdx item : set.histories[q].items) positives.push_back(item);
      sort_unique(positives);
      std::vector<ItemIdx> pool;
      for (std::size_t i = 0; i < n_items; ++i)
        if (out.catalogue[i] != 0 && !std::binary_search(positives.begin(), positives.end(), item_at(i))) pool.push_back(item_at(i));
      Rng rng = Rng(fold.task_seed).stream("sampled negatives", user_key);
      const std::size_t n = std::min(pool.size(), static_cast<std::size_t>(view.sampled));
      for (std::uint64_t p : rng.sample_without_replacement(pool.size(), n)) candidates.push_back(pool[p]);
    }
    sort_unique(candidates);
    out.candidate_items.insert(out.candidate_items.end(), candidates.begin(), candidates.end());
    out.candidate_offsets.push_back(out.candidate_items.size());
  }
  return out;
}

}  // namespace segue
