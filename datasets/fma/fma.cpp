// FMA (Defferrard, Benzi, Vandergheynst & Bresson 2017): music of the Free Music Archive, with genres and a split.
#include <map>
#include <unordered_map>

#include "framework/base/errors.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/recordings.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct FmaParams {
  std::string folder = "";
  std::string subset = "small";
  std::int64_t min_listens = 0;
  static Schema<FmaParams> schema() {
    using P = FmaParams;
    Schema<P> s;
    s.field(
        "folder", &P::folder,
        "the folder that holds fma_metadata and fma_small or whichever; empty: fma, audio/fma or a data folder itself");
    s.field("subset", &P::subset, "which tracks").choices({"small", "medium", "large", "full"});
    s.field("min_listens", &P::min_listens, "only tracks that were listened to that often on the site")
        .range(0, 1'000'000'000);
    return s;
  }
};

// tracks.csv has a header of two rows, "track" above "title"; a third row names the first column.
class TrackColumns {
 public:
  explicit TrackColumns(RecordReader& file) {
    std::vector<std::string_view> fields;
    if (!file.next(fields)) throw DataError("{}: expected a header, found nothing", file.name());
    const std::vector<std::string> above(fields.begin(), fields.end());
    if (!file.next(fields) || fields.size() != above.size())
      throw file.error("expected the second row of a header of {} columns", above.size());
    for (std::size_t i = 0; i < fields.size(); ++i) names_.push_back(fmt::format("{}.{}", above[i], fields[i]));
    const Columns columns({names_.begin(), names_.end()});
    subset = columns.require(file, "set.subset");
    split = columns.require(file, "set.split");
    title = columns.require(file, "track.title");
    artist = columns.require(file, "artist.name");
    released = columns.require(file, "album.date_released");
    genre = columns.require(file, "track.genre_top");
    genres = columns.require(file, "track.genres_all");
    listens = columns.require(file, "track.listens");
  }
  std::size_t size() const { return names_.size(); }

  std::size_t subset, split, title, artist, released, genre, genres, listens;

 private:
  std::vector<std::string> names_;
};

using Genres = std::unordered_map<std::string, std::string>;  // "21" -> "Hip-Hop"

Genres read_genres(const fs::path& path) {
  RecordReader file(path, ",");
  std::vector<std::string_view> fields;
  if (!file.next(fields)) throw DataError("{}: expected a header, found nothing", path.string());
  const Columns columns(fields);
  const std::size_t id = columns.require(file, "genre_id"), title = columns.require(file, "title");
  Genres out;
  while (file.next(fields, columns.size())) out.emplace(fields[id], to_utf8(fields[title]));
  return out;
}

// "[21, 811]"; false where it is no such list.
bool numbers_of(std::string_view list, std::vector<std::string_view>& out) {
  out.clear();
  if (list.size() < 2 || list.front() != '[' || list.back() != ']') return false;
  list = list.substr(1, list.size() - 2);
  if (list.empty()) return true;
  split(list, ", ", out);
  return std::all_of(out.begin(), out.end(), [](auto n) { return parse_number<std::uint32_t>(n).has_value(); });
}

struct Place {
  fs::path tracks, genres, audio;  // audio: fma_small, which may be absent
};

Place find_place(const FmaParams& params, const DataRoots& roots) {
  const std::string tracks = "fma_metadata/tracks.csv";
  fs::path metadata;
  if (!params.folder.empty())
    metadata = roots.find((fs::path(params.folder) / tracks).string(), "");
  else
    metadata = find_folder(roots, "", {"fma/" + tracks, "audio/fma/" + tracks, tracks});
  const fs::path folder = metadata.parent_path().parent_path();
  return {metadata, metadata.parent_path() / "genres.csv", folder / ("fma_" + params.subset)};
}

class FmaLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& values, const DataRoots& roots) const override {
    const Place place = find_place(parse(values), roots);
    std::vector<fs::path> out{place.tracks, place.genres};
    if (fs::exists(place.audio)) {  // folders change when recordings come and go
      for (const auto& entry : fs::directory_iterator(place.audio)) out.push_back(entry.path());
      std::sort(out.begin() + 2, out.end());
    }
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const FmaParams params = parse(values);
    const Place place = find_place(params, roots);
    const Genres genres = read_genres(place.genres);
    DatasetBuilder builder("fma", "FMA " + params.subset);
    builder.set_has_times(false);
    RecordReader file(place.tracks, ",");
    const TrackColumns columns(file);
    SkippedRows skipped;
    Counts counts;
    std::vector<std::string_view> fields;
    while (file.next(fields)) {
      if (fields[0] == "track_id") continue;
      if (const std::string fault = fault_of(fields, columns); !fault.empty())
        skipped.add(file, fault);
      else if (wanted(params, fields[columns.subset]))
        add(fields, columns, params, genres, place.audio, counts, builder);
    }
    if (counts.tracks == 0) throw DataError("{}: no tracks of the subset '{}'", place.tracks.string(), params.subset);
    skipped.note(builder);
    note(counts, place.audio, builder);
    return builder.build();
  }

 private:
  struct Counts {
    std::size_t tracks = 0, silent = 0, odd_dates = 0, odd_genres = 0, rare = 0;
    std::uint64_t listens = 0;
  };

  static FmaParams parse(const Value& params) { return FmaParams::schema().parse(params, "data set 'fma'"); }

  static std::string fault_of(const std::vector<std::string_view>& fields, const TrackColumns& columns) {
    if (fields.size() != columns.size()) return fmt::format("expected {} fields", columns.size());
    if (!parse_number<std::uint32_t>(fields[0])) return "the track's id is no number";
    const std::string_view subset = fields[columns.subset], split = fields[columns.split];
    if (subset != "small" && subset != "medium" && subset != "large") return "the subset is not small, medium or large";
    if (split != ItemClass::kTraining && split != ItemClass::kValidation && split != ItemClass::kTest)
      return "the split is not training, validation or test";
    if (!parse_number<std::int64_t>(fields[columns.listens])) return "the listens are no number";
    return "";
  }

  // A track bears the name of the smallest subset that holds it.
  static bool wanted(const FmaParams& params, std::string_view subset) {
    if (params.subset == "small") return subset == "small";
    if (params.subset == "medium") return subset != "large";
    return true;
  }

  static void add(const std::vector<std::string_view>& fields, const TrackColumns& columns, const FmaParams& params,
                  const Genres& genres, const fs::path& audio, Counts& counts, DatasetBuilder& builder) {
    const std::string_view track = fields[0];
    const auto listens = parse_number<std::int64_t>(fields[columns.listens]).value();
    ++counts.tracks;
    if (listens < params.min_listens) {
      ++counts.rare;
      return;
    }
    counts.listens += static_cast<std::uint64_t>(std::max<std::int64_t>(listens, 0));
    builder.declare_item(track);
    builder.set_title(track, to_utf8(fields[columns.title]));
    builder.set_artist(track, to_utf8(fields[columns.artist]));
    builder.set_class(track, to_utf8(fields[columns.genre]));
    builder.set_fold(track, fields[columns.split]);
    if (const std::string_view date = fields[columns.released]; !date.empty()) {
      if (const auto released = parse_iso_time(date))
        builder.set_release(track, *released);
      else
        ++counts.odd_dates;
    }
    std::vector<std::string_view> ids;
    bool known = numbers_of(fields[columns.genres], ids);
    for (const std::string_view id : ids) {
      const auto genre = genres.find(std::string(id));
      known = known && genre != genres.end();
      if (genre != genres.end()) builder.add_tag(track, genre->second);
    }
    counts.odd_genres += known ? 0 : 1;
    const std::string name = fmt::format("{:06}", parse_number<std::uint32_t>(track).value());
    const fs::path sound = fs::absolute(audio / name.substr(0, 3) / (name + ".mp3")).lexically_normal();
    std::error_code unreadable;  // counts as absent
    if (fs::exists(sound, unreadable))
      builder.set_audio(track, sound.string());
    else
      ++counts.silent;
  }

  static void note(const Counts& counts, const fs::path& audio, DatasetBuilder& builder) {
    const std::size_t kept = counts.tracks - counts.rare;
    builder.note(fmt::format("{} listens of {} tracks", counts.listens, kept));
    if (counts.rare > 0) builder.note(fmt::format("{} tracks with fewer listens left out", counts.rare));
    if (counts.silent > 0)
      builder.note(fmt::format("{} of {} tracks have no recording in {}", counts.silent, kept, audio.string()));
    if (counts.odd_dates > 0) builder.note(fmt::format("{} release dates not understood", counts.odd_dates));
    if (counts.odd_genres > 0)
      builder.note(fmt::format("{} tracks with genres that are not in genres.csv", counts.odd_genres));
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(fma, segue::FmaParams, segue::FmaLoader,
              {"fma",
               "Recordings of the Free Music Archive with genres, artists and a split, four sizes",
               "metadata CC BY 4.0; each recording has a Creative Commons licence of its own",
               "https://github.com/mdeff/fma",
               {}})
