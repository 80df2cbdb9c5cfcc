#include "framework/model/inner_split.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace segue {

namespace {

// The moment from which on `share` of all events lie.
std::int64_t cut_in_time(const Histories& histories, double share) {
  std::vector<std::int64_t> times(histories.times().begin(), histories.times().end());
  if (times.empty()) return 0;
  const auto at = static_cast<std::size_t>((1 - share) * static_cast<double>(times.size()));
  const auto cut = times.begin() + static_cast<std::ptrdiff_t>(std::min(at, times.size() - 1));
  std::nth_element(times.begin(), cut, times.end());
  return *cut;
}

}  // namespace

InnerSplit inner_split(const TrainData& data, double share, HoldoutBy by, bool repeats) {
  InnerSplit out;
  const std::int64_t cut = by == HoldoutBy::kTime ? cut_in_time(data.histories, share) : 0;
  out.facets = data.facets;
  std::vector<std::uint64_t> offsets{0}, history_offsets{0}, held_offsets{0};
  std::vector<ItemIdx> items, history_items, held_items;
  std::vector<float> weights, history_weights;
  std::vector<std::int64_t> times;
  std::vector<EventKind> kinds;
  std::vector<std::uint32_t> sessions;
  for (std::size_t u = 0; u < data.train.n_users(); ++u) {
    const HistoryView history = u < data.histories.size() ? data.histories[u] : HistoryView{};
    const std::size_t n = history.items.size();
    std::size_t kept = n;
    if (by == HoldoutBy::kTime) {
      kept = static_cast<std::size_t>(std::lower_bound(history.times.begin(), history.times.end(), cut) -
                                      history.times.begin());
    } else if (n >= 2) {
      const auto last = static_cast<std::size_t>(std::round(share * static_cast<double>(n)));
      kept = n - std::clamp<std::size_t>(last, 1, n - 1);
    }
    std::vector<ItemIdx> before(history.items.begin(), history.items.begin() + static_cast<std::ptrdiff_t>(kept));
    for (std::size_t e = 0; e < kept; ++e) {
      history_items.push_back(history.items[e]);
      history_weights.push_back(history.weights[e]);
      times.push_back(history.times[e]);
      kinds.push_back(history.kinds[e]);
      sessions.push_back(history.sessions[e]);
    }
    history_offsets.push_back(history_items.size());
    std::sort(before.begin(), before.end());
    const auto had = [&](ItemIdx item) { return std::binary_search(before.begin(), before.end(), item); };
    std::map<ItemIdx, std::pair<double, double>> sums;  // of event weights: all, and those that are left
    for (std::size_t e = 0; e < n; ++e) {
      auto& [all, left] = sums[history.items[e]];
      all += double{history.weights[e]};
      if (e < kept) left += double{history.weights[e]};
    }
    const std::span<const ItemIdx> pairs = data.train.items(user_at(u));
    const std::span<const float> pair_weights = data.train.weights(user_at(u));
    for (std::size_t e = 0; e < pairs.size(); ++e) {
      if (!had(pairs[e])) continue;
      // Where events add up to the pair's weight, those that are left do; where they do not (binary feedback, ratings),
      // a pair that was heard before weighs what it weighs.
      const auto& [all, left] = sums[pairs[e]];
      const double whole = pair_weights.empty() ? 1.0 : double{pair_weights[e]};
      const bool adds_up = std::abs(whole - all) <= 1e-5 * std::max(1.0, std::abs(all));
      items.push_back(pairs[e]);
      weights.push_back(static_cast<float>(adds_up ? left : whole));
    }
    offsets.push_back(items.size());
    std::vector<ItemIdx> after;
    for (std::size_t e = kept; e < n; ++e)
      if (history.weights[e] > 0 && (repeats || !had(history.items[e]))) after.push_back(history.items[e]);
    std::sort(after.begin(), after.end());
    after.erase(std::unique(after.begin(), after.end()), after.end());
    if (after.empty() || kept == 0) continue;
    out.users.push_back(user_at(u));
    out.moments.push_back(history.times[kept]);
    held_items.insert(held_items.end(), after.begin(), after.end());
    held_offsets.push_back(held_items.size());
  }
  out.train =
      Interactions(Csr<ItemIdx>(data.train.n_items(), std::move(offsets), std::move(items), std::move(weights)));
  out.histories = Histories(std::move(history_offsets), std::move(history_items), std::move(times),
                            std::move(history_weights), std::move(kinds), std::move(sessions));
  out.held_out = Csr<ItemIdx>(data.train.n_items(), std::move(held_offsets), std::move(held_items), {});
  return out;
}

}  // namespace segue
