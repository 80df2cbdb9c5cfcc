#include "framework/report/leaks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/results_folder.hpp"

namespace segue {
namespace {

using test::Results;

TEST(LeakLine, SaysWhatTheSplitCosts) {
  Results r;
  r.plan("a");
  EXPECT_EQ(leak_line(r.evidence()), "");
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
  EXPECT_EQ(leak_line(r.evidence()),
            "4 queries, 14 truth items, 2 never seen in training, 6 more removed as already heard, 4 cold users; 37.5 % of "
            "training is later than what is predicted, 12.5 % tied times");
  TaskEvidence ratings = r.evidence();
  ratings.task.ratings = true;
  EXPECT_THAT(leak_line(ratings), testing::StartsWith("14 test ratings in 2 folds, 2 never seen in training,"));
}

}  // namespace
}  // namespace segue
