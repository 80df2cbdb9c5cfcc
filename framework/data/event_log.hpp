// Events as they are collected: columns in pieces, so that a log takes what its events need and no more while it grows,
// and little more than that while it is put into order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "framework/data/events.hpp"

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
  // Memory straight from the system, and back to it at once: what the allocator keeps of freed pieces would count twice
  // while a column is copied into its place.
  static constexpr std::size_t kPiece = std::size_t{1} << 18;  // events
  static void* map(std::size_t bytes);
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(void* piece) const;
  };
  template <class T>
  class Pieces {
   public:
    T& operator[](std::size_t i) { return static_cast<T*>(pieces_[i / kPiece].get())[i % kPiece]; }
    void grow() { pieces_.emplace_back(map(kPiece * sizeof(T)), Unmap{kPiece * sizeof(T)}); }
    void clear() { pieces_.clear(); }

   private:
    std::vector<std::unique_ptr<void, Unmap>> pieces_;
  };

  void put(std::size_t i, const Event& e);

  std::size_t size_ = 0;
  Pieces<UserIdx> users_;
  Pieces<ItemIdx> items_;
  Pieces<std::int64_t> times_;
  Pieces<EventKind> kinds_;
  Pieces<float> values_;
  Pieces<std::uint32_t> sessions_;
};

}  // namespace segue
