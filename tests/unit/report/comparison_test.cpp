#include "framework/report/comparison.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/results_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using test::Results;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::uint32_t> first_hits(std::size_t users, std::size_t hits) {
  std::vector<std::uint32_t> ranks(users, 9);
  std::fill_n(ranks.begin(), hits, 1u);
  return ranks;
}

Comparison compared(const Results& r, const ComparisonOptions& options = {}, const std::string& metric = "hr@2") {
  const Executor exec;
  return compare(r.evidence(), parse_metric(metric), options, exec);
}

TEST(Compare, EveryRowAgainstTheBest) {
  Results r;
  r.finish(r.plan("low"), first_hits(60, 10));
  r.finish(r.plan("high"), first_hits(60, 40));
  r.finish(r.plan("middle"), first_hits(60, 37));
  r.plan("waiting");
  const Comparison c = compared(r);
  EXPECT_EQ(c.units, 60u);
  ASSERT_EQ(c.rows.size(), 3u);
  EXPECT_EQ(c.rows[0].label, "high");
  EXPECT_THAT(c.left_out, ElementsAre("waiting: 1 of 1 trials are missing"));
  ASSERT_EQ(c.pairs.size(), 2u);
  const ComparedPair &middle = c.pairs[0], &low = c.pairs[1];
  EXPECT_EQ(c.rows[middle.a].label, "middle");
  EXPECT_EQ(c.rows[middle.b].label, "high");
  EXPECT_DOUBLE_EQ(middle.difference, -3.0 / 60);
  EXPECT_DOUBLE_EQ(middle.p, 0.25);  // three users, all one way: 2 of 8 sign patterns
  EXPECT_DOUBLE_EQ(middle.p_adjusted, 0.25);
  EXPECT_FALSE(middle.distinguishable);
  EXPECT_EQ(middle.lower, 3u);
  EXPECT_EQ(middle.equal, 57u);
  EXPECT_EQ(middle.higher, 0u);
  EXPECT_LT(low.p_adjusted, 0.001);
  EXPECT_DOUBLE_EQ(low.p_adjusted, 2 * low.p) << "Holm over two comparisons";
  EXPECT_TRUE(low.distinguishable);
  EXPECT_LT(low.interval.high, 0);
  EXPECT_GT(low.detectable, 0.05);
  EXPECT_LT(low.detectable, 0.5);
}

TEST(Compare, ABaselineAllPairsAndOtherTests) {
  Results r;
  for (const auto& [label, n] : {std::pair{"a", 10}, {"b", 40}, {"c", 30}}) r.finish(r.plan(label), first_hits(60, static_cast<std::size_t>(n)));
  ComparisonOptions options;
  options.baseline = "c";
  Comparison c = compared(r, options);
  ASSERT_EQ(c.pairs.size(), 2u);
  EXPECT_EQ(c.rows[c.pairs[0].b].label, "c");
  EXPECT_GT(c.pairs[0].difference, 0);
  EXPECT_LT(c.pairs[1].difference, 0);
  options.labels = {"a"};
  EXPECT_EQ(compared(r, options).rows.size(), 2u) << "the baseline is always there";
  options = {};
  options.all_pairs = true;
  EXPECT_EQ(compared(r, options).pairs.size(), 3u);
  options.test = PairedTest::kStudentT;
  options.adjustment = stats::Adjustment::kNone;
  c = compared(r, options);
  EXPECT_DOUBLE_EQ(c.pairs[0].p, c.pairs[0].p_adjusted);
  options = {};
  options.baseline = "d";
  EXPECT_THAT(message_of<UsageError>([&] { compared(r, options); }), HasSubstr("no row 'd'"));
}

// 30 users with one query, ten with eleven; a alone serves the first one better. The other users are no evidence, however
// many they are, although the means differ.
TEST(Compare, UsersWhoAreServedAlikeAreTies) {
  Results r;
  std::vector<std::string> users;
  for (int u = 0; u < 40; ++u) users.insert(users.end(), u < 30 ? 1 : 11, std::to_string(u));
  r.write_users({{"all", users}});
  r.finish(r.plan("a"), first_hits(users.size(), 1));
  r.finish(r.plan("b"), first_hits(users.size(), 0));
  for (const PairedTest test : {PairedTest::kRandomisation, PairedTest::kWilcoxon}) {
    ComparisonOptions options;
    options.test = test;
    const ComparedPair pair = compared(r, options).pairs.at(0);
    EXPECT_EQ(pair.lower, 1u);  // b against a
    EXPECT_EQ(pair.equal, 39u);
    EXPECT_NEAR(pair.effect.superiority, 0.5 * 39 / 40, 1e-15);
    EXPECT_NEAR(pair.difference, -1.0 / static_cast<double>(users.size()), 1e-15);
    EXPECT_GT(pair.p, 0.3);
  }
}

// 40 rows make 780 pairs: with the smallest p of 10,000 draws Holm's correction would call all of them alike.
TEST(Compare, ManyPairsNeedATailThatIsFinerThanTheDraws) {
  Results r;
  for (std::size_t i = 0; i < 40; ++i) r.finish(r.plan(fmt::format("row{}", i)), first_hits(60, i < 20 ? 5 : 45));
  ComparisonOptions options;
  options.all_pairs = true;
  options.resamples = 10000;
  std::size_t different = 0;
  for (const ComparedPair& pair : compared(r, options).pairs) {
    EXPECT_LE(pair.p, pair.p_adjusted);
    different += pair.distinguishable;
  }
  EXPECT_EQ(different, 400u);
}

TEST(Compare, ADescriptiveMetricHasNoBetter) {
  Comparison c;
  c.metric = "repeat_share@10";
  c.descriptive = true;
  c.rows.resize(2);
  c.pairs.push_back({.a = 0, .b = 1, .difference = 0.5, .interval = {}, .effect = {}, .distinguishable = true});
  EXPECT_EQ(comparison_pairs(c, {}).rows.at(0).back().text(), "higher");
  c.descriptive = false;
  EXPECT_EQ(comparison_pairs(c, {}).rows.at(0).back().text(), "better");
}

TEST(Compare, SameSeedSameNumbers) {
  Results r;
  std::vector<std::uint32_t> ranks;
  for (std::uint32_t u = 0; u < 60; ++u) ranks.push_back(1 + u % 9);
  r.finish(r.plan("a"), ranks);
  r.finish(r.plan("b"), first_hits(60, 10));
  const Comparison c = compared(r), again = compared(r);
  EXPECT_EQ(c.rows[0].interval.low, again.rows[0].interval.low);
  EXPECT_EQ(c.pairs[0].p, again.pairs[0].p);
  // Few resamples, so that chance shows.
  ComparisonOptions one, other;
  one.resamples = other.resamples = 150;
  other.seed = 2;
  EXPECT_NE(compared(r, one, "mrr@9").rows[0].interval.low, compared(r, other, "mrr@9").rows[0].interval.low);
}

TEST(Compare, SeedsAndUsersAreToldApart) {
  Results r;
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    r.finish(r.plan("x", "all", seed), first_hits(60, 20 + 5 * seed));
    r.finish(r.plan("y", "all", seed), first_hits(60, 20));
  }
  const Comparison c = compared(r);
  ASSERT_TRUE(c.rows[0].variance.has_value());
  EXPECT_EQ(c.rows[0].seeds, 3u);
  EXPECT_GT(c.rows[0].variance->error_of_seeds, 0);
  EXPECT_EQ(c.rows[1].variance->error_of_seeds, 0);
  EXPECT_EQ(comparison_rows(c).columns.size(), 8u);
}

TEST(Compare, WhatCannotBePairedIsRefused) {
  Results r;
  r.finish(r.plan("a"), {1, 9});
  EXPECT_EQ(message_of<UsageError>([&] { compared(r); }), "task 'full' has only one complete row to compare");
  r.finish(r.plan("b"), {1, 9});
  EXPECT_THAT(message_of<UsageError>([&] { compared(r, {}, "coverage@2"); }), HasSubstr("one value for all lists together"));
  EXPECT_EQ(message_of<UsageError>([&] { compared(r, {}, "ild_tags@2"); }), "ild_tags@2 needs tags (facet item_tags), which this data set does not hold");
  r.write_users({{"all", {"u", "v"}}});
  EXPECT_EQ(message_of<UsageError>([&] { compared(r, {}, "hr@2:unreachable"); }), "hr@2:unreachable has no value for any user, so there is nothing to compare");
}

TEST(Compare, NotesSayHowItWasDone) {
  Results r;
  r.finish(r.plan("a"), first_hits(60, 20));
  r.finish(r.plan("b"), first_hits(60, 35));
  ComparisonOptions options;
  const Comparison c = compared(r, options);
  const auto notes = comparison_notes(c, options);
  EXPECT_THAT(notes, Contains(HasSubstr("against 'b', paired over 60 users")));
  EXPECT_THAT(notes, Contains(HasSubstr("paired randomisation test, 10000 draws")));
  EXPECT_THAT(notes, testing::Not(Contains(HasSubstr("flatters")))) << "of two rows neither is chosen";
  r.finish(r.plan("c"), first_hits(60, 30));
  EXPECT_THAT(comparison_notes(compared(r, options), options), Contains(HasSubstr("'b' is the baseline because it came out best")));
  options.baseline = "c";
  EXPECT_THAT(comparison_notes(compared(r, options), options), testing::Not(Contains(HasSubstr("flatters"))));
  const std::string text = render(comparison_pairs(c, options), TableFormat::kMarkdown, {});
  EXPECT_THAT(text, HasSubstr("worse"));
  EXPECT_THAT(notes, Contains(HasSubstr("BCa bootstrap, 10000 resamples, seed 1")));
  EXPECT_THAT(notes, Contains(HasSubstr("Holm over the 1 comparison;")));
  options.interval = stats::IntervalMethod::kStudentT;
  options.adjustment = stats::Adjustment::kNone;
  EXPECT_THAT(comparison_notes(c, options), Contains(HasSubstr("interval (Student's t)")));
  EXPECT_THAT(comparison_notes(c, options), Contains(HasSubstr("p adj: not adjusted;")));
}

TEST(Compare, ForProgramsEveryRowSaysWhatItIsOf) {
  Results r;
  r.finish(r.plan("a"), first_hits(60, 20));
  r.finish(r.plan("b"), first_hits(60, 35));
  const Comparison c = compared(r);
  EXPECT_THAT(render(comparison_rows(c, TableFormat::kCsv), TableFormat::kCsv, {}),
              testing::StartsWith("metric,row,mean,low,high,seeds,error of users,error of seeds,seed sd\nhr@2,b,0.5833333333333334,"));
  EXPECT_THAT(render(comparison_pairs(c, {}, TableFormat::kCsv), TableFormat::kCsv, {}),
              testing::StartsWith("metric,row,against,difference,low,high,p,p adj,dz,higher,lower,equal,detectable,verdict\nhr@2,a,b,-0.25,"));
}

TEST(Compare, WhatHasNoBetterEndIsHigherOrLower) {
  Results r;
  r.finish(r.plan("a"), first_hits(60, 20));
  r.finish(r.plan("b"), first_hits(60, 50));
  Comparison c = compared(r);
  c.descriptive = true;
  EXPECT_THAT(render(comparison_pairs(c, {}), TableFormat::kMarkdown, {}), HasSubstr("| lower |\n"));
  c.task.sampled = true;
  EXPECT_THAT(render(comparison_rows(c), TableFormat::kMarkdown, {}), testing::StartsWith("| row | hr@2 ~ |"));
  EXPECT_THAT(comparison_notes(c, {}), Contains(testing::StartsWith("~ ranked among sampled candidates only")));
}

TEST(CompareAcross, RanksRowsOverTasks) {
  Results r;
  std::vector<std::string> tasks{"t1"};
  const Executor exec;
  std::vector<Results> all(4);
  std::vector<TaskEvidence> evidence;
  for (Results& one : all) {
    one.finish(one.plan("a"), first_hits(20, 15));
    one.finish(one.plan("b"), first_hits(20, 10));
    one.finish(one.plan("c"), first_hits(20, 5));
    evidence.push_back(one.evidence());
  }
  all[3].plan("d");
  Results ratings;  // another kind of task, whose rows are others, comes first
  ratings.manifest.tasks.clear();
  ratings.add_task("t2", "ratings", true);
  ratings.finish_ratings(ratings.plan("bias", "all", 1, {"t2"}), {1, 2}, {1, 2});
  std::vector<TaskEvidence> mixed{ratings.evidence("t2")};
  mixed.insert(mixed.end(), evidence.begin(), evidence.end());
  EXPECT_THAT(compare_across(mixed, "hr@2", 0.05, exec).labels, ElementsAre("a", "b", "c"));
  const AcrossTasks across = compare_across(evidence, "hr@2", 0.05, exec);
  EXPECT_THAT(across.labels, ElementsAre("a", "b", "c"));
  EXPECT_THAT(across.friedman.mean_ranks, ElementsAre(1, 2, 3));
  EXPECT_NEAR(across.friedman.chi_square, 8, 1e-12);  // 12 N / (k (k + 1)) (1 + 4 + 9 - 3 16 / 4) with N = 4, k = 3
  EXPECT_NEAR(across.critical_difference, 2.343 * std::sqrt(3.0 * 4 / 24), 2e-3);  // Demsar 2006, table 5
  ASSERT_EQ(across.cliques.size(), 2u);
  EXPECT_EQ(across_table(across).rows[0][0].text(), "a");
  EXPECT_THAT(message_of<UsageError>([&] { compare_across({evidence[0]}, "hr@2", 0.05, exec); }), HasSubstr("two or more tasks"));
}

TEST(TaskDifferences, NameTheSettings) {
  ManifestTask a, b;
  a.id = "1";
  b.id = "2";
  a.dataset = b.dataset = "demo";
  a.dataset_fingerprint = b.dataset_fingerprint = "0123456789";
  a.description = R"({"task":{"split":{"seed":42,"strategy":"leave_last_out"}},"view":{"candidates":"full"}})";
  b.description = R"({"task":{"split":{"seed":7,"strategy":"leave_last_out"}},"view":{"candidates":"sampled","sampled":99}})";
  EXPECT_THAT(task_differences(a, b), ElementsAre("candidates: full and sampled", "sampled: not set and 99", "split.seed: 42 and 7"));
  EXPECT_THAT(task_differences(a, a), ElementsAre());
  // What is default is not written down; the default is.
  a.description = R"({"task":{"split":{}},"view":{"candidates":"full"}})";
  b.description = R"({"task":{"split":{"seed":7,"test":0.5}},"view":{"candidates":"full"}})";
  EXPECT_THAT(task_differences(a, b), ElementsAre("split.seed: not set and 7", "split.test: not set and 0.5"));
  EXPECT_THAT(task_differences(a, b, Value::from_json(R"({"task":{"split":{"seed":42,"test":-1.0,"per":"global"}}})")),
              ElementsAre("split.seed: 42 and 7", "split.test: not set and 0.5"));
}

}  // namespace
}  // namespace segue
