#include "framework/audio/rhythm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "framework/audio/fft.hpp"
#include "framework/audio/median.hpp"
#include "framework/audio/stft.hpp"
#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr double kOnsetDelta = 0.07;
constexpr double kStartBpm = 120, kMaxBpm = 320;
constexpr double kTightness = 100;

// The smallest number >= n without prime factors over 5: such transforms are quick.
std::size_t quick_size(std::size_t n) {
  for (;; ++n) {
    std::size_t rest = n;
    for (const std::size_t p : {2u, 3u, 5u})
      while (rest % p == 0) rest /= p;
    if (rest == 1) return n;
  }
}

// Where x rises and does not rise further: not the first; the last where it is above the one before.
bool is_local_maximum(std::span<const double> x, std::size_t i) {
  if (i == 0) return false;
  return x[i] > x[i - 1] && (i + 1 == x.size() || x[i] >= x[i + 1]);
}

}  // namespace

template <class T>
std::vector<double> onset_strength(const FrameRows<T>& log_mel, T floor_db, int frame, int hop, OverBands over) {
  std::vector<double> out(log_mel.rows(), 0.0), rises(log_mel.cols());
  const std::size_t delay = static_cast<std::size_t>(frame / (2 * hop));
  for (std::size_t t = 1; t + delay < log_mel.rows(); ++t) {
    const std::span<const T> now = log_mel.row(t), before = log_mel.row(t - 1);
    for (std::size_t b = 0; b < now.size(); ++b)
      rises[b] = static_cast<double>(std::max(T(0), std::max(now[b], floor_db) - std::max(before[b], floor_db)));
    out[t + delay] = over == OverBands::kMedian
                         ? median(rises)
                         : std::accumulate(rises.begin(), rises.end(), 0.0) / static_cast<double>(rises.size());
  }
  return out;
}

std::vector<std::size_t> onset_frames(std::span<const double> envelope, FrameRate rate) {
  std::vector<std::size_t> out;
  if (envelope.empty()) return out;
  const auto [low, high] = std::minmax_element(envelope.begin(), envelope.end());
  if (*high == *low) return out;
  const double base = *low, range = *high - *low + std::numeric_limits<double>::min();
  std::vector<double> x;
  for (const double e : envelope) x.push_back((e - base) / range);
  const auto whole = [&](double seconds) { return static_cast<std::size_t>(seconds * rate.sample_rate / rate.hop); };
  const std::size_t before = whole(0.03), around = whole(0.10), wait = whole(0.03), n = x.size();
  const auto mean = [&](std::size_t begin, std::size_t end) {
    return std::accumulate(x.begin() + static_cast<std::ptrdiff_t>(begin), x.begin() + static_cast<std::ptrdiff_t>(end),
                           0.0) /
           static_cast<double>(end - begin);
  };
  for (std::size_t t = 0; t < n;) {
    const std::size_t from = t > before ? t - before : 0;
    const bool peak =
        std::all_of(x.begin() + static_cast<std::ptrdiff_t>(from), x.begin() + static_cast<std::ptrdiff_t>(t),
                    [&](double earlier) { return earlier <= x[t]; });
    if (peak && x[t] >= mean(t > around ? t - around : 0, std::min(n, t + around + 1)) + kOnsetDelta) {
      out.push_back(t);
      t += wait + 1;
    } else {
      ++t;
    }
  }
  return out;
}

Tempogram::Tempogram(FrameRate rate, double seconds)
    : rate_(rate), lags_(static_cast<std::size_t>(seconds * rate.sample_rate / rate.hop)) {
  SEGUE_CHECK(lags_ >= 2, "a tempogram over {} s", seconds);
}

double Tempogram::bpm(std::size_t lag) const {
  return lag == 0 ? std::numeric_limits<double>::infinity()
                  : 60.0 * rate_.sample_rate / (static_cast<double>(rate_.hop) * static_cast<double>(lag));
}

// The envelope, falling to zero beyond both ends, and zeros after it.
std::vector<double> Tempogram::padded(std::span<const double> envelope) const {
  const std::size_t half = lags_ / 2;
  std::vector<double> out(envelope.size() + 2 * half + lags_, 0.0);
  for (std::size_t i = 0; i < half; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(half);
    out[i] = envelope.front() * share;
    out[half + envelope.size() + half - 1 - i] = envelope.back() * share;
  }
  std::copy(envelope.begin(), envelope.end(), out.begin() + static_cast<std::ptrdiff_t>(half));
  return out;
}

Matrix<double> Tempogram::local(std::span<const double> envelope, std::span<const std::size_t> frames) const {
  Matrix<double> out = Matrix<double>::Zero(static_cast<Eigen::Index>(frames.size()), static_cast<Eigen::Index>(lags_));
  if (envelope.empty()) return out;
  const std::vector<double> x = padded(envelope), window = hann<double>(lags_);
  RealFft<double> fft(quick_size(2 * lags_ - 1));
  const std::span<double> time = fft.time();
  for (std::size_t row = 0; row < frames.size(); ++row) {
    std::fill(time.begin(), time.end(), 0.0);
    double energy = 0;
    for (std::size_t i = 0; i < lags_; ++i) {
      time[i] = x[frames[row] + i] * window[i];
      energy += time[i] * time[i];
    }
    if (energy <= 0) continue;
    fft.forward();
    for (auto& bin : fft.spectrum()) bin = std::norm(bin);
    fft.backward();
    const double scale = 1 / time[0];
    for (std::size_t lag = 0; lag < lags_; ++lag) row_span(out, row)[lag] = time[lag] * scale;
  }
  return out;
}

// The mean of autocorrelations is the transform of the mean of spectra. And with frames a and b of energy 1 as real and
// imaginary part of z, |Z(k)|^2 + |Z(-k)|^2 = 2 (|A(k)|^2 + |B(k)|^2): half a complex transform a frame.
std::vector<double> Tempogram::mean(std::span<const double> envelope) const {
  if (envelope.empty()) return {};
  const std::vector<double> x = padded(envelope), window = hann<double>(lags_);
  ComplexFft fft(quick_size(2 * lags_ - 1));
  const auto time = fft.time(), spectrum = fft.spectrum();
  std::vector<double> powers(time.size(), 0.0), frames[2];
  for (std::size_t t = 0; t < envelope.size(); t += 2) {
    for (std::size_t side = 0; side < 2; ++side) {
      frames[side].assign(lags_, 0.0);
      if (t + side == envelope.size()) break;
      double lanes[8] = {}, energy = 0;
      for (std::size_t i = 0; i < lags_; ++i) {
        frames[side][i] = x[t + side + i] * window[i];
        lanes[i % 8] += frames[side][i] * frames[side][i];
      }
      for (const double lane : lanes) energy += lane;
      if (energy <= 0) continue;
      const double scale = 1 / std::sqrt(energy);
      for (double& f : frames[side]) f *= scale;
    }
    for (std::size_t i = 0; i < lags_; ++i) time[i] = {frames[0][i], frames[1][i]};
    fft.forward();
    for (std::size_t k = 0; k < powers.size(); ++k) powers[k] += std::norm(spectrum[k]);
  }
  RealFft<double> back(powers.size());
  for (std::size_t k = 0; k < back.bins(); ++k)
    back.spectrum()[k] = (powers[k] + powers[(powers.size() - k) % powers.size()]) / 2;
  back.backward();
  std::vector<double> out(lags_);
  for (std::size_t lag = 0; lag < lags_; ++lag)
    out[lag] = back.time()[lag] / (static_cast<double>(powers.size()) * static_cast<double>(envelope.size()));
  return out;
}

double tempo_librosa(std::span<const double> envelope, FrameRate rate) {
  const Tempogram tempogram(rate);
  const std::vector<double> mean = tempogram.mean(envelope);
  if (mean.empty()) return 0;
  std::size_t best = 0;
  double best_score = -std::numeric_limits<double>::infinity();
  for (std::size_t lag = 1; lag < mean.size(); ++lag) {
    if (tempogram.bpm(lag) >= kMaxBpm) continue;
    const double octaves = std::log2(tempogram.bpm(lag)) - std::log2(kStartBpm);
    const double score = std::log1p(1e6 * mean[lag]) - 0.5 * octaves * octaves;
    if (score > best_score) {
      best_score = score;
      best = lag;
    }
  }
  return tempogram.bpm(best);
}

namespace {

// The envelope in units of its standard deviation, smoothed by a Gaussian of a thirty-second of a beat. As librosa has
// it, the sum leaves out the last weight, which is under 1e-200.
std::vector<double> beat_scores(std::span<const double> envelope, double frames_per_beat) {
  const auto n = static_cast<std::ptrdiff_t>(envelope.size());
  const double mean = std::accumulate(envelope.begin(), envelope.end(), 0.0) / static_cast<double>(n);
  double squares = 0;
  for (const double e : envelope) squares += (e - mean) * (e - mean);
  const double scale = std::sqrt(squares / static_cast<double>(n - 1)) + std::numeric_limits<double>::min();
  const auto half = static_cast<std::ptrdiff_t>(frames_per_beat);
  std::vector<double> window;
  for (std::ptrdiff_t i = -half; i <= half; ++i) {
    const double x = static_cast<double>(i) * 32 / frames_per_beat;
    window.push_back(std::exp(-0.5 * x * x));
  }
  std::vector<double> out(envelope.size(), 0.0);
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (std::ptrdiff_t k = std::max<std::ptrdiff_t>(0, i + half - n + 1); k < std::min(i + half, 2 * half + 1); ++k)
      out[static_cast<std::size_t>(i)] +=
          window[static_cast<std::size_t>(k)] * (envelope[static_cast<std::size_t>(i + half - k)] / scale);
  return out;
}

}  // namespace

std::vector<std::size_t> beat_frames(std::span<const double> envelope, double bpm, FrameRate rate) {
  std::vector<std::size_t> beats;
  if (envelope.size() < 2 || bpm <= 0 || std::all_of(envelope.begin(), envelope.end(), [](double e) { return e == 0; }))
    return beats;
  const double period = std::max(1.0, std::nearbyint(rate.hz() * 60 / bpm));  // frames a beat
  const std::vector<double> local = beat_scores(envelope, period);
  const std::size_t n = local.size();

  // best[i] = local[i] + max over d of best[i - d] - tightness (ln d - ln period)^2; the nearest of equals.
  const auto nearest = static_cast<std::size_t>(std::max(1.0, std::nearbyint(period / 2)));
  const auto farthest = static_cast<std::size_t>(2 * period);
  std::vector<double> penalty(farthest + 1);
  for (std::size_t d = nearest; d <= farthest; ++d) {
    const double off = std::log(static_cast<double>(d)) - std::log(period);
    penalty[d] = kTightness * off * off;
  }
  constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  std::vector<double> best(n);
  std::vector<std::size_t> before(n, kNone);
  const double audible = 0.01 * *std::max_element(local.begin(), local.end());
  bool begun = false;
  for (std::size_t i = 0; i < n; ++i) {
    double most = -std::numeric_limits<double>::infinity();
    std::size_t from = kNone;
    for (std::size_t d = nearest; d <= farthest && d <= i; ++d) {
      const double score = best[i - d] - penalty[d];
      if (score > most) {
        most = score;
        from = i - d;
      }
    }
    best[i] = local[i] + (from == kNone ? 0 : most);
    if (begun || local[i] >= audible) {
      before[i] = from;
      begun = true;
    }
  }

  // From the last local maximum that is at least half the median one, back along the links.
  std::vector<double> maxima;
  for (std::size_t i = 0; i < n; ++i)
    if (is_local_maximum(best, i)) maxima.push_back(best[i]);
  std::size_t at = n - 1;
  if (!maxima.empty()) {
    const double least = 0.5 * median(maxima);
    for (std::size_t i = n; i-- > 0;)
      if (is_local_maximum(best, i) && best[i] >= least) {
        at = i;
        break;
      }
  }
  for (; at != kNone; at = before[at]) beats.push_back(at);
  std::reverse(beats.begin(), beats.end());

  // Beats before and after what is heard: below half the root mean square of scores at beats, smoothed by [1/2 1 1/2].
  const auto score = [&](std::ptrdiff_t b) {
    return b < 0 || b >= static_cast<std::ptrdiff_t>(beats.size()) ? 0.0 : local[beats[static_cast<std::size_t>(b)]];
  };
  const std::size_t terms = std::min(beats.size() + 2, n);
  double squares = 0;
  for (std::size_t i = 0; i < terms; ++i) {
    const auto b = static_cast<std::ptrdiff_t>(i);
    const double smooth = 0.5 * score(b - 1) + score(b) + 0.5 * score(b + 1);
    squares += smooth * smooth;
  }
  const double least = 0.5 * std::sqrt(squares / static_cast<double>(terms));
  std::size_t first = 0, last = n;
  while (first < n && local[first] <= least) ++first;
  while (last > first && local[last - 1] <= least) --last;
  std::erase_if(beats, [&](std::size_t b) { return b < first || b >= last; });
  return beats;
}

template std::vector<double> onset_strength(const FrameRows<float>&, float, int, int, OverBands);
template std::vector<double> onset_strength(const FrameRows<double>&, double, int, int, OverBands);

}  // namespace segue::audio
