#include "framework/report/latex_numbers.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::HasSubstr;
using testing::Not;

Leaderboard board(const std::string& suite = "toy") {
  Leaderboard b;
  b.task.id = "0123";
  b.task.name = "full";
  b.task.dataset_title = "Songs & tags";
  b.task.metrics = {"ndcg@10", "coverage@10"};
  b.task.description =
      R"({"task":{"split":{"strategy":"global_time","test":0.1}},"view":{"exclude":["train","validation"]}})";
  b.leaks = "0.5 % of training is later";
  LeaderboardRow best;
  best.label = "item_knn";
  best.suite = suite;
  best.params = R"({"neighbours":50,"shrinkage":5.0,"similarity":"cosine"})";
  best.status = "ok";
  best.trials = best.planned = 1;
  best.metrics["ndcg@10"] = {.mean = 0.08124,
                             .stddev = 0,
                             .seed_stddev = 0,
                             .n = 6040,
                             .low = 0.0712,
                             .high = 0.1,
                             .best = true,
                             .p_best = NAN};
  best.metrics["coverage@10"] = {.mean = 0.25, .n = 6040, .best = true};
  best.fit_seconds = 12.345;
  best.latency_p50 = 7.125;
  best.latency_p99 = NAN;
  best.latency_p50_by_batch = {{1, 7.125}, {256, 3.25}};
  best.peak_rss_bytes = 3 << 20;
  b.rows.push_back(best);
  LeaderboardRow second = best;
  second.label = "50%_off";
  second.metrics["ndcg@10"] = {.mean = 0.08, .n = 6040, .low = 0.07, .high = 0.09, .p_best = 0.25, .tied = true};
  b.rows.push_back(second);
  LeaderboardRow failed;
  failed.label = "broken";
  failed.suite = suite;
  failed.status = "failed";
  failed.failed = 1;
  b.rows.push_back(failed);
  return b;
}

std::string line(const std::string& key, const std::string& text, const std::string& value) {
  return "\\seguenumber{" + key + "}{" + text + "}{" + value + "}\n";
}

TEST(LatexNumbers, EveryFigureHasAName) {
  const std::string out = latex_numbers({board()});
  const auto defines = [&](const std::string& key, const std::string& text, const std::string& value) {
    EXPECT_THAT(out, HasSubstr(line(key, text, value)));
  };
  defines("suite/toy", "toy", "toy");
  defines("toy/full/item_knn/ndcg@10", "0.0812", "0.08124");
  defines("toy/full/item_knn/ndcg@10/low", "0.0712", "0.0712");
  defines("toy/full/item_knn/ndcg@10/high", "0.1000", "0.1");
  defines("toy/full/item_knn/ndcg@10/half", "0.0188", "0.01876");
  defines("toy/full/item_knn/ndcg@10/n", "6,040", "6040");
  defines("toy/full/item_knn/ndcg@10/mark", "best", "best");
  defines("toy/full/item_knn/fit", "12", "12.345");
  defines("toy/full/item_knn/p50", "7.1", "7.125");
  defines("toy/full/item_knn/batch", "256", "256");
  defines("toy/full/item_knn/p50/batch", "3.2", "3.25");
  defines("toy/full/item_knn/peak", "3.0", "3");
  defines("toy/full/item_knn/param/neighbours", "50", "50");
  defines("toy/full/item_knn/param/shrinkage", "5", "5");
  defines("toy/full/item_knn/place", "1", "1");
  defines("toy/full/ndcg@10/best", "item\\_knn", "item_knn");
  defines("toy/full/ndcg@10/tied", "1", "1");
  defines("toy/full/queries", "6,040", "6040");
  defines("toy/full/rows", "2", "2");
  defines("toy/full/dataset", "Songs \\& tags", "Songs - tags");
  defines("toy/full/leaks", "0.5 \\% of training is later", "0.5 - of training is later");
  defines("toy/full/setting/split.test", "0.1", "0.1");
  defines("toy/full/setting/exclude", "train, validation", "train, validation");
  defines("inference/level", "95", "95");
}

TEST(LatexNumbers, LabelsBecomeKeysThatTexCanRead) {
  const std::string out = latex_numbers({board()});
  EXPECT_THAT(out, HasSubstr(line("toy/full/50-_off/ndcg@10", "0.0800", "0.08")));
  EXPECT_THAT(out, HasSubstr(line("toy/full/50-_off/ndcg@10/mark", "tied", "tied")));
  EXPECT_THAT(out, HasSubstr(line("toy/full/50-_off/ndcg@10/p", "0.2500", "0.25")));
  EXPECT_EQ(latex_key("a\\b{c}#d%e&f~g^h$i/j"), "a-b-c--d-e-f-g-h-i-j");
  EXPECT_EQ(latex_key("als factors=64, reg=0.1"), "als factors=64, reg=0.1");
}

TEST(LatexNumbers, WhatIsNotThereHasNoLine) {
  const std::string out = latex_numbers({board()});
  EXPECT_THAT(out, Not(HasSubstr("broken"))) << "failed";
  EXPECT_THAT(out, Not(HasSubstr("p99"))) << "not measured";
  EXPECT_THAT(out, Not(HasSubstr("coverage@10/low"))) << "no interval over the union of lists";
  EXPECT_THAT(out, Not(HasSubstr("stddev"))) << "one trial";
  EXPECT_THAT(out, Not(HasSubstr("item_knn/ndcg@10/p}"))) << "the best is not compared with itself";
  EXPECT_THAT(out, Not(HasSubstr("nan")));
}

TEST(LatexNumbers, SuitesAreKeptApartAndOneNameForTwoFiguresIsRefused) {
  Leaderboard both = board();
  both.rows.push_back(board("other").rows[0]);
  both.rows.back().label = "item_knn (other)";
  both.rows.back().metrics["ndcg@10"].mean = 0.05;
  const std::string out = latex_numbers({both});
  EXPECT_THAT(out, HasSubstr(line("other/full/item_knn (other)/ndcg@10", "0.0500", "0.05")));
  EXPECT_THAT(out, HasSubstr(line("other/full/rows", "1", "1")));
  EXPECT_THAT(message_of<UsageError>([] {
                latex_numbers({board(), board()});
              }),
              HasSubstr("two figures would be called 'toy/full/id'"));
}

}  // namespace
}  // namespace segue
