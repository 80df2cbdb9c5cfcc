// Last.fm 1K (Celma 2010): every track that nearly a thousand users played, and when.
#include "framework/data/collect.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kParted = "/_/";  // between artist and title, as in addresses of Last.fm
constexpr const char* kPlays = "userid-timestamp-artid-artname-traid-traname.tsv";

struct Lastfm1kParams {
  enum class Items { kTracks, kArtists };
  enum class Id { kName, kMbid };
  std::string folder = "lastfm-dataset-1K";
  Items items = Items::kTracks;
  Id id = Id::kName;
  int session_gap = 0;
  double max_malformed = 0.001;
  static Schema<Lastfm1kParams> schema() {
    using P = Lastfm1kParams;
    Schema<P> s;
    s.field("folder", &P::folder, "the folder that holds userid-timestamp-artid-artname-traid-traname.tsv");
    s.field("items", &P::items, "what is recommended")
        .choices({{"tracks", Items::kTracks}, {"artists", Items::kArtists}});
    s.field("id", &P::id, "what tells items apart: their name, or their MusicBrainz id where there is one")
        .choices({{"name", Id::kName}, {"mbid", Id::kMbid}});
    s.field("session_gap", &P::session_gap, "minutes without a play that end a session; 0: no sessions")
        .range(0, 1'000'000);
    s.field("max_malformed", &P::max_malformed,
            "share of the lines that may be malformed; they are left out and counted")
        .range(0.0, 1.0);
    return s;
  }
};

// Numbers the sessions of each user: the events stand by user and time.
void cut_sessions(Dataset& data, std::int64_t gap) {
  const Events& e = data.events;
  std::vector<std::uint32_t> sessions(e.size(), 0);
  for (std::size_t i = 1; i < e.size(); ++i) {
    if (e.users()[i] != e.users()[i - 1]) continue;
    sessions[i] = sessions[i - 1] + (e.times()[i] - e.times()[i - 1] > gap ? 1 : 0);
  }
  data.events = Events(e.users(), e.items(), e.times(), e.kinds(), e.values(), std::move(sessions));
  data.has_sessions = true;
}

class Lastfm1kLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    return {roots.find((fs::path(parse(params).folder) / kPlays).string(), "")};
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const Lastfm1kParams params = parse(values);
    const bool tracks = params.items == Lastfm1kParams::Items::kTracks;
    FileReader file(files(values, roots).front());
    DatasetBuilder builder("lastfm_1k", tracks ? "Last.fm 1K" : "Last.fm 1K, artists");
    SkippedRows skipped;
    std::string artist, track, name;
    Interner nameless;  // items of which only the id is known
    const auto row = [&](const FileReader&, const std::vector<std::string_view>& fields) -> std::string_view {
      if (fields[0].empty()) return "no user";
      const auto time = parse_iso_time(fields[1]);
      if (!time) return "the time is not as 2009-05-04T23:08:57Z";
      assign_utf8(artist, fields[3]);
      assign_utf8(track, fields[5]);
      const std::string_view mbid = tracks ? fields[4] : fields[2];
      name = artist;
      if (tracks) name.append(kParted).append(track);
      const bool named = !(tracks ? track : artist).empty();
      const bool by_mbid = !named || (params.id == Lastfm1kParams::Id::kMbid && !mbid.empty());
      const std::string_view item = by_mbid ? mbid : std::string_view(name);
      if (item.empty()) return tracks ? "neither name nor id of the track" : "neither name nor id of the artist";
      builder.add({.user = fields[0], .item = item, .time = *time, .kind = EventKind::kPlay});
      if (params.id == Lastfm1kParams::Id::kMbid) {
        builder.set_title(item, tracks ? track : artist);
        builder.set_artist(item, artist);
      } else if (by_mbid) {
        nameless.intern(item);
      }
      return "";
    };
    const std::size_t lines = each_tolerated_line(file, "\t", 6, skipped, row);
    skipped.tolerate(params.max_malformed, lines);
    skipped.note(builder);
    Dataset data = builder.build();
    if (params.id == Lastfm1kParams::Id::kName) {
      add_item_names(data, [&](std::string_view id) -> std::pair<std::string_view, std::string_view> {
        if (nameless.find(id) != Interner::kNone) return {};
        const std::size_t parted = tracks ? id.find(kParted) : std::string_view::npos;
        if (parted == std::string_view::npos) return {id, id};
        return {id.substr(parted + kParted.size()), id.substr(0, parted)};
      });
    }
    if (params.session_gap > 0) cut_sessions(data, std::int64_t{60} * params.session_gap);
    return data;
  }

 private:
  static Lastfm1kParams parse(const Value& params) {
    return Lastfm1kParams::schema().parse(params, "data set 'lastfm_1k'");
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(lastfm_1k, segue::Lastfm1kParams, segue::Lastfm1kLoader,
              {"lastfm_1k",
               "All that 992 users of Last.fm played, track by track, with times (Celma 2010)",
               "non-commercial use",
               "http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html",
               {}})
