// MFCC against essentia's own, set as ours are: 128 bands on Slaney's scale, triangles of area 1 over Hz, power,
// 10 log10, no window normalised, and no top_db, which essentia does not have. Stored are means over frames. Essentia
// cuts frames otherwise at both ends and has a symmetric window, so that tones, which have nothing but edges between
// their partials, are farther apart than recordings. Its defaults are other definitions, and nothing is stored of them.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <map>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "framework/audio/features.hpp"
#include "framework/audio/sound_file.hpp"
#include "tests/support/data_dir.hpp"

namespace segue::audio {
namespace {

constexpr const char* kReference = "../reference/librosa";

TEST(Essentia, MfccOfRecordingsAreTheSame) {
  const auto folder = test::real_data(kReference);
  if (!folder) GTEST_SKIP() << test::missing_data(kReference);
  const auto peers = nlohmann::json::parse(std::ifstream(*folder / "other_peers.json"));
  int compared = 0;
  for (const std::string name : {"amen_full", "brahms", "fishin", "speech", "sugar_plum", "vibe_ace", "silence"}) {
    const std::vector<double> theirs = peers.at(name).at("essentia_mfcc20_librosa_like_mean");
    SoundFile sound(*folder / "audio" / (name + ".flac"), 22050);
    FeatureSettings settings;
    settings.top_db.reset();
    FeatureExtractor<float> extractor(settings, WantedFeatures::few());
    extractor.push(read_all(sound));
    ASSERT_FALSE(extractor.finish()) << name;
    const Features<float> f = extractor.take();
    ASSERT_EQ(theirs.size(), f.mfcc.cols());
    double worst = 0;
    for (std::size_t c = 0; c < theirs.size(); ++c) {
      double mean = 0;
      for (std::size_t t = 0; t < f.frames; ++t) mean += static_cast<double>(f.mfcc.row(t)[c]);
      worst = std::max(worst, std::abs(mean / static_cast<double>(f.frames) - theirs[c]));
    }
    std::cout << name << ": " << worst << "\n";
    EXPECT_LT(worst, 0.25) << name;  // of coefficients up to some hundreds
    ++compared;
  }
  EXPECT_EQ(compared, 7);
}

}  // namespace
}  // namespace segue::audio
