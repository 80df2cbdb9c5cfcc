// Clips find their recording and their place in it: against a count over all pairs, after every degradation, from a
// file, and not at all where they are of something else.
#include "framework/audio/landmark_index.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "framework/audio/degrade.hpp"
#include "framework/base/errors.hpp"
#include "tests/support/made_up_music.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::audio {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kRate = 22050;
constexpr std::size_t kTracks = 8;

const std::vector<float>& music(std::size_t i) {
  static const std::vector<std::vector<float>> all = [] {
    std::vector<std::vector<float>> out;
    for (std::size_t t = 0; t < kTracks; ++t)
      out.push_back(test::made_up_music(100 + t, 14 + static_cast<double>(t), kRate));
    return out;
  }();
  return all[i];
}

std::vector<std::vector<Landmark>> landmarks_of_all() {
  static const std::vector<std::vector<Landmark>> all = [] {
    std::vector<std::vector<Landmark>> out;
    for (std::size_t i = 0; i < kTracks; ++i) {
      SampleBuffer source(music(i), kRate);
      out.push_back(find_landmarks(source));
    }
    return out;
  }();
  return all;
}

LandmarkIndex index_of_all(int threads = 1) { return LandmarkIndex::build(landmarks_of_all(), {}, Executor(threads)); }

std::vector<float> clip_of(std::size_t track, std::size_t from, double seconds = 10) {
  const std::vector<float>& all = music(track);
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(seconds * kRate)};
}

std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(LandmarkIndex, ClipsFindTheirPlace) {
  const LandmarkIndex index = index_of_all();
  for (std::size_t t = 0; t < kTracks; ++t)
    for (const std::size_t hops : {0, 31, 150}) {
      const std::size_t from = hops * 512 + (t % 2 == 0 ? 0 : 301);
      const ClipLandmarks clip = find_clip_landmarks(clip_of(t, from, 9));
      const Identification found = index.identify(clip, 3);
      ASSERT_FALSE(found.best.empty());
      EXPECT_EQ(found.best[0].track, t);
      EXPECT_NEAR(found.best[0].offset, static_cast<double>(from) / kRate, 0.012) << t;  // half a hop
      EXPECT_TRUE(found.found);
      EXPECT_GT(found.best[0].share, 0.7);
      EXPECT_FALSE(index.identify(clip, 3, static_cast<std::uint32_t>(t)).found) << "without it";
      EXPECT_NE(index.identify(clip, 3, static_cast<std::uint32_t>(t)).best.at(0).track, t);
    }
}

TEST(LandmarkIndex, ClipsFindTheirPlaceAfterEveryDegradation) {
  const LandmarkIndex index = index_of_all();
  for (const char* how : {"gain:-12", "noise:10", "mp3:64", "crop:6"}) {
    for (std::size_t t = 0; t < kTracks; ++t) {
      const std::vector<float> x =
          degraded(clip_of(t, 20000 + 777 * t), kRate, parse_degradations(how).front(), Rng(t).stream("noise"));
      const Identification found = index.identify(find_clip_landmarks(x), 1);
      const double cropped = std::string_view(how) == "crop:6" ? 2 : 0;
      ASSERT_TRUE(found.found) << how << " " << t;
      EXPECT_EQ(found.best[0].track, t) << how;
      EXPECT_NEAR(found.best[0].offset, static_cast<double>(20000 + 777 * t) / kRate + cropped, 0.03) << how;
    }
  }
}

TEST(LandmarkIndex, OthersAreNotFound) {
  const LandmarkIndex index = index_of_all();
  for (std::uint64_t seed = 1; seed <= 6; ++seed)
    EXPECT_FALSE(index.identify(find_clip_landmarks(test::made_up_music(seed, 10, kRate)), 3).found) << seed;
  std::vector<float> noise(10 * kRate);
  Rng(3).fill_normal(noise, 0, 0.1f);
  EXPECT_FALSE(index.identify(find_clip_landmarks(noise), 3).found);
  const Identification silence = index.identify(find_clip_landmarks(std::vector<float>(kRate, 0.0f)), 3);
  EXPECT_FALSE(silence.found);
  EXPECT_TRUE(silence.best.empty());
  const LandmarkIndex empty = LandmarkIndex::build({}, {}, Executor(1));
  EXPECT_FALSE(empty.identify(find_clip_landmarks(clip_of(0, 0)), 3).found);
}

// All pairs of equal hashes; for each track the window of offsets with most of them, then the landmarks in it.
TEST(LandmarkIndex, VotesAreCountedOverAllPairs) {
  const std::vector<std::vector<Landmark>> all = landmarks_of_all();
  const ClipLandmarks clip = find_clip_landmarks(with_noise(clip_of(5, 40000), 5, Rng(1)));
  std::vector<std::pair<std::uint32_t, std::uint32_t>> expected;  // votes, track
  for (std::uint32_t t = 0; t < kTracks; ++t) {
    std::multimap<std::int64_t, Landmark> by_offset;
    for (const Landmark& known : all[t])
      for (const Landmark& asked : clip.landmarks)
        if (known.hash == asked.hash)
          by_offset.emplace(clip.shifts * std::int64_t{known.frame} - std::int64_t{asked.frame}, known);
    std::size_t most = 0;
    std::uint32_t votes = 0;
    for (auto begin = by_offset.begin(); begin != by_offset.end(); begin = by_offset.upper_bound(begin->first)) {
      const auto end = by_offset.upper_bound(begin->first + 3);  // 2 x 0.75 hops of 2
      const auto hits = static_cast<std::size_t>(std::distance(begin, end));
      if (hits <= most) continue;
      most = hits;
      std::set<Landmark> distinct;
      for (auto it = begin; it != end; ++it) distinct.insert(it->second);
      votes = static_cast<std::uint32_t>(distinct.size());
    }
    if (votes > 0) expected.emplace_back(votes, t);
  }
  std::ranges::sort(expected, [](const auto& a, const auto& b) {
    return std::pair(b.first, a.second) < std::pair(a.first, b.second);
  });
  const Identification found = index_of_all().identify(clip, kTracks);
  ASSERT_EQ(found.best.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found.best[i].votes, expected[i].first);
    EXPECT_EQ(found.best[i].track, expected[i].second);
    EXPECT_EQ(found.best[i].share, static_cast<double>(expected[i].first) / static_cast<double>(clip.plain));
  }
}

TEST(LandmarkIndex, IsTheSameFileForAnyNumberOfThreads) {
  const test::TempFolder folder;
  index_of_all(1).save(folder / "1");
  const std::string expected = bytes_of(folder / "1");
  EXPECT_GT(expected.size(), 10000u);
  for (const int threads : {2, 3, 8}) {
    index_of_all(threads).save(folder / "n");
    EXPECT_TRUE(bytes_of(folder / "n") == expected) << threads;
  }
}

TEST(LandmarkIndex, AFileSaysTheSame) {
  const test::TempFolder folder;
  const LandmarkIndex made = index_of_all();
  made.save(folder / "landmarks");
  const LandmarkIndex opened = LandmarkIndex::open(folder / "landmarks");
  opened.verify();
  EXPECT_EQ(opened.tracks(), kTracks);
  EXPECT_EQ(opened.postings(), made.postings());
  EXPECT_EQ(opened.hashes(), made.hashes());
  const ClipLandmarks clip = find_clip_landmarks(clip_of(3, 12345));
  const Identification a = made.identify(clip, 5), b = opened.identify(clip, 5);
  ASSERT_EQ(a.best.size(), b.best.size());
  for (std::size_t i = 0; i < a.best.size(); ++i) {
    EXPECT_EQ(a.best[i].track, b.best[i].track);
    EXPECT_EQ(a.best[i].offset, b.best[i].offset);
    EXPECT_EQ(a.best[i].votes, b.best[i].votes);
  }
  opened.save(folder / "again");
  EXPECT_TRUE(bytes_of(folder / "again") == bytes_of(folder / "landmarks"));
}

TEST(LandmarkIndex, RefusesOtherFiles) {
  const test::TempFolder folder;
  index_of_all().save(folder / "landmarks");
  const std::string whole = bytes_of(folder / "landmarks");
  const auto refusal = [&](std::string bytes) {
    folder.write("broken", bytes);
    return test::message_of<DataError>([&] { LandmarkIndex::open(folder / "broken").verify(); });
  };
  EXPECT_THAT(refusal(""), HasSubstr("not landmarks"));
  EXPECT_THAT(refusal("a shopping list, and more of it than a line"), HasSubstr("not landmarks"));
  EXPECT_THAT(refusal(whole.substr(0, 100)), HasSubstr("not landmarks"));
  EXPECT_THAT(refusal(whole.substr(0, whole.size() - 64)), HasSubstr("bytes where there should be"));
  EXPECT_THAT(refusal(whole + std::string(64, '\0')), HasSubstr("bytes where there should be"));
  std::string changed = whole;
  changed[16] = 9;
  EXPECT_THAT(refusal(changed), HasSubstr("version 9"));
  changed = whole;
  changed[33] ^= 1;
  EXPECT_THAT(refusal(changed), HasSubstr("damaged"));
  changed = whole;
  changed[changed.size() - 100] ^= 1;
  EXPECT_THAT(refusal(changed), HasSubstr("checksum"));
  LandmarkSettings other;
  other.fan_out = 9;
  EXPECT_THAT(test::message_of<DataError>([&] { LandmarkIndex::open(folder / "landmarks", other); }),
              AllOf(HasSubstr("other settings"), HasSubstr("fan_out=9")));
  EXPECT_THROW(LandmarkIndex::open(folder / "none"), EnvironmentError);
  EXPECT_THROW(index_of_all().save(folder / "no such folder/landmarks"), EnvironmentError);
}

}  // namespace
}  // namespace segue::audio
