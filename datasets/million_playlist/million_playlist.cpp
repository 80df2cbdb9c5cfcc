// The Million Playlist Dataset (Chen, Lamere, Schedl & Zamani 2018): playlists with their titles, in slices of JSON.
#include <algorithm>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/json_reader.hpp"
#include "framework/data/loader.hpp"
#include "framework/data/user_facets.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;
using Token = JsonReader::Token;

struct MillionPlaylistParams {
  std::string folder = "mpd";
  int slices = 0;
  double max_malformed = 0.001;
  static Schema<MillionPlaylistParams> schema() {
    using P = MillionPlaylistParams;
    Schema<P> s;
    s.field("folder", &P::folder,
            "the folder that holds mpd.slice.0-999.json and its like, or a folder data of it does");
    s.field("slices", &P::slices, "read the first so many slices, by the numbers of their playlists; 0: all")
        .range(0, 1'000'000);
    s.field("max_malformed", &P::max_malformed,
            "share of the playlists and tracks that may be malformed; they are left out and counted")
        .range(0.0, 1.0);
    return s;
  }
};

// Times and places beyond it, of which sums would be far from the largest number, are none.
constexpr std::int64_t kLast = std::int64_t{1} << 52;

constexpr std::string_view kPrefix = "mpd.slice.", kTrackUri = "spotify:track:";

// 1000 of "mpd.slice.1000-1999.json".
std::optional<std::uint64_t> first_playlist(std::string_view name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(".json")) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  return parse_number<std::uint64_t>(name.substr(0, name.find('-')));
}

std::vector<fs::path> slices_of(const MillionPlaylistParams& params, const DataRoots& roots) {
  const fs::path folder = roots.find(params.folder, "");
  std::vector<std::pair<std::uint64_t, fs::path>> found;
  for (const fs::path& place : {folder, folder / "data"}) {
    if (!found.empty() || !fs::is_directory(place)) continue;
    for (const auto& entry : fs::directory_iterator(place)) {
      if (const auto first = first_playlist(entry.path().filename().string())) found.emplace_back(*first, entry.path());
    }
  }
  if (found.empty())
    throw DataError("{}: no slices such as mpd.slice.0-999.json, neither here nor in a folder data", folder.string());
  std::sort(found.begin(), found.end());
  if (params.slices > 0) found.resize(std::min(found.size(), static_cast<std::size_t>(params.slices)));
  std::vector<fs::path> out;
  for (auto& [first, path] : found) out.push_back(std::move(path));
  return out;
}

// One playlist as it is read; its tracks' texts lie one behind the other.
struct Playlist {
  struct Track {
    std::size_t uri = 0, title = 0, artist = 0, end = 0;  // where each text begins, and where the last one ends
    std::int64_t position = 0;
  };
  std::string id, title;
  std::int64_t modified = 0;
  bool has_time = false;
  std::vector<Track> tracks;
  std::string texts;

  void clear() {
    id.clear(), title.clear(), tracks.clear(), texts.clear();
    modified = 0;
    has_time = false;
  }
  std::string_view uri(const Track& t) const { return std::string_view(texts).substr(t.uri, t.title - t.uri); }
  std::string_view name(const Track& t) const { return std::string_view(texts).substr(t.title, t.artist - t.title); }
  std::string_view artist(const Track& t) const { return std::string_view(texts).substr(t.artist, t.end - t.artist); }
};

class Slices {
 public:
  explicit Slices(DatasetBuilder& builder) : builder_(builder) {}

  void read(const fs::path& path) {
    FileReader file(path);
    JsonReader json(file.name(), file.bytes());
    if (json.next() != Token::kBeginObject) throw json.error("expected an object of 'info' and 'playlists'");
    bool found = false;
    for (std::string_view key; json.next_key(key);) {
      if (key != "playlists") {
        json.skip();
        continue;
      }
      found = true;
      if (json.next() != Token::kBeginArray) throw json.error("expected a list for 'playlists'");
      for (Token t; (t = json.next()) != Token::kEndArray;) {
        if (t != Token::kBeginObject) throw json.error("expected a playlist, an object");
        read_playlist(json);
        file.let_go(json.position());
      }
    }
    if (json.next() != Token::kEnd) throw json.error("expected nothing behind the object");
    if (!found) throw json.error("expected 'playlists', found an object without");
  }

  // Which texts the playlists bear, how much was read and left out.
  const UserTitles& titles() const { return titles_; }
  const SkippedRows& skipped() const { return skipped_; }
  std::size_t rows() const { return rows_; }
  std::size_t without_tracks() const { return without_tracks_; }

 private:
  void read_playlist(JsonReader& json) {
    playlist_.clear();
    ++rows_;
    for (std::string_view key; json.next_key(key);) {
      if (key == "tracks") {
        if (json.next() != Token::kBeginArray) throw json.error("expected a list for 'tracks'");
        for (Token t; (t = json.next()) != Token::kEndArray;) {
          if (t != Token::kBeginObject) throw json.error("expected a track, an object");
          read_track(json);
        }
      } else if (key == "pid") {
        read(json, Token::kNumber, [&](std::string_view text) { playlist_.id = text; });
      } else if (key == "name") {
        read(json, Token::kString, [&](std::string_view text) { playlist_.title = to_utf8(text); });
      } else if (key == "modified_at") {
        read(json, Token::kNumber, [&](std::string_view text) {
          const auto time = parse_number<std::int64_t>(text);
          playlist_.has_time = time && *time < kLast && *time > -kLast;
          if (playlist_.has_time) playlist_.modified = *time;
        });
      } else {
        json.skip();
      }
    }
    finish(json);
  }

  // The next value, where it is of this kind; another is passed over, whatever it holds.
  template <class Take>
  static void read(JsonReader& json, Token kind, Take take) {
    if (const Token t = json.next(); t == kind)
      take(json.text());
    else
      json.skip(t);
  }

  void read_track(JsonReader& json) {
    ++rows_;
    std::optional<std::int64_t> position;
    uri_.clear(), name_.clear(), artist_.clear();
    for (std::string_view key; json.next_key(key);) {
      std::string* const text = key == "track_uri"     ? &uri_
                                : key == "track_name"  ? &name_
                                : key == "artist_name" ? &artist_
                                                       : nullptr;
      const bool is_position = key == "pos";
      const Token t = json.next();
      if (text != nullptr && t == Token::kString) {
        *text = json.text();
      } else if (is_position && t == Token::kNumber) {
        position = parse_number<std::int64_t>(json.text());
      } else {
        json.skip(t);
      }
    }
    if (uri_.starts_with(kTrackUri)) uri_.erase(0, kTrackUri.size());
    if (uri_.empty()) {
      skipped_.add(json, "a track without 'track_uri'");
    } else if (!position || *position < 0 || *position > kLast) {
      skipped_.add(json, "a track without its position 'pos'");
    } else {
      std::string& texts = playlist_.texts;
      Playlist::Track track;
      track.position = *position;
      track.uri = texts.size();
      track.title = texts.append(uri_).size();
      track.artist = texts.append(to_utf8(name_)).size();
      track.end = texts.append(to_utf8(artist_)).size();
      playlist_.tracks.push_back(track);
    }
  }

  void finish(const JsonReader& json) {
    if (!parse_number<std::uint64_t>(playlist_.id)) {
      skipped_.add(json, "a playlist without a whole number as 'pid'");
      return;
    }
    if (!playlist_.has_time) {
      skipped_.add(json, "a playlist without 'modified_at'");
      return;
    }
    titles_.set(playlist_.id, playlist_.title);
    without_tracks_ += playlist_.tracks.empty();
    for (const Playlist::Track& track : playlist_.tracks) {
      const std::string_view item = playlist_.uri(track);
      builder_.add({.user = playlist_.id,
                    .item = item,
                    .time = playlist_.modified + track.position,
                    .kind = EventKind::kPlaylistAdd});
      builder_.set_title(item, playlist_.name(track));
      builder_.set_artist(item, playlist_.artist(track));
    }
  }

  DatasetBuilder& builder_;
  UserTitles titles_;
  SkippedRows skipped_;
  std::size_t rows_ = 0, without_tracks_ = 0;
  Playlist playlist_;
  std::string uri_, name_, artist_;
};

class MillionPlaylistLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    return slices_of(parse(params), roots);
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const MillionPlaylistParams params = parse(values);
    DatasetBuilder builder("million_playlist", "Million Playlist Dataset");
    Slices slices(builder);
    for (const fs::path& path : slices_of(params, roots)) slices.read(path);
    slices.skipped().tolerate(params.max_malformed, slices.rows());
    slices.skipped().note(builder);
    if (slices.without_tracks() > 0)
      builder.note(fmt::format("{} playlists have no tracks, and are no users", slices.without_tracks()));
    Dataset data = builder.build();
    slices.titles().place(data);
    return data;
  }

 private:
  static MillionPlaylistParams parse(const Value& params) {
    return MillionPlaylistParams::schema().parse(params, "data set 'million_playlist'");
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(million_playlist, segue::MillionPlaylistParams, segue::MillionPlaylistLoader,
              {"million_playlist",
               "Playlists of Spotify with titles, tracks in order and artists (Million Playlist Dataset)",
               "research use, no redistribution (Spotify's terms)",
               "https://www.aicrowd.com/challenges/spotify-million-playlist-dataset-challenge",
               {}})
