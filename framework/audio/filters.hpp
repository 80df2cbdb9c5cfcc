// Filter banks over the bins of a Fourier transform, and the scales they are built on. In double; kernels round them.
#pragma once

#include <cstddef>
#include <vector>

#include "framework/linalg/matrix.hpp"

namespace segue::audio {

enum class MelScale {
  kSlaney,  // Slaney 1998, "Auditory Toolbox": linear below 1 kHz, 200/3 Hz a mel, then logarithmic, ln(6.4)/27 a mel
  kHtk      // 2595 log10(1 + f / 700): O'Shaughnessy 1987, as in HTK
};
enum class MelNorm {
  kNone,  // peaks of 1
  kArea,  // triangles of area 1 over Hz: peaks of 2 / width ("slaney" in librosa, "unit_tri" in essentia)
  kSum    // weights that sum to 1 over the bins ("unit_sum" in essentia)
};

struct MelSettings {
  int bands = 128;
  double low = 0, high = 0;  // Hz; high 0: half the sample rate
  MelScale scale = MelScale::kSlaney;
  MelNorm norm = MelNorm::kArea;
};

double hz_to_mel(double hz, MelScale scale);
double mel_to_hz(double mel, MelScale scale);

// Edges of the triangles, bands + 2 frequencies in Hz evenly spaced in mel. Triangle b rises from edge b to b + 1 and
// falls to b + 2.
std::vector<double> mel_edges(const MelSettings& settings, int sample_rate);
// bands x (frame / 2 + 1): triangles in Hz, taken at the bins' centres. UsageError where they do not fit: bands < 1, or
// not 0 <= low < high <= half the sample rate.
Matrix<double> mel_filters(const MelSettings& settings, int sample_rate, int frame);

// 12 x (frame / 2 + 1), row 0 is C: how much of a bin's power belongs to a pitch class. Gaussians of the distance in
// semitones, columns of Euclidean norm 1, weighted by a Gaussian over octaves around 5 octaves above A0 (Ellis 2007,
// "Chroma feature analysis and synthesis"). tuning: in semitones, of A4 against 440 Hz.
Matrix<double> chroma_filters(double tuning, int sample_rate, int frame);

// The first `coefficients` rows of the orthonormal DCT-II of `bands` numbers.
Matrix<double> dct_rows(int coefficients, int bands);

// Centre of bin k: k * sample_rate / frame.
std::vector<double> bin_frequencies(int sample_rate, int frame);

}  // namespace segue::audio
