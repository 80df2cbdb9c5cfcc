#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/unit/demo/world_fixture.hpp"

namespace segue::demo {
namespace {

using ::testing::HasSubstr;

AudioRecipe example() {
  AudioRecipe r;
  r.genre = "techno";
  r.bpm = 128.5;
  r.key = 9;
  r.minor = true;
  r.swing = 0.025;
  r.energy = 0.9;
  r.brightness = 0.625;
  r.noise = 0.4;
  r.drums = "four_floor";
  r.structure = "IADADO";
  r.duration = 372;
  r.vocal = false;
  r.seed = 18446744073709551615u;
  return r;
}

constexpr const char* kText =
    "demo:genre=techno;bpm=128.5;key=A;mode=minor;swing=0.025;energy=0.900;brightness=0.625;noise=0.400;drums=four_"
    "floor;"
    "structure=IADADO;duration=372;vocal=no;seed=18446744073709551615";

TEST(Recipe, IsWrittenAsDocumented) {
  EXPECT_EQ(to_text(example()), kText);
  EXPECT_EQ(parse_recipe(kText), example());
  EXPECT_TRUE(is_recipe(kText));
  EXPECT_FALSE(is_recipe("music/track.flac"));
}

TEST(Recipe, EveryTrackOfTheWorldRoundTrips) {
  std::set<std::string> texts;
  for (const Track& track : test::default_world().tracks) {
    const std::string text = to_text(track.recipe);
    ASSERT_EQ(parse_recipe(text), track.recipe) << text;
    EXPECT_TRUE(texts.insert(text).second) << "two tracks sound alike: " << text;
  }
}

TEST(Recipe, NamesTheFieldThatIsWrong) {
  const auto refused = [](std::string from, std::string to, const char* message) {
    std::string text = kText;
    text.replace(text.find(from), from.size(), to);
    try {
      parse_recipe(text);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  };
  refused("demo:", "file:", "does not begin with 'demo:'");
  refused("genre=techno", "genre=polka", "unknown genre 'polka'");
  refused("bpm=128.5", "bpm=fast", "bpm=fast is not a number between 20 and 400");
  refused("bpm=128.5", "bpm=128.5x", "bpm=128.5x");
  refused("bpm=128.5", "bpm=nan", "bpm=nan");
  refused("key=A", "key=H", "unknown key 'H'");
  refused("mode=minor", "mode=dorian", "mode=dorian is neither minor nor major");
  refused("noise=0.400", "noise=1.5", "noise=1.5 is not a number between 0 and 1");
  refused("structure=IADADO", "structure=I-A", "not a run of capital letters");
  refused("drums=four_floor", "drums=polka", "unknown drum pattern 'polka'");
  refused("duration=372", "duration=0", "duration=0 is not a number between 1 and 3600");
  refused(";vocal=no", "", "field 'vocal' is missing");
  refused("vocal=no", "vocal=no;vocal=no", "field 'vocal' stands twice");
  refused("swing=", "swin=", "unknown field 'swin'; did you mean 'swing'?");
  refused("swing=0.025", "swing", "unknown field 'swing'");
}

}  // namespace
}  // namespace segue::demo
