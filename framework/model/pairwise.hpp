// Learning from pairs: item i, which user u has, is to score above item j, which u has not. Sampling and steps that run
// in parallel without races and with the same bits for any number of threads.
//
// A step on (u, i, j) moves three rows, so j must belong to whoever owns i. Users keep their groups; items are dealt
// anew into random groups of equal size each epoch, and j comes from i's group. Since the partition is random, j is
// uniform on all other items in every single draw, and over the epochs every pair of items meets; what is lost is that
// the draws of one epoch are not independent of one another.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/linalg/csr.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/model/factor_model.hpp"
#include "framework/model/strata.hpp"

namespace segue {

struct Positive {
  std::uint32_t user, item;
};

// The pairs of positive weight; all of them where events have no weights.
Csr<ItemIdx> positive_pairs(const Csr<ItemIdx>& events);

struct PairStep {
  float learning_rate = 0;
  float reg = 0;       // of factors
  float bias_reg = 0;  // of biases
};

// x_uij = b_i - b_j + <p_u, q_i - q_j>. d floats a row.
inline float pair_margin(const float* p, const float* q_i, const float* q_j, float b_i, float b_j, std::size_t d) {
  const std::size_t whole = d / Lanes::kCount * Lanes::kCount;
  Lanes even = Lanes::zero(), odd = Lanes::zero();
  std::size_t k = 0;
  for (; k + 2 * Lanes::kCount <= whole; k += 2 * Lanes::kCount) {
    even = fma(Lanes::load(p + k), Lanes::load(q_i + k) - Lanes::load(q_j + k), even);
    const std::size_t l = k + Lanes::kCount;
    odd = fma(Lanes::load(p + l), Lanes::load(q_i + l) - Lanes::load(q_j + l), odd);
  }
  if (k < whole) even = fma(Lanes::load(p + k), Lanes::load(q_i + k) - Lanes::load(q_j + k), even);
  float x = (even + odd).sum();
  for (k = whole; k < d; ++k) x = std::fma(p[k], q_i[k] - q_j[k], x);
  return x + (b_i - b_j);
}

// With e = - dl / dx of a loss l(x_uij), all from the old values:
//   p_u += rate (e (q_i - q_j) - reg p_u)     b_i += rate ( e - bias_reg b_i)
//   q_i += rate ( e p_u - reg q_i)            b_j += rate (-e - bias_reg b_j)
//   q_j += rate (-e p_u - reg q_j)
inline void pair_update(float* p, float* q_i, float* q_j, float& b_i, float& b_j, std::size_t d, float e,
                        const PairStep& step) {
  const std::size_t whole = d / Lanes::kCount * Lanes::kCount;
  const float rate_e = step.learning_rate * e, keep = 1 - step.learning_rate * step.reg;
  const Lanes g = Lanes::all(rate_e), k = Lanes::all(keep);
  for (std::size_t n = 0; n < whole; n += Lanes::kCount) {
    const Lanes u = Lanes::load(p + n), i = Lanes::load(q_i + n), j = Lanes::load(q_j + n);
    fma(g, i - j, k * u).store(p + n);
    fma(g, u, k * i).store(q_i + n);
    fnma(g, u, k * j).store(q_j + n);
  }
  for (std::size_t n = whole; n < d; ++n) {
    const float u = p[n], i = q_i[n], j = q_j[n];
    p[n] = std::fma(rate_e, i - j, keep * u);
    q_i[n] = std::fma(rate_e, u, keep * i);
    q_j[n] = std::fma(-rate_e, u, keep * j);
  }
  b_i += step.learning_rate * (e - step.bias_reg * b_i);
  b_j += step.learning_rate * (-e - step.bias_reg * b_j);
}

// Whether a user has an item: ascending rows.
inline bool has_item(std::span<const ItemIdx> row, std::uint32_t item) {
  const ItemIdx* first = row.data();
  for (std::size_t n = row.size(); n > 1;) {  // without branches: the outcome of a comparison cannot be predicted
    const std::size_t half = n / 2;
    first += raw(first[half - 1]) < item ? half : 0;
    n -= half;
  }
  return !row.empty() && raw(*first) == item;
}

// The pairs of positive weight, dealt into blocks for each epoch.
class PairwiseBlocks {
 public:
  // dims: of the vectors, for the size of groups.
  PairwiseBlocks(const Csr<ItemIdx>& events, std::size_t dims, const Rng& rng);

  // Deals the items and the pairs of an epoch.
  void deal(int epoch, const Executor& exec);

  // The sum of visit(pairs, h, rng) over all blocks: pairs of one user group and items of group h only, user by user;
  // and a generator of the block's own. It may reorder the pairs, and change rows of their users and of items(h),
  // nobody else's.
  template <class Visit>
  double run(int epoch, const Executor& exec, Visit visit) {
    const auto e = static_cast<std::uint64_t>(epoch);
    return for_strata(groups_, rng_.stream("diagonals", e), exec, [&](std::size_t g, std::size_t h) {
      const std::size_t block = g * groups_ + h;
      const std::span<Positive> pairs(pairs_.data() + starts_[block], starts_[block + 1] - starts_[block]);
      return visit(pairs, h, rng_.stream("block", e, block));
    });
  }

  std::span<const std::uint32_t> items(std::size_t h) const {
    const std::size_t n = item_order_.size(), begin = group_begin(h, groups_, n);
    return std::span(item_order_).subspan(begin, group_begin(h + 1, groups_, n) - begin);
  }
  const Csr<ItemIdx>& positives() const { return positives_; }
  std::size_t groups() const { return groups_; }

 private:
  Csr<ItemIdx> positives_;
  Rng rng_;
  std::size_t groups_;
  std::vector<std::uint32_t> user_order_, item_order_;  // group by group; items anew each epoch
  std::vector<Positive> pairs_;                         // block by block
  std::vector<std::uint64_t> starts_;                   // groups^2 + 1
};

// What a draw gives where it finds nothing.
inline constexpr std::uint32_t kNone = 0xffffffffu;

// The first of 16 draws that the user has not, or kNone: rejection that ends for users who have everything.
template <class Draw, class Has>
std::uint32_t draw_negative(Draw draw, Has has) {
  for (int n = 0; n < 16; ++n) {
    const std::uint32_t item = draw();
    if (!has(item)) return item;
  }
  return kNone;
}

// A copy of an item's vector and bias: a step on it leaves the model alone.
class StillRow {
 public:
  struct Row {
    float *vector, *bias;
  };
  Row of(const FactorModel& model, std::uint32_t item) {
    const std::span<const float> from = row_span(model.items, item);
    vector_.assign(from.begin(), from.end());
    bias_ = model.item_bias[item];
    return {vector_.data(), &bias_};
  }

 private:
  std::vector<float> vector_;
  float bias_ = 0;
};

// A user who was not trained on: passes 1..passes visit the history's items of positive weight in random order, and
// visit(pass, item, positives, draw) makes a step of the training on the user's vector alone; draw() is uniform on all
// n_items. What is drawn is a function of the history and n_items.
template <class Visit>
void fold_in_pairs(const HistoryRow& history, std::size_t n_items, int passes, Visit visit) {
  std::vector<ItemIdx> positives;
  for (std::size_t n = 0; n < history.items.size(); ++n)
    if (history.weights[n] > 0) positives.push_back(history.items[n]);
  std::vector<ItemIdx> order = positives;
  for (int pass = 1; pass <= passes; ++pass) {
    Rng rng = Rng(0).stream("fold in", static_cast<std::uint64_t>(pass));
    rng.shuffle(std::span(order));
    for (const ItemIdx item : order)
      visit(pass, static_cast<std::uint32_t>(item), std::span<const ItemIdx>(positives),
            [&] { return rng.below32(static_cast<std::uint32_t>(n_items)); });
  }
}

}  // namespace segue
