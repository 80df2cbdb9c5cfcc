#include "framework/report/reproduction.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/report/html.hpp"
#include "framework/report/report.hpp"
#include "tests/support/results_folder.hpp"

namespace segue {
namespace {

using test::Results;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// hr@2 over four users; the row's ranks say how many of them are hits.
std::vector<std::uint32_t> hits(std::size_t n) {
  std::vector<std::uint32_t> ranks(4, 9);
  std::fill_n(ranks.begin(), n, 1);
  return ranks;
}

PublishedFigure figure(const std::string& label, double value, double bound, const std::string& source = "A 2020",
                       const std::string& note = "") {
  return {label, "hr@2", value, bound, source, note};
}

std::vector<Reproduction> of(Results& r, std::vector<PublishedFigure> figures) {
  r.manifest.tasks[0].published = std::move(figures);
  r.results.write_manifest(r.manifest);
  return reproductions(build_leaderboards(r.results).at(0));
}

std::vector<std::string> verdicts(const std::vector<Reproduction>& rows) {
  std::vector<std::string> out;
  for (const Reproduction& r : rows) out.emplace_back(verdict_text(r.verdict));
  return out;
}

TEST(Reproduction, TheVerdictDependsOnTheTolerance) {
  Results r;
  r.finish(r.plan("half"), hits(2));
  const auto rows = of(r, {figure("half", 0.5, 0.5), figure("half", 0.625, 0.5), figure("half", 0.625, 0.51),
                           figure("half", 0.375, 0.25), figure("half", 0.375, 0.2501)});
  EXPECT_THAT(verdicts(rows), ElementsAre("reproduced", "reproduced", "worse", "reproduced", "better"));
  for (const Reproduction& row : rows) {
    EXPECT_EQ(row.ours, 0.5);
    EXPECT_EQ(row.trials, 1u);
    EXPECT_TRUE(std::isnan(row.spread)) << "one trial spreads over nothing";
  }
}

TEST(Reproduction, WhereLowerIsBetterTheBoundIsAbove) {
  Results r;
  r.add_task("t2", "ratings", true);
  r.plan("mf", "all", 1, {"t2"});
  r.finish_ratings("mf-all-1", {0, 0, 1, 1}, {1, 1, 1, 1});
  const auto judged = [&](double value, double bound) {
    r.manifest.tasks[1].published = {{"mf", "rmse", value, bound, "A", ""}};
    r.results.write_manifest(r.manifest);
    return reproductions(build_leaderboards(r.results, "ratings").at(0)).at(0).verdict;
  };
  EXPECT_EQ(judged(0.9, 1.1), Verdict::kReproduced);
  EXPECT_EQ(judged(0.9, 0.95), Verdict::kWorse);
  EXPECT_EQ(judged(1.1, 1.15), Verdict::kBetter);
  EXPECT_EQ(judged(1.1, 1.25), Verdict::kReproduced);
}

TEST(Reproduction, OursIsTheMeanOverSeedsWithTheirSpread) {
  Results r;
  r.finish(r.plan("mf", "all", 1), hits(1));
  r.finish(r.plan("mf", "all", 2), hits(3));
  const auto rows = of(r, {figure("mf", 0.5, 0.4)});
  EXPECT_EQ(rows[0].ours, 0.5);
  EXPECT_EQ(rows[0].trials, 2u);
  EXPECT_NEAR(rows[0].spread, std::sqrt(0.125), 1e-12);  // of 0.25 and 0.75, n - 1 in the denominator
  EXPECT_THAT(render(reproduction_table(rows), TableFormat::kMarkdown),
              HasSubstr("| 0.5000 ±0.3536 | 2 | 0.0000 | reproduced |"));
  EXPECT_THAT(reproduction_notes(rows), testing::Contains(HasSubstr("standard deviation between seeds")));
}

TEST(Reproduction, FoldsOfOneSeedSpreadToo) {
  Results r;
  r.finish(r.plan("mf", "u1"), hits(1));
  r.finish(r.plan("mf", "u2"), hits(3));
  EXPECT_NEAR(of(r, {figure("mf", 0.5, 0.4)})[0].spread, std::sqrt(0.125), 1e-12);
}

TEST(Reproduction, WhatLacksTrialsReproducesNothing) {
  Results r;
  r.finish(r.plan("partly", "u1"), hits(4));
  r.plan("partly", "u2");
  r.plan("waiting");
  r.plan("broken");
  r.journal("broken-all-1", "failed", "out of memory");
  const auto rows = of(r, {figure("partly", 0.5, 0.4), figure("waiting", 0.5, 0.4), figure("broken", 0.5, 0.4)});
  EXPECT_THAT(verdicts(rows), ElementsAre("not run", "not run", "not run"));
  const std::string table = render(reproduction_table(rows), TableFormat::kText);
  EXPECT_THAT(table, AllOf(HasSubstr("not run: 1 of its 2 trials have not run"), HasSubstr("not run: out of memory")));
  for (const Reproduction& row : rows) EXPECT_FALSE(row.ours);
}

TEST(Reproduction, SourcesAreFootnotesForPeopleAndTextForPrograms) {
  Results r;
  r.finish(r.plan("a"), hits(2));
  const auto rows = of(r, {figure("a", 0.5, 0.45, "A 2020"), figure("a", 0.4, 0.35, "B 2021", "another split"),
                           figure("a", 0.6, 0.55, "A 2020")});
  EXPECT_THAT(reproduction_notes(rows),
              ElementsAre("better: by more than the tolerance", "[1] A 2020", "[2] B 2021; another split"));
  EXPECT_EQ(render(reproduction_table(rows), TableFormat::kMarkdown),
            "| label | metric | published | tolerance | ours | trials | difference | verdict | source |\n"
            "|---|---|---:|---:|---:|---:|---:|---|---|\n"
            "| a | hr@2 | 0.5000 | 0.0500 | 0.5000 | 1 | 0.0000 | reproduced | [1] |\n"
            "| a | hr@2 | 0.4000 | 0.0500 | 0.5000 | 1 | +0.1000 | better | [2] |\n"
            "| a | hr@2 | 0.6000 | 0.0500 | 0.5000 | 1 | -0.1000 | worse | [1] |\n");
  EXPECT_THAT(
      render(reproduction_table(rows, TableFormat::kCsv), TableFormat::kCsv),
      AllOf(HasSubstr("label,metric,published,bound,ours,spread,trials,difference,verdict,missing,source,note\n"),
            HasSubstr("a,hr@2,0.4,0.35,0.5,,1,0.09999999999999998,better,,B 2021,another split\n")));
  EXPECT_THAT(render(reproduction_table(rows), TableFormat::kLatex),
              AllOf(HasSubstr("tabular"), HasSubstr("$-$0.1000")));
}

TEST(Reproduction, OnlyFiguresOfShownMetrics) {
  Results r;
  r.finish(r.plan("a"), hits(2));
  of(r, {figure("a", 0.5, 0.45)});
  LeaderboardOptions options;
  options.metrics = {"mrr@2"};
  EXPECT_TRUE(reproductions(build_leaderboards(r.results, "", options).at(0)).empty());
}

TEST(Reproduction, StandsInJsonAndInTheReport) {
  Results r;
  r.finish(r.plan("a"), hits(2));
  of(r, {figure("a", 0.6, 0.55, "A <2020>")});
  EXPECT_THAT(leaderboard_json(build_leaderboards(r.results)),
              AllOf(HasSubstr("\"published\": ["), HasSubstr("\"verdict\": \"worse\"")));
  const Executor exec;
  const std::vector<ResultsFolder> folders{r.results};
  const std::string html = render_html(build_report({folders, gather_evidence(folders), {}, "", {}}, exec));
  EXPECT_THAT(html, AllOf(HasSubstr("<h4>Published figures and ours</h4>"), HasSubstr("[1] A &lt;2020&gt;")));
  r.manifest.tasks[0].published.clear();
  r.results.write_manifest(r.manifest);
  EXPECT_THAT(render_html(build_report({folders, gather_evidence(folders), {}, "", {}}, exec)),
              Not(HasSubstr("Published figures")));
  EXPECT_THAT(leaderboard_json(build_leaderboards(r.results)), Not(HasSubstr("\"published\"")));
}

// Where two folders use a label for different fits, each figure stays with its own row.
TEST(Reproduction, OfSeveralFoldersEachFollowsItsRow) {
  Results a, b;
  a.finish(a.plan("mf", "all", 1), hits(2));
  b.manifest.suite = "other";
  b.finish(b.plan("mf", "all", 2), hits(4));
  of(a, {figure("mf", 0.5, 0.45)});
  of(b, {figure("mf", 1, 0.95)});
  const std::vector<ResultsFolder> folders{a.results, b.results};
  const Executor exec;
  const auto rows = reproductions(build_leaderboard(gather_evidence(folders).at(0), {}, exec));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].published.label, "mf");
  EXPECT_EQ(rows[0].ours, 0.5);
  EXPECT_EQ(rows[1].published.label, "mf (other)");
  EXPECT_EQ(rows[1].ours, 1.0);
  // The same folder twice says everything once.
  const std::vector<ResultsFolder> twice{a.results, a.results};
  EXPECT_EQ(gather_evidence(twice).at(0).task.published.size(), 1u);
}

}  // namespace
}  // namespace segue
