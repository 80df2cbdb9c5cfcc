#include "framework/store/import_file.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/base/percent.hpp"

namespace segue {

namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Fields parted by runs of blanks and tabs, as trec_eval reads them.
void split_blanks(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (std::size_t i = 0; i < line.size();) {
    if (is_blank(line[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < line.size() && !is_blank(line[end])) ++end;
    fields.push_back(line.substr(i, end - i));
    i = end;
  }
}

std::optional<double> number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  return parse_number<double>(text);
}

bool is_trec_line(std::string_view line) {
  std::vector<std::string_view> fields;
  split_blanks(line, fields);
  return fields.size() == 6 && number(fields[4]) && (fields[1] == "Q0" || number(fields[3]));
}

// What columns are called; where a header has several, the first named here is taken. A file with a prediction beside a
// rating holds what was rated in truth under "rating".
using Names = std::vector<std::string_view>;
const Names kUserNames{"user", "user_id", "userid", "uid", "qid", "query", "query_id"};
const Names kItemNames{"item", "item_id", "itemid", "iid", "docno", "docid", "doc_id", "track", "track_id"};
const Names kScoreNames{"score", "prediction", "predicted", "pred", "est", "rating"};
const Names kRankNames{"rank", "position"};

// "User_ID:token " -> "user_id"
std::string column_name(std::string_view text) {
  text = trimmed(text.substr(0, text.find(':')));
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::optional<std::size_t> find_column(const std::vector<std::string>& header, const Names& names) {
  for (const std::string_view name : names)
    if (const auto at = std::find(header.begin(), header.end(), name); at != header.end())
      return static_cast<std::size_t>(at - header.begin());
  return std::nullopt;
}

constexpr const char* kColumnHelp =
    "name the columns in a header (user, item, score or prediction, rank), or write user, item, score without one";

}  // namespace

ListFormat parse_list_format(const std::string& text) {
  static const std::vector<std::string> names{"auto", "trec", "csv", "recbole", "lenskit"};
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) throw UsageError("unknown file format '{}'{}", text, suggestion(text, names));
  return static_cast<ListFormat>(at - names.begin());
}

ListFile::ListFile(const std::filesystem::path& path, ListFormat format) {
  auto lines = std::make_unique<FileReader>(path);
  if (lines->bytes().starts_with("\x1f\x8b") || lines->bytes().starts_with("\x28\xb5\x2f\xfd"))
    throw DataError("'{}' is compressed; unpack it first, e.g. with gunzip", path.string());
  std::string_view first;
  do {
    if (!lines->next(first)) throw DataError("'{}' is empty; expected a row for each recommended item", path.string());
  } while (trimmed(first).empty());
  if (format == ListFormat::kTrec || (format == ListFormat::kAuto && is_trec_line(first))) {
    lines_ = std::make_unique<FileReader>(path);
    return;
  }
  std::string separator;
  for (const char c : {'\t', ',', ';', ' '})
    if (separator.empty() && first.find(c) != std::string_view::npos) separator = c;
  if (format == ListFormat::kRecbole) separator = "\t";
  if (format == ListFormat::kLenskit) separator = ",";
  if (separator.empty())
    throw lines->error(
        "found one field, '{}', where user, item and score are parted by tabs, commas, semicolons or blanks; {}",
        TextSource::excerpt(first), kColumnHelp);
  records_ = std::make_unique<RecordReader>(path, separator);
  read_header(format);
}

ListFile::~ListFile() = default;

void ListFile::read_header(ListFormat format) {
  records_->next(fields_);
  columns_.count = fields_.size();
  std::vector<std::string> header;
  for (const std::string_view field : fields_) header.push_back(column_name(field));
  const auto user = find_column(header, kUserNames), item = find_column(header, kItemNames);
  columns_.score = find_column(header, kScoreNames);
  columns_.rank = find_column(header, kRankNames);
  if (user && item && (columns_.score || columns_.rank)) {
    columns_.user = *user;
    columns_.item = *item;
    const bool typed =
        std::all_of(fields_.begin(), fields_.end(), [](std::string_view f) { return f.find(':') != f.npos; });
    if (format == ListFormat::kRecbole && !typed)
      throw records_->error("a RecBole file names the type of each column, as in user_id:token; use --file-format csv");
    return;
  }
  const bool named = user || item || columns_.score || columns_.rank;
  if (format == ListFormat::kCsv || format == ListFormat::kAuto) {
    if (fields_.size() == 3 && number(fields_[2])) {
      columns_ = {.count = 3, .user = 0, .item = 1, .score = 2, .rank = std::nullopt};
      pending_ = true;
      return;
    }
    if (!named && fields_.size() != 3)
      throw records_->error("found {} columns without a header; {}", fields_.size(), kColumnHelp);
    if (!named)
      throw records_->error("expected a header, or a number for the score, found '{}'; {}",
                            TextSource::excerpt(fields_[2]), kColumnHelp);
  }
  const char* missing = !user ? "user" : !item ? "item" : "score or rank";
  throw records_->error("the header names no {} column, but {}; {}", missing, fmt::join(header, ", "), kColumnHelp);
}

const TextSource& ListFile::place() const {
  if (lines_ != nullptr) return *lines_;
  return *records_;
}

void ListFile::read_score(std::string_view text, ListRow& row) const {
  const auto score = number(text);
  if (!score)
    throw place().error("expected a finite number for the score, found '{}'; leave out what has no score{}",
                        TextSource::excerpt(text), row.rank ? ", or leave out the scores, and the ranks count" : "");
  if (std::abs(*score) > static_cast<double>(std::numeric_limits<float>::max()))
    throw place().error("the score {} is beyond the range of a float; scale the scores", TextSource::excerpt(text));
  row.score = *score;
}

bool ListFile::next(ListRow& row) {
  row.rank.reset();
  if (lines_ != nullptr) {
    std::string_view line;
    do {
      if (!lines_->next(line)) return false;
      split_blanks(line, fields_);
    } while (fields_.empty());
    if (fields_.size() != 6)
      throw lines_->error(
          "expected the 6 fields of a TREC run (user Q0 item rank score tag), found {}; write blanks in ids as %20, or "
          "use --file-format csv",
          fields_.size());
    row.user = fields_[0];
    row.item = fields_[2];
    row.rank = number(fields_[3]);
    read_score(fields_[4], row);
    return true;
  }
  if (!pending_ && !records_->next(fields_)) return false;
  pending_ = false;
  if (fields_.size() != columns_.count)
    throw records_->error("expected {} fields, as in the first line, found {}; quote ids that hold the separator",
                          columns_.count, fields_.size());
  row.user = records_->id(fields_[columns_.user], "user");
  row.item = records_->id(fields_[columns_.item], "item");
  if (columns_.rank) row.rank = number(fields_[*columns_.rank]);
  if (columns_.score) {
    read_score(fields_[*columns_.score], row);
  } else {
    if (!row.rank)
      throw records_->error("expected a number for the rank, found '{}'", TextSource::excerpt(fields_[*columns_.rank]));
    row.score = -*row.rank;
  }
  return true;
}

std::string encode_id(std::string_view id) {
  std::string out;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '%')
      out += fmt::format("%{:02X}", byte);
    else
      out += c;
  }
  return out;
}

std::string decode_id(std::string_view text) { return percent_decoded(text); }

}  // namespace segue
