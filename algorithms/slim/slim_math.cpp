#include "algorithms/slim/slim_math.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {
namespace {

constexpr std::size_t kJoinAtLeast = 32;  // and half as many as are active: some ten rounds for a few hundred weights

struct Gain {
  double gain;
  std::uint32_t item;
  bool operator<(const Gain& other) const {
    if (gain != other.gain) return gain > other.gain;
    const std::uint64_t mine = mix64(item), its = mix64(other.item);
    return mine != its ? mine < its : item < other.item;
  }
};

void keep_best(std::vector<Gain>& gains, std::size_t count) {
  if (gains.size() <= count) return;
  std::nth_element(gains.begin(), gains.begin() + static_cast<std::ptrdiff_t>(count), gains.end());
  gains.resize(count);
}

}  // namespace

SlimSolver::SlimSolver(const Matrix<float>& gram, const SlimSettings& settings)
    : gram_(gram), settings_(settings), n_(static_cast<std::size_t>(gram.rows())), gradient_(n_), open_(n_) {
  SEGUE_CHECK(gram.rows() == gram.cols(), "a Gram matrix of {} x {}", gram.rows(), gram.cols());
}

void SlimSolver::solve(std::size_t item) {
  active_.clear(), w_.clear(), items_.clear(), weights_.clear();
  allow(item);
  update_gradient(item);
  while (join()) {
    descend(item);
    update_gradient(item);
  }
  std::vector<std::size_t> order(active_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return active_[a] < active_[b]; });
  for (std::size_t a : order) {
    if (!(w_[a] > 0)) continue;
    items_.push_back(active_[a]);
    weights_.push_back(static_cast<float>(w_[a]));
  }
}

void SlimSolver::allow(std::size_t item) {
  const float* g = row(item);
  if (settings_.candidates == 0) {
    std::fill(open_.begin(), open_.end(), std::uint8_t{1});
  } else {
    std::vector<Gain> similar;
    for (std::size_t i = 0; i < n_; ++i) {
      if (i != item && g[i] > 0)
        similar.push_back({double{g[i]} / std::sqrt(double{row(i)[i]}), static_cast<std::uint32_t>(i)});
    }
    keep_best(similar, settings_.candidates);
    std::fill(open_.begin(), open_.end(), std::uint8_t{0});
    for (const Gain& s : similar) open_[s.item] = 1;
  }
  open_[item] = 0;
}

bool SlimSolver::join() {
  std::vector<Gain> gains;
  for (std::size_t i = 0; i < n_; ++i) {
    if (!open_[i]) continue;
    const double slope = gradient_[i] - settings_.l1, curvature = double{row(i)[i]} + settings_.reg;
    if (slope > settings_.tolerance * curvature)
      gains.push_back({slope * slope / curvature, static_cast<std::uint32_t>(i)});
  }
  if (gains.empty()) return false;
  keep_best(gains, std::max(kJoinAtLeast, active_.size() / 2));
  std::sort(gains.begin(), gains.end());

  const std::size_t before = active_.size(), after = before + gains.size();
  if (after > stride_) {
    const std::size_t stride = std::max(after, 2 * stride_);
    std::vector<double> grown(stride * stride);
    for (std::size_t a = 0; a < before; ++a)
      std::copy_n(among_.data() + a * stride_, before, grown.data() + a * stride);
    among_ = std::move(grown);
    stride_ = stride;
  }
  for (const Gain& gain : gains) active_.push_back(gain.item), open_[gain.item] = 0;
  w_.resize(after, 0.0);
  for (std::size_t a = before; a < after; ++a) {
    for (std::size_t b = 0; b <= a; ++b)
      among_[a * stride_ + b] = among_[b * stride_ + a] = double{row(active_[a])[active_[b]]};
  }
  return true;
}

void SlimSolver::descend(std::size_t item) {
  const std::size_t size = active_.size();
  const float* g = row(item);
  std::vector<double> covered(size, 0.0);  // G w
  for (std::size_t a = 0; a < size; ++a) {
    if (w_[a] == 0) continue;
    for (std::size_t b = 0; b < size; ++b) covered[b] = std::fma(w_[a], among_[a * stride_ + b], covered[b]);
  }
  for (int sweep = 0; sweep < settings_.sweeps; ++sweep) {
    double largest = 0;
    for (std::size_t a = 0; a < size; ++a) {
      const double* own = among_.data() + a * stride_;
      const double slope = double{g[active_[a]]} - settings_.l1 - covered[a] + own[a] * w_[a];
      const double change = std::max(0.0, slope / (own[a] + settings_.reg)) - w_[a];
      if (change == 0) continue;
      w_[a] += change;
      for (std::size_t b = 0; b < size; ++b) covered[b] = std::fma(change, own[b], covered[b]);
      largest = std::max(largest, std::abs(change));
    }
    if (largest <= settings_.tolerance) break;
  }
}

void SlimSolver::update_gradient(std::size_t item) {
  const float* g = row(item);
  for (std::size_t i = 0; i < n_; ++i) gradient_[i] = double{g[i]};
  std::vector<std::size_t> used;
  for (std::size_t a = 0; a < active_.size(); ++a)
    if (w_[a] > 0) used.push_back(a);
  std::size_t u = 0;
  for (; u + 4 <= used.size(); u += 4) {  // four rows for one pass over the gradient
    const float *p = row(active_[used[u]]), *q = row(active_[used[u + 1]]), *r = row(active_[used[u + 2]]),
                *s = row(active_[used[u + 3]]);
    const double wp = w_[used[u]], wq = w_[used[u + 1]], wr = w_[used[u + 2]], ws = w_[used[u + 3]];
    double* to = gradient_.data();
    for (std::size_t i = 0; i < n_; ++i) {
      to[i] -= (wp * double{p[i]} + wq * double{q[i]}) + (wr * double{r[i]} + ws * double{s[i]});
    }
  }
  for (; u < used.size(); ++u) {
    const float* p = row(active_[used[u]]);
    for (std::size_t i = 0; i < n_; ++i) gradient_[i] -= w_[used[u]] * double{p[i]};
  }
}

}  // namespace segue
