// How one query's scores become its list and the ranks of its truth items: the inner loop of recommend(), shared by
// every way in which scores arrive. Internal to framework/model.
//
// Scores come 32 at a time, in any order, and are read once. A step costs a load and a comparison with the worst score
// kept so far for each 16 of them; what passes goes to a buffer, whose worse part is thrown away when it is full.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "framework/base/hash.hpp"
#include "framework/base/ids.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

// One bit an item (bit i % 32 of word i / 32): who may be recommended. Words: (items + 31) / 32.
class CandidateBits {
 public:
  // flags: one an item, or empty for all.
  CandidateBits(std::size_t items, std::span<const std::uint8_t> flags);
  std::span<const std::uint32_t> words() const { return words_; }
  std::size_t count() const { return count_; }

 private:
  std::vector<std::uint32_t> words_;
  std::size_t count_ = 0;
};

// In which order equal scores stand.
struct TieKeys {
  std::uint64_t task_seed = 0, user_key = 0;
  std::span<const std::uint64_t> item_keys{};  // empty: the item's position
  std::uint64_t operator()(ItemIdx item) const {
    return tie_order(task_seed, user_key, item_keys.empty() ? raw(item) : item_keys[raw(item)]);
  }
};

class QueryRanker {
 public:
  static constexpr std::size_t kWidth = 32;
  static constexpr float kCannotScore = -std::numeric_limits<float>::infinity();

  struct Scored {
    float score;
    ItemIdx item;
  };
  struct Truth {
    std::uint64_t row;  // whose it is, as given to add_truth()
    float score;
    ItemIdx item;
    std::uint64_t tie;
    std::uint32_t above = 0, tied = 0, tied_before = 0;  // other candidates
  };

  // Forgets the last query. Scores are of places: place p is items[p], or item p where items is empty. k: below places.
  void begin(std::size_t k, const TieKeys& ties, std::size_t places, std::span<const ItemIdx> items = {});
  // Asks where an item stands that is a candidate and has this score.
  void add_truth(std::uint64_t row, ItemIdx item, float score) { truth_.push_back({row, score, item, ties_(item)}); }

  // scores[l] is that of place `first` + l, and a candidate where bit l of allowed is set; the others may be anything.
  // No candidate's is NaN. Each place once.
  void take(std::size_t first, const float* scores, std::uint32_t allowed) {
    const Lanes low = Lanes::load(scores), high = Lanes::load(scores + Lanes::kCount);
    const Lanes bar = Lanes::all(bar_);
    const std::uint32_t passing = (at_least(low, bar) | at_least(high, bar) << Lanes::kCount) & allowed;
    if (passing != 0) {
      const auto place = static_cast<std::uint32_t>(first);
      keep(low, passing & 0xffff, place);
      keep(high, passing >> Lanes::kCount, place + Lanes::kCount);
      if (size_ + kRoom > scores_.size()) cut();
    }
    for (Truth& t : truth_) {
      const Lanes own = Lanes::all(t.score);
      const std::uint32_t more = (above(low, own) | above(high, own) << Lanes::kCount) & allowed;
      const std::uint32_t equal = (at_least(low, own) | at_least(high, own) << Lanes::kCount) & allowed & ~more;
      t.above += static_cast<std::uint32_t>(std::popcount(more));
      if (equal != 0) count_ties(t, first, equal);
    }
  }

  // The best k + 1, best first; fewer where fewer candidates have a score. The last call before begin().
  void best(std::vector<Scored>& out);
  std::span<const Truth> truth() const { return truth_; }

 private:
  static_assert(kWidth == 2 * Lanes::kCount);
  static constexpr std::size_t kRoom = kWidth + Lanes::kCount;  // of a step, and of pad() after it

  ItemIdx item(std::size_t place) const { return items_.empty() ? item_at(place) : items_[place]; }
  void keep(Lanes scores, std::uint32_t bits, std::uint32_t place) {
    scores.pick(bits, place, scores_.data() + size_, places_.data() + size_);
    size_ += static_cast<std::size_t>(std::popcount(bits));
  }
  // The kept at positions a and b: by score, then tie order.
  bool better(std::size_t a, std::size_t b) const;
  std::size_t count_at_least(float bar) const;
  void pad();
  void cut();
  void cut_ties();
  void count_ties(Truth& t, std::size_t first, std::uint32_t equal) const;

  // What take() reads of a query that nothing passes lies in one line.
  alignas(64) float bar_ = 0;  // whatever is below is not among the best
  std::vector<Truth> truth_;
  std::size_t wanted_ = 0, size_ = 0;  // size_: of the kept
  std::vector<float> scores_;          // theirs, with room for a step
  std::vector<std::uint32_t> places_;
  TieKeys ties_;
  std::span<const ItemIdx> items_;
};

}  // namespace segue
