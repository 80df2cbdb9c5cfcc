// Metrics of what is recommended: lists, unions, and what they need to know.
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

// Items 0..5: 0 and 1 rock by artist 7, 2 jazz, 3 rock and jazz, 4 and 5 nothing known; 8 training users.
test::World small_world() {
  test::World w;
  w.users = 8;
  w.counts = {8, 4, 2, 1, 1, 0};
  w.tags = {{{0, 1}}, {{0, 2}}, {{1, 1}}, {{0, 1}, {1, 1}}, {}, {}};
  w.artists = {7, 7, 2, 3, 0xFFFFFFFFu, 0xFFFFFFFFu};
  w.vectors = {{1, 0}, {2, 0}, {0, 1}, {-1, 0}, {0, 0}, {0, 0}};
  return w;
}

double value(const std::string& metric, test::World world, const OracleQuery& query, const Items& history = {},
             std::size_t length = 6) {
  world.histories = {history};
  const test::StoredWorld facts(world);
  const test::StoredOutcome stored = test::store({query}, length, 6);
  return compute(parse_metric(metric), facts.join(stored.view())).mean;
}

TEST(Beyond, AgreesWithItsOraclesOnRandomLists) {
  std::size_t undefined = 0, compared = 0, surprises = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const std::uint32_t n_items = 6 + 2 * static_cast<std::uint32_t>(seed);
    const std::vector<OracleQuery> queries = test::random_queries(seed, 25, n_items);
    const test::World world = test::random_world(seed, queries.size(), n_items);
    const test::StoredWorld facts(world);
    const test::StoredOutcome stored = test::store(queries, 10, n_items);
    for (const std::size_t k : {1u, 2u, 5u, 10u}) {
      for (const MetricCard& card : metric_cards()) {
        if (card.kind != MetricKind::kList && card.kind != MetricKind::kUnion) continue;
        const MetricValue got = compute(MetricSpec{&card, k}, facts.join(stored.view()));
        if (card.kind == MetricKind::kUnion) {
          EXPECT_NEAR(got.mean, test::oracle_union(card.name, queries, k, n_items), 1e-12) << card.name;
          continue;
        }
        double sum = 0;
        std::size_t n = 0;
        for (std::size_t q = 0; q < queries.size(); ++q) {
          const double expected = test::oracle_list(card.name, world, queries[q], world.histories[q], k);
          ASSERT_EQ(std::isnan(expected), std::isnan(got.per_query[q])) << card.name << " query " << q;
          if (std::isnan(expected)) {
            undefined += !queries[q].truth.empty();
            continue;
          }
          EXPECT_NEAR(got.per_query[q], expected, 1e-12) << card.name << "@" << k << " seed " << seed << " query " << q;
          EXPECT_GE(got.per_query[q], card.low) << card.name;
          EXPECT_LE(got.per_query[q], card.high + 1e-12) << card.name;
          if (card.name == "serendipity") surprises += expected > 0;
          sum += expected;
          ++n;
          ++compared;
        }
        EXPECT_EQ(got.n, n) << card.name;
        EXPECT_NEAR(got.mean, sum / static_cast<double>(n), 1e-12) << card.name;
      }
    }
  }
  EXPECT_GT(undefined, 500u);
  EXPECT_GT(surprises, 500u);
  EXPECT_GT(compared, 10000u);
}

TEST(Beyond, PopularityFiguresByHand) {
  const OracleQuery q = test::query_of({0, 1, 5}, {1});
  EXPECT_NEAR(value("novelty@3", small_world(), q), (0 + 1 + 3) / 3.0, 1e-15);  // item 5 counts as one user
  EXPECT_NEAR(value("popularity@3", small_world(), q), 4, 1e-15);
  EXPECT_EQ(value("popularity@1", small_world(), q), 8);
  // Of 16 pairs the head needs 12.8: items 0 and 1 have 12, so 2 belongs to it as well.
  EXPECT_NEAR(value("tail_share@4", small_world(), test::query_of({0, 2, 3, 4}, {1})), 0.5, 1e-15);
  test::World flat = small_world();
  flat.counts = {2, 2, 2, 2, 2, 0};
  EXPECT_EQ(value("tail_share@2", flat, test::query_of({4, 5}, {1})), 0.5);  // equals stay in the head together
}

TEST(Beyond, SerendipityIsHitsThatThePopularListWouldNotHold) {
  // Of the unheard items the two most popular are 1 and 2.
  const OracleQuery q = test::query_of({1, 3}, {1, 3});
  EXPECT_EQ(value("serendipity@2", small_world(), q, {0}), 0.5);
  EXPECT_EQ(value("serendipity@1", small_world(), q, {0}), 0);
  EXPECT_EQ(value("serendipity@2", small_world(), q, {0, 3}), 0);  // heard before: no surprise
  // With two heard, 3 is expected, and 4, as popular, too.
  EXPECT_EQ(value("serendipity@2", small_world(), test::query_of({4, 3}, {4, 3}), {0, 1}), 0);
  // Nobody expects an item without training users.
  EXPECT_EQ(value("serendipity@6", small_world(), test::query_of({5}, {5})), 1.0 / 6);
}

TEST(Beyond, DiversityFiguresByHand) {
  const auto list = [](Items items) { return test::query_of(items, {5}); };
  EXPECT_EQ(value("ild_tags@2", small_world(), list({0, 1})), 0);  // the same tag, whatever its weight
  EXPECT_EQ(value("ild_tags@2", small_world(), list({0, 2})), 1);
  EXPECT_NEAR(value("ild_tags@3", small_world(), list({0, 2, 3})), (1 + 2 * (1 - std::sqrt(0.5))) / 3, 1e-15);
  EXPECT_EQ(value("ild_tags@4", small_world(), list({4, 0, 5, 2})), 1);  // untagged items make no pairs
  EXPECT_EQ(value("ild_tags@4", small_world(), list({4, 0})), 0);
  EXPECT_EQ(value("ild_vectors@2", small_world(), list({0, 3})), 2);
  EXPECT_EQ(value("ild_vectors@3", small_world(), list({0, 1, 4})), 0);
  EXPECT_NEAR(value("artist_diversity@5", small_world(), list({0, 1, 2, 4})), 2.0 / 3, 1e-15);
  EXPECT_EQ(value("artist_diversity@5", small_world(), list({4, 5})), 0);
  EXPECT_EQ(value("artist_coherence@3", small_world(), list({0, 2, 4}), {1, 1}), 1.0 / 3);
  EXPECT_TRUE(std::isnan(value("artist_coherence@3", small_world(), list({0}), {4})));  // no artist to go on with
  EXPECT_EQ(value("repeat_share@3", small_world(), list({0, 2, 4}), {4, 4, 1}), 1.0 / 3);
  EXPECT_EQ(value("repeat_share@3", small_world(), list({0, 2, 4})), 0);
}

TEST(Beyond, CalibrationComparesTheTagsOfListAndHistory) {
  const auto list = [](Items items) { return test::query_of(items, {5}); };
  EXPECT_EQ(value("calibration@2", small_world(), list({0, 2}), {3}), 0);        // half and half
  EXPECT_EQ(value("calibration@2", small_world(), list({0, 2, 1}), {3, 4}), 0);  // the untagged item says nothing
  EXPECT_NEAR(value("calibration@2", small_world(), list({0, 1}), {3}),
              0.5 * std::log2(0.5 / 0.995) + 0.5 * std::log2(0.5 / 0.005), 1e-12);
  for (const Items& nothing : {Items{}, Items{4, 5}})
    EXPECT_NEAR(value("calibration@2", small_world(), list(nothing), {0, 2, 2}), std::log2(100), 1e-12);
  EXPECT_TRUE(std::isnan(value("calibration@2", small_world(), list({0}), {4})));
  EXPECT_TRUE(std::isnan(value("calibration@2", small_world(), list({0}))));
}

TEST(Beyond, UnionsByHand) {
  const std::vector<OracleQuery> queries = {test::query_of({0, 1, 2}, {1}), test::query_of({0, 1}, {9}),
                                            test::query_of({3}, {})};
  const test::StoredOutcome stored = test::store(queries, 3, 5);
  const auto mean = [&](const char* metric) { return compute(parse_metric(metric), stored.view()).mean; };
  EXPECT_EQ(mean("gini@1"), 0.8);                                           // one item of five has everything
  EXPECT_NEAR(mean("gini@3"), (0 * 1 + 2 * 2 + 4 * 2) / (5.0 * 5), 1e-15);  // 0 0 1 2 2
  EXPECT_NEAR(mean("entropy@3"), 2 * 0.4 * std::log2(2.5) + 0.2 * std::log2(5), 1e-15);
  EXPECT_EQ(mean("entropy@1"), 0);
  const test::StoredOutcome none = test::store({test::query_of({}, {1})}, 3, 5);
  EXPECT_EQ(compute(parse_metric("gini@3"), none.view()).mean, 1);
  EXPECT_EQ(compute(parse_metric("entropy@3"), none.view()).mean, 0);
}

TEST(Beyond, AnEmptyListIsNoMerit) {
  for (const char* metric : {"novelty@3", "popularity@3", "tail_share@3", "repeat_share@3", "ild_tags@3",
                             "ild_vectors@3", "artist_diversity@3", "artist_coherence@3", "serendipity@3"})
    EXPECT_EQ(value(metric, small_world(), test::query_of({}, {1}), {0}), 0) << metric;
}

TEST(Beyond, SaysWhatTheDataLack) {
  const test::StoredOutcome stored = test::store({test::query_of({0, 1}, {1})}, 2, 6);
  const std::map<std::string, std::string> missing = {
      {"novelty@2", "novelty@2 needs the training users of each item, which these results do not hold"},
      {"ild_tags@2", "ild_tags@2 needs tags (facet item_tags), which this data set does not hold"},
      {"ild_vectors@2", "ild_vectors@2 needs item vectors, which these results do not hold"},
      {"artist_diversity@2", "artist_diversity@2 needs artists (facet item_artist), which this data set does not hold"},
      {"repeat_share@2", "repeat_share@2 needs the history of each query, which these results do not hold"},
      {"hr@2:cold", "hr@2:cold needs the training users of each item, which these results do not hold"},
      {"hr@2:act1", "hr@2:act1 needs the history of each query, which these results do not hold"},
  };
  for (const auto& [metric, sentence] : missing) {
    EXPECT_EQ(why_not(parse_metric(metric), stored.view()), sentence);
    EXPECT_EQ(message_of<UsageError>([&] { compute(parse_metric(metric), stored.view()); }), sentence);
  }
  test::World world = small_world();
  world.histories = {{0}};
  const test::StoredWorld facts(world);
  for (const auto& [metric, sentence] : missing)
    EXPECT_EQ(why_not(parse_metric(metric), facts.join(stored.view())), "");
  EXPECT_THAT(why_not(parse_metric("novelty@3"), facts.join(stored.view())),
              HasSubstr("novelty@3 needs lists of 3 items, and the stored ones have 2"));
  RankingOutcome short_lists = facts.join(stored.view());
  EXPECT_THROW(compute(parse_metric("novelty@3"), short_lists), UsageError);
}

TEST(Beyond, FactsThatContradictEachOtherAreRefused) {
  test::World world = small_world();
  world.histories = {{0}};
  const test::StoredWorld facts(world);
  const test::StoredOutcome stored = test::store({test::query_of({0, 1}, {1})}, 2, 6);
  const auto refuses = [&](const char* metric, auto damage) {
    RankingOutcome outcome = facts.join(stored.view());
    ItemFacts bad = facts.facts;
    damage(bad, outcome);
    outcome.item_facts = &bad;
    EXPECT_THROW(compute(parse_metric(metric), outcome), LogicError) << metric;
  };
  refuses("novelty@2", [](ItemFacts& f, RankingOutcome&) { f.train_counts = f.train_counts.first(3); });
  refuses("artist_diversity@2", [](ItemFacts& f, RankingOutcome&) { f.artists = f.artists.first(3); });
  refuses("ild_vectors@2", [](ItemFacts& f, RankingOutcome&) { f.vector_dim = 3; });
  refuses("ild_tags@2", [](ItemFacts& f, RankingOutcome&) { f.tag_weights = f.tag_weights.first(2); });
  refuses("ild_tags@2", [](ItemFacts& f, RankingOutcome&) { f.tag_offsets = f.tag_offsets.first(3); });
  refuses("repeat_share@2", [](ItemFacts&, RankingOutcome& o) { o.query_facts.history_items = {}; });
  const test::StoredOutcome unknown = test::store({test::query_of({0, 6}, {1})}, 2, 9);
  EXPECT_THROW(compute(parse_metric("novelty@2"), facts.join(unknown.view())), LogicError);
}

TEST(ListsOnly, NothingBehindTheListsIsKnown) {
  const test::StoredOutcome stored = test::store({test::query_of({0, 1, 2}, {1, 4})}, 3, 6);
  RankingOutcome outcome = stored.view();
  outcome.lists_only = true;
  const auto reason = [&](const char* metric) { return why_not(parse_metric(metric), outcome); };
  for (const char* fine : {"hr@3", "ndcg@1", "coverage@3", "r_precision"}) EXPECT_EQ(reason(fine), "") << fine;
  EXPECT_EQ(reason("hr@4"), "hr@4 needs ranks down to 4, and these results are lists of 3 items alone");
  EXPECT_EQ(reason("clicks"), "clicks needs ranks down to 500, and these results are lists of 3 items alone");
  EXPECT_EQ(reason("auc"), "auc needs the scores of all candidates, and these results are lists alone");
  EXPECT_THROW(compute(parse_metric("hr@4"), outcome), UsageError);
  const test::StoredOutcome longer = test::store({test::query_of({0, 1}, {1, 4, 5})}, 2, 6);
  outcome = longer.view();
  outcome.lists_only = true;
  EXPECT_EQ(reason("r_precision"), "r_precision needs ranks down to 3, and these results are lists of 2 items alone");
}

TEST(Clicks, CountsPagesOfTen) {
  const auto clicks = [](std::uint32_t place) {
    Items ranking;
    for (std::uint32_t i = 1; i < place; ++i) ranking.push_back(1000 + i);
    ranking.push_back(1);
    return compute(parse_metric("clicks"), test::store({test::query_of(ranking, {1, 2})}, 10).view()).mean;
  };
  for (const auto& [place, expected] : std::map<std::uint32_t, double>{{1, 0}, {10, 0}, {11, 1}, {500, 49}, {501, 51}})
    EXPECT_EQ(clicks(place), expected) << place;
}

TEST(ComputeMany, GivesTheSameBitsAsOneByOne) {
  const std::vector<OracleQuery> queries = test::random_queries(3, 200, 60);
  const test::StoredWorld facts(test::random_world(3, queries.size(), 60));
  const test::StoredOutcome stored = test::store(queries, 10, 60);
  const RankingOutcome outcome = facts.join(stored.view());
  std::vector<MetricSpec> metrics;
  for (const MetricCard& card : metric_cards()) {
    if (card.kind == MetricKind::kRating) continue;
    for (const char* slice : {"", ":act5", ":cold", ":explore"}) {
      const bool of_items = slice == std::string(":cold") || slice == std::string(":explore");
      if (of_items && !card.reads_truth) continue;
      metrics.push_back(parse_metric(MetricSpec{&card, card.has_cutoff ? 7u : 0u}.text() + slice));
    }
  }
  const std::vector<MetricValue> all = compute(metrics, outcome);
  ASSERT_EQ(all.size(), metrics.size());
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    const MetricValue one = compute(metrics[m], outcome);
    EXPECT_EQ(all[m].mean, one.mean) << metrics[m].text();
    EXPECT_EQ(all[m].n, one.n);
    EXPECT_THAT(all[m].per_query, testing::Pointwise(testing::NanSensitiveDoubleEq(), one.per_query));
  }
  EXPECT_TRUE(compute(std::span<const MetricSpec>(), outcome).empty());
}

}  // namespace
}  // namespace segue
