// Last.fm 360K, Last.fm 1K and the Taste Profile, from small files in their formats.
#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kAnn(40, 'a'), kBen(40, 'b');
constexpr const char* k360k = "d/usersha1-artmbid-artname-plays.tsv";
constexpr const char* k1k = "d/userid-timestamp-artid-artname-traid-traname.tsv";
constexpr const char* kTriplets = "d/train_triplets.txt";
constexpr const char* kElvenking = "3d6bbeb7-f90e-4d10-b440-e153c0d10b53";

std::vector<std::string> told(const Dataset& data) {
  std::vector<std::string> out;
  for (const Event& e : data.events.rows())
    out.push_back(fmt::format("{} {} {} {}", data.users[raw(e.user)], data.items[raw(e.item)], e.time, e.value));
  return out;
}
std::string artist_of(const Dataset& data, std::string_view item) {
  const auto& facet = data.facets.require<ItemArtist>();
  return std::string(facet.artists[facet.artist_of[at(data.items, item)]]);
}

TEST(Lastfm360k, ReadsPlaysByNameOrId) {
  const auto folder = temp_folder();
  folder.write(k360k, kAnn + "\t" + kElvenking + "\telvenking\t717\r\n" + kAnn + "\t\tdie Ärzte\t3\n" + kBen +
                          "\t\telvenking\t5\n" + kBen + "\t" + kElvenking + "\t\t1\n" + kBen + "\t\tnobody\t0\n");
  const Dataset names = load("lastfm_360k", {{"folder", text("d")}}, folder);
  EXPECT_THAT(told(names), ElementsAre(kAnn + " die Ärzte 0 3", kAnn + " elvenking 0 717",
                                       kBen + " " + kElvenking + " 0 1", kBen + " elvenking 0 5"));
  EXPECT_EQ(title_of(names, "elvenking"), "elvenking");
  EXPECT_EQ(artist_of(names, "die Ärzte"), "die Ärzte");
  EXPECT_FALSE(names.has_times);
  EXPECT_EQ(names.events.kinds()[0], EventKind::kPlay);
  EXPECT_THAT(names.notes, ElementsAre("1 lines of 0 plays left out"));
  const Dataset ids = load("lastfm_360k", {{"folder", text("d")}, {"id", text("mbid")}}, folder);
  EXPECT_EQ(ids.items.size(), 3u);
  EXPECT_EQ(title_of(ids, kElvenking), "elvenking");
}

TEST(Lastfm360k, ToleratesMalformedLinesUpToTheirShare) {
  const auto folder = temp_folder();
  const std::string good = kAnn + "\t\tx\t1\n";
  folder.write(k360k, good + "sep 20, 2008\t\tx\t1\n" + good + kAnn + "\tx\t1\n" + kAnn + "\t\tx\tmany\n" + kAnn +
                          "\t\t\t4\n" + good + "me\t\tx\t1\n\nyou\t\tx\t1\nhim\t\tx\t1\n");
  EXPECT_THAT(error_of("lastfm_360k", {{"folder", text("d")}}, folder),
              HasSubstr(".tsv:2: the user is no SHA-1; 7 of 10 rows are malformed, more than the share of 0.001 that "
                        "'max_malformed' allows"));
  EXPECT_THAT(error_of("lastfm_360k", {{"folder", text("d")}, {"max_malformed", Value::real(0.69)}}, folder),
              HasSubstr("7 of 10 rows"));
  testing::internal::CaptureStderr();
  const Dataset data = load("lastfm_360k", {{"folder", text("d")}, {"max_malformed", Value::real(0.7)}}, folder);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(data.events.size(), 3u);
  const std::string file = "usersha1-artmbid-artname-plays.tsv";
  EXPECT_THAT(data.notes, ElementsAre("1 row skipped: expected 4 fields (the first: " + file + ":4)",
                                      "1 row skipped: neither name nor id of the artist (the first: " + file + ":6)",
                                      "1 row skipped: the plays are no whole number (the first: " + file + ":5)",
                                      "4 rows skipped: the user is no SHA-1 (the first: " + file + ":2, 8, 10)"));
  EXPECT_THAT(log, HasSubstr(data.notes[3])) << "whoever runs a suite is told, too";
}

TEST(Lastfm1k, ReadsPlaysWithTimes) {
  const auto folder = temp_folder();
  folder.write(k1k,
               "user_2\t2009-05-04T23:08:57Z\tart-1\tDeep Dish\t\tFuji\nuser_1\t2009-05-04T23:08:57Z\tart-1\tDeep "
               "Dish\ttr-1\tFuji\nuser_1\t2009-05-04T13:54:10Z\t\tBj\xF6rk\t\tJóga\n");
  const Dataset data = load("lastfm_1k", {{"folder", text("d")}}, folder);
  EXPECT_THAT(told(data), ElementsAre("user_1 Björk/_/Jóga 1241445250 1",  // date -u -d 2009-05-04T13:54:10Z +%s
                                      "user_1 Deep Dish/_/Fuji 1241478537 1", "user_2 Deep Dish/_/Fuji 1241478537 1"));
  EXPECT_EQ(title_of(data, "Björk/_/Jóga"), "Jóga");
  EXPECT_EQ(artist_of(data, "Deep Dish/_/Fuji"), "Deep Dish");
  EXPECT_TRUE(data.has_times && !data.has_sessions);
  const Dataset ids = load("lastfm_1k", {{"folder", text("d")}, {"id", text("mbid")}}, folder);
  EXPECT_THAT(ids.items.table().to_vector(), ElementsAre("Björk/_/Jóga", "Deep Dish/_/Fuji", "tr-1"));
  const Dataset artists = load("lastfm_1k", {{"folder", text("d")}, {"items", text("artists")}}, folder);
  EXPECT_THAT(artists.items.table().to_vector(), ElementsAre("Björk", "Deep Dish"));
  EXPECT_EQ(title_of(artists, "Deep Dish"), "Deep Dish");
}

TEST(Lastfm1k, APauseEndsASession) {
  const auto folder = temp_folder();
  std::string lines;
  for (const char* time : {"11:30:01", "11:00:00", "10:30:00", "10:00:00"})  // newest first, as in the file
    lines += fmt::format("u\t2009-01-01T{}Z\t\ta\t\t{}\n", time, time);
  lines += "v\t2009-01-01T10:00:00Z\t\ta\t\tb\n";
  folder.write(k1k, lines);
  const Dataset data = load("lastfm_1k", {{"folder", text("d")}, {"session_gap", Value::integer(30)}}, folder);
  EXPECT_TRUE(data.has_sessions);
  EXPECT_THAT(data.events.sessions().span(), ElementsAre(0u, 0u, 0u, 1u, 0u));
}

TEST(Lastfm1k, NamesMalformedLines) {
  const auto folder = temp_folder();
  folder.write(k1k, "u\tyesterday\t\ta\t\tb\n\t2009-01-01T10:00:00Z\t\ta\t\tb\nu\t2009-01-01T10:00:00Z\t\ta\t\t\nu\n");
  EXPECT_THAT(error_of("lastfm_1k", {{"folder", text("d")}}, folder),
              HasSubstr(".tsv:1: the time is not as 2009-05-04T23:08:57Z; 4 of 4 rows"));
  const Dataset data = load("lastfm_1k", {{"folder", text("d")}, {"max_malformed", Value::real(1)}}, folder);
  EXPECT_EQ(data.events.size(), 0u);
  EXPECT_THAT(data.notes,
              ElementsAre(HasSubstr("expected 6 fields (the first: "), HasSubstr("neither name nor id of the track"),
                          HasSubstr("no user (the first: "), HasSubstr("the time is not as")));
}

std::string song(char c) { return "SO" + std::string(16, c); }

TEST(MsdTasteProfile, ReadsTripletsWithoutMismatches) {
  const auto folder = temp_folder();
  folder.write(kTriplets, "u1\t" + song('A') + "\t1\nu1\t" + song('B') + "\t12\nu2\t" + song('B') + "\t3\nu2\t" +
                              song('C') + "\t1\n");
  folder.write("d/mis.txt", "ERROR: <" + song('B') + " TRA> A  -  B  !=  C  -  D\nERROR: <" + song('C') +
                                " TRB> A  -  B  !=  C  -  D\nERROR: <" + song('Z') + " TRC> a  -  b  !=  c  -  d\n");
  folder.write("d/tracks.txt", "TRA<SEP>" + song('A') + "<SEP>Björk<SEP>Jóga\nTRZ<SEP>" + song('Z') + "<SEP>x<SEP>y\n");
  const Dataset all = load("msd_taste_profile", {{"path", text(kTriplets)}}, folder);
  EXPECT_THAT(told(all), ElementsAre("u1 " + song('A') + " 0 1", "u1 " + song('B') + " 0 12",
                                     "u2 " + song('B') + " 0 3", "u2 " + song('C') + " 0 1"));
  EXPECT_FALSE(all.has_times);
  const Dataset few =
      load("msd_taste_profile",
           {{"path", text(kTriplets)}, {"mismatches", text("d/mis.txt")}, {"tracks", text("d/tracks.txt")}}, folder);
  EXPECT_THAT(told(few), ElementsAre("u1 " + song('A') + " 0 1"));
  EXPECT_EQ(title_of(few, song('A')), "Jóga");
  EXPECT_EQ(artist_of(few, song('A')), "Björk");
  EXPECT_THAT(few.notes, ElementsAre("3 triplets of 2 mismatched songs left out, of 3 songs listed"));
}

TEST(MsdTasteProfile, AcceptedSongsStay) {
  const auto folder = temp_folder();
  folder.write(kTriplets, "u1\t" + song('B') + "\t12\nu2\t" + song('C') + "\t1\n");
  folder.write("d/mis.txt", "ERROR: <" + song('B') + " TRA> x\nERROR: <" + song('C') + " TRB> x\n");
  folder.write("d/acc.txt", "1,2d1\n< ERROR: <" + song('C') + " TRB> x\n");
  const Dataset data =
      load("msd_taste_profile",
           {{"path", text(kTriplets)}, {"mismatches", text("d/mis.txt")}, {"accepted", text("d/acc.txt")}}, folder);
  EXPECT_THAT(told(data), ElementsAre("u2 " + song('C') + " 0 1"));
  EXPECT_THAT(error_of("msd_taste_profile", {{"path", text(kTriplets)}, {"accepted", text("d/acc.txt")}}, folder,
                       ExitCode::kUsage),
              HasSubstr("'accepted' goes with 'mismatches'"));
}

TEST(MsdTasteProfile, NamesBadLines) {
  const auto folder = temp_folder();
  folder.write(kTriplets, "u\tx\t1\nu\t" + song('A') + "\t0\n\t" + song('A') + "\t1\nu " + song('A') + " 1\n");
  EXPECT_THAT(error_of("msd_taste_profile", {{"path", text(kTriplets)}}, folder),
              HasSubstr("triplets.txt:1: the song is no id such as SOUMNSI12AB0182807; 4 of 4 rows"));
  folder.write("d/mis.txt", "ERROR: nothing\n");
  EXPECT_THAT(error_of("msd_taste_profile", {{"path", text(kTriplets)}, {"mismatches", text("d/mis.txt")}}, folder),
              HasSubstr("mis.txt:1: expected <song track>, found 'ERROR: nothing'"));
  EXPECT_THAT(error_of("msd_taste_profile", {{"path", text("d/none.txt")}}, folder), HasSubstr("no data 'd/none.txt'"));
  folder.write("d/mis.txt", "a heading\n");
  EXPECT_THAT(error_of("msd_taste_profile", {{"path", text(kTriplets)}, {"mismatches", text("d/mis.txt")}}, folder),
              HasSubstr("mis.txt: expected lines 'ERROR: <song track> ...', found none"));
}

}  // namespace
}  // namespace segue::test
