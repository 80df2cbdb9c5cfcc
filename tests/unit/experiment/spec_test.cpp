#include "framework/experiment/spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/experiment/toys.hpp"

namespace segue {
namespace {

using test::message_of;
using test::Suite;
using testing::ElementsAre;

std::string error_of(const std::string& yaml) {
  return message_of<UsageError>([&] { test::spec_of(yaml); });
}
std::string with(const std::string& line) { return Suite{.more = line + "\n"}.error(); }  // stands in line 6

TEST(Spec, ReadsASuite) {
  const Spec s = test::spec_of(R"(
version: 1
name: whole
description: everything at once
datasets:
  - toy
  - {name: toy, edition: large}
  - {name: plain, label: mine}
feedback: {transform: rating}
filter: {min_user_events: 3}
split: {strategy: random_ratio, test: 0.3, validation: 0.1, seed: 7}
seeds: [1, 2]
algorithms:
  - popular
  - toy_mf: {factors: [8, 16], reg: 0.2}
    label: mf
  - toy_mf:
evaluate:
  - {metrics: [ndcg@5, recall@30]}
  - {candidates: {sampled: 9}, metrics: [hr@10]}
  - {metrics: [rmse], clip: [1, 5]}
  - {metrics: [ndcg@5], repeats: allow, catalogue: train, relevance: value}
latency: {batch: [1, 4]}
stopping: {metric: recall@5, patience: 2}
limits: {timeout: 30m, memory: 2G}
plots: [metric_bars]
)");
  EXPECT_EQ(s.name, "whole");
  std::vector<std::string> labels;
  for (const DatasetEntry& d : s.datasets) labels.push_back(d.label);
  EXPECT_THAT(labels, ElementsAre("toy", "toy-large", "mine"));
  EXPECT_EQ(s.task.feedback.transform, "rating");
  EXPECT_EQ(s.task.filter.min_user_events, 3);
  EXPECT_EQ(s.task.split.seed, 7u);
  EXPECT_THAT(s.seeds, ElementsAre(1, 2));
  labels.clear();
  for (const AlgorithmEntry& a : s.algorithms) labels.push_back(a.label + "/" + a.group);
  EXPECT_THAT(labels, ElementsAre("popular/popular", "mf factors=8/mf", "mf factors=16/mf", "toy_mf/toy_mf"));
  EXPECT_EQ(s.algorithms[1].params.to_json(), R"({"factors":8,"epochs":3,"reg":0.2,"layers":[4,2]})");
  EXPECT_EQ(s.algorithms[1].non_default.to_json(), R"({"reg":0.2})");
  EXPECT_EQ(s.algorithms[2].non_default.to_json(), R"({"factors":16,"reg":0.2})");
  std::vector<std::string> views;
  for (const ViewSpec& v : s.views) views.push_back(v.name);
  EXPECT_THAT(views, ElementsAre("full", "sampled9", "ratings", "full-repeats-allow-train-catalogue-graded"));
  EXPECT_EQ(list_length(s.views[0]), 30u);
  EXPECT_EQ(list_length(s.views[3]), 10u);
  EXPECT_TRUE(is_rating_view(s.views[2]));
  EXPECT_THAT(s.latency->batch, ElementsAre(1, 4));
  EXPECT_EQ(s.stopping.metric, "recall@5");
  EXPECT_EQ(s.limits.timeout, "30m");
  EXPECT_THAT(s.plots, ElementsAre("metric_bars"));
}

TEST(Spec, Defaults) {
  const Spec s = Suite{}.spec();
  EXPECT_THAT(s.seeds, ElementsAre(1));
  EXPECT_FALSE(s.latency.has_value());
  EXPECT_FALSE((Suite{.more = "latency: false"}.spec().latency.has_value()));
  EXPECT_THAT((Suite{.more = "latency: true"}.spec().latency->batch), ElementsAre(1, 256));
  EXPECT_EQ(s.stopping.metric, "ndcg@10");
  EXPECT_EQ((Suite{.algorithms = "[toy_mf: {layers: [[4], [8, 2]]}]"}.spec().algorithms[1].label),
            "toy_mf layers=[8, 2]");
  EXPECT_EQ((Suite{.algorithms = "[toy_mf: {layers: [8, 2]}]"}.spec().algorithms.size()), 1u);
}

// The suite of another run is what was resolved, as JSON.
TEST(Spec, ReadsWhatItResolved) {
  const Spec s = Suite{.algorithms = "[toy_mf: {reg: 0.3}]", .more = "seeds: 3"}.spec();
  const Spec again = parse_spec(Value::from_json(s.resolved.to_json()), test::toy_algorithms(), test::toy_datasets());
  EXPECT_EQ(again.algorithms[0].params, s.algorithms[0].params);
  EXPECT_EQ(again.seeds, s.seeds);
}

TEST(WrongSuites, Keys) {
  EXPECT_EQ(error_of("[1]"), "s.yaml:1:1: a suite is a map with keys such as name, dataset, algorithms, evaluate");
  EXPECT_EQ(
      with("feedbak: {transform: binary}"),
      "s.yaml:6:1: unknown key 'feedbak' in the suite; did you mean 'feedback'? known: version, name, dataset, "
      "datasets, feedback, filter, split, seeds, algorithms, evaluate, latency, stopping, limits, published, plots, "
      "plugins, include, description, tune");
  EXPECT_EQ(with("split: {strateg: k_fold}"),
            "s.yaml:6:9: unknown key 'strateg' in 'split'; did you mean 'strategy'? known: strategy, test, validation, "
            "validation_from, per, folds, cold_by, fold_in, seeds, shuffled, names, at, test_users, seed");
  EXPECT_EQ(with("name: again"), "s.yaml:6:1: key 'name' appears twice in one map; it is first given at s.yaml:2:1");
  EXPECT_EQ(with("split:\n\tseed: 1"), "s.yaml:7:1: a tab is used for indentation; YAML needs spaces");
}

TEST(WrongSuites, Values) {
  EXPECT_EQ(with("split: {folds: many}"), "s.yaml:6:16: folds needs an integer, got string 'many' in 'split'");
  EXPECT_EQ(with("split: {folds: 1}"), "s.yaml:6:16: folds = 1 is out of range [2, 100] in 'split'");
  EXPECT_EQ(with("split: {strategy: leave_one_out}"),
            "s.yaml:6:19: strategy = 'leave_one_out' is not a choice in 'split'; did you mean 'leave_last_out'? known: "
            "leave_last_out, random_ratio, global_time, k_fold, cold_items, held_out_users, playlist_continuation, given");
  EXPECT_EQ(with("split: 3"), "s.yaml:6:8: expected a map in 'split', got integer 3");
  EXPECT_EQ((Suite{.algorithms = "[toy_mf: {factors: 0}]"}.error()),
            "s.yaml:4:32: factors = 0 is out of range [1, 512] in algorithm 'toy_mf'");
  EXPECT_EQ((Suite{.algorithms = "[toy_mf: {factor: 8}]"}.error()),
            "s.yaml:4:23: unknown key 'factor' in algorithm 'toy_mf'; did you mean 'factors'? known: factors, epochs, "
            "reg, layers");
  EXPECT_EQ((Suite{.algorithms = "[toy_mf: {reg: [0.1, 11]}]"}.error()),
            "s.yaml:4:34: reg = 11 is out of range [0, 10] in algorithm 'toy_mf'");
}

TEST(WrongSuites, SizesThatDoNotFitTheSplit) {
  EXPECT_EQ(with("split: {test: 0.2}"),
            "s.yaml:6:8: split: leave_last_out takes whole numbers of events, not test = 0.2, validation = 0");
  EXPECT_EQ(with("split: {strategy: random_ratio, test: 0.6, validation: 0.4}"),
            "s.yaml:6:8: split: test + validation = 1 leaves nothing to train on");
  EXPECT_EQ(with("feedback: {transform: signals, aggregate_before_split: true}"),
            "s.yaml:6:11: feedback: aggregate_before_split does not go with 'signals', which weighs each kind of event "
            "by itself");
}

TEST(WrongSuites, Versions) {
  EXPECT_EQ(error_of("name: x"), "s.yaml:1:1: the suite has no 'version'; write for example version: 1");
  EXPECT_EQ(error_of("version: 2"), "s.yaml:1:10: version 2 is not known; this program reads version 1");
  EXPECT_EQ(error_of("version: 1"), "s.yaml:1:1: the suite has no 'name'; write for example name: als_vs_knn");
  for (const char* name : {"a/b", "''", ".hidden", "a b"})
    EXPECT_THAT(error_of(fmt::format("version: 1\nname: {}", name)), testing::StartsWith("s.yaml:2:7: name '")) << name;
  EXPECT_EQ(error_of("version: 1\nname: a/b"),
            "s.yaml:2:7: name 'a/b' names a folder of results: use letters, digits, '_', '-' and '.'");
}

TEST(WrongSuites, DataSets) {
  const auto error = [](const char* dataset) { return Suite{.dataset = dataset}.error(); };
  EXPECT_EQ(error("tou"), "s.yaml:3:10: unknown data set 'tou'; did you mean 'toy'? known: plain, toy");
  EXPECT_EQ(error("{name: tou}"), "s.yaml:3:17: unknown data set 'tou'; did you mean 'toy'? known: plain, toy");
  EXPECT_EQ(error("{edition: small}"),
            "s.yaml:3:10: a dataset needs a 'name', such as {name: demo}; known: plain, toy");
  EXPECT_EQ(error("{name: toy, editon: small}"),
            "s.yaml:3:22: unknown key 'editon' in dataset 'toy'; did you mean 'edition'? known: edition, seed");
  EXPECT_EQ(error("3"), "s.yaml:3:10: a dataset is a name or a map with a 'name', not integer 3");
  EXPECT_EQ(error("[]"), "s.yaml:3:10: the list of data sets is empty; known: plain, toy");
  EXPECT_EQ(error("[toy, toy]"), "s.yaml:3:16: two data sets are labelled 'toy'; give one a 'label'");
  EXPECT_EQ(error_of("version: 1\nname: x"),
            "s.yaml:1:1: the suite needs either 'dataset' or 'datasets'; known data sets: plain, toy");
  EXPECT_EQ(with("datasets: [toy]"),
            "s.yaml:1:1: the suite needs either 'dataset' or 'datasets'; known data sets: plain, toy");
}

TEST(WrongSuites, Algorithms) {
  const auto error = [](const char* algorithms) { return Suite{.algorithms = algorithms}.error(); };
  EXPECT_EQ(error("[popular, toymf]"),
            "s.yaml:4:23: unknown algorithm 'toymf'; did you mean 'toy_mf'? known: popular, rater, tagger, toy_mf");
  EXPECT_EQ(error("[popluar: {}]"),
            "s.yaml:4:14: unknown algorithm 'popluar'; did you mean 'popular'? known: popular, rater, tagger, toy_mf");
  EXPECT_EQ(error("popular"), "s.yaml:4:13: 'algorithms' is a list such as [popular, item_knn]");
  EXPECT_EQ(error("[]"), "s.yaml:4:13: 'algorithms' is a list such as [popular, item_knn]");
  EXPECT_EQ(error("[3]"), "s.yaml:4:14: an entry of 'algorithms' is a name or a map, not integer 3");
  EXPECT_EQ(
      error("[{toy_mf: {}, popular: {}}]"),
      "s.yaml:4:27: an entry of 'algorithms' has one algorithm and perhaps a 'label', 'seeds', 'tune' and 'feedback', such as "
      "{implicit_als: {factors: 128}, label: als}; 'toy_mf' and 'popular' both stand here");
  EXPECT_EQ(
      error("[{label: x}]"),
      "s.yaml:4:14: an entry of 'algorithms' has one algorithm and perhaps a 'label', 'seeds', 'tune' and 'feedback', such as "
      "{implicit_als: {factors: 128}, label: als}; there is no algorithm here");
  EXPECT_EQ(error("[toy_mf: 8]"), "s.yaml:4:22: parameters of 'toy_mf' are a map, such as {factors: 128}");
  EXPECT_EQ(error("[popular, popular]"),
            "s.yaml:4:23: two entries are labelled 'popular' (the other at s.yaml:4:14); give one a 'label'");
  EXPECT_EQ(error("[toy_mf: {factors: [8, 8]}]"),
            "s.yaml:4:14: two entries are labelled 'toy_mf factors=8' (the other at s.yaml:4:14); give one a 'label'");
  EXPECT_EQ(error("[toy_mf: {factors: []}]"),
            "s.yaml:4:32: factors = [] leaves nothing to try; give at least one value");
  EXPECT_EQ(error("[rater]"),
            "s.yaml:4:14: algorithm 'rater' does not rank, and every metric of this suite judges lists");
  EXPECT_EQ((Suite{.evaluate = "[{metrics: [rmse]}]", .more = "feedback: {transform: rating}"}.error()),
            "s.yaml:4:14: algorithm 'popular' does not predict ratings, and every metric of this suite judges ratings");
}

TEST(WrongSuites, Views) {
  const auto error = [](const std::string& evaluate) { return Suite{.evaluate = evaluate}.error(); };
  EXPECT_EQ(error("[]"), "s.yaml:5:11: 'evaluate' is a list such as [{candidates: full, metrics: [ndcg@10]}]");
  EXPECT_EQ(error("{metrics: [ndcg@10]}"),
            "s.yaml:5:11: 'evaluate' is a list such as [{candidates: full, metrics: [ndcg@10]}]");
  EXPECT_THAT(error("[{metrics: [ndgc@10]}]"),
              testing::StartsWith("s.yaml:5:23: unknown metric 'ndgc'; did you mean 'ndcg'? known: "));
  EXPECT_EQ(error("[{metrics: [ndcg]}]"), "s.yaml:5:23: ndcg needs a cut-off: write ndcg@10");
  EXPECT_EQ(error("[{metrics: [auc@10]}]"), "s.yaml:5:23: metric 'auc@10': auc takes no cut-off: write auc");
  EXPECT_EQ(error("[{metrics: [ndcg@10, hr@5, ndcg@010]}]"), "s.yaml:5:38: metric 'ndcg@010' is listed twice");
  EXPECT_EQ(error("[{metrics: [rmse]}]"),
            "s.yaml:5:23: metric 'rmse' does not fit this task: it judges predicted ratings, and feedback 'binary' has "
            "none; write feedback: {transform: rating}, or use a ranking metric such as ndcg@10");
  EXPECT_EQ(error("[{metrics: [ndcg@10, rmse]}]"),
            "s.yaml:5:32: metric 'rmse' does not fit beside 'ndcg': one judges ratings, the other lists; put them into "
            "two entries of 'evaluate'");
  EXPECT_EQ(error("[{metrics: [ndcg@10]}, {metrics: [hr@10]}]"),
            "s.yaml:5:34: two entries of 'evaluate' are both 'full'; merge their metrics, or give one a 'name'");
}

TEST(WrongSuites, Seeds) {
  EXPECT_EQ(with("seeds: []"), "s.yaml:6:8: 'seeds' is empty");
  EXPECT_EQ(with("seeds: [1, -2]"), "s.yaml:6:12: a seed is a number of 0 or more, not -2");
  EXPECT_EQ(with("seeds: [1, 2, 1]"), "s.yaml:6:15: seed 1 is listed twice");
  EXPECT_EQ(with("seeds: 1.5"), "s.yaml:6:8: expected an integer, got real 1.5");
  EXPECT_EQ(with("seeds: {a: 1}"), "s.yaml:6:8: expected an integer, got map {a: 1}");
}

TEST(WrongSuites, Limits) {
  EXPECT_EQ(with("limits: {timeout: -5m}"), "s.yaml:6:19: '-5m' is not a duration; write for example 90s, 30m or 2h");
  EXPECT_EQ(with("limits: {timeout: soon}"), "s.yaml:6:19: 'soon' is not a duration; write for example 90s, 30m or 2h");
  EXPECT_EQ(with("limits: {timeout: 1m, memory: 0G}"), "s.yaml:6:31: '0G' is not a size; write for example 800M or 4G");
  EXPECT_EQ(with("latency: {batch: [1, 0]}"), "s.yaml:6:22: batch = 0 is out of range [1, 1000000] in 'latency'");
  EXPECT_EQ(with("latency: {batch: [1, 8, 1]}"), "s.yaml:6:18: batch size 1 is listed twice");
  EXPECT_EQ(with("latency: {seconds: 0}"), "s.yaml:6:20: seconds = 0 is out of range (0, inf) in 'latency'");
}

TEST(WrongSuites, Stopping) {
  EXPECT_EQ(with("stopping: {patience: 2}"),
            "s.yaml:6:11: early stopping needs validation data; add for example split: {validation: 1}");
  EXPECT_EQ(with("split: {strategy: k_fold}\nstopping: {patience: 2}"),
            "s.yaml:7:11: early stopping needs validation data; add for example split: {validation: 0.1}");
  EXPECT_EQ(with("stopping: {metric: coverage@10}"),
            "s.yaml:6:20: stopping needs a metric with one value a query, not 'coverage@10'");
  for (const char* metric : {"'ndcg@10:cold'", "novelty@10"})
    EXPECT_THAT(with(fmt::format("stopping: {{metric: {}}}", metric)),
                testing::HasSubstr("s.yaml:6:20: stopping needs a metric of accuracy over all of the truth"));
  EXPECT_EQ(with("stopping: {metric: rmse}"), "s.yaml:6:20: stopping on 'rmse' needs feedback: {transform: rating}");
  EXPECT_EQ(with("stopping: {metric: ndcg}"), "s.yaml:6:20: ndcg needs a cut-off: write ndcg@10");
}

TEST(WrongSuites, Plots) {
  EXPECT_THAT(
      with("plots: [metric_bar]"),
      testing::StartsWith("s.yaml:6:9: unknown plot 'metric_bar'; did you mean 'metric_bars'? known: metric_bars, "));
  EXPECT_EQ(with("plots: metric_bars"), "s.yaml:6:8: 'plots' is a list such as [metric_bars]");
  EXPECT_EQ(message_of<UsageError>([] { suite_plugins(parse_yaml("plugins: a.so", "s.yaml"), "/x"); }),
            "s.yaml:1:10: 'plugins' is a list of .so files");
  EXPECT_THAT(suite_plugins(parse_yaml("plugins: [a.so, /b.so]", "s.yaml"), "/x"), ElementsAre("/x/a.so", "/b.so"));
}

TEST(WrongSuites, NoFile) {
  EXPECT_EQ(message_of<UsageError>([] { load_yaml("/nowhere/suite.yaml"); }), "/nowhere/suite.yaml: no such file");
}

}  // namespace
}  // namespace segue
