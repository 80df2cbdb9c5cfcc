// Any file of delimited columns: which column is what, how times are written, and an optional file about the items.
#include <algorithm>
#include <functional>

#include "framework/base/errors.hpp"
#include "framework/data/file_reader.hpp"
#include "framework/data/interner.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct DelimitedParams {
  enum class Values { kRating, kPlayCount };
  std::string path = "";
  std::string separator = ",";
  std::string quote = "\"";
  std::string comment = "";
  int skip_lines = 0;
  std::optional<bool> header = std::nullopt;
  std::string user = "1";
  std::string item = "2";
  std::string rating = "";
  Values values = Values::kRating;
  std::string time = "";
  std::string time_format = "unix";
  std::string session = "";
  std::string kind = "";
  std::string items = "";
  std::string items_item = "1";
  std::string items_title = "";
  std::string items_artist = "";
  std::string items_tags = "";
  std::string tag_separator = "|";

  static Schema<DelimitedParams> schema() {
    using P = DelimitedParams;
    Schema<P> s;
    s.field("path", &P::path, "the file, below a data folder");
    s.field("separator", &P::separator, "between columns: any text, or the words tab and space");
    s.field("quote", &P::quote, "one character around fields that hold separators or line ends; empty: none");
    s.field("comment", &P::comment, "lines that begin with this are skipped; empty: none");
    s.field("skip_lines", &P::skip_lines, "lines to skip at the top").range(0, 1000000);
    s.field("header", &P::header, "whether the first line names the columns; null: decided by looking at it");
    s.field("user", &P::user, "column of users: a name, or a number from 1");
    s.field("item", &P::item, "column of items");
    s.field("rating", &P::rating, "column of ratings or play counts; empty: every row is one play");
    s.field("values", &P::values, "what stands in that column")
        .choices({{"rating", Values::kRating}, {"play_count", Values::kPlayCount}});
    s.field("time", &P::time, "column of times; empty: none");
    s.field("time_format", &P::time_format, "unix, unix_ms, iso, or a pattern such as %d/%m/%Y %H:%M");
    s.field("session", &P::session, "column of sessions; empty: none");
    s.field("kind", &P::kind, "column of event kinds (play, skip, repeat, like, playlist_add, rating); empty: none");
    s.field("items", &P::items, "a file about the items, with the same separator, quote and comment; empty: none");
    s.field("items_item", &P::items_item, "its column of items");
    s.field("items_title", &P::items_title, "its column of titles; empty: none");
    s.field("items_artist", &P::items_artist, "its column of artists; empty: none");
    s.field("items_tags", &P::items_tags, "its column of tags; empty: none");
    s.field("tag_separator", &P::tag_separator, "between the tags of an item");
    return s;
  }
};

struct Settings {
  DelimitedParams params;
  std::string separator;
  char quote;
  fs::path path, items;  // items: empty where none
};

Settings settings_of(const Value& values, const DataRoots& roots) {
  const auto refuse = [&](const std::string& what) {
    throw UsageError("{}data set 'delimited' {}", values.mark().prefix(), what);
  };
  Settings s{DelimitedParams::schema().parse(values, "data set 'delimited'"), "", '\0', {}, {}};
  const DelimitedParams& p = s.params;
  if (p.path.empty()) refuse("needs a 'path'");
  s.separator = p.separator == "tab" ? "\t" : p.separator == "space" ? " " : p.separator;
  if (s.separator.empty() || p.tag_separator.empty()) refuse("has an empty separator");
  if (p.quote.size() > 1) refuse(fmt::format("has the quote '{}', expected one character", p.quote));
  if (!p.quote.empty()) s.quote = p.quote[0];
  if (p.user.empty() || p.item.empty()) refuse("needs the columns 'user' and 'item'");
  const bool words = p.time_format == "unix" || p.time_format == "unix_ms" || p.time_format == "iso";
  if (!words && (p.time_format.find('%') == std::string::npos || !is_time_pattern(p.time_format))) {
    refuse(
        fmt::format("has the time_format '{}', expected unix, unix_ms, iso or a pattern of %Y %y %m %b %d %e %H %I %p "
                    "%M %S %f %z %F %T",
                    p.time_format));
  }
  s.path = roots.find(p.path, "");
  if (!p.items.empty()) s.items = roots.find(p.items, "");
  return s;
}

std::optional<std::int64_t> time_of(std::string_view text, const std::string& format) {
  if (format == "unix") return parse_seconds(text);
  if (format == "iso") return parse_iso_time(text);
  if (format != "unix_ms") return parse_time(text, format);
  const auto ms = parse_seconds(text);
  if (!ms) return std::nullopt;
  return *ms / 1000 - (*ms % 1000 < 0);  // rounded down, also before 1970
}

bool is_column_number(const std::string& column) { return parse_number<std::size_t>(column).value_or(0) > 0; }

// The records of one file below its header, and where the wanted columns stand.
class Table {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  // columns: names or numbers from 1; empty for one that is not wanted. looks_like_data(fields, position of each
  // column) decides about the first record where it may or may not be a header.
  using Look = std::function<bool(const std::vector<std::string_view>&, const std::vector<std::size_t>&)>;
  Table(const fs::path& path, const Settings& settings, const std::vector<std::string>& columns,
        const Look& looks_like_data)
      : reader_(path, settings.separator, settings.quote, settings.params.comment) {
    for (int i = 0; i < settings.params.skip_lines; ++i) reader_.skip_line();
    if (!reader_.next(fields_)) throw DataError("{}: expected rows, found none", path.string());
    n_fields_ = fields_.size();
    const bool by_name =
        std::any_of(columns.begin(), columns.end(), [](const auto& c) { return !c.empty() && !is_column_number(c); });
    if (by_name && settings.params.header == false) {
      throw reader_.error("expected columns by number, since there is no header, found {}", fmt::join(columns, ", "));
    }
    for (const std::string& column : columns) at_.push_back(position(column));
    const bool header = settings.params.header.value_or(by_name || !looks_like_data(fields_, at_));
    pending_ = !header;
  }

  bool next() {
    if (std::exchange(pending_, false)) return true;
    return reader_.next(fields_, n_fields_);
  }
  bool has(std::size_t column) const { return at_[column] != kNone; }
  std::string_view operator[](std::size_t column) const { return fields_[at_[column]]; }
  const RecordReader& source() const { return reader_; }

 private:
  std::size_t position(const std::string& column) const {
    if (column.empty()) return kNone;
    const std::size_t number = parse_number<std::size_t>(column).value_or(0);
    if (number > n_fields_) throw reader_.error("expected column {}, found {} columns", number, n_fields_);
    if (number > 0) return number - 1;
    const auto it = std::find(fields_.begin(), fields_.end(), column);
    if (it != fields_.end()) return static_cast<std::size_t>(it - fields_.begin());
    throw reader_.error("no column '{}'{}", column, suggestion(column, {fields_.begin(), fields_.end()}));
  }

  RecordReader reader_;
  std::vector<std::string_view> fields_;
  std::size_t n_fields_ = 0;
  std::vector<std::size_t> at_;
  bool pending_ = false;
};

enum Column : std::size_t { kUser, kItem, kRating, kTime, kSession, kKind };

Table open_events(const Settings& settings) {
  const DelimitedParams& p = settings.params;
  // Numbers and times cannot be names of columns; where there are none, a heading says "user" something.
  const auto looks_like_data = [&](const std::vector<std::string_view>& fields, const std::vector<std::size_t>& at) {
    if (at[kRating] != Table::kNone) return parse_number<double>(fields[at[kRating]]).has_value();
    if (at[kTime] != Table::kNone) return time_of(fields[at[kTime]], p.time_format).has_value();
    const std::string_view user = fields[at[kUser]];
    return !user.starts_with("user") && !user.starts_with("User") && !user.starts_with("USER");
  };
  return {settings.path, settings, {p.user, p.item, p.rating, p.time, p.session, p.kind}, looks_like_data};
}

EventKind kind_of(const RecordReader& file, std::string_view text) {
  std::vector<std::string> known;
  for (const EventKind kind : {EventKind::kRating, EventKind::kPlay, EventKind::kSkip, EventKind::kRepeat,
                               EventKind::kLike, EventKind::kPlaylistAdd}) {
    if (event_kind_name(kind) == text) return kind;
    known.emplace_back(event_kind_name(kind));
  }
  throw file.error("expected a kind of event, found '{}'{}", FileReader::excerpt(text), suggestion(text, known));
}

// Numbers of sessions that do not depend on the order of the rows need all names before the first event.
Vocab session_names(const Settings& settings) {
  if (settings.params.session.empty()) return {};
  Interner names;
  Table table = open_events(settings);
  while (table.next()) names.intern(table[kSession]);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < names.size(); ++i) out.emplace_back(names[i]);
  return Vocab(std::move(out));
}

void read_events(const Settings& settings, DatasetBuilder& builder) {
  const DelimitedParams& p = settings.params;
  const Vocab sessions = session_names(settings);
  Table table = open_events(settings);
  const RecordReader& file = table.source();
  const bool ratings = table.has(kRating) && p.values == DelimitedParams::Values::kRating;
  while (table.next()) {
    DatasetBuilder::Row row{.user = file.id(table[kUser], "user"), .item = file.id(table[kItem], "item")};
    row.kind = ratings ? EventKind::kRating : EventKind::kPlay;
    if (table.has(kRating)) row.value = file.number<float>(table[kRating], ratings ? "rating" : "play count");
    if (!ratings && row.value < 0) throw file.error("expected a play count, found '{}'", table[kRating]);
    if (table.has(kTime)) {
      const auto time = time_of(table[kTime], p.time_format);
      if (!time)
        throw file.error("expected a time as {}, found '{}'", p.time_format, FileReader::excerpt(table[kTime]));
      row.time = *time;
    }
    if (table.has(kSession)) row.session = static_cast<std::uint32_t>(sessions.find(table[kSession]).value());
    if (table.has(kKind)) row.kind = kind_of(file, table[kKind]);
    builder.add(row);
  }
  builder.set_has_times(table.has(kTime));
  builder.set_has_ratings(ratings);
  builder.set_has_sessions(table.has(kSession));
}

void read_items(const Settings& settings, DatasetBuilder& builder) {
  const DelimitedParams& p = settings.params;
  enum : std::size_t { kId, kTitle, kArtist, kTags };
  // A heading among titles cannot be told from a title, so a file whose columns are numbers has none unless stated.
  Table table(settings.items, settings, {p.items_item, p.items_title, p.items_artist, p.items_tags},
              [](const auto&, const auto&) { return true; });
  std::vector<std::string_view> tags;
  while (table.next()) {
    const std::string_view item = table.source().id(table[kId], "item");
    if (table.has(kTitle)) builder.set_title(item, to_utf8(table[kTitle]));
    if (table.has(kArtist)) builder.set_artist(item, to_utf8(table[kArtist]));
    if (!table.has(kTags)) continue;
    split(table[kTags], p.tag_separator, tags);
    for (const std::string_view tag : tags) builder.add_tag(item, to_utf8(tag));
  }
}

class DelimitedLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& params, const DataRoots& roots) const override {
    const Settings settings = settings_of(params, roots);
    std::vector<fs::path> out{settings.path, settings.items};
    std::erase(out, fs::path());
    return out;
  }
  Dataset load(const Value& params, const DataRoots& roots) const override {
    const Settings settings = settings_of(params, roots);
    DatasetBuilder builder("delimited", settings.path.stem().string());
    read_events(settings, builder);
    if (!settings.items.empty()) read_items(settings, builder);
    return builder.build();
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(delimited, segue::DelimitedParams, segue::DelimitedLoader,
              {"delimited",
               "Any CSV or TSV file, its columns named by parameters",
               "that of the file",
               "the file that you name",
               {}})
