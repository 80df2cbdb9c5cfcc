#include "framework/store/export_lists.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "framework/store/exchange_rules.hpp"
#include "framework/store/import_file.hpp"

namespace segue {

namespace fs = std::filesystem;

namespace {

// Written under a temporary name and renamed by commit(); gone without it.
class OutFile {
 public:
  explicit OutFile(const fs::path& path) : path_(path), temporary_(path.string() + fmt::format(".tmp-{}", getpid())) {
    std::error_code error;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
    if (error) throw EnvironmentError("cannot write {}: {}", path.string(), error.message());
    out_.open(temporary_, std::ios::binary);
    check();
  }
  ~OutFile() {
    out_.close();
    std::error_code ignored;
    if (!committed_) fs::remove(temporary_, ignored);
  }
  OutFile(const OutFile&) = delete;
  OutFile& operator=(const OutFile&) = delete;

  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
    if (buffer_.size() > (1U << 16)) flush();
  }
  void bytes(const void* data, std::size_t size) {
    flush();
    out_.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
  }
  void commit() {
    flush();
    out_.close();
    check();
    fs::rename(temporary_, path_);
    committed_ = true;
  }

 private:
  void flush() {
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    buffer_.clear();
  }
  void check() const {
    if (!out_) throw EnvironmentError("cannot write {}: {}", path_.string(), std::strerror(errno));
  }

  fs::path path_, temporary_;
  std::ofstream out_;
  fmt::memory_buffer buffer_;
  bool committed_ = false;
};

// A field as RFC 4180 has it.
std::string quoted(const std::string& text, char separator) {
  if (text.find_first_of(std::string{separator, '"', '\n', '\r'}) == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

char separator_of(ExportForm form) { return form == ExportForm::kTsv ? '\t' : ','; }

void refuse(ExportForm form, const char* what, const char* forms) {
  throw UsageError("{} are not written as '{}'; known: {}", what, form == ExportForm::kTrec ? "trec" : extension(form),
                   forms);
}

std::size_t list_length(const StoredView& view, std::size_t q) {
  const auto begin = view.items.begin() + static_cast<long>(q * view.k);
  return static_cast<std::size_t>(std::find(begin, begin + static_cast<long>(view.k), kPadding) - begin);
}

void run_lines(OutFile& out, const ExportedLists& x) {
  const std::string tag = encode_id(x.label);
  std::vector<float> written;
  for (std::size_t q = 0; q < x.view.queries; ++q) {
    const std::string user = encode_id(x.fold.users[q]);
    const std::size_t n = list_length(x.view, q);
    written.assign(x.view.scores.begin() + static_cast<long>(q * x.view.k),
                   x.view.scores.begin() + static_cast<long>(q * x.view.k + n));
    for (std::size_t i = 1; i < n; ++i)
      written[i] = std::min(written[i], std::nextafter(written[i - 1], -std::numeric_limits<float>::infinity()));
    if (n > 0 && !std::isfinite(written.back()))
      std::iota(written.rbegin(), written.rend(), 1.0f);  // no smaller float is left
    for (std::size_t i = 0; i < n; ++i)
      out.print("{} Q0 {} {} {} {}\n", user, encode_id(x.task.item_ids[x.view.items[q * x.view.k + i]]), i + 1,
                written[i], tag);
  }
}

void list_rows(OutFile& out, const ExportedLists& x, char separator) {
  out.print("user{0}item{0}rank{0}score\n", separator);
  for (std::size_t q = 0; q < x.view.queries; ++q) {
    const std::string user = quoted(x.fold.users[q], separator);
    for (std::size_t i = 0, n = list_length(x.view, q); i < n; ++i)
      out.print("{1}{0}{2}{0}{3}{0}{4}\n", separator, user,
                quoted(x.task.item_ids[x.view.items[q * x.view.k + i]], separator), i + 1,
                x.view.scores[q * x.view.k + i]);
  }
}

void list_objects(OutFile& out, const ExportedLists& x) {
  const auto names = [&](std::span<const std::uint32_t> items) {
    std::vector<std::string> texts;
    for (const std::uint32_t item : items) texts.push_back(json_text(x.task.item_ids[item]));
    return texts;
  };
  const StoredView& v = x.view;
  for (std::size_t q = 0; q < v.queries; ++q) {
    const std::size_t n = list_length(v, q), t = v.truth_offsets[q], truths = v.truth_offsets[q + 1] - t;
    out.print("{{\"user\":{},\"items\":[{}],\"scores\":[{}],\"truth\":[{}]", json_text(x.fold.users[q]),
              fmt::join(names({v.items.data() + q * v.k, n}), ","),
              fmt::join(std::span(v.scores).subspan(q * v.k, n), ","),
              fmt::join(names({v.truth_items.data() + t, truths}), ","));
    const std::span gains = std::span(v.truth_gains).subspan(t, truths);
    if (std::any_of(gains.begin(), gains.end(), [](float g) { return g != 1; }))
      out.print(",\"gains\":[{}]", fmt::join(gains, ","));
    out.print("}}\n");
  }
}

template <class T>
void write_array(const fs::path& file, const char* type, std::span<const T> values,
                 const std::vector<std::size_t>& shape) {
  static_assert(std::endian::native == std::endian::little);
  SEGUE_CHECK(std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>()) == values.size(),
              "{} values for an array of shape ({})", values.size(), fmt::join(shape, ", "));
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  header.append(63 - (10 + header.size()) % 64, ' ');  // the data begin at a multiple of 64
  header += '\n';
  const auto size = static_cast<std::uint16_t>(header.size());
  OutFile out(file);
  out.bytes("\x93NUMPY\x01\x00", 8);
  out.bytes(&size, sizeof size);
  out.bytes(header.data(), header.size());
  out.bytes(values.data(), values.size_bytes());
  out.commit();
}

void check_rows(const ExportedLists& x) {
  if (x.view.queries != x.fold.users.size())
    throw DataError(
        "the lists of '{}' have {} rows, and fold '{}' of task {} has {} queries; run the suite again with --fresh",
        x.label, x.view.queries, x.fold.name, x.task.id, x.fold.users.size());
}

}  // namespace

ExportForm parse_export_form(const std::string& text) {
  static const std::vector<std::string> names{"trec", "csv", "tsv", "jsonl", "npy"};
  const auto at = std::find(names.begin(), names.end(), text);
  if (at == names.end()) throw UsageError("unknown form '{}'{}", text, suggestion(text, names));
  return static_cast<ExportForm>(at - names.begin());
}

const char* extension(ExportForm form) {
  switch (form) {
    case ExportForm::kCsv:
      return "csv";
    case ExportForm::kTsv:
      return "tsv";
    case ExportForm::kJsonl:
      return "jsonl";
    case ExportForm::kNpy:
      return "npy";
    default:
      return "";
  }
}

void export_lists(const fs::path& file, const ExportedLists& lists, ExportForm form) {
  check_rows(lists);
  if (form == ExportForm::kNpy) refuse(form, "lists in one file", "trec, csv, tsv, jsonl");
  OutFile out(file);
  if (form == ExportForm::kTrec)
    run_lines(out, lists);
  else if (form == ExportForm::kJsonl)
    list_objects(out, lists);
  else
    list_rows(out, lists, separator_of(form));
  out.commit();
}

std::vector<fs::path> export_lists_npy(const fs::path& base, const ExportedLists& x) {
  check_rows(x);
  std::vector<std::int32_t> items;
  for (const std::uint32_t item : x.view.items)
    items.push_back(item == kPadding ? -1 : static_cast<std::int32_t>(item));
  const auto name = [&](const char* part) { return fs::path(base.string() + part); };
  const std::vector<fs::path> files{name(".items.npy"), name(".scores.npy"), name(".users.csv"), name(".items.csv")};
  write_npy(files[0], items, {x.view.queries, x.view.k});
  write_npy(files[1], x.view.scores, {x.view.queries, x.view.k});
  export_ids(files[2], x.fold.users);
  export_ids(files[3], x.task.item_ids, x.task.titles);
  return files;
}

double export_qrels(const fs::path& file, const StoredTask& task, const StoredTaskFold& fold, ExportForm form) {
  if (form != ExportForm::kTrec && form != ExportForm::kCsv && form != ExportForm::kTsv)
    refuse(form, "qrels", "trec, csv, tsv");
  double scale = 1, largest = 1;
  if (form == ExportForm::kTrec) {
    bool whole = true;
    for (const float g : fold.truth_gains) {
      whole = whole && g == std::floor(g);
      largest = std::max(largest, static_cast<double>(g));
    }
    // trec_eval counts the items of each gain in an array as long as the largest.
    if (!whole)
      for (scale = 10000; scale > 1 && scale * largest > 1e7;) scale /= 10;
  }
  OutFile out(file);
  const char separator = separator_of(form);
  if (form != ExportForm::kTrec) out.print("user{0}item{0}gain\n", separator);
  for (std::size_t q = 0; q < fold.users.size(); ++q)
    for (std::uint64_t t = fold.truth_offsets[q]; t < fold.truth_offsets[q + 1]; ++t) {
      const std::string& item = task.item_ids[fold.truth_items[t]];
      const float gain = fold.truth_gains[t];
      if (form == ExportForm::kTrec)
        out.print("{} 0 {} {}\n", encode_id(fold.users[q]), encode_id(item),
                  std::max(1LL, std::llround(static_cast<double>(gain) * scale)));
      else
        out.print("{1}{0}{2}{0}{3}\n", separator, quoted(fold.users[q], separator), quoted(item, separator), gain);
    }
  out.commit();
  return scale;
}

void export_ratings(const fs::path& file, const StoredTask& task, const StoredRatings& r, ExportForm form) {
  if (form == ExportForm::kTrec || form == ExportForm::kNpy) refuse(form, "ratings", "csv, tsv, jsonl");
  OutFile out(file);
  const char separator = separator_of(form);
  if (form != ExportForm::kJsonl) out.print("user{0}item{0}prediction{0}rating\n", separator);
  for (std::size_t i = 0; i < r.users.size(); ++i) {
    const std::string &user = task.user_ids.at(r.users[i]), &item = task.item_ids.at(r.items[i]);
    if (form == ExportForm::kJsonl)
      out.print("{{\"user\":{},\"item\":{},\"prediction\":{},\"rating\":{}}}\n", json_text(user), json_text(item),
                r.predicted[i], r.actual[i]);
    else
      out.print("{1}{0}{2}{0}{3}{0}{4}\n", separator, quoted(user, separator), quoted(item, separator), r.predicted[i],
                r.actual[i]);
  }
  out.commit();
}

void export_candidates(const fs::path& file, const StoredTask& task, const StoredTaskFold& fold, ExportForm form) {
  if (form == ExportForm::kTrec || form == ExportForm::kNpy) refuse(form, "candidates", "csv, tsv, jsonl");
  TaskRules rules(task, fold);
  if (rules.given())
    throw UsageError("the candidates of task {} came with data set '{}', and results do not hold them", task.id,
                     task.dataset);
  if (!rules.has_candidates())
    throw UsageError("in task {} the whole catalogue competes for every user: there are no candidate lists to write",
                     task.id);
  OutFile out(file);
  const char separator = separator_of(form);
  if (form != ExportForm::kJsonl) out.print("user{0}item\n", separator);
  for (std::size_t q = 0; q < fold.users.size(); ++q) {
    rules.select(q);
    std::vector<std::string> texts;
    for (const ItemIdx item : rules.candidates()) {
      const std::string& id = task.item_ids[raw(item)];
      if (form == ExportForm::kJsonl)
        texts.push_back(json_text(id));
      else
        out.print("{1}{0}{2}\n", separator, quoted(fold.users[q], separator), quoted(id, separator));
    }
    if (form == ExportForm::kJsonl)
      out.print("{{\"user\":{},\"items\":[{}]}}\n", json_text(fold.users[q]), fmt::join(texts, ","));
  }
  out.commit();
}

void export_ids(const fs::path& file, const std::vector<std::string>& ids, const std::vector<std::string>& titles) {
  OutFile out(file);
  out.print("row,id{}\n", titles.empty() ? "" : ",title");
  for (std::size_t i = 0; i < ids.size(); ++i)
    out.print("{},{}{}{}\n", i, quoted(ids[i], ','), titles.empty() ? "" : ",",
              titles.empty() ? "" : quoted(titles[i], ','));
  out.commit();
}

void write_npy(const fs::path& file, std::span<const float> values, const std::vector<std::size_t>& shape) {
  write_array(file, "<f4", values, shape);
}
void write_npy(const fs::path& file, std::span<const std::int32_t> values, const std::vector<std::size_t>& shape) {
  write_array(file, "<i4", values, shape);
}

}  // namespace segue
