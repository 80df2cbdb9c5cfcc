// An index of made-up music as a folder: what it finds, against distances worked out one by one; what it refuses.
#include "framework/audio/sound_index.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include <gmock/gmock.h>

#include "framework/audio/distractors.hpp"
#include "framework/base/errors.hpp"
#include "tests/support/made_up_music.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::audio {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kRate = 22050;
constexpr std::size_t kTracks = 5;

std::vector<float> music(std::size_t i) { return test::made_up_music(i, 12 + 2 * static_cast<double>(i), kRate); }

// Heard once for all tests.
const HeardFile& heard(std::size_t windows) {
  static std::map<std::size_t, HeardFile> all;
  const auto [it, made] = all.try_emplace(windows);
  if (made) {
    it->second.definition = heard_definition(windows);
    for (std::size_t i = 0; i < kTracks; ++i) {
      SampleBuffer source(music(i), kRate);
      it->second.recordings.push_back(
          hear_recording(source, {"track " + std::to_string(i), 10 * i, static_cast<std::int64_t>(i)}, windows));
    }
  }
  return it->second;
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(HearRecording, HearsAllOfItInOnePass) {
  const HeardRecording& r = heard(2).recordings[3];  // 18 s
  EXPECT_NEAR(r.seconds, 18, 0.01);
  ASSERT_EQ(r.begins, std::vector<double>({0, 2, 6}));  // the first and third quarter of the 8 s that there are
  ASSERT_EQ(r.vectors.size(), 3 * sound_vector_size());
  SampleBuffer source(music(3), kRate);
  EXPECT_EQ(r.landmarks, find_landmarks(source));
  const auto row = [&](std::size_t i) {
    const auto begin = r.vectors.begin() + static_cast<std::ptrdiff_t>(i * sound_vector_size());
    return std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(sound_vector_size()));
  };
  const std::vector<float> all = music(3);
  EXPECT_EQ(row(0), sound_vector(all));
  EXPECT_EQ(row(2), sound_vector(std::vector<float>(all.begin() + 6 * kRate, all.begin() + 16 * kRate)));
  SampleBuffer brief(std::vector<float>(all.begin(), all.begin() + 3 * kRate), kRate), nothing({}, kRate);
  EXPECT_EQ(hear_recording(brief, {}, 2).begins, std::vector<double>({0}));
  EXPECT_THAT(test::message_of<DataError>([&] { hear_recording(nothing, {"x.wav", 0, 0}, 0); }), HasSubstr("x.wav"));
  EXPECT_LE(sound_vector_size(), kSoundDims);
  EXPECT_EQ(sound_vector_weights().size(), sound_vector_size());
}

TEST(HeardFile, AFileSaysTheSame) {
  const test::TempFolder folder;
  heard(2).save(folder / "heard.h5");
  const HeardFile again = HeardFile::load(folder / "heard.h5");
  EXPECT_EQ(again.definition, heard_definition(2));
  ASSERT_EQ(again.recordings.size(), kTracks);
  for (std::size_t i = 0; i < kTracks; ++i) {
    const HeardRecording &a = again.recordings[i], &b = heard(2).recordings[i];
    EXPECT_EQ(a.file, b.file);
    EXPECT_EQ(a.seconds, b.seconds);
    EXPECT_EQ(a.vectors, b.vectors);
    EXPECT_EQ(a.begins, b.begins);
    EXPECT_EQ(a.landmarks, b.landmarks);
  }
  HeardFile{heard_definition(0), {}}.save(folder / "none.h5");
  EXPECT_TRUE(HeardFile::load(folder / "none.h5").recordings.empty());
  folder.write("text.h5", "a shopping list");
  EXPECT_THROW(HeardFile::load(folder / "text.h5"), DataError);
}

// Zero mean and unit variance over whole recordings, cut at five, weighted; then square roots of sums of squares.
TEST(SoundIndex, FindsTheNearest) {
  for (const IndexKind kind : {IndexKind::kExact, IndexKind::kHnsw})
    for (const std::size_t windows : {0, 2}) {
      const test::TempFolder folder;
      SoundIndexSettings settings;
      settings.vectors.kind = kind;
      settings.windows = windows;
      SoundIndex::build(folder.path(), heard(windows), settings, Executor(2));
      const SoundIndex index = SoundIndex::open(folder.path());
      ASSERT_EQ(index.tracks(), kTracks);
      EXPECT_EQ(index.path(3), "track 3");
      EXPECT_NEAR(index.seconds(3), 18, 0.01);
      const std::size_t n = sound_vector_size();
      std::vector<double> mean(n), deviation(n);
      const auto whole = [&](std::size_t t, std::size_t c) {
        return static_cast<double>(heard(windows).recordings[t].vectors[c]);
      };
      for (std::size_t c = 0; c < n; ++c) {
        for (std::size_t t = 0; t < kTracks; ++t) mean[c] += whole(t, c) / kTracks;
        for (std::size_t t = 0; t < kTracks; ++t) deviation[c] += std::pow(whole(t, c) - mean[c], 2) / kTracks;
        deviation[c] = std::sqrt(deviation[c]);
      }
      const auto placed = [&](std::span<const float> x, std::size_t c) {
        if (deviation[c] <= 1e-9 * std::abs(mean[c])) return 0.0;
        const double weight = c >= n - 210 ? std::sqrt(20 / 210.0) : 1;
        return weight * std::clamp((static_cast<double>(x[c]) - mean[c]) / deviation[c], -5.0, 5.0);
      };
      const std::vector<float> all = music(2);
      const std::vector<float> asked = sound_vector(std::vector<float>(all.begin() + kRate, all.begin() + 11 * kRate));
      std::vector<std::tuple<double, std::uint32_t, double>> expected;  // distance, track, second
      for (std::uint32_t t = 0; t < kTracks; ++t) {
        const HeardRecording& r = heard(windows).recordings[t];
        double least = INFINITY, begin = 0;
        for (std::size_t row = 0; row < r.begins.size(); ++row) {
          double sum = 0;
          for (std::size_t c = 0; c < n; ++c)
            sum += std::pow(placed(std::span(r.vectors).subspan(row * n, n), c) - placed(asked, c), 2);
          if (std::sqrt(sum) < least) least = std::sqrt(sum), begin = r.begins[row];
        }
        expected.emplace_back(least, t, begin);
      }
      std::ranges::sort(expected);
      const std::vector<SimilarRecording> found = index.similar(index.placed(asked), kTracks);
      ASSERT_GE(found.size(), windows == 0 ? kTracks : 1);
      for (std::size_t i = 0; i < found.size(); ++i) {
        const auto [distance, track, begin] = expected[i];
        EXPECT_EQ(found[i].track, track);
        EXPECT_EQ(found[i].begin, begin);
        EXPECT_NEAR(found[i].distance, distance, 1e-3 * (1 + distance));
      }
      EXPECT_EQ(found[0].track, 2u);
    }
}

TEST(SoundIndex, IsTheSameForAnyNumberOfThreads) {
  const test::TempFolder a, b;
  SoundIndexSettings settings;
  settings.distractors = 300;
  SoundIndex::build(a.path(), heard(0), settings, Executor(1));
  SoundIndex::build(b.path(), heard(0), settings, Executor(3));
  for (const char* name : {"tracks.h5", "vectors.idx", "landmarks.idx"}) {
    EXPECT_GT(bytes_of(a / name).size(), 1000u) << name;
    EXPECT_TRUE(bytes_of(a / name) == bytes_of(b / name)) << name;
  }
  const SoundIndex index = SoundIndex::open(a.path());
  EXPECT_EQ(index.distractors(), 300u);
  EXPECT_EQ(index.path(kTracks + 12), "distractor 000012");
  EXPECT_EQ(index.vectors().rows(), kTracks + 300);
}

TEST(SoundIndex, KnowsWhetherItIsUpToDate) {
  const test::TempFolder folder;
  SoundIndexSettings settings;
  EXPECT_FALSE(SoundIndex::is_index(folder.path()));
  EXPECT_FALSE(SoundIndex::is_of(folder.path(), heard(0), settings));
  SoundIndex::build(folder.path(), heard(0), settings, Executor(1));
  EXPECT_TRUE(SoundIndex::is_of(folder.path(), heard(0), settings));
  settings.vectors.kind = IndexKind::kExact;
  EXPECT_FALSE(SoundIndex::is_of(folder.path(), heard(0), settings));
  HeardFile changed = heard(0);
  changed.recordings[1].file.modified += 1;
  EXPECT_FALSE(SoundIndex::is_of(folder.path(), changed, {}));
}

TEST(SoundIndex, RefusesWhatIsNoIndex) {
  const test::TempFolder folder;
  const auto refusal = [&] { return test::message_of<DataError>([&] { SoundIndex::open(folder.path()); }); };
  EXPECT_THAT(refusal(), HasSubstr("not an index"));
  heard(0).save(SoundIndex::heard_path(folder.path()));
  EXPECT_THAT(refusal(), HasSubstr("not finished"));
  SoundIndex::build(folder.path(), heard(0), {}, Executor(1));
  const std::string whole = bytes_of(folder / "landmarks.idx");
  folder.write("landmarks.idx", whole.substr(0, whole.size() - 64));
  EXPECT_THAT(refusal(), HasSubstr("landmarks.idx"));
  LandmarkIndex::build({}, {}, Executor(1)).save(folder / "landmarks.idx");
  EXPECT_THAT(refusal(), HasSubstr("do not fit each other"));
  HeardFile other = heard(0);
  other.definition = "of old";
  SoundIndex::build(folder.path(), other, {}, Executor(1));
  EXPECT_THAT(refusal(), HasSubstr("other definitions"));
  EXPECT_THROW(SoundIndex::build(folder.path(), {heard_definition(0), {}}, {}, Executor(1)), UsageError);
}

// As far from the nearest row as rows are from each other, or nearer; as many; none twice.
TEST(Distractors, AreSpreadAsRowsAre) {
  Matrix<float> rows(60, 8);
  Rng rng(1);
  for (Eigen::Index r = 0; r < rows.rows(); ++r)
    for (Eigen::Index c = 0; c < rows.cols(); ++c)
      rows(r, c) = static_cast<float>((r < 30 ? 0 : 20) + (c + 1) * rng.normal());
  const Matrix<float> made = resampled_rows(rows, 2000, Rng(7), Executor(2));
  ASSERT_EQ(made.rows(), 2000);
  EXPECT_TRUE(made == resampled_rows(rows, 2000, Rng(7), Executor(1)));
  EXPECT_TRUE(made.topRows(50) == resampled_rows(rows, 50, Rng(7), Executor(3)));
  EXPECT_FALSE(made == resampled_rows(rows, 2000, Rng(8), Executor(1)));
  const auto mean_and_deviation = [](const Matrix<float>& m, Eigen::Index c) {
    const double mean = static_cast<double>(m.col(c).mean());
    return std::pair(mean,
                     std::sqrt(static_cast<double>((m.col(c).array() - static_cast<float>(mean)).square().mean())));
  };
  for (Eigen::Index c = 0; c < rows.cols(); ++c) {
    const auto [mean, deviation] = mean_and_deviation(rows, c);
    const auto [made_mean, made_deviation] = mean_and_deviation(made, c);
    EXPECT_NEAR(made_mean, mean, 0.35 * deviation) << c;
    EXPECT_NEAR(made_deviation, deviation, 0.35 * deviation) << c;
  }
  int between = 0;  // the two groups
  for (Eigen::Index r = 0; r < made.rows(); ++r) between += made(r, 0) > 6 && made(r, 0) < 14 ? 1 : 0;
  EXPECT_LT(between, 40);
  EXPECT_THROW(resampled_rows(rows.topRows(1), 3, Rng(1), Executor(1)), UsageError);
  EXPECT_EQ(resampled_rows(rows.topRows(1), 0, Rng(1), Executor(1)).rows(), 0);
}

}  // namespace
}  // namespace segue::audio
