// A track as one vector of fixed length, and as a Gaussian of its timbre: what similarity is measured on.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/audio/track.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue::audio {

// What a number of a fingerprint speaks of, so that each can have its own weight.
enum class SoundPart { kTimbre, kHarmony, kRhythm, kSpectrum };
inline constexpr std::size_t kSoundParts = 4;

struct FingerprintField {
  std::string name;  // "mfcc_3_mean"
  SoundPart part;
};

// What stands out of the recording's own level (prominence.hpp), so that loudness, noise and compression say little:
// mean and standard deviation over frames of its cepstra, and the deviation of their slopes (timbre); tenth, fiftieth
// and ninetieth percentile of its bands, its centre and width, and how much it comes and goes (spectrum); mean chroma
// turned so that the key's tonic comes first, frames counting by their prominence (harmony); mean and deviation of its
// rise, log2 of tempo, and danceability (rhythm).
const std::vector<FingerprintField>& fingerprint_fields();
// One number a field, in their units. UsageError where the track has not all features (WantedFeatures by default).
std::vector<float> fingerprint(const Track& track);

// What a fingerprint leaves out so that a recording is known again, and what listeners may like in it all the same,
// level, brightness and noise among them: mean and deviation over frames of MFCC (and the deviation of their slopes),
// spectral contrast, centroid, bandwidth, roll-off, zero crossings, the logarithms of flatness and of rms, chroma from
// the tonic on, onset strength; log2 of tempo and danceability.
const std::vector<FingerprintField>& statistics_fields();
// Likewise one number a field.
std::vector<float> frame_statistics(const Track& track);

// Which definition fingerprints and statistics follow: equal texts, comparable vectors.
std::string fingerprint_definition(const FeatureSettings& settings);

// Zero mean and unit variance of every field over a training catalogue, then cut at five deviations, so that one odd
// track or field rules no distance.
class Standardiser {
 public:
  Standardiser() = default;
  Standardiser(std::vector<float> mean, std::vector<float> scale) : mean_(std::move(mean)), scale_(std::move(scale)) {}
  // From rows of fingerprints; constant fields become 0. At least one row.
  static Standardiser learn(const Matrix<float>& rows);
  void apply(std::span<float> row) const;
  const std::vector<float>& mean() const { return mean_; }
  const std::vector<float>& scale() const { return scale_; }  // 1 / standard deviation, 0 where constant

 private:
  std::vector<float> mean_, scale_;
};

// How unlike two standardised fingerprints are: the Euclidean distance.
double fingerprint_distance(std::span<const float> a, std::span<const float> b);

// A full Gaussian of a track's MFCC (Mandel & Ellis 2005, "Song-level features and support vector machines for music
// classification"; Pampalk 2006, "Computational models of music similarity").
struct TimbreModel {
  Vector<double> mean;        // MFCC
  Matrix<double> covariance;  // MFCC x MFCC
  Matrix<double> inverse;     // of it
};
// Of frames x MFCC, with `floor` added to the diagonal, so that short and constant tracks have an inverse.
TimbreModel timbre_model(const FrameRows<float>& mfcc, double floor = 1e-2);
TimbreModel timbre_model(Vector<double> mean, Matrix<double> covariance);
// KL(a || b) + KL(b || a) >= 0: symmetric, 0 for equal models, no metric.
double symmetric_kl(const TimbreModel& a, const TimbreModel& b);

// Mutual proximity (Schnitzer, Flexer, Schedl & Widmer 2012, "Local and global scaling reduce hubs in space", equation
// 7 with independent normal distributions): 1 - the probability that both of a pair find a random track farther than
// each other. distances: n x n, symmetric, zero diagonal; in place. Diagonal 0, others in [0, 1].
void mutual_proximity(Matrix<double>& distances);
// Of tracks asked about (rows, in place) and known ones (columns), where only the known tell what is usual: how far
// they lie from each other (n x n, symmetric), and how far the asked one lies from them.
void mutual_proximity(Matrix<double>& asked_to_known, const Matrix<double>& known_to_known);

}  // namespace segue::audio
