// Counts of the real data sets, against what their publishers say; skipped where the data is not there.
#include <algorithm>
#include <set>

#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::size_t n_untagged(const Dataset& data) {
  const auto& weights = data.facets.require<ItemTags>().weights;
  std::size_t n = 0;
  for (std::size_t i = 0; i < weights.rows(); ++i) n += weights.row_size(i) == 0;
  return n;
}

double sum(const Array<float>& values) {
  double total = 0;
  for (const float v : values) total += double{v};
  return total;
}

TEST(RealMovielens, Edition100k) {
  SEGUE_NEEDS_DATA("ml-100k");
  const Dataset data = load_real("movielens", {});
  EXPECT_EQ(data.title, "MovieLens 100K");
  EXPECT_EQ(data.users.size(), 943u);
  EXPECT_EQ(data.items.size(), 1682u);
  EXPECT_EQ(data.events.size(), 100000u);
  EXPECT_EQ(sum(data.events.values()), 352986);  // awk '{s+=$3} END {print s}' u.data
  EXPECT_TRUE(data.has_ratings && data.has_times && !data.has_sessions);
  EXPECT_EQ(data.users[0], "1");
  EXPECT_EQ(data.users[942], "943");
  EXPECT_EQ(title_of(data, "1"), "Toy Story (1995)");
  EXPECT_EQ(title_of(data, "543"), "Misérables, Les (1995)");  // Latin-1 in the file
  EXPECT_THAT(tags_of(data, "1"), ElementsAre(Pair("Animation", 1), Pair("Children's", 1), Pair("Comedy", 1)));
  EXPECT_EQ(data.facets.require<ItemTags>().tags.size(), 18u);
  const auto& released = data.facets.require<ItemRelease>().released;
  EXPECT_EQ(released[at(data.items, "1")], 788918400);  // date -u -d 1995-01-01 +%s
  EXPECT_EQ(released[at(data.items, "267")], ItemRelease::kUnknown);
  ASSERT_EQ(data.given.size(), 5u);
  std::size_t tested = 0;
  for (const GivenSplit& split : data.given) {
    EXPECT_EQ(split.train.size(), 80000u) << split.name;
    EXPECT_EQ(split.test.size(), 20000u) << split.name;
    EXPECT_EQ(split.negatives.rows(), 0u);
    tested += split.test.size();
  }
  EXPECT_EQ(tested, data.events.size());
  EXPECT_EQ(data.given[4].name, "u5");
  EXPECT_EQ(data.fingerprint(), load_real("movielens", {{"edition", text("100k")}}).fingerprint());
}

TEST(RealMovielens, Edition1m) {
  SEGUE_NEEDS_DATA("ml-1m");
  const Dataset data = load_real("movielens", {{"edition", text("1m")}});
  EXPECT_EQ(data.title, "MovieLens 1M");
  EXPECT_EQ(data.users.size(), 6040u);
  EXPECT_EQ(data.items.size(), 3706u);
  EXPECT_EQ(data.events.size(), 1000209u);
  EXPECT_EQ(title_of(data, "73"), "Misérables, Les (1995)");
  EXPECT_EQ(n_untagged(data), 0u);
  EXPECT_EQ(data.facets.require<ItemTags>().tags.size(), 18u);
}

TEST(RealMovielens, LatestSmall) {
  SEGUE_NEEDS_DATA("ml-latest-small");
  const Dataset data = load_real("movielens", {{"edition", text("latest-small")}});
  EXPECT_EQ(data.users.size(), 671u);
  EXPECT_EQ(data.items.size(), 9066u);
  EXPECT_EQ(data.events.size(), 100004u);
  EXPECT_EQ(title_of(data, "73"), "Misérables, Les (1995)");
  EXPECT_EQ(title_of(data, "11"), "American President, The (1995)");  // quoted in the file
  // 1296 assignments, 74 of them on films that nobody rated.
  EXPECT_EQ(data.facets.require<ItemTags>().by_user.size(), 1222u);
  EXPECT_THAT(data.notes,
              ElementsAre("74 of 1296 tag assignments dropped: repeated, or of users or movies without ratings"));
  EXPECT_EQ(tags_of(data, "339").at("sandra 'boring' bullock"), 1.f);
}

TEST(RealHetrec, Counts) {
  SEGUE_NEEDS_DATA("hetrec-lastfm-2k");
  const Dataset data = load_real("hetrec_lastfm", {});
  EXPECT_EQ(data.users.size(), 1892u);
  EXPECT_EQ(data.items.size(), 17632u);
  EXPECT_EQ(data.events.size(), 92834u);
  EXPECT_FALSE(data.has_times || data.has_ratings);
  EXPECT_EQ(sum(data.events.values()), 69183975);  // awk 'NR>1 {s+=$3} END {print s}' user_artists.dat
  EXPECT_EQ(title_of(data, "51"), "Duran Duran");
  const ItemArtist& artist = data.facets.require<ItemArtist>();
  EXPECT_EQ(artist.artists[artist.artist_of[at(data.items, "51")]], "Duran Duran");
  const ItemTags& tags = data.facets.require<ItemTags>();
  EXPECT_EQ(tags.by_user.size(), 186479u - 1538u);  // 390 tagged artists were played by nobody
  EXPECT_THAT(data.notes,
              ElementsAre("1538 of 186479 tag assignments dropped: repeated, or on artists that nobody played"));
  EXPECT_EQ(sum(tags.weights.all_values()), 184941);
}

TEST(RealNcf, CountsAndRepairedNegatives) {
  SEGUE_NEEDS_DATA("ncf-ml-1m");
  const Dataset data = load_real("ncf", {});
  EXPECT_EQ(data.users.size(), 6040u);
  EXPECT_EQ(data.items.size(), 3706u);
  EXPECT_EQ(data.events.size(), 1000209u);
  ASSERT_EQ(data.given.size(), 1u);
  const GivenSplit& split = data.given[0];
  EXPECT_EQ(split.name, "ncf");
  EXPECT_EQ(split.train.size(), 994169u);
  ASSERT_EQ(split.test.size(), 6040u);
  ASSERT_FALSE(data.notes.empty());
  EXPECT_EQ(data.notes[0], "156 negative lists held the user's own positive; removed");
  std::set<std::pair<UserIdx, ItemIdx>> known;
  for (std::size_t i = 0; i < split.train.size(); ++i) known.emplace(split.train.users()[i], split.train.items()[i]);
  std::size_t short_lists = 0;
  for (std::size_t i = 0; i < split.test.size(); ++i) {
    const UserIdx user = split.test.users()[i];
    const auto list = split.negatives.indices(raw(user));
    short_lists += list.size() == 98;
    EXPECT_TRUE(list.size() == 98 || list.size() == 99);
    const std::set<ItemIdx> distinct(list.begin(), list.end());
    EXPECT_EQ(distinct.size(), list.size());
    EXPECT_FALSE(distinct.contains(split.test.items()[i]));
    for (const ItemIdx item : list) EXPECT_FALSE(known.contains({user, item}));
  }
  EXPECT_EQ(short_lists, 156u);
  if (!real_data("ml-1m/movies.dat")) return;
  EXPECT_EQ(title_of(data, "0"), "One Flew Over the Cuckoo's Nest (1975)");
  EXPECT_EQ(title_of(data, "2790"), "");
}

TEST(RealRecbole, CountsAgreeWithTheOriginal) {
  SEGUE_NEEDS_DATA("recbole-ml-100k");
  const Dataset data = load_real("recbole", {{"folder", text("recbole-ml-100k")}, {"name", text("ml-100k")}});
  EXPECT_EQ(data.users.size(), 943u);
  EXPECT_EQ(data.items.size(), 1682u);
  EXPECT_EQ(data.events.size(), 100000u);
  EXPECT_TRUE(data.has_ratings && data.has_times);
  EXPECT_EQ(title_of(data, "1"), "Toy Story");
  EXPECT_THAT(tags_of(data, "1"), ElementsAre(Pair("Animation", 1), Pair("Children's", 1), Pair("Comedy", 1)));
  EXPECT_EQ(data.facets.require<ItemRelease>().released[0], 788918400);
  if (!real_data("ml-100k")) return;
  const Dataset original = load_real("movielens", {});
  for (std::size_t i = 0; i < 100000; ++i) {
    ASSERT_EQ(data.events.users()[i], original.events.users()[i]);
    ASSERT_EQ(data.events.items()[i], original.events.items()[i]);
    ASSERT_EQ(data.events.times()[i], original.events.times()[i]);
    ASSERT_EQ(data.events.values()[i], original.events.values()[i]);
  }
}

TEST(RealSequences, SasrecPairs) {
  SEGUE_NEEDS_DATA("sasrec-ml-1m");
  const Dataset data = load_real("sequences", {{"path", text("sasrec-ml-1m/ml-1m.txt")}});
  EXPECT_EQ(data.users.size(), 6040u);
  EXPECT_EQ(data.items.size(), 3416u);
  EXPECT_EQ(data.events.size(), 999611u);
  EXPECT_FALSE(data.has_times);
  EXPECT_TRUE(data.given.empty());
}

TEST(RealSequences, S3recUsers) {
  SEGUE_NEEDS_DATA("s3rec-lastfm");
  const Dataset data = load_real("sequences", {{"format", text("users")},
                                               {"path", text("s3rec-lastfm/LastFM.txt")},
                                               {"negatives", text("s3rec-lastfm/LastFM_sample.txt")},
                                               {"attributes", text("s3rec-lastfm/LastFM_item2attributes.json")}});
  EXPECT_EQ(data.users.size(), 1090u);
  EXPECT_EQ(data.items.size(), 3646u);
  EXPECT_EQ(data.events.size(), 52551u);
  ASSERT_EQ(data.given.size(), 1u);
  EXPECT_EQ(data.given[0].train.size(), 52551u - 1090u);
  EXPECT_EQ(data.given[0].test.size(), 1090u);
  EXPECT_EQ(data.given[0].negatives.nnz(), 99u * 1090u);
  EXPECT_THAT(data.notes, ElementsAre());
  const Event last_of_first = data.given[0].test[0];  // "1 1 2 3 4 5 6 7 8"
  EXPECT_EQ(data.items[raw(last_of_first.item)], "8");
  EXPECT_EQ(last_of_first.time, 7);
  EXPECT_EQ(tags_of(data, "1").at("4"), 15.f);
}

TEST(RealSequences, NowplayingSessions) {
  SEGUE_NEEDS_DATA("nowplaying");
  const Dataset data = load_real("sequences", {{"format", text("sessions")},
                                               {"path", text("nowplaying/train_sessions.txt")},
                                               {"test", text("nowplaying/test_prefix_target.txt")}});
  EXPECT_EQ(data.users.size(), 128077u + 89824u);
  EXPECT_EQ(data.users[128076], "128077");
  EXPECT_EQ(data.items.size(), 60416u);    // no test item is new
  EXPECT_EQ(data.events.size(), 953381u);  // wc -w
  EXPECT_TRUE(std::is_sorted(data.events.times().begin(), data.events.times().end())) << "one order for all sessions";
  ASSERT_EQ(data.given.size(), 1u);
  EXPECT_EQ(data.given[0].train.size(), 953381u);
  EXPECT_EQ(data.given[0].test.size(), 89824u);
  EXPECT_EQ(data.given[0].known.size() + 89824u, 588111u);  // wc -w
}

TEST(RealDelimited, ReadsWhatMovielensReads) {
  SEGUE_NEEDS_DATA("ml-latest-small");
  const Dataset data = load_real("delimited", {{"path", text("ml-latest-small/ratings.csv")},
                                               {"user", text("userId")},
                                               {"item", text("movieId")},
                                               {"rating", text("rating")},
                                               {"time", text("timestamp")},
                                               {"items", text("ml-latest-small/movies.csv")},
                                               {"items_item", text("movieId")},
                                               {"items_title", text("title")},
                                               {"items_tags", text("genres")}});
  EXPECT_EQ(data.events.size(), 100004u);
  EXPECT_EQ(data.items.size(), 9066u);
  EXPECT_EQ(title_of(data, "11"), "American President, The (1995)");
  EXPECT_EQ(tags_of(data, "1").size(), 5u);
}

}  // namespace
}  // namespace segue::test
