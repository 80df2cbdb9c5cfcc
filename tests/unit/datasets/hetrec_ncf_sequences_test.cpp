#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

void write_hetrec(const TempFolder& folder) {
  folder.write("h/user_artists.dat", "userID\tartistID\tweight\r\n2\t51\t13883\r\n3\t52\t7\r\n");
  folder.write("h/artists.dat", "id\tname\turl\tpictureURL\n51\tDuran Duran\tu\tp\n52\tBj\xF6rk\tu\t\n");
  folder.write("h/tags.dat", "tagID\ttagValue\n1\tnew wave\n2\t80s\n");
  folder.write(
      "h/user_taggedartists.dat",
      "userID\tartistID\ttagID\tday\tmonth\tyear\n2\t51\t1\t1\t4\t2009\n3\t51\t1\t1\t4\t2009\n3\t99\t2\t1\t4\t2009\n");
}

TEST(HetrecLastfm, ReadsPlaysNamesAndTags) {
  const auto folder = temp_folder();
  write_hetrec(folder);
  const Dataset data = load("hetrec_lastfm", {{"folder", text("h")}}, folder);
  EXPECT_THAT(data.events.values().span(), ElementsAre(13883.f, 7.f));
  EXPECT_EQ(data.events.kinds()[0], EventKind::kPlay);
  EXPECT_EQ(title_of(data, "52"), "Björk");
  EXPECT_THAT(tags_of(data, "51"), ElementsAre(Pair("new wave", 2)));
  EXPECT_THAT(data.facets.require<ItemTags>().tags.to_vector(), ElementsAre("new wave"));
  EXPECT_THAT(data.notes, ElementsAre(HasSubstr("1 of 3 tag assignments dropped")));
}

TEST(HetrecLastfm, NamesBadLines) {
  const auto folder = temp_folder();
  write_hetrec(folder);
  folder.write("h/user_taggedartists.dat", "userID\tartistID\ttagID\tday\tmonth\tyear\n2\t51\t9\t1\t4\t2009\n");
  EXPECT_THAT(error_of("hetrec_lastfm", {{"folder", text("h")}}, folder),
              HasSubstr("user_taggedartists.dat:2: expected a tag of tags.dat, found '9'"));
  folder.write("h/user_artists.dat", "userID\tartistID\tweight\n2\t51\t-1\n");
  EXPECT_THAT(error_of("hetrec_lastfm", {{"folder", text("h")}}, folder),
              HasSubstr("user_artists.dat:2: expected an integer for the number of plays, found '-1'"));
  folder.write("h/user_artists.dat", "user\tartist\tweight\n");
  EXPECT_THAT(
      error_of("hetrec_lastfm", {{"folder", text("h")}}, folder),
      HasSubstr("user_artists.dat:1: expected the columns userID, artistID, weight, found user, artist, weight"));
}

void write_ncf(const TempFolder& folder, const char* negatives) {
  folder.write("n/p.train.rating", "0\t1\t5\t10\n0\t2\t4\t20\n1\t3\t3\t5\n");
  folder.write("n/p.test.rating", "0\t3\t4\t30\n1\t1\t2\t6\n");
  folder.write("n/p.test.negative", negatives);
}

TEST(Ncf, RepairsNegativeLists) {
  const auto folder = temp_folder();
  write_ncf(folder, "(0,3)\t4\t3\t5\t4\n(1,1)\t2\t4\t\n");
  const Dataset data = load("ncf", {{"folder", text("n")}, {"prefix", text("p")}}, folder);
  EXPECT_EQ(data.events.size(), 5u);
  ASSERT_EQ(data.given.size(), 1u);
  EXPECT_EQ(data.given[0].train.size(), 3u);
  EXPECT_EQ(data.given[0].test.size(), 2u);
  EXPECT_THAT(data.given[0].negatives.indices(0),
              ElementsAre(item_at(at(data.items, "4")), item_at(at(data.items, "5"))));
  EXPECT_THAT(data.given[0].negatives.indices(1),
              ElementsAre(item_at(at(data.items, "2")), item_at(at(data.items, "4"))));
  EXPECT_THAT(data.notes, ElementsAre("1 negative lists held the user's own positive; removed",
                                      "1 negative lists held an item twice; kept once"));
}

TEST(Ncf, TakesTitlesWhereTheMovieIsCertain) {
  const auto folder = temp_folder();
  write_ncf(folder, "(0,3)\t4\n(1,1)\t2\n");
  folder.write("n/p.item_map.tsv", "ncf_item\tmovie_id\tunique\n1\t70\t1\n2\t71\t0\n");
  folder.write("ml-1m/movies.dat", "70::Am\xE9lie (2001)::Comedy|Romance\n71::Other (1990)::Drama\n");
  const Dataset data = load("ncf", {{"folder", text("n")}, {"prefix", text("p")}}, folder);
  EXPECT_EQ(title_of(data, "1"), "Amélie (2001)");
  EXPECT_EQ(title_of(data, "2"), "");
  EXPECT_THAT(tags_of(data, "1"), ElementsAre(Pair("Comedy", 1), Pair("Romance", 1)));
  EXPECT_THAT(data.notes, ElementsAre("1 items have no title: which movie they are is not certain"));
}

TEST(Ncf, NamesBadLines) {
  const auto folder = temp_folder();
  const auto with = [&](const char* negatives) {
    write_ncf(folder, negatives);
    return error_of("ncf", {{"folder", text("n")}, {"prefix", text("p")}}, folder);
  };
  EXPECT_THAT(with("(0,3)\t4\n(1,2)\t4\n"),
              HasSubstr("p.test.negative:2: expected the test item of user 1 (1), found 2"));
  EXPECT_THAT(with("0,3\t4\n"), HasSubstr("p.test.negative:1: expected (user,item), found '0,3'"));
  EXPECT_THAT(with("(0,3)\n"), HasSubstr("p.test.negative:1: expected at least 2 tab-separated fields, found 1"));
  write_ncf(folder, "(0,3)\t4\n");
  folder.write("n/p.test.rating", "0\t3\t4\t30\n0\t1\t2\t6\n");
  EXPECT_THAT(error_of("ncf", {{"folder", text("n")}, {"prefix", text("p")}}, folder),
              HasSubstr("p.test.rating:2: user 0 has a second test item"));
}

std::vector<std::string> sequence(const Dataset& data, const char* user, std::int64_t begin = 0) {
  std::vector<std::string> out;
  for (const Event& e : data.events.rows()) {
    if (data.users[raw(e.user)] != user) continue;
    EXPECT_EQ(e.time, begin + static_cast<std::int64_t>(out.size()));
    out.emplace_back(data.items[raw(e.item)]);
  }
  return out;
}

TEST(Sequences, ThreeLayoutsOfTheSameEvents) {
  const auto folder = temp_folder();
  folder.write("pairs", "1 9\n2 5\n1\t7\n1 9\n2 9\n");
  folder.write("users", "1 9 7 9\r\n2  5 9 \n");
  folder.write("sessions", "9 7 9\n5 9");
  const Dataset pairs = load("sequences", {{"path", text("pairs")}}, folder);
  const Dataset users = load("sequences", {{"path", text("users")}, {"format", text("users")}}, folder);
  const Dataset sessions = load("sequences", {{"path", text("sessions")}, {"format", text("sessions")}}, folder);
  EXPECT_THAT(sequence(pairs, "1"), ElementsAre("9", "7", "9"));
  EXPECT_THAT(sequence(pairs, "2"), ElementsAre("5", "9"));
  EXPECT_EQ(users.fingerprint(), pairs.fingerprint());
  EXPECT_THAT(sequence(sessions, "1"), ElementsAre("9", "7", "9"));
  EXPECT_THAT(sequence(sessions, "2", 3), ElementsAre("5", "9"))
      << "sessions stand in the order in which they were heard";
  EXPECT_FALSE(pairs.has_times);
  EXPECT_EQ(pairs.events.kinds()[0], EventKind::kPlay);
}

TEST(Sequences, NegativesMakeAGivenSplit) {
  const auto folder = temp_folder();
  folder.write("users", "1 9 7 5\n2 5 9\n3 4\n");
  folder.write("negatives", "1 4 4 5\n2 7 4\n");
  folder.write("attributes.json", R"({"9": [3, 1, 3], "4": ["slow"], "77": [1]})");
  const Dataset data = load("sequences",
                            {{"path", text("users")},
                             {"format", text("users")},
                             {"negatives", text("negatives")},
                             {"attributes", text("attributes.json")}},
                            folder);
  ASSERT_EQ(data.given.size(), 1u);
  const GivenSplit& split = data.given[0];
  EXPECT_EQ(split.name, "given");
  EXPECT_EQ(split.train.size(), 3u);
  ASSERT_EQ(split.test.size(), 3u);
  EXPECT_EQ(data.items[raw(split.test[0].item)], "5");
  EXPECT_EQ(split.test[0].time, 2);
  EXPECT_THAT(split.negatives.indices(0), ElementsAre(item_at(at(data.items, "4"))));
  EXPECT_EQ(split.negatives.row_size(1), 2u);
  EXPECT_EQ(split.negatives.row_size(2), 0u);
  EXPECT_THAT(tags_of(data, "9"), ElementsAre(Pair("1", 1), Pair("3", 2)));
  EXPECT_THAT(tags_of(data, "4"), ElementsAre(Pair("slow", 1)));
  EXPECT_THAT(data.notes,
              ElementsAre("1 users have no negatives", "1 negative lists held the user's own positive; removed",
                          "1 negative lists held an item twice; kept once"));
}

TEST(Sequences, PrefixesAndTargetsMakeAGivenSplit) {
  const auto folder = temp_folder();
  folder.write("train", "9 7 9\n5 9\n");
  folder.write("test", "5 9\t7\n\n7\t8\r\n");
  const Params params{{"path", text("train")}, {"format", text("sessions")}, {"test", text("test")}};
  const Dataset data = load("sequences", params, folder);
  EXPECT_EQ(data.events.size(), 5u);
  EXPECT_THAT(data.users.table().to_vector(), ElementsAre("1", "2", "t1", "t3"));
  EXPECT_EQ(data.items.size(), 4u);
  ASSERT_EQ(data.given.size(), 1u);
  const GivenSplit& split = data.given[0];
  EXPECT_EQ(split.name, "given");
  EXPECT_EQ(split.train.rows().size(), 5u);
  const auto told = [&](const Events& events) {
    std::vector<std::string> out;
    for (const Event& e : events.rows())
      out.push_back(fmt::format("{} {} {}", data.users[raw(e.user)], data.items[raw(e.item)], e.time));
    return out;
  };
  EXPECT_THAT(told(split.train), ElementsAre("1 9 0", "1 7 1", "1 9 2", "2 5 3", "2 9 4"));
  EXPECT_THAT(told(split.known), ElementsAre("t1 5 5", "t1 9 6", "t3 7 5"));
  EXPECT_THAT(told(split.test), ElementsAre("t1 7 7", "t3 8 6"));
  EXPECT_EQ(split.negatives.rows(), 0u);

  const auto with = [&](const char* test) {
    folder.write("test", test);
    return error_of("sequences", params, folder);
  };
  EXPECT_THAT(with("5\t7\n5 9 7\n"), HasSubstr("test:2: expected 'item item ...', one tab and an item, found '5 9 7'"));
  EXPECT_THAT(with("5\t9\t7\n"), HasSubstr("test:1: expected 'item item ...', one tab and an item, found '5\t9\t7'"));
  EXPECT_THAT(with(" \t7\n"), HasSubstr("test:1: expected items before the tab, found none"));
  EXPECT_THAT(with("5\t9 7\n"), HasSubstr("test:1: expected one item after the tab, found 2"));
  EXPECT_THAT(with("5\t\n"), HasSubstr("test:1: expected one item after the tab, found 0"));
  EXPECT_THAT(error_of("sequences", {{"path", text("train")}, {"test", text("test")}}, folder, ExitCode::kUsage),
              HasSubstr("'test' goes with format: sessions"));
  EXPECT_THAT(
      error_of(
          "sequences",
          {{"path", text("train")}, {"format", text("sessions")}, {"test", text("test")}, {"negatives", text("test")}},
          folder, ExitCode::kUsage),
      HasSubstr("'test' and 'negatives' each make a split; give one of them"));
}

TEST(Sequences, NamesBadLinesAndFiles) {
  const auto folder = temp_folder();
  folder.write("f", "1 9\n1 2 3\n");
  EXPECT_THAT(error_of("sequences", {{"path", text("f")}}, folder),
              HasSubstr("f:2: expected 'user item', found 3 fields"));
  folder.write("f", "1 9 8\n2\n");
  EXPECT_THAT(error_of("sequences", {{"path", text("f")}, {"format", text("users")}}, folder),
              HasSubstr("f:2: expected 'user item item ...', found only '2'"));
  folder.write("f", "1 9 8\n");
  const auto with = [&](const char* negatives) {
    folder.write("n", negatives);
    return error_of("sequences", {{"path", text("f")}, {"format", text("users")}, {"negatives", text("n")}}, folder);
  };
  EXPECT_THAT(with("7 9\n"), HasSubstr("n:1: expected a user of the sequences, found '7'"));
  EXPECT_THAT(with("1 10\n"), HasSubstr("n:1: expected an item of the sequences, found '10'"));
  EXPECT_THAT(with("1 9\n1 9\n"), HasSubstr("n:2: user 1 has a second list of negatives"));
  const auto attributes = [&](const char* json) {
    folder.write("a.json", json);
    return error_of("sequences", {{"path", text("f")}, {"format", text("users")}, {"attributes", text("a.json")}},
                    folder);
  };
  EXPECT_THAT(attributes("{\"9\": [1,"), HasSubstr("a.json: "));
  EXPECT_THAT(attributes("[1]"), HasSubstr("a.json: expected an object {item: [attribute, ...]}, found list"));
  EXPECT_THAT(attributes("{\"9\": 3}"), HasSubstr("a.json: expected a list for item 9, found integer 3"));
  EXPECT_THAT(error_of("sequences", {}, folder, ExitCode::kUsage), HasSubstr("needs a 'path'"));
}

}  // namespace
}  // namespace segue::test
