#include "framework/report/evidence.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/eval/summary.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/results_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using test::Results;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RowMetric figure(const TaskEvidence& evidence, const std::string& label, const std::string& metric) {
  const MetricSpec spec = parse_metric(metric);
  return evidence.evaluate(evidence.find(label), {&spec, 1}).front();
}

TEST(Evidence, AUserWithOneQueryHasItsValue) {
  Results r;
  r.write_users({{"all", {"c", "a", "b"}}});
  r.finish(r.plan("x"), {1, 2, 9});
  const RowMetric m = figure(r.evidence(), "x", "mrr@2");
  EXPECT_THAT(m.units(), ElementsAre(1, 0.5, 0));  // bit for bit
  EXPECT_DOUBLE_EQ(m.mean, 0.5);
  EXPECT_EQ(m.n, 3u);
  EXPECT_THAT(m.seeds, ElementsAre(1));
}

// Queries of one user are not independent: they are one unit, and its value is its share in the mean.
TEST(Evidence, SeveralQueriesOfAUserAreOneUnit) {
  Results r;
  r.write_users({{"all", {"a", "b", "a", "a"}}});
  r.finish(r.plan("x"), {1, 1, 9, 9});  // hits: a 1, b 1, a 0, a 0; mean 0.5
  const RowMetric m = figure(r.evidence(), "x", "hr@2");
  // z_a = 0.5 + 2/4 ((1 - .5) + (0 - .5) + (0 - .5)), z_b = 0.5 + 2/4 (1 - .5)
  EXPECT_THAT(m.units(), ElementsAre(DoubleNear(0.25, 1e-15), DoubleNear(0.75, 1e-15)));
  EXPECT_NEAR(mean_of(m.units()), m.mean, 1e-15);
}

TEST(Evidence, FoldsWeighAlikeAndUsersAreFoundAgainInThem) {
  Results r;
  r.write_users({{"f1", {"a", "b"}}, {"f2", {"b", "c", "d", "e"}}});
  r.finish(r.plan("x", "f1"), {1, 9});        // 0.5
  r.finish(r.plan("x", "f2"), {1, 9, 9, 9});  // 0.25
  const RowMetric m = figure(r.evidence(), "x", "hr@2");
  EXPECT_DOUBLE_EQ(m.mean, 0.375);
  ASSERT_EQ(m.units().size(), 5u);
  EXPECT_NEAR(mean_of(m.units()), 0.375, 1e-15);
  EXPECT_NEAR(m.units()[1], 0.375 + 2.5 * (-0.5 / 2 + 0.75 / 4), 1e-15);  // b
}

TEST(Evidence, TheRootOfAMeanIsLinearised) {
  Results r;
  r.manifest.tasks.clear();
  r.add_task("t2", "ratings", true);
  r.finish_ratings(r.plan("x", "all", 1, {"t2"}), {4, 4, 9}, {1, 2, 3});
  const RowMetric m = figure(r.evidence("t2"), "x", "rmse");
  const double mse = (1.0 + 4 + 9) / 3, rmse = std::sqrt(mse);
  EXPECT_DOUBLE_EQ(m.mean, rmse);
  ASSERT_EQ(m.units().size(), 2u);
  EXPECT_NEAR(m.units()[0], rmse + 2.0 / 3 * 0.5 / rmse * (1 + 4 - 2 * mse), 1e-14);
  EXPECT_NEAR(m.units()[1], rmse + 2.0 / 3 * 0.5 / rmse * (9 - mse), 1e-14);
  EXPECT_NEAR(mean_of(m.units()), rmse, 1e-14);
  // The spread of the units is the standard error that a jackknife over users gives, to first order.
  const RowMetric mae = figure(r.evidence("t2"), "x", "mae");
  EXPECT_NEAR(mean_of(mae.units()), 2, 1e-14);
}

// Both rows serve b alike. Their means differ, and so do the values that intervals are made of; b's shares do not.
TEST(Evidence, SharesTellForAUserAlone) {
  Results r;
  r.write_users({{"all", {"a", "a", "a", "b"}}});
  r.finish(r.plan("x"), {1, 1, 9, 1});
  r.finish(r.plan("y"), {9, 1, 9, 1});
  const RowMetric x = figure(r.evidence(), "x", "hr@2"), y = figure(r.evidence(), "y", "hr@2");
  EXPECT_NE(x.units()[1], y.units()[1]);
  EXPECT_THAT(x.shares(), ElementsAre(1, 0.5));  // 2 / 4 of the sums, 2 and 1
  EXPECT_THAT(y.shares(), ElementsAre(0.5, 0.5));
  EXPECT_NEAR(mean_of(x.shares()), x.mean, 1e-15);
  EXPECT_THAT(x.own(), ElementsAre(DoubleNear(2.0 / 3, 1e-15), 1));
}

TEST(Evidence, SharesAreTheValuesWhereEachUserHasOneQuery) {
  Results r;
  r.finish(r.plan("x"), {1, 2, 9});
  const RowMetric m = figure(r.evidence(), "x", "mrr@2");
  EXPECT_TRUE(m.shares_by_seed.empty());
  EXPECT_EQ(m.shares(), m.units());
  EXPECT_EQ(m.own(), m.units());
}

TEST(Evidence, TheOwnFigureOfAUserIsARootWhereTheFigureIs) {
  Results r;
  r.manifest.tasks.clear();
  r.add_task("t2", "ratings", true);
  r.finish_ratings(r.plan("x", "all", 1, {"t2"}), {4, 4, 9}, {1, 3, 2});
  const RowMetric m = figure(r.evidence("t2"), "x", "rmse");
  EXPECT_THAT(m.shares(), ElementsAre(DoubleNear(2.0 / 3 * 10, 1e-14), DoubleNear(2.0 / 3 * 4, 1e-14)));
  EXPECT_THAT(m.own(), ElementsAre(DoubleNear(std::sqrt(5.0), 1e-14), DoubleNear(2, 1e-14)));
}

// As many users as ratings: the values of rmse_user stand in the order of the users, not in that of the ratings.
TEST(Evidence, UsersWithOneRatingEachAreNotMixedUp) {
  Results r;
  r.manifest.tasks.clear();
  r.add_task("t2", "ratings", true);
  r.finish_ratings(r.plan("x", "u1", 1, {"t2"}), {7, 3}, {1, 2});
  r.finish_ratings(r.plan("x", "u2", 1, {"t2"}), {3, 7}, {2, 1});
  EXPECT_THAT(figure(r.evidence("t2"), "x", "rmse_user").own(), ElementsAre(2, 1));
  EXPECT_THAT(figure(r.evidence("t2"), "x", "mae").own(), ElementsAre(2, 1));
}

// The folds of a task differ, so half of them for one seed more would shift the mean.
TEST(Evidence, TheMeanIsOfSeedsThatAreWhole) {
  Results r;
  r.finish(r.plan("x", "f1", 1), {1, 1});
  r.finish(r.plan("x", "f2", 1), {9, 9});
  r.finish(r.plan("x", "f1", 2), {1, 1});
  r.plan("x", "f2", 2);
  const RowMetric m = figure(r.evidence(), "x", "hr@2");
  EXPECT_TRUE(m.whole);
  EXPECT_DOUBLE_EQ(m.mean, 0.5);
  EXPECT_NEAR(mean_of(m.units()), m.mean, 1e-15);
  EXPECT_DOUBLE_EQ(figure(r.evidence(), "x", "coverage@2").mean, 2.0 / 9);
}

TEST(Evidence, TheTaskFileOfAnyFolderServesAll) {
  Results a, b;
  a.finish(a.plan("x"), {1, 9});
  b.write_users({{"all", {"u", "u"}}});
  b.plan("y");
  const std::vector<ResultsFolder> folders{a.results, b.results};
  const TaskEvidence evidence = gather_evidence(folders).at(0);
  EXPECT_THAT(figure(evidence, "x", "hr@2").units(), ElementsAre(0.5)) << "two queries of one user";
}

TEST(Evidence, SeedsAreAveragedUnitByUnit) {
  Results r;
  r.finish(r.plan("x", "all", 1), {1, 9, 9});
  r.finish(r.plan("x", "all", 2), {1, 1, 9});
  r.plan("x", "all", 3);
  const RowMetric m = figure(r.evidence(), "x", "hr@2");
  EXPECT_THAT(m.seeds, ElementsAre(1, 2));
  EXPECT_THAT(m.units(), ElementsAre(1, 0.5, 0));
  EXPECT_THAT(m.by_trial, ElementsAre(1.0 / 3, 2.0 / 3));
}

TEST(Evidence, ASeedWithoutAllFoldsHasNoUnits) {
  Results r;
  r.finish(r.plan("x", "f1"), {1, 9});
  r.plan("x", "f2");
  const RowMetric m = figure(r.evidence(), "x", "hr@2");
  EXPECT_DOUBLE_EQ(m.mean, 0.5);
  EXPECT_FALSE(m.whole);
  EXPECT_THAT(m.units(), IsEmpty());
}

TEST(Evidence, FoldersWithTheSameTaskAreOneTable) {
  Results a, b, other;
  a.finish(a.plan("mine"), {1, 1});
  a.finish(a.plan("both"), {1, 9});
  b.manifest.suite = "theirs";
  b.finish(b.plan("yours"), {1, 9});
  b.manifest.trials.clear();
  b.manifest.labels.clear();
  b.finish(b.plan("yours"), {1, 9});
  b.finish(b.plan("both"), {1, 9});            // the same fit
  b.finish(b.plan("mine", "all", 2), {9, 9});  // another fit under a name that is taken
  other.manifest.tasks[0].id = "t9";
  other.plan("alien", "all", 1, {"t9"});
  const std::vector<ResultsFolder> folders{a.results, b.results, other.results};
  const std::vector<TaskEvidence> tasks = gather_evidence(folders);
  ASSERT_EQ(tasks.size(), 2u);
  std::vector<std::string> labels;
  for (const EvidenceRow& row : tasks[0].rows) labels.push_back(row.label);
  EXPECT_THAT(labels, ElementsAre("mine", "both", "yours", "mine (theirs)"));
  EXPECT_EQ(tasks[1].rows.at(0).label, "alien");
}

TEST(Evidence, AMetricOfTheOtherKindIsRefused) {
  Results r;
  r.finish(r.plan("x"), {1});
  EXPECT_EQ(message_of<UsageError>([&] { figure(r.evidence(), "x", "rmse"); }), "task 'full' ranks items; rmse is computed from predicted ratings");
  EXPECT_THAT(message_of<UsageError>([&] { r.evidence().find("y"); }), HasSubstr("no row 'y' in task 'full'"));
}

TEST(Evidence, FilesThatDoNotBelongTogetherAreRefused) {
  Results r;
  r.write_users({{"all", {"a", "b"}}});
  r.finish(r.plan("x"), {1, 1, 1});
  EXPECT_THAT(message_of<DataError>([&] { figure(r.evidence(), "x", "hr@2"); }), HasSubstr("do not belong together"));
}

}  // namespace
}  // namespace segue
