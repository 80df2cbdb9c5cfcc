#include "framework/model/sessions.hpp"

#include <algorithm>
#include <tuple>

namespace segue {

Sessions::Sessions(const Histories& histories) {
  struct Cut {
    std::int64_t end;
    std::size_t user, first, last;  // places in `kept`
  };
  std::vector<ItemIdx> kept;
  std::vector<Cut> cuts;
  for (std::size_t u = 0; u < histories.size(); ++u) {
    const HistoryView events = histories[u];
    for (std::size_t first = 0, last; first < events.items.size(); first = last) {
      const std::size_t begin = kept.size();
      std::int64_t end = 0;
      for (last = first; last < events.items.size() && events.sessions[last] == events.sessions[first]; ++last) {
        if (!events.weights.empty() && !(events.weights[last] > 0)) continue;
        kept.push_back(events.items[last]);
        end = events.times[last];
      }
      if (kept.size() - begin >= 2) {
        cuts.push_back({end, u, begin, kept.size()});
      } else {
        kept.resize(begin);
      }
    }
  }
  std::sort(cuts.begin(), cuts.end(), [](const Cut& a, const Cut& b) {
    return std::tie(a.end, a.user, a.first) < std::tie(b.end, b.user, b.first);
  });
  items_.reserve(kept.size());
  for (const Cut& cut : cuts) {
    items_.insert(items_.end(), kept.begin() + static_cast<std::ptrdiff_t>(cut.first),
                  kept.begin() + static_cast<std::ptrdiff_t>(cut.last));
    offsets_.push_back(items_.size());
    users_.push_back(user_at(cut.user));
    ends_.push_back(cut.end);
  }
}

void Sessions::save(ArchiveWriter& archive) const {
  std::vector<std::uint32_t> items(items_.size()), users(users_.size());
  std::transform(items_.begin(), items_.end(), items.begin(), [](ItemIdx i) { return static_cast<std::uint32_t>(i); });
  std::transform(users_.begin(), users_.end(), users.begin(), [](UserIdx u) { return static_cast<std::uint32_t>(u); });
  const std::vector<std::uint64_t> ends(ends_.begin(), ends_.end());  // modulo 2^64, and back
  archive.put("sessions/offsets", std::span<const std::uint64_t>(offsets_));
  archive.put("sessions/items", std::span<const std::uint32_t>(items));
  archive.put("sessions/users", std::span<const std::uint32_t>(users));
  archive.put("sessions/ends", std::span<const std::uint64_t>(ends));
}

void Sessions::load(const ArchiveReader& archive) {
  offsets_ = archive.u64("sessions/offsets");
  items_.clear(), users_.clear(), ends_.clear();
  for (const std::uint32_t item : archive.u32("sessions/items")) items_.push_back(ItemIdx{item});
  for (const std::uint32_t user : archive.u32("sessions/users")) users_.push_back(UserIdx{user});
  for (const std::uint64_t end : archive.u64("sessions/ends")) ends_.push_back(static_cast<std::int64_t>(end));
}

void current_session(const Query& query, std::size_t n_items, std::size_t most, std::vector<ItemIdx>& out) {
  const auto take = [&](std::size_t first, std::size_t last) {
    out.clear();
    for (std::size_t p = last; p > first && out.size() < most; --p) {
      if (raw(query.history[p - 1]) >= n_items) continue;
      if (!query.weights.empty() && !(query.weights[p - 1] > 0)) continue;
      out.push_back(query.history[p - 1]);
    }
    std::reverse(out.begin(), out.end());
  };
  const std::size_t begin = std::min(query.session_begin, query.history.size());
  take(begin, query.history.size());
  if (out.empty()) take(0, begin);
}

}  // namespace segue
