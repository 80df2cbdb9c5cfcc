#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr const char* kGenres = "unknown|0\nAction|1\nComedy|2\n\n";

TEST(Movielens, Reads100kWithLatin1AndCrlf) {
  const auto folder = temp_folder();
  folder.write("ml-100k/u.data", "10\t2\t4\t100\r\n9\t1\t5\t90\r\n");
  folder.write("ml-100k/u.genre", kGenres);
  folder.write("ml-100k/u.item",
               "1|Mis\xE9rables (1995)|01-Jan-1995||url|0|1|1\n2|unknown||||1|0|0\n3|Unrated|01-Jan-1995||url|0|1|0\n");
  folder.write("ml-100k/u1.base", "9\t1\t5\t90\n");
  folder.write("ml-100k/u1.test", "10\t2\t4\t100\n");
  const Dataset data = load("movielens", {}, folder);
  EXPECT_THAT(data.users.table().to_vector(), ElementsAre("9", "10"));
  EXPECT_THAT(data.items.table().to_vector(), ElementsAre("1", "2"));
  EXPECT_EQ(title_of(data, "1"), "Misérables (1995)");
  EXPECT_THAT(tags_of(data, "1"), ElementsAre(Pair("Action", 1), Pair("Comedy", 1)));
  EXPECT_TRUE(tags_of(data, "2").empty());
  EXPECT_THAT(data.facets.require<ItemRelease>().released.span(), ElementsAre(788918400, ItemRelease::kUnknown));
  ASSERT_EQ(data.given.size(), 1u);
  EXPECT_EQ(data.given[0].test[0].value, 4.f);
}

TEST(Movielens, NamesTheBadLine) {
  const auto folder = temp_folder();
  folder.write("ml-100k/u.genre", kGenres);
  folder.write("ml-100k/u.item", "1|T|01-Jan-1995||url|0|1|1\n");
  std::string good;
  for (int i = 1; i < 70000; ++i) good += "1\t1\t3\t" + std::to_string(i) + "\n";
  const auto with = [&](const char* line) {
    folder.write("ml-100k/u.data", good + line);
    return error_of("movielens", {}, folder);
  };
  EXPECT_THAT(with("1\t1\t3\n"), HasSubstr("u.data:70000: expected 4 tab-separated fields, found 3"));
  EXPECT_THAT(with("1\t1\t6\t3\n"), HasSubstr("u.data:70000: expected a rating from 0.5 to 5, found '6'"));
  EXPECT_THAT(with("1\t1\tx\t3\n"), HasSubstr("u.data:70000: expected a finite number for the rating, found 'x'"));
  EXPECT_THAT(with("1\t\t3\t3\n"), HasSubstr("u.data:70000: expected an id for the movie, found nothing"));
  EXPECT_THAT(with("1\t1\t3\tnoon\n"), HasSubstr("u.data:70000: expected seconds since 1970"));
  folder.write("ml-100k/u.data", "1\t1\t3\t1\n");
  folder.write("ml-100k/u.item", "1|T|1995||url|0|1|1\n");
  EXPECT_THAT(error_of("movielens", {}, folder),
              HasSubstr("u.item:1: expected a date such as 01-Jan-1995, found '1995'"));
  folder.write("ml-100k/u.item", "1|T|||url|0|1|2\n");
  EXPECT_THAT(error_of("movielens", {}, folder), HasSubstr("expected 0 or 1 for the genre Comedy, found '2'"));
}

TEST(Movielens, ReadsColonsWithTags) {
  const auto folder = temp_folder();
  folder.write("ml-10m/ratings.dat", "1::122::4.5::838985046\n2::122::5::838983525\n");
  folder.write("ml-10m/movies.dat", "122::Boomerang (1992)::Comedy|Romance\n");
  folder.write("ml-10m/tags.dat", "2::122::funny::1215184630\n2::122::funny::1215184631\n");
  const Dataset data = load("movielens", {{"edition", text("10m")}}, folder);
  EXPECT_EQ(data.title, "MovieLens 10M");
  EXPECT_THAT(tags_of(data, "122"), ElementsAre(Pair("Comedy", 1), Pair("Romance", 1), Pair("funny", 1)));
  EXPECT_EQ(data.facets.require<ItemRelease>().released[0], 694224000);
  EXPECT_THAT(data.notes, ElementsAre(HasSubstr("1 of 2 tag assignments dropped")));
}

TEST(Movielens, ReadsCsvWithQuotesBomAndOwnFolder) {
  const auto folder = temp_folder();
  folder.write("mine/ratings.csv", "\xEF\xBB\xBFuserId,movieId,rating,timestamp\r\n1,11,4.0,100\r\n1,12,3.5,101");
  folder.write(
      "mine/movies.csv",
      "movieId,title,genres\n11,\"President, \"\"The\"\" (1995)\",Comedy|Drama\n12,Show (2007-),(no genres listed)\n");
  const Dataset data = load("movielens", {{"edition", text("25m")}, {"folder", text("mine")}}, folder);
  EXPECT_EQ(data.events.size(), 2u);
  EXPECT_EQ(title_of(data, "11"), "President, \"The\" (1995)");
  EXPECT_TRUE(tags_of(data, "12").empty());
  EXPECT_EQ(data.facets.require<ItemRelease>().released[1], 1167609600);
}

TEST(Movielens, RefusesOtherHeadersEditionsAndFolders) {
  const auto folder = temp_folder();
  folder.write("ml-20m/ratings.csv", "user,movie,rating,time\n1,11,4.0,100\n");
  folder.write("ml-20m/movies.csv", "movieId,title,genres\n");
  EXPECT_THAT(
      error_of("movielens", {{"edition", text("20m")}}, folder),
      HasSubstr(
          "ratings.csv:1: expected the header 'userId,movieId,rating,timestamp', found 'user,movie,rating,time'"));
  EXPECT_THAT(error_of("movielens", {{"edition", text("100K")}}, folder, ExitCode::kUsage),
              HasSubstr("did you mean '100k'?"));
  EXPECT_THAT(error_of("movielens", {{"edition", text("1m")}}, folder), HasSubstr("`segue data fetch ml-1m`"));
}

}  // namespace
}  // namespace segue::test
