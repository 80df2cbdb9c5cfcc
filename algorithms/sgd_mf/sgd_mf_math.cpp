#include "algorithms/sgd_mf/sgd_mf_math.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

constexpr std::size_t kGroups = StratifiedSamples::kGroups;

// Groups of equal size, drawn at random: ids are often sorted by popularity, and contiguous groups would be uneven.
std::vector<std::uint8_t> random_groups(std::size_t n, Rng rng) {
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  rng.shuffle(std::span(order));
  std::vector<std::uint8_t> group(n);
  for (std::size_t i = 0; i < n; ++i) group[order[i]] = static_cast<std::uint8_t>(i * kGroups / n);
  return group;
}

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

}  // namespace

float FactorModel::predict(std::size_t user, std::size_t item) const {
  return offset + user_bias[user] + item_bias[item] + lane_dot(row_span(users, user), row_span(items, item));
}

float sgd_step(FactorModel& model, std::size_t user, std::size_t item, float y, const SgdStep& step) {
  const float s = model.predict(user, item);
  float e = y - s, loss = e * e;
  if (step.loss == SgdLoss::kLogistic) {
    const float t = std::exp(-std::abs(s));  // in (0, 1], so nothing overflows
    e = y - (s >= 0 ? 1 : t) / (1 + t);
    loss = std::log1p(t) + std::max(s, 0.0f) - y * s;
  }
  const float rate = step.learning_rate;
  if (model.biased) {
    float& bu = model.user_bias[user];
    float& bi = model.item_bias[item];
    bu += rate * (e - step.bias_reg * bu);
    bi += rate * (e - step.bias_reg * bi);
  }
  const std::span<float> p = row_span(model.users, user), q = row_span(model.items, item);
  step_factors(p.data(), q.data(), p.size(), rate * e, 1 - rate * step.reg);
  return loss;
}

StratifiedSamples::StratifiedSamples(const Csr<ItemIdx>& events, SgdLoss loss, std::size_t negatives, const Rng& rng,
                                     std::size_t max_samples)
    : n_items_(events.cols()),
      negatives_(loss == SgdLoss::kLogistic ? negatives : 0),
      rng_(rng),
      item_group_(random_groups(events.cols(), rng.stream("item groups"))),
      by_user_group_(kGroups),
      blocks_(kGroups * kGroups) {
  const std::vector<std::uint8_t> user_group = random_groups(events.rows(), rng.stream("user groups"));
  for (std::size_t u = 0; u < events.rows(); ++u) {
    const std::span<const ItemIdx> items = events.indices(u);
    for (std::size_t n = 0; n < items.size(); ++n) {
      const float weight = events.has_values() ? events.values(u)[n] : 1.0f;
      const float y = loss == SgdLoss::kSquared ? weight : weight > 0 ? 1.0f : 0.0f;
      by_user_group_[user_group[u]].push_back({static_cast<std::uint32_t>(u), static_cast<std::uint32_t>(items[n]), y});
    }
  }
  const std::size_t samples = events.nnz() * (1 + negatives_);
  rounds_ = std::max<std::size_t>(1, (samples + max_samples - 1) / max_samples);
}

// Pair n of a user group belongs to round n mod rounds: every round holds an even slice of every user's pairs.
void StratifiedSamples::fill_round(int epoch, std::size_t round, const Executor& exec) {
  exec.for_blocks(kGroups, 1, [&](std::size_t g, std::size_t) {
    std::vector<SgdSample>* row = blocks_.data() + g * kGroups;
    for (std::size_t h = 0; h < kGroups; ++h) row[h].clear();
    Rng draw = rng_.stream("negatives", static_cast<std::uint64_t>(epoch), round, g);
    for (std::size_t n = round; n < by_user_group_[g].size(); n += rounds_) {
      const SgdSample& pair = by_user_group_[g][n];
      row[item_group_[pair.item]].push_back(pair);
      for (std::size_t k = 0; k < (pair.y > 0 ? negatives_ : 0); ++k) {
        const auto item = static_cast<std::uint32_t>(draw.below(n_items_));
        row[item_group_[item]].push_back({pair.user, item, 0.0f});
      }
    }
    for (std::size_t h = 0; h < kGroups; ++h)
      rng_.stream("order", static_cast<std::uint64_t>(epoch), round, g * kGroups + h).shuffle(std::span(row[h]));
  });
}

double StratifiedSamples::run_epoch(int epoch, const SgdStep& step, FactorModel& model, const Executor& exec) {
  double loss = 0;
  std::size_t samples = 0;
  std::array<std::size_t, kGroups> diagonals;
  for (std::size_t round = 0; round < rounds_; ++round) {
    fill_round(epoch, round, exec);
    std::iota(diagonals.begin(), diagonals.end(), std::size_t{0});
    rng_.stream("diagonals", static_cast<std::uint64_t>(epoch), round).shuffle(std::span<std::size_t>(diagonals));
    for (std::size_t diagonal : diagonals) {
      loss += exec.reduce_blocks(
          kGroups, 1, 0.0,
          [&](std::size_t g, std::size_t) {
            double sum = 0;
            for (const SgdSample& s : blocks_[g * kGroups + (g + diagonal) % kGroups])
              sum += sgd_step(model, s.user, s.item, s.y, step);
            return sum;
          },
          [](double total, double part) { return total + part; });
    }
    for (const std::vector<SgdSample>& block : blocks_) samples += block.size();
  }
  return samples == 0 ? 0 : loss / static_cast<double>(samples);
}

}  // namespace segue
