#include "framework/experiment/plan.hpp"

#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/experiment/runner.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/experiment/toys.hpp"

namespace segue {
namespace {

using test::message_of;
using test::Suite;
using testing::ElementsAre;

// A plan with what it refers to.
struct Planned {
  Registry algorithms;
  DatasetRegistry datasets = test::toy_datasets();
  Spec spec;
  Plan plan;
  explicit Planned(const std::string& yaml, int version = 1, const std::string& cache = "")
      : algorithms(test::toy_algorithms(version)) {
    const test::TempFolder folder;
    spec = parse_spec(parse_yaml(yaml, "s.yaml"), algorithms, datasets);
    DatasetStore store(datasets, {}, cache.empty() ? folder.path() : std::filesystem::path(cache));
    plan = make_plan(spec, algorithms, store);
  }
  explicit Planned(const Suite& suite, int version = 1) : Planned(suite.text(), version) {}
  std::string fit(std::size_t i = 0) const { return plan.trials.at(i).fit; }
};

Suite mf(const std::string& params, const std::string& more = "") {
  return {.algorithms = "[toy_mf: {" + params + "}]", .more = more};
}

TEST(FitId, IsTheSameForTheSameWork) {
  const std::string plain = Planned(mf("")).fit();
  EXPECT_EQ(plain.size(), 16u);
  EXPECT_EQ(Planned(mf("")).fit(), plain);
  for (const char* same : {"factors: 8, epochs: 3, reg: 0.1, layers: [4, 2]", "reg: 0.1, epochs: 3", "reg: 1e-1"})
    EXPECT_EQ(Planned(mf(same)).fit(), plain) << same;
  EXPECT_EQ(Planned(mf("reg: 1, factors: 9")).fit(), Planned(mf("factors: 9, reg: 1.0")).fit());
  for (const char* same : {"split: {strategy: leave_last_out, test: 1, seed: 42}", "feedback: {alpha: 1}",
                           "plots: [metric_bars]", "limits: {timeout: 5m}", "latency: true",
                           "stopping: {metric: recall@5}"})  // nothing to stop by without validation data
    EXPECT_EQ(Planned(mf("", same)).fit(), plain) << same;
  EXPECT_EQ(Planned(Suite{.algorithms = "[{toy_mf: {}, label: another}]"}).fit(), plain);
  EXPECT_EQ(Planned(Suite{.algorithms = "[toy_mf]", .evaluate = "[{metrics: [hr@1], repeats: allow}]"}).fit(), plain);
  EXPECT_EQ(Planned(Suite{.dataset = "{name: toy, edition: small, label: x}", .algorithms = "[toy_mf]"}).fit(), plain);
}

TEST(FitId, DiffersWhereTheResultCould) {
  std::set<std::string> ids{Planned(mf("")).fit(), Planned(mf(""), 2).fit()};
  EXPECT_EQ(ids.size(), 2u) << "a new version of the algorithm is new work";
  for (const Suite& other :
       {mf("reg: 0.2"), mf("factors: 9"), mf("layers: [2, 4]"), mf("", "seeds: 2"), mf("", "split: {seed: 1}"),
        mf("", "split: {test: 2}"), mf("", "feedback: {transform: rating}"), mf("", "filter: {min_user_events: 2}"),
        Suite{.dataset = "{name: toy, seed: 2}", .algorithms = "[toy_mf]"}, Suite{.algorithms = "[popular]"}})
    EXPECT_TRUE(ids.insert(Planned(other).fit()).second) << other.text();
  const Planned folds(mf("", "split: {strategy: k_fold, folds: 3}\nseeds: [1, 2]"));
  ASSERT_EQ(folds.plan.trials.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_TRUE(ids.insert(folds.fit(i)).second) << i;
}

// Which epoch is kept follows from the stopping policy and from how validation is judged, where there is any.
TEST(FitId, HoldsHowAnIterativeFitIsStopped) {
  const auto fit = [](const std::string& stopping, const std::string& view, const char* algorithm = "toy_mf") {
    return Planned(Suite{.algorithms = std::string("[") + algorithm + "]",
                         .evaluate = "[{metrics: [ndcg@10]" + view + "}]",
                         .more = "split: {validation: 1}\nstopping: {" + stopping + "}"})
        .fit();
  };
  const std::string plain = fit("patience: 2", "");
  EXPECT_EQ(fit("patience: 2, every: 1, metric: ndcg@10", ", exclude: [train]"), plain);
  EXPECT_EQ(fit("patience: 2", ", candidates: {sampled: 5}"), plain);
  std::set<std::string> ids{plain};
  EXPECT_TRUE(ids.insert(fit("patience: 3", "")).second);
  EXPECT_TRUE(ids.insert(fit("patience: 2, metric: recall@10", "")).second);
  EXPECT_TRUE(ids.insert(fit("patience: 2", ", repeats: allow")).second);
  EXPECT_TRUE(ids.insert(fit("patience: 2", ", catalogue: train")).second);
  EXPECT_EQ(fit("patience: 2", "", "popular"), fit("patience: 3", ", repeats: allow", "popular"));
}

TEST(ValidationView, IsAsTheFirstRankingViewRecommends) {
  const Spec s = Suite{.algorithms = "[toy_mf]",
                       .evaluate =
                           "[{metrics: [rmse]}, {metrics: [hr@5], repeats: only, catalogue: train, exclude: []}, "
                           "{metrics: [hr@5]}]",
                       .more = "feedback: {transform: rating}"}
                     .spec();
  const ViewSpec view = validation_view(s.views, {.metric = "recall@3"});
  EXPECT_EQ(view.repeats, "only");
  EXPECT_EQ(view.catalogue, "train");
  EXPECT_EQ(view.candidates, "full");
  EXPECT_THAT(view.exclude, ElementsAre("train"));
  EXPECT_THAT(view.metrics, ElementsAre("recall@3"));
  EXPECT_EQ(validation_view({}, {}).repeats, "exclude");
}

TEST(Plan, FoldsAndSeedsAreTrialsOfOneTask) {
  const Planned p(Suite{.dataset = "[toy, plain]",
                        .algorithms = "[popular, {toy_mf: {factors: [4, 8]}, label: mf}]",
                        .evaluate = "[{metrics: [ndcg@10, hr@5]}, {metrics: [hr@1], candidates: {sampled: 3}}]",
                        .more = "split: {strategy: k_fold, folds: 2}\nseeds: [5, 6]\nplots: [metric_bars]"});
  EXPECT_EQ(p.plan.manifest.suite, "test");
  EXPECT_THAT(p.plan.manifest.labels, ElementsAre("popular", "mf factors=4", "mf factors=8"));
  EXPECT_THAT(p.plan.manifest.plots, ElementsAre("metric_bars"));
  std::vector<std::string> names;
  for (const ManifestTask& t : p.plan.manifest.tasks) names.push_back(t.name + (t.sampled ? " ~" : ""));
  EXPECT_THAT(names, ElementsAre("toy/full", "toy/sampled3 ~", "plain/full", "plain/sampled3 ~"));
  EXPECT_EQ(p.plan.manifest.tasks[0].dataset_title, "Toy data");
  EXPECT_EQ(p.plan.manifest.tasks[1].view, 1u);
  EXPECT_THAT(p.plan.manifest.tasks[0].metrics, ElementsAre("ndcg@10", "hr@5"));
  ASSERT_EQ(p.plan.trials.size(), 2u * 3 * 2 * 2);
  EXPECT_EQ(p.plan.trials.size(), p.plan.manifest.trials.size());
  std::set<std::string> fits;
  for (std::size_t i = 0; i < p.plan.trials.size(); ++i) {
    const PlannedTrial& t = p.plan.trials[i];
    const ManifestTrial& m = p.plan.manifest.trials[i];
    const std::size_t first = t.dataset->label == "toy" ? 0 : 2;
    EXPECT_THAT(t.tasks, ElementsAre(p.plan.manifest.tasks[first].id, p.plan.manifest.tasks[first + 1].id));
    EXPECT_THAT(t.views, ElementsAre(0, 1));
    EXPECT_EQ(m.fit, t.fit);
    EXPECT_EQ(m.tasks, t.tasks);
    EXPECT_EQ(m.label, t.algorithm->label);
    EXPECT_EQ(m.fold, t.fold);
    EXPECT_EQ(m.seed, t.seed);
    fits.insert(t.fit);
  }
  EXPECT_EQ(fits.size(), p.plan.trials.size());
  EXPECT_EQ(p.plan.manifest.trials[4].params, R"({"factors":4,"epochs":3,"reg":0.1,"layers":[4,2]})");
}

TEST(Plan, AnAlgorithmIsAskedOnlyWhatItCanDo) {
  const Planned p(Suite{.algorithms = "[popular, rater, toy_mf]",
                        .evaluate = "[{metrics: [ndcg@10]}, {metrics: [rmse, mae]}]",
                        .more = "feedback: {transform: rating}"});
  EXPECT_THAT(p.plan.trials[0].views, ElementsAre(0));
  EXPECT_THAT(p.plan.trials[1].views, ElementsAre(1));
  EXPECT_THAT(p.plan.trials[2].views, ElementsAre(0, 1));
  EXPECT_FALSE(p.plan.manifest.tasks[0].ratings);
  EXPECT_TRUE(p.plan.manifest.tasks[1].ratings);
  EXPECT_NE(p.plan.manifest.tasks[0].id, p.plan.manifest.tasks[1].id);
}

TEST(Plan, WhatDoesNotFitTheDataIsRefused) {
  const auto error = [](const Suite& suite) { return message_of<UsageError>([&] { Planned p(suite); }); };
  EXPECT_EQ(error({.dataset = "plain",
                   .algorithms = "[rater]",
                   .evaluate = "[{metrics: [rmse]}]",
                   .more = "feedback: {transform: rating}"}),
            "s.yaml:3:10: feedback 'rating' needs star ratings, and data set 'plain' has none; use binary, "
            "linear_confidence, log_confidence, bm25 or signals");
  EXPECT_EQ(error({.dataset = "plain", .more = "split: {strategy: global_time}"}),
            "s.yaml:3:10: split global_time needs timestamps, and data set 'plain' has none; use leave_last_out or "
            "random_ratio");
  EXPECT_EQ(
      error({.evaluate = "[{candidates: given, metrics: [hr@1]}]"}),
      "s.yaml:5:42: candidates 'given' need lists that come with the data, and data set 'toy' has them only under "
      "split: {strategy: given}; use full or {sampled: 99}");
  EXPECT_EQ(
      error({.dataset = "plain", .evaluate = "[{candidates: given, metrics: [hr@1]}]"}),
      "s.yaml:5:42: candidates 'given' need lists that come with the data, and data set 'plain' has none; use full "
      "or {sampled: 99}");
  EXPECT_EQ(error({.evaluate = "[{candidates: {sampled: 20}, metrics: [hr@1]}]"}),
            "s.yaml:5:50: cannot sample 20 negatives: data set 'toy' has 20 items");
  EXPECT_EQ(error({.algorithms = "[popular, tagger]"}),
            "s.yaml:4:23: algorithm 'tagger' needs 'item_tags', which data set 'toy' does not have; it has: ");
  EXPECT_EQ(error({.dataset = "plain", .evaluate = "[{metrics: [hr@1, hr@1:night]}]"}),
            "s.yaml:5:29: metric 'hr@1:night' needs 'times', which data set 'plain' does not have; it has: ");
  EXPECT_EQ(error({.evaluate = "[{metrics: [hr@1, ild_tags@5]}]"}),
            "s.yaml:5:29: metric 'ild_tags@5' needs 'item_tags', which data set 'toy' does not have; it has: ");
  EXPECT_EQ(error({.more = "split: {strategy: cold_items, cold_by: artist}"}),
            "s.yaml:3:10: split cold_items by artist needs 'item_artist', which data set 'toy' does not have; it has: ");
  EXPECT_EQ(error({.evaluate = "[{exclude: [train, artists], metrics: [hr@1]}]"}),
            "s.yaml:5:50: exclude: artists needs 'item_artist', which data set 'toy' does not have; it has: ");
  EXPECT_EQ(error({.evaluate = "[{metrics: [ild_vectors@5]}]"}),
            "s.yaml:5:23: metric 'ild_vectors@5' needs item vectors; run without it, then: segue evaluate RESULTS "
            "--metrics ild_vectors@5 --embeddings LABEL");
  EXPECT_EQ(error({.more = "split: {strategy: given, names: [f3]}"}),
            "split: data set 'toy' has no split 'f3'; did you mean 'f1'? known: f1, f2");
  EXPECT_EQ(error({.evaluate = "[{metrics: [hr@1]}, {metrics: [hr@2], name: again}]"}),
            "s.yaml:5:42: 'full' and 'again' are the same task; merge their metrics into one entry");
  EXPECT_NO_THROW(Planned(
      Suite{.evaluate = "[{candidates: given, metrics: [hr@1]}]", .more = "split: {strategy: given, names: [f1]}"}));
}

TEST(DatasetStore, SummariesAreKeptUntilTheDataChanges) {
  const test::TempFolder folder;
  const auto file = folder.write("data/rows.csv", "1");
  const DatasetRegistry registry = test::toy_datasets();
  const Spec spec = Suite{}.spec();
  const auto summary = [&] {
    DatasetStore store(registry, {{file}}, folder / "cache");
    return store.summary(spec.datasets[0]);
  };
  const int before = test::ToyLoader::loads;
  const DatasetSummary first = summary();
  EXPECT_EQ(test::ToyLoader::loads, before + 1);
  EXPECT_EQ(first.title, "Toy data");
  EXPECT_THAT(first.given, ElementsAre("f1", "f2"));
  EXPECT_TRUE(first.has_negatives);
  EXPECT_TRUE(first.has_ratings);
  EXPECT_EQ(first.events, 300u);
  const DatasetSummary second = summary();
  EXPECT_EQ(test::ToyLoader::loads, before + 1) << "nothing changed, and yet it was loaded";
  EXPECT_EQ(second.fingerprint, first.fingerprint);
  EXPECT_EQ(second.given, first.given);
  EXPECT_EQ(second.has_negatives, first.has_negatives);
  EXPECT_EQ(second.items, first.items);
  folder.write("data/rows.csv", "12");
  summary();
  EXPECT_EQ(test::ToyLoader::loads, before + 2);
  // A damaged summary is made anew.
  int damaged = 0;
  for (const char* text : {"{\"events\": 3, \"given\": 7}", "{", ""}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder / "cache/summaries"))
      std::ofstream(entry.path()) << text;
    EXPECT_EQ(summary().events, 300u);
    EXPECT_EQ(test::ToyLoader::loads, before + 2 + ++damaged);
  }
  DatasetStore store(registry, {{file}}, folder / "cache");
  EXPECT_EQ(&store.load(spec.datasets[0]), &store.load(spec.datasets[0]));
}

// An index's lists are judged of algorithms with vectors alone, and are no part of what the fit is.
TEST(Plan, ListsOfAnIndexAreATaskOfTheirOwn) {
  Registry algorithms = test::toy_algorithms();
  algorithms.add(detail::algorithm_entry<test::Popular, test::NoParams>(
      {.name = "vectors", .summary = "", .citation = "", .family = "factors", .embeddings = true}));
  const DatasetRegistry datasets = test::toy_datasets();
  const test::TempFolder folder;
  DatasetStore store(datasets, {}, folder.path());
  const auto plan_of = [&](const std::string& views) {
    const Suite suite{.algorithms = "[popular, vectors]", .evaluate = views};
    const Spec spec = parse_spec(parse_yaml(suite.text(), "s.yaml"), algorithms, datasets);
    return std::pair(make_plan(spec, algorithms, store).manifest, spec.views.size());
  };
  const auto [manifest, views] = plan_of("[{metrics: [ndcg@10]}, {retrieval: hnsw, metrics: [ndcg@10]}]");
  ASSERT_EQ(manifest.tasks.size(), 2u);
  EXPECT_EQ(manifest.tasks[0].retrieval, "");
  EXPECT_EQ(manifest.tasks[1].retrieval, "hnsw");
  EXPECT_EQ(manifest.tasks[1].name, "full-hnsw");
  EXPECT_FALSE(manifest.tasks[1].sampled);
  EXPECT_NE(manifest.tasks[0].id, manifest.tasks[1].id);
  ASSERT_EQ(manifest.trials.size(), 2u);
  EXPECT_THAT(manifest.trials[0].tasks, ElementsAre(manifest.tasks[0].id));
  EXPECT_THAT(manifest.trials[1].tasks, ElementsAre(manifest.tasks[0].id, manifest.tasks[1].id));
  const auto [alone, one] = plan_of("[{metrics: [ndcg@10]}]");
  EXPECT_EQ(alone.tasks[0].id, manifest.tasks[0].id);
  EXPECT_EQ(alone.trials[1].fit, manifest.trials[1].fit);
  EXPECT_EQ(message_of<UsageError>([&] { plan_of("[{retrieval: hnsw, metrics: [ndcg@10, auc]}]"); }),
            "s.yaml:5:49: retrieval 'hnsw' finds lists alone, and metric 'auc' needs more; judge it under retrieval: exact");
  EXPECT_EQ(message_of<UsageError>([&] { Planned(Suite{.evaluate = "[{retrieval: sq8, metrics: [ndcg@10]}]"}); }),
            "s.yaml:5:39: retrieval 'sq8' needs an algorithm whose scores are inner products of vectors, and this suite "
            "has none; there are: ");
}

TEST(ExpectedSeconds, AreThoseOfTheLastRunOrOfTheSameLabel) {
  const Planned p(mf("", "seeds: [1, 2]"));
  std::map<std::string, JournalEntry> journal;
  EXPECT_EQ(expected_seconds(journal, p.fit(0), "toy_mf"), -1);
  journal[p.fit(1)] = {
      .time = "", .event = "finished", .fit = p.fit(1), .label = "toy_mf", .fold = "all", .seconds = 7, .error = ""};
  EXPECT_EQ(expected_seconds(journal, p.fit(0), "toy_mf"), 7);
  journal[p.fit(0)] = {
      .time = "", .event = "failed", .fit = p.fit(0), .label = "toy_mf", .fold = "all", .seconds = 90, .error = ""};
  EXPECT_EQ(expected_seconds(journal, p.fit(0), "toy_mf"), 7);
  journal[p.fit(0)].event = "finished";
  EXPECT_EQ(expected_seconds(journal, p.fit(0), "toy_mf"), 90);
}

}  // namespace
}  // namespace segue
