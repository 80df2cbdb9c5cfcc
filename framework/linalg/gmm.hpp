// Mixtures of Gaussians with diagonal covariances, fitted by expectation maximisation (Armadillo's gmm_diag, of which
// gmm.cpp is the only door).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "framework/linalg/matrix.hpp"

namespace segue {

struct GaussianMixture {
  Vector<double> weights;    // k, above 0, sum 1
  Matrix<double> means;      // k x d
  Matrix<double> variances;  // k x d, above 0
};

struct MixtureSettings {
  std::size_t components = 3;
  int kmeans_iterations = 10;
  int iterations = 20;           // of expectation maximisation
  double variance_floor = 1e-2;  // in the data's units, squared
  std::uint64_t seed = 1;        // of the first means: k-means++ (Arthur & Vassilvitskii 2007)
};

// Of the rows of `rows` (n x d, n >= 1, finite). There are fewer components where there are fewer different rows. The
// same bits whenever, and in whatever thread, it is called. UsageError for settings out of range.
GaussianMixture fit_mixture(const Matrix<double>& rows, const MixtureSettings& settings = {});

// ln p(x), x: d.
double log_density(const GaussianMixture& mixture, std::span<const double> x);

// KL(a || b) in nats, approximated by the unscented transform: the mean of ln a - ln b over 2d points a component,
// mean +- sqrt(d) deviations along each axis (Goldberger, Gordon & Greenspan 2003, "An efficient image similarity
// measure based on approximations of KL-divergence between two Gaussian mixtures", section 3.2). Exact where both have
// one component. An approximation may be below 0.
double unscented_kl(const GaussianMixture& a, const GaussianMixture& b);

}  // namespace segue
