// Everything that is heard frame by frame, from one short-time Fourier transform, of a signal that arrives piece by
// piece. Every definition is pinned in FeatureSettings, whose defaults are those of librosa 0.11.0; canonical() is what
// caches are keyed by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/filters.hpp"
#include "framework/audio/frame_rows.hpp"
#include "framework/audio/pitch.hpp"
#include "framework/audio/rhythm.hpp"
#include "framework/audio/spectral.hpp"
#include "framework/audio/stft.hpp"

namespace segue::audio {

struct FeatureSettings {
  int sample_rate = 22050;  // of the signal, Hz
  StftSettings stft;
  MelSettings mel;
  int mfcc = 20;                        // coefficients, the first included
  std::optional<double> top_db = 80.0;  // log-mel below the signal's largest by more than that is raised to it, for
                                        // MFCC and onsets
  double rolloff = 0.85;                // share of the magnitude
  std::optional<double> tuning;         // semitones from A4 = 440 Hz; none: estimated

  FrameRate frame_rate() const { return {sample_rate, stft.hop}; }
  // Every setting by name, and the version of their definitions: equal texts, equal features.
  std::string canonical() const;
};

// What to compute; the rest stays empty. What one needs of another is computed along.
struct WantedFeatures {
  bool mfcc = true, chroma = true, centroid = true, onset = true;
  bool bandwidth = true, rolloff = true, flatness = true, contrast = true, rms = true, zero_crossing_rate = true;
  bool beat_onset = true;  // the envelope that beats are found in
  // The five that tempo, timbre and harmony need.
  static WantedFeatures few() { return {true, true, true, true, false, false, false, false, false, false, false}; }
};

template <class T>
struct Features {
  std::uint64_t samples = 0;
  std::size_t frames = 0;
  FrameRows<T> log_mel;     // frames x mel.bands: 10 log10 of the filtered power, at least -100 dB, without top_db
  FrameRows<T> mfcc;        // frames x mfcc: orthonormal DCT-II of log-mel with top_db
  FrameRows<T> chroma;      // frames x 12, C first, over the frame's largest; 0 where silent
  Matrix<double> contrast;  // frames x 7, dB
  std::vector<double> centroid, bandwidth, rolloff;  // Hz
  std::vector<double> flatness, rms, zero_crossing_rate;
  std::vector<double> onset, beat_onset;  // rise in dB: mean and median over bands
  double tuning = 0;                      // semitones from A4 = 440 Hz, where chroma was wanted
};

template <class T>  // float; double for checks
class FeatureExtractor {
 public:
  // UsageError for settings that do not fit together.
  explicit FeatureExtractor(const FeatureSettings& settings, const WantedFeatures& wanted = {});

  // More of the signal, mono, at the settings' sample rate.
  void push(std::span<const T> samples);
  // The end of the signal. True: chroma must wait for the tuning of the whole signal, whose spectra are too many to
  // keep (over 2^14 frames): push() the signal once more, and finish() again.
  bool finish();
  // After finish() has said false.
  Features<T> take();

 private:
  void first_pass(const SpectrumBlock<T>& block);
  void add_chroma(std::span<const T> power, std::size_t count);
  void derive();

  FeatureSettings settings_;
  WantedFeatures wanted_;
  Stft<T> stft_;
  std::vector<double> frequencies_;
  FilterBank<T> mel_;
  std::optional<FilterBank<T>> chroma_;
  std::optional<ContrastBands> contrast_;
  TuningEstimate<T> pitches_;
  Features<T> out_;
  FrameRows<double> peaks_{ContrastBands::kBands}, valleys_{ContrastBands::kBands};
  // The power of blocks that chroma waits for, 2 MB together: what is given up goes back to the system. Of single
  // blocks it would stay with the heap, where the larger chunks of log_mel find no use for it.
  FrameRows<T, 64> kept_;
  std::vector<T> scratch_;
  bool again_ = false;     // in the second pass
  bool given_up_ = false;  // keeping
};

}  // namespace segue::audio
