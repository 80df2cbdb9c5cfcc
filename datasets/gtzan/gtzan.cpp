// GTZAN (Tzanetakis & Cook 2002): 1,000 excerpts of 30 s, a hundred of each of ten genres.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/columns.hpp"
#include "framework/data/recordings.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct GtzanParams {
  enum class Duplicates { kKeep, kDrop };
  std::string folder = "";
  std::string split = "none";
  Duplicates duplicates = Duplicates::kKeep;
  std::string exclude = "";
  static Schema<GtzanParams> schema() {
    using P = GtzanParams;
    Schema<P> s;
    s.field("folder", &P::folder, "its folder; empty: gtzan, GTZAN, audio/gtzan or genres in a data folder");
    s.field(
         "split", &P::split,
         "folds from lists in its folder (Kereliuk et al. 2015): train_filtered.txt and so on, or train_stratified.txt")
        .choices({"none", "filtered", "stratified"});
    s.field("duplicates", &P::duplicates,
            "of excerpts whose files are equal byte for byte: keep all, or the first by name")
        .choices({{"keep", P::Duplicates::kKeep}, {"drop", P::Duplicates::kDrop}});
    s.field("exclude", &P::exclude, "excerpts to leave out, parted by commas: jazz.00054,pop.00001");
    return s;
  }
};

// "blues" of "blues.00000"; empty where it is no excerpt's name.
std::string genre_of(const std::string& excerpt) {
  const std::size_t dot = excerpt.rfind('.');
  if (dot == std::string::npos || dot == 0 || excerpt.size() != dot + 6) return "";
  return parse_number<std::uint32_t>(excerpt.substr(dot + 1)) ? excerpt.substr(0, dot) : "";
}

// The excerpts whose files equal that of an earlier one, and which that is. Of most files only the beginning is read:
// of those of one size that begin alike, all.
std::map<std::string, std::string> repeated(const std::map<std::string, const Recording*>& excerpts) {
  constexpr std::size_t kBeginning = 1 << 16;
  const auto hash = [](const Recording& r, std::size_t most) {
    std::ifstream file(r.absolute, std::ios::binary);
    std::vector<char> bytes(std::min<std::size_t>(most, fs::file_size(r.absolute)));
    if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
      throw DataError("{}: cannot be read", r.absolute);
    return Hasher().bytes(bytes.data(), bytes.size()).hex();
  };
  std::map<std::pair<std::uintmax_t, std::string>, std::vector<std::string>> alike;
  for (const auto& [name, recording] : excerpts)
    alike[{fs::file_size(recording->absolute), hash(*recording, kBeginning)}].push_back(name);
  std::map<std::string, std::string> out;
  for (const auto& [key, names] : alike) {
    if (names.size() < 2) continue;
    std::map<std::string, std::string> first;
    for (const std::string& name : names) {
      const auto [at, added] = first.emplace(hash(*excerpts.at(name), SIZE_MAX), name);
      if (!added) out[name] = at->second;
    }
  }
  return out;
}

class GtzanLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& values, const DataRoots& roots) const override {
    const GtzanParams params = parse(values);
    const fs::path folder = folder_of_data(params, roots);
    std::vector<fs::path> out;
    for (const auto& [fold, path] : lists(params, folder)) out.push_back(path);
    for (const Recording& r : recordings_below(folder)) out.push_back(folder / r.path);
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const GtzanParams params = parse(values);
    const fs::path folder = folder_of_data(params, roots);
    const std::vector<Recording> recordings = recordings_below(folder);
    DatasetBuilder builder("gtzan", "GTZAN");
    builder.set_has_times(false);
    std::map<std::string, const Recording*> excerpts;
    std::size_t foreign = 0, twice = 0;
    for (const Recording& r : recordings) {
      if (genre_of(stem_of(r.path)).empty() || genre_of(stem_of(r.path)) != folder_of(r.path))
        ++foreign;
      else
        twice += excerpts.emplace(stem_of(r.path), &r).second ? 0 : 1;
    }
    if (excerpts.empty())
      throw DataError("{}: no excerpts; looked for recordings such as genres/blues/blues.00000.wav", folder.string());
    if (foreign > 0)
      builder.note(fmt::format("{} recordings left out: they are not <genre>/<genre>.<number>", foreign));
    if (twice > 0)
      builder.note(fmt::format("{} excerpts are there in several files; the first by path is taken", twice));
    exclude(params, excerpts, builder);
    const std::map<std::string, std::string> repetitions = repeated(excerpts);
    note_repetitions(params, repetitions, builder);
    for (const auto& [name, recording] : excerpts) {
      if (params.duplicates == GtzanParams::Duplicates::kDrop && repetitions.contains(name)) continue;
      builder.declare_item(name);
      builder.set_audio(name, recording->absolute);
      builder.set_class(name, genre_of(name));
      builder.add_tag(name, genre_of(name));
    }
    for (const auto& [fold, path] : lists(params, folder)) read_list(path, fold, excerpts, builder);
    return builder.build();
  }

 private:
  static GtzanParams parse(const Value& params) { return GtzanParams::schema().parse(params, "data set 'gtzan'"); }
  static fs::path folder_of_data(const GtzanParams& params, const DataRoots& roots) {
    return find_folder(roots, params.folder, {"gtzan", "GTZAN", "audio/gtzan", "genres"});
  }

  static std::vector<std::pair<std::string_view, fs::path>> lists(const GtzanParams& params, const fs::path& folder) {
    if (params.split == "none") return {};
    std::vector<std::pair<std::string_view, fs::path>> out;
    for (const auto& [fold, word] :
         {std::pair{ItemClass::kTraining, "train"}, {ItemClass::kValidation, "valid"}, {ItemClass::kTest, "test"}}) {
      const fs::path path = folder / fmt::format("{}_{}.txt", word, params.split);
      if (!fs::exists(path))
        throw DataError(
            "{}: no such file; the lists of split={} are in https://github.com/coreyker/dnn-mgr, folder gtzan",
            path.string(), params.split);
      out.emplace_back(fold, path);
    }
    return out;
  }

  static void exclude(const GtzanParams& params, std::map<std::string, const Recording*>& excerpts,
                      DatasetBuilder& builder) {
    if (params.exclude.empty()) return;
    std::vector<std::string_view> names;
    split(params.exclude, ",", names);
    for (const std::string_view name : names) {
      if (excerpts.erase(std::string(name)) == 0)
        throw UsageError("data set 'gtzan' has no excerpt '{}' to exclude; they are named like jazz.00054", name);
    }
    builder.note(fmt::format("excluded as asked: {}", fmt::join(names, ", ")));
  }

  static void note_repetitions(const GtzanParams& params, const std::map<std::string, std::string>& repetitions,
                               DatasetBuilder& builder) {
    if (repetitions.empty()) return;
    std::string list;
    std::size_t shown = 0, classes = 0;
    for (const auto& [name, first] : repetitions) {
      if (++shown <= 5) list += fmt::format("{}{} = {}", shown == 1 ? "" : ", ", name, first);
      classes += genre_of(name) != genre_of(first) ? 1 : 0;
    }
    if (shown > 5) list += fmt::format(" and {} more", shown - 5);
    const bool dropped = params.duplicates == GtzanParams::Duplicates::kDrop;
    builder.note(fmt::format("{} excerpts equal an earlier one byte for byte, {} of them in another genre{}: {}",
                             repetitions.size(), classes, dropped ? "; dropped" : " (duplicates=drop leaves them out)",
                             list));
  }

  static void read_list(const fs::path& path, std::string_view fold,
                        const std::map<std::string, const Recording*>& excerpts, DatasetBuilder& builder) {
    FileReader file(path);
    SkippedRows skipped;
    for (std::string_view line; file.next(line);) {
      if (line.empty()) continue;
      const std::string name = stem_of(std::string(line));
      if (genre_of(name).empty())
        throw file.error("expected a line such as blues/blues.00029.wav, found '{}'", TextSource::excerpt(line));
      if (excerpts.contains(name))
        builder.set_fold(name, fold);
      else
        skipped.add(file, "no such excerpt, or excluded");
    }
    skipped.note(builder);
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(gtzan, segue::GtzanParams, segue::GtzanLoader,
              {"gtzan",
               "1,000 excerpts of music of ten genres, 30 s each, with known faults",
               "not stated by its authors; the excerpts are under their owners' copyright",
               "G. Tzanetakis & P. Cook 2002; formerly http://marsyas.info/downloads/datasets.html",
               {}})
