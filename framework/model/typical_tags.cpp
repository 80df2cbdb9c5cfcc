#include "framework/model/typical_tags.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace segue {

namespace {

constexpr double kSurprise = 1.645;
constexpr std::size_t kFewestItems = 5;

// visit(tag, share of the item's largest weight)
template <class Visit>
void for_tags(const ItemTags& tags, std::size_t item, Visit visit) {
  const auto which = tags.weights.indices(item);
  float largest = 0;
  for (std::size_t n = 0; n < which.size(); ++n)
    largest = std::max(largest, tags.weights.has_values() ? tags.weights.values(item)[n] : 1.0f);
  if (!(largest > 0)) return;
  for (std::size_t n = 0; n < which.size(); ++n) {
    const float weight = tags.weights.has_values() ? tags.weights.values(item)[n] : 1.0f;
    if (weight > 0)
      visit(static_cast<std::size_t>(which[n]), static_cast<double>(weight) / static_cast<double>(largest));
  }
}

}  // namespace

TagCatalogue::TagCatalogue(const ItemTags& tags)
    : tags_(tags), count_(tags.tags.size(), 0), items_(tags.tags.size(), 0) {
  for (std::size_t item = 0; item < tags.weights.rows(); ++item) {
    for_tags(tags, item, [&](std::size_t tag, double share) {
      count_[tag] += share;
      ++items_[tag];
      total_ += share;
    });
  }
}

std::vector<TypicalTag> TagCatalogue::typical(std::span<const ItemIdx> items, std::size_t most) const {
  struct Seen {
    double count = 0;
    std::size_t items = 0;  // distinct
  };
  std::map<std::size_t, Seen> seen;
  double n = 0;
  std::set<ItemIdx> distinct;
  for (const ItemIdx item : items) {
    const bool is_new = distinct.insert(item).second;
    for_tags(tags_, raw(item), [&](std::size_t tag, double share) {
      seen[tag].count += share;
      seen[tag].items += is_new;
      n += share;
    });
  }
  std::vector<TypicalTag> out;
  for (const auto& [tag, own] : seen) {
    if (items_[tag] < kFewestItems || own.items < std::min<std::size_t>(2, distinct.size())) continue;
    const double prior = n * count_[tag] / total_;
    const double here = own.count + prior, there = count_[tag] + prior;
    const double others = 2 * n - here, others_there = total_ + n - there;
    if (!(others > 0) || !(others_there > 0)) continue;  // there is but one tag
    const double delta = std::log(here / others) - std::log(there / others_there);
    const double z = delta / std::sqrt(1 / here + 1 / there);
    if (z > kSurprise) out.push_back({static_cast<TermIdx>(tag), own.items, z});
  }
  std::stable_sort(out.begin(), out.end(), [](const TypicalTag& a, const TypicalTag& b) { return a.z > b.z; });
  out.resize(std::min(out.size(), most));
  return out;
}

}  // namespace segue
