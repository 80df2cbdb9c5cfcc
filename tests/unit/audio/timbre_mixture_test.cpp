// Mixtures of timbre: one component is the Gaussian of the mean and variances; two sounds in a track are told apart.
#include "framework/audio/timbre_mixture.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "framework/audio/fingerprint.hpp"
#include "framework/base/rng.hpp"

namespace segue::audio {
namespace {

// Frames that are at one of two places, `share` of them at the second.
FrameRows<float> frames(double share, double place, std::uint64_t seed) {
  FrameRows<float> out(20);
  Rng rng(seed);
  for (int t = 0; t < 600; ++t) {
    const double at = rng.uniform() < share ? place : 0;
    for (float& x : out.add()) x = static_cast<float>(at + rng.normal());
  }
  return out;
}

TEST(TimbreMixture, OfOneComponentIsADiagonalGaussian) {
  const FrameRows<float> a = frames(0, 0, 1), b = frames(1, 2, 2);
  const auto diagonal = [](const FrameRows<float>& rows) {
    TimbreModel model = timbre_model(rows, 0);
    Matrix<double> covariance = model.covariance.diagonal().asDiagonal();
    return timbre_model(model.mean, covariance);
  };
  const double closed = symmetric_kl(diagonal(a), diagonal(b));
  const MixtureSettings one{.components = 1};
  EXPECT_NEAR(mixture_distance(timbre_mixture(a, one), timbre_mixture(b, one)), closed, 1e-6 * closed);
}

TEST(TimbreMixture, HearsWhatAMeanDoesNot) {
  // Equal means and variances of each coefficient, but one has two sounds and the other one.
  const GaussianMixture two = timbre_mixture(frames(0.5, 6, 3), {.components = 2});
  const GaussianMixture again = timbre_mixture(frames(0.5, 6, 4), {.components = 2});
  FrameRows<float> wide(20);
  Rng rng(5);
  for (int t = 0; t < 600; ++t)
    for (float& x : wide.add()) x = static_cast<float>(3 + std::sqrt(10.0) * rng.normal());
  const GaussianMixture one = timbre_mixture(wide, {.components = 2});
  EXPECT_LT(mixture_distance(two, again), 0.05 * mixture_distance(two, one));
  EXPECT_EQ(mixture_distance(two, two), 0);
  EXPECT_EQ(mixture_distance(two, one), mixture_distance(one, two));
}

}  // namespace
}  // namespace segue::audio
