// What models of sessions learn from and what they are asked: training sessions, and the current session of a query.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/data/interactions.hpp"
#include "framework/model/archive.hpp"
#include "framework/model/query.hpp"

namespace segue {

// Training sessions, the most recent last: by the time of their last event, then by user, then as they follow each
// other. Session s has the number s. A user's events are cut where the session number changes; in data without sessions
// a user's whole history is one session. Events whose weight is not positive (skips) are left out, and then what is
// shorter than two events, which tells nothing about what follows what.
class Sessions {
 public:
  Sessions() = default;
  explicit Sessions(const Histories& histories);

  std::size_t size() const { return users_.size(); }
  std::size_t n_events() const { return items_.size(); }
  std::span<const ItemIdx> items(std::size_t session) const {  // oldest first, repeats and all
    return std::span(items_).subspan(offsets_[session], offsets_[session + 1] - offsets_[session]);
  }
  UserIdx user(std::size_t session) const { return users_[session]; }
  std::int64_t end(std::size_t session) const { return ends_[session]; }  // time of the last event

  // Under sessions/.
  void save(ArchiveWriter& archive) const;
  void load(const ArchiveReader& archive);

 private:
  std::vector<std::uint64_t> offsets_{0};
  std::vector<ItemIdx> items_;
  std::vector<UserIdx> users_;
  std::vector<std::int64_t> ends_;
};

// The current session of a query, oldest first: history[session_begin..] without items outside the catalogue and events
// whose weight is not positive, at most its last `most` events. Where nothing is left of it (a session that is about to
// begin), the last events before it.
void current_session(const Query& query, std::size_t n_items, std::size_t most, std::vector<ItemIdx>& out);

}  // namespace segue
