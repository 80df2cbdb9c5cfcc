// MovieLens in all its editions (Harper & Konstan 2015): three file formats, one data set each.
#include <array>

#include "framework/base/errors.hpp"
#include "framework/data/file_reader.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct MovielensParams {
  std::string edition = "100k";
  std::string folder = "";
  static Schema<MovielensParams> schema() {
    using P = MovielensParams;
    Schema<P> s;
    s.field("edition", &P::edition, "which MovieLens").choices({"100k", "1m", "10m", "20m", "25m", "latest-small"});
    s.field("folder", &P::folder, "its folder, where that is not ml-<edition> in a data folder");
    return s;
  }
};

// Files of an edition. Paths of optional files are empty where the file is absent.
struct Files {
  enum class Format { kTabs, kColons, kCsv };
  Format format = Format::kCsv;
  fs::path ratings, movies, tags, genres;
  std::vector<std::pair<fs::path, fs::path>> folds;  // u1.base, u1.test
};

Files find_files(const MovielensParams& params, const DataRoots& roots) {
  const std::string name = "ml-" + params.edition;
  const fs::path folder = roots.find(params.folder.empty() ? name : params.folder, name);
  const auto optional = [&](const char* file) { return fs::exists(folder / file) ? folder / file : fs::path(); };
  Files files;
  if (params.edition == "100k") {
    files = {Files::Format::kTabs, folder / "u.data", folder / "u.item", {}, folder / "u.genre", {}};
    for (const char digit : std::string("12345")) {
      const std::string fold = std::string("u") + digit;
      const fs::path train = folder / (fold + ".base"), test = folder / (fold + ".test");
      if (fs::exists(train) && fs::exists(test)) files.folds.emplace_back(train, test);
    }
  } else if (params.edition == "1m" || params.edition == "10m") {
    files = {Files::Format::kColons, folder / "ratings.dat", folder / "movies.dat", optional("tags.dat"), {}, {}};
  } else {
    files = {Files::Format::kCsv, folder / "ratings.csv", folder / "movies.csv", optional("tags.csv"), {}, {}};
  }
  return files;
}

float stars(const TextSource& file, std::string_view text) {
  const auto value = file.number<float>(text, "rating");
  if (value < 0.5f || value > 5) throw file.error("expected a rating from 0.5 to 5, found '{}'", text);
  return value;
}

DatasetBuilder::Row rating_row(const TextSource& file, const std::vector<std::string_view>& fields) {
  return {.user = file.id(fields[0], "user"),
          .item = file.id(fields[1], "movie"),
          .time = file.seconds(fields[3]),
          .value = stars(file, fields[2])};
}

void expect_header(RecordReader& file, const std::vector<std::string_view>& names) {
  std::vector<std::string_view> fields;
  const bool any = file.next(fields);
  if (!any || fields != names) {
    throw file.error("expected the header '{}', found '{}'", fmt::join(names, ","), fmt::join(fields, ","));
  }
}

// Calls row(file, fields) for each line of a file in one of the three formats; all have the same number of fields.
template <class Row>
void each_row(const fs::path& path, Files::Format format, const std::vector<std::string_view>& header, Row row) {
  std::vector<std::string_view> fields;
  if (format == Files::Format::kCsv) {
    RecordReader file(path, ",");
    expect_header(file, header);
    while (file.next(fields, header.size())) row(file, fields);
  } else {
    const std::string separator = format == Files::Format::kTabs ? "\t" : "::";
    FileReader file(path);
    while (file.next_fields(separator, header.size(), header.size(), fields)) row(file, fields);
  }
}

// "Toy Story (1995)", "Fawlty Towers (1975-1979)": the first of January of that year.
std::optional<std::int64_t> release_in_title(std::string_view title) {
  const std::size_t open = title.rfind('(');
  if (open == std::string_view::npos || open + 6 > title.size()) return std::nullopt;
  const char next = title[open + 5];
  const auto year = parse_number<int>(title.substr(open + 1, 4));
  if (!year || *year < 1000 || (next >= '0' && next <= '9')) return std::nullopt;
  return utc_seconds(*year, 1, 1);
}

void read_movies(const fs::path& path, Files::Format format, DatasetBuilder& builder) {
  std::vector<std::string_view> genres;
  each_row(path, format, {"movieId", "title", "genres"}, [&](const TextSource& file, const auto& fields) {
    const std::string_view movie = file.id(fields[0], "movie");
    const std::string title = to_utf8(fields[1]);
    builder.set_title(movie, title);
    if (const auto released = release_in_title(title)) builder.set_release(movie, *released);
    split(fields[2], "|", genres);
    for (const std::string_view genre : genres) {
      if (genre != "(no genres listed)") builder.add_tag(movie, genre);
    }
  });
}

// u.genre: "Action|1"; u.item: id | title | release date | video date | URL | a 0 or 1 for each genre.
void read_movies_100k(const Files& files, DatasetBuilder& builder) {
  std::vector<std::string> genres;
  std::vector<std::string_view> fields;
  FileReader names(files.genres);
  while (names.next_fields("|", 2, 2, fields)) {
    if (names.number<std::size_t>(fields[1], "genre's number") != genres.size()) {
      throw names.error("expected genre {}, found {}", genres.size(), fields[1]);
    }
    genres.emplace_back(fields[0]);
  }
  FileReader movies(files.movies);
  const std::size_t columns = 5 + genres.size();
  while (movies.next_fields("|", columns, columns, fields)) {
    const std::string_view movie = movies.id(fields[0], "movie");
    builder.set_title(movie, to_utf8(fields[1]));
    if (!fields[2].empty()) {
      const auto released = parse_time(fields[2], "%d-%b-%Y");
      if (!released) throw movies.error("expected a date such as 01-Jan-1995, found '{}'", fields[2]);
      builder.set_release(movie, *released);
    }
    for (std::size_t g = 0; g < genres.size(); ++g) {
      if (fields[5 + g] != "0" && fields[5 + g] != "1") {
        throw movies.error("expected 0 or 1 for the genre {}, found '{}'", genres[g], fields[5 + g]);
      }
      if (fields[5 + g] == "1" && genres[g] != "unknown") builder.add_tag(movie, genres[g]);
    }
  }
}

class MovielensLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    const Files found = find_files(parse(params), roots);
    std::vector<fs::path> out{found.ratings, found.movies, found.tags, found.genres};
    std::erase(out, fs::path());
    for (const auto& [train, test] : found.folds) out.insert(out.end(), {train, test});
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const MovielensParams params = parse(values);
    const Files files = find_files(params, roots);
    std::string title = params.edition == "latest-small" ? "latest small" : params.edition;
    if (title.ends_with('k') || title.ends_with('m')) title.back() = title.back() == 'k' ? 'K' : 'M';
    DatasetBuilder builder("movielens", "MovieLens " + title);
    builder.set_has_ratings(true);
    const std::vector<std::string_view> header{"userId", "movieId", "rating", "timestamp"};
    each_row(files.ratings, files.format, header,
             [&](const TextSource& file, const auto& fields) { builder.add(rating_row(file, fields)); });
    if (files.format == Files::Format::kTabs) {
      read_movies_100k(files, builder);
    } else {
      read_movies(files.movies, files.format, builder);
    }
    std::size_t n_tags = 0;
    if (!files.tags.empty()) {
      each_row(files.tags, files.format, {"userId", "movieId", "tag", "timestamp"},
               [&](const TextSource& file, const auto& fields) {
                 builder.add_tag_assignment(file.id(fields[0], "user"), file.id(fields[1], "movie"),
                                            to_utf8(fields[2]));
                 ++n_tags;
               });
    }
    for (const auto& [train, test] : files.folds) {
      const std::string fold = train.stem().string();
      each_row(train, files.format, header,
               [&](const TextSource& file, const auto& fields) { builder.add_train(fold, rating_row(file, fields)); });
      each_row(test, files.format, header,
               [&](const TextSource& file, const auto& fields) { builder.add_test(fold, rating_row(file, fields)); });
    }
    Dataset data = builder.build();
    const auto* tags = data.facets.find<ItemTags>();
    const std::size_t kept = tags == nullptr ? 0 : tags->by_user.size();
    if (kept < n_tags) {
      data.notes.push_back(fmt::format(
          "{} of {} tag assignments dropped: repeated, or of users or movies without ratings", n_tags - kept, n_tags));
    }
    return data;
  }

 private:
  static MovielensParams parse(const Value& params) {
    return MovielensParams::schema().parse(params, "data set 'movielens'");
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(movielens, segue::MovielensParams, segue::MovielensLoader,
              {"movielens",
               "Film ratings from one to five stars with genres and free tags (GroupLens), six editions",
               "research only, no redistribution (100k, 1m, 10m, 20m, 25m); non-commercial (latest-small)",
               "https://grouplens.org/datasets/movielens/",
               {"ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "ml-latest-small"}})
