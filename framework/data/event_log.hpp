// Events as they are collected, in columns: a log takes what its events need and no more while it grows, and little
// more than that while it is put into order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "framework/data/events.hpp"
#include "framework/data/page_vector.hpp"

namespace segue {

class EventLog {
 public:
  void add(const Event& event);
  std::size_t size() const { return size_; }

  // Calls visit(event) for each event, which may be changed, in the order in which they came.
  template <class Visit>
  void each(Visit visit) {
    for (std::size_t i = 0; i < size_; ++i) {
      Event e{users_[i], items_[i], times_[i], kinds_[i], values_[i], sessions_[i]};
      visit(e);
      put(i, e);
    }
  }

  // In canonical order, the same as Events(rows). Users are below n_users. Leaves the log empty.
  Events finish(std::size_t n_users);

 private:
  void put(std::size_t i, const Event& e);

  std::size_t size_ = 0;
  PageVector<UserIdx> users_;
  PageVector<ItemIdx> items_;
  PageVector<std::int64_t> times_;
  PageVector<EventKind> kinds_;
  PageVector<float> values_;
  PageVector<std::uint32_t> sessions_;
};

}  // namespace segue
