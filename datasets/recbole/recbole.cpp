// RecBole's atomic files (https://recbole.io/docs/user_guide/data/atomic_files.html): columns with typed headers.
#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/data/file_reader.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct RecboleParams {
  std::string folder = "";
  std::string name = "";
  std::string user_field = "user_id";
  std::string item_field = "item_id";
  std::string rating_field = "rating";
  std::string time_field = "timestamp";
  std::string title_field = "";
  std::string artist_field = "";
  std::string tags_field = "";
  std::string separator = "\t";
  std::string seq_separator = " ";
  std::vector<std::string> benchmark = {};
  static Schema<RecboleParams> schema() {
    using P = RecboleParams;
    Schema<P> s;
    s.field("folder", &P::folder, "the folder that holds <name>.inter, below a data folder");
    s.field("name", &P::name, "how its files' names begin; empty: as the folder");
    s.field("user_field", &P::user_field, "column of users");
    s.field("item_field", &P::item_field, "column of items");
    s.field("rating_field", &P::rating_field, "column of ratings; where it is absent, every row is one play");
    s.field("time_field", &P::time_field, "column of seconds since 1970; may be absent");
    s.field("title_field", &P::title_field,
            "column of .item; empty: movie_title, title, name, track_name or item_name");
    s.field("artist_field", &P::artist_field, "column of .item; empty: artist or artist_name");
    s.field("tags_field", &P::tags_field, "column of .item; empty: class, genre, genres, tags, categories or category");
    s.field("separator", &P::separator, "between columns");
    s.field("seq_separator", &P::seq_separator, "between the parts of a token_seq");
    s.field("benchmark", &P::benchmark, "parts of a given split, e.g. [train, valid, test] for <name>.train.inter ...");
    return s;
  }
};

struct Files {
  std::vector<fs::path> interactions;  // one, or the parts of the benchmark
  fs::path items, users;               // empty where absent
};

Files find_files(const RecboleParams& params, const Value& values, const DataRoots& roots) {
  const std::string at = values.mark().prefix();
  if (params.folder.empty()) throw UsageError("{}data set 'recbole' needs a 'folder'", at);
  if (params.separator.empty() || params.seq_separator.empty())
    throw UsageError("{}a separator of data set 'recbole' is empty", at);
  if (!params.benchmark.empty() && (params.benchmark.size() < 2 || params.benchmark.size() > 3)) {
    throw UsageError("{}benchmark of data set 'recbole' needs [train, test] or [train, valid, test], got {} parts", at,
                     params.benchmark.size());
  }
  const fs::path folder = roots.find(params.folder, "");
  const std::string name =
      params.name.empty() ? fs::path(params.folder).lexically_normal().filename().string() : params.name;
  const auto file = [&](const std::string& ending) { return folder / (name + ending); };
  const auto optional = [&](const std::string& ending) { return fs::exists(file(ending)) ? file(ending) : fs::path(); };
  Files files{{}, optional(".item"), optional(".user")};
  if (params.benchmark.empty()) files.interactions.push_back(file(".inter"));
  for (const std::string& part : params.benchmark) files.interactions.push_back(file("." + part + ".inter"));
  return files;
}

// An atomic file, row by row.
class AtomicFile {
 public:
  AtomicFile(const fs::path& path, const RecboleParams& params) : file_(path), separator_(params.separator) {
    static const std::vector<std::string> kTypes{"token", "token_seq", "float", "float_seq"};
    if (!file_.next_fields(separator_, 1, SIZE_MAX, fields_))
      throw DataError("{}: expected a header, found an empty file", path.string());
    for (const std::string_view field : fields_) {
      const std::size_t colon = field.rfind(':');
      if (colon == std::string_view::npos || colon == 0)
        throw file_.error("expected a header 'name:type', found '{}'", FileReader::excerpt(field));
      names_.emplace_back(field.substr(0, colon));
      types_.emplace_back(field.substr(colon + 1));
      if (std::find(kTypes.begin(), kTypes.end(), types_.back()) == kTypes.end()) {
        throw file_.error("expected a type for '{}', found '{}'{}", names_.back(), types_.back(),
                          suggestion(types_.back(), kTypes));
      }
    }
  }

  // Position of a column, or -1. DataError where its type is none of `types`.
  int find(const std::string& name, std::initializer_list<std::string_view> types) const {
    const auto it = std::find(names_.begin(), names_.end(), name);
    if (it == names_.end()) return -1;
    const auto column = static_cast<std::size_t>(it - names_.begin());
    if (std::find(types.begin(), types.end(), types_[column]) == types.end()) {
      throw file_.error("expected '{}' to be {}, found {}", name, fmt::join(types, " or "), types_[column]);
    }
    return static_cast<int>(column);
  }
  std::size_t require(const std::string& name, std::initializer_list<std::string_view> types) const {
    const int column = find(name, types);
    if (column < 0) throw file_.error("no column '{}'{}", name, suggestion(name, names_));
    return static_cast<std::size_t>(column);
  }
  // The column that the person named, which must be there, or else the first of the usual names.
  int find_named(const std::string& named, std::initializer_list<const char*> usual,
                 std::initializer_list<std::string_view> types) const {
    if (!named.empty()) return static_cast<int>(require(named, types));
    for (const char* name : usual) {
      if (const int column = find(name, types); column >= 0) return column;
    }
    return -1;
  }

  bool next() { return file_.next_fields(separator_, names_.size(), names_.size(), fields_); }
  std::string_view operator[](std::size_t column) const { return fields_[column]; }
  std::string_view operator[](int column) const { return fields_[static_cast<std::size_t>(column)]; }
  const FileReader& source() const { return file_; }

 private:
  FileReader file_;
  std::string separator_;
  std::vector<std::string> names_, types_;
  std::vector<std::string_view> fields_;
};

struct Columns {
  bool ratings, times;
};

template <class Visit>
Columns read_interactions(const fs::path& path, const RecboleParams& params, Visit visit) {
  AtomicFile file(path, params);
  const std::size_t user = file.require(params.user_field, {"token"}),
                    item = file.require(params.item_field, {"token"});
  const int rating = file.find(params.rating_field, {"float"}), time = file.find(params.time_field, {"float"});
  while (file.next()) {
    DatasetBuilder::Row row{.user = file.source().id(file[user], "user"), .item = file.source().id(file[item], "item")};
    row.kind = rating < 0 ? EventKind::kPlay : EventKind::kRating;
    if (rating >= 0) row.value = file.source().number<float>(file[rating], params.rating_field);
    if (time >= 0) row.time = file.source().seconds(file[time], params.time_field);
    visit(row);
  }
  return {rating >= 0, time >= 0};
}

void read_items(const fs::path& path, const RecboleParams& params, DatasetBuilder& builder) {
  AtomicFile file(path, params);
  const std::size_t item = file.require(params.item_field, {"token"});
  const int title = file.find_named(params.title_field, {"movie_title", "title", "name", "track_name", "item_name"},
                                    {"token", "token_seq"});
  const int artist = file.find_named(params.artist_field, {"artist", "artist_name"}, {"token", "token_seq"});
  const int tags = file.find_named(params.tags_field, {"class", "genre", "genres", "tags", "categories", "category"},
                                   {"token", "token_seq"});
  const int year = file.find("release_year", {"token", "float"});
  std::vector<std::string_view> parts;
  while (file.next()) {
    const std::string_view id = file.source().id(file[item], "item");
    if (title >= 0) builder.set_title(id, to_utf8(file[title]));
    if (artist >= 0) builder.set_artist(id, to_utf8(file[artist]));
    if (tags >= 0) {
      split(file[tags], params.seq_separator, parts);
      for (const std::string_view tag : parts) builder.add_tag(id, to_utf8(tag));
    }
    if (year < 0) continue;
    // RecBole cuts the year out of titles and leaves other text where there is none; such rows have no release.
    const auto released = parse_time(file[year], "%Y");
    if (released) builder.set_release(id, *released);
  }
}

class RecboleLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& values, const DataRoots& roots) const override {
    const Files found = find_files(parse(values), values, roots);
    std::vector<fs::path> out = found.interactions;
    out.insert(out.end(), {found.items, found.users});
    std::erase(out, fs::path());
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const RecboleParams params = parse(values);
    const Files files = find_files(params, values, roots);
    const fs::path& first = files.interactions.front();
    DatasetBuilder builder("recbole", first.stem().stem().string());
    Columns columns{};
    for (std::size_t part = 0; part < files.interactions.size(); ++part) {
      const std::size_t before = builder.n_events();
      const bool is_test = part + 1 == files.interactions.size();
      const Columns found = read_interactions(files.interactions[part], params, [&](const DatasetBuilder::Row& row) {
        builder.add(row);
        if (params.benchmark.empty()) return;
        if (is_test)
          builder.add_test("benchmark", row);
        else
          builder.add_train("benchmark", row);
      });
      if (part > 0 && (found.ratings != columns.ratings || found.times != columns.times)) {
        throw DataError("{}: expected the columns of {}", files.interactions[part].string(), first.string());
      }
      columns = found;
      if (part == 1 && !is_test) {
        builder.note(fmt::format("{} validation events ({}) joined the training part of split 'benchmark'",
                                 builder.n_events() - before, files.interactions[part].filename().string()));
      }
    }
    builder.set_has_ratings(columns.ratings);
    builder.set_has_times(columns.times);
    if (!files.items.empty()) read_items(files.items, params, builder);
    if (!files.users.empty()) {  // nothing in it is used; a broken file is still an error
      AtomicFile users(files.users, params);
      users.require(params.user_field, {"token"});
      while (users.next()) {
      }
    }
    return builder.build();
  }

 private:
  static RecboleParams parse(const Value& params) {
    return RecboleParams::schema().parse(params, "data set 'recbole'");
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(recbole, segue::RecboleParams, segue::RecboleLoader,
              {"recbole",
               "RecBole's atomic files: .inter with typed columns, .item and .user beside it",
               "that of the files",
               "https://recbole.io/dataset_list.html",
               {}})
