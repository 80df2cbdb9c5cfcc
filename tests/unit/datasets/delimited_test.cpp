#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(Delimited, ColumnsByName) {
  const auto folder = temp_folder();
  folder.write("plays.csv",
               "\xEF\xBB\xBFwhen,track,listener,n\r\n2009-05-04T23:08:57Z,\"a, b\",u2,3\r\n2009-05-04 "
               "23:08:56,\"two\nlines\",u1,1");
  const Dataset data = load("delimited",
                            {{"path", text("plays.csv")},
                             {"user", text("listener")},
                             {"item", text("track")},
                             {"rating", text("n")},
                             {"values", text("play_count")},
                             {"time", text("when")},
                             {"time_format", text("iso")}},
                            folder);
  EXPECT_THAT(data.users.table().to_vector(), ElementsAre("u1", "u2"));
  EXPECT_THAT(data.items.table().to_vector(), ElementsAre("a, b", "two\nlines"));
  EXPECT_THAT(data.events.times().span(), ElementsAre(1241478536, 1241478537));
  EXPECT_THAT(data.events.values().span(), ElementsAre(1.f, 3.f));
  EXPECT_EQ(data.events.kinds()[0], EventKind::kPlay);
  EXPECT_TRUE(data.has_times && !data.has_ratings);
}

TEST(Delimited, ColumnsByNumberAndOtherSeparators) {
  for (const auto& [separator, between] :
       {std::pair{"::", "::"}, {"tab", "\t"}, {"space", " "}, {"|", "|"}, {";", ";"}}) {
    const auto folder = temp_folder();
    const std::string b = between;
    folder.write("f", "junk\n# note\n5" + b + "i1" + b + "u1\n# more\n4" + b + "i2" + b + "u1\n");
    const Dataset data = load("delimited",
                              {{"path", text("f")},
                               {"separator", text(separator)},
                               {"user", text("3")},
                               {"item", text("2")},
                               {"rating", text("1")},
                               {"comment", text("#")},
                               {"skip_lines", Value::integer(1)}},
                              folder);
    EXPECT_EQ(data.events.size(), 2u) << separator;
    EXPECT_TRUE(data.has_ratings);
    EXPECT_EQ(data.events[0].value, 5.f);
  }
}

TEST(Delimited, LooksForAHeader) {
  const auto folder = temp_folder();
  const auto events = [&](const char* content, Value header, const char* rating) {
    folder.write("f.csv", content);
    return load("delimited", {{"path", text("f.csv")}, {"header", header}, {"rating", text(rating)}}, folder)
        .events.size();
  };
  EXPECT_EQ(events("a,b,c\nu,i,3\n", Value::null(), "3"), 1u);
  EXPECT_EQ(events("u,j,4\nu,i,3\n", Value::null(), "3"), 2u);
  EXPECT_EQ(events("u,j,4\nu,i,3\n", Value::boolean(true), "3"), 1u);
  EXPECT_EQ(events("user,item\nu,i\n", Value::null(), ""), 1u);
  EXPECT_EQ(events("u,j\nu,i\n", Value::null(), ""), 2u);
  EXPECT_EQ(events("user,item\nu,i\n", Value::boolean(false), ""), 2u);
}

TEST(Delimited, TimesInMillisecondsAndByPattern) {
  const auto folder = temp_folder();
  folder.write("f.csv", "u,i,1241478537999\nu,j,-1\n");
  const Dataset ms =
      load("delimited", {{"path", text("f.csv")}, {"time", text("3")}, {"time_format", text("unix_ms")}}, folder);
  EXPECT_THAT(ms.events.times().span(), ElementsAre(-1, 1241478537));
  folder.write("f.csv", "u,i,04/05/2009 23:08\n");
  const Dataset pattern = load(
      "delimited", {{"path", text("f.csv")}, {"time", text("3")}, {"time_format", text("%d/%m/%Y %H:%M")}}, folder);
  EXPECT_EQ(pattern.events[0].time, 1241478480);
}

TEST(Delimited, SessionsAndKindsDoNotDependOnRowOrder) {
  std::vector<std::string> rows{"u,i,10,morning,play", "u,j,20,noon,skip", "u,k,30,morning,like",
                                "v,i,5,zz,playlist_add", "u,i,20,evening,repeat"};
  const auto folder = temp_folder();
  std::string fingerprint;
  std::sort(rows.begin(), rows.end());
  do {
    std::string content;
    for (const std::string& row : rows) content += row + "\n";
    folder.write("f.csv", content);
    const Dataset data =
        load("delimited", {{"path", text("f.csv")}, {"time", text("3")}, {"session", text("4")}, {"kind", text("5")}},
             folder);
    EXPECT_THAT(data.events.sessions().span(), ElementsAre(0u, 1u, 2u, 0u, 0u));
    EXPECT_THAT(data.events.kinds().span(), ElementsAre(EventKind::kPlay, EventKind::kRepeat, EventKind::kSkip,
                                                        EventKind::kLike, EventKind::kPlaylistAdd));
    if (fingerprint.empty()) fingerprint = data.fingerprint();
    EXPECT_EQ(data.fingerprint(), fingerprint);
  } while (std::next_permutation(rows.begin(), rows.end()));
}

TEST(Delimited, ReadsAFileAboutItems) {
  const auto folder = temp_folder();
  folder.write("f.csv", "u,i\nu,j\n");
  folder.write("items.csv", "id,name,who,what\ni,\"Song, A\",Duo,rock;pop\nk,K,Nobody,none\n");
  const Dataset data = load("delimited",
                            {{"path", text("f.csv")},
                             {"items", text("items.csv")},
                             {"items_item", text("id")},
                             {"items_title", text("name")},
                             {"items_artist", text("who")},
                             {"items_tags", text("what")},
                             {"tag_separator", text(";")}},
                            folder);
  EXPECT_EQ(title_of(data, "i"), "Song, A");
  EXPECT_EQ(title_of(data, "j"), "");
  EXPECT_THAT(tags_of(data, "i"), ElementsAre(Pair("pop", 1), Pair("rock", 1)));
  EXPECT_THAT(data.facets.require<ItemArtist>().artists.to_vector(), ElementsAre("Duo"));
}

TEST(Delimited, NamesFileAndLine) {
  const auto folder = temp_folder();
  const auto with = [&](const char* content, const char* user = "1") {
    folder.write("f.csv", content);
    return error_of("delimited",
                    {{"path", text("f.csv")}, {"user", text(user)}, {"rating", text("3")}, {"time", text("4")}},
                    folder);
  };
  EXPECT_THAT(with("u,i,3,5\nu,i,3\n"), HasSubstr("f.csv:2: expected 4 fields, found 3"));
  EXPECT_THAT(with("u,i,3,5\nu,\"i\n\",3,5\nu,i,x,5\n"),
              HasSubstr("f.csv:4: expected a finite number for the rating, found 'x'"));
  EXPECT_THAT(with("u,i,3,5\nu,i,3,5.5.5\n"), HasSubstr("f.csv:2: expected a time as unix, found '5.5.5'"));
  EXPECT_THAT(with("u,i,3,5\n,i,3,5\n"), HasSubstr("f.csv:2: expected an id for the user, found nothing"));
  EXPECT_THAT(with("user,i,3,5\nu,i,3,5\n", "usr"), HasSubstr("f.csv:1: no column 'usr'; did you mean 'user'?"));
  EXPECT_THAT(with("u,i,3\n"), HasSubstr("f.csv:1: expected column 4, found 3 columns"));
  EXPECT_THAT(with(""), HasSubstr("expected rows, found none"));
  folder.write("f.csv", "u,i,hum\n");
  EXPECT_THAT(error_of("delimited", {{"path", text("f.csv")}, {"kind", text("3")}}, folder),
              HasSubstr("f.csv:1: expected a kind of event, found 'hum'"));
}

TEST(Delimited, RefusesParametersThatCannotWork) {
  const auto folder = temp_folder();
  folder.write("f.csv", "u,i\n");
  const auto with = [&](const char* key, Value value) {
    return error_of("delimited", {{"path", text("f.csv")}, {key, value}}, folder, ExitCode::kUsage);
  };
  EXPECT_THAT(with("time_format", text("%Q")), HasSubstr("has the time_format '%Q', expected unix"));
  EXPECT_THAT(with("time_format", text("epoch")), HasSubstr("has the time_format 'epoch'"));
  EXPECT_THAT(with("quote", text("''")), HasSubstr("expected one character"));
  EXPECT_THAT(with("separator", text("")), HasSubstr("empty separator"));
  EXPECT_THAT(with("colour", text("red")), HasSubstr("unknown key 'colour'"));
  EXPECT_THAT(error_of("delimited", {}, folder, ExitCode::kUsage), HasSubstr("needs a 'path'"));
}

}  // namespace
}  // namespace segue::test
