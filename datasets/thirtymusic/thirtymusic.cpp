// 30Music (Turrin, Quadrana, Condorelli, Pagano & Cremonesi 2015): listening sessions and playlists from Last.fm.
#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/base/percent.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/interner.hpp"
#include "framework/data/json_reader.hpp"
#include "framework/data/loader.hpp"
#include "framework/data/user_facets.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;
using Token = JsonReader::Token;

struct ThirtymusicParams {
  enum class Contents { kSessions, kPlaylists };
  std::string folder = "ThirtyMusic";
  Contents contents = Contents::kSessions;
  int skip_below = 0;
  bool titles = true;
  double max_malformed = 0.01;
  static Schema<ThirtymusicParams> schema() {
    using P = ThirtymusicParams;
    Schema<P> s;
    s.field("folder", &P::folder, "the folder that holds entities and relations");
    s.field("contents", &P::contents, "what the events are: plays of users in sessions, or tracks of playlists")
        .choices({{"sessions", Contents::kSessions}, {"playlists", Contents::kPlaylists}});
    s.field("skip_below", &P::skip_below, "sessions: a play of fewer seconds is a skip; 0: every play is one")
        .range(0, 100'000);
    s.field("titles", &P::titles, "read entities/tracks.idomaar and tags.idomaar: titles, artists and tags");
    s.field("max_malformed", &P::max_malformed,
            "share of the lines that may be malformed; they are left out and counted")
        .range(0.0, 1.0);
    return s;
  }
};

constexpr std::int64_t kLastSecond = std::int64_t{1} << 52;  // sums of a few such times are far from the largest number

// "Dj%27s+Rock" -> "Dj's Rock".
std::string unescaped(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return to_utf8(percent_decoded(spaced));
}

// What a line's JSON links to: {"type": "track", "id": 7, ...}.
struct Link {
  std::string type, id, action;
  std::int64_t start = -1, seconds = -1;  // since the session began, and of playing; -1: not known
};

// A line of an .idomaar file: a type, an id, a time, properties and links, the latter two in JSON.
struct Line {
  std::string_view type, id;
  std::int64_t time = -1;
  std::string name;  // the property that names it
  std::vector<Link> subjects, objects, tags;
};

// Reads lines; what it returns is what is wrong with one. name_key: which property is wanted.
class LineParser {
 public:
  explicit LineParser(std::string_view name_key) : name_key_(name_key) {}

  std::string_view parse(const FileReader& file, std::string_view text, Line& line) const {
    line.name.clear(), line.subjects.clear(), line.objects.clear(), line.tags.clear();
    const std::size_t first = text.find('\t'), second = text.find('\t', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return "expected tabs behind type and id";
    line.type = text.substr(0, first);
    line.id = text.substr(first + 1, second - first - 1);
    // The rest is parted by tabs or, in some files, by blanks: JSON tells where it ends by itself.
    const std::string_view rest = text.substr(second + 1);
    const std::size_t end = std::min(rest.find_first_of("\t {"), rest.size());
    const auto time = parse_number<std::int64_t>(rest.substr(0, end));
    if (!time || *time > kLastSecond || *time < -kLastSecond) return "the time is no whole number of seconds";
    if (!parse_number<std::uint32_t>(line.id)) return "the id is no whole number";
    line.time = *time;
    try {
      JsonReader json(file.name(), rest.substr(end), file.line_number());
      for (Token t; (t = json.next()) != Token::kEnd;) {
        if (t != Token::kBeginObject) return "expected objects behind the time";
        object(json, line);
      }
    } catch (const DataError&) {
      return "its JSON is broken";
    }
    return "";
  }

 private:
  void object(JsonReader& json, Line& line) const {
    for (std::string_view key; json.next_key(key);) {
      std::vector<Link>* const links = key == "subjects"  ? &line.subjects
                                       : key == "objects" ? &line.objects
                                       : key == "tags"    ? &line.tags
                                                          : nullptr;
      const bool named = key == name_key_;
      const Token t = json.next();
      if (links != nullptr && t == Token::kBeginArray) {
        list(json, *links);
      } else if (named && t == Token::kString) {
        line.name = json.text();
      } else {
        json.skip(t);
      }
    }
  }

  // Links, some of which stand in lists of their own.
  static void list(JsonReader& json, std::vector<Link>& out) {
    for (int depth = 1; depth > 0;) {
      const Token t = json.next();
      if (t == Token::kBeginArray) ++depth;
      if (t == Token::kEndArray) --depth;
      if (t == Token::kBeginObject) out.push_back(link(json));
    }
  }

  static Link link(JsonReader& json) {
    Link out;
    for (std::string_view key; json.next_key(key);) {
      std::string* const text = key == "type"     ? &out.type
                                : key == "id"     ? &out.id
                                : key == "action" ? &out.action
                                                  : nullptr;
      std::int64_t* const number = key == "playstart" ? &out.start : key == "playtime" ? &out.seconds : nullptr;
      const Token t = json.next();
      if (text != nullptr && (t == Token::kString || t == Token::kNumber)) {
        *text = json.text();
      } else if (number != nullptr && t == Token::kNumber) {
        *number = std::min(parse_number<std::int64_t>(json.text()).value_or(-1), kLastSecond);
      } else {
        json.skip(t);
      }
    }
    return out;
  }

  std::string_view name_key_;
};

// Calls row(line) for each line of that type; what it returns is what is wrong with it.
template <class Row>
void each_line(const fs::path& path, std::string_view type, std::string_view name_key, double max_malformed,
               DatasetBuilder& builder, Row row) {
  FileReader file(path);
  const LineParser parser(name_key);
  SkippedRows skipped;
  Line line;
  const auto read = [&](std::string_view text) -> std::string_view {
    if (const std::string_view fault = parser.parse(file, text, line); !fault.empty()) return fault;
    return line.type == type ? row(line) : std::string_view("a line of another type");
  };
  std::size_t lines = 0;
  for (std::string_view text; file.next(text);) {
    if (text.empty()) continue;
    ++lines;
    if (const std::string_view fault = read(text); !fault.empty()) skipped.add(file, fault);
  }
  skipped.tolerate(max_malformed, lines);
  skipped.note(builder);
}

const Link* first_of(const std::vector<Link>& links, std::string_view type) {
  const auto it =
      std::find_if(links.begin(), links.end(), [&](const Link& l) { return l.type == type && !l.id.empty(); });
  return it == links.end() ? nullptr : &*it;
}

bool lacks_id(const std::vector<Link>& links) {
  return std::any_of(links.begin(), links.end(), [](const Link& l) { return l.id.empty(); });
}

class ThirtymusicLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& values, const DataRoots& roots) const override {
    const ThirtymusicParams params = parse(values);
    const auto at = [&](const char* name) { return roots.find((fs::path(params.folder) / name).string(), ""); };
    const bool sessions = params.contents == ThirtymusicParams::Contents::kSessions;
    std::vector<fs::path> out{at(sessions ? "relations/sessions.idomaar" : "entities/playlist.idomaar")};
    if (params.titles) out.insert(out.end(), {at("entities/tracks.idomaar"), at("entities/tags.idomaar")});
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const ThirtymusicParams params = parse(values);
    const std::vector<fs::path> paths = files(values, roots);
    const bool sessions = params.contents == ThirtymusicParams::Contents::kSessions;
    DatasetBuilder builder("thirtymusic", sessions ? "30Music" : "30Music playlists");
    UserTitles titles;
    if (sessions) {
      read_sessions(paths[0], params, builder);
    } else {
      read_playlists(paths[0], params, titles, builder);
    }
    if (params.titles) read_tracks(paths[1], paths[2], params, builder);
    Dataset data = builder.build();
    titles.place(data);
    return data;
  }

 private:
  static ThirtymusicParams parse(const Value& params) {
    return ThirtymusicParams::schema().parse(params, "data set 'thirtymusic'");
  }

  static void read_sessions(const fs::path& path, const ThirtymusicParams& params, DatasetBuilder& builder) {
    builder.set_has_sessions(true);
    std::size_t others = 0;
    each_line(path, "event.session", "", params.max_malformed, builder, [&](const Line& line) -> std::string_view {
      const Link* user = first_of(line.subjects, "user");
      if (user == nullptr) return "no user among the subjects";
      if (lacks_id(line.objects)) return "a track without an id";
      std::int64_t time = line.time;
      for (const Link& track : line.objects) {
        const bool skip = track.action == "skip" || (track.seconds >= 0 && track.seconds < params.skip_below);
        if (!track.action.empty() && track.action != "play" && track.action != "skip") {
          ++others;
          continue;
        }
        if (track.start >= 0) time = line.time + track.start;
        builder.add({.user = user->id,
                     .item = track.id,
                     .time = time,
                     .kind = skip ? EventKind::kSkip : EventKind::kPlay,
                     .session = parse_number<std::uint32_t>(line.id).value()});
      }
      return "";
    });
    if (others > 0) builder.note(fmt::format("{} tracks of sessions left out: neither played nor skipped", others));
  }

  static void read_playlists(const fs::path& path, const ThirtymusicParams& params, UserTitles& titles,
                             DatasetBuilder& builder) {
    each_line(path, "playlist", "Title", params.max_malformed, builder, [&](const Line& line) -> std::string_view {
      if (lacks_id(line.objects)) return "a track without an id";
      titles.set(line.id, unescaped(line.name));
      std::int64_t time = line.time;  // in the order of the list
      for (const Link& track : line.objects)
        builder.add({.user = line.id, .item = track.id, .time = time++, .kind = EventKind::kPlaylistAdd});
      return "";
    });
  }

  static void read_tracks(const fs::path& path, const fs::path& tag_path, const ThirtymusicParams& params,
                          DatasetBuilder& builder) {
    Interner ids;
    std::vector<std::string> tags;
    each_line(tag_path, "tag", "value", params.max_malformed, builder, [&](const Line& line) -> std::string_view {
      if (ids.intern(line.id) != tags.size()) return "a tag that is listed twice";
      tags.push_back(unescaped(line.name));
      return "";
    });
    std::size_t unknown = 0;
    each_line(path, "track", "name", params.max_malformed, builder, [&](const Line& line) -> std::string_view {
      const std::size_t parted = line.name.find("/_/");  // "Artist/_/Title"
      const bool has_artist = parted != std::string::npos;
      builder.set_title(line.id, unescaped(std::string_view(line.name).substr(has_artist ? parted + 3 : 0)));
      if (has_artist) builder.set_artist(line.id, unescaped(std::string_view(line.name).substr(0, parted)));
      for (const Link& tag : line.tags) {
        const std::uint32_t number = ids.find(tag.id);
        if (number == Interner::kNone) {
          ++unknown;
        } else {
          builder.add_tag(line.id, tags[number]);
        }
      }
      return "";
    });
    if (unknown > 0) builder.note(fmt::format("{} tags of tracks left out: not in tags.idomaar", unknown));
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(thirtymusic, segue::ThirtymusicParams, segue::ThirtymusicLoader,
              {"thirtymusic",
               "Listening sessions with play times, and playlists, of 45,000 users of Last.fm (30Music)",
               "research use",
               "http://recsys.deib.polimi.it/datasets/",
               {}})
