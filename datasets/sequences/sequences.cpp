// Plain sequences without times, in the three layouts of the sequential-recommendation literature.
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "framework/base/errors.hpp"
#include "framework/data/file_reader.hpp"
#include "framework/data/interner.hpp"
#include "framework/data/loader.hpp"

namespace segue {
namespace {

namespace fs = std::filesystem;

struct SequencesParams {
  enum class Format { kPairs, kUsers, kSessions };
  Format format = Format::kPairs;
  std::string path = "";
  std::string test = "";
  std::string negatives = "";
  std::string attributes = "";
  static Schema<SequencesParams> schema() {
    using P = SequencesParams;
    Schema<P> s;
    s.field("format", &P::format, "pairs: 'user item' a line; users: 'user item item ...'; sessions: 'item item ...'")
        .choices({{"pairs", Format::kPairs}, {"users", Format::kUsers}, {"sessions", Format::kSessions}});
    s.field("path", &P::path, "the file, below a data folder; each user's items oldest first");
    s.field("test", &P::test,
            "sessions: 'item item ... TAB item' a line: what unseen sessions begin with, and what follows");
    s.field("negatives", &P::negatives, "'user item item ...': negatives to rank each user's last item against");
    s.field("attributes", &P::attributes, "JSON: {item: [attribute, ...]}, a repeated attribute weighs more");
    return s;
  }
};

struct Files {
  fs::path sequences, test, negatives, attributes;
};

Files find_files(const SequencesParams& params, const Value& values, const DataRoots& roots) {
  if (params.path.empty()) throw UsageError("{}data set 'sequences' needs a 'path'", values.mark().prefix());
  if (!params.test.empty() && params.format != SequencesParams::Format::kSessions)
    throw UsageError("{}data set 'sequences': 'test' goes with format: sessions", values.mark().prefix());
  if (!params.test.empty() && !params.negatives.empty())
    throw UsageError("{}data set 'sequences': 'test' and 'negatives' each make a split; give one of them",
                     values.mark().prefix());
  const auto find = [&](const std::string& path) { return path.empty() ? fs::path() : roots.find(path, ""); };
  return {find(params.path), find(params.test), find(params.negatives), find(params.attributes)};
}

// Parts between runs of blanks and tabs.
void split_blanks(std::string_view line, std::vector<std::string_view>& parts) {
  parts.clear();
  for (std::size_t begin = 0; (begin = line.find_first_not_of(" \t", begin)) != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    parts.push_back(line.substr(begin, end - begin));
    begin = end;
  }
}

// Calls event(user, item) for each event, each user's oldest first.
template <class Visit>
void each_event(FileReader& file, SequencesParams::Format format, Visit event) {
  using Format = SequencesParams::Format;
  std::vector<std::string_view> fields;
  for (std::string_view line; file.next(line);) {
    split_blanks(line, fields);
    if (fields.empty()) continue;
    if (format == Format::kPairs && fields.size() != 2)
      throw file.error("expected 'user item', found {} fields", fields.size());
    if (format == Format::kUsers && fields.size() < 2)
      throw file.error("expected 'user item item ...', found only '{}'", line);
    const std::string number = format == Format::kSessions ? std::to_string(file.line_number()) : "";
    const std::size_t first = format == Format::kSessions ? 0 : 1;
    for (std::size_t i = first; i < fields.size(); ++i)
      event(first == 0 ? std::string_view(number) : fields[0], fields[i]);
  }
}

struct Sequence {
  std::uint32_t length = 0;
  std::string last;
};

// One query a line, whose user is "t" and the line's number: events that are known, and the one to predict. All are
// asked at the end of the training sessions, at time `now`.
void read_test(const fs::path& path, std::int64_t now, DatasetBuilder& builder) {
  FileReader file(path);
  std::vector<std::string_view> known, target;
  for (std::string_view line; file.next(line);) {
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos || line.find('\t', tab + 1) != std::string_view::npos)
      throw file.error("expected 'item item ...', one tab and an item, found '{}'", FileReader::excerpt(line));
    split_blanks(line.substr(0, tab), known);
    split_blanks(line.substr(tab), target);
    if (known.empty()) throw file.error("expected items before the tab, found none");
    if (target.size() != 1) throw file.error("expected one item after the tab, found {}", target.size());
    const std::string user = fmt::format("t{}", file.line_number());
    std::int64_t time = now;
    for (const std::string_view item : known)
      builder.add_known("given", {.user = user, .item = item, .time = time++, .kind = EventKind::kPlay});
    builder.add_test("given", {.user = user, .item = target[0], .time = time, .kind = EventKind::kPlay});
  }
}

void read_negatives(const fs::path& path, const Interner& users, const Interner& items,
                    const std::vector<Sequence>& sequences, DatasetBuilder& builder) {
  FileReader file(path);
  std::vector<std::string_view> fields;
  std::vector<bool> has_list(users.size(), false);
  std::set<std::string_view> listed;
  std::size_t with_truth = 0, with_twins = 0;
  for (std::string_view line; file.next(line);) {
    split_blanks(line, fields);
    if (fields.empty()) continue;
    const std::uint32_t user = users.find(fields[0]);
    if (user == Interner::kNone)
      throw file.error("expected a user of the sequences, found '{}'", FileReader::excerpt(fields[0]));
    if (has_list[user]) throw file.error("user {} has a second list of negatives", fields[0]);
    has_list[user] = true;
    listed.clear();
    for (const std::string_view item : std::span(fields).subspan(1)) {
      if (items.find(item) == Interner::kNone)
        throw file.error("expected an item of the sequences, found '{}'", FileReader::excerpt(item));
      listed.insert(item);
    }
    with_twins += listed.size() + 1 < fields.size();
    with_truth += listed.erase(sequences[user].last);
    for (const std::string_view item : listed) builder.add_negative("given", fields[0], item);
  }
  const auto without = std::count(has_list.begin(), has_list.end(), false);
  if (without > 0) builder.note(fmt::format("{} users have no negatives", without));
  if (with_truth > 0) builder.note(fmt::format("{} negative lists held the user's own positive; removed", with_truth));
  if (with_twins > 0) builder.note(fmt::format("{} negative lists held an item twice; kept once", with_twins));
}

void read_attributes(const fs::path& path, DatasetBuilder& builder) {
  const FileReader file(path);
  Value all;
  try {
    all = Value::from_json(std::string(file.bytes()));
  } catch (const Error& error) {
    throw DataError("{}: {}", path.string(), error.what());
  }
  if (!all.is_map())
    throw DataError("{}: expected an object {{item: [attribute, ...]}}, found {}", path.string(), all.kind_name());
  for (const Value::Entry& entry : all.entries()) {
    if (!entry.value.is_list())
      throw DataError("{}: expected a list for item {}, found {}", path.string(), entry.key, entry.value.describe());
    for (const Value& attribute : entry.value.items()) {
      if (!attribute.is_scalar())
        throw DataError("{}: expected names or numbers for item {}, found {}", path.string(), entry.key,
                        attribute.kind_name());
      builder.add_tag(entry.key, attribute.text());
    }
  }
}

class SequencesLoader : public DatasetLoader {
 public:
  std::vector<fs::path> files(const Value& values, const DataRoots& roots) const override {
    const Files found = find_files(parse(values), values, roots);
    std::vector<fs::path> out{found.sequences, found.test, found.negatives, found.attributes};
    std::erase(out, fs::path());
    return out;
  }

  Dataset load(const Value& values, const DataRoots& roots) const override {
    const SequencesParams params = parse(values);
    const Files files = find_files(params, values, roots);
    DatasetBuilder builder("sequences", files.sequences.stem().string());
    builder.set_has_times(false);

    Interner users, items;
    std::vector<Sequence> sequences;
    const bool has_split = !files.negatives.empty();
    // Session files stand in the order in which sessions were heard; users of the others have no common order.
    const bool one_order = params.format == SequencesParams::Format::kSessions;
    std::int64_t running = 0;
    FileReader file(files.sequences);
    each_event(file, params.format, [&](std::string_view user, std::string_view item) {
      const std::uint32_t number = users.intern(user);
      if (number == sequences.size()) sequences.emplace_back();
      Sequence& sequence = sequences[number];
      const DatasetBuilder::Row row{
          .user = user, .item = item, .time = one_order ? running++ : sequence.length, .kind = EventKind::kPlay};
      ++sequence.length;
      builder.add(row);
      if (!files.test.empty()) builder.add_train("given", row);
      if (!has_split) return;
      items.intern(item);
      sequence.last = item;
    });
    if (has_split) {
      std::vector<std::uint32_t> position(sequences.size(), 0);
      std::int64_t again_running = 0;
      FileReader again(files.sequences);
      each_event(again, params.format, [&](std::string_view user, std::string_view item) {
        const std::uint32_t number = users.find(user), place = position[number]++;
        const std::int64_t time = one_order ? again_running++ : place;
        const DatasetBuilder::Row row{.user = user, .item = item, .time = time, .kind = EventKind::kPlay};
        if (place + 1 < sequences[number].length)
          builder.add_train("given", row);
        else
          builder.add_test("given", row);
      });
      read_negatives(files.negatives, users, items, sequences, builder);
    }
    if (!files.test.empty()) read_test(files.test, running, builder);
    if (!files.attributes.empty()) read_attributes(files.attributes, builder);
    return builder.build();
  }

 private:
  static SequencesParams parse(const Value& params) {
    return SequencesParams::schema().parse(params, "data set 'sequences'");
  }
};

}  // namespace
}  // namespace segue

SEGUE_DATASET(sequences, segue::SequencesParams, segue::SequencesLoader,
              {"sequences",
               "Sequences without times: SASRec's pairs, S3-Rec's users, session lists",
               "that of the file",
               "the file that you name",
               {},
               2})
