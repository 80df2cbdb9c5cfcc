#include "framework/cli/sound_query.hpp"

#include <utility>

#include "framework/audio/sound_file.hpp"
#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"

namespace segue {

namespace {

// What has passed since the last time that it was asked.
class Lap {
 public:
  double operator()() {
    const double now = watch_.seconds();
    watch_.restart();
    return now;
  }

 private:
  Stopwatch watch_;
};

}  // namespace

std::vector<float> read_clip(const std::filesystem::path& file, double from, double seconds, QueryTiming& timing) {
  Lap lap;
  const int rate = audio::FeatureSettings().sample_rate;
  audio::SoundFile source(file, rate);
  source.may_be_short();
  std::vector<float> out = read_excerpt(source, from, seconds);
  timing.decode = lap();
  if (static_cast<double>(out.size()) < kLeastClip * rate)
    throw DataError("{}: {:.2f} s from second {:g} on; {:g} s are needed, and 10 s tell more", file.string(),
                    static_cast<double>(out.size()) / rate, from, kLeastClip);
  return out;
}

std::vector<audio::SimilarRecording> find_similar(const audio::SoundIndex& index, std::vector<float> clip,
                                                  std::size_t count, QueryTiming& timing) {
  Lap lap;
  const std::vector<float> vector = index.placed(audio::sound_vector(std::move(clip)));
  timing.features = lap();
  std::vector<audio::SimilarRecording> out = index.similar(vector, count);
  timing.search = lap();
  return out;
}

audio::Identification identify_clip(const audio::SoundIndex& index, const std::vector<float>& clip, std::size_t count,
                                    QueryTiming& timing) {
  Lap lap;
  const audio::ClipLandmarks landmarks = audio::find_clip_landmarks(clip);
  timing.features = lap();
  audio::Identification out = index.landmarks().identify(landmarks, count);
  timing.search = lap();
  return out;
}

}  // namespace segue
