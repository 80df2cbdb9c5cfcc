#include "framework/data/event_log.hpp"

#include <algorithm>
#include <tuple>

#include "framework/base/errors.hpp"

namespace segue {

void EventLog::put(std::size_t i, const Event& e) {
  users_[i] = e.user;
  items_[i] = e.item;
  times_[i] = e.time;
  kinds_[i] = e.kind;
  values_[i] = e.value;
  sessions_[i] = e.session;
}

void EventLog::add(const Event& event) {
  users_.push_back(event.user);
  items_.push_back(event.item);
  times_.push_back(event.time);
  kinds_.push_back(event.kind);
  values_.push_back(event.value);
  sessions_.push_back(event.session);
  ++size_;
}

// The users are counted, so that only the events of one user at a time are sorted. After that a column is copied into
// its place and let go of before the next one is.
Events EventLog::finish(std::size_t n_users) {
  SEGUE_CHECK(size_ < 0xFFFFFFFFu, "{} events are more than a log can number", size_);
  std::vector<std::uint64_t> ends(n_users + 1, 0);  // of each user's events; until they stand there, where they begin
  for (std::size_t i = 0; i < size_; ++i) ++ends[raw(users_[i]) + 1];
  for (std::size_t u = 0; u < n_users; ++u) ends[u + 1] += ends[u];
  std::vector<std::uint32_t> order(size_);
  for (std::size_t i = 0; i < size_; ++i) order[ends[raw(users_[i])]++] = static_cast<std::uint32_t>(i);
  users_.clear();

  struct Row {
    std::int64_t time;
    ItemIdx item;
    float value;
    std::uint32_t session, event;
    EventKind kind;
    bool operator<(const Row& o) const {
      return std::tie(time, item, kind, value, session) < std::tie(o.time, o.item, o.kind, o.value, o.session);
    }
  };
  std::vector<Row> rows;
  for (std::size_t u = 0, first = 0; u < n_users; first = ends[u++]) {
    rows.clear();
    for (std::size_t k = first; k < ends[u]; ++k) {
      const std::uint32_t i = order[k];
      rows.push_back({times_[i], items_[i], values_[i], sessions_[i], i, kinds_[i]});
    }
    std::sort(rows.begin(), rows.end());
    for (std::size_t k = first; k < ends[u]; ++k) order[k] = rows[k - first].event;
  }

  const auto column = [&]<class T>(PageVector<T>& collected) {
    std::vector<T> out(size_);
    for (std::size_t k = 0; k < size_; ++k) out[k] = collected[order[k]];
    collected.clear();
    return Array<T>(std::move(out));
  };
  Array<std::int64_t> times = column(times_);
  Array<ItemIdx> items = column(items_);
  Array<EventKind> kinds = column(kinds_);
  Array<float> values = column(values_);
  Array<std::uint32_t> sessions = column(sessions_);
  order = {};
  std::vector<UserIdx> users(size_);
  for (std::size_t u = 0, first = 0; u < n_users; first = ends[u++])
    std::fill(users.begin() + static_cast<std::ptrdiff_t>(first), users.begin() + static_cast<std::ptrdiff_t>(ends[u]),
              user_at(u));
  size_ = 0;
  return {std::move(users), std::move(items),  std::move(times),
          std::move(kinds), std::move(values), std::move(sessions)};
}

}  // namespace segue
