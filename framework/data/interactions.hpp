// What models learn from: the training feedback as a sparse matrix, and the same events in time order.
#pragma once

#include <cstdint>
#include <span>

#include "framework/base/ids.hpp"
#include "framework/data/events.hpp"
#include "framework/linalg/csr.hpp"

namespace segue {

// One row a user, items ascending, one weight a pair (stars, or confidence above that of an unobserved pair; may be
// negative for signed feedback). Immutable.
class Interactions {
 public:
  Interactions() = default;
  explicit Interactions(Csr<ItemIdx> by_user) : by_user_(std::move(by_user)) {}

  std::size_t n_users() const { return by_user_.rows(); }
  std::size_t n_items() const { return by_user_.cols(); }
  std::size_t size() const { return by_user_.nnz(); }
  std::span<const ItemIdx> items(UserIdx user) const { return by_user_.indices(raw(user)); }
  std::span<const float> weights(UserIdx user) const { return by_user_.values(raw(user)); }
  const Csr<ItemIdx>& by_user() const { return by_user_; }
  Csr<UserIdx> transposed() const { return by_user_.transposed<UserIdx>(); }  // one row an item, users ascending

 private:
  Csr<ItemIdx> by_user_;
};

// A user's events oldest first; all spans are equally long. weights: each event's own weight under the feedback transform.
struct HistoryView {
  std::span<const ItemIdx> items;
  std::span<const std::int64_t> times;
  std::span<const float> weights;
  std::span<const EventKind> kinds;
  std::span<const std::uint32_t> sessions;
};

// Every user's events (or every query's), oldest first: by time, then tie_order(task seed, user, item).
class Histories {
 public:
  Histories() : offsets_(std::vector<std::uint64_t>{0}) {}
  Histories(Array<std::uint64_t> offsets, Array<ItemIdx> items, Array<std::int64_t> times, Array<float> weights,
            Array<EventKind> kinds, Array<std::uint32_t> sessions)
      : offsets_(std::move(offsets)), items_(std::move(items)), times_(std::move(times)), weights_(std::move(weights)),
        kinds_(std::move(kinds)), sessions_(std::move(sessions)) {}

  std::size_t size() const { return offsets_.size() - 1; }  // users or queries
  HistoryView operator[](std::size_t i) const {
    const std::size_t b = offsets_[i], e = offsets_[i + 1];
    return {items_.slice(b, e), times_.slice(b, e), weights_.slice(b, e), kinds_.slice(b, e), sessions_.slice(b, e)};
  }
  HistoryView of(UserIdx user) const { return (*this)[raw(user)]; }
  std::size_t n_events() const { return items_.size(); }

  const Array<std::uint64_t>& offsets() const { return offsets_; }
  const Array<ItemIdx>& items() const { return items_; }
  const Array<std::int64_t>& times() const { return times_; }
  const Array<float>& weights() const { return weights_; }
  const Array<EventKind>& kinds() const { return kinds_; }
  const Array<std::uint32_t>& sessions() const { return sessions_; }

 private:
  Array<std::uint64_t> offsets_;
  Array<ItemIdx> items_;
  Array<std::int64_t> times_;
  Array<float> weights_;
  Array<EventKind> kinds_;
  Array<std::uint32_t> sessions_;
};

}  // namespace segue
