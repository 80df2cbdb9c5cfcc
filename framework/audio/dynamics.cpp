#include "framework/audio/dynamics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <ebur128.h>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

constexpr double kShortest = 0.31, kLongest = 8.8, kGrowth = 1.1;  // s, and from one time to the next
constexpr double kLeastSeconds = 4;
constexpr std::size_t kOverlap = 50;  // windows that begin within the length of one

// The mean squared distance of windows of n values from their own line of least squares.
double fluctuation(const std::vector<double>& y, std::size_t n) {
  const std::size_t step = std::max<std::size_t>(1, n / kOverlap);
  const double middle = (static_cast<double>(n) - 1) / 2;
  const double spread = static_cast<double>(n) * (static_cast<double>(n) * static_cast<double>(n) - 1) / 12;
  double sum = 0;
  std::size_t windows = 0;
  for (std::size_t begin = 0; begin + n <= y.size(); begin += step, ++windows) {
    double mean = 0, slope = 0, squares = 0;
    for (std::size_t i = 0; i < n; ++i) mean += y[begin + i];
    mean /= static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double deviation = y[begin + i] - mean;
      slope += deviation * (static_cast<double>(i) - middle);
      squares += deviation * deviation;
    }
    sum += std::max(0.0, squares - slope * slope / spread) / static_cast<double>(n);
  }
  return windows == 0 ? 0 : sum / static_cast<double>(windows);
}

}  // namespace

struct Loudness::State {
  ebur128_state* meter = nullptr;
  ~State() {
    if (meter) ebur128_destroy(&meter);
  }
};

Loudness::Loudness(int sample_rate) : state_(std::make_unique<State>()) {
  state_->meter = ebur128_init(1, static_cast<unsigned long>(sample_rate), EBUR128_MODE_I);
  if (!state_->meter) throw UsageError("loudness cannot be measured at {} Hz", sample_rate);
}
Loudness::~Loudness() = default;

void Loudness::push(std::span<const float> samples) {
  if (ebur128_add_frames_float(state_->meter, samples.data(), samples.size()) != EBUR128_SUCCESS)
    throw EnvironmentError("no memory to measure loudness");
}

double Loudness::lufs() const {
  double out = kSilence;
  if (ebur128_loudness_global(state_->meter, &out) != EBUR128_SUCCESS || !std::isfinite(out)) return kSilence;
  return std::max(out, kSilence);
}

double energy_of(double lufs) { return std::clamp(1 + lufs / 60, 0.0, 1.0); }

double danceability(std::span<const double> rms, FrameRate rate) {
  const double frames = static_cast<double>(rms.size());
  if (frames < kLeastSeconds * rate.hz()) return 0;
  const double mean = std::accumulate(rms.begin(), rms.end(), 0.0) / frames;
  std::vector<double> walk(rms.size());
  double sum = 0;
  for (std::size_t i = 0; i < rms.size(); ++i) walk[i] = sum += rms[i] - mean;
  std::vector<double> times, logs;
  std::size_t last = 0;
  for (double seconds = kShortest; seconds <= kLongest; seconds *= kGrowth) {
    const auto n = static_cast<std::size_t>(std::lround(seconds * rate.hz()));
    if (n == last || n < 4) continue;
    if (2 * n > rms.size()) break;
    last = n;
    const double f = fluctuation(walk, n);
    if (!(f > 0)) return 0;
    times.push_back(std::log(static_cast<double>(n) + 3));  // the paper's correction for short windows
    logs.push_back(0.5 * std::log(f));
  }
  if (times.size() < 2) return 0;
  double exponents = 0;
  for (std::size_t i = 1; i < times.size(); ++i) exponents += (logs[i] - logs[i - 1]) / (times[i] - times[i - 1]);
  exponents /= static_cast<double>(times.size() - 1);
  return exponents > 0 ? 1 / exponents : 0;
}

}  // namespace segue::audio
