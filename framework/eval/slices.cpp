#include "framework/eval/slices.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "framework/base/day.hpp"
#include "framework/base/errors.hpp"
#include "framework/eval/list_facts.hpp"
#include "framework/eval/metrics.hpp"

namespace segue {

namespace {

constexpr std::uint64_t kColdBelow = 5;  // training users
constexpr std::size_t kBins = 5;
// Of the Million Playlist Dataset's challenge, and 2 for listeners who have just begun.
constexpr std::size_t kSeeds[] = {0, 1, 2, 5, 10, 25, 100};

struct PartOfDay {
  const char *name, *title;
  std::int64_t begin, end;  // hours
};
constexpr PartOfDay kPartsOfDay[] = {{"night", "At night", 0, 6},
                                     {"morning", "In the morning", 6, 12},
                                     {"afternoon", "In the afternoon", 12, 18},
                                     {"evening", "In the evening", 18, 24}};

std::string seeds_name(std::size_t n) { return fmt::format("seeds{}", n); }

std::vector<SliceCard> make_slices() {
  std::vector<SliceCard> cards;
  cards.push_back({.name = "reachable",
                   .title = "Items seen in training",
                   .definition = "truth items with at least one training user",
                   .citation = ""});
  cards.push_back({.name = "unreachable",
                   .title = "Items never seen in training",
                   .definition = "truth items without a training user, which no model that learns from events alone "
                                 "can rank on merit",
                   .citation = ""});
  cards.push_back({.name = "warm",
                   .title = "Warm items",
                   .definition = fmt::format("truth items with at least {} training users", kColdBelow),
                   .citation = "Schein, Popescul, Ungar & Pennock 2002, Methods and metrics for cold-start "
                               "recommendations, SIGIR"});
  cards.push_back(
      {.name = "cold",
       .title = "Cold items",
       .definition = fmt::format("truth items with fewer than {} training users, none included", kColdBelow),
       .citation = "Schein, Popescul, Ungar & Pennock 2002, Methods and metrics for cold-start "
                   "recommendations, SIGIR"});
  cards.push_back({.name = "repeat",
                   .title = "Repeats",
                   .definition = "truth items that stand in the query's own history",
                   .citation = "Anderson, Kumar, Tomkins & Vassilvitskii 2014, The dynamics of repeat consumption, WWW",
                   .needs = Fact::kHistory});
  cards.push_back({.name = "explore",
                   .title = "New to the user",
                   .definition = "truth items that do not stand in the query's own history",
                   .citation = "Anderson, Kumar, Tomkins & Vassilvitskii 2014, The dynamics of repeat consumption, WWW",
                   .needs = Fact::kHistory});
  cards.push_back({.name = "pop",
                   .title = "Item popularity, five equal shares of training",
                   .definition = "truth items in one fifth of the training (user, item) pairs: items ascending by "
                                 "training users, pop1 the long tail and pop5 the hits; items with equally many users "
                                 "stay together, in the fifth where the middle of their pairs falls, so that a fifth "
                                 "may be empty",
                   .citation =
                       "Bellogín, Castells & Cantador 2017, Statistical biases in information retrieval metrics "
                       "for recommender systems, Information Retrieval Journal 20(6)",
                   .bins = kBins});
  cards.push_back({.name = "act",
                   .title = "User activity, five equal shares of queries",
                   .definition = "one fifth of the queries with truth: ascending by the length of their history, act1 "
                                 "the least active; queries with equally long histories stay together, in the fifth "
                                 "where their middle falls, so that a fifth may be empty",
                   .citation = "",
                   .kind = SliceKind::kQueries,
                   .bins = kBins,
                   .needs = Fact::kHistory});
  cards.push_back({.name = "cold_user",
                   .title = "Users without a history",
                   .definition = "queries with an empty history",
                   .citation = "",
                   .kind = SliceKind::kQueries,
                   .needs = Fact::kHistory});
  for (const std::size_t n : kSeeds)
    cards.push_back(
        {.name = seeds_name(n),
         .title = n == 0 ? "Nothing known" : fmt::format("{} event{} known", n, n == 1 ? "" : "s"),
         .definition = fmt::format("queries whose history has exactly {} event{}: of a playlist to be continued, its "
                                   "seeds; of a new listener, all there is",
                                   n, n == 1 ? "" : "s"),
         .citation = "Chen, Lamere, Schedl & Zamani 2018, RecSys Challenge 2018: automatic music playlist "
                     "continuation, RecSys",
         .kind = SliceKind::kQueries,
         .needs = Fact::kHistory});
  for (const PartOfDay& part : kPartsOfDay)
    cards.push_back(
        {.name = part.name,
         .title = part.title,
         .definition = fmt::format(
             "queries whose first truth event happened from {:02}:00 until {:02}:00, by the clock of the data: "
             "UTC where its times say their offset",
             part.begin, part.end),
         .citation = "Baltrunas & Amatriain 2009, Towards time-dependant recommendation based on implicit feedback, "
                     "CARS workshop",
         .kind = SliceKind::kQueries,
         .needs = Fact::kTimes});
  cards.push_back(
      {.name = "late",
       .title = "Time after the first query, five equal shares of queries",
       .definition =
           "one fifth of the queries with truth: ascending by the time of their first truth event, late1 the "
           "first and late5 the last, for which training is longest ago where the split is one in time; queries of "
           "the same second stay together, in the fifth where their middle falls, so that a fifth may be empty",
       .citation = "Koren 2009, Collaborative filtering with temporal dynamics, KDD",
       .kind = SliceKind::kQueries,
       .bins = kBins,
       .needs = Fact::kTimes});
  return cards;
}

std::vector<SliceParts> make_parts() {
  const auto bins = [](const char* stem) {
    std::vector<SliceParts::Part> out;
    for (std::size_t b = 1; b <= kBins; ++b) out.push_back({fmt::format("{}{}", stem, b), ""});
    return out;
  };
  std::vector<SliceParts> all{
      {"popularity", bins("pop"), "listeners"},
      {"activity", bins("act"), "events heard"},
      {"temperature", {{"warm", "warm items"}, {"cold", "cold items"}}, ""},
      {"reachable", {{"reachable", "seen in training"}, {"unreachable", "never seen"}}, "", false, false},
      {"repeat", {{"repeat", "heard before"}, {"explore", "new to the user"}}, ""},
      {"time_of_day", {}, "", false, false},
      {"drift", bins("late"), "days after the first", false, false},
      {"seeds", {}, "", true},
  };
  for (const std::size_t n : kSeeds)
    all.back().parts.push_back({seeds_name(n), n == 0 ? "none known" : fmt::format("{} known", n)});
  const auto day = std::ranges::find(all, "time_of_day", &SliceParts::name);
  for (const PartOfDay& part : kPartsOfDay)
    day->parts.push_back({part.name, fmt::format("{} to {} h", part.begin, part.end)});
  return all;
}

struct Bin {
  double low = std::numeric_limits<double>::quiet_NaN(), high = low;
  bool holds(std::uint64_t value) const {
    return static_cast<double>(value) >= low && static_cast<double>(value) <= high;  // false for an empty bin
  }
};

// The `bin`-th (from 1) of kBins ranges of values with equal shares of the weight, each value as heavy as
// weight(value).
template <class Weight>
Bin equal_share(std::vector<std::uint64_t> values, std::size_t bin, Weight weight) {
  std::sort(values.begin(), values.end());
  double total = 0, before = 0;
  for (const std::uint64_t v : values) total += weight(v);
  Bin out;
  for (std::size_t begin = 0, end = 0; begin < values.size(); begin = end) {
    while (end < values.size() && values[end] == values[begin]) ++end;
    const double group = weight(values[begin]) * static_cast<double>(end - begin);
    const double middle = total > 0 ? (before + group / 2) / total : 0;
    const std::size_t place = std::min(kBins - 1, static_cast<std::size_t>(middle * static_cast<double>(kBins)));
    before += group;
    if (place + 1 != bin) continue;
    if (std::isnan(out.low)) out.low = static_cast<double>(values[begin]);
    out.high = static_cast<double>(values[begin]);
  }
  return out;
}

std::span<const std::uint32_t> history_of(const RankingOutcome& o, std::size_t q) {
  const std::uint64_t begin = o.query_facts.history_offsets[q], end = o.query_facts.history_offsets[q + 1];
  return o.query_facts.history_items.subspan(begin, end - begin);
}

bool has_truth(const RankingOutcome& o, std::size_t q) { return o.truth_offsets[q] < o.truth_offsets[q + 1]; }

// A truth item that could be ranked, whether or not the model could score it.
bool is_candidate(const RankingOutcome& o, std::size_t q, std::size_t t) {
  return o.truth_rank[t] > 0 || o.truth_above[t] < o.candidates[q];
}

}  // namespace

std::string SliceCard::names() const { return bins == 0 ? name : fmt::format("{}1..{}{}", name, name, bins); }

const std::vector<SliceCard>& slice_cards() {
  static const std::vector<SliceCard> cards = make_slices();
  return cards;
}

const std::vector<SliceParts>& slice_parts() {
  static const std::vector<SliceParts> parts = make_parts();
  return parts;
}

std::string SliceSpec::text() const {
  if (card == nullptr) return "";
  return card->bins == 0 ? card->name : fmt::format("{}{}", card->name, bin);
}

SliceSpec parse_slice(const std::string& text) {
  std::vector<std::string> known;
  for (const SliceCard& card : slice_cards()) {
    for (std::size_t bin = card.bins == 0 ? 0 : 1; bin <= card.bins; ++bin) {
      const SliceSpec slice{&card, bin};
      if (slice.text() == text) return slice;
      known.push_back(slice.text());
    }
  }
  throw UsageError("unknown slice '{}'{}", text, suggestion(text, known));
}

SlicedOutcome::SlicedOutcome(const SliceSpec& slice, const RankingOutcome& o) : view_(o) {
  const std::size_t truth = o.truth_items.size();
  SEGUE_CHECK(truth == o.truth_rank.size() && o.truth_offsets.size() == o.queries + 1, "{} truth items, {} ranks",
              truth, o.truth_rank.size());
  std::vector<bool> kept(truth, slice.card == nullptr);
  if (slice.card != nullptr) {
    const Fact needed = slice.card->needs;
    if (!has_fact(o, needed))
      throw UsageError("slice '{}' needs {}, which these results do not hold", slice.text(), fact_name(needed));
    if (slice.card->kind == SliceKind::kQueries) {
      select_queries(slice, o, kept);
    } else if (needed == Fact::kHistory) {
      select_by_history(slice, o, kept);
    } else {
      select_by_popularity(slice, o, kept);
    }
  }
  keep(o, kept, slice.card != nullptr && slice.card->kind == SliceKind::kItems);
}

void SlicedOutcome::select_queries(const SliceSpec& slice, const RankingOutcome& o, std::vector<bool>& kept) {
  const std::string& name = slice.card->name;
  const bool binned = slice.card->bins > 0, timed = slice.card->needs == Fact::kTimes;
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  for (std::size_t q = 0; timed && q < o.queries; ++q)
    if (has_truth(o, q)) first = std::min(first, o.query_facts.times[q]);
  // Of a query with truth: the length of its history, seconds after the first query, or seconds of its day.
  const auto value = [&](std::size_t q) -> std::uint64_t {
    if (!timed) return history_of(o, q).size();
    const std::int64_t time = o.query_facts.times[q];
    return static_cast<std::uint64_t>(binned ? time - first : second_of_day(time));
  };
  Bin bin{0, 0};  // cold_user
  for (const std::size_t n : kSeeds)
    if (name == seeds_name(n)) bin = {static_cast<double>(n), static_cast<double>(n)};
  for (const PartOfDay& part : kPartsOfDay)
    if (name == part.name)
      bin = {static_cast<double>(part.begin * kSecondsPerHour), static_cast<double>(part.end * kSecondsPerHour - 1)};
  if (binned) {
    std::vector<std::uint64_t> asked;
    for (std::size_t q = 0; q < o.queries; ++q)
      if (has_truth(o, q)) asked.push_back(value(q));
    bin = equal_share(std::move(asked), slice.bin, [](std::uint64_t) { return 1.0; });
    const double unit = timed ? double{kSecondsPerDay} : 1.0;
    low_ = std::floor(bin.low / unit);
    high_ = std::floor(bin.high / unit);
  }
  for (std::size_t q = 0; q < o.queries; ++q) {
    if (!has_truth(o, q)) continue;
    const bool in = bin.holds(value(q));
    for (std::size_t t = o.truth_offsets[q]; t < o.truth_offsets[q + 1]; ++t) kept[t] = in;
  }
}

void SlicedOutcome::select_by_history(const SliceSpec& slice, const RankingOutcome& o, std::vector<bool>& kept) {
  const bool repeats = slice.card->name == "repeat";
  Marks seen;
  for (std::size_t q = 0; q < o.queries; ++q) {
    if (!has_truth(o, q)) continue;
    seen.clear();
    for (const std::uint32_t item : history_of(o, q)) seen.add(item);
    for (std::size_t t = o.truth_offsets[q]; t < o.truth_offsets[q + 1]; ++t)
      kept[t] = seen.has(o.truth_items[t]) == repeats;
  }
}

void SlicedOutcome::select_by_popularity(const SliceSpec& slice, const RankingOutcome& o, std::vector<bool>& kept) {
  const auto counts = o.item_facts->train_counts;
  Bin bin;
  if (slice.card->bins > 0) {
    bin =
        equal_share({counts.begin(), counts.end()}, slice.bin, [](std::uint64_t n) { return static_cast<double>(n); });
    low_ = bin.low;
    high_ = bin.high;
  } else {
    constexpr double kAny = std::numeric_limits<double>::infinity();
    const std::string& name = slice.card->name;
    bin = name == "reachable"     ? Bin{1, kAny}
          : name == "unreachable" ? Bin{0, 0}
          : name == "warm"        ? Bin{static_cast<double>(kColdBelow), kAny}
                                  : Bin{0, static_cast<double>(kColdBelow - 1)};
  }
  for (std::size_t t = 0; t < kept.size(); ++t) {
    SEGUE_CHECK(o.truth_items[t] < counts.size(), "truth item {} of {}", o.truth_items[t], counts.size());
    kept[t] = bin.holds(counts[o.truth_items[t]]);
  }
}

// With adjust_counts the truth that goes leaves the candidates too; otherwise auc would count it as irrelevant.
void SlicedOutcome::keep(const RankingOutcome& o, const std::vector<bool>& truth, bool adjust_counts) {
  const bool counts = has_fact(o, Fact::kTieCounts);
  offsets_.assign(1, 0);
  std::vector<std::uint32_t> gone;  // how many candidates stand above each candidate that goes
  for (std::size_t q = 0; q < o.queries; ++q) {
    const std::size_t begin = o.truth_offsets[q], end = o.truth_offsets[q + 1];
    gone.clear();
    for (std::size_t t = begin; counts && adjust_counts && t < end; ++t)
      if (!truth[t] && is_candidate(o, q, t)) gone.push_back(o.truth_above[t]);
    std::sort(gone.begin(), gone.end());
    if (counts) candidates_.push_back(o.candidates[q] - static_cast<std::uint32_t>(gone.size()));
    for (std::size_t t = begin; t < end; ++t) {
      if (!truth[t]) continue;
      items_.push_back(o.truth_items[t]);
      rank_.push_back(o.truth_rank[t]);
      if (!o.truth_gains.empty()) gains_.push_back(o.truth_gains[t]);
      if (!counts) continue;
      const auto [same, later] = std::equal_range(gone.begin(), gone.end(), o.truth_above[t]);
      const bool candidate = is_candidate(o, q, t);
      above_.push_back(candidate ? o.truth_above[t] - static_cast<std::uint32_t>(same - gone.begin())
                                 : candidates_.back());
      tied_.push_back(candidate ? o.truth_tied[t] - static_cast<std::uint32_t>(later - same) : o.truth_tied[t]);
    }
    offsets_.push_back(items_.size());
  }
  view_.truth_offsets = offsets_;
  view_.truth_items = items_;
  view_.truth_gains = gains_;
  view_.truth_rank = rank_;
  view_.truth_above = above_;
  view_.truth_tied = tied_;
  view_.candidates = candidates_;  // empty where there are no counts: then nobody may read them
}

void SlicedOutcome::rank_reachable_first() {
  SEGUE_CHECK(has_fact(view_, Fact::kTrainCounts), "a ceiling without training counts");
  const auto train_counts = view_.item_facts->train_counts;
  const bool counts = !above_.empty();
  std::vector<std::size_t> order;
  for (std::size_t q = 0; q < view_.queries; ++q) {
    order.clear();
    for (std::size_t t = offsets_[q]; t < offsets_[q + 1]; ++t) {
      SEGUE_CHECK(items_[t] < train_counts.size(), "truth item {} of {}", items_[t], train_counts.size());
      if (train_counts[items_[t]] > 0) order.push_back(t);
    }
    if (!gains_.empty())
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return gains_[a] > gains_[b]; });
    const auto reachable = static_cast<std::uint32_t>(order.size());
    if (counts) candidates_[q] = std::max(candidates_[q], reachable);
    std::fill(rank_.begin() + static_cast<std::ptrdiff_t>(offsets_[q]),
              rank_.begin() + static_cast<std::ptrdiff_t>(offsets_[q + 1]), 0u);
    for (std::uint32_t place = 0; place < reachable; ++place) rank_[order[place]] = place + 1;
    for (std::size_t t = offsets_[q]; counts && t < offsets_[q + 1]; ++t) {
      above_[t] = rank_[t] > 0 ? rank_[t] - 1 : candidates_[q];
      tied_[t] = 0;
    }
  }
  view_.lists_only = false;
}

}  // namespace segue
