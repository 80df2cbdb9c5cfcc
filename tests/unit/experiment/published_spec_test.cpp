#include "framework/experiment/published_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/experiment/plan.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/experiment/toys.hpp"

namespace segue {
namespace {

using test::Suite;
using testing::ElementsAre;

// Two rankings and ratings, a grid, and a row that does not rank; the figures stand in line 8 from column 5 on.
std::string text(const std::string& published) {
  return "version: 1\nname: test\ndataset: toy\nfeedback: {transform: rating}\n"
         "algorithms: [popular, {toy_mf: {factors: [8, 16]}, label: mf}, rater]\n"
         "evaluate: [{metrics: [ndcg@10, hr@5]}, {candidates: {sampled: 5}, metrics: [hr@5]}, {metrics: [rmse]}]\n"
         "published:\n  - " +
         published + "\n";
}
std::vector<PublishedSpec> figures(const std::string& published) { return test::spec_of(text(published)).published; }
std::string error(const std::string& published) {
  return test::message_of<UsageError>([&] { figures(published); });
}
const std::string kRest = "value: 0.5, tolerance: 0.1, source: s}";

TEST(Published, IsReadWithItsBoundOnTheWorseSide) {
  const auto p = figures(
      "{label: popular, task: full, metric: ndcg@010, value: 0.25, tolerance: 0.0625, source: &s \"A, table 1\"}\n"
      "  - {label: popular, task: sampled5, metric: hr@5, value: 0.5, min: 0.375, source: *s, note: one seed}\n"
      "  - {label: rater, task: ratings, metric: rmse, value: 1, tolerance: 0.125, source: B}\n"
      "  - {label: rater, task: ratings, metric: rmse, value: 1, max: 1.5, source: B}");
  ASSERT_EQ(p.size(), 4u);
  EXPECT_EQ(p[0].task + " " + p[0].metric, "full ndcg@10");
  EXPECT_EQ(p[0].bound(), 0.1875);
  EXPECT_EQ(p[1].bound(), 0.375);
  EXPECT_EQ(p[1].source, "A, table 1");
  EXPECT_EQ(p[1].note, "one seed");
  EXPECT_EQ(p[2].bound(), 1.125);
  EXPECT_EQ(p[3].bound(), 1.5);
}

TEST(Published, TheEntryOfAGridMeansEachOfItsRows) {
  std::vector<std::string> labels;
  for (const PublishedSpec& p : figures("{label: mf, task: full, metric: hr@5, " + kRest)) labels.push_back(p.label);
  EXPECT_THAT(labels, ElementsAre("mf factors=8", "mf factors=16"));
  EXPECT_EQ(figures("{label: mf factors=8, task: full, metric: hr@5, " + kRest).size(), 1u);
}

TEST(Published, WhereThereIsOneTaskItNeedNotBeNamed) {
  const Spec s = Suite{.more = "published: [{label: popular, metric: ndcg@10, " + kRest + "]"}.spec();
  ASSERT_EQ(s.published.size(), 1u);
  EXPECT_EQ(s.published[0].task, "full");
}

TEST(Published, MistakesNamePlaceAndRemedy) {
  EXPECT_EQ(
      error("{label: poplar, task: full, metric: hr@5, " + kRest),
      "s.yaml:8:13: 'published' has a figure of 'poplar', and no entry of 'algorithms' is labelled so; did you mean "
      "'popular'? known: popular, mf, rater");
  EXPECT_EQ(error("{label: popular, task: ful, metric: hr@5, " + kRest),
            "s.yaml:8:28: unknown task 'ful' in 'published'; did you mean 'full'? known: full, sampled5, ratings");
  EXPECT_EQ(error("{label: popular, metric: hr@5, " + kRest),
            "s.yaml:8:5: say of which task the figure is, such as task: full; known: full, sampled5, ratings");
  EXPECT_THAT(error("{label: popular, task: full, metric: hrr@5, " + kRest),
              testing::StartsWith("s.yaml:8:42: unknown metric 'hrr'; did you mean 'hr'?"));
  EXPECT_EQ(error("{label: popular, task: sampled5, metric: ndcg@10, " + kRest),
            "s.yaml:8:46: task 'sampled5' does not compute 'ndcg@10': add it to the metrics of 'evaluate'; it computes "
            "hr@5");
  EXPECT_EQ(error("{label: popular, task: ratings, metric: rmse, " + kRest),
            "s.yaml:8:13: task 'ratings' has no row 'popular': algorithm 'popular' does not predict ratings");
  EXPECT_EQ(error("{label: rater, task: full, metric: hr@5, " + kRest),
            "s.yaml:8:13: task 'full' has no row 'rater': algorithm 'rater' does not rank");
  EXPECT_THAT(error("{label: popular, task: full, metric: hr@5, vale: 1, source: s}"),
              testing::StartsWith("s.yaml:8:48: unknown key 'vale' in 'published'; did you mean 'value'?"));
  const std::string head = "{label: popular, task: full, metric: hr@5";
  EXPECT_EQ(error(head + ", value: 0.5, tolerance: 0.1}"), "s.yaml:8:5: a published figure needs a source");
  EXPECT_EQ(error(head + ", tolerance: 0.1, source: s}"), "s.yaml:8:5: a published figure needs a value");
  EXPECT_EQ(error(head + ", value: 0.5, source: s}"), "s.yaml:8:5: a published figure needs one of tolerance and min");
  EXPECT_EQ(error(head + ", value: 0.5, tolerance: 0.1, min: 0.4, source: s}"),
            "s.yaml:8:5: a published figure needs one of tolerance and min");
  EXPECT_EQ(error(head + ", value: 0.5, max: 0.6, source: s}"),
            "s.yaml:8:65: of hr@5 higher is better: write min instead of max");
  EXPECT_EQ(error("{label: rater, task: ratings, metric: rmse, value: 1, min: 0.9, source: s}"),
            "s.yaml:8:64: of rmse lower is better: write max instead of min");
  EXPECT_EQ(error(head + ", value: 0.5, min: 0.6, source: s}"),
            "s.yaml:8:65: min 0.6 asks for more than the published 0.5; that belongs into a gate: segue leaderboard "
            "--gate");
  EXPECT_THAT(test::message_of<UsageError>([] { Suite{.more = "published: {label: popular}"}.spec(); }),
              testing::StartsWith("s.yaml:6:12: 'published' is a list such as [{label: slim,"));
}

// What is published decides neither what is trained nor what a task is.
TEST(Published, IsPartOfNoIdentity) {
  const auto plan = [](const std::string& yaml) {
    const test::TempFolder folder;
    const Registry algorithms = test::toy_algorithms();
    const DatasetRegistry datasets = test::toy_datasets();
    const Spec spec = parse_spec(parse_yaml(yaml, "s.yaml"), algorithms, datasets);
    DatasetStore store(datasets, {}, folder.path());
    return make_plan(spec, algorithms, store).manifest;
  };
  const std::string with = text("{label: mf, task: full, metric: hr@5, " + kRest);
  const Manifest a = plan(with), b = plan(with.substr(0, with.find("published:")));
  ASSERT_EQ(a.trials.size(), b.trials.size());
  for (std::size_t i = 0; i < a.trials.size(); ++i) EXPECT_EQ(a.trials[i].fit, b.trials[i].fit);
  ASSERT_EQ(a.tasks.size(), 3u);
  EXPECT_EQ(a.tasks[0].id, b.tasks[0].id);
  EXPECT_THAT(a.tasks[0].published, ElementsAre(PublishedFigure{"mf factors=8", "hr@5", 0.5, 0.4, "s", ""},
                                                PublishedFigure{"mf factors=16", "hr@5", 0.5, 0.4, "s", ""}));
  EXPECT_TRUE(a.tasks[1].published.empty());
  EXPECT_TRUE(b.tasks[0].published.empty());
}

TEST(Published, AnEntryMayHaveSeedsOfItsOwn) {
  const Spec s = Suite{.algorithms = "[{popular: , seeds: 7}, {toy_mf: , seeds: [4, 5]}, {toy_mf: , label: mf}]",
                       .more = "seeds: [1, 2, 3]"}
                     .spec();
  EXPECT_THAT(s.algorithms[0].seeds, ElementsAre(7));
  EXPECT_THAT(s.algorithms[1].seeds, ElementsAre(4, 5));
  EXPECT_THAT(s.algorithms[2].seeds, ElementsAre(1, 2, 3));
  EXPECT_EQ((Suite{.algorithms = "[{popular: , seeds: -1}]"}.error()),
            "s.yaml:4:33: a seed is a number of 0 or more, not -1");
  EXPECT_EQ((Suite{.algorithms = "[{popular: , seeds: [2, 2]}]"}.error()), "s.yaml:4:37: seed 2 is listed twice");
}

}  // namespace
}  // namespace segue
