#include "framework/report/leaderboard.hpp"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/param/value.hpp"
#include "framework/report/cache.hpp"
#include "framework/report/comparison.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/results_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using test::Results;

LeaderboardOptions means_only() {
  LeaderboardOptions options;
  options.inference = false;
  return options;
}

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
  for (const auto& [label, error] : {std::pair{"far", 2.f}, {"near", 0.5f}})
    r.finish_ratings(r.plan(label, "all", 1, {"t2"}), {0}, {error});
  EXPECT_THAT(r.labels(), ElementsAre("near", "far"));
  EXPECT_EQ(r.row("far").metrics.at("rmse").mean, 2);
  EXPECT_THAT(render(leaderboard_table(build_leaderboards(r.results, "", means_only())[0], TableFormat::kCsv), TableFormat::kCsv, {}),
              HasSubstr("1,near,algorithm of near,toy,ok,,false,0.5,"));
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

TEST(Leaderboard, ADamagedFileIsARow) {
  for (const bool two_tasks : {false, true}) {
    Results r;
    if (two_tasks) r.add_task("t2", "ratings", true);
    r.finish(r.plan("whole"), {1, 1, 1, 1});
    r.finish(r.plan("cut"), {1, 1, 1, 1});
    std::filesystem::resize_file(r.results.trial_file("cut-all-1"), 100);
    EXPECT_THAT(r.labels(), ElementsAre("whole", "cut"));
    EXPECT_EQ(r.row("cut").status, "failed");
    EXPECT_EQ(r.row("cut").trials, 0u);
    EXPECT_THAT(r.row("cut").error, HasSubstr("cut-all-1.h5"));
    EXPECT_EQ(r.row("whole").status, "ok");
  }
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
  const Table table = leaderboard_table(build_leaderboards(r.results, "", means_only())[0]);
  EXPECT_EQ(render(table, TableFormat::kMarkdown, {}),
            "|  | label | hr@2 ~ | mrr@2 ~ | fit s | peak MiB | model MiB | status |\n"
            "|---:|---|---:|---:|---:|---:|---:|---|\n"
            "| 1 | b | **0.5000** | **0.2500** | 1.00 | 1.0 | 0.0 | ok |\n"
            "| 2 | a | 0.2500 | **0.2500** | 1.00 | 1.0 | 0.0 | ok |\n"
            "| - | later | - | - | - | - | - | not run |\n"
            "| ! | broken | - | - | - | - | - | failed: ended by signal 6 (Aborted) |\n");
}

TEST(LeaderboardTable, SaysOnWhichDataSettingsWereCompared) {
  Results r;
  for (const char* label : {"a", "a (tuned)", "g x=1", "g x=2", "g x=3"}) r.finish(r.plan(label), {1, 2, 0});
  const auto notes = [&] {
    std::string out;
    for (const std::string& note : leaderboard_notes(build_leaderboards(r.results).front())) out += note + "\n";
    return out;
  };
  const auto tried = [&] {
    std::map<std::string, std::size_t> out;
    const Leaderboard board = build_leaderboards(r.results).front();
    for (const LeaderboardRow& row : board.rows) out[row.label] = row.tried;
    return out;
  };
  EXPECT_THAT(notes(), Not(HasSubstr("tried")));
  r.manifest.trials[1].tuned = 40;
  r.results.write_manifest(r.manifest);
  EXPECT_EQ(tried()["a (tuned)"], 40u);
  EXPECT_EQ(tried()["a"], 1u);
  EXPECT_THAT(notes(), HasSubstr("tried: of a tuned row, settings that its tuner compared on validation data alone"));
  EXPECT_THAT(notes(), Not(HasSubstr("test data")));
  for (std::size_t i = 2; i < 5; ++i) r.manifest.trials[i].group = "g";
  r.results.write_manifest(r.manifest);
  EXPECT_EQ(tried()["g x=2"], 3u);
  EXPECT_EQ(tried()["a (tuned)"], 40u);
  EXPECT_THAT(notes(),
              HasSubstr("compared on these very test data; the best of many is flattered. Of a tuned row: settings"));
  EXPECT_THAT(leaderboard_json(build_leaderboards(r.results)), HasSubstr("\"tuned\": true"));
}

TEST(LeaderboardTable, TunedRowsStandAgainstTheEntrysOwn) {
  Results r;
  r.finish(r.plan("a"), {1, 2, 0, 0});
  r.finish(r.plan("a (tuned)"), {1, 1, 2, 0});
  r.finish(r.plan("b"), {1, 1, 1, 1});
  r.finish(r.plan("b (tuned)"), {1, 1, 1, 0});
  for (const std::size_t i : {std::size_t{1}, std::size_t{3}}) {
    r.manifest.trials[i].tuned = 40;
    r.manifest.trials[i].tuned_from = i == 1 ? "a" : "b";
  }
  const auto board = [&] {
    r.results.write_manifest(r.manifest);
    return build_leaderboards(r.results, "", means_only()).front();
  };
  EXPECT_EQ(render(leaderboard_table(board()), TableFormat::kMarkdown, {}),
            "|  | label | hr@2 | mrr@2 | tried | gain | fit s | peak MiB | model MiB |\n"
            "|---:|---|---:|---:|---:|---:|---:|---:|---:|\n"
            "| 1 | b | **1.0000** | **1.0000** | 1 | - | 1.00 | 1.0 | 0.0 |\n"
            "| 2 | a (tuned) | 0.7500 | 0.6250 | 40 | +0.2500 | 1.00 | 1.0 | 0.0 |\n"
            "| 3 | b (tuned) | 0.7500 | 0.7500 | 40 | -0.2500 | 1.00 | 1.0 | 0.0 |\n"
            "| 4 | a | 0.5000 | 0.3750 | 1 | - | 1.00 | 1.0 | 0.0 |\n");
  for (const TableFormat format : {TableFormat::kLatex, TableFormat::kHtml, TableFormat::kText}) {
    const std::string text = render(leaderboard_table(board(), format), format, {});
    EXPECT_THAT(text, HasSubstr("tried"));
    EXPECT_THAT(text, HasSubstr("40"));
    EXPECT_THAT(text, HasSubstr("0.2500"));
  }
  const std::string csv = render(leaderboard_table(board(), TableFormat::kCsv), TableFormat::kCsv, {});
  EXPECT_THAT(csv, HasSubstr(",tried,tuned from,gain,refit,"));
  EXPECT_THAT(csv, HasSubstr(",1,1,40,a,0.25,false,"));
  EXPECT_THAT(csv, HasSubstr(",1,1,40,b,-0.25,false,"));
  // The same from the cache.
  const Executor exec;
  for (const bool fresh : {true, false})
    EXPECT_EQ(leaderboard_json({cached_leaderboard(r.evidence(), means_only(), exec, fresh)}), leaderboard_json({board()}));

  const auto notes = [&] { return leaderboard_notes(board()); };
  EXPECT_THAT(notes(), testing::Contains(HasSubstr("gain: in hr@2, over the row with the entry's own settings")));
  EXPECT_THAT(notes(), Not(testing::Contains(HasSubstr("unequal"))));
  EXPECT_THAT(notes(), Not(testing::Contains(HasSubstr("trained on"))));
  r.manifest.trials[1].tuned = 12;
  r.manifest.trials[3].refit = true;
  EXPECT_THAT(notes(), testing::Contains("tuned rows had unequal budgets: 12 to 40 settings"));
  EXPECT_THAT(notes(), testing::Contains("trained on training and validation data, unlike the other rows: b (tuned)"));
  // Less is better of some metrics; a row that is not there is not compared with.
  r.manifest.trials[3].tuned_from = "elsewhere";
  EXPECT_TRUE(std::isnan(board().rows[2].gain));
  EXPECT_EQ(board().rows[2].tuned_from, "");
}

TEST(LeaderboardTable, SeveralTrialsAndLatencyHaveColumns) {
  Results r;
  r.finish(r.plan("a", "u1"), {1, 3, 3, 3}, 1, {{.batch = 1, .microseconds_per_query = {2, 4}, .threads = 1}});
  r.plan("a", "u2");
  const Leaderboard board = build_leaderboards(r.results, "", means_only())[0];
  EXPECT_EQ(render(leaderboard_table(board), TableFormat::kMarkdown, {}),
            "|  | label | hr@2 | mrr@2 | trials | fit s | p50 us | p99 us | peak MiB | model MiB | status |\n"
            "|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---|\n"
            "| 1 | a | **0.2500** | **0.2500** | 1/2 | 1.00 | 3.0 | 4.0 | 1.0 | 0.0 | partial |\n");
  EXPECT_EQ(render(leaderboard_table(board, TableFormat::kCsv), TableFormat::kCsv, {}),
            "rank,label,algorithm,suite,status,error,sampled,hr@2,mrr@2,trials,planned trials,tried,tuned from,gain,refit,fit s,p50 us,p99 us,peak MiB,model MiB\n"
            "1,a,algorithm of a,toy,partial,,false,0.25,0.25,1,2,1,,,false,1.0,3.0,3.98,1.0,0.0\n");
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

// 40 users; `hits` of them are hit at the first place, those from `from` on.
std::vector<std::uint32_t> hits(std::size_t from, std::size_t hits) {
  std::vector<std::uint32_t> ranks(40, 9);
  for (std::size_t i = 0; i < hits; ++i) ranks[(from + i) % 40] = 1;
  return ranks;
}

TEST(Leaderboard, SaysHowSureItsFiguresAre) {
  Results r;
  r.finish(r.plan("best"), hits(0, 30));
  r.finish(r.plan("close"), hits(1, 29));  // three users differ
  r.finish(r.plan("far"), hits(0, 8));
  const Leaderboard board = build_leaderboards(r.results).at(0);
  ASSERT_EQ(board.rows[0].label, "best");
  const MetricSummary &best = board.rows[0].metrics.at("hr@2"), &close = board.rows[1].metrics.at("hr@2"), &far = board.rows[2].metrics.at("hr@2");
  EXPECT_TRUE(best.best);
  EXPECT_FALSE(best.tied);
  EXPECT_TRUE(std::isnan(best.p_best));
  EXPECT_TRUE(close.tied);
  EXPECT_DOUBLE_EQ(close.p_best, 1);  // one win: both signs of a single difference are as extreme
  EXPECT_FALSE(far.tied);
  EXPECT_LT(far.p_best, 0.001);
  // A share of 0.75 of 40: the standard error is 0.0685.
  EXPECT_NEAR(best.low, 0.75 - 1.96 * 0.0685, 0.03);
  EXPECT_NEAR(best.high, 0.75 + 1.96 * 0.0685, 0.03);
  const std::string text = render(leaderboard_table(board), TableFormat::kMarkdown, {});
  EXPECT_THAT(text, HasSubstr("| 1 | best | **0.7500 ±"));
  EXPECT_THAT(text, HasSubstr("≈ |"));
  EXPECT_THAT(leaderboard_notes(board), testing::Contains(HasSubstr("not distinguishable from the best")));
  const std::string csv = render(leaderboard_table(board, TableFormat::kCsv), TableFormat::kCsv, {});
  EXPECT_THAT(csv, HasSubstr(",sampled,hr@2,hr@2 low,hr@2 high,hr@2 p_best,mrr@2,mrr@2 low,mrr@2 high,mrr@2 p_best,trials,"));
}

TEST(Leaderboard, ARowWithoutAllItsFoldsIsNotTested) {
  Results r;
  for (const char* fold : {"u1", "u2"}) r.finish(r.plan("whole", fold), hits(0, 20));
  r.finish(r.plan("half", "u1"), hits(0, 39));
  r.plan("half", "u2");
  const Leaderboard board = build_leaderboards(r.results).at(0);
  EXPECT_EQ(board.rows[0].label, "half");
  EXPECT_TRUE(std::isnan(board.rows[0].metrics.at("hr@2").low));
  EXPECT_FALSE(std::isnan(board.rows[1].metrics.at("hr@2").low));
  EXPECT_FALSE(board.rows[0].metrics.at("hr@2").best) << "a figure of half the folds is no figure of the task";
  EXPECT_TRUE(board.rows[1].metrics.at("hr@2").best) << "with which all others are compared";
  EXPECT_THAT(leaderboard_notes(board), testing::Contains(HasSubstr("a row that lacks trials")));
}

TEST(Leaderboard, OneUserTellsNothingOfOthers) {
  Results r;
  r.finish(r.plan("a"), {1});
  r.finish(r.plan("b"), {2});
  const MetricSummary s = build_leaderboards(r.results).at(0).rows[1].metrics.at("mrr@2");
  EXPECT_EQ(s.mean, 0.5);
  EXPECT_TRUE(std::isnan(s.low));
  EXPECT_TRUE(std::isnan(s.p_best));
}

TEST(Leaderboard, ADescriptiveMetricHasNoBest) {
  Results r;
  r.write_users({{"all", {"u", "v", "w"}}});
  r.finish(r.plan("a"), {1, 2, 9});
  r.finish(r.plan("b"), {1, 2, 9});
  LeaderboardOptions options;
  options.metrics = {"repeat_share@2"};
  const std::vector<Leaderboard> boards = build_leaderboards(r.results, "", options);
  for (const LeaderboardRow& row : boards.at(0).rows) {
    const MetricSummary& s = row.metrics.at("repeat_share@2");
    EXPECT_FALSE(std::isnan(s.low));
    EXPECT_FALSE(s.best);
    EXPECT_FALSE(s.tied);
    EXPECT_TRUE(std::isnan(s.p_best));
  }
}

// Rows are read by several threads, the task file by whichever comes first.
TEST(Leaderboard, SameBitsForAnyThreads) {
  Results r;
  std::vector<std::string> users;
  for (int u = 0; u < 40; ++u) users.insert(users.end(), static_cast<std::size_t>(1 + u % 3), std::to_string(u));
  r.write_users({{"f1", users}, {"f2", users}});
  for (std::uint32_t row = 0; row < 20; ++row)
    for (const char* fold : {"f1", "f2"}) {
      std::vector<std::uint32_t> ranks;
      for (std::uint32_t q = 0; q < users.size(); ++q) ranks.push_back(1 + (q * (row + 3) + fold[1]) % 7);
      r.finish(r.plan(fmt::format("row{}", row), fold), ranks);
    }
  LeaderboardOptions options;
  options.metrics = {"mrr@9", "hr@3:reachable", "novelty@2", "coverage@2"};
  const Executor one(1);
  const std::string expected = leaderboard_json({build_leaderboard(r.evidence(), options, one)});
  for (const int threads : {2, 3, 8}) {
    const Executor exec(threads);
    EXPECT_EQ(leaderboard_json({build_leaderboard(r.evidence(), options, exec)}), expected) << threads << " threads";
  }
}

// What the table says of two rows is what the comparison says.
TEST(Leaderboard, TestsAsTheComparisonDoes) {
  Results r;
  std::vector<std::string> users;
  for (int u = 0; u < 30; ++u) users.insert(users.end(), static_cast<std::size_t>(1 + u % 7), std::to_string(u));
  r.write_users({{"all", users}});
  std::vector<std::uint32_t> x, y;
  for (std::uint32_t q = 0; q < users.size(); ++q) x.push_back(1 + q / 2 % 3), y.push_back(1 + q % 3);
  r.finish(r.plan("x"), x);
  r.finish(r.plan("y"), y);
  const Executor exec;
  const Comparison c = compare(r.evidence(), parse_metric("mrr@2"), {}, exec);
  LeaderboardOptions options;
  options.metrics = {"mrr@2"};
  options.resamples = 10000;
  const Leaderboard board = build_leaderboard(r.evidence(), options, exec);
  ASSERT_EQ(board.rows[1].label, c.rows[1].label);
  EXPECT_EQ(board.rows[1].metrics.at("mrr@2").p_best, c.pairs[0].p);
  EXPECT_GT(c.pairs[0].p, 1e-3);
  EXPECT_EQ(board.rows[1].metrics.at("mrr@2").low, c.rows[1].interval.low);
}

TEST(Leaderboard, AnyMetricCanBeAskedFor) {
  Results r;
  r.finish(r.plan("a"), {1, 2, 9, 9});
  LeaderboardOptions options;
  options.metrics = {"hr@1", "coverage@2", "hr@1"};
  const Leaderboard board = build_leaderboards(r.results, "", options).at(0);
  EXPECT_THAT(board.task.metrics, ElementsAre("hr@1", "coverage@2")) << "one column for what is asked twice";
  EXPECT_DOUBLE_EQ(board.rows[0].metrics.at("hr@1").mean, 0.25);
  EXPECT_DOUBLE_EQ(board.rows[0].metrics.at("coverage@2").mean, 2.0 / 9);
  EXPECT_TRUE(std::isnan(board.rows[0].metrics.at("coverage@2").low)) << "one figure for all lists has no spread over users";
  options.metrics = {"coverage@9", "hr@1", "ild_tags@2"};
  r.finish(r.plan("b"), {1, 2, 9, 9});
  const Executor exec;
  for (const bool fresh : {true, false}) {
    const auto notes = leaderboard_notes(cached_leaderboard(r.evidence(), options, exec, fresh));
    EXPECT_THAT(notes, testing::Contains(HasSubstr("coverage@9 needs lists of 9 items, and the stored ones have 2"))) << "a dash says why";
    EXPECT_THAT(notes, testing::Contains(HasSubstr("ild_tags@2 needs tags")).Times(1));
  }
}

TEST(CachedLeaderboard, IsTheSameAndIsFoundAgain) {
  Results r;
  r.finish(r.plan("a"), hits(0, 30), 1, {{.batch = 1, .microseconds_per_query = {2, 4}, .threads = 1}});
  r.finish(r.plan("b"), hits(5, 20));
  r.journal(r.plan("broken"), "failed", "why");
  const Executor exec;
  const std::string plain = leaderboard_json({build_leaderboard(r.evidence(), {}, exec)});
  EXPECT_EQ(leaderboard_json({cached_leaderboard(r.evidence(), {}, exec)}), plain);
  EXPECT_EQ(leaderboard_json({cached_leaderboard(r.evidence(), {}, exec)}), plain);
  const auto file = r.results.root / "cache/leaderboard-t1.json";
  std::string kept = read_text_file(file);
  kept.replace(kept.find("\"a\""), 3, "\"z\"");
  write_text_file(file, kept);
  EXPECT_EQ(cached_leaderboard(r.evidence(), {}, exec).rows[0].label, "z") << "the second time nothing is computed";
  EXPECT_EQ(leaderboard_json({cached_leaderboard(r.evidence(), {}, exec, true)}), plain);
  write_text_file(file, "{");
  EXPECT_EQ(leaderboard_json({cached_leaderboard(r.evidence(), {}, exec)}), plain);
  r.finish("b-all-1", hits(5, 21));  // a file changed
  EXPECT_DOUBLE_EQ(cached_leaderboard(r.evidence(), {}, exec).rows[1].metrics.at("hr@2").mean, 21.0 / 40);
  LeaderboardOptions other;
  other.alpha = 0.01;
  EXPECT_EQ(leaderboard_json({cached_leaderboard(r.evidence(), other, exec)}), leaderboard_json({build_leaderboard(r.evidence(), other, exec)}));
}

}  // namespace
}  // namespace segue
