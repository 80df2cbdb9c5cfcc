#include "framework/store/import_lists.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <unordered_map>

#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/store/exchange_rules.hpp"

namespace segue {

namespace {

// External ids to positions. Asked, never iterated.
class Index {
 public:
  explicit Index(const std::vector<std::string>& ids) {
    positions_.reserve(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) positions_.emplace(ids[i], static_cast<std::uint32_t>(i));
  }
  // Of an id as the file has it; in a TREC run it may be percent-encoded.
  std::optional<std::uint32_t> find(std::string_view id, bool encoded) const {
    if (encoded && id.find('%') != std::string_view::npos)
      if (const auto at = positions_.find(decode_id(id)); at != positions_.end()) return at->second;
    const auto at = positions_.find(std::string(id));
    return at == positions_.end() ? std::nullopt : std::optional(at->second);
  }

 private:
  std::unordered_map<std::string, std::uint32_t> positions_;
};

// Mistakes of one kind: that of the first line is shown, with how many more there are.
class Problem {
 public:
  explicit Problem(std::string remedy) : remedy_(std::move(remedy)) {}
  template <class Text>
  void note(std::size_t line, Text text) {
    ++count_;
    if (line_ != 0 && line >= line_) return;
    line_ = line;
    what_ = text();
  }
  bool before(const Problem& other) const { return count_ > 0 && (other.count_ == 0 || line_ < other.line_); }
  void raise(const std::string& file) const {
    if (count_ == 0) return;
    const std::string more = count_ == 1   ? ""
                             : count_ == 2 ? " (and 1 more such line)"
                                           : fmt::format(" (and {} more such lines)", count_ - 1);
    throw DataError::at(file, line_, "{}{}; {}", what_, more, remedy_);
  }

 private:
  std::string remedy_, what_;
  std::size_t line_ = 0, count_ = 0;
};

void raise_first(const std::string& file, std::span<const Problem> problems) {
  const Problem* first = &problems.front();
  for (const Problem& p : problems)
    if (p.before(*first)) first = &p;
  first->raise(file);
}

std::string example(const std::vector<std::string>& ids) {
  return ids.empty() ? "" : fmt::format(", which has {}, such as '{}'", ids.size(), ids.front());
}

constexpr const char* kUnknownRemedy = "use the ids of the data set, or leave such lines out with --unknown drop";

std::string verdict_text(TaskRules::Verdict verdict, const std::string& item, const std::string& user) {
  switch (verdict) {
    case TaskRules::Verdict::kExcluded:
      return fmt::format(
          "item '{}' is among what user '{}' is known to have heard, which this task does not let be recommended", item,
          user);
    case TaskRules::Verdict::kNotKnown:
      return fmt::format("item '{}' is new to user '{}', and this task recommends only what a user knows", item, user);
    case TaskRules::Verdict::kOutside:
      return fmt::format(
          "item '{}' (for user '{}') has no training event, and only items with some can be recommended in this task",
          item, user);
    default:
      return fmt::format(
          "item '{}' is none of the sampled candidates of user '{}' (segue export --what candidates writes them)", item,
          user);
  }
}

struct Entry {
  std::uint32_t query, item;
  double score;
  double rank;  // NaN: none
  std::size_t line;
  std::uint64_t tie = 0;
};

// Entries of one query, sorted: does the file's own ranking say otherwise?
bool ranks_contradict(std::span<const Entry> list) {
  for (std::size_t i = 1; i < list.size(); ++i)
    if (list[i - 1].score > list[i].score && list[i - 1].rank >= list[i].rank) return true;
  return false;
}

// Rows by user and item, with what is wrong with them noted.
struct Reader {
  ListFile file;
  const StoredTask& task;
  Index users, items;
  Problem unknown_user{kUnknownRemedy}, unknown_item{kUnknownRemedy};
  ImportCounts counts;
  bool drop;

  Reader(const std::filesystem::path& path, const StoredTask& t, const ImportOptions& options)
      : file(path, options.format), task(t), users(t.user_ids), items(t.item_ids), drop(options.drop_unknown) {}

  // The next row whose user and item the data set knows, as positions there.
  bool next(ListRow& row, std::uint32_t& user, std::uint32_t& item) {
    while (file.next(row)) {
      ++counts.rows;
      const auto u = users.find(row.user, file.is_trec()), i = items.find(row.item, file.is_trec());
      if (u && i) {
        user = *u;
        item = *i;
        return true;
      }
      if (drop) {
        ++counts.unknown;
        continue;
      }
      const std::size_t line = file.place().line_number();
      if (!u)
        unknown_user.note(line, [&] {
          return fmt::format("no user '{}' in data set '{}'{}", TextSource::excerpt(row.user), task.dataset,
                             example(task.user_ids));
        });
      if (u && !i)
        unknown_item.note(line, [&] {
          return fmt::format("no item '{}' in data set '{}'{}", TextSource::excerpt(row.item), task.dataset,
                             example(task.item_ids));
        });
    }
    return false;
  }
};

}  // namespace

ImportedLists import_lists(const std::filesystem::path& path, const StoredTask& task, const StoredTaskFold& fold,
                           const ImportOptions& options) {
  Reader reader(path, task, options);
  constexpr std::uint32_t kNotAsked = kPadding;
  std::vector<std::uint32_t> query_of(task.user_ids.size(), kNotAsked);
  for (std::size_t q = 0; q < fold.users.size(); ++q) {
    const auto user = reader.users.find(fold.users[q], false);
    SEGUE_CHECK(user.has_value(), "query user '{}' is no user of the task", fold.users[q]);
    query_of[*user] = static_cast<std::uint32_t>(q);
  }
  std::vector<Entry> entries;
  ListRow row;
  for (std::uint32_t user = 0, item = 0; reader.next(row, user, item);) {
    if (query_of[user] == kNotAsked) {
      ++reader.counts.not_asked;
      continue;
    }
    entries.push_back({query_of[user], item, row.score, row.rank.value_or(std::numeric_limits<double>::quiet_NaN()),
                       reader.file.place().line_number()});
  }

  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.query != b.query ? a.query < b.query : a.item != b.item ? a.item < b.item : a.line < b.line;
  });
  TaskRules rules(task, fold);
  Problem second{"keep one of them"}, excluded{"leave out what the task excludes, or let --excluded drop do it"};
  ImportedLists out;
  ImportCounts& counts = out.counts = reader.counts;
  std::vector<Entry> kept;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Entry& e = entries[i];
    if (i == 0 || entries[i - 1].query != e.query)
      rules.select(e.query);
    else if (entries[i - 1].item == e.item) {
      second.note(e.line, [&] {
        return fmt::format("item '{}' stands a second time for user '{}' (first in line {})", task.item_ids[e.item],
                           fold.users[e.query], entries[i - 1].line);
      });
      continue;
    }
    if (const auto verdict = rules.judge(e.item); verdict != TaskRules::Verdict::kAllowed) {
      if (options.drop_excluded)
        ++counts.excluded;
      else
        excluded.note(e.line, [&] { return verdict_text(verdict, task.item_ids[e.item], fold.users[e.query]); });
      continue;
    }
    e.tie = rules.tie(e.query, e.item);
    kept.push_back(e);
  }
  const std::array problems{reader.unknown_user, reader.unknown_item, second, excluded};
  raise_first(path.string(), problems);
  if (kept.empty())
    throw DataError(
        "'{}' has no list for any of the {} users whom this task asks ({} rows are of other users, {} of unknown ids, "
        "{} of excluded items); is it the right task and fold?",
        path.string(), fold.users.size(), counts.not_asked, counts.unknown, counts.excluded);
  std::sort(kept.begin(), kept.end(), [](const Entry& a, const Entry& b) {
    if (a.query != b.query) return a.query < b.query;
    if (a.score != b.score) return a.score > b.score;
    return a.tie != b.tie ? a.tie < b.tie : a.item < b.item;
  });

  StoredView& v = out.view;
  v.task = task.id;
  v.queries = fold.users.size();
  v.lists_only = true;
  v.catalogue = rules.catalogue();
  v.truth_offsets = fold.truth_offsets;
  v.truth_items = fold.truth_items;
  v.truth_gains = fold.truth_gains;
  v.truth_rank.assign(v.truth_items.size(), 0);
  std::vector<std::size_t> begin(v.queries + 1, 0);
  for (const Entry& e : kept) ++begin[e.query + 1];
  for (std::size_t q = 0; q < v.queries; ++q) {
    v.k = std::max(v.k, begin[q + 1]);
    counts.without_list += begin[q + 1] == 0;
    begin[q + 1] += begin[q];
  }
  counts.queries = v.queries;
  counts.kept = kept.size();
  v.items.assign(v.queries * v.k, kPadding);
  v.scores.assign(v.queries * v.k, -std::numeric_limits<float>::infinity());
  for (std::size_t q = 0; q < v.queries; ++q) {
    const std::span<const Entry> list(kept.data() + begin[q], begin[q + 1] - begin[q]);
    counts.ranks_contradict += ranks_contradict(list);
    for (std::size_t i = 0; i < list.size(); ++i) {
      v.items[q * v.k + i] = list[i].item;
      v.scores[q * v.k + i] = static_cast<float>(list[i].score);
      counts.tied += i > 0 && list[i].score == list[i - 1].score;
      for (std::uint64_t t = v.truth_offsets[q]; t < v.truth_offsets[q + 1]; ++t)
        if (v.truth_items[t] == list[i].item) v.truth_rank[t] = static_cast<std::uint32_t>(i + 1);
    }
  }
  return out;
}

ImportedRatings import_ratings(const std::filesystem::path& path, const StoredTask& task,
                               const StoredRatings& reference, const ImportOptions& options) {
  Reader reader(path, task, options);
  struct Pair {
    std::uint32_t user, item;
    double value;
    std::size_t line;
    bool operator<(const Pair& o) const {
      return user != o.user ? user < o.user : item != o.item ? item < o.item : line < o.line;
    }
    bool same_pair(std::uint32_t u, std::uint32_t i) const { return user == u && item == i; }
  };
  std::vector<Pair> pairs;
  ListRow row;
  for (std::uint32_t user = 0, item = 0; reader.next(row, user, item);)
    pairs.push_back({user, item, row.score, reader.file.place().line_number()});
  std::sort(pairs.begin(), pairs.end());
  Problem second{"keep one of them"};
  for (std::size_t i = 1; i < pairs.size(); ++i)
    if (pairs[i].same_pair(pairs[i - 1].user, pairs[i - 1].item))
      second.note(pairs[i].line, [&] {
        return fmt::format("item '{}' stands a second time for user '{}' (first in line {})",
                           task.item_ids[pairs[i].item], task.user_ids[pairs[i].user], pairs[i - 1].line);
      });
  const std::array problems{reader.unknown_user, reader.unknown_item, second};
  raise_first(path.string(), problems);

  ImportedRatings out;
  out.counts = reader.counts;
  StoredRatings& r = out.ratings;
  r.task = task.id;
  r.users = reference.users;
  r.items = reference.items;
  r.actual = reference.actual;
  r.clip_low = reference.clip_low;
  r.clip_high = reference.clip_high;
  std::vector<std::uint8_t> used(pairs.size(), 0);
  std::size_t missing = 0, first_missing = 0;
  for (std::size_t i = 0; i < r.users.size(); ++i) {
    const auto at = std::lower_bound(pairs.begin(), pairs.end(), Pair{r.users[i], r.items[i], 0, 0});
    if (at == pairs.end() || !at->same_pair(r.users[i], r.items[i])) {
      if (missing++ == 0) first_missing = i;
      r.predicted.push_back(0);
      continue;
    }
    used[static_cast<std::size_t>(at - pairs.begin())] = 1;
    r.predicted.push_back(static_cast<float>(at->value));
  }
  if (missing > 0)
    throw DataError(
        "'{}' lacks {} of the {} test ratings, first that of user '{}' for item '{}'; predict each of them (segue "
        "export --what ratings writes them)",
        path.string(), missing, r.users.size(), task.user_ids.at(r.users[first_missing]),
        task.item_ids.at(r.items[first_missing]));
  out.counts.queries = r.users.size();
  out.counts.kept = static_cast<std::uint64_t>(std::count(used.begin(), used.end(), 1));
  out.counts.not_asked = pairs.size() - out.counts.kept;
  return out;
}

namespace {

std::string stored_name(const MetricSpec& metric) { return fmt::format("{}.v{}", metric.text(), metric.card->version); }

}  // namespace

std::vector<std::string> add_means(StoredView& view, const std::vector<std::string>& metrics, const StoredTask& task,
                                   const StoredTaskFold& fold) {
  const ItemFacts items = item_facts(task, fold);
  RankingOutcome outcome = view.outcome();
  outcome.item_facts = &items;
  outcome.query_facts = query_facts(fold);
  std::vector<std::string> cannot;
  for (const std::string& text : metrics) {
    const MetricSpec metric = parse_metric(text);
    if (!why_not(metric, outcome).empty())
      cannot.push_back(text);
    else
      view.means[stored_name(metric)] = compute(metric, outcome).mean;
  }
  return cannot;
}

void add_means(StoredRatings& ratings, const std::vector<std::string>& metrics) {
  for (const std::string& text : metrics) {
    const MetricSpec metric = parse_metric(text);
    ratings.means[stored_name(metric)] = compute(metric, ratings.outcome()).mean;
  }
}

}  // namespace segue
