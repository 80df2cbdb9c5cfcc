#include "algorithms/sgd_mf/sgd_mf_math.hpp"

#include <algorithm>
#include <cmath>

#include "framework/linalg/simd.hpp"
#include "framework/model/logistic_loss.hpp"
#include "framework/model/strata.hpp"

namespace segue {

namespace {

// p += rate (e q - reg p) and q += rate (e p - reg q), both from the old values.
void step_factors(float* p, float* q, std::size_t dims, float rate_e, float keep) {
  const std::size_t whole = dims / Lanes::kCount * Lanes::kCount;
  const Lanes e = Lanes::all(rate_e), k = Lanes::all(keep);
  for (std::size_t d = 0; d < whole; d += Lanes::kCount) {
    const Lanes old_p = Lanes::load(p + d), old_q = Lanes::load(q + d);
    fma(e, old_q, k * old_p).store(p + d);
    fma(e, old_p, k * old_q).store(q + d);
  }
  for (std::size_t d = whole; d < dims; ++d) {
    const float old_p = p[d], old_q = q[d];
    p[d] = std::fma(rate_e, old_q, keep * old_p);
    q[d] = std::fma(rate_e, old_p, keep * old_q);
  }
}

// error(s, y): what the parameters move along; it keeps count of the loss.
template <class Error>
void run_steps(FactorModel& model, std::span<const SgdSample> samples, const SgdStep& step, Error error) {
  constexpr std::size_t kAhead = 12;
  const auto d = static_cast<std::size_t>(model.users.cols());
  float *users = model.users.data(), *items = model.items.data();
  float *user_bias = model.user_bias.data(), *item_bias = model.item_bias.data();
  const float rate = step.learning_rate, keep = 1 - rate * step.reg;
  for (std::size_t n = 0; n < samples.size(); ++n) {
    if (n + kAhead < samples.size()) {
      prefetch_to_write(users + samples[n + kAhead].user * d, d);
      prefetch_to_write(items + samples[n + kAhead].item * d, d);
    }
    const auto [user, item, y] = samples[n];
    float *p = users + user * d, *q = items + item * d, &b_u = user_bias[user], &b_i = item_bias[item];
    const float e = error(lane_dot({p, d}, {q, d}) + (model.offset + b_u + b_i), y);
    if (step.biased) {
      b_u += rate * (e - step.bias_reg * b_u);
      b_i += rate * (e - step.bias_reg * b_i);
    }
    step_factors(p, q, d, rate * e, keep);
  }
}

}  // namespace

double sgd_steps(FactorModel& model, std::span<const SgdSample> samples, const SgdStep& step) {
  if (step.loss == SgdLoss::kLogistic) {
    LogisticLoss loss;
    run_steps(model, samples, step, [&](float s, float y) { return y > 0 ? loss.add(s) : -loss.add(-s); });
    return loss.sum();
  }
  double squares = 0;
  run_steps(model, samples, step, [&](float s, float y) {
    const float e = y - s;
    squares += static_cast<double>(e * e);
    return e;
  });
  return squares;
}

StratifiedSamples::StratifiedSamples(const Csr<ItemIdx>& events, SgdLoss loss, std::size_t negatives, std::size_t dims,
                                     const Rng& rng, std::size_t max_samples)
    : n_items_(events.cols()),
      negatives_(loss == SgdLoss::kLogistic ? negatives : 0),
      groups_(strata_count(events.cols(), dims)),
      rng_(rng),
      item_group_(groups_of(random_order(events.cols(), rng.stream("item groups")), groups_)),
      blocks_(groups_ * groups_) {
  if (negatives_ > 0) by_user_group_.resize(groups_);
  rounds_ =
      negatives_ == 0 ? 1 : std::max<std::size_t>(1, (events.nnz() * (1 + negatives_) + max_samples - 1) / max_samples);
  const std::vector<std::uint32_t> users = random_order(events.rows(), rng.stream("user groups"));
  for (std::size_t g = 0; g < groups_; ++g) {
    for (std::size_t p = group_begin(g, groups_, users.size()); p < group_begin(g + 1, groups_, users.size()); ++p) {
      const std::uint32_t u = users[p];
      const std::span<const ItemIdx> items = events.indices(u);
      for (std::size_t n = 0; n < items.size(); ++n) {
        const float weight = events.has_values() ? events.values(u)[n] : 1.0f;
        const float y = loss == SgdLoss::kSquared ? weight : weight > 0 ? 1.0f : 0.0f;
        const auto item = static_cast<std::uint32_t>(items[n]);
        (negatives_ > 0 ? by_user_group_[g] : blocks_[g * groups_ + item_group_[item]]).push_back({u, item, y});
      }
    }
  }
}

// Pair n of a user group belongs to round n mod rounds: every round holds an even slice of every user's pairs.
void StratifiedSamples::fill_round(int epoch, std::size_t round, const Executor& exec) {
  exec.for_blocks(groups_, 1, [&](std::size_t g, std::size_t) {
    std::vector<SgdSample>* row = blocks_.data() + g * groups_;
    for (std::size_t h = 0; h < groups_; ++h) row[h].clear();
    Rng draw = rng_.stream("negatives", static_cast<std::uint64_t>(epoch), round, g);
    for (std::size_t n = round; n < by_user_group_[g].size(); n += rounds_) {
      const SgdSample& pair = by_user_group_[g][n];
      row[item_group_[pair.item]].push_back(pair);
      for (std::size_t k = 0; k < (pair.y > 0 ? negatives_ : 0); ++k) {
        const std::uint32_t item = draw.below32(static_cast<std::uint32_t>(n_items_));
        row[item_group_[item]].push_back({pair.user, item, 0.0f});
      }
    }
  });
}

double StratifiedSamples::run_epoch(int epoch, const SgdStep& step, FactorModel& model, const Executor& exec) {
  double loss = 0;
  std::size_t samples = 0;
  const auto e = static_cast<std::uint64_t>(epoch);
  for (std::size_t round = 0; round < rounds_; ++round) {
    if (negatives_ > 0) fill_round(epoch, round, exec);
    loss += for_strata(groups_, rng_.stream("diagonals", e, round), exec, [&](std::size_t g, std::size_t h) {
      const std::size_t block = g * groups_ + h;
      // Without negatives the samples of a block are the same in every epoch; the order of blocks is random enough.
      // They get the order of the first epoch, whichever is run first.
      if (negatives_ > 0 || !shuffled_) {
        Rng order = rng_.stream("order", negatives_ > 0 ? e : 1, round, block);
        shuffle_windows(std::span(blocks_[block]), order);
      }
      return sgd_steps(model, blocks_[block], step);
    });
    for (const std::vector<SgdSample>& block : blocks_) samples += block.size();
  }
  shuffled_ = true;
  return samples == 0 ? 0 : loss / static_cast<double>(samples);
}

}  // namespace segue
