// HetRec 2011 Last.fm (Cantador, Brusilovsky & Kuflik 2011): who played which artist how often, and who gave which tag.
#include "framework/base/errors.hpp"
#include "framework/data/file_reader.hpp"
#include "framework/data/interner.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct HetrecLastfmParams {
  std::string folder = "hetrec-lastfm-2k";
  static Schema<HetrecLastfmParams> schema() {
    Schema<HetrecLastfmParams> s;
    s.field("folder", &HetrecLastfmParams::folder, "the folder that holds user_artists.dat");
    return s;
  }
};

// Calls row(file, fields) for each line below the header, whose columns must be these.
template <class Row>
void each_row(const fs::path& path, const std::vector<std::string_view>& header, Row row) {
  FileReader file(path);
  std::vector<std::string_view> fields;
  if (!file.next_fields("\t", 1, header.size(), fields) || fields != header) {
    throw file.error("expected the columns {}, found {}", fmt::join(header, ", "), fmt::join(fields, ", "));
  }
  while (file.next_fields("\t", header.size(), header.size(), fields)) row(file, fields);
}

class HetrecLastfmLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    const fs::path folder = find_folder(params, roots);
    return {folder / "user_artists.dat", folder / "artists.dat", folder / "tags.dat",
            folder / "user_taggedartists.dat"};
  }

  Dataset load(const Value& params, const DataRoots& roots) const override {
    const fs::path folder = find_folder(params, roots);
    DatasetBuilder builder("hetrec_lastfm", "HetRec 2011 Last.fm");
    builder.set_has_times(false);
    each_row(folder / "user_artists.dat", {"userID", "artistID", "weight"},
             [&](const FileReader& file, const auto& fields) {
               const auto plays = file.number<std::uint32_t>(fields[2], "number of plays");
               builder.add({.user = file.id(fields[0], "user"),
                            .item = file.id(fields[1], "artist"),
                            .kind = EventKind::kPlay,
                            .value = static_cast<float>(plays)});
             });
    each_row(folder / "artists.dat", {"id", "name", "url", "pictureURL"},
             [&](const FileReader& file, const auto& fields) {
               const std::string_view artist = file.id(fields[0], "artist");
               const std::string name = to_utf8(fields[1]);
               builder.set_title(artist, name);
               builder.set_artist(artist, name);
             });
    Interner tag_ids;
    std::vector<std::string> tags;
    each_row(folder / "tags.dat", {"tagID", "tagValue"}, [&](const FileReader& file, const auto& fields) {
      if (tag_ids.intern(file.id(fields[0], "tag")) != tags.size())
        throw file.error("tag {} is listed twice", fields[0]);
      tags.push_back(to_utf8(fields[1]));
    });
    std::size_t n_assignments = 0;
    each_row(folder / "user_taggedartists.dat", {"userID", "artistID", "tagID", "day", "month", "year"},
             [&](const FileReader& file, const auto& fields) {
               const std::uint32_t tag = tag_ids.find(fields[2]);
               if (tag == Interner::kNone) throw file.error("expected a tag of tags.dat, found '{}'", fields[2]);
               builder.add_tag_assignment(file.id(fields[0], "user"), file.id(fields[1], "artist"), tags[tag]);
               ++n_assignments;
             });
    Dataset data = builder.build();
    const auto* facet = data.facets.find<ItemTags>();
    const std::size_t kept = facet == nullptr ? 0 : facet->by_user.size();
    if (kept < n_assignments) {
      data.notes.push_back(fmt::format("{} of {} tag assignments dropped: repeated, or on artists that nobody played",
                                       n_assignments - kept, n_assignments));
    }
    return data;
  }

 private:
  static fs::path find_folder(const Value& params, const DataRoots& roots) {
    return roots.find(HetrecLastfmParams::schema().parse(params, "data set 'hetrec_lastfm'").folder,
                      "hetrec-lastfm-2k");
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(hetrec_lastfm, segue::HetrecLastfmParams, segue::HetrecLastfmLoader,
              {"hetrec_lastfm",
               "Last.fm play counts of artists with dated user tags (HetRec 2011)",
               "non-commercial use",
               "https://grouplens.org/datasets/hetrec-2011/",
               {"hetrec-lastfm-2k"}})
