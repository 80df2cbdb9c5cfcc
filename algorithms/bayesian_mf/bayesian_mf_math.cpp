#include "algorithms/bayesian_mf/bayesian_mf_math.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/distributions.hpp"
#include "framework/base/errors.hpp"
#include "framework/linalg/gathered.hpp"
#include "framework/linalg/gram.hpp"
#include "framework/linalg/simd.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;
constexpr std::size_t kRowBlock = 32;
constexpr std::size_t kChains = 4;  // sums in flight

std::size_t columns_of(const Matrix<float>& m) { return static_cast<std::size_t>(m.cols()); }
std::size_t rows_of(const Matrix<float>& m) { return static_cast<std::size_t>(m.rows()); }

UsageError singular(std::size_t dims) {
  return UsageError("bayesian_mf: a system of {} unknowns is singular to working accuracy; lower factors", dims);
}

// L with m = L L^T, zeros above the diagonal.
Eigen::MatrixXd cholesky(Eigen::MatrixXd m) {
  const Eigen::Index d = m.rows();
  for (Eigen::Index k = 0; k < d; ++k) {
    const double pivot = m(k, k);
    if (!(pivot > 0) || !std::isfinite(pivot)) throw singular(static_cast<std::size_t>(d));
    m.col(k).tail(d - k) /= std::sqrt(pivot);
    for (Eigen::Index j = k + 1; j < d; ++j) m.col(j).tail(d - j) -= m(j, k) * m.col(k).tail(d - j);
    m.col(k).head(k).setZero();
  }
  return m;
}

// x becomes L^-T x, whose covariance is (L L^T)^-1 where that of x is I.
template <class Column>
void solve_transposed(const Eigen::MatrixXd& lower, Column&& x) {
  for (Eigen::Index i = lower.rows(); i-- > 0;) {
    const Eigen::Index below = lower.rows() - i - 1;
    x[i] = (x[i] - lower.col(i).tail(below).dot(x.tail(below))) / lower(i, i);
  }
}

}  // namespace

Eigen::MatrixXd draw_wishart(const Eigen::MatrixXd& inverse_scale, double freedom, Rng& rng) {
  const Eigen::Index d = inverse_scale.rows();
  SEGUE_CHECK(freedom > static_cast<double>(d - 1), "{} degrees of freedom for {} dimensions", freedom, d);
  Eigen::MatrixXd root = Eigen::MatrixXd::Zero(d, d);
  for (Eigen::Index i = 0; i < d; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) root(i, j) = rng.normal();
    root(i, i) = std::sqrt(2 * draw_gamma((freedom - static_cast<double>(i)) / 2, rng));
  }
  const Eigen::MatrixXd lower = cholesky(inverse_scale);
  Eigen::MatrixXd out = Eigen::MatrixXd::Zero(d, d);
  for (Eigen::Index k = 0; k < d; ++k) {
    solve_transposed(lower, root.col(k));
    for (Eigen::Index j = 0; j < d; ++j) out.col(j) += root(j, k) * root.col(k);
  }
  return out;
}

RowPrior draw_prior(const Matrix<float>& rows, const Scatter& extra, Rng& rng, const Executor& exec) {
  constexpr double kBeta = 2;
  const Eigen::Index d = rows.cols();
  const double n = static_cast<double>(rows.rows());
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(d);
  for (Eigen::Index r = 0; r < rows.rows(); ++r) sum += rows.row(r).transpose().cast<double>();
  // The scatter around the mean plus what the mean's own prior adds, n beta / (n + beta) mean mean^T, is the second
  // moment minus this much of the first.
  Eigen::MatrixXd inverse_scale = gram(rows, exec).cast<double>();
  inverse_scale -= sum * sum.transpose() / (n + kBeta);
  inverse_scale.diagonal().array() += 1;
  if (extra.squares.size() > 0) inverse_scale += extra.squares;

  RowPrior out;
  out.precision = draw_wishart(inverse_scale, static_cast<double>(d) + n + extra.count, rng);
  Eigen::VectorXd noise(d);
  for (double& z : noise) z = rng.normal();
  solve_transposed(cholesky(out.precision), noise);
  out.mean = sum / (n + kBeta) + noise / std::sqrt(n + kBeta);
  return out;
}

namespace {

// Draws B given what it has to explain, one feature after another, all dimensions of one at once: given the rows'
// precision P, B_j ~ N(m_j, (P (s_j + ridge))^-1) with s_j = sum of f^2 and m_j = (sum of f e + s_j B_j) / (s_j +
// ridge). The dimensions share nothing but the noise, which is drawn before; so sixteen of them go together, and their
// residuals stay in the second-level cache.
void draw_features(BayesSide& side, const RatedRows& ratings, const RatedRows& by_column, const Matrix<float>& noise,
                   std::span<const float> scale, const Executor& exec) {
  const std::size_t n = ratings.rows(), dims = columns_of(side.rows);
  const float ridge = static_cast<float>(side.feature_ridge);
  exec.for_blocks((dims + kLanes - 1) / kLanes, 1, [&](std::size_t block, std::size_t) {
    const std::size_t first = block * kLanes, width = std::min(kLanes, dims - first);
    const auto load = [&](const Matrix<float>& m, std::size_t r) {
      const float* p = m.data() + r * dims + first;
      return width == kLanes ? Lanes::load(p) : Lanes::load_part(p, width);
    };
    const auto store = [&](Lanes x, Matrix<float>& m, std::size_t r) {
      float* p = m.data() + r * dims + first;
      width == kLanes ? x.store(p) : x.store_part(p, width);
    };
    alignas(64) float mean[kLanes] = {};
    for (std::size_t l = 0; l < width; ++l)
      mean[l] = static_cast<float>(side.prior.mean[static_cast<Eigen::Index>(first + l)]);
    std::vector<float> left(n * kLanes);
    for (std::size_t r = 0; r < n; ++r)
      (load(side.rows, r) - Lanes::load(mean) - load(side.shift, r)).store(&left[r * kLanes]);
    for (std::size_t j = 0; j < by_column.rows(); ++j) {
      const std::span<const std::uint32_t> which = by_column.columns_of(j);
      if (which.empty()) continue;
      Lanes sum[kChains] = {Lanes::zero(), Lanes::zero(), Lanes::zero(), Lanes::zero()};
      for (std::size_t e = 0; e < which.size(); e += kChains) {
        const std::size_t count = std::min(kChains, which.size() - e);
#pragma GCC unroll 4
        for (std::size_t k = 0; k < kChains; ++k)
          if (k < count)
            sum[k] = fma(Lanes::all(scale[which[e + k]]), Lanes::load(&left[which[e + k] * kLanes]), sum[k]);
      }
      float squares = 0;
      for (std::uint32_t r : which) squares += scale[r] * scale[r];
      const Lanes old = load(side.features, j);
      const float inverse = 1 / (squares + ridge);
      Lanes now = (sum[0] + sum[1]) + (sum[2] + sum[3]);
      now = fma(Lanes::all(squares), old, now) * Lanes::all(inverse);
      now = fma(Lanes::all(std::sqrt(inverse)), load(noise, j), now);
      const Lanes change = now - old;
      for (std::uint32_t r : which)
        fnma(Lanes::all(scale[r]), change, Lanes::load(&left[r * kLanes])).store(&left[r * kLanes]);
      store(now, side.features, j);
    }
    for (std::size_t r = 0; r < n; ++r) {
      Lanes sum[2] = {Lanes::zero(), Lanes::zero()};
      const std::span<const std::uint32_t> which = ratings.columns_of(r);
      const std::size_t pairs = which.size() / 2 * 2;
      for (std::size_t e = 0; e < pairs; e += 2) {
        sum[0] = sum[0] + load(side.features, which[e]);
        sum[1] = sum[1] + load(side.features, which[e + 1]);
      }
      if (pairs < which.size()) sum[0] = sum[0] + load(side.features, which[pairs]);
      store((sum[0] + sum[1]) * Lanes::all(scale[r]), side.shift, r);
    }
  });
}

}  // namespace

void draw_side(BayesSide& side, const RatedRows& ratings, const RatedRows& by_column, const Rng& rng,
               std::uint64_t sweep, const Executor& exec) {
  const std::string name(side.name);
  Rng hyper = rng.stream(name + " prior", sweep);
  if (!side.has_features) {
    side.prior = draw_prior(side.rows, {}, hyper, exec);
    return;
  }
  std::size_t used = 0;
  for (std::size_t j = 0; j < by_column.rows(); ++j) used += by_column.count(j) > 0;
  const Eigen::MatrixXd squares = gram(side.features, exec).cast<double>();
  side.prior =
      draw_prior(side.rows - side.shift, {side.feature_ridge * squares, static_cast<double>(used)}, hyper, exec);

  Matrix<float> noise(side.features.rows(), side.features.cols());
  const Matrix<float> precision = side.prior.precision.cast<float>();
  exec.for_blocks(rows_of(noise), 256, [&](std::size_t begin, std::size_t end) {
    RidgeSystem system(columns_of(noise));
    system.begin(precision, 0);
    if (!system.solve(row_span(noise, begin))) throw singular(columns_of(noise));
    for (std::size_t j = begin; j < end; ++j) {
      rng.stream(name + " features", sweep, j).fill_normal(row_span(noise, j), 0, 1);
      system.correlate(row_span(noise, j));
    }
  });
  std::vector<float> scale(ratings.rows());
  for (std::size_t r = 0; r < scale.size(); ++r)
    scale[r] = 1 / std::sqrt(static_cast<float>(std::max<std::size_t>(1, ratings.count(r))));
  draw_features(side, ratings, by_column, noise, scale, exec);
  // feature_ridge ~ Gamma(1, 1) before anything is known.
  const double energy = (gram(side.features, exec).cast<double>().cwiseProduct(side.prior.precision)).sum();
  side.feature_ridge =
      draw_gamma(1 + static_cast<double>(used) * static_cast<double>(side.rows.cols()) / 2, hyper) / (1 + energy / 2);
}

double draw_rows(BayesSide& side, const RatedRows& ratings, const Matrix<float>& other, double alpha, const Rng& rng,
                 std::uint64_t sweep, const Executor& exec) {
  const std::size_t dims = columns_of(side.rows);
  Matrix<float> design = other;
  design.col(design.cols() - 1).setOnes();
  const Eigen::VectorXf bias = other.col(other.cols() - 1);
  const Matrix<float> precision = side.prior.precision.cast<float>();
  const Eigen::VectorXf mean = side.prior.mean.cast<float>();
  const std::string stream = std::string(side.name) + " rows";
  const float weight = static_cast<float>(alpha);
  return exec.reduce_blocks(
      ratings.rows(), kRowBlock, 0.0,
      [&](std::size_t begin, std::size_t end) {
        RidgeSystem system(dims);
        std::vector<float> centre(dims), noise(dims), weights, targets, fitted;
        double squares = 0;
        for (std::size_t r = begin; r < end; ++r) {
          const std::span<const std::uint32_t> which = ratings.columns_of(r);
          const std::span<const float> values = ratings.values_of(r);
          const std::span<float> row = row_span(side.rows, r), expected = row_span(side.expected, r);
          weights.assign(which.size(), weight);
          targets.resize(which.size());
          fitted.resize(which.size());
          for (std::size_t e = 0; e < which.size(); ++e) targets[e] = weight * (values[e] - bias[which[e]]);
          for (std::size_t d = 0; d < dims; ++d)
            centre[d] = mean[static_cast<Eigen::Index>(d)] + (side.has_features ? row_span(side.shift, r)[d] : 0.0f);
          symmetric_product(precision, centre, noise);
          system.begin(precision, 0);
          system.add(design, which, weights, targets);
          system.add_target(noise);
          if (!system.solve(expected)) throw singular(dims);
          rng.stream(stream, sweep, r).fill_normal(noise, 0, 1);
          system.correlate(noise);
          for (std::size_t d = 0; d < dims; ++d) row[d] = expected[d] + noise[d];
          gathered_dots(design, which, row, fitted, 0, Cache::kWarm);
          for (std::size_t e = 0; e < which.size(); ++e) {
            const double miss = static_cast<double>(values[e] - bias[which[e]] - fitted[e]);
            squares += miss * miss;
          }
        }
        return squares;
      },
      [](double total, double part) { return total + part; });
}

}  // namespace segue
