// segue audio, run as a person would: on recordings made here.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/transcript.hpp"
#include "tests/cli/wav.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {
namespace {

using Json = nlohmann::json;

// Mono WAV, 16 bits, 22,050 Hz: a minor chord struck twice a second, on A unless that is transposed.
std::string wav(double seconds, double transposed = 1) {
  constexpr std::uint32_t kRate = 22050;
  std::vector<std::int16_t> samples;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(seconds * kRate); ++i) {
    const double t = static_cast<double>(i) / kRate, since = std::fmod(t, 0.5);
    double x = 0;
    for (const double hz : {440.0, 523.25, 659.26})
      x += 0.25 * std::exp(-8 * since) * std::sin(2 * std::numbers::pi * hz * transposed * t);
    samples.push_back(static_cast<std::int16_t>(std::lround(x * 32767)));
  }
  return wav_of(samples, kRate);
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

// Ten minutes of samples are 53 MB, which nothing may hold; a growing array would hold them twice or thrice.
TEST(AudioAnalyze, NeverHoldsARecording) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers hold memory of their own";
#endif
  const TempFolder folder;
  const long small = segue({"audio", "analyze", folder.write("short.wav", wav(1)).string()}).peak_bytes;
  const std::string file = folder.write("long.wav", wav(600)).string();
  const Outcome outcome = segue({"audio", "analyze", file, "--dashboard", (folder / "out").string()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  // Six minutes of spectra at first (67 MB), then 520 bytes a frame of log-mel and some of everything else.
  EXPECT_LT(outcome.peak_bytes - small, 100 << 20);
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

TEST(AudioExtract, GoesOnAfterEveryKindOfFile) {
  const TempFolder folder;
  const std::string whole = wav(3);
  folder.write("music/good.wav", whole);
  folder.write("music/empty.mp3", "");
  folder.write("music/text.wav", "a shopping list");
  folder.write("music/tiny.wav", wav(0.01));
  std::string silence = whole;
  std::fill(silence.begin() + 44, silence.end(), '\0');
  folder.write("music/silence.wav", silence);
  std::filesystem::create_symlink(folder / "music/good.wav", folder / "music/link.wav");
  const Outcome outcome = segue({"audio", "extract", (folder / "music").string(), "-o", (folder / "f.h5").string(),
                                 "--threads", "2", "--format", "json"});
  EXPECT_EQ(outcome.exit_code, 1);
  std::vector<std::string> broken;
  for (const Json& row : Json::parse(outcome.out)) broken.push_back(row.at("not_readable"));
  EXPECT_EQ(broken, std::vector<std::string>({"empty.mp3", "text.wav"}));
  EXPECT_NE(outcome.err.find("4 extracted"), std::string::npos) << outcome.err;  // the link by its own name
  EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;            // and nothing else
}

TEST(AudioDuplicates, FindsEveryRecordingAgain) {
  const TempFolder folder;
  for (int i = 0; i < 4; ++i) folder.write("music/" + std::to_string(i) + ".wav", wav(4 + i, std::pow(1.3, i)));
  folder.write("music/text.wav", "a shopping list");
  const std::string music = (folder / "music").string();
  const Outcome table = segue({"audio", "duplicates", music, "--degrade", "gain:-12,mp3:64", "--threads", "2"});
  EXPECT_EQ(table.exit_code, 1) << table.err;  // one is broken
  EXPECT_NE(table.err.find("text.wav: not a sound file"), std::string::npos) << table.err;
  EXPECT_NE(table.out.find("gain:-12"), std::string::npos) << table.out;
  std::filesystem::remove(folder / "music/text.wav");
  const Outcome json = segue({"audio", "duplicates", music, "--degrade", "gain:-12,noise:40", "--queries", "2",
                              "--seconds", "3", "--sample-rate", "22050", "--json"});
  EXPECT_EQ(json.exit_code, 0) << json.err;
  const Json all = Json::parse(json.out);
  EXPECT_EQ(all.at("catalogue"), 4);
  ASSERT_EQ(all.at("results").size(), 2u);
  EXPECT_EQ(all.at("results")[0].at("degradation"), "gain:-12");
  EXPECT_EQ(all.at("results")[0].at("queries"), 2);
  EXPECT_EQ(all.at("results")[0].at("first"), 1);
  EXPECT_EQ(all.at("results")[0].at("mean_rank"), 1);
  EXPECT_TRUE(all.at("moved_deviations").at("noise:40").at("centre").is_number());
  const Outcome bad = segue({"audio", "duplicates", music, "--degrade", "hum:3"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_NE(bad.err.find("'hum:3' is no degradation"), std::string::npos) << bad.err;
  EXPECT_EQ(segue({"audio", "duplicates"}).exit_code, 2);
  EXPECT_EQ(segue({"audio", "duplicates", "--data", "movielens"}).exit_code, 3);  // no data
}

TEST(AudioDuplicates, HearsItemsOfADataSet) {
  const Outcome json = segue({"audio", "duplicates", "--data", "demo", "--limit", "3", "--seconds", "2",
                              "--sample-rate", "22050", "--degrade", "gain:-6", "--json"});
  EXPECT_EQ(json.exit_code, 0) << json.err;
  const Json all = Json::parse(json.out);
  EXPECT_EQ(all.at("catalogue"), 3);
  EXPECT_EQ(all.at("results")[0].at("recordings"), "demo");
  EXPECT_EQ(all.at("results")[0].at("first"), 1);
}

TEST(AudioTempo, SaysHowRightTempiAre) {
  const TempFolder folder;
  folder.write("loops/a/one.wav", wav(12));
  folder.write("loops/two.wav", wav(12));
  folder.write("loops/three.wav", wav(12));
  const std::string loops = (folder / "loops").string();
  const auto labels = [&](const std::string& text) { return folder.write("tempos.csv", text).string(); };
  const Outcome json = segue(
      {"audio", "tempo", loops, "--json", "--labels", labels("file,bpm\na/one.wav,120\ntwo.wav,60\nthree.wav,100\n")});
  EXPECT_EQ(json.exit_code, 0) << json.err;
  const Json all = Json::parse(json.out);
  EXPECT_NEAR(all.at("accuracy_1"), 1 / 3.0, 1e-12);
  EXPECT_NEAR(all.at("accuracy_2"), 2 / 3.0, 1e-12);
  EXPECT_EQ(all.at("files")[1].at("accuracy_1"), false);
  EXPECT_EQ(all.at("files")[1].at("accuracy_2"), true);
  const Outcome table = segue({"audio", "tempo", loops, "--labels", labels("one.wav,120\n"), "--method", "librosa"});
  EXPECT_EQ(table.exit_code, 0) << table.err;
  EXPECT_NE(table.out.find("accuracy 1: 100.0 % (1 of 1)"), std::string::npos) << table.out;
  const auto refusal = [&](const std::string& text) {
    const Outcome outcome = segue({"audio", "tempo", loops, "--labels", labels(text)});
    EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
    return outcome.err;
  };
  EXPECT_NE(refusal("file,bpm\nfour.wav,120\n").find("tempos.csv:2: no recording 'four.wav' among the 3"),
            std::string::npos);
  EXPECT_NE(refusal("two.wav,fast\n").find("for the tempo, found 'fast'"), std::string::npos);
  EXPECT_NE(refusal("two.wav,0\n").find("above 0"), std::string::npos);
  EXPECT_NE(refusal("two.wav,60\ntwo.wav,60\n").find("has a tempo already"), std::string::npos);
  EXPECT_NE(refusal("file,bpm\n").find("no labels"), std::string::npos);
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
  EXPECT_NE(json.err.find("1 of 9 sounds cannot be read"), std::string::npos) << json.err;
  const Json all = Json::parse(json.out);
  EXPECT_EQ(all.at("asked"), 8);
  EXPECT_EQ(all.at("precision"), 1);
  EXPECT_EQ(all.at("nearest_accuracy"), 1);
  EXPECT_EQ(all.at("votes"), Json::parse("[[4, 0], [0, 4]]"));
  EXPECT_EQ(all.at("classes").at(1).at("class"), "noises");
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--distance", "timbre"},
                                               {"--distance", "statistics"},
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
