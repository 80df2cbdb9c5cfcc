// The leave-one-out files of Neural Collaborative Filtering (He et al. 2017), with the 99 negatives given for each
// user.
#include <algorithm>
#include <set>
#include <unordered_map>

#include "framework/base/errors.hpp"
#include "framework/data/file_reader.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct NcfParams {
  std::string folder = "ncf-ml-1m";
  std::string prefix = "ml-1m";
  std::string movies = "ml-1m/movies.dat";
  static Schema<NcfParams> schema() {
    using P = NcfParams;
    Schema<P> s;
    s.field("folder", &P::folder, "the folder that holds <prefix>.train.rating");
    s.field("prefix", &P::prefix, "how its files' names begin");
    s.field("movies", &P::movies,
            "titles: movies.dat of MovieLens 1M, used with <prefix>.item_map.tsv where both exist");
    return s;
  }
};

constexpr const char* kFold = "ncf";

struct Files {
  fs::path train, test, negative;
  fs::path item_map, movies;  // both or neither
};

Files find_files(const NcfParams& params, const DataRoots& roots) {
  const fs::path folder = roots.find(params.folder, "");
  const auto file = [&](const char* ending) { return folder / (params.prefix + ending); };
  Files files{file(".train.rating"), file(".test.rating"), file(".test.negative"), {}, {}};
  if (!fs::exists(file(".item_map.tsv")) || params.movies.empty()) return files;
  for (const fs::path& root : roots.folders) {
    if (!fs::exists(root / params.movies)) continue;
    files.item_map = file(".item_map.tsv");
    files.movies = root / params.movies;
    break;
  }
  return files;
}

template <class Row>
void each_rating(const fs::path& path, Row row) {
  FileReader file(path);
  std::vector<std::string_view> fields;
  while (file.next_fields("\t", 4, 4, fields)) {
    row(file, DatasetBuilder::Row{.user = file.id(fields[0], "user"),
                                  .item = file.id(fields[1], "item"),
                                  .time = file.seconds(fields[3]),
                                  .value = file.number<float>(fields[2], "rating")});
  }
}

void read_titles(const Files& files, DatasetBuilder& builder) {
  std::unordered_map<std::string, std::pair<std::string, std::string>> movies;  // id -> title, genres
  std::vector<std::string_view> fields, genres;
  FileReader names(files.movies);
  while (names.next_fields("::", 3, 3, fields))
    movies[std::string(fields[0])] = {to_utf8(fields[1]), std::string(fields[2])};
  FileReader map(files.item_map);
  if (!map.next_fields("\t", 2, 3, fields) || fields[0] != "ncf_item" || fields[1] != "movie_id") {
    throw map.error("expected the columns ncf_item, movie_id, found {}", fmt::join(fields, ", "));
  }
  std::size_t unsure = 0;
  while (map.next_fields("\t", 2, 3, fields)) {
    const auto movie = movies.find(std::string(fields[1]));
    if (movie == movies.end()) throw map.error("expected a movie of {}, found '{}'", files.movies.string(), fields[1]);
    if (fields.size() == 3 &&
        fields[2] != "1") {  // one of several movies with the same ratings: a title might be wrong
      ++unsure;
      continue;
    }
    const std::string_view item = map.id(fields[0], "item");
    builder.set_title(item, movie->second.first);
    split(movie->second.second, "|", genres);
    for (const std::string_view genre : genres) builder.add_tag(item, genre);
  }
  if (unsure > 0) builder.note(fmt::format("{} items have no title: which movie they are is not certain", unsure));
}

// "(user,item)" and the negatives, tab-separated; the item is that of the test file.
void read_negatives(const fs::path& path, const std::unordered_map<std::string, std::string>& truth,
                    DatasetBuilder& builder) {
  FileReader file(path);
  std::vector<std::string_view> fields, head;
  std::set<std::string_view> listed;
  std::size_t with_truth = 0, with_twins = 0;
  while (file.next_fields("\t", 2, SIZE_MAX, fields)) {
    if (fields.back().empty()) fields.pop_back();
    if (fields[0].starts_with('(') && fields[0].ends_with(')'))
      split(fields[0].substr(1, fields[0].size() - 2), ",", head);
    else
      head.clear();
    if (head.size() != 2) throw file.error("expected (user,item), found '{}'", FileReader::excerpt(fields[0]));
    const auto own = truth.find(std::string(head[0]));
    if (own == truth.end() || own->second != head[1]) {
      throw file.error("expected the test item of user {} ({}), found {}", head[0],
                       own == truth.end() ? "none" : own->second, head[1]);
    }
    listed.clear();
    for (const std::string_view item : std::span(fields).subspan(1)) listed.insert(file.id(item, "negative"));
    with_twins += listed.size() + 1 < fields.size();
    with_truth += listed.erase(head[1]);
    for (const std::string_view item : listed) builder.add_negative(kFold, head[0], item);
  }
  if (with_truth > 0) builder.note(fmt::format("{} negative lists held the user's own positive; removed", with_truth));
  if (with_twins > 0) builder.note(fmt::format("{} negative lists held an item twice; kept once", with_twins));
}

class NcfLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    const Files found = find_files(parse(params), roots);
    std::vector<fs::path> out{found.train, found.test, found.negative, found.item_map, found.movies};
    std::erase(out, fs::path());
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const NcfParams params = parse(values);
    const Files files = find_files(params, roots);
    DatasetBuilder builder("ncf", "NCF " + params.prefix);
    builder.set_has_ratings(true);
    each_rating(files.train, [&](const FileReader&, const DatasetBuilder::Row& row) {
      builder.add(row);
      builder.add_train(kFold, row);
    });
    std::unordered_map<std::string, std::string> truth;  // user -> item; looked up only
    each_rating(files.test, [&](const FileReader& file, const DatasetBuilder::Row& row) {
      builder.add(row);
      builder.add_test(kFold, row);
      if (!truth.emplace(row.user, row.item).second) throw file.error("user {} has a second test item", row.user);
    });
    read_negatives(files.negative, truth, builder);
    if (!files.movies.empty()) read_titles(files, builder);
    return builder.build();
  }

 private:
  static NcfParams parse(const Value& params) { return NcfParams::schema().parse(params, "data set 'ncf'"); }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(ncf, segue::NcfParams, segue::NcfLoader,
              {"ncf",
               "Leave-one-out files with 99 given negatives a user (Neural Collaborative Filtering, 2017)",
               "as MovieLens 1M: research only, no redistribution",
               "https://github.com/hexiangnan/neural_collaborative_filtering",
               {}})
