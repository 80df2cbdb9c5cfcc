// segue audio index, search and recall, run as a person would: on melodies made here.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <numbers>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/transcript.hpp"
#include "tests/cli/wav.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {
namespace {

using Json = nlohmann::json;

// Notes that no other seed has: half a second each, of two harmonics.
std::string melody_wav(double seconds, std::uint32_t seed, double from = 0, double gain = 0.3) {
  constexpr double kRate = 22050;
  std::vector<std::int16_t> samples;
  for (std::size_t i = 0; i < static_cast<std::size_t>(seconds * kRate); ++i) {
    const double t = from + static_cast<double>(i) / kRate, since = std::fmod(t, 0.5);
    std::uint32_t note = seed * 2654435761u + static_cast<std::uint32_t>(t / 0.5) * 2246822519u;
    note = (note ^ note >> 15) * 2654435761u;
    const double hz = 110 * std::exp2((note >> 24) / 64.0);
    const double x = gain * std::exp(-4 * since) *
                     (std::sin(2 * std::numbers::pi * hz * t) + 0.7 * std::sin(2 * std::numbers::pi * 3.1 * hz * t));
    samples.push_back(static_cast<std::int16_t>(std::lround(x * 16000)));
  }
  return wav_of(samples, static_cast<std::uint32_t>(kRate));
}

TEST(AudioIndex, IsSearchedByBothQuestions) {
  const TempFolder folder;
  for (unsigned i = 0; i < 5; ++i) folder.write("music/" + std::to_string(i) + ".wav", melody_wav(14 + i, i));
  folder.write("music/text.wav", "a shopping list");
  const std::string music = (folder / "music").string(), index = (folder / "m.index").string();
  const Outcome built = segue({"audio", "index", music, "-o", index, "--format", "json", "--threads", "2"});
  EXPECT_EQ(built.exit_code, 1) << built.err;  // one is broken
  ASSERT_EQ(Json::parse(built.out).size(), 1u) << built.out;
  EXPECT_NE(built.err.find("5 recordings, "), std::string::npos) << built.err;
  EXPECT_NE(built.err.find("opens in "), std::string::npos) << built.err;

  const auto search = [&](const std::string& clip, const std::string& mode) {
    const Outcome outcome =
        segue({"audio", "search", "--index", index, "--query", clip, "--mode", mode, "-n", "3", "--json"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return Json::parse(outcome.out);
  };
  const std::string clip = folder.write("clip.wav", melody_wav(10, 3, 4.25, 0.05)).string();
  const std::string own = (folder / "music/3.wav").string();
  const Json identified = search(clip, "identify");
  EXPECT_EQ(identified.at("found"), true);
  EXPECT_EQ(identified.at("results").at(0).at("path"), own);
  EXPECT_NEAR(identified.at("results").at(0).at("offset_s"), 4.25, 0.05);
  const Json similar = search(clip, "similar");
  EXPECT_EQ(similar.at("found"), true);
  ASSERT_EQ(similar.at("results").size(), 3u);
  EXPECT_LE(similar.at("results").at(0).at("distance"), similar.at("results").at(1).at("distance"));
  for (const char* stage : {"open", "decode", "features", "search", "total"})
    EXPECT_GE(similar.at("timing_ms").at(stage), 0) << stage;
  const std::string other = folder.write("other.wav", melody_wav(10, 77)).string();
  const Json nothing = search(other, "identify");
  EXPECT_EQ(nothing.at("found"), false);
  EXPECT_TRUE(nothing.at("results").empty());
  const Outcome text = segue({"audio", "search", "--index", index, "--query", other, "--mode", "identify"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_EQ(text.out.find("not found: none of 5 recordings"), 0u) << text.out;
  const Outcome table = segue({"audio", "search", "--index", index, "--query", clip, "--mode", "identify"});
  EXPECT_NE(table.out.find("0:04.2"), std::string::npos) << table.out;

  const Outcome recall = segue({"audio", "recall", music, "--index", index, "--queries", "6", "--degrade",
                                "gain:-12,crop:8,all", "--seconds", "9", "--json"});
  EXPECT_EQ(recall.exit_code, 0) << recall.err;
  const Json figures = Json::parse(recall.out);
  ASSERT_EQ(figures.at("results").size(), 3u);
  for (const Json& r : figures.at("results")) {
    EXPECT_EQ(r.at("queries"), 6);
    EXPECT_EQ(r.at("identify").at("in_place"), 1) << r;
    EXPECT_EQ(r.at("identify").at("not_found_without_it"), 1) << r;
    EXPECT_EQ(r.at("similar").at("recall_at_10"), 1) << r;
  }
}

TEST(AudioIndex, HearsOnlyWhatIsNew) {
  const TempFolder folder;
  folder.write("music/a.wav", melody_wav(3, 1));
  folder.write("music/b.wav", melody_wav(3, 2));
  const std::string music = (folder / "music").string(), index = (folder / "m.index").string();
  const auto build = [&](std::vector<std::string> more) {
    std::vector<std::string> all{"audio", "index", music, "-o", index};
    all.insert(all.end(), more.begin(), more.end());
    const Outcome outcome = segue(all);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.err;
  };
  EXPECT_NE(build({}).find("0 recordings as before, 2 heard"), std::string::npos);
  EXPECT_NE(build({}).find("up to date"), std::string::npos);
  folder.write("music/c.wav", melody_wav(3, 3));
  EXPECT_NE(build({}).find("2 recordings as before, 1 heard"), std::string::npos);
  std::filesystem::remove(folder / "music/a.wav");
  const std::string smaller = build({});
  EXPECT_NE(smaller.find("2 recordings as before, 0 heard"), std::string::npos) << smaller;
  EXPECT_NE(smaller.find("2 recordings, "), std::string::npos) << smaller;
  EXPECT_NE(build({"--fresh"}).find("0 recordings as before, 2 heard"), std::string::npos);
  const std::string more = build({"--distractors", "50", "--kind", "exact"});
  EXPECT_NE(more.find("2 recordings and 50 distractors"), std::string::npos) << more;

  // What is damaged is made again by the same command.
  const auto spoil = [&](const char* file, std::uintmax_t size) {
    std::filesystem::resize_file(std::filesystem::path(index) / file, size);
  };
  build({});
  spoil("landmarks.idx", 200);
  const std::string mended = build({});
  EXPECT_NE(mended.find("2 recordings as before, 0 heard"), std::string::npos) << mended;
  EXPECT_NE(mended.find("build the index anew; it is built anew"), std::string::npos) << mended;
  spoil("tracks.h5", 900);
  EXPECT_NE(build({}).find("it is built anew"), std::string::npos);
  spoil("heard.h5", 900);
  const std::string heard = build({});
  EXPECT_NE(heard.find("everything is heard anew"), std::string::npos) << heard;
  EXPECT_NE(heard.find("0 recordings as before, 2 heard"), std::string::npos) << heard;
  EXPECT_NE(build({}).find("2 recordings as before, 0 heard"), std::string::npos);
  std::filesystem::remove(std::filesystem::path(index) / "vectors.idx");
  EXPECT_NE(build({}).find("it is built anew"), std::string::npos);
  EXPECT_NE(build({}).find("up to date"), std::string::npos);
}

TEST(AudioIndex, RefusesWhatCannotBe) {
  const TempFolder folder;
  folder.write("music/a.wav", melody_wav(3, 1));
  const std::string music = (folder / "music").string(), index = (folder / "m.index").string();
  EXPECT_EQ(segue({"audio", "index", music, "-o", index}).exit_code, 0);
  const auto refusal = [&](int code, const std::vector<std::string>& command) {
    const Outcome outcome = segue(command);
    EXPECT_EQ(outcome.exit_code, code) << outcome.err;
    return outcome.err;
  };
  const std::string brief = folder.write("brief.wav", melody_wav(0.4, 1)).string(),
                    clip = (folder / "music/a.wav").string();
  const auto search = [&](const std::string& where, const std::string& what, const std::string& mode = "similar") {
    return std::vector<std::string>{"audio", "search", "--index", where, "--query", what, "--mode", mode};
  };
  EXPECT_NE(refusal(3, search(index, brief)).find("0.40 s from second 0 on"), std::string::npos);
  EXPECT_NE(refusal(3, search(index, folder.write("t.wav", "words").string())).find("not a sound file"),
            std::string::npos);
  EXPECT_NE(refusal(3, search(music, clip)).find("not an index"), std::string::npos);
  EXPECT_NE(refusal(2, search(index, clip, "alike")).find("similar and identify"), std::string::npos);
  EXPECT_NE(refusal(2, {"audio", "index", music, "-o", music}).find("is there already, and no index"),
            std::string::npos);
  EXPECT_NE(refusal(2, {"audio", "index", "-o", index}).find("name recordings"), std::string::npos);
  EXPECT_NE(refusal(2, {"audio", "index", music, "-o", index, "--kind", "tree"}).find("hnsw"), std::string::npos);
  EXPECT_NE(refusal(2, {"audio", "recall", music, "--index", index}).find("10 s long or longer"), std::string::npos);
  std::filesystem::remove(folder / "m.index/tracks.h5");
  EXPECT_NE(refusal(3, search(index, clip)).find("not finished"), std::string::npos);
}

}  // namespace
}  // namespace segue::test
