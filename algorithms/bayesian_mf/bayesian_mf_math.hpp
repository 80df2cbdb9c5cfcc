// The draws of a Gibbs sampler for Bayesian matrix factorisation: Salakhutdinov & Mnih 2008, "Bayesian probabilistic
// matrix factorization using Markov chain Monte Carlo", ICML (BPMF), with biases as one more dimension, and with a
// linear model of the prior means as in Simm et al. 2017, "Macau: scalable Bayesian factorization with high-dimensional
// side information using MCMC", MLSP.
//
// Symbols: a side is the users or the items; it has n rows of D values x_r, the last of them the row's bias. The other
// side gives the design: its factors and a one. N ratings, t a rating's standard score minus the other side's
// bias, alpha the precision of its noise. All randomness is a function of (generator, sweep, row), so that no draw
// depends on threads.
#pragma once

#include <cstdint>
#include <string_view>

#include <Eigen/Core>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/linalg/rated_rows.hpp"

namespace segue {

// x ~ N(mean, precision^-1)
struct RowPrior {
  Eigen::VectorXd mean;       // D
  Eigen::MatrixXd precision;  // D x D
};

// A draw of W(scale, freedom), whose mean is freedom times scale, given the inverse of the scale (D x D, positive
// definite). freedom > D - 1. Bartlett 1933: a triangle of normal and root chi-square draws.
Eigen::MatrixXd draw_wishart(const Eigen::MatrixXd& inverse_scale, double freedom, Rng& rng);

// What else is known of a side's precision beside its rows: features drawn with the same one.
struct Scatter {
  Eigen::MatrixXd squares;  // D x D, or empty
  double count = 0;
};

// Mean and precision of rows x_r ~ N(mean, precision^-1), drawn from their distribution given the rows, under the
// Normal-Wishart prior mean ~ N(0, (2 precision)^-1), precision ~ W(I, D): equation 14 of Salakhutdinov & Mnih with
// their constants.
RowPrior draw_prior(const Matrix<float>& rows, const Scatter& extra, Rng& rng, const Executor& exec);

// One side of the model: what a sweep reads and replaces.
struct BayesSide {
  std::string_view name;   // of its random streams
  Matrix<float> rows;      // n x D: the present draw
  Matrix<float> expected;  // n x D: the mean that the draw was made around
  RowPrior prior;
  // Implicit features: x_r ~ N(prior.mean + f_r sum of B_j over the columns j of r, ...), f_r = 1 / sqrt(columns of r).
  bool has_features = false;
  Matrix<float> features;    // B: others x D, or empty
  Matrix<float> shift;       // n x D: f_r times the sum, or empty
  double feature_ridge = 1;  // B_j ~ N(0, (feature_ridge prior.precision)^-1)
};

// Hyperparameters and features of a side given its rows.
void draw_side(BayesSide& side, const RatedRows& ratings, const RatedRows& by_column, const Rng& rng,
               std::uint64_t sweep, const Executor& exec);

// All rows of a side given the other: x_r ~ N(A^-1 b, A^-1), A = precision + alpha sum of y y^T, b = precision
// (prior mean of r) + alpha sum of t y. Returns the sum of the squared errors of the new draw.
double draw_rows(BayesSide& side, const RatedRows& ratings, const Matrix<float>& other, double alpha, const Rng& rng,
                 std::uint64_t sweep, const Executor& exec);

}  // namespace segue
