// segue audio, run as a person would: on recordings made here.
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/transcript.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {
namespace {

using Json = nlohmann::json;

// Mono WAV, 16 bits, 22,050 Hz: an A minor chord struck twice a second.
std::string wav(double seconds) {
  constexpr std::uint32_t kRate = 22050;
  const auto n = static_cast<std::uint32_t>(seconds * kRate);
  std::string out;
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 0xff);
  };
  out += "RIFF";
  put(36 + 2 * n, 4);
  out += "WAVEfmt ";
  put(16, 4), put(1, 2), put(1, 2), put(kRate, 4), put(2 * kRate, 4), put(2, 2), put(16, 2);
  out += "data";
  put(2 * n, 4);
  for (std::uint32_t i = 0; i < n; ++i) {
    const double t = static_cast<double>(i) / kRate, since = std::fmod(t, 0.5);
    double x = 0;
    for (const double hz : {440.0, 523.25, 659.26})
      x += 0.25 * std::exp(-8 * since) * std::sin(2 * std::numbers::pi * hz * t);
    put(static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(x * 32767))) & 0xffff, 2);
  }
  return out;
}

TEST(AudioAnalyze, SaysWhatARecordingSoundsLike) {
  const TempFolder folder;
  const auto file = folder.write("a song.wav", wav(12));
  const Outcome table = segue({"audio", "analyze", file.string()});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  for (const char* word : {"duration", "tempo", "key", "energy", "danceability", "brightness", "harmony", "timbre"})
    EXPECT_NE(table.out.find(word), std::string::npos) << word;
  const Outcome json = segue({"audio", "analyze", file.string(), "--json"});
  const Json all = Json::parse(json.out);
  EXPECT_NEAR(all.at("duration_s"), 12, 0.01);
  EXPECT_NEAR(all.at("tempo_bpm"), 120, 2);
  EXPECT_EQ(all.at("key"), "A minor");
  EXPECT_EQ(all.at("mfcc_mean").size(), 20u);
  EXPECT_EQ(all.at("chroma_mean").size(), 12u);
  for (const char* key : {"energy", "danceability", "spectral_centroid_hz", "loudness_lufs"})
    EXPECT_TRUE(all.at(key).is_number());
  EXPECT_EQ(Json::parse(segue({"audio", "analyze", file.string(), file.string(), "--json"}).out).size(), 2u);
}

TEST(AudioAnalyze, WritesPicturesAndClicks) {
  const TempFolder folder;
  const auto file = folder.write("a song.wav", wav(4));
  const Outcome outcome = segue({"audio", "analyze", file.string(), "--dashboard", (folder / "out").string(),
                                 "--clicks", (folder / "c.wav").string()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const char* name : {"a_song.png", "a_song.svg", "a_song.pdf", "a_song.html"})
    EXPECT_TRUE(std::filesystem::exists(folder / "out" / name)) << name;
  EXPECT_GT(std::filesystem::file_size(folder / "c.wav"), 4 * 2 * 22000u);
  std::ifstream in(folder / "out" / "a_song.html");
  const std::string page((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_NE(page.find("src=\"../a%20song.wav\""), std::string::npos);
  EXPECT_NE(page.find("<svg "), std::string::npos);
}

TEST(AudioAnalyze, RefusesWhatIsNoSound) {
  const TempFolder folder;
  const Outcome text = segue({"audio", "analyze", folder.write("text.wav", "a shopping list").string()});
  EXPECT_EQ(text.exit_code, 3);
  EXPECT_NE(text.err.find("text.wav: not a sound file"), std::string::npos) << text.err;
  EXPECT_EQ(segue({"audio", "analyze", (folder / "none.mp3").string()}).exit_code, 3);
  EXPECT_EQ(segue({"audio", "analyze"}).exit_code, 2);
}

TEST(AudioExtract, GoesOnWhereItEndedAndListsWhatIsBroken) {
  const TempFolder folder;
  folder.write("music/a/one.wav", wav(3));
  folder.write("music/two.wav", wav(2));
  folder.write("music/notes.txt", "no recording");
  folder.write("music/text.wav", "a shopping list");
  const std::string music = (folder / "music").string(), out = (folder / "f.h5").string();
  const Outcome first = segue({"audio", "extract", music, "-o", out, "--format", "json"});
  EXPECT_EQ(first.exit_code, 1) << first.err;  // one is broken
  const Json broken = Json::parse(first.out);
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_EQ(broken[0].at("not_readable"), "text.wav");
  EXPECT_NE(first.err.find("2 extracted"), std::string::npos) << first.err;
  folder.write("music/three.wav", wav(1));
  std::filesystem::remove(folder / "music/text.wav");
  const Outcome second = segue({"audio", "extract", music, "-o", out});
  EXPECT_EQ(second.exit_code, 0) << second.err;
  EXPECT_NE(second.err.find("2 as before, 1 extracted"), std::string::npos) << second.err;
  EXPECT_EQ(segue({"audio", "extract", (folder / "nowhere").string(), "-o", out}).exit_code, 3);
}

// Noise, where `pitched` is false.
std::string short_wav(bool pitched, unsigned seed) {
  std::string out = wav(0.5);
  if (pitched) return out;
  std::uint32_t state = seed * 2654435761u + 1;
  for (std::size_t i = 44; i < out.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    if (i % 2 == 1) out[i] = static_cast<char>(state >> 27);  // the high byte: a quarter of full scale
  }
  return out;
}

TEST(AudioClasses, FindsWhatIsOfAKind) {
  const TempFolder folder;
  for (unsigned i = 0; i < 4; ++i) {
    folder.write("m/chords/" + std::to_string(i) + ".wav", short_wav(true, i));
    folder.write("m/noises/" + std::to_string(i) + ".wav", short_wav(false, i));
  }
  folder.write("m/chords/broken.wav", "no sound");
  const std::vector<std::string> start{"audio", "classes", "audio_folder", "path=" + (folder / "m").string(),
                                       "parent=class"};
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> all = start;
    all.insert(all.end(), more.begin(), more.end());
    return segue(all);
  };
  const Outcome json = run({"--json", "--k", "2"});
  ASSERT_EQ(json.exit_code, 0) << json.err;
  EXPECT_NE(json.err.find("1 recordings cannot be heard"), std::string::npos) << json.err;
  const Json all = Json::parse(json.out);
  EXPECT_EQ(all.at("asked"), 8);
  EXPECT_EQ(all.at("precision"), 1);
  EXPECT_EQ(all.at("nearest_accuracy"), 1);
  EXPECT_EQ(all.at("votes"), Json::parse("[[4, 0], [0, 4]]"));
  EXPECT_EQ(all.at("classes").at(1).at("class"), "noises");
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--distance", "timbre"},
                                               {"--distance", "timbre", "--mutual-proximity"},
                                               {"--confusion"}}) {
    const Outcome table = run(more);
    EXPECT_EQ(table.exit_code, 0) << table.err;
    EXPECT_NE(table.out.find("precision at 5"), std::string::npos) << table.out;
    EXPECT_NE(table.out.find("chords"), std::string::npos) << table.out;
  }
  EXPECT_NE(run({"--folds", "given"}).err.find("has no folds; use --folds leave-one-out"), std::string::npos);
  EXPECT_NE(run({"--artist-filter"}).err.find("has no artists"), std::string::npos);
  EXPECT_NE(segue({"audio", "classes", "audio_folder", "path=" + (folder / "m").string()}).err.find("has no classes"),
            std::string::npos);
}

TEST(DataSetsOfRecordings, HaveNeitherUsersNorEvents) {
  const TempFolder folder;
  for (const char* name : {"m/a/1.wav", "m/b/2.wav", "m/b/3.wav"}) folder.write(name, wav(0.2));
  folder.write("m/t.csv", "path,fold\na/1.wav,1\nb/2.wav,2\n");
  const std::vector<std::string> start{"audio_folder", "path=" + (folder / "m").string(), "parent=class",
                                       "metadata=t.csv"};
  const auto run = [&](const char* command) {
    std::vector<std::string> all{"data", command};
    all.insert(all.end(), start.begin(), start.end());
    return segue(all);
  };
  const Outcome info = run("info");
  EXPECT_EQ(info.exit_code, 0) << info.err;
  EXPECT_NE(info.out.find("3 recordings, 2 classes, 2 folds; no events"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("2 classes, folds 1, 2"), std::string::npos) << info.out;
  EXPECT_EQ(info.out.find("density"), std::string::npos) << info.out;
  const Outcome check = run("check");
  EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
  const Outcome describe = run("describe");
  EXPECT_EQ(describe.exit_code, 0) << describe.err;
  EXPECT_NE(describe.out.find("fold 2"), std::string::npos) << describe.out;
  EXPECT_EQ(describe.out.find("nan"), std::string::npos) << describe.out;
}

}  // namespace
}  // namespace segue::test
