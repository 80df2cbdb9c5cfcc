#include "framework/data/events.hpp"

#include <algorithm>
#include <tuple>

namespace segue {

std::string_view event_kind_name(EventKind kind) {
  switch (kind) {
    case EventKind::kRating: return "rating";
    case EventKind::kPlay: return "play";
    case EventKind::kSkip: return "skip";
    case EventKind::kRepeat: return "repeat";
    case EventKind::kLike: return "like";
    case EventKind::kPlaylistAdd: return "playlist_add";
  }
  return "?";
}

Events::Events(std::vector<Event> rows) {
  const auto key = [](const Event& e) { return std::tie(e.user, e.time, e.item, e.kind, e.value, e.session); };
  std::sort(rows.begin(), rows.end(), [&](const Event& a, const Event& b) { return key(a) < key(b); });
  const auto column = [&]<class T>(T Event::*member) {
    std::vector<T> out(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) out[i] = rows[i].*member;
    return Array<T>(std::move(out));
  };
  users_ = column(&Event::user);
  items_ = column(&Event::item);
  times_ = column(&Event::time);
  kinds_ = column(&Event::kind);
  values_ = column(&Event::value);
  sessions_ = column(&Event::session);
}

Events::Events(Array<UserIdx> users, Array<ItemIdx> items, Array<std::int64_t> times, Array<EventKind> kinds,
               Array<float> values, Array<std::uint32_t> sessions)
    : users_(std::move(users)), items_(std::move(items)), times_(std::move(times)), kinds_(std::move(kinds)),
      values_(std::move(values)), sessions_(std::move(sessions)) {}

std::vector<Event> Events::rows() const {
  std::vector<Event> out(size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = (*this)[i];
  return out;
}

}  // namespace segue
