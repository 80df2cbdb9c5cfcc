// Sessions of each user under numbers that depend on the events alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "framework/data/events.hpp"

namespace segue {

// Numbers each user's sessions 0, 1, ... by the time of their first event (then by the number that the file gave).
// Call add() for every event of every log, close(), then number() for every event. Events of a session that come one
// after another cost no memory.
class SessionOrder {
 public:
  void add(const Event& e) {
    if (!sessions_.empty() && sessions_.back().user == raw(e.user) && sessions_.back().given == e.session) {
      sessions_.back().begins = std::min(sessions_.back().begins, e.time);
    } else {
      sessions_.push_back({raw(e.user), e.session, e.time});
    }
  }
  void close() {
    std::sort(sessions_.begin(), sessions_.end());
    const auto same = [](const Session& a, const Session& b) { return a.user == b.user && a.given == b.given; };
    sessions_.erase(std::unique(sessions_.begin(), sessions_.end(), same), sessions_.end());
    std::vector<std::size_t> order(sessions_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const Session &x = sessions_[a], &y = sessions_[b];
      return std::tie(x.user, x.begins, x.given) < std::tie(y.user, y.begins, y.given);
    });
    rank_.resize(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
      const bool same_user = i > 0 && sessions_[order[i]].user == sessions_[order[i - 1]].user;
      rank_[order[i]] = same_user ? rank_[order[i - 1]] + 1 : 0;
    }
  }
  std::uint32_t number(const Event& e) const {
    const auto it = std::lower_bound(sessions_.begin(), sessions_.end(), Session{raw(e.user), e.session, INT64_MIN});
    return rank_[static_cast<std::size_t>(it - sessions_.begin())];
  }

 private:
  struct Session {
    std::size_t user;
    std::uint32_t given;
    std::int64_t begins;
    auto operator<=>(const Session&) const = default;
  };
  std::vector<Session> sessions_;
  std::vector<std::uint32_t> rank_;
};

}  // namespace segue
