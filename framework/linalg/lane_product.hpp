// Sums over the common columns of pairs of sparse rows, for as many left rows at once as a register has lanes: the
// kernel of neighbour search.
//
// Scattered additions cost one load, one addition and one store each, however narrow. So a block of left rows is
// packed: every column that any of them has is visited once, with one vector of what its left rows have there (zero
// where they have nothing), and each right row of that column gets one vector operation for all left rows. Where left
// rows have many columns in common, which rows in order of size have, that saves as many memory accesses as there are
// lanes; where they have none in common it costs what scalar code would. The sums of a tile of right rows stay in L2.
//
// Each sum is a chain over ascending columns; what is added for absent entries is zero, which changes no bit. So the
// bits are those of the obvious loop over one pair of rows, whatever the lanes, tiles and blocks.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#include <vector>

#include "framework/linalg/csr.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

// What is added up for a pair of rows: x of the left row, y of the right one, over their n common columns.
enum class LaneSum { kCount, kProduct, kLeftSquare, kRightSquare, kLeft, kRight };  // n, xy, xx, yy, x, y

// Thirty-two counters of 16 bits.
struct Counters {
  static constexpr std::size_t kCount = 32;
  using Vector [[gnu::vector_size(2 * kCount), gnu::aligned(2 * kCount)]] = std::uint16_t;
  Vector v;
  static Counters load(const std::uint16_t* aligned) { return {*reinterpret_cast<const Vector*>(aligned)}; }
  static Counters all(std::uint16_t x) { return {Vector{} + x}; }
  void store(std::uint16_t* aligned) const { *reinterpret_cast<Vector*>(aligned) = v; }
  friend Counters operator+(Counters a, Counters b) { return {a.v + b.v}; }
  friend Counters operator*(Counters a, Counters b) { return {a.v * b.v}; }
};

// T: float or double, the type of the sums, or std::uint16_t, where counts stay below 65,536 and nothing else is asked.
// kSums: how many of LaneSum, from kCount on, are added up: 1, 2, 4 or 6.
template <class T, std::size_t kSums>
class LaneProduct {
 public:
  using Vector = std::conditional_t<std::is_same_v<T, float>, Lanes,
                                    std::conditional_t<std::is_same_v<T, double>, Doubles, Counters>>;
  static_assert(!std::is_same_v<T, std::uint16_t> || kSums == 1);
  static constexpr std::size_t kLanes = Vector::kCount;

  // columns: row c lists the right rows that have column c, ascending, with their values (or none: all ones). It must
  // outlive this object, which is scratch for one block after another.
  explicit LaneProduct(const Csr<std::uint32_t>& columns)
      : columns_(columns), rights_(columns.cols()), marks_((columns.rows() + 63) / 64), slot_(columns.rows()) {}

  // Takes at most kLanes left rows. indices(l), values(l): columns ascending and values (empty: ones) of left row l.
  template <class Column, class Indices, class Values>
  void pack(std::size_t count, Indices indices, Values values) {
    separate_visits_ = 0;
    for (std::size_t l = 0; l < count; ++l) {
      for (Column column : indices(l)) {
        const auto c = static_cast<std::size_t>(column);
        marks_[c / 64] |= std::uint64_t{1} << (c % 64);
        separate_visits_ += columns_.row_size(c);
      }
    }
    used_.clear();
    visits_ = 0;
    for (std::size_t w = 0; w < marks_.size(); ++w) {
      for (std::uint64_t bits = marks_[w]; bits != 0; bits &= bits - 1) {
        const std::size_t c = w * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        slot_[c] = static_cast<std::uint32_t>(used_.size());
        visits_ += columns_.row_size(c);
        used_.push_back(static_cast<std::uint32_t>(c));
      }
      marks_[w] = 0;
    }
    left_.assign(used_.size(), {});
    for (std::size_t l = 0; l < count; ++l) {
      const std::span<const Column> row = indices(l);
      const std::span<const float> x = values(l);
      for (std::size_t p = 0; p < row.size(); ++p) {
        T* at = left_[slot_[static_cast<std::size_t>(row[p])]].lanes + l;
        at[0] = 1;
        if constexpr (kPacked > 1) at[kLanes] = x.empty() ? T{1} : T{x[p]};
      }
    }
  }

  // Vector operations that run() takes for each sum, scalar ones that separate rows would take, and columns.
  std::size_t visits() const { return visits_; }
  std::size_t separate_visits() const { return separate_visits_; }
  std::size_t used_columns() const { return used_.size(); }
  std::size_t tiles() const { return (rights_ + kTile - 1) / kTile; }

  // Calls visit(right, sums) for every right row that has a column in common with a left one, ascending. sums: kSums
  // vectors of kLanes, valid during the call.
  template <class Visit>
  void run(Visit visit) {
    sums_.resize(std::min(rights_, kTile));
    next_.clear();
    for (std::uint32_t c : used_) next_.push_back(columns_.offsets()[c]);
    for (std::size_t begin = 0; begin < rights_; begin += kTile) {
      const std::size_t end = std::min(rights_, begin + kTile);
      for (std::size_t u = 0; u < used_.size(); ++u) {
        constexpr std::size_t kAhead = 8;  // where columns have little of a tile, their first entry is what takes time
        if (u + kAhead < used_.size()) __builtin_prefetch(columns_.all_indices().data() + next_[u + kAhead]);
        add_column(u, begin, end);
      }
      for (std::size_t r = begin; r < end; ++r) {
        T* sums = sums_[r - begin].lanes;
        std::uint64_t bits[sizeof(T) * kLanes / sizeof(std::uint64_t)], any = 0;
        std::memcpy(bits, sums, sizeof bits);
        for (std::uint64_t b : bits) any |= b;
        if (any == 0) continue;
        visit(r, static_cast<const T*>(sums));
        for (std::size_t v = 0; v < kSums; ++v) Vector::all(0).store(sums + v * kLanes);
      }
    }
  }

 private:
  static constexpr std::size_t kPacked = kSums == 1 ? 1 : 2;  // presence and value
  // 512 KiB of sums: less, and each column would be interrupted too often; more, and L2 would not hold them.
  static constexpr std::size_t kTile = (std::size_t{1} << 19) / (64 * std::bit_ceil(kSums));

  // On cache lines of their own: a vector across two would cost twice.
  template <std::size_t kVectors>
  struct alignas(64) Cell {
    T lanes[kVectors * kLanes] = {};
  };

  // Adds what column u has of the tile [begin, end) of right rows.
  void add_column(std::size_t u, std::size_t begin, std::size_t end) {
    const std::uint32_t* rights = columns_.all_indices().data();
    const std::uint64_t row_end = columns_.offsets()[used_[u] + 1];
    const std::uint64_t from = next_[u];
    std::uint64_t to = row_end;
    if (end < rights_) {  // most columns have little of most tiles, so a search by doubling steps
      std::uint64_t step = 1, below = from;
      for (; below + step <= row_end && rights[below + step - 1] < end; step *= 2) below += step;
      const std::uint32_t* last = rights + std::min(below + step, row_end);
      to = static_cast<std::uint64_t>(std::lower_bound(rights + below, last, end) - rights);
    }
    next_[u] = to;
    const float* values = columns_.all_values().data();
    const T* left = left_[u].lanes;
    const Vector has = Vector::load(left), x = Vector::load(left + (kPacked - 1) * kLanes), xx = x * x;
    Cell<kSums>* sums = sums_.data();
    for (std::uint64_t p = from; p < to; ++p) {
      T* at = sums[rights[p] - begin].lanes;
      const auto add = [&](LaneSum sum, auto term) {
        T* cell = at + static_cast<std::size_t>(sum) * kLanes;
        term(Vector::load(cell)).store(cell);
      };
      add(LaneSum::kCount, [&](Vector n) { return n + has; });
      if constexpr (kSums > 1) {
        const Vector y = Vector::all(T{values[p]});
        add(LaneSum::kProduct, [&](Vector xy) { return fma(x, y, xy); });
        if constexpr (kSums > 2) {
          add(LaneSum::kLeftSquare, [&](Vector s) { return s + xx; });
          add(LaneSum::kRightSquare, [&](Vector s) { return fma(has, y * y, s); });
        }
        if constexpr (kSums > 4) {
          add(LaneSum::kLeft, [&](Vector s) { return s + x; });
          add(LaneSum::kRight, [&](Vector s) { return fma(has, y, s); });
        }
      }
    }
  }

  const Csr<std::uint32_t>& columns_;
  std::size_t rights_;
  std::vector<std::uint64_t> marks_, next_;  // next_: where the next tile of each used column begins
  std::vector<std::uint32_t> slot_, used_;
  std::vector<Cell<kPacked>> left_;
  std::vector<Cell<kSums>> sums_;
  std::size_t visits_ = 0, separate_visits_ = 0;
};

}  // namespace segue
