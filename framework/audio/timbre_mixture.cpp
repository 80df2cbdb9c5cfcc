#include "framework/audio/timbre_mixture.hpp"

#include <algorithm>

namespace segue::audio {

GaussianMixture timbre_mixture(const FrameRows<float>& mfcc, const MixtureSettings& settings) {
  Matrix<double> rows(static_cast<Eigen::Index>(mfcc.rows()), static_cast<Eigen::Index>(mfcc.cols()));
  for (std::size_t t = 0; t < mfcc.rows(); ++t) std::ranges::copy(mfcc.row(t), row_span(rows, t).begin());
  return fit_mixture(rows, settings);
}

double mixture_distance(const GaussianMixture& a, const GaussianMixture& b) {
  return std::max(0.0, unscented_kl(a, b) + unscented_kl(b, a));
}

}  // namespace segue::audio
