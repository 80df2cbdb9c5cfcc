// Loaders of recordings: audio_folder, esc, gtzan, fma. Small sounds made here; the real ESC-10's counts where it is.
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "framework/audio/sound_file.hpp"
#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

namespace fs = std::filesystem;

// A tenth of a second of a tone.
std::string tone(const TempFolder& folder, const std::string& path, double hz = 440) {
  std::vector<float> samples(2205);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 22050));
  fs::create_directories((folder / path).parent_path());
  audio::write_wav(folder / path, samples, 22050);
  return path;
}

std::string class_of(const Dataset& data, std::string_view item) {
  const auto& kind = data.facets.require<ItemClass>();
  const std::uint32_t c = kind.class_of[at(data.items, item)];
  return c == ItemClass::kNone ? "" : std::string(kind.classes[c]);
}
std::string fold_of(const Dataset& data, std::string_view item) {
  const auto& kind = data.facets.require<ItemClass>();
  const std::uint32_t f = kind.fold_of[at(data.items, item)];
  return f == ItemClass::kNone ? "" : std::string(kind.folds[f]);
}
std::string artist_of(const Dataset& data, std::string_view item) {
  const auto& artist = data.facets.require<ItemArtist>();
  const std::uint32_t a = artist.artist_of[at(data.items, item)];
  return a == kNoArtist ? "" : std::string(artist.artists[a]);
}
std::string sound_of(const Dataset& data, std::string_view item) {
  return std::string(data.facets.require<ItemAudio>().sources[at(data.items, item)]);
}

TEST(AudioFolder, TakesWhatNamesSay) {
  const TempFolder folder;
  tone(folder, "music/Nina/Feeling Good.wav");
  tone(folder, "music/loose.WAV", 880);
  folder.write("music/notes.txt", "no sound");
  folder.write("music/._loose.WAV", "what macOS leaves behind");
  const Dataset plain = load("audio_folder", {{"path", text("music")}}, folder);
  EXPECT_EQ(plain.title, "music");
  EXPECT_THAT(plain.items.table().to_vector(), ElementsAre("Nina/Feeling Good.wav", "loose.WAV"));
  EXPECT_EQ(title_of(plain, "Nina/Feeling Good.wav"), "Feeling Good");
  EXPECT_EQ(sound_of(plain, "loose.WAV"), (fs::absolute(folder / "music") / "loose.WAV").string());
  EXPECT_THAT(plain.facets.names(), ElementsAre("item_audio", "item_text"));
  EXPECT_TRUE(plain.events.empty());
  EXPECT_FALSE(plain.has_times);
  EXPECT_THAT(plain.notes, IsEmpty());
  const Dataset artists = load("audio_folder", {{"path", text("music")}, {"parent", text("artist")}}, folder);
  EXPECT_EQ(artist_of(artists, "Nina/Feeling Good.wav"), "Nina");
  EXPECT_EQ(artist_of(artists, "loose.WAV"), "");  // it lies in no folder
  const Dataset classes = load("audio_folder", {{"path", text("music")}, {"parent", text("class")}}, folder);
  EXPECT_EQ(class_of(classes, "Nina/Feeling Good.wav"), "Nina");
  EXPECT_EQ(tags_of(classes, "Nina/Feeling Good.wav"), (std::map<std::string, float>{{"Nina", 1}}));
  // An absolute folder, and the sound itself, which is what the path says.
  const auto loader = all_datasets().find("audio_folder").make();
  const Dataset whole =
      loader->load(params_of({{"path", text((folder / "music").string())}}), DataRoots{{folder.path()}});
  EXPECT_EQ(whole.fingerprint(), plain.fingerprint());
  EXPECT_EQ(audio::read_all(*loader->sound(sound_of(whole, "loose.WAV"), 22050)).size(), 2205u);
}

TEST(AudioFolder, ReadsATable) {
  const TempFolder folder;
  for (const char* path : {"m/a/one.wav", "m/b/two.wav", "m/b/same.wav", "m/a/same.wav", "m/extra.wav"})
    tone(folder, path);
  folder.write("m/about.csv",
               "file,title,artist,tags,genre,year,split\n"
               "a/one.wav,\"One, \"\"the\"\" first\nsong\",Duo,slow; night|Jazz ,Jazz,2001,training\n"
               "two.wav,Two,,,Rock,2001-05-31,test\n"
               "./b/same.wav,,Trio,,Rock,sometime,\n"
               "same.wav,Which?,,,Rock,2001,\n"
               "gone.wav,Gone,,,Rock,2001,\n"
               "a/one.wav,Again,,,Rock,2001,\n"
               ",Nowhere,,,Rock,2001,\n"
               "too,short\n");
  const Dataset data = load("audio_folder", {{"path", text("m")}, {"metadata", text("about.csv")}}, folder);
  EXPECT_EQ(data.items.size(), 5u);
  EXPECT_EQ(title_of(data, "a/one.wav"), "One, \"the\" first\nsong");
  EXPECT_EQ(artist_of(data, "a/one.wav"), "Duo");
  EXPECT_EQ(tags_of(data, "a/one.wav"), (std::map<std::string, float>{{"slow", 1}, {"night", 1}, {"Jazz", 1}}));
  EXPECT_EQ(class_of(data, "a/one.wav"), "Jazz");
  EXPECT_EQ(fold_of(data, "a/one.wav"), "training");
  EXPECT_EQ(tags_of(data, "b/two.wav"), (std::map<std::string, float>{{"Rock", 1}}));
  EXPECT_EQ(title_of(data, "b/same.wav"), "same");
  EXPECT_EQ(class_of(data, "extra.wav"), "");
  const auto& released = data.facets.require<ItemRelease>().released;
  EXPECT_EQ(released[at(data.items, "a/one.wav")], 978307200);  // date -u -d 2001-01-01 +%s
  EXPECT_EQ(released[at(data.items, "b/two.wav")], 991267200);  // date -u -d 2001-05-31 +%s
  EXPECT_EQ(released[at(data.items, "b/same.wav")], ItemRelease::kUnknown);
  EXPECT_THAT(data.notes,
              UnorderedElementsAre("1 row skipped: a recording that an earlier row describes (the first: about.csv:8)",
                                   "1 row skipped: expected 7 fields (the first: about.csv:10)",
                                   "1 row skipped: no path (the first: about.csv:9)",
                                   "1 row skipped: no such recording (the first: about.csv:7)",
                                   "1 row skipped: several recordings have that name (the first: about.csv:6)",
                                   "1 release dates not understood; expected 2001, 2001-05 or 2001-05-31",
                                   "2 of 5 recordings are not in the table"));
  const Dataset listed =
      load("audio_folder",
           {{"path", text("m")}, {"metadata", text("about.csv")}, {"listed_only", Value::boolean(true)}}, folder);
  EXPECT_THAT(listed.items.table().to_vector(), ElementsAre("a/one.wav", "b/same.wav", "b/two.wav"));
}

TEST(AudioFolder, ColumnsByName) {
  const TempFolder folder;
  tone(folder, "m/1.wav");
  folder.write("tables/t.tsv", "What\tWho\tPath\nSong\tMe\t" + (folder / "m/1.wav").string() + "\n");
  const Dataset data = load("audio_folder",
                            {{"path", text("m")},
                             {"metadata", text("tables/t.tsv")},
                             {"separator", text("tab")},
                             {"column_path", text("Path")},
                             {"column_title", text("What")},
                             {"column_artist", text("Who")}},
                            folder);
  EXPECT_EQ(title_of(data, "1.wav"), "Song");
  EXPECT_EQ(artist_of(data, "1.wav"), "Me");
}

TEST(AudioFolder, Refuses) {
  const TempFolder folder;
  tone(folder, "m/1.wav");
  folder.write("empty/readme.txt", "");
  folder.write("m/none.csv", "");
  folder.write("m/odd.csv", "name,title\n1.wav,One\n");
  folder.write("m/other.csv", "path\n2.wav\n");
  const auto error = [&](Params params, ExitCode code = ExitCode::kData) {
    return error_of("audio_folder", params, folder, code);
  };
  EXPECT_THAT(error({}, ExitCode::kUsage), HasSubstr("needs a 'path'"));
  EXPECT_THAT(error({{"path", text("m")}, {"listed_only", Value::boolean(true)}}, ExitCode::kUsage),
              HasSubstr("'listed_only' without a table"));
  EXPECT_THAT(error({{"path", text("nowhere")}}), HasSubstr("no data 'nowhere'"));
  EXPECT_THAT(error({{"path", text("empty")}}), HasSubstr("no recordings"));
  EXPECT_THAT(error({{"path", text("m")}, {"metadata", text("none.csv")}}), HasSubstr("expected a header"));
  EXPECT_THAT(error({{"path", text("m")}, {"metadata", text("odd.csv")}}),
              AllOf(HasSubstr("odd.csv:1: no column 'path', 'file' or 'filename'"), HasSubstr("column_path")));
  EXPECT_THAT(error({{"path", text("m")}, {"metadata", text("odd.csv")}, {"column_path", text("names")}}),
              HasSubstr("odd.csv:1: no column 'names'; did you mean 'name'?"));
  EXPECT_THAT(error({{"path", text("m")}, {"metadata", text("other.csv")}, {"listed_only", Value::boolean(true)}}),
              HasSubstr("no row describes a recording"));
}

TEST(Esc, ReadsTheTableOfESC50) {
  const TempFolder folder;
  for (const char* path : {"esc-50/audio/1-100032-A-0.wav", "esc-50/audio/5-9032-A-3.wav"}) tone(folder, path);
  folder.write("esc-50/meta/esc50.csv",
               "filename,fold,target,category,esc10,src_file,take\n"
               "1-100032-A-0.wav,1,0,dog,True,100032,A\n"
               "5-9032-A-3.wav,5,3,cow,False,9032,A\n"
               "5-9033-A-3.wav,5,3,cow,False,9033,A\n"
               "short,5\n");
  const Dataset data = load("esc", {}, folder);
  EXPECT_EQ(data.title, "ESC-2");
  EXPECT_THAT(data.items.table().to_vector(), ElementsAre("1-100032-A-0", "5-9032-A-3"));
  EXPECT_EQ(class_of(data, "1-100032-A-0"), "dog");
  EXPECT_EQ(fold_of(data, "5-9032-A-3"), "5");
  EXPECT_EQ(artist_of(data, "5-9032-A-3"), "9032");
  EXPECT_EQ(tags_of(data, "5-9032-A-3"), (std::map<std::string, float>{{"cow", 1}}));
  EXPECT_THAT(data.notes, UnorderedElementsAre("1 row skipped: no such recording (the first: esc50.csv:4)",
                                               "1 row skipped: expected 7 fields (the first: esc50.csv:5)"));
  const Dataset ten = load("esc", {{"esc10", Value::boolean(true)}}, folder);
  EXPECT_THAT(ten.items.table().to_vector(), ElementsAre("1-100032-A-0"));
  folder.write("esc-50/meta/esc50.csv", "filename,fold,target,category,esc10,take\n");
  EXPECT_THAT(error_of("esc", {}, folder), HasSubstr("esc50.csv:1: no column 'src_file'"));
}

TEST(Esc, ReadsNames) {
  const TempFolder folder;
  tone(folder, "a/1-100032-A-0.wav");
  tone(folder, "a/2-17-B-49.wav");
  tone(folder, "a/cover.wav");
  tone(folder, "b/002 - Rain/3-5-A.wav");
  tone(folder, "c/song.wav");
  const Dataset numbers = load("esc", {{"folder", text("a")}}, folder);
  EXPECT_EQ(class_of(numbers, "2-17-B-49"), "49");
  EXPECT_EQ(fold_of(numbers, "2-17-B-49"), "2");
  EXPECT_THAT(numbers.notes, ElementsAre("1 recordings left out: their names are not fold-clip-take-class"));
  EXPECT_EQ(load("esc", {{"folder", text("a")}, {"esc10", Value::boolean(true)}}, folder).items.size(), 1u);
  const Dataset names = load("esc", {{"folder", text("b")}, {"esc10", Value::boolean(true)}}, folder);
  EXPECT_EQ(class_of(names, "3-5-A"), "Rain");
  EXPECT_EQ(artist_of(names, "3-5-A"), "5");
  EXPECT_THAT(error_of("esc", {{"folder", text("c")}}, folder), HasSubstr("no clips"));
  EXPECT_THAT(error_of("esc", {}, folder), AllOf(HasSubstr("looked in "), HasSubstr("SEGUE_DATA_DIR")));
}

TEST(RealEsc10, Counts) {
  SEGUE_NEEDS_DATA("audio/esc-10");
  const Dataset data = load_real("esc", {{"folder", text("audio/esc-10")}});
  EXPECT_EQ(data.title, "ESC-10");
  EXPECT_EQ(data.items.size(), 400u);
  EXPECT_THAT(data.notes, IsEmpty());
  const auto& kind = data.facets.require<ItemClass>();
  EXPECT_THAT(kind.classes.to_vector(), ElementsAre("Baby cry", "Chainsaw", "Clock tick", "Dog bark", "Fire crackling",
                                                    "Helicopter", "Person sneeze", "Rain", "Rooster", "Sea waves"));
  EXPECT_THAT(kind.folds.to_vector(), ElementsAre("1", "2", "3", "4", "5"));
  std::map<std::pair<std::uint32_t, std::uint32_t>, int> cells;
  std::map<std::uint32_t, std::set<std::uint32_t>> folds_of_source;
  const auto& source = data.facets.require<ItemArtist>();
  for (std::size_t i = 0; i < 400; ++i) {
    ++cells[{kind.class_of[i], kind.fold_of[i]}];
    folds_of_source[source.artist_of[i]].insert(kind.fold_of[i]);
  }
  EXPECT_EQ(cells.size(), 50u);
  for (const auto& [cell, n] : cells) EXPECT_EQ(n, 8);
  // The publisher's promise: clips of one source lie in one fold.
  for (const auto& [clip, folds] : folds_of_source) EXPECT_EQ(folds.size(), 1u) << source.artists[clip];
}

TEST(Gtzan, ReadsGenresAndFindsRepetitions) {
  const TempFolder folder;
  tone(folder, "gtzan/genres/blues/blues.00000.wav", 100);
  tone(folder, "gtzan/genres/blues/blues.00001.wav", 200);
  tone(folder, "gtzan/genres/jazz/jazz.00000.wav", 200);  // blues.00001 once more
  tone(folder, "gtzan/genres/jazz/jazz.00001.wav", 300);
  tone(folder, "gtzan/genres/jazz/jazz.00002.wav", 100);  // and blues.00000
  tone(folder, "gtzan/genres/jazz/rock.00001.wav", 400);
  tone(folder, "gtzan/genres/jazz/._jazz.00001.wav", 500);
  folder.write("gtzan/genres/jazz/jazz.00054.wav", "nothing that sounds");
  const Dataset data = load("gtzan", {}, folder);
  EXPECT_EQ(data.items.size(), 6u);
  EXPECT_EQ(class_of(data, "jazz.00054"), "jazz");
  EXPECT_EQ(tags_of(data, "blues.00001"), (std::map<std::string, float>{{"blues", 1}}));
  EXPECT_EQ(data.facets.require<ItemClass>().folds.size(), 0u);
  EXPECT_THAT(data.notes,
              ElementsAre("1 recordings left out: they are not <genre>/<genre>.<number>",
                          "2 excerpts equal an earlier one byte for byte, 2 of them in another genre (duplicates=drop "
                          "leaves them out): jazz.00000 = blues.00001, jazz.00002 = blues.00000"));
  const Dataset fewer = load("gtzan", {{"duplicates", text("drop")}, {"exclude", text("jazz.00054")}}, folder);
  EXPECT_THAT(fewer.items.table().to_vector(), ElementsAre("blues.00000", "blues.00001", "jazz.00001"));
  EXPECT_THAT(fewer.notes[1], HasSubstr("excluded as asked: jazz.00054"));
  EXPECT_THAT(error_of("gtzan", {{"exclude", text("jazz.54")}}, folder, ExitCode::kUsage),
              HasSubstr("no excerpt 'jazz.54'"));
}

TEST(Gtzan, TakesGivenSplits) {
  const TempFolder folder;
  for (int i = 0; i < 4; ++i) tone(folder, "gtzan/blues/blues.0000" + std::to_string(i) + ".au.wav");
  EXPECT_THAT(error_of("gtzan", {}, folder), HasSubstr("no excerpts"));  // "blues.00000.au" is no excerpt's name
  for (int i = 0; i < 4; ++i) tone(folder, "gtzan/blues/blues.0000" + std::to_string(i) + ".wav", 100 + i);
  EXPECT_THAT(error_of("gtzan", {{"split", text("filtered")}}, folder),
              AllOf(HasSubstr("train_filtered.txt: no such file"), HasSubstr("https://")));
  folder.write("gtzan/train_filtered.txt", "blues/blues.00000.wav\nblues/blues.00009.wav\n");
  folder.write("gtzan/valid_filtered.txt", "blues/blues.00001.wav\n");
  folder.write("gtzan/test_filtered.txt", "blues/blues.00002.wav\n");
  const Dataset data = load("gtzan", {{"split", text("filtered")}}, folder);
  EXPECT_EQ(fold_of(data, "blues.00000"), "training");
  EXPECT_EQ(fold_of(data, "blues.00001"), "validation");
  EXPECT_EQ(fold_of(data, "blues.00002"), "test");
  EXPECT_EQ(fold_of(data, "blues.00003"), "");
  EXPECT_THAT(data.notes.back(), "1 row skipped: no such excerpt, or excluded (the first: train_filtered.txt:2)");
  folder.write("gtzan/test_filtered.txt", "blues/blues.00002.wav\nblues\n");
  EXPECT_THAT(error_of("gtzan", {{"split", text("filtered")}}, folder),
              HasSubstr("test_filtered.txt:2: expected a line such as"));
}

// The header of two rows and a half that pandas writes, fewer columns, in another order.
constexpr const char* kFmaHeader =
    ",album,album,artist,set,set,track,track,track,track\n"
    ",date_released,title,name,split,subset,genre_top,genres_all,listens,title\n"
    "track_id,,,,,,,,,\n";
constexpr const char* kFmaGenres =
    "genre_id,#tracks,parent,title,top_level\n21,9,0,Hip-Hop,21\n811,2,21,\"Hip, Hop\",21\n";

TEST(Fma, ReadsTracks) {
  const TempFolder folder;
  tone(folder, "fma/fma_small/000/000002.mp3");  // the name is what counts here
  tone(folder, "fma/fma_medium/123/123456.mp3");
  folder.write("fma/fma_metadata/genres.csv", kFmaGenres);
  folder.write(
      "fma/fma_metadata/tracks.csv",
      std::string(kFmaHeader) +
          "2,2009-01-05 00:00:00,A,AWOL,training,small,Hip-Hop,\"[21, 811]\",1293,\"Food, \"\"hot\"\"\nand cold\"\n"
          "3,,A,AWOL,validation,small,Hip-Hop,[21],514,Electric Ave\n"
          "123456,2010-02-30,B,Other,test,medium,,[],10,Medium\n"
          "7,,B,Other,training,large,,[99],5,Large\n"
          "8,,B,Other,training,huge,,[],5,Huge\n"
          "9,,B,Other,exam,small,,[],5,Exam\n"
          "x,,B,Other,test,small,,[],5,X\n"
          "10,,B,Other,test,small,,[],many,Y\n"
          "11,,B\n");
  const Dataset small = load("fma", {}, folder);
  EXPECT_EQ(small.title, "FMA small");
  EXPECT_THAT(small.items.table().to_vector(), ElementsAre("2", "3"));
  EXPECT_EQ(title_of(small, "2"), "Food, \"hot\"\nand cold");
  EXPECT_EQ(artist_of(small, "3"), "AWOL");
  EXPECT_EQ(class_of(small, "2"), "Hip-Hop");
  EXPECT_EQ(fold_of(small, "3"), "validation");
  EXPECT_EQ(tags_of(small, "2"), (std::map<std::string, float>{{"Hip-Hop", 1}, {"Hip, Hop", 1}}));
  EXPECT_EQ(small.facets.require<ItemRelease>().released[at(small.items, "2")],
            1231113600);  // date -u -d 2009-01-05 +%s
  EXPECT_EQ(sound_of(small, "2"), (fs::absolute(folder / "fma/fma_small/000/000002.mp3")).string());
  EXPECT_EQ(sound_of(small, "3"), "");
  EXPECT_THAT(small.notes,
              UnorderedElementsAre(
                  "1 row skipped: expected 10 fields (the first: tracks.csv:13)",
                  "1 row skipped: the listens are no number (the first: tracks.csv:12)",
                  "1 row skipped: the split is not training, validation or test (the first: tracks.csv:10)",
                  "1 row skipped: the subset is not small, medium or large (the first: tracks.csv:9)",
                  "1 row skipped: the track's id is no number (the first: tracks.csv:11)", "1807 listens of 2 tracks",
                  "1 of 2 tracks have no recording in " + (folder / "fma/fma_small").string()));
  const Dataset medium = load("fma", {{"subset", text("medium")}}, folder);
  EXPECT_THAT(medium.items.table().to_vector(), ElementsAre("2", "3", "123456"));
  EXPECT_NE(sound_of(medium, "123456"), "");
  EXPECT_THAT(medium.notes, ::testing::Contains("1 release dates not understood"));
  const Dataset full = load("fma", {{"subset", text("full")}, {"min_listens", Value::integer(10)}}, folder);
  EXPECT_THAT(full.items.table().to_vector(), ElementsAre("2", "3", "123456"));
  EXPECT_THAT(full.notes, ::testing::Contains("1 tracks with fewer listens left out"));
  EXPECT_THAT(load("fma", {{"subset", text("large")}}, folder).notes,
              ::testing::Contains("1 tracks with genres that are not in genres.csv"));
}

TEST(Fma, Refuses) {
  const TempFolder folder;
  EXPECT_THAT(error_of("fma", {}, folder), HasSubstr("fma_metadata/tracks.csv"));
  EXPECT_THAT(error_of("fma", {{"folder", text("there")}}, folder),
              HasSubstr("no data 'there/fma_metadata/tracks.csv'"));
  folder.write("fma_metadata/genres.csv", "genre_id,title\n21\n");
  folder.write("fma_metadata/tracks.csv", "");
  EXPECT_THAT(error_of("fma", {}, folder), HasSubstr("genres.csv:2: expected 2 fields, found 1"));
  folder.write("fma_metadata/genres.csv", kFmaGenres);
  EXPECT_THAT(error_of("fma", {}, folder), HasSubstr("tracks.csv: expected a header"));
  folder.write("fma_metadata/tracks.csv", ",set,set\n2,small\n");
  EXPECT_THAT(error_of("fma", {}, folder), HasSubstr("tracks.csv:2: expected the second row of a header of 3 columns"));
  folder.write("fma_metadata/tracks.csv", ",set,set\n,splt,subset\n");
  EXPECT_THAT(error_of("fma", {}, folder), HasSubstr("tracks.csv:2: no column 'set.split'; did you mean 'set.splt'?"));
  folder.write("fma_metadata/tracks.csv", kFmaHeader);
  EXPECT_THAT(error_of("fma", {}, folder), HasSubstr("no tracks of the subset 'small'"));
}

}  // namespace
}  // namespace segue::test
