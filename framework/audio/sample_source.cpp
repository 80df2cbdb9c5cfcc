// Signals as they are read piece by piece, wherever they come from.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "framework/audio/sound_file.hpp"

namespace segue::audio {

namespace {

constexpr std::size_t kPiece = 1 << 14;  // samples read at once

}  // namespace

void SampleSource::seek(std::uint64_t sample) {
  rewind();
  std::vector<float> piece(kPiece);
  while (sample > 0) {
    const std::size_t got =
        read(std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(sample, kPiece))));
    if (got == 0) return;
    sample -= got;
  }
}

Excerpt::Excerpt(SampleSource& whole, std::uint64_t from, std::uint64_t count)
    : whole_(&whole), from_(std::min(from, whole.samples())), count_(std::min(count, whole.samples() - from_)) {
  seek(0);
}

Excerpt Excerpt::middle(SampleSource& whole, double seconds) {
  const std::uint64_t all = whole.samples();
  const auto wanted = static_cast<std::uint64_t>(std::llround(seconds * whole.sample_rate()));
  return all <= wanted ? Excerpt(whole, 0, all) : Excerpt(whole, (all - wanted) / 2, wanted);
}

std::size_t Excerpt::read(std::span<float> out) {
  const std::size_t got =
      whole_->read(out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), count_ - at_))));
  at_ += got;
  return got;
}

void Excerpt::seek(std::uint64_t sample) {
  at_ = std::min(sample, count_);
  whole_->seek(from_ + at_);
}

std::size_t SampleBuffer::read(std::span<float> out) {
  const std::size_t n = std::min(out.size(), samples_.size() - at_);
  std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(at_), n, out.begin());
  at_ += n;
  return n;
}

std::vector<float> read_all(SampleSource& source) {
  std::vector<float> out;
  for (;;) {
    const std::size_t before = out.size();
    out.resize(before + kPiece);
    const std::size_t got = source.read(std::span(out).subspan(before));
    out.resize(before + got);
    if (got == 0) return out;
  }
}

std::vector<float> read_excerpt(SampleSource& source, double from, double seconds) {
  const auto samples = [&](double s) { return static_cast<std::uint64_t>(std::llround(s * source.sample_rate())); };
  Excerpt excerpt(source, samples(from), samples(seconds));
  return read_all(excerpt);
}

}  // namespace segue::audio
