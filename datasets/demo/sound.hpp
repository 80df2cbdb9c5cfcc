// The sound of a track of the demo world, synthesised from its recipe while it is read. README.md says what it is made
// of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "datasets/demo/recipe.hpp"
#include "framework/audio/sound_file.hpp"

namespace segue::demo {

// Changes whenever the same recipe sounds otherwise.
inline constexpr int kSoundVersion = 1;

// Mono, within (-1, 1), duration * sample_rate samples. Equal recipes are equal bits, in pieces of any size and from
// any second on: everything that is heard is a function of the bar in which it begins. Bits may differ between builds
// and CPUs. One object a thread.
class DemoSound final : public audio::SampleSource {
 public:
  // sample_rate: Hz, 8000 to 192000; UsageError otherwise, and for a genre that there is not.
  DemoSound(const AudioRecipe& recipe, int sample_rate);
  ~DemoSound() override;

  int sample_rate() const override;
  std::size_t read(std::span<float> out) override;
  void rewind() override { seek(0); }
  void seek(std::uint64_t sample) override;
  std::uint64_t samples() const override;

 private:
  struct Studio;
  std::unique_ptr<Studio> studio_;
};

// An excerpt, shorter where the track ends.
std::vector<float> render(const AudioRecipe& recipe, int sample_rate, double from_seconds, double seconds);

}  // namespace segue::demo
