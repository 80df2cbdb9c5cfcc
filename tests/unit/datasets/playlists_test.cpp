// The Million Playlist Dataset and 30Music, from small files in their formats.
#include "framework/data/user_facets.hpp"
#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::vector<std::string> told(const Dataset& data) {
  std::vector<std::string> out;
  for (const Event& e : data.events.rows()) {
    out.push_back(fmt::format("{} {} {} {} {}", data.users[raw(e.user)], data.items[raw(e.item)], e.time,
                              event_kind_name(e.kind), e.session));
  }
  return out;
}
std::string artist_of(const Dataset& data, std::string_view item) {
  const auto& facet = data.facets.require<ItemArtist>();
  return std::string(facet.artists[facet.artist_of[at(data.items, item)]]);
}
std::string playlist_title(const Dataset& data, std::string_view user) {
  return std::string(data.facets.require<UserText>().titles[at(data.users, user)]);
}

std::string track(int position, const std::string& id, const std::string& title, const std::string& artist) {
  return fmt::format(R"(
                {{
                    "pos": {},
                    "artist_name": "{}",
                    "track_uri": "spotify:track:{}",
                    "artist_uri": "spotify:artist:x",
                    "track_name": "{}",
                    "duration_ms": 226863
                }})",
                     position, artist, id, title);
}
std::string playlist(const std::string& name, int pid, const std::string& tracks) {
  return fmt::format(R"(
        {{
            "name": "{}",
            "collaborative": "false",
            "pid": {},
            "modified_at": 1493424000,
            "num_tracks": 2,
            "tracks": [{}
            ],
            "num_edits": 6
        }})",
                     name, pid, tracks);
}
std::string slice(const std::string& playlists) {
  return fmt::format(R"({{
    "info": {{"generated_on": "2017-12-03 08:41:42.057563", "slice": "0-999", "version": "v1"}},
    "playlists": [{}
    ]
}})",
                     playlists);
}

TEST(MillionPlaylist, ReadsSlicesInTheOrderOfTheirPlaylists) {
  const auto folder = temp_folder();
  folder.write("mpd/data/mpd.slice.0-999.json", slice(playlist("Throw\\\"backs", 0,
                                                               track(0, "A1", "Fever 99\\u00b0", "Mo' Horizons") + "," +
                                                                   track(1, "B2", "Toxic", "Britney")) +
                                                      "," +
                                                      playlist("", 7,
                                                               track(1, "A1", "Fever 99\\u00b0", "Mo' Horizons") + "," +
                                                                   track(0, "A1", "Fever 99\\u00b0", "Mo' Horizons"))));
  folder.write("mpd/data/mpd.slice.1000-1999.json", slice(playlist("empty", 1000, "")));
  folder.write("mpd/data/mpd.slice.200-299.json", slice(playlist("x", 200, track(0, "B2", "Toxic", "Britney"))));
  folder.write("mpd/data/README.md", "not a slice");
  const Dataset data = load("million_playlist", {}, folder);
  EXPECT_THAT(told(data), ElementsAre("0 A1 1493424000 playlist_add 0", "0 B2 1493424001 playlist_add 0",
                                      "7 A1 1493424000 playlist_add 0", "7 A1 1493424001 playlist_add 0",
                                      "200 B2 1493424000 playlist_add 0"));
  EXPECT_EQ(title_of(data, "A1"), "Fever 99°");
  EXPECT_EQ(artist_of(data, "A1"), "Mo' Horizons");
  EXPECT_EQ(playlist_title(data, "0"), "Throw\"backs");
  EXPECT_EQ(playlist_title(data, "7"), "");
  EXPECT_THAT(data.notes, ElementsAre("1 playlists have no tracks, and are no users"));
  EXPECT_TRUE(data.has_times);
  const Dataset two = load("million_playlist", {{"slices", Value::integer(2)}}, folder);
  EXPECT_THAT(two.users.table().to_vector(), ElementsAre("0", "7", "200")) << "200 comes before 1000";
  EXPECT_NE(two.fingerprint(), load("million_playlist", {{"slices", Value::integer(1)}}, folder).fingerprint());
}

TEST(MillionPlaylist, CountsWhatLacksSomething) {
  const auto folder = temp_folder();
  const std::string uri = R"({"track_uri": "spotify:track:A1"})", place = R"({"pos": 0})";
  folder.write("m/mpd.slice.0-9.json", slice(playlist("x", 0, uri + ",\n" + place + ",\n" + track(2, "A", "a", "b")) +
                                             R"(, {"pid": "one", "modified_at": 1, "tracks": []},
                     {"pid": 3, "tracks": []})"));
  const Params tolerant{{"folder", text("m")}, {"max_malformed", Value::real(0.7)}};
  const Dataset data = load("million_playlist", tolerant, folder);
  EXPECT_THAT(told(data), ElementsAre("0 A 1493424002 playlist_add 0"));
  EXPECT_THAT(
      data.notes,
      ElementsAre("1 row skipped: a playlist without 'modified_at' (the first: mpd.slice.0-9.json:24)",
                  "1 row skipped: a playlist without a whole number as 'pid' (the first: mpd.slice.0-9.json:23)",
                  "1 row skipped: a track without 'track_uri' (the first: mpd.slice.0-9.json:11)",
                  "1 row skipped: a track without its position 'pos' (the first: mpd.slice.0-9.json:10)"));
  EXPECT_THAT(error_of("million_playlist", {{"folder", text("m")}}, folder),
              HasSubstr("mpd.slice.0-9.json:10: a track without its position 'pos'; 4 of 6 rows are malformed"));
}

TEST(MillionPlaylist, RefusesWhatIsNoSlice) {
  const auto folder = temp_folder();
  const auto with = [&](const std::string& text_of) {
    folder.write("m/mpd.slice.0-9.json", text_of);
    return error_of("million_playlist", {{"folder", text("m")}}, folder);
  };
  EXPECT_THAT(with("{\"info\": {},\n\"playlists\": [{\"pid\": 0,"),
              HasSubstr("mpd.slice.0-9.json:2: expected a key, found the end of the text"));
  EXPECT_THAT(with("[]"), HasSubstr("expected an object of 'info' and 'playlists'"));
  EXPECT_THAT(with("{\"info\": {}}"), HasSubstr("expected 'playlists', found an object without"));
  EXPECT_THAT(with("{\"playlists\": 3}"), HasSubstr("expected a list for 'playlists'"));
  EXPECT_THAT(with("{\"playlists\": [3]}"), HasSubstr("expected a playlist, an object"));
  EXPECT_THAT(with("{\"playlists\": [{\"tracks\": {}}]}"), HasSubstr("expected a list for 'tracks'"));
  EXPECT_THAT(with("{\"playlists\": [{\"tracks\": [1]}]}"), HasSubstr("expected a track, an object"));
  EXPECT_THAT(with("{\"playlists\": []} {}"), HasSubstr("expected nothing behind the object"));
  std::filesystem::remove(folder / "m/mpd.slice.0-9.json");
  EXPECT_THAT(error_of("million_playlist", {{"folder", text("m")}}, folder),
              HasSubstr("no slices such as mpd.slice.0-999.json"));
  EXPECT_THAT(error_of("million_playlist", {}, folder), HasSubstr("no data 'mpd'"));
}

void write_thirtymusic(const TempFolder& folder) {
  // Properties and links are parted by a blank in some files, by a tab in others.
  folder.write(
      "t/relations/sessions.idomaar",
      R"(event.session	287	1390231051	{"numtracks":3,"playtime":547} {"subjects":[{"type":"user","id":44361}],"objects":[{"type":"track","id":11,"playstart":0,"playtime":480,"playratio":null,"action":"play"},{"type":"track","id":12,"playstart":480,"playtime":10,"playratio":0.04,"action":"skip"},{"type":"track","id":11,"playstart":490,"playtime":57,"playratio":0.3,"action":"play"}]}
event.session	12	1390000000	{"numtracks":1,"playtime":-1}	{"subjects":[{"type":"user","id":44361}],"objects":[[{"type":"track","id":13,"playstart":null,"playtime":-1,"action":"play"}]]}
event.session	300	1390231051	{"numtracks":1} {"subjects":[{"type":"user","id":5}],"objects":[{"type":"track","id":11,"playstart":7,"action":"love"},{"type":"track","id":13,"playstart":9,"playtime":30}]}
)");
  folder.write(
      "t/entities/tracks.idomaar",
      R"(track	11	-1	{"duration":-1,"playcount":4,"MBID":null,"name":"Music+Instructor/_/Dj%27s+Rock"}	{"artists":[{"type":"person","id":1}],"albums":[],"tags":[{"type":"tag","id":9},{"type":"tag","id":8}]}
track	12	-1	{"duration":-1,"name":"Overkill"}	{"artists":[],"albums":null,"tags":[]}
)");
  folder.write("t/entities/tags.idomaar",
               R"(tag	9	-1	{"value":"hip+hop","url":"http:\/\/www.last.fm\/tag\/hip%20hop"}	{}
)");
}

TEST(Thirtymusic, ReadsSessions) {
  const auto folder = temp_folder();
  write_thirtymusic(folder);
  const Dataset data = load("thirtymusic", {{"folder", text("t")}}, folder);
  EXPECT_THAT(told(data),
              ElementsAre("5 13 1390231060 play 0", "44361 13 1390000000 play 0", "44361 11 1390231051 play 1",
                          "44361 12 1390231531 skip 1", "44361 11 1390231541 play 1"));
  EXPECT_TRUE(data.has_sessions && data.has_times);
  EXPECT_EQ(title_of(data, "11"), "Dj's Rock");
  EXPECT_EQ(artist_of(data, "11"), "Music Instructor");
  EXPECT_EQ(title_of(data, "12"), "Overkill");
  EXPECT_THAT(tags_of(data, "11"), ElementsAre(Pair("hip hop", 1)));
  EXPECT_THAT(data.notes, ElementsAre("1 tracks of sessions left out: neither played nor skipped",
                                      "1 tags of tracks left out: not in tags.idomaar"));
  const Dataset plain =
      load("thirtymusic",
           {{"folder", text("t")}, {"titles", Value::boolean(false)}, {"skip_below", Value::integer(60)}}, folder);
  EXPECT_THAT(told(plain),
              ElementsAre("5 13 1390231060 skip 0", "44361 13 1390000000 play 0", "44361 11 1390231051 play 1",
                          "44361 12 1390231531 skip 1", "44361 11 1390231541 skip 1"));
  EXPECT_TRUE(plain.facets.all().empty());
}

TEST(Thirtymusic, ReadsPlaylists) {
  const auto folder = temp_folder();
  write_thirtymusic(folder);
  folder.write(
      "t/entities/playlist.idomaar",
      R"(playlist	3	1216310400	{"ID":2341,"Title":"my+\"best\" of","numtracks":2,"duration":0}	{"subjects":[{"type":"user","id":9}],"objects":[{"type":"track","id":12},{"type":"track","id":11}]}
playlist	4	1216310400	{"ID":2342,"Title":"so "quoted"","numtracks":1}	{"subjects":[],"objects":[{"type":"track","id":12}]}
)");
  const Params params{{"folder", text("t")}, {"contents", text("playlists")}, {"max_malformed", Value::real(0.5)}};
  const Dataset data = load("thirtymusic", params, folder);
  EXPECT_THAT(told(data), ElementsAre("3 12 1216310400 playlist_add 0", "3 11 1216310401 playlist_add 0"));
  EXPECT_EQ(playlist_title(data, "3"), "my \"best\" of");
  EXPECT_FALSE(data.has_sessions);
  EXPECT_THAT(data.notes, ElementsAre("1 row skipped: its JSON is broken (the first: playlist.idomaar:2)",
                                      "1 tags of tracks left out: not in tags.idomaar"));
}

TEST(Thirtymusic, NamesBadLines) {
  const auto folder = temp_folder();
  write_thirtymusic(folder);
  const auto with = [&](const char* line) {
    folder.write("t/relations/sessions.idomaar", line);
    return error_of("thirtymusic", {{"folder", text("t")}}, folder);
  };
  EXPECT_THAT(with("event.session\n"), HasSubstr("sessions.idomaar:1: expected tabs behind type and id; 1 of 1 rows"));
  EXPECT_THAT(with("event.session\t1\tnow\t{}\n"), HasSubstr("the time is no whole number"));
  EXPECT_THAT(with("event.session\tone\t1\t{}\n"), HasSubstr("the id is no whole number"));
  EXPECT_THAT(with("event.session\t1\t1\t{} {\n"), HasSubstr("its JSON is broken"));
  EXPECT_THAT(with("event.session\t1\t1\t{} []\n"), HasSubstr("expected objects behind the time"));
  EXPECT_THAT(with("event.session\t1\t1\t{}\n"), HasSubstr("no user among the subjects"));
  EXPECT_THAT(with("event.play\t1\t1\t{}\n"), HasSubstr("a line of another type"));
  EXPECT_THAT(
      with(
          "event.session\t1\t1\t{} {\"subjects\":[{\"type\":\"user\",\"id\":1}],\"objects\":[{\"type\":\"track\"}]}\n"),
      HasSubstr("a track without an id"));
  EXPECT_THAT(error_of("thirtymusic", {}, folder), HasSubstr("no data 'ThirtyMusic/relations/sessions.idomaar'"));
}

}  // namespace
}  // namespace segue::test
