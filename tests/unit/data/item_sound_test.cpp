// Listening to a data set: what is heard, what is kept, and what happens where nothing can be heard.
#include "framework/data/item_sound.hpp"

#include <atomic>
#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/audio/fingerprint.hpp"
#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

constexpr int kRate = 22050;

using testing::HasSubstr;

// "440" is a tone of so many Hz, 3 s long, and "440 x" one of 60 s whose middle half minute is all that sounds.
class Tones final : public DatasetLoader {
 public:
  std::vector<std::filesystem::path> files(const Value&, const DataRoots&) const override { return {}; }
  Dataset load(const Value&, const DataRoots&) const override { return {}; }
  std::unique_ptr<audio::SampleSource> sound(std::string_view source, int) const override {
    ++heard;
    if (source == "broken") throw DataError("{}: not a sound", source);
    const double hz = std::stod(std::string(source));
    const bool padded = source.ends_with('x');
    std::vector<float> x(static_cast<std::size_t>((padded ? 60 : 3) * kRate));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double t = static_cast<double>(i) / kRate;
      if (!padded || (t >= 15 && t < 45)) x[i] = static_cast<float>(0.3 * std::sin(2 * std::numbers::pi * hz * t));
    }
    return std::make_unique<audio::SampleBuffer>(std::move(x), kRate);
  }
  std::string sound_identity(std::string_view source) const override { return fmt::format("tone {}", source); }

  mutable std::atomic<int> heard = 0;
};

Dataset tones(const std::vector<std::string>& sources) {
  DatasetBuilder builder("tones");
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::string item = fmt::format("t{}", i);
    builder.add({.user = "u", .item = item, .time = static_cast<std::int64_t>(i)});
    if (!sources[i].empty()) builder.set_audio(item, sources[i]);
  }
  return builder.build();
}

float field(const ItemSound& sound, std::size_t item, std::string_view name) {
  const auto& fields = audio::fingerprint_fields();
  const auto it = std::ranges::find(fields, name, &audio::FingerprintField::name);
  SEGUE_CHECK(it != fields.end(), "no field '{}'", name);
  return sound.fingerprints[item * fields.size() + static_cast<std::size_t>(it - fields.begin())];
}

TEST(HearItems, HearsTheMiddleOfEachAndOnlyOnce) {
  const test::TempFolder folder;
  const Tones loader;
  const Dataset data = tones({"400", "", "800", "broken", "400", "800 x"});
  const std::string before = data.fingerprint();
  const auto sound = hear_items(data, loader, folder.path(), Executor(2));
  EXPECT_EQ(loader.heard, 4) << "equal identities are heard once";
  EXPECT_THAT(std::vector<int>(sound->heard.begin(), sound->heard.end()), testing::ElementsAre(1, 0, 1, 0, 1, 1));
  EXPECT_GT(field(*sound, 2, "centre"), field(*sound, 0, "centre") + 1);
  EXPECT_EQ(field(*sound, 4, "centre"), field(*sound, 0, "centre"));
  EXPECT_NEAR(field(*sound, 5, "centre"), field(*sound, 2, "centre"), 0.05);
  EXPECT_EQ(field(*sound, 1, "centre"), 0);
  // Of the mean level of MFCC, what silence around a tone would pull down.
  EXPECT_NEAR(sound->timbre_means[5 * 20], sound->timbre_means[2 * 20], 20) << "the silence around it was heard";
  EXPECT_EQ(sound->statistics.size(), 6 * audio::statistics_fields().size());
  EXPECT_EQ(sound->timbre_means.size(), 6u * 20);
  EXPECT_EQ(sound->timbre_covariances.size(), 6u * 210);

  // What was heard is kept, and what is new is added to it.
  Dataset again = tones({"400", "800", "1600", "800 x"});
  const auto kept = hear_items(again, loader, folder.path(), Executor(1));
  EXPECT_EQ(loader.heard, 5);
  EXPECT_EQ(field(*kept, 1, "band_10_p50"), field(*sound, 2, "band_10_p50"));
  EXPECT_EQ(field(*kept, 3, "band_10_p50"), field(*sound, 5, "band_10_p50"));

  // It follows from what the data set is, and so is no part of its identity.
  Dataset heard = data;
  heard.facets.add(sound);
  EXPECT_EQ(heard.fingerprint(), before);
}

TEST(HearItems, MayBeStoppedAndGoesOnLater) {
  const test::TempFolder folder;
  const Tones loader;
  const Dataset data = tones({"400", "500", "600", "700"});
  std::size_t calls = 0;
  const auto stopped = hear_items(data, loader, folder.path(), Executor(1), [&](const ListeningProgress& p) {
    EXPECT_EQ(p.total, 4u);
    EXPECT_EQ(p.done, ++calls);
    return calls < 2;
  });
  EXPECT_EQ(stopped, nullptr);
  EXPECT_EQ(loader.heard, 2);
  EXPECT_NE(hear_items(data, loader, folder.path(), Executor(1)), nullptr);
  EXPECT_EQ(loader.heard, 4);
}

TEST(HearItems, ACacheThatCannotBeReadCostsTimeOnly) {
  const test::TempFolder folder;
  const Tones loader;
  const Dataset data = tones({"400"});
  const auto first = hear_items(data, loader, folder.path(), Executor(1));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() / "sound"))
    std::filesystem::resize_file(entry.path(), 100);
  const auto second = hear_items(data, loader, folder.path(), Executor(1));
  EXPECT_EQ(loader.heard, 2);
  EXPECT_TRUE(std::ranges::equal(first->fingerprints.span(), second->fingerprints.span()));
}

TEST(HearItems, SaysWhereNothingCanBeHeard) {
  const test::TempFolder folder;
  const Tones loader;
  EXPECT_THAT(test::message_of<DataError>([&] {
                hear_items(tones({"broken", "broken"}), loader, folder.path(), Executor(1));
              }),
              HasSubstr("data set 'tones': no item can be heard; the first says: broken: not a sound"));
  EXPECT_THAT(test::message_of<DataError>([&] { hear_items(tones({""}), loader, folder.path(), Executor(1)); }),
              HasSubstr("item_audio"));
}

}  // namespace
}  // namespace segue
