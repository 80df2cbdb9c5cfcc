// ESC-50 and ESC-10 (Piczak 2015): five-second clips of 50 or 10 kinds of sound, in five folds.
#include <array>
#include <map>
#include <optional>

#include "framework/base/errors.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/recordings.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct EscParams {
  std::string folder = "";
  bool esc10 = false;
  static Schema<EscParams> schema() {
    Schema<EscParams> s;
    s.field("folder", &EscParams::folder, "its folder; empty: the first of the usual names in a data folder");
    s.field("esc10", &EscParams::esc10, "only the ten classes of ESC-10");
    return s;
  }
};

// Those whose rows of meta/esc50.csv say esc10 = True.
constexpr std::array kEsc10 = {0, 1, 10, 11, 12, 20, 21, 38, 40, 41};
constexpr int kEsc10Folders = 10;  // "001 - Dog bark" to "010 - Fire crackling"

struct Clip {
  std::string fold, source, kind;
  bool esc10 = false;
};

bool is_number(std::string_view text) { return parse_number<std::uint32_t>(text).has_value(); }

// "1-100032-A-0.wav", or "001 - Dog bark/1-100032-A.ogg".
std::optional<Clip> clip_of(const std::string& path) {
  const std::string stem = stem_of(path), folder = folder_of(path);
  std::vector<std::string_view> parts, heading;
  split(stem, "-", parts);
  if (parts.size() < 3 || parts.size() > 4 || !is_number(parts[0]) || !is_number(parts[1])) return std::nullopt;
  Clip clip{std::string(parts[0]), std::string(parts[1]), "", false};
  if (parts.size() == 4) {
    const auto number = parse_number<int>(parts[3]);
    if (!number) return std::nullopt;
    clip.kind = parts[3];
    clip.esc10 = std::find(kEsc10.begin(), kEsc10.end(), *number) != kEsc10.end();
    return clip;
  }
  const std::size_t dash = folder.find(" - ");
  const auto number = dash == std::string::npos ? std::nullopt : parse_number<int>(folder.substr(0, dash));
  if (!number) return std::nullopt;
  clip.kind = folder.substr(dash + 3);
  clip.esc10 = *number >= 1 && *number <= kEsc10Folders;
  return clip;
}

class EscLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    const fs::path folder = folder_of_data(parse(params), roots);
    std::vector<fs::path> out;
    if (fs::exists(folder / kMeta)) out.push_back(folder / kMeta);
    for (const Recording& r : recordings_below(folder)) out.push_back(folder / r.path);
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const EscParams params = parse(values);
    const fs::path folder = folder_of_data(params, roots);
    const std::vector<Recording> recordings = recordings_below(folder);
    DatasetBuilder builder("esc", "ESC");
    builder.set_has_times(false);
    std::size_t n = 0;
    const auto add = [&](const Recording& recording, const Clip& clip) {
      if (params.esc10 && !clip.esc10) return;
      const std::string item = stem_of(recording.path);
      builder.declare_item(item);
      builder.set_audio(item, recording.absolute);
      builder.set_class(item, clip.kind);
      builder.add_tag(item, clip.kind);
      builder.set_fold(item, clip.fold);
      builder.set_artist(item, clip.source);
      ++n;
    };
    if (fs::exists(folder / kMeta)) {
      read_meta(folder / kMeta, recordings, builder, add);
    } else {
      std::size_t foreign = 0;
      for (const Recording& recording : recordings) {
        if (const auto clip = clip_of(recording.path))
          add(recording, *clip);
        else
          ++foreign;
      }
      if (foreign > 0)
        builder.note(fmt::format("{} recordings left out: their names are not fold-clip-take-class", foreign));
    }
    if (n == 0)
      throw DataError("{}: no clips{}; looked for {} and for recordings such as 1-100032-A-0.wav", folder.string(),
                      params.esc10 ? " of ESC-10" : "", kMeta);
    Dataset data = builder.build();
    data.title = fmt::format("ESC-{}", data.facets.require<ItemClass>().classes.size());
    return data;
  }

 private:
  static constexpr const char* kMeta = "meta/esc50.csv";

  static EscParams parse(const Value& params) { return EscParams::schema().parse(params, "data set 'esc'"); }
  static fs::path folder_of_data(const EscParams& params, const DataRoots& roots) {
    return find_folder(
        roots, params.folder,
        {"ESC-50-master", "ESC-50", "esc-50", "audio/esc-50", "ESC-10-master", "ESC-10", "esc-10", "audio/esc-10"});
  }

  template <class Add>
  static void read_meta(const fs::path& path, const std::vector<Recording>& recordings, DatasetBuilder& builder,
                        Add add) {
    std::map<std::string, const Recording*> by_name;
    for (const Recording& r : recordings) by_name.emplace(fs::path(r.path).filename().string(), &r);
    RecordReader file(path, ",");
    std::vector<std::string_view> fields;
    if (!file.next(fields)) throw DataError("{}: expected a header, found nothing", path.string());
    const Columns columns(fields);
    const std::size_t name = columns.require(file, "filename"), fold = columns.require(file, "fold"),
                      kind = columns.require(file, "category"), source = columns.require(file, "src_file"),
                      esc10 = columns.require(file, "esc10");
    // The releases call the number "target" and the name "category"; earlier ones "category" and "category_name".
    const std::size_t kind_name = columns.find("category_name").value_or(kind);
    SkippedRows skipped;
    while (file.next(fields)) {
      if (fields.size() != columns.size()) {
        skipped.add(file, fmt::format("expected {} fields", columns.size()));
        continue;
      }
      const auto found = by_name.find(std::string(fields[name]));
      if (found == by_name.end())
        skipped.add(file, "no such recording");
      else if (fields[fold].empty() || fields[kind_name].empty())
        skipped.add(file, "no fold or no class");
      else
        add(*found->second, {std::string(fields[fold]), std::string(fields[source]), std::string(fields[kind_name]),
                             fields[esc10] == "True"});
    }
    skipped.note(builder);
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(esc, segue::EscParams, segue::EscLoader,
              {"esc",
               "Five-second clips of 50 (ESC-50) or 10 (ESC-10) kinds of sound, in five folds",
               "CC BY-NC (ESC-50), CC BY (ESC-10); single clips differ",
               "https://github.com/karolpiczak/ESC-50, https://github.com/karolpiczak/ESC-10",
               {}})
