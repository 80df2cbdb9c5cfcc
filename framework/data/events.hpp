// The raw log: who did what to which item, and when. Columns of equal length in canonical order (user, time, item, kind,
// value), so that the same events give the same bits in whatever order a file held them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "framework/base/array.hpp"
#include "framework/base/ids.hpp"

namespace segue {

enum class EventKind : std::uint8_t { kRating, kPlay, kSkip, kRepeat, kLike, kPlaylistAdd };
std::string_view event_kind_name(EventKind kind);  // "rating", "play", ...

struct Event {
  UserIdx user{};
  ItemIdx item{};
  std::int64_t time = 0;  // seconds since 1970, or an order where a file has no times (Dataset::has_times)
  EventKind kind = EventKind::kRating;
  float value = 1;             // stars for kRating, number of plays for kPlay, else 1
  std::uint32_t session = 0;   // of the user, ascending; 0 where the data has no sessions
};

class Events {
 public:
  Events() = default;
  // Sorts into canonical order.
  explicit Events(std::vector<Event> rows);
  // Columns already in canonical order (from a snapshot).
  Events(Array<UserIdx> users, Array<ItemIdx> items, Array<std::int64_t> times, Array<EventKind> kinds, Array<float> values,
         Array<std::uint32_t> sessions);

  std::size_t size() const { return users_.size(); }
  bool empty() const { return size() == 0; }
  Event operator[](std::size_t i) const { return {users_[i], items_[i], times_[i], kinds_[i], values_[i], sessions_[i]}; }

  const Array<UserIdx>& users() const { return users_; }
  const Array<ItemIdx>& items() const { return items_; }
  const Array<std::int64_t>& times() const { return times_; }
  const Array<EventKind>& kinds() const { return kinds_; }
  const Array<float>& values() const { return values_; }
  const Array<std::uint32_t>& sessions() const { return sessions_; }

  std::vector<Event> rows() const;

 private:
  Array<UserIdx> users_;
  Array<ItemIdx> items_;
  Array<std::int64_t> times_;
  Array<EventKind> kinds_;
  Array<float> values_;
  Array<std::uint32_t> sessions_;
};

}  // namespace segue
