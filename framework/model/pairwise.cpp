#include "framework/model/pairwise.hpp"

#include <algorithm>

namespace segue {

namespace {

constexpr std::size_t kLeastItems = 32;  // in a group: fewer would make an epoch's negatives too much alike

}  // namespace

Csr<ItemIdx> positive_pairs(const Csr<ItemIdx>& events) {
  if (!events.has_values() ||
      std::all_of(events.all_values().begin(), events.all_values().end(), [](float w) { return w > 0; }))
    return events;
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  for (std::size_t u = 0; u < events.rows(); ++u) {
    for (std::size_t n = 0; n < events.row_size(u); ++n)
      if (events.values(u)[n] > 0) items.push_back(events.indices(u)[n]);
    offsets.push_back(items.size());
  }
  return {events.cols(), std::move(offsets), std::move(items), std::vector<float>()};
}

PairwiseBlocks::PairwiseBlocks(const Csr<ItemIdx>& events, std::size_t dims, const Rng& rng)
    : positives_(positive_pairs(events)),
      rng_(rng),
      groups_(std::clamp<std::size_t>(events.cols() / kLeastItems, 1, strata_count(events.cols(), dims))),
      user_order_(random_order(events.rows(), rng.stream("user groups"))),
      pairs_(positives_.nnz()),
      starts_(groups_ * groups_ + 1, 0) {}

void PairwiseBlocks::deal(int epoch, const Executor& exec) {
  item_order_ = random_order(positives_.cols(), rng_.stream("item groups", static_cast<std::uint64_t>(epoch)));
  const std::vector<std::uint8_t> group = groups_of(item_order_, groups_);
  const std::size_t users = user_order_.size();
  const auto each_pair = [&](std::size_t g, auto use) {
    for (std::size_t p = group_begin(g, groups_, users); p < group_begin(g + 1, groups_, users); ++p)
      for (ItemIdx item : positives_.indices(user_order_[p])) use(user_order_[p], static_cast<std::uint32_t>(item));
  };
  exec.for_blocks(groups_, 1, [&](std::size_t g, std::size_t) {
    std::vector<std::uint64_t> count(groups_, 0);
    each_pair(g, [&](std::uint32_t, std::uint32_t item) { ++count[group[item]]; });
    std::copy(count.begin(), count.end(), starts_.begin() + static_cast<std::ptrdiff_t>(g * groups_) + 1);
  });
  starts_[0] = 0;
  for (std::size_t b = 1; b < starts_.size(); ++b) starts_[b] += starts_[b - 1];
  exec.for_blocks(groups_, 1, [&](std::size_t g, std::size_t) {
    std::vector<std::uint64_t> next(starts_.begin() + static_cast<std::ptrdiff_t>(g * groups_),
                                    starts_.begin() + static_cast<std::ptrdiff_t>((g + 1) * groups_));
    each_pair(g, [&](std::uint32_t user, std::uint32_t item) { pairs_[next[group[item]]++] = {user, item}; });
  });
}

}  // namespace segue
