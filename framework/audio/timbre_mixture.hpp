// A track's timbre as a mixture of Gaussians of its MFCC (Aucouturier & Pachet 2002, "Music similarity measures: what's
// the use?", with three components; 2004, "Improving timbre similarity: how high is the sky?", with up to fifty).
#pragma once

#include "framework/audio/frame_rows.hpp"
#include "framework/linalg/gmm.hpp"

namespace segue::audio {

// Of frames x MFCC, at least one frame. The floor of variances is that of timbre_model().
GaussianMixture timbre_mixture(const FrameRows<float>& mfcc, const MixtureSettings& settings = {});

// KL(a || b) + KL(b || a) by the unscented transform, at least 0: symmetric, 0 for equal mixtures, no metric. Where
// Aucouturier & Pachet draw samples, this needs none.
double mixture_distance(const GaussianMixture& a, const GaussianMixture& b);

}  // namespace segue::audio
