#include "framework/report/leaderboard.hpp"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/param/value.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

// A results folder written by hand: each row's trials hit some of four queries.
class Results {
 public:
  Results() : results{folder_.path()} {
    manifest.spec = "{}";
    manifest.suite = "toy";
    add_task("t1", "full");
  }
  ManifestTask& add_task(const std::string& id, const std::string& name, bool ratings = false) {
    ManifestTask t;
    t.id = id;
    t.name = name;
    t.dataset = "toy";
    t.dataset_title = "Toy data";
    t.metrics = ratings ? std::vector<std::string>{"rmse"} : std::vector<std::string>{"hr@2", "mrr@2"};
    t.ratings = ratings;
    t.description = "{\"task\":{}}";
    return manifest.tasks.emplace_back(t);
  }
  std::string plan(const std::string& label, const std::string& fold = "all", std::uint64_t seed = 1,
                   std::vector<std::string> tasks = {"t1"}) {
    const std::string fit = fmt::format("{}-{}-{}", label, fold, seed);
    if (std::find(manifest.labels.begin(), manifest.labels.end(), label) == manifest.labels.end())
      manifest.labels.push_back(label);
    manifest.trials.push_back({fit, label, "algorithm of " + label, "toy", fold, seed, std::move(tasks), "{}"});
    results.write_manifest(manifest);
    return fit;
  }
  // ranks: of one truth item a query; 0: not ranked. A trial that judged task t1.
  void finish(const std::string& fit, const std::vector<std::uint32_t>& ranks, double fit_seconds = 1,
              std::vector<LatencySamples> latency = {}, std::uint64_t rss = 1 << 20) {
    TrialRecord r;
    r.attributes["algorithm"] = "x";
    StoredView v;
    v.task = "t1";
    v.queries = ranks.size();
    v.k = 2;
    v.truth_offsets = {0};
    for (std::size_t q = 0; q < ranks.size(); ++q) {
      v.items.insert(v.items.end(), {0, 1});
      v.scores.insert(v.scores.end(), {1, 0});
      v.truth_offsets.push_back(q + 1);
      v.truth_items.push_back(7);
      v.truth_gains.push_back(1);
      v.truth_above.push_back(ranks[q] == 0 ? 9 : ranks[q] - 1);
      v.truth_tied.push_back(0);
      v.candidates.push_back(9);
      v.tie_at_cut.push_back(q == 0);
    }
    v.truth_rank = ranks;
    v.catalogue = 9;
    r.views.push_back(v);
    r.timing.fit_seconds = fit_seconds;
    r.timing.latency = std::move(latency);
    r.timing.peak_rss_bytes = rss;
    r.curve_epochs["loss"] = {1, 2};
    r.curve_values["loss"] = {0.5, fit_seconds};
    r.curve_epochs["best epoch"] = {2};
    r.curve_values["best epoch"] = {0.3};
    write_trial(results.trial_file(fit), r, test::FakeRecommender(1, [](std::size_t, std::size_t) { return 0.f; }));
  }
  void journal(const std::string& fit, const std::string& event, const std::string& error = "") {
    Journal(results.journal_file())
        .append({.time = "", .event = event, .fit = fit, .label = "", .fold = "", .error = error});
  }
  std::vector<LeaderboardRow> rows() const { return build_leaderboards(results).at(0).rows; }
  std::vector<std::string> labels() const {
    std::vector<std::string> out;
    for (const auto& r : rows()) out.push_back(r.label);
    return out;
  }
  LeaderboardRow row(const std::string& label) const {
    for (const auto& r : rows())
      if (r.label == label) return r;
    ADD_FAILURE() << "no row " << label;
    return {};
  }

  test::TempFolder folder_;
  ResultsFolder results;
  Manifest manifest;
};

TEST(Leaderboard, ARowIsTheMeanOverFoldsAndSeeds) {
  Results r;
  for (const char* fold : {"u1", "u2"})
    for (const std::uint64_t seed : {1u, 2u}) {
      const std::string fit = r.plan("a", fold, seed);
      const bool first = fold[1] == '1';
      // hr@2: 0.5 and 0.75 in the first fold of 4, 1 and 1 in the second of 2
      r.finish(fit,
               first ? (seed == 1 ? std::vector<std::uint32_t>{1, 2, 3, 0} : std::vector<std::uint32_t>{1, 1, 2, 9})
                     : std::vector<std::uint32_t>{1, 1},
               static_cast<double>(seed), {{.batch = 1, .microseconds_per_query = {double(seed), 5}, .threads = 1}},
               seed * 1000);
    }
  const LeaderboardRow row = r.row("a");
  EXPECT_EQ(row.status, "ok");
  EXPECT_EQ(row.algorithm, "algorithm of a");
  EXPECT_EQ(row.planned, 4u);
  EXPECT_EQ(row.trials, 4u);
  const MetricSummary& hr = row.metrics.at("hr@2");
  EXPECT_DOUBLE_EQ(hr.mean, (0.5 + 0.75 + 1 + 1) / 4);
  const double m = hr.mean;
  EXPECT_DOUBLE_EQ(hr.stddev, std::sqrt(((0.5 - m) * (0.5 - m) + (0.75 - m) * (0.75 - m) + 2 * (1 - m) * (1 - m)) / 3));
  EXPECT_EQ(hr.n, 6u) << "the queries of both folds, once";
  EXPECT_DOUBLE_EQ(row.metrics.at("mrr@2").mean, (1.5 / 4 + 2.5 / 4 + 1 + 1) / 4);
  EXPECT_DOUBLE_EQ(row.fit_seconds, 1.5);
  EXPECT_DOUBLE_EQ(row.latency_p50, 3.5);  // of 1, 5, 2, 5, 1, 5, 2, 5
  EXPECT_EQ(row.peak_rss_bytes, 2000u);
  EXPECT_DOUBLE_EQ(row.tie_rate, 4.0 / 12);
}

TEST(Leaderboard, RanksByTheFirstMetricAndWhatHasNoFigureComesLast) {
  Results r;
  r.plan("waiting");
  const std::string bad = r.plan("broken");
  r.finish(r.plan("worse"), {1, 3, 3, 3});
  r.finish(r.plan("better"), {2, 2, 2, 3});
  r.journal(bad, "started");
  r.journal(bad, "failed", "it diverged");
  EXPECT_THAT(r.labels(), ElementsAre("better", "worse", "waiting", "broken"));
  EXPECT_EQ(r.row("waiting").status, "not run");
  EXPECT_TRUE(std::isnan(r.row("waiting").fit_seconds));
  EXPECT_TRUE(std::isnan(r.row("better").latency_p50));
  EXPECT_EQ(r.row("broken").status, "failed");
  EXPECT_EQ(r.row("broken").error, "it diverged");
  EXPECT_EQ(r.row("broken").failed, 1u);
}

TEST(Leaderboard, LessIsBetterForErrors) {
  Results r;
  r.manifest.tasks.clear();
  r.add_task("t2", "ratings", true);
  for (const auto& [label, error] : {std::pair{"far", 2.f}, {"near", 0.5f}}) {
    const std::string fit = r.plan(label, "all", 1, {"t2"});
    TrialRecord record;
    record.attributes["algorithm"] = "x";
    StoredRatings s;
    s.task = "t2";
    s.users = {0};
    s.items = {0};
    s.actual = {3};
    s.predicted = {3 + error};
    s.clip_low = 1;
    s.clip_high = 9;
    record.ratings = {s};
    write_trial(r.results.trial_file(fit), record,
                test::FakeRecommender(1, [](std::size_t, std::size_t) { return 0.f; }));
  }
  EXPECT_THAT(r.labels(), ElementsAre("near", "far"));
  EXPECT_EQ(r.row("far").metrics.at("rmse").mean, 2);
  EXPECT_THAT(render(leaderboard_table(build_leaderboards(r.results)[0]), TableFormat::kCsv, {}),
              HasSubstr("1,near,0.5,"));
}

TEST(Leaderboard, WhatBecameOfATrial) {
  Results r;
  for (const char* event : {"started", "interrupted", "finished", "failed", "timeout", "killed"}) {
    const std::string fit = r.plan(event);
    r.journal(fit, event, "why");
    const bool failed = std::string(event) == "failed" || event[0] == 't' || event[0] == 'k';
    EXPECT_EQ(r.row(event).status, failed ? "failed" : "not run") << event;
    EXPECT_EQ(r.row(event).error, failed ? "why" : "") << event;
  }
  r.finish("killed-all-1", {1, 1, 1, 1});  // a later run made it
  EXPECT_EQ(r.row("killed").status, "ok");

  r.finish(r.plan("half", "u1"), {1, 1, 1, 1});
  const std::string rest = r.plan("half", "u2");
  EXPECT_EQ(r.row("half").status, "partial");
  EXPECT_EQ(r.row("half").trials, 1u);
  r.journal(rest, "timeout", "took longer than 1 s");
  EXPECT_EQ(r.row("half").status, "failed");
  EXPECT_EQ(r.row("half").metrics.at("hr@2").mean, 1);
}

TEST(Leaderboard, ARowThatIsNotAskedIsNotShown) {
  Results r;
  r.add_task("t2", "ratings", true);
  r.finish(r.plan("lists"), {1, 1, 1, 1});
  r.plan("both", "all", 1, {"t1", "t2"});
  const auto boards = build_leaderboards(r.results);
  ASSERT_EQ(boards.size(), 2u);
  EXPECT_EQ(boards[0].rows.size(), 2u);
  ASSERT_EQ(boards[1].rows.size(), 1u);
  EXPECT_EQ(boards[1].rows[0].label, "both");
}

TEST(Leaderboard, OneTaskByNameOrId) {
  Results r;
  r.add_task("t2", "sampled99");
  r.plan("a", "all", 1, {"t1", "t2"});
  EXPECT_EQ(build_leaderboards(r.results, "sampled99").at(0).task.id, "t2");
  EXPECT_EQ(build_leaderboards(r.results, "t1").at(0).task.name, "full");
  EXPECT_EQ(message_of<UsageError>([&] { build_leaderboards(r.results, "sampled9"); }),
            r.results.root.string() + " has no task 'sampled9'; did you mean 'sampled99'? known: full, sampled99");
}

TEST(LeaderboardTable, ShowsPlacesTheBestAndWhatFailed) {
  Results r;
  r.manifest.tasks[0].sampled = true;
  r.finish(r.plan("a"), {1, 3, 3, 3});
  r.finish(r.plan("b"), {2, 2, 3, 3});
  r.plan("later");
  r.journal(r.plan("broken"), "killed", "ended by signal 6 (Aborted)");
  const Table table = leaderboard_table(build_leaderboards(r.results)[0]);
  EXPECT_EQ(render(table, TableFormat::kMarkdown, {}),
            "|  | label | hr@2 ~ | mrr@2 ~ | fit s | peak MiB | model MiB | status |\n"
            "|---:|---|---:|---:|---:|---:|---:|---|\n"
            "| 1 | b | **0.5000** | **0.2500** | 1.00 | 1.0 | 0.0 | ok |\n"
            "| 2 | a | 0.2500 | **0.2500** | 1.00 | 1.0 | 0.0 | ok |\n"
            "| - | later | - | - | - | - | - | not run |\n"
            "| ! | broken | - | - | - | - | - | failed: ended by signal 6 (Aborted) |\n");
}

TEST(LeaderboardTable, SeveralTrialsAndLatencyHaveColumns) {
  Results r;
  r.finish(r.plan("a", "u1"), {1, 3, 3, 3}, 1, {{.batch = 1, .microseconds_per_query = {2, 4}, .threads = 1}});
  r.plan("a", "u2");
  const std::string csv = render(leaderboard_table(build_leaderboards(r.results)[0]), TableFormat::kCsv, {});
  EXPECT_EQ(csv.substr(0, csv.find('\n')), ",label,hr@2,mrr@2,trials,fit s,p50 us,p99 us,peak MiB,model MiB,status");
  EXPECT_THAT(csv, HasSubstr("\n1,a,0.25,0.25,1/2,1.0,3.0,3.98,1.0,0.0,partial\n"));
}

TEST(LeaderboardJson, HasTheShapeThatScriptsRelyOn) {
  Results r;
  r.add_task("t2", "ratings", true);
  r.finish(r.plan("a"), {1, 3, 3, 3}, 1, {{.batch = 1, .microseconds_per_query = {2, 4}, .threads = 1}});
  r.journal(r.plan("b", "all", 1, {"t1", "t2"}), "failed", "bytes \xff");
  const Value json = Value::from_json(leaderboard_json(build_leaderboards(r.results)));
  std::vector<std::string> keys;
  for (const auto& e : json.entries()) keys.push_back(e.key);
  EXPECT_THAT(keys, ElementsAre("task", "rows", "tasks"));
  EXPECT_EQ(json.find("task")->find("name")->as_string(), "full");
  ASSERT_EQ(json.find("tasks")->items().size(), 2u);
  EXPECT_TRUE(*json.find("tasks")->items()[0].find("rows") == *json.find("rows"));
  EXPECT_EQ(json.find("tasks")->items()[1].find("task")->find("id")->as_string(), "t2");
  const Value &a = json.find("rows")->items()[0], &b = json.find("rows")->items()[1];
  EXPECT_EQ(a.find("metrics")->find("hr@2")->find("mean")->as_real(), 0.25);
  EXPECT_EQ(a.find("metrics")->find("hr@2")->find("n")->as_int(), 4);
  EXPECT_EQ(a.find("latency_us")->find("p50")->as_real(), 3);
  EXPECT_EQ(a.find("latency_us")->find("p50_batch")->find("1")->as_real(), 3);
  EXPECT_EQ(a.find("status")->as_string(), "ok");
  EXPECT_EQ(a.find("error"), nullptr);
  EXPECT_EQ(b.find("status")->as_string(), "failed");
  EXPECT_EQ(b.find("error")->as_string(), "bytes \xef\xbf\xbd");
  EXPECT_TRUE(b.find("fit_seconds")->is_null());
  EXPECT_TRUE(b.find("metrics")->entries().empty());
}

TEST(LearningCurves, AreThoseOfTheFirstTrialThatRan) {
  Results r;
  r.plan("a", "u1");
  r.finish(r.plan("a", "u2"), {1}, 0.25);
  r.finish(r.plan("a", "u3"), {1}, 0.125);
  r.finish(r.plan("b", "u1"), {1}, 0.75);
  const std::vector<Curve> curves = learning_curve_data(r.results);
  ASSERT_EQ(curves.size(), 2u);  // "best epoch" is no curve
  EXPECT_EQ(curves[0].label, "a");
  EXPECT_EQ(curves[0].series, "loss");
  EXPECT_THAT(curves[0].epochs, ElementsAre(1, 2));
  EXPECT_THAT(curves[0].values, ElementsAre(0.5, 0.25));
  EXPECT_EQ(curves[1].label, "b");
}

TEST(LeakLine, SaysWhatTheSplitCosts) {
  Results r;
  EXPECT_EQ(leak_line(r.results, r.manifest.tasks[0]), "");
  StoredTask task;
  task.id = "t1";
  for (int f = 0; f < 2; ++f) {
    StoredTaskFold fold;
    fold.name = fmt::format("u{}", f);
    fold.users = {"a", "b"};
    fold.leaks.truth_items = 10;
    fold.leaks.truth_unreachable = 1;
    fold.leaks.cold_users = 2;
    fold.leaks.future_share = f == 0 ? 0.5 : 0.25;
    fold.leaks.tied_time_share = 0.125;
    fold.truth_removed = 3;
    fold.truth_offsets = {0, 3, 7};
    fold.truth_items = {0, 1, 2, 3, 4, 5, 6};  // what is left of the ten
    fold.truth_gains.assign(7, 1.0f);
    fold.history_offsets = {0};
    task.folds.push_back(fold);
  }
  write_task(r.results.task_file("t1"), task);
  EXPECT_EQ(leak_line(r.results, r.manifest.tasks[0]),
            "4 queries, 14 truth items, 2 never seen in training, 6 more removed as already heard, 4 cold users; 37.5 % of "
            "training is later than what is predicted, 12.5 % tied times");
}

}  // namespace
}  // namespace segue
