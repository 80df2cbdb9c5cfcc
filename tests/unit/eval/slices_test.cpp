#include "framework/eval/slices.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "tests/support/messages.hpp"
#include "tests/unit/eval/oracle_lists.hpp"

namespace segue {
namespace {

using test::Items;
using test::message_of;
using test::OracleQuery;
using testing::HasSubstr;

std::vector<std::string> slice_names() {
  std::vector<std::string> names;
  for (const SliceCard& card : slice_cards())
    for (std::size_t bin = card.bins == 0 ? 0 : 1; bin <= card.bins; ++bin)
      names.push_back(SliceSpec{&card, bin}.text());
  return names;
}

// Which fifth a value falls into, by walking all values: with weight(v) for each of them.
template <class Weight>
int fifth(std::uint64_t value, const std::vector<std::uint64_t>& values, Weight weight) {
  double before = 0, group = 0, total = 0;
  for (std::uint64_t v : values) {
    total += weight(v);
    if (v < value) before += weight(v);
    if (v == value) group += weight(v);
  }
  return total > 0 ? 1 + std::min(4, static_cast<int>(5 * ((before + group / 2) / total))) : 1;
}

bool holds(const std::string& slice, const test::World& w, const std::vector<OracleQuery>& queries, std::size_t q,
           std::uint32_t item) {
  const Items& history = w.histories[q];
  const bool heard = std::find(history.begin(), history.end(), item) != history.end();
  const std::uint64_t count = w.counts[item];
  if (slice == "reachable") return count > 0;
  if (slice == "unreachable") return count == 0;
  if (slice == "warm") return count >= 5;
  if (slice == "cold") return count < 5;
  if (slice == "repeat") return heard;
  if (slice == "explore") return !heard;
  if (slice == "cold_user") return history.empty();
  if (slice.starts_with("seeds")) return history.size() == std::stoul(slice.substr(5));
  const auto quarter = [&] {  // of the day, counted up from before the first query
    std::int64_t midnight = -20 * 86400;
    while (midnight + 86400 <= w.times[q]) midnight += 86400;
    return (w.times[q] - midnight) / (6 * 3600);
  };
  if (slice == "night") return quarter() == 0;
  if (slice == "morning") return quarter() == 1;
  if (slice == "afternoon") return quarter() == 2;
  if (slice == "evening") return quarter() == 3;
  const int bin = slice.back() - '0';
  if (slice.starts_with("pop"))
    return fifth(count, w.counts, [](std::uint64_t v) { return static_cast<double>(v); }) == bin;
  if (slice.starts_with("late")) {
    std::vector<std::uint64_t> times;
    for (std::size_t i = 0; i < queries.size(); ++i)
      if (!queries[i].truth.empty()) times.push_back(static_cast<std::uint64_t>(w.times[i] + 20 * 86400));
    return fifth(static_cast<std::uint64_t>(w.times[q] + 20 * 86400), times, [](std::uint64_t) { return 1.0; }) == bin;
  }
  std::vector<std::uint64_t> lengths;
  for (std::size_t i = 0; i < queries.size(); ++i)
    if (!queries[i].truth.empty()) lengths.push_back(w.histories[i].size());
  return fifth(history.size(), lengths, [](std::uint64_t) { return 1.0; }) == bin;
}

// The truth outside the slice is neither relevant nor a candidate any more; the ranking stays as it is.
std::vector<OracleQuery> sliced(const std::string& slice, const test::World& w,
                                const std::vector<OracleQuery>& queries) {
  std::vector<OracleQuery> out = queries;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    out[q].truth.clear();
    out[q].gains.clear();
    for (std::size_t t = 0; t < queries[q].truth.size(); ++t) {
      if (holds(slice, w, queries, q, queries[q].truth[t])) {
        out[q].truth.push_back(queries[q].truth[t]);
        out[q].gains.push_back(queries[q].gains[t]);
      } else {
        out[q].score.erase(queries[q].truth[t]);
      }
    }
  }
  return out;
}

TEST(Slices, AgreeWithTheirOracles) {
  std::map<std::string, std::size_t> evaluated;
  for (std::uint64_t seed = 100; seed < 115; ++seed) {
    const std::uint32_t n_items = 20 + static_cast<std::uint32_t>(seed % 30);
    const std::vector<OracleQuery> queries = test::random_queries(seed, 40, n_items);
    test::World world = test::random_world(seed, queries.size(), n_items);
    for (std::size_t q = 0; q < queries.size(); ++q)  // some long histories, as of playlists with many seeds
      for (const std::size_t length = q % 8 == 3 ? 25 : q % 8 == 5 ? 100 : 0; world.histories[q].size() < length;)
        world.histories[q].push_back(static_cast<std::uint32_t>((q + world.histories[q].size() * 7) % n_items));
    const test::StoredWorld facts(world);
    const test::StoredOutcome stored = test::store(queries, 10, n_items);
    for (const std::string& slice : slice_names()) {
      const std::vector<OracleQuery> expected = sliced(slice, world, queries);
      for (const char* metric : {"ndcg@5", "recall@10", "mrr@20", "precision@3", "r_precision", "auc", "clicks"}) {
        const MetricSpec spec = parse_metric(metric + (":" + slice));
        EXPECT_EQ(spec.text(), metric + (":" + slice));
        const MetricValue got = compute(spec, facts.join(stored.view()));
        std::size_t n = 0;
        for (std::size_t q = 0; q < queries.size(); ++q) {
          const double value = test::oracle(spec.card->name, expected[q], spec.k);
          ASSERT_EQ(std::isnan(value), std::isnan(got.per_query[q])) << spec.text() << " query " << q;
          if (std::isnan(value)) continue;
          EXPECT_NEAR(got.per_query[q], value, 1e-12) << spec.text() << " seed " << seed << " query " << q;
          ++n;
        }
        EXPECT_EQ(got.n, n);
        evaluated[slice] += n;
      }
      // Metrics of lists see whole lists of fewer queries.
      if (parse_slice(slice).card->kind != SliceKind::kQueries) continue;
      const MetricValue union_value = compute(parse_metric("coverage@10:" + slice), facts.join(stored.view()));
      if (union_value.n > 0) {
        EXPECT_EQ(union_value.mean, test::oracle_union("coverage", expected, 10, n_items));
      }
    }
  }
  EXPECT_EQ(evaluated.size(), 33u);
  for (const auto& [slice, n] : evaluated) EXPECT_GT(n, 100u) << slice;
}

TEST(Slices, PartsMakeUpTheWhole) {
  const std::vector<OracleQuery> queries = test::random_queries(7, 60, 40);
  const test::World world = test::random_world(7, queries.size(), 40);
  const test::StoredWorld facts(world);
  const test::StoredOutcome stored = test::store(queries, 10, 40);
  const RankingOutcome outcome = facts.join(stored.view());
  const auto truth_of = [&](const std::vector<std::string>& names) {
    std::size_t truth = 0;
    for (const std::string& name : names) truth += SlicedOutcome(parse_slice(name), outcome).view().truth_items.size();
    return truth;
  };
  for (const std::vector<std::string>& parts : {std::vector<std::string>{"reachable", "unreachable"},
                                                {"warm", "cold"},
                                                {"repeat", "explore"},
                                                {"pop1", "pop2", "pop3", "pop4", "pop5"},
                                                {"act1", "act2", "act3", "act4", "act5"},
                                                {"night", "morning", "afternoon", "evening"},
                                                {"late1", "late2", "late3", "late4", "late5"}})
    EXPECT_EQ(truth_of(parts), stored.truth_items.size()) << parts[0];
  // Bins lie behind each other, and an item slice keeps the gains with their items.
  double before = -1;
  for (const char* name : {"pop1", "pop2", "pop3", "pop4", "pop5"}) {
    const SlicedOutcome bin(parse_slice(name), outcome);
    if (std::isnan(bin.low())) continue;
    EXPECT_GT(bin.low(), before);
    EXPECT_GE(bin.high(), bin.low());
    before = bin.high();
    for (std::uint32_t item : bin.view().truth_items) {
      EXPECT_GE(static_cast<double>(world.counts[item]), bin.low());
      EXPECT_LE(static_cast<double>(world.counts[item]), bin.high());
    }
  }
  EXPECT_EQ(before, static_cast<double>(*std::max_element(world.counts.begin(), world.counts.end())));
}

TEST(Slices, BinsByHand) {
  // Pairs: 1 + 1 + 2 + 6 + 10 = 20, a fifth is 4: middles at 1, 3, 7, 15.
  test::World world;
  world.users = 10;
  world.counts = {10, 1, 6, 2, 1, 0};
  world.histories = {{0, 0, 1}, {}, {2}, {3, 4, 5, 0}, {1}, {1, 2}};
  const test::StoredWorld facts(world);
  std::vector<OracleQuery> queries;
  for (int q = 0; q < 5; ++q) queries.push_back(test::query_of({0, 1, 2}, {0, 1, 2, 3, 4, 5}));
  queries.push_back(test::query_of({0}, {}));  // not among the fifths
  const test::StoredOutcome stored = test::store(queries, 3, 6);
  const RankingOutcome outcome = facts.join(stored.view());
  const auto bounds = [&](const std::string& slice) {
    const MetricValue v = compute(parse_metric("recall@3:" + slice), outcome);
    return std::pair(v.slice_low, v.slice_high);
  };
  EXPECT_EQ(bounds("pop1"), std::pair(0.0, 2.0));  // 0 at 0, 1 at 1/20, 2 at 3/20
  EXPECT_TRUE(std::isnan(bounds("pop3").first));
  EXPECT_EQ(bounds("pop2"), std::pair(6.0, 6.0));  // 7/20
  EXPECT_EQ(bounds("pop4"), std::pair(10.0, 10.0));
  EXPECT_TRUE(std::isnan(compute(parse_metric("recall@3:pop3"), outcome).mean));
  EXPECT_EQ(compute(parse_metric("recall@3:pop3"), outcome).n, 0u);
  EXPECT_EQ(compute(parse_metric("recall@3:pop1"), outcome).mean, 0.25);  // 1 of 1, 3, 4, 5
  EXPECT_EQ(bounds("act1"), std::pair(0.0, 0.0));
  EXPECT_EQ(bounds("act3"), std::pair(1.0, 1.0));  // two queries together
  EXPECT_TRUE(std::isnan(bounds("act2").first));
  EXPECT_EQ(bounds("act5"), std::pair(4.0, 4.0));
  EXPECT_EQ(compute(parse_metric("recall@3:act3"), outcome).n, 2u);
  EXPECT_EQ(compute(parse_metric("recall@3:cold_user"), outcome).n, 1u);
  EXPECT_TRUE(std::isnan(compute(parse_metric("recall@3:cold"), outcome).slice_low));
}

TEST(Slices, OfTimeByHand) {
  constexpr std::int64_t kHour = 3600, kDay = 24 * kHour, kFirst = 20000 * kDay;
  test::World world;
  world.users = 3;
  world.counts = {3, 2, 1};
  world.histories.assign(6, {});
  world.times = {kFirst + 6 * kHour - 1,         kFirst + 6 * kHour,        kFirst + 2 * kDay + 23 * kHour,
                 kFirst + 2 * kDay + 23 * kHour, kFirst + 9 * kDay + kHour, -1};
  const test::StoredWorld facts(world);
  std::vector<OracleQuery> queries;
  for (int q = 0; q < 5; ++q) queries.push_back(test::query_of({0, 1, 2}, {0}));
  queries.push_back(test::query_of({0}, {}));  // without truth: asked before all others, and yet not the first
  const test::StoredOutcome stored = test::store(queries, 3, 3);
  const auto value = [&](const std::string& slice) {
    return compute(parse_metric("recall@3:" + slice), facts.join(stored.view()));
  };
  EXPECT_EQ(value("night").n, 2u);
  EXPECT_EQ(value("morning").n, 1u);
  EXPECT_EQ(value("afternoon").n, 0u);
  EXPECT_EQ(value("evening").n, 2u);
  EXPECT_EQ(value("late1").n, 1u);
  EXPECT_EQ(value("late2").n, 1u);
  EXPECT_EQ(value("late3").n, 0u);
  EXPECT_EQ(value("late4").n, 2u);         // of the same second, their middle at 3 of 5
  EXPECT_EQ(value("late4").slice_low, 2);  // whole days after the first
  EXPECT_EQ(value("late5").slice_high, 8);
  RankingOutcome timeless = facts.join(stored.view());
  timeless.query_facts.times = {};
  EXPECT_THAT(message_of<UsageError>([&] { SlicedOutcome(parse_slice("night"), timeless); }),
              HasSubstr("slice 'night' needs the moment of each query, which these results do not hold"));
}

TEST(Slices, ParseSaysWhatIsWrong) {
  const auto error = [](const std::string& text) { return message_of<UsageError>([&] { parse_metric(text); }); };
  EXPECT_THAT(error("ndcg@10:colt"), HasSubstr("unknown slice 'colt'; did you mean 'cold'? known: reachable,"));
  EXPECT_THAT(error("ndcg@10:"), HasSubstr("unknown slice ''"));
  EXPECT_THAT(error("ndcg@10:pop6"), HasSubstr("unknown slice 'pop6'; did you mean 'pop1'?"));
  EXPECT_THAT(error("ndcg@10:pop"), HasSubstr("unknown slice 'pop'"));
  EXPECT_THAT(error("ndcg:cold"), HasSubstr("ndcg needs a cut-off"));
  EXPECT_EQ(error("rmse:cold"), "metric 'rmse:cold': rmse judges ratings, and slices are of lists; write rmse");
  EXPECT_EQ(error("coverage@10:cold"),
            "metric 'coverage@10:cold': coverage does not read the truth, which 'cold' is a part of; take a slice of "
            "users such as act1");
  EXPECT_EQ(parse_metric("coverage@10:act1").text(), "coverage@10:act1");
  EXPECT_EQ(parse_metric("serendipity@10:cold").slice.text(), "cold");
  EXPECT_EQ(parse_metric("auc:pop3").slice.bin, 3u);
  EXPECT_EQ(slice_cards()[6].names(), "pop1..pop5");
  EXPECT_EQ(slice_cards()[0].names(), "reachable");
}

TEST(Ceiling, RanksWhatCanBeReachedFirst) {
  std::size_t below_one = 0;
  for (std::uint64_t seed = 200; seed < 215; ++seed) {
    const std::uint32_t n_items = 15 + static_cast<std::uint32_t>(seed % 20);
    const std::vector<OracleQuery> queries = test::random_queries(seed, 30, n_items);
    const test::World world = test::random_world(seed, queries.size(), n_items);
    const test::StoredWorld facts(world);
    const test::StoredOutcome stored = test::store(queries, 10, n_items);
    for (const std::string slice : {"", "explore", "act1", "cold"}) {
      std::vector<OracleQuery> best = slice.empty() ? queries : sliced(slice, world, queries);
      for (OracleQuery& q : best) {
        std::vector<std::pair<float, std::uint32_t>> first;
        for (std::size_t t = 0; t < q.truth.size(); ++t) {
          q.score.erase(q.truth[t]);
          if (world.counts[q.truth[t]] > 0) first.emplace_back(-q.gains[t], q.truth[t]);
        }
        std::sort(first.begin(), first.end());
        q.ranking.clear();
        for (const auto& [gain, item] : first) {
          q.score[item] = 1e6f - static_cast<float>(q.ranking.size());
          q.ranking.push_back(item);
        }
      }
      for (const MetricCard& card : metric_cards()) {
        if (card.kind != MetricKind::kPerQuery) continue;
        MetricSpec spec{&card, card.has_cutoff ? 7u : 0u};
        if (!slice.empty()) spec.slice = parse_slice(slice);
        const MetricValue top = ceiling(spec, facts.join(stored.view()));
        const MetricValue reached = compute(spec, facts.join(stored.view()));
        ASSERT_EQ(top.n, reached.n);
        for (std::size_t q = 0; q < best.size(); ++q) {
          const double expected = test::oracle(card.name, best[q], 7);
          if (std::isnan(expected)) continue;
          EXPECT_NEAR(top.per_query[q], expected, 1e-12) << spec.text() << " seed " << seed << " query " << q;
          below_one += card.name == "hr" && expected == 0;
        }
      }
    }
  }
  EXPECT_GT(below_one, 10u);
}

TEST(Ceiling, IsOfMetricsOfTheTruth) {
  test::World world;
  world.counts = {1, 0};
  world.histories = {{}};
  const test::StoredWorld facts(world);
  const test::StoredOutcome stored = test::store({test::query_of({1, 0}, {0, 1})}, 2, 2);
  EXPECT_EQ(ceiling(parse_metric("recall@1"), facts.join(stored.view())).mean, 0.5);
  EXPECT_EQ(ceiling(parse_metric("hr@5:unreachable"), facts.join(stored.view())).mean, 0);
  EXPECT_THAT(message_of<UsageError>([&] { ceiling(parse_metric("coverage@1"), facts.join(stored.view())); }),
              HasSubstr("coverage@1 has no ceiling"));
  EXPECT_THAT(message_of<UsageError>([&] { ceiling(parse_metric("recall@1"), stored.view()); }),
              HasSubstr("the ceiling of recall@1 needs the training users"));
  RankingOutcome lists = facts.join(stored.view());
  lists.lists_only = true;
  EXPECT_EQ(ceiling(parse_metric("recall@9"), lists).mean, 0.5);  // needs no lists at all
}

TEST(SliceCards, AreComplete) {
  std::set<std::string> names;
  for (const std::string& name : slice_names()) {
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(parse_slice(name).text(), name);
  }
  for (const SliceCard& card : slice_cards()) {
    EXPECT_FALSE(card.title.empty()) << card.name;
    EXPECT_FALSE(card.definition.empty()) << card.name;
  }
  EXPECT_EQ(SliceSpec{}.text(), "");
}

}  // namespace
}  // namespace segue
