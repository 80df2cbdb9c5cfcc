#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Recbole, ReadsTypedColumnsInAnyOrder) {
  const auto folder = temp_folder();
  folder.write("music/music.inter",
               "timestamp:float\titem_id:token\trating:float\tuser_id:token\n9.5e1\tx\t4\tu\n100.7\ty\t2.5\tu\n");
  folder.write("music/music.item",
               "item_id:token\ttitle:token_seq\tartist:token_seq\tgenre:token_seq\trelease_year:token\n"
               "x\tBlue Monday\tNew Order\tpop synth\t1983\ny\tY\tNew Order\t\tV)\nz\tunplayed\tZ\tpop\t1990\n");
  folder.write("music/music.user", "user_id:token\tage:float\nu\t20\n");
  const Dataset data = load("recbole", {{"folder", text("music")}}, folder);
  EXPECT_EQ(data.title, "music");
  EXPECT_THAT(data.items.table().to_vector(), ElementsAre("x", "y"));
  EXPECT_THAT(data.events.times().span(), ElementsAre(95, 100));
  EXPECT_THAT(data.events.values().span(), ElementsAre(4.f, 2.5f));
  EXPECT_EQ(data.events.kinds()[0], EventKind::kRating);
  EXPECT_EQ(title_of(data, "x"), "Blue Monday");
  EXPECT_THAT(tags_of(data, "x"), ElementsAre(Pair("pop", 1), Pair("synth", 1)));
  EXPECT_THAT(data.facets.require<ItemArtist>().artists.to_vector(), ElementsAre("New Order"));
  EXPECT_THAT(data.facets.require<ItemRelease>().released.span(), ElementsAre(410227200, ItemRelease::kUnknown));
}

TEST(Recbole, WithoutRatingsEveryRowIsAPlay) {
  const auto folder = temp_folder();
  folder.write("d/d.inter", "uid:token,item_id:token\na,x\na,x\n");
  const Dataset data =
      load("recbole", {{"folder", text("d")}, {"separator", text(",")}, {"user_field", text("uid")}}, folder);
  EXPECT_EQ(data.events.size(), 2u);
  EXPECT_EQ(data.events.kinds()[0], EventKind::kPlay);
  EXPECT_FALSE(data.has_times || data.has_ratings);
}

TEST(Recbole, ABenchmarkIsAGivenSplit) {
  const auto folder = temp_folder();
  const std::string header = "user_id:token\titem_id:token\n";
  folder.write("d/d.train.inter", header + "a\tx\na\ty\n");
  folder.write("d/d.valid.inter", header + "a\tz\n");
  folder.write("d/d.test.inter", header + "a\tw\n");
  const Value parts = Value::list({text("train"), text("valid"), text("test")});
  const Dataset data = load("recbole", {{"folder", text("d")}, {"benchmark", parts}}, folder);
  EXPECT_EQ(data.events.size(), 4u);
  ASSERT_EQ(data.given.size(), 1u);
  EXPECT_EQ(data.given[0].name, "benchmark");
  EXPECT_EQ(data.given[0].train.size(), 3u);
  EXPECT_EQ(data.given[0].test.size(), 1u);
  EXPECT_THAT(data.notes,
              ElementsAre("1 validation events (d.valid.inter) joined the training part of split 'benchmark'"));
  EXPECT_THAT(error_of("recbole", {{"folder", text("d")}, {"benchmark", Value::list({text("train")})}}, folder,
                       ExitCode::kUsage),
              HasSubstr("needs [train, test] or [train, valid, test], got 1 parts"));
}

TEST(Recbole, RefusesBadHeadersAndRows) {
  const auto folder = temp_folder();
  const auto with = [&](const char* content) {
    folder.write("d/d.inter", content);
    return error_of("recbole", {{"folder", text("d")}}, folder);
  };
  EXPECT_THAT(with("user_id:token\titem_id\nu\ti\n"),
              HasSubstr("d.inter:1: expected a header 'name:type', found 'item_id'"));
  EXPECT_THAT(with("user_id:token\titem_id:tokens\nu\ti\n"),
              HasSubstr("d.inter:1: expected a type for 'item_id', found 'tokens'; did you mean 'token'?"));
  EXPECT_THAT(with("user_id:float\titem_id:token\n1\ti\n"),
              HasSubstr("d.inter:1: expected 'user_id' to be token, found float"));
  EXPECT_THAT(with("user_id:token\titem_id:token\trating:token\nu\ti\t1\n"),
              HasSubstr("expected 'rating' to be float, found token"));
  EXPECT_THAT(with("user_ids:token\titem_id:token\nu\ti\n"),
              HasSubstr("no column 'user_id'; did you mean 'user_ids'?"));
  EXPECT_THAT(with("user_id:token\titem_id:token\nu\ti\nu\n"),
              HasSubstr("d.inter:3: expected 2 tab-separated fields, found 1"));
  EXPECT_THAT(with("user_id:token\titem_id:token\trating:float\nu\ti\tgood\n"),
              HasSubstr("d.inter:2: expected a finite number for the rating, found 'good'"));
  EXPECT_THAT(with(""), HasSubstr("expected a header, found an empty file"));
  folder.write("d/d.inter", "user_id:token\titem_id:token\nu\ti\n");
  folder.write("d/d.item", "item_id:token\ttitel:token_seq\ni\tT\n");
  EXPECT_THAT(error_of("recbole", {{"folder", text("d")}, {"title_field", text("title")}}, folder),
              HasSubstr("d.item:1: no column 'title'; did you mean 'titel'?"));
  EXPECT_THAT(error_of("recbole", {}, folder, ExitCode::kUsage), HasSubstr("needs a 'folder'"));
}

}  // namespace
}  // namespace segue::test
