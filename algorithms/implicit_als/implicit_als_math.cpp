#include "algorithms/implicit_als/implicit_als_math.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/linalg/gathered.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

float als_penalty(const AlsSettings& settings, std::size_t events, std::size_t columns) {
  if (settings.reg_exponent == 0) return settings.reg;
  const double mass =
      static_cast<double>(events) + static_cast<double>(settings.unobserved) * static_cast<double>(columns);
  return static_cast<float>(static_cast<double>(settings.reg) *
                            std::pow(mass, static_cast<double>(settings.reg_exponent)));
}

AlsRow::AlsRow(const Matrix<float>& column_factors, const Matrix<float>& base, const AlsSettings& settings)
    : factors_(column_factors),
      base_(base),
      settings_(settings),
      alpha_(settings.alpha),
      offset_(settings.loss == AlsLoss::kConfidence ? settings.unobserved : 0.0f) {}

void AlsRow::set_weights(std::span<const float> weights) {
  const std::size_t n = which_.size();
  std::uint32_t events = 0, liked = 0;
  for (std::size_t e = 0; e < n; ++e) {
    const float weight = weights.empty() ? 1.0f : weights[e], extra = alpha_ * std::abs(weight);
    curvature_[e] = extra;
    target_[e] = weight > 0 ? offset_ + extra : 0.0f;
    events += weight != 0;
    liked += weight > 0;
  }
  events_ = events;
  liked_ = liked > 0;
}

double AlsRow::solve(std::span<float> x, AlsSolver solver) {
  if (!liked_) {
    std::fill(x.begin(), x.end(), 0.0f);
    return 0;
  }
  penalty_ = als_penalty(settings_, events_, static_cast<std::size_t>(factors_.rows()));
  double below = NAN;
  switch (solver) {
    case AlsSolver::kCholesky:
      below = exact(x);
      break;
    case AlsSolver::kCg:
      below = conjugate_gradient(x);
      break;
    case AlsSolver::kBlock:
      below = blocks(x);
      break;
  }
  if (!std::isfinite(below))
    throw UsageError("implicit_als: a least-squares system is singular; raise reg (now {})", settings_.reg);
  return below;
}

double AlsRow::exact(std::span<float> x) {
  if (!system_) system_.emplace(x.size());
  system_->begin(base_, penalty_);
  system_->add(factors_, which_, curvature_, target_);
  return system_->solve(x).value_or(NAN);
}

void AlsRow::dense_product(std::span<const float> x, std::span<float> out) const {
  symmetric_product(base_, x, out);
  for (std::size_t j = 0; j < x.size(); ++j) out[j] += penalty_ * x[j];
}

// Hestenes & Stiefel 1952, without a preconditioner. A step of length a from residual r lowers the share by a r^T r.
double AlsRow::conjugate_gradient(std::span<float> x) {
  const std::size_t d = x.size();
  r_.assign(d, 0.0f);
  ap_.resize(d), dense_.resize(d);
  const double target_dot = add_gathered_residual(factors_, which_, curvature_, target_, x, r_);
  dense_product(x, dense_);
  for (std::size_t j = 0; j < d; ++j) r_[j] -= dense_[j];
  double below = target_dot + static_cast<double>(lane_dot(r_, x));
  p_ = r_;
  float rr = lane_dot(r_, r_);
  for (int step = 0; step < settings_.cg_steps && rr > 0; ++step) {
    std::fill(ap_.begin(), ap_.end(), 0.0f);
    add_gathered_residual(factors_, which_, curvature_, {}, p_, ap_, Cache::kWarm);
    dense_product(p_, dense_);
    for (std::size_t j = 0; j < d; ++j) ap_[j] = dense_[j] - ap_[j];
    const float bend = lane_dot(p_, ap_);
    if (!(bend > 0)) return rr > 1e-30f ? NAN : below;  // so small a residual is rounding, not a direction
    const float length = rr / bend;
    for (std::size_t j = 0; j < d; ++j) {
      x[j] += length * p_[j];
      r_[j] -= length * ap_[j];
    }
    below += static_cast<double>(length) * static_cast<double>(rr);
    const float before = std::exchange(rr, lane_dot(r_, r_));
    for (std::size_t j = 0; j < d; ++j) p_[j] = r_[j] + rr / before * p_[j];
  }
  return below;
}

// Rendle et al. 2021, "iALS++", algorithm 2. The fixed side does not change within a half-step, so a row can go through
// all its blocks at once while its columns are in cache, and the scores of its events need no store of their own.
double AlsRow::blocks(std::span<float> x) {
  const std::size_t d = x.size(), n = which_.size();
  const std::size_t size = std::min(d, static_cast<std::size_t>(settings_.block_size));
  s_.resize(n), miss_.resize(n), dense_.resize(d), p_.resize(d);
  gathered_dots(factors_, which_, x, s_);
  dense_product(x, dense_);
  double below = 0;
  for (std::size_t e = 0; e < n; ++e) {
    const double s = static_cast<double>(s_[e]);
    below += (2 * static_cast<double>(target_[e]) - static_cast<double>(curvature_[e]) * s) * s;
  }
  below -= static_cast<double>(lane_dot(dense_, x));
  for (std::size_t first = 0; first < d; first += size) {
    const std::size_t width = std::min(size, d - first);
    std::optional<RidgeSystem>& system = width == size ? system_ : last_;
    if (!system) system.emplace(width);
    const std::span<float> part = x.subspan(first, width), step{p_.data(), width}, rest{dense_.data(), width};
    for (std::size_t e = 0; e < n; ++e) miss_[e] = target_[e] - curvature_[e] * s_[e];
    symmetric_product(base_, x, rest, first);
    for (std::size_t j = 0; j < width; ++j) rest[j] = -(rest[j] + penalty_ * part[j]);
    system->begin(base_, penalty_, first);
    system->add(factors_, which_, curvature_, miss_, first);
    system->add_target(rest);
    const std::optional<double> gained = system->solve(step);
    if (!gained) return NAN;
    below += *gained;
    for (std::size_t j = 0; j < width; ++j) part[j] += step[j];
    if (first + width == d) break;
    gathered_dots(factors_, which_, step, miss_, first, Cache::kWarm);
    for (std::size_t e = 0; e < n; ++e) s_[e] += miss_[e];
  }
  return below;
}

std::vector<std::size_t> als_cuts(std::span<const std::uint64_t> offsets, std::size_t dims) {
  const std::size_t rows = offsets.size() - 1,
                    row_cost = dims / 2 + 16;  // in events: a row costs d^3 / 3, an event d^2
  const std::size_t target = std::max<std::size_t>(4096, (offsets.back() + rows * row_cost) / 1024);
  std::vector<std::size_t> cuts{0};
  std::size_t cost = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    cost += offsets[r + 1] - offsets[r] + row_cost;
    if (cost < target && r + 1 < rows) continue;
    cuts.push_back(r + 1);
    cost = 0;
  }
  return cuts;
}

}  // namespace segue
