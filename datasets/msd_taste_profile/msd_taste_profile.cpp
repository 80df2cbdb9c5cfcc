// The Echo Nest Taste Profile of the Million Song Dataset (Bertin-Mahieux, Ellis, Whitman & Lamere 2011): who played
// which song how often.
#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/interner.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct MsdTasteProfileParams {
  std::string path = "msd-taste-profile/train_triplets.txt";
  std::string mismatches = "";
  std::string accepted = "";
  std::string tracks = "";
  double max_malformed = 0.001;
  static Schema<MsdTasteProfileParams> schema() {
    using P = MsdTasteProfileParams;
    Schema<P> s;
    s.field("path", &P::path, "the file of triplets, below a data folder");
    s.field("mismatches", &P::mismatches,
            "sid_mismatches.txt: songs whose audio may be another one's, which are left out and counted; empty: none");
    s.field("accepted", &P::accepted, "sid_matches_manually_accepted.txt: of those, the songs that stay; empty: none");
    s.field("tracks", &P::tracks, "unique_tracks.txt: titles and artists; empty: none");
    s.field("max_malformed", &P::max_malformed,
            "share of the lines that may be malformed; they are left out and counted")
        .range(0.0, 1.0);
    return s;
  }
};

struct Files {
  fs::path triplets, mismatches, accepted, tracks;
};

// Identifiers of the Echo Nest: two letters, then sixteen letters and digits.
bool is_echonest_id(std::string_view text, std::string_view kind) {
  const auto fits = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); };
  return text.size() == 18 && text.starts_with(kind) && std::all_of(text.begin(), text.end(), fits);
}

// Songs of lines such as "ERROR: <SOUMNSI12AB0182807 TRMMGKQ128F9325E10> Artist  -  Title  !=  Artist  -  Title", of
// which one list begins with "< ". Other lines are headings.
void read_songs(const fs::path& path, Interner& songs) {
  FileReader file(path);
  for (std::string_view line; file.next(line);) {
    const std::size_t error = line.find("ERROR:");
    if (error == std::string_view::npos) continue;
    const std::size_t opened = std::min(line.find('<', error), line.size() - 1);
    const std::string_view song = line.substr(opened + 1, 18);
    if (!is_echonest_id(song, "SO")) throw file.error("expected <song track>, found '{}'", FileReader::excerpt(line));
    songs.intern(song);
  }
  if (songs.size() == 0) throw DataError("{}: expected lines 'ERROR: <song track> ...', found none", path.string());
}

class MsdTasteProfileLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    const Files f = find(params, roots);
    std::vector<fs::path> out{f.triplets, f.mismatches, f.accepted, f.tracks};
    std::erase(out, fs::path());
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const MsdTasteProfileParams params = parse(values);
    const Files paths = find(values, roots);
    Interner mismatched, accepted;
    if (!paths.mismatches.empty()) read_songs(paths.mismatches, mismatched);
    if (!paths.accepted.empty()) read_songs(paths.accepted, accepted);
    DatasetBuilder builder("msd_taste_profile", "Million Song Dataset Taste Profile");
    builder.set_has_times(false);
    SkippedRows skipped;
    std::vector<bool> met(mismatched.size(), false);
    std::size_t dropped = 0;
    FileReader file(paths.triplets);
    const auto row = [&](const FileReader&, const std::vector<std::string_view>& fields) -> std::string_view {
      const auto [user, song] = std::pair(fields[0], fields[1]);
      if (user.empty()) return "no user";
      if (!is_echonest_id(song, "SO")) return "the song is no id such as SOUMNSI12AB0182807";
      const auto plays = parse_number<std::uint32_t>(fields[2]);
      if (!plays || *plays == 0) return "the plays are no whole number from 1";
      const std::uint32_t wrong = mismatched.find(song);
      if (wrong != Interner::kNone && accepted.find(song) == Interner::kNone) {
        met[wrong] = true;
        ++dropped;
        return "";
      }
      builder.add({.user = user, .item = song, .kind = EventKind::kPlay, .value = static_cast<float>(*plays)});
      return "";
    };
    const std::size_t lines = each_tolerated_line(file, "\t", 3, skipped, row);
    skipped.tolerate(params.max_malformed, lines);
    skipped.note(builder);
    if (!paths.mismatches.empty()) {
      builder.note(fmt::format("{} triplets of {} mismatched songs left out, of {} songs listed", dropped,
                               std::count(met.begin(), met.end(), true), mismatched.size()));
    }
    if (!paths.tracks.empty()) read_tracks(paths.tracks, params, builder);
    return builder.build();
  }

 private:
  static MsdTasteProfileParams parse(const Value& params) {
    return MsdTasteProfileParams::schema().parse(params, "data set 'msd_taste_profile'");
  }
  static Files find(const Value& values, const DataRoots& roots) {
    const MsdTasteProfileParams p = parse(values);
    if (!p.accepted.empty() && p.mismatches.empty())
      throw UsageError("{}data set 'msd_taste_profile': 'accepted' goes with 'mismatches'", values.mark().prefix());
    const auto at = [&](const std::string& path) { return path.empty() ? fs::path() : roots.find(path, ""); };
    return {at(p.path), at(p.mismatches), at(p.accepted), at(p.tracks)};
  }

  // Lines "track<SEP>song<SEP>artist<SEP>title"; several tracks may be of one song.
  static void read_tracks(const fs::path& path, const MsdTasteProfileParams& params, DatasetBuilder& builder) {
    SkippedRows skipped;
    FileReader file(path);
    const auto row = [&](const FileReader&, const std::vector<std::string_view>& fields) -> std::string_view {
      if (!is_echonest_id(fields[1], "SO")) return "the song is no id such as SOUMNSI12AB0182807";
      builder.set_title(fields[1], to_utf8(fields[3]));
      builder.set_artist(fields[1], to_utf8(fields[2]));
      return "";
    };
    const std::size_t lines = each_tolerated_line(file, "<SEP>", 4, skipped, row);
    skipped.tolerate(params.max_malformed, lines);
    skipped.note(builder);
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(msd_taste_profile, segue::MsdTasteProfileParams, segue::MsdTasteProfileLoader,
              {"msd_taste_profile",
               "Play counts of songs by a million listeners (Million Song Dataset, Echo Nest Taste Profile)",
               "research use",
               "http://millionsongdataset.com/tasteprofile/",
               {}})
