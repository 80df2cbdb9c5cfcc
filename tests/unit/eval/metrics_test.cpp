#include "framework/eval/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/unit/eval/oracle.hpp"

namespace segue {
namespace {

using test::Items;
using test::OracleQuery;
using testing::HasSubstr;

double mean(const std::string& metric, const test::StoredOutcome& stored) {
  return compute(parse_metric(metric), stored.view()).mean;
}

std::string with_cutoff(const MetricCard& card, std::size_t k) { return MetricSpec{&card, k}.text(); }

template <class Error, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

// protocols.md, section 2; a, b, c = 0, 1, 2, truth of the others from 100 on, everything else irrelevant.
std::vector<OracleQuery> fixture_queries() {
  std::vector<OracleQuery> queries = {
      test::query_of({0, 50, 1, 51, 52}, {0, 1, 2}),
      test::query_of({60, 61, 100, 62, 63}, {100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111}),
      test::query_of({70, 71, 72, 73, 74}, {200}),
      test::query_of({80, 300}, {300, 301}),
      test::query_of({}, {400}),
  };
  return queries;
}

TEST(Fixture, GivesTheFiguresOfTrecEval) {
  const test::StoredOutcome stored = test::store(fixture_queries(), 5);
  const std::map<std::string, double> expected = {
      {"recall@5", 0.2500}, {"recall_min@5", 0.2733}, {"precision@5", 0.1600},
      {"ndcg@5", 0.2521},   {"ndcg_exp@5", 0.2521},   {"ndcg_full_ideal@5", 0.2378},
      {"map@5", 0.1667},    {"map_min@5", 0.1744},    {"mrr@5", 0.3667},
      {"hr@5", 0.6000},
  };
  for (const auto& [metric, value] : expected) {
    const MetricValue computed = compute(parse_metric(metric), stored.view());
    EXPECT_NEAR(computed.mean, value, 0.5e-4) << metric;
    EXPECT_EQ(computed.n, 5u) << metric;
    EXPECT_EQ(computed.per_query.size(), 5u) << metric;
    EXPECT_EQ(computed.per_query[4], 0) << metric;  // truth, but no list
  }
}

// The figures of published code that the fixture must tell from the right ones, made here by the mistakes themselves.
TEST(Fixture, TellsKnownMistakesFromTheDefinitions) {
  double own_ideal = 0, pooled_hits = 0, pooled_ideal = 0, every_hit = 0;
  for (const OracleQuery& q : fixture_queries()) {
    double dcg = 0, ideal = 0, hits = 0;
    for (std::size_t i = 0; i < q.ranking.size(); ++i) {
      if (!q.relevant(q.ranking[i])) continue;
      dcg += 1 / std::log2(static_cast<double>(i) + 2);
      ideal += 1 / std::log2(hits + 2);
      hits += 1;
      every_hit += 1 / static_cast<double>(i + 1) / 5;
    }
    own_ideal += hits > 0 ? dcg / ideal / 5 : 0;
    pooled_hits += hits;
    pooled_ideal += static_cast<double>(std::min<std::size_t>(5, q.truth.size()));
  }
  EXPECT_NEAR(own_ideal, 0.4101, 0.5e-4);
  EXPECT_NEAR(pooled_hits / pooled_ideal, 0.3333, 0.5e-4);
  EXPECT_NEAR(every_hit, 0.4333, 0.5e-4);
  const test::StoredOutcome stored = test::store(fixture_queries(), 5);
  EXPECT_GT(std::abs(mean("ndcg@5", stored) - own_ideal), 0.1);
  EXPECT_GT(std::abs(mean("precision@5", stored) - pooled_hits / pooled_ideal), 0.1);
  EXPECT_GT(std::abs(mean("mrr@5", stored) - every_hit), 0.05);
}

TEST(Metrics, AgreeWithTheirOraclesOnRandomLists) {
  std::size_t unranked = 0, beyond = 0, short_lists = 0, without_truth = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const std::uint32_t n_items = 6 + static_cast<std::uint32_t>(seed);
    const std::vector<OracleQuery> queries = test::random_queries(seed, 25, n_items);
    const test::StoredOutcome stored = test::store(queries, 10, n_items);
    unranked += static_cast<std::size_t>(std::count(stored.rank.begin(), stored.rank.end(), 0u));
    beyond +=
        static_cast<std::size_t>(std::count_if(stored.rank.begin(), stored.rank.end(), [](auto r) { return r > 10; }));
    short_lists += static_cast<std::size_t>(std::count(stored.items.begin(), stored.items.end(), kPadding));
    for (const std::size_t k : {1u, 3u, 10u, 25u}) {  // 25: beyond the stored lists
      for (const MetricCard& card : metric_cards()) {
        if (card.kind != MetricKind::kPerQuery) continue;
        const MetricValue value = compute({&card, card.has_cutoff ? k : 0}, stored.view());
        ASSERT_EQ(value.per_query.size(), queries.size());
        double sum = 0;
        std::size_t n = 0;
        for (std::size_t q = 0; q < queries.size(); ++q) {
          const double expected = test::oracle(card.name, queries[q], k);
          if (queries[q].truth.empty()) {
            EXPECT_TRUE(std::isnan(value.per_query[q]));
            ++without_truth;
            continue;
          }
          EXPECT_NEAR(value.per_query[q], expected, 1e-12)
              << with_cutoff(card, k) << " seed " << seed << " query " << q;
          EXPECT_GE(value.per_query[q], card.low);
          EXPECT_LE(value.per_query[q], card.high);
          sum += expected;
          ++n;
        }
        EXPECT_EQ(value.n, n);
        EXPECT_NEAR(value.mean, sum / static_cast<double>(n), 1e-12);
      }
    }
  }
  // The lists really held what makes metrics disagree.
  EXPECT_GT(unranked, 100u);
  EXPECT_GT(beyond, 100u);
  EXPECT_GT(short_lists, 100u);
  EXPECT_GT(without_truth, 10u);
}

TEST(Metrics, APerfectListGivesOne) {
  const auto perfect = [](std::uint32_t truth) {
    Items ranking, wanted;
    for (std::uint32_t i = 0; i < 40; ++i) ranking.push_back(i);
    for (std::uint32_t i = 0; i < truth; ++i) wanted.push_back(truth - 1 - i);
    OracleQuery q = test::query_of(ranking, wanted);
    for (std::uint32_t i = 0; i < truth; ++i)
      q.gains[i] = 0.3f + 0.7f * static_cast<float>(i);  // best first in the list
    return test::store({q}, 10, 10);
  };
  const std::map<std::uint32_t, std::set<std::string>> below_one = {
      {4, {"precision"}}, {10, {}}, {17, {"recall", "map", "ndcg_full_ideal"}}};
  for (const auto& [truth, exceptions] : below_one) {
    for (const MetricCard& card : metric_cards()) {
      if (card.kind != MetricKind::kPerQuery) continue;
      const double value = compute({&card, card.has_cutoff ? 10u : 0u}, perfect(truth).view()).mean;
      if (card.name == "clicks") {
        EXPECT_EQ(value, 0);
        continue;
      }
      if (exceptions.contains(card.name)) {
        EXPECT_LT(value, 1) << card.name;
      } else {
        EXPECT_EQ(value, 1) << card.name << " with " << truth;
      }
    }
  }
}

TEST(Metrics, NothingBelowTheCutOffMatters) {
  const std::vector<OracleQuery> queries = test::random_queries(11, 60, 40);
  std::vector<OracleQuery> permuted, longer;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    OracleQuery q = queries[i];
    Rng rng = Rng(5).stream("tail", i);
    if (q.ranking.size() > 5) rng.shuffle(std::span(q.ranking).subspan(5));
    permuted.push_back(q);
    q = queries[i];
    for (std::uint32_t item = 100; item < 120;
         ++item) {  // irrelevant, behind everything, inside the cut-off of a short list
      q.ranking.push_back(item);
      q.score[item] = -1;
    }
    longer.push_back(q);
  }
  std::size_t moved = 0;
  for (std::size_t q = 0; q < queries.size(); ++q) moved += queries[q].ranking != permuted[q].ranking;
  EXPECT_GT(moved, 30u);
  for (const MetricCard& card : metric_cards()) {
    if (card.kind != MetricKind::kPerQuery || !card.has_cutoff) continue;
    const MetricSpec spec{&card, 5};
    const MetricValue before = compute(spec, test::store(queries, 5).view());
    EXPECT_THAT(compute(spec, test::store(permuted, 5).view()).per_query,
                testing::Pointwise(testing::NanSensitiveDoubleEq(), before.per_query))
        << card.name;
    EXPECT_THAT(compute(spec, test::store(longer, 5).view()).per_query,
                testing::Pointwise(testing::NanSensitiveDoubleEq(), before.per_query))
        << card.name;
  }
}

TEST(Metrics, NdcgFallsWhenAHitMovesDown) {
  for (const char* metric : {"ndcg@10", "ndcg_exp@10", "ndcg_full_ideal@10", "map@10", "map_min@10"}) {
    double before = 2;
    for (std::uint32_t place = 0; place < 12; ++place) {
      Items ranking;
      for (std::uint32_t i = 0; i < 12; ++i) ranking.push_back(i == place ? 99 : i);
      const double value = mean(metric, test::store({test::query_of(ranking, {99, 98})}, 10));
      if (place <= 10) {
        EXPECT_LT(value, before) << metric << " at place " << place;
      }
      if (place >= 10) {
        EXPECT_EQ(value, 0) << metric;
      }
      before = value;
    }
  }
}

TEST(Metrics, GainsMatterOnlyWhereTheCardSaysSo) {
  OracleQuery q = test::query_of({7, 1, 8, 2}, {1, 2});
  q.gains = {1, 3};
  const test::StoredOutcome graded = test::store({q}, 4);
  test::StoredOutcome binary = graded;
  binary.gains.clear();
  // By hand: DCG 1/log2(3) + 3/log2(5), ideal 3 + 1/log2(3).
  EXPECT_NEAR(mean("ndcg@4", graded), (0.63092975 + 3 * 0.43067656) / (3 + 0.63092975), 1e-8);
  EXPECT_NEAR(mean("ndcg_exp@4", graded), (0.63092975 + 7 * 0.43067656) / (7 + 0.63092975), 1e-8);
  EXPECT_NEAR(mean("ndcg@4", binary), (0.63092975 + 0.43067656) / (1 + 0.63092975), 1e-8);
  for (const char* metric : {"map@4", "recall@4", "mrr@4", "auc"})
    EXPECT_EQ(mean(metric, graded), mean(metric, binary));
}

TEST(Metrics, GainsThatMakeNoSenseAreRefused) {
  test::StoredOutcome stored = test::store({test::query_of({1}, {1})}, 1);
  for (float gain : {0.f, -1.f, std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    stored.gains = {gain};
    EXPECT_THAT(message_of<UsageError>([&] { mean("ndcg@1", stored); }), HasSubstr("gains must be positive"));
  }
  stored.gains = {4000};
  EXPECT_EQ(mean("ndcg@1", stored), 1);
  EXPECT_THAT(message_of<UsageError>([&] { mean("ndcg_exp@1", stored); }), HasSubstr("2^gain of a gain of 4000"));
  stored.gains = {1e-30f};
  EXPECT_EQ(mean("ndcg_exp@1", stored), 1);
}

TEST(Auc, CountsTiesOneHalfAndUnrankedTruthAsLost) {
  const auto auc = [](const OracleQuery& q) { return mean("auc", test::store({q}, 2)); };
  OracleQuery tied = test::query_of({1, 2, 3, 4, 5}, {1, 4});
  for (auto& [item, score] : tied.score) score = 0.5f;
  EXPECT_EQ(auc(tied), 0.5);  // a constant scorer knows nothing
  EXPECT_EQ(auc(test::query_of({1, 2, 3, 4}, {2})), 2.0 / 3);
  EXPECT_EQ(auc(test::query_of({1, 2, 3, 4}, {1, 9})), 0.5);     // 9 is no candidate
  EXPECT_EQ(auc(test::query_of({3, 1}, {1}, {5, 6})), 2.0 / 3);  // items without a score stand behind 1
  EXPECT_EQ(auc(test::query_of({}, {1})), 0);
  EXPECT_EQ(auc(test::query_of({3}, {1}, {1, 5, 6})), 1.0 / 3);   // without a score 1 is tied with 5 and 6, behind 3
  EXPECT_EQ(auc(test::query_of({3, 2}, {1, 2}, {1, 5})), 0.375);  // 2 loses to 3 alone, 1 has half of 5
  EXPECT_EQ(auc(test::query_of({}, {1}, {1, 5, 6})), 0.5);        // nothing has a score: a constant scorer
  EXPECT_EQ(auc(test::query_of({}, {1}, {1})), 1);
  EXPECT_EQ(auc(test::query_of({2, 1}, {1, 2})), 1);  // nothing else to be placed behind
}

TEST(Coverage, IsOfTheUnionAndOnlyAsDeepAsTheLists) {
  std::vector<OracleQuery> queries = {test::query_of({1, 2, 3}, {1}), test::query_of({3}, {9}),
                                      test::query_of({7, 8}, {})};
  const test::StoredOutcome stored = test::store(queries, 3, 8);
  EXPECT_EQ(mean("coverage@3", stored), 3.0 / 8);  // the query without truth is not evaluated
  EXPECT_EQ(mean("coverage@1", stored), 2.0 / 8);
  EXPECT_EQ(compute(parse_metric("coverage@1"), stored.view()).n, 2u);
  EXPECT_THAT(message_of<UsageError>([&] { mean("coverage@4", stored); }),
              testing::AllOf(HasSubstr("coverage@4 needs lists of 4 items"), HasSubstr("stored ones have 3")));
  EXPECT_EQ(mean("recall@4", stored), 0.5);  // from ranks: any cut-off
  EXPECT_THROW(mean("coverage@3", test::store(queries, 3, 2)), LogicError);
}

TEST(Metrics, WithoutAnyTruthThereIsNoFigure) {
  const test::StoredOutcome stored = test::store({test::query_of({1}, {})}, 1);
  for (const char* metric : {"ndcg@1", "auc", "coverage@1"}) {
    const MetricValue value = compute(parse_metric(metric), stored.view());
    EXPECT_TRUE(std::isnan(value.mean)) << metric;
    EXPECT_EQ(value.n, 0u) << metric;
  }
}

TEST(Metrics, ArraysThatContradictEachOtherAreRefused) {
  const test::StoredOutcome good = test::store({test::query_of({1, 2}, {1, 2})}, 2);
  test::StoredOutcome bad = good;
  bad.rank = {1, 1};
  EXPECT_THAT(message_of<LogicError>([&] { mean("hr@2", bad); }), HasSubstr("two truth items of query 0 have rank 1"));
  bad = good;
  bad.rank.pop_back();
  EXPECT_THROW(mean("hr@2", bad), LogicError);
  bad = good;
  bad.gains.push_back(1);
  EXPECT_THROW(mean("hr@2", bad), LogicError);
  bad = good;
  bad.offsets = {0, 3, 2};
  EXPECT_THROW(mean("hr@2", bad), LogicError);
  bad = good;
  bad.items.pop_back();
  EXPECT_THROW(mean("coverage@2", bad), LogicError);
  bad = good;
  bad.above = {5, 5};
  EXPECT_THROW(mean("auc", bad), LogicError);
  bad = good;
  bad.candidates = {1};
  EXPECT_THROW(mean("auc", bad), LogicError);
  bad = good;
  bad.tied.clear();
  EXPECT_THAT(message_of<UsageError>([&] { mean("auc", bad); }), HasSubstr("auc needs the tie counts"));
  EXPECT_EQ(mean("hr@2", bad), 1);
}

TEST(Rating, FiguresByHand) {
  const std::vector<float> predicted = {4, 6, 1, 2.5f}, actual = {5, 4, 1, 2};
  const std::vector<std::uint32_t> users = {9, 2, 9, 9};
  RatingOutcome outcome{.predicted = predicted, .actual = actual, .users = users};
  const auto value = [&](const char* metric) { return compute(parse_metric(metric), outcome); };
  EXPECT_NEAR(value("rmse").mean, std::sqrt((1 + 4 + 0 + 0.25) / 4), 1e-15);
  EXPECT_NEAR(value("mae").mean, (1 + 2 + 0 + 0.5) / 4, 1e-15);
  EXPECT_EQ(value("rmse").per_query, (std::vector<double>{1, 4, 0, 0.25}));
  EXPECT_EQ(value("mae").per_query, (std::vector<double>{1, 2, 0, 0.5}));
  EXPECT_EQ(value("rmse_user").per_query, (std::vector<double>{2, std::sqrt(1.25 / 3)}));  // user 2, then user 9
  EXPECT_NEAR(value("rmse_user").mean, (2 + std::sqrt(1.25 / 3)) / 2, 1e-15);
  EXPECT_EQ(value("rmse_user").n, 2u);
  outcome.clip_high = 5;
  EXPECT_NEAR(value("mae").mean, (1 + 1 + 0 + 0.5) / 4, 1e-15);
  outcome.clip_low = 3;
  EXPECT_NEAR(value("mae").mean, (1 + 1 + 2 + 1) / 4.0, 1e-15);
  EXPECT_TRUE(std::isnan(compute(parse_metric("rmse"), RatingOutcome{}).mean));
}

TEST(Rating, WhatCannotBeJudgedIsRefused) {
  const std::vector<float> nan = {std::numeric_limits<float>::quiet_NaN()}, one = {1};
  RatingOutcome outcome{.predicted = nan, .actual = one};
  EXPECT_THAT(message_of<UsageError>([&] { compute(parse_metric("rmse"), outcome); }), HasSubstr("a rating of nan"));
  outcome.predicted = one;
  EXPECT_EQ(compute(parse_metric("rmse"), outcome).mean, 0);
  EXPECT_THROW(compute(parse_metric("rmse_user"), outcome), LogicError);  // no users
  outcome.actual = {};
  EXPECT_THROW(compute(parse_metric("mae"), outcome), LogicError);
  EXPECT_THROW(compute(parse_metric("ndcg@10"), outcome), LogicError);
  EXPECT_THROW(mean("rmse", test::store({}, 1)), LogicError);
}

TEST(ParseMetric, ReadsAndWritesItsCanonicalForm) {
  for (const char* text : {"ndcg@10", "auc", "rmse", "coverage@100", "r_precision"})
    EXPECT_EQ(parse_metric(text).text(), text);
  EXPECT_EQ(parse_metric("recall_min@20").k, 20u);
  EXPECT_EQ(parse_metric("recall_min@20").card->name, "recall_min");
  EXPECT_EQ(parse_metric("auc").k, 0u);
}

TEST(ParseMetric, SaysWhatIsWrong) {
  const auto error = [](const std::string& text) { return message_of<UsageError>([&] { parse_metric(text); }); };
  EXPECT_THAT(error("ndgc@10"), HasSubstr("unknown metric 'ndgc'; did you mean 'ndcg'? known: hr, ndcg,"));
  EXPECT_THAT(error("NDCG@10"), HasSubstr("unknown metric 'NDCG'; did you mean 'ndcg'?"));
  EXPECT_THAT(error(""), HasSubstr("unknown metric ''"));
  EXPECT_EQ(error("ndcg"), "ndcg needs a cut-off: write ndcg@10");
  EXPECT_EQ(error("auc@10"), "metric 'auc@10': auc takes no cut-off: write auc");
  EXPECT_EQ(error("rmse@"), "metric 'rmse@': rmse takes no cut-off: write rmse");
  EXPECT_EQ(error("hr@0"), "metric 'hr@0': the cut-off must be at least 1");
  for (const char* cut : {"ten", "", "-1", "1.5", "10 ", "99999999999999999999999", "5000000000", "1@2"})
    EXPECT_THAT(error(std::string("map@") + cut),
                HasSubstr(fmt::format("the cut-off '{}' is not a whole number", cut)));
}

TEST(MetricCards, AreComplete) {
  std::set<std::string> names;
  for (const MetricCard& card : metric_cards()) {
    EXPECT_TRUE(names.insert(card.name).second) << card.name << " twice";
    for (const std::string* text : {&card.title, &card.formula, &card.citation, &card.averaged, &card.variants})
      EXPECT_FALSE(text->empty()) << card.name;
    EXPECT_EQ(card.function.index(), static_cast<std::size_t>(card.kind)) << card.name;
    EXPECT_TRUE(std::visit([](auto* function) { return function != nullptr; }, card.function)) << card.name;
    EXPECT_LT(card.low, card.high);
    EXPECT_EQ(&find_metric(card.name), &card);
  }
  EXPECT_EQ(names.size(), 29u);
}

}  // namespace
}  // namespace segue
