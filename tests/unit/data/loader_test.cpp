#include "framework/data/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using testing::HasSubstr;

template <class Thrown, class Action>
std::string message(Action action) {
  try {
    action();
  } catch (const Thrown& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST(DataRoots, TheFirstFolderWins) {
  const auto a = test::temp_folder(), b = test::temp_folder();
  b.write("set/x.dat", "");
  const DataRoots roots{{a.path(), b.path()}};
  EXPECT_EQ(roots.find("set", ""), b / "set");
  a.write("set/y.dat", "");
  EXPECT_EQ(roots.find("set", ""), a / "set");
  EXPECT_EQ(roots.find((b / "set").string(), ""), b / "set");  // an absolute path stands for itself
}

TEST(DataRoots, SaysWhereItLookedAndWhatToDo) {
  const auto folder = test::temp_folder();
  const auto found = message<DataError>([&] { DataRoots{{folder.path()}}.find("ml-7", "ml-7"); });
  EXPECT_THAT(found, HasSubstr("no data 'ml-7': looked for " + (folder / "ml-7").string()));
  EXPECT_THAT(found, HasSubstr("`segue data fetch ml-7`, or set SEGUE_DATA_DIR"));
  const auto none = message<DataError>([] { DataRoots{}.find("ml-7", ""); });
  EXPECT_EQ(none, "no data 'ml-7': no data folder is set; set SEGUE_DATA_DIR to the folder that holds it");
}

class NoLoader final : public DatasetLoader {  // only what every loader has
  std::vector<std::filesystem::path> files(const Value&, const DataRoots&) const override { return {}; }
  Dataset load(const Value&, const DataRoots&) const override { return {}; }
};

TEST(DatasetLoader, TakesItemAudioForThePathOfASoundFile) {
  const auto folder = test::temp_folder();
  const std::string a = (folder / "a.wav").string(), b = (folder / "b.wav").string();
  const std::string none = (folder / "no.wav").string();
  const std::vector<float> tone(1000, 0.25f);
  audio::write_wav(a, tone, 8000);
  audio::write_wav(b, tone, 8000);
  const NoLoader loader;
  const auto sound = loader.sound(a, 8000);
  EXPECT_EQ(sound->sample_rate(), 8000);
  EXPECT_EQ(audio::read_all(*sound), tone);
  EXPECT_EQ(loader.sound_identity(a), loader.sound_identity(b)) << "the content, not the name";
  audio::write_wav(b, std::vector<float>(1000, 0.5f), 8000);
  EXPECT_NE(loader.sound_identity(a), loader.sound_identity(b));
  EXPECT_THAT(message<DataError>([&] { loader.sound(none, 8000); }), HasSubstr("no.wav"));
  EXPECT_THAT(message<DataError>([&] { loader.sound_identity(none); }), HasSubstr("no.wav"));
}

TEST(DatasetRegistry, FindsOrSuggests) {
  DatasetRegistry registry;
  registry.add({{"movielens", "films", "", "", {}}, {}, nullptr});
  registry.add({{"demo", "a small world", "", "", {}}, {}, nullptr});
  EXPECT_EQ(registry.find("demo").info.summary, "a small world");
  EXPECT_TRUE(registry.has("demo"));
  EXPECT_FALSE(registry.has("dem"));
  EXPECT_THAT(registry.names(), testing::ElementsAre("demo", "movielens"));
  EXPECT_THAT(message<UsageError>([&] { registry.find("movielenz"); }),
              HasSubstr("unknown data set 'movielenz'; did you mean 'movielens'? known: demo, movielens"));
  EXPECT_THAT(message<LogicError>([&] {
                registry.add({{"demo", "", "", "", {}}, {}, nullptr});
              }),
              HasSubstr("two data sets claim the name 'demo'"));
}

}  // namespace
}  // namespace segue
