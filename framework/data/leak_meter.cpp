#include "framework/data/leak_meter.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace segue {

LeakMeter measure_leaks(const PreparedFold& fold, const SplitEvents& parts) {
  LeakMeter m;
  m.test_events = parts.test.size();
  std::vector<std::int64_t> test_times;
  std::vector<std::uint8_t> tested(fold.users.size(), 0);
  for (const Event& e : parts.test) test_times.push_back(e.time), tested[raw(e.user)] = 1;
  std::sort(test_times.begin(), test_times.end());
  // Pairs of a test event and a later training event: few test events are searched, however long the log is.
  std::uint64_t later = 0;
  std::vector<std::pair<UserIdx, std::int64_t>> moments;  // of users with test events
  for (const std::vector<Event>* part : {&parts.train, &parts.validation, &parts.test, &parts.known}) {
    for (const Event& e : *part) {
      if (tested[raw(e.user)] != 0) moments.emplace_back(e.user, e.time);
      if (part == &parts.train)
        later += static_cast<std::uint64_t>(std::lower_bound(test_times.begin(), test_times.end(), e.time) - test_times.begin());
    }
  }
  std::sort(moments.begin(), moments.end());
  std::uint64_t tied = 0;
  for (const Event& e : parts.test) {
    const auto [low, high] = std::equal_range(moments.begin(), moments.end(), std::pair(e.user, e.time));
    tied += high - low > 1;
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, parts.test.size()));
  m.future_share = fold.has_times ? static_cast<double>(later) / n / static_cast<double>(parts.train.size()) : std::numeric_limits<double>::quiet_NaN();
  m.tied_time_share = fold.has_times ? static_cast<double>(tied) / n : std::numeric_limits<double>::quiet_NaN();

  std::vector<std::uint8_t> trained_item(fold.items.size(), 0), trained_user(fold.users.size(), 0), tested_user(fold.users.size(), 0);
  for (const Event& e : parts.train) trained_item[raw(e.item)] = 1, trained_user[raw(e.user)] = 1;
  const ItemTags* tags = fold.facets.find<ItemTags>();
  for (std::size_t q = 0; q < fold.test.size(); ++q) {
    const UserIdx user = fold.test.users[q];
    tested_user[raw(user)] = 1;
    m.cold_users += trained_user[raw(user)] == 0;
    for (std::uint64_t t = fold.test.truth_offsets[q]; t < fold.test.truth_offsets[q + 1]; ++t) {
      const ItemIdx item = fold.test.truth_items[t];
      ++m.truth_items;
      m.truth_unreachable += trained_item[raw(item)] == 0;
      if (tags == nullptr) continue;
      m.untagged_truth += tags->weights.row_size(raw(item)) == 0;
      const auto first = std::lower_bound(tags->by_user.begin(), tags->by_user.end(), user);
      const auto last = std::upper_bound(first, tags->by_user.end(), user);
      const auto* items = tags->by_item.begin() + (first - tags->by_user.begin());
      m.side_data_overlap += std::binary_search(items, items + (last - first), item);
    }
  }
  for (std::size_t u = 0; u < tested_user.size(); ++u) m.users_without_truth += trained_user[u] != 0 && tested_user[u] == 0;
  return m;
}

}  // namespace segue
