#include "framework/linalg/gmm.hpp"

#include <algorithm>
#include <armadillo>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"

namespace segue {

namespace {

// Rows drawn with a probability in proportion to their squared distance from the nearest that was drawn; fewer where
// all rows have been met.
std::vector<arma::uword> spread_rows(const arma::mat& columns, std::size_t wanted, Rng rng) {
  std::vector<arma::uword> out{static_cast<arma::uword>(rng.below(columns.n_cols))};
  std::vector<double> nearest(columns.n_cols, std::numeric_limits<double>::infinity());
  while (out.size() < wanted) {
    double total = 0;
    for (arma::uword n = 0; n < columns.n_cols; ++n) {
      double distance = 0;
      for (arma::uword c = 0; c < columns.n_rows; ++c) {
        const double apart = columns(c, n) - columns(c, out.back());
        distance += apart * apart;
      }
      nearest[n] = std::min(nearest[n], distance);
      total += nearest[n];
    }
    if (!(total > 0)) break;
    double left = rng.uniform() * total;
    arma::uword drawn = columns.n_cols;
    for (arma::uword n = 0; n < columns.n_cols; ++n) {
      if (nearest[n] <= 0) continue;
      drawn = n;  // the last one, where rounding leaves something over
      if ((left -= nearest[n]) < 0) break;
    }
    out.push_back(drawn);
  }
  return out;
}

}  // namespace

GaussianMixture fit_mixture(const Matrix<double>& rows, const MixtureSettings& settings) {
  const auto n = static_cast<arma::uword>(rows.rows()), d = static_cast<arma::uword>(rows.cols());
  SEGUE_CHECK(n > 0 && d > 0 && rows.allFinite(), "a mixture of {} x {} numbers", n, d);
  if (settings.components < 1 || settings.kmeans_iterations < 0 || settings.iterations < 0 ||
      !(settings.variance_floor > 0))
    throw UsageError(
        "a mixture of {} components, {} and {} iterations and a variance of at least {}: there must be a "
        "component, and a variance above 0",
        settings.components, settings.kmeans_iterations, settings.iterations, settings.variance_floor);
  const arma::mat columns(rows.data(), d, n);  // row-major rows are columns
  const std::vector<arma::uword> first = spread_rows(columns, settings.components, Rng(settings.seed).stream("means"));
  const auto k = static_cast<arma::uword>(first.size());
  arma::mat means(d, k);
  for (arma::uword c = 0; c < k; ++c) means.col(c) = columns.col(first[c]);
  const arma::mat spread = arma::repmat(arma::var(columns, 1, 1) + settings.variance_floor, 1, k);
  arma::gmm_diag model;
  model.set_params(means, spread, arma::rowvec(k, arma::fill::value(1.0 / static_cast<double>(k))));
  // It draws nothing where it keeps the means that it is given; seeded all the same, so that it never depends on what
  // ran before.
  arma::arma_rng::set_seed(static_cast<arma::arma_rng::seed_type>(settings.seed));
  const bool learned = model.learn(columns, k, arma::eucl_dist, arma::keep_existing,
                                   static_cast<arma::uword>(settings.kmeans_iterations),
                                   static_cast<arma::uword>(settings.iterations), settings.variance_floor, false);
  SEGUE_CHECK(learned, "a mixture of {} components was not learned from {} rows", k, n);
  GaussianMixture out{Vector<double>(k), Matrix<double>(k, d), Matrix<double>(k, d)};
  for (arma::uword c = 0; c < k; ++c) {
    out.weights[Eigen::Index(c)] = model.hefts(c);
    for (arma::uword i = 0; i < d; ++i) {
      out.means(Eigen::Index(c), Eigen::Index(i)) = model.means(i, c);
      out.variances(Eigen::Index(c), Eigen::Index(i)) = model.dcovs(i, c);
    }
  }
  return out;
}

double log_density(const GaussianMixture& m, std::span<const double> x) {
  SEGUE_CHECK(static_cast<Eigen::Index>(x.size()) == m.means.cols(), "a density of {} numbers in {} dimensions",
              x.size(), m.means.cols());
  std::vector<double> terms;
  for (Eigen::Index c = 0; c < m.weights.size(); ++c) {
    double log = std::log(m.weights[c]);
    for (Eigen::Index i = 0; i < m.means.cols(); ++i) {
      const double apart = x[static_cast<std::size_t>(i)] - m.means(c, i);
      log -= 0.5 * (std::log(2 * std::numbers::pi * m.variances(c, i)) + apart * apart / m.variances(c, i));
    }
    terms.push_back(log);
  }
  const double largest = *std::ranges::max_element(terms);
  double sum = 0;
  for (const double term : terms) sum += std::exp(term - largest);
  return largest + std::log(sum);
}

double unscented_kl(const GaussianMixture& a, const GaussianMixture& b) {
  const Eigen::Index d = a.means.cols();
  SEGUE_CHECK(d == b.means.cols(), "mixtures in {} and {} dimensions", d, b.means.cols());
  double out = 0;
  for (Eigen::Index c = 0; c < a.weights.size(); ++c) {
    std::vector<double> x(row_span(a.means, static_cast<std::size_t>(c)).begin(),
                          row_span(a.means, static_cast<std::size_t>(c)).end());
    double sum = 0;
    for (Eigen::Index i = 0; i < d; ++i) {
      double& moved = x[static_cast<std::size_t>(i)];
      const double reach = std::sqrt(static_cast<double>(d) * a.variances(c, i));
      for (const double side : {reach, -reach}) {
        moved = a.means(c, i) + side;
        sum += log_density(a, x) - log_density(b, x);
      }
      moved = a.means(c, i);
    }
    out += a.weights[c] * sum / static_cast<double>(2 * d);
  }
  return out;
}

}  // namespace segue
