#include "algorithms/bayesian_mf/bayesian_mf_math.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/distributions.hpp"
#include "framework/base/errors.hpp"
#include "framework/linalg/feature_sums.hpp"
#include "framework/linalg/gathered.hpp"
#include "framework/linalg/gram.hpp"

namespace segue {

namespace {

constexpr std::size_t kRowBlock = 32;

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
  // Given the rows' precision S, B_j given the others is N(m_j, (S (s_j + feature_ridge))^-1) with scalars s_j, so that
  // its dimensions share nothing but the noise.
  std::vector<float> scale(ratings.rows());
  for (std::size_t r = 0; r < scale.size(); ++r)
    scale[r] = 1 / std::sqrt(static_cast<float>(std::max<std::size_t>(1, ratings.count(r))));
  const std::vector<float> ones(ratings.rows(), 1.0f);
  const std::vector<float> ridge(by_column.rows(), static_cast<float>(side.feature_ridge));
  const Matrix<float> targets = side.rows.rowwise() - side.prior.mean.transpose().cast<float>().eval();
  FeatureSums{ratings, by_column, scale, ones, ridge}.round(targets, &noise, columns_of(side.rows), side.features,
                                                            side.shift, exec);
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
