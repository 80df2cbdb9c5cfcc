#include "framework/report/gate.hpp"

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
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<GateRule> rules(const test::TempFolder& folder, const std::string& yaml) {
  write_text_file(folder / "gate.yaml", yaml);
  return read_gate(folder / "gate.yaml");
}

TEST(Gate, KeepsAndMissesFloors) {
  const test::TempFolder folder;
  Results r;
  r.finish(r.plan("a"), {1, 2, 9, 9}, 3);
  r.finish(r.plan("half", "u1"), {1, 1, 1, 1});
  r.plan("half", "u2");
  const auto boards = build_leaderboards(r.results);
  const auto results = check_gate(rules(folder, "- {label: a, metric: hr@2, min: 0.5}\n"
                                                "- {label: a, metric: hr@2, min: 0.51}\n"
                                                "- {task: full, label: a, metric: hr@2, min: 0.5, use: low}\n"
                                                "- {label: a, metric: fit_seconds, max: 3}\n"
                                                "- {label: a, metric: fit_seconds, max: 2.9}\n"
                                                "- {label: nobody, metric: hr@2, min: 0}\n"
                                                "- {label: half, metric: hr@2, min: 0.1}\n"),
                                  boards);
  std::vector<bool> kept;
  for (const auto& g : results) kept.push_back(g.kept);
  EXPECT_THAT(kept, ElementsAre(true, false, false, true, false, false, false));
  EXPECT_EQ(results[1].text, "a hr@2 = 0.5, must be >= 0.51");
  EXPECT_EQ(results[5].text, "nobody hr@2 is missing (there is no such row; known: half, a), must be >= 0");
  EXPECT_EQ(results[6].text, "half hr@2 is missing (1 of its 2 trials have not run), must be >= 0.1");
  EXPECT_EQ(check_gate(rules(folder, "- {label: a, metric: coverage@2, min: 0.1, max: 0.9, use: low}\n"), boards)[0].text,
            "a coverage@2 (low) is missing (it was not measured), must be >= 0.1 and <= 0.9");
}

// Nobody measured an imported row: neither is 0 a figure of it, nor does it keep a promise.
TEST(Gate, WhatWasNotMeasuredIsMissing) {
  const test::TempFolder folder;
  Results r;
  r.finish(r.plan("imported"), {1, 9}, std::nan(""), {}, 0);
  const auto boards = build_leaderboards(r.results);
  for (const char* cost : {"fit_seconds", "latency_p50_us", "peak_rss_mib", "model_mib"})
    EXPECT_EQ(check_gate(rules(folder, fmt::format("- {{label: imported, metric: {}, max: 9}}\n", cost)), boards)[0].text,
              fmt::format("imported {} is missing (it was not measured), must be <= 9", cost));
  EXPECT_THAT(render(leaderboard_table(boards[0]), TableFormat::kMarkdown, {}), HasSubstr("| - | - | - |\n"));
  EXPECT_THAT(leaderboard_json(boards), testing::AllOf(HasSubstr("\"peak_rss_bytes\": null"), HasSubstr("\"model_bytes\": null")));
}

TEST(Gate, AsksForMetricsThatTheSuiteDoesNotName) {
  const test::TempFolder folder;
  Results r;
  r.plan("a");
  EXPECT_THAT(gate_metrics(rules(folder, "- {label: a, metric: hr@2, min: 0}\n- {label: a, metric: recall@7, min: 0}\n- {label: a, metric: recall@7, max: 1}\n"
                                         "- {task: other, label: a, metric: hr@9, min: 0}\n"),
                           r.manifest.tasks[0]),
              ElementsAre("recall@7"));
}

TEST(Gate, WrongRulesAreNamed) {
  const test::TempFolder folder;
  const auto message = [&](const std::string& yaml) { return message_of<UsageError>([&] { rules(folder, yaml); }); };
  EXPECT_THAT(message("label: a\n"), HasSubstr("gate.yaml:1:1: a gate is a list of rules"));
  EXPECT_THAT(message("- {label: a, metric: hr@2}\n"), HasSubstr("gate.yaml:1:3: a rule needs min or max"));
  EXPECT_THAT(message("- {label: a, metric: hr@2, min: 1, max: 0.5}\n"), HasSubstr("gate.yaml:1:3: min is above max"));
  EXPECT_THAT(message("- {metric: hr@2, min: 1}\n"), HasSubstr("a rule needs a label and a metric"));
  EXPECT_THAT(message("- {label: a, metric: ndgc@10, min: 1}\n"), HasSubstr("did you mean 'ndcg'"));
  EXPECT_THAT(message("- {label: a, metric: hr@2, mni: 1}\n"), HasSubstr("unknown key 'mni'"));
  EXPECT_THAT(message("- {label: a, metric: fit_seconds, max: 1, use: low}\n"), HasSubstr("no interval"));
  Results r;
  r.plan("a");
  const auto boards = build_leaderboards(r.results);
  EXPECT_THAT(message_of<UsageError>([&] { check_gate(rules(folder, "- {task: fulll, label: a, metric: hr@2, min: 1}\n"), boards); }),
              HasSubstr("unknown task 'fulll'; did you mean 'full'"));
}

}  // namespace
}  // namespace segue
