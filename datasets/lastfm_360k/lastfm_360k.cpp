// Last.fm 360K (Celma 2010): who played which artist how often.
#include <algorithm>

#include "framework/data/collect.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPlays = "usersha1-artmbid-artname-plays.tsv";

struct Lastfm360kParams {
  enum class Id { kName, kMbid };
  std::string folder = "lastfm-dataset-360K";
  Id id = Id::kName;
  double max_malformed = 0.001;
  static Schema<Lastfm360kParams> schema() {
    using P = Lastfm360kParams;
    Schema<P> s;
    s.field("folder", &P::folder, "the folder that holds usersha1-artmbid-artname-plays.tsv");
    s.field("id", &P::id, "what tells artists apart: their name, or their MusicBrainz id where there is one")
        .choices({{"name", Id::kName}, {"mbid", Id::kMbid}});
    s.field("max_malformed", &P::max_malformed,
            "share of the lines that may be malformed; they are left out and counted")
        .range(0.0, 1.0);
    return s;
  }
};

bool is_sha1(std::string_view text) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 40 && std::all_of(text.begin(), text.end(), hex);
}

class Lastfm360kLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    return {roots.find((fs::path(parse(params).folder) / kPlays).string(), "")};
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const Lastfm360kParams params = parse(values);
    FileReader file(files(values, roots).front());
    DatasetBuilder builder("lastfm_360k", "Last.fm 360K");
    builder.set_has_times(false);
    SkippedRows skipped;
    std::size_t unplayed = 0;
    std::string name;
    Interner nameless;  // artists of whom only the id is known
    const auto row = [&](const FileReader&, const std::vector<std::string_view>& fields) -> std::string_view {
      if (!is_sha1(fields[0])) return "the user is no SHA-1";
      const auto plays = parse_number<std::uint32_t>(fields[3]);
      if (!plays) return "the plays are no whole number";
      assign_utf8(name, fields[2]);
      const bool by_mbid = name.empty() || (params.id == Lastfm360kParams::Id::kMbid && !fields[1].empty());
      const std::string_view item = by_mbid ? fields[1] : std::string_view(name);
      if (item.empty()) return "neither name nor id of the artist";
      if (*plays == 0) {
        ++unplayed;
        return "";
      }
      builder.add({.user = fields[0], .item = item, .kind = EventKind::kPlay, .value = static_cast<float>(*plays)});
      if (params.id == Lastfm360kParams::Id::kMbid) {
        builder.set_title(item, name);
        builder.set_artist(item, name);
      } else if (by_mbid) {
        nameless.intern(item);
      }
      return "";
    };
    const std::size_t lines = each_tolerated_line(file, "\t", 4, skipped, row);
    skipped.tolerate(params.max_malformed, lines);
    skipped.note(builder);
    if (unplayed > 0) builder.note(fmt::format("{} lines of 0 plays left out", unplayed));
    Dataset data = builder.build();
    if (params.id == Lastfm360kParams::Id::kName) {
      add_item_names(data, [&](std::string_view id) {
        const bool named = nameless.find(id) == Interner::kNone;
        return named ? std::pair(id, id) : std::pair<std::string_view, std::string_view>();
      });
    }
    return data;
  }

 private:
  static Lastfm360kParams parse(const Value& params) {
    return Lastfm360kParams::schema().parse(params, "data set 'lastfm_360k'");
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(lastfm_360k, segue::Lastfm360kParams, segue::Lastfm360kLoader,
              {"lastfm_360k",
               "Play counts of artists by 359,000 users of Last.fm (Celma 2010)",
               "non-commercial use",
               "http://ocelma.net/MusicRecommendationDataset/lastfm-360K.html",
               {}})
