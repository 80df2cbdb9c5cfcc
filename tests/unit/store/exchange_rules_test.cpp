#include "framework/store/exchange_rules.hpp"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "tests/support/messages.hpp"
#include "tests/unit/store/exchange_fixture.hpp"

namespace segue {
namespace {

using Verdict = TaskRules::Verdict;

// What the trial process lets a model recommend, item by item, is what the rules make of the task file alone.
TEST(TaskRules, AgreeWithTheViewThatTrialsAreJudgedBy) {
  struct Case {
    std::string candidates, repeats, catalogue;
    std::vector<std::string> exclude;
    double validation;
  };
  const std::vector<std::string> both{"train", "validation"}, train{"train"};
  std::size_t compared = 0, refused = 0;
  for (const Case& c : std::vector<Case>{{"full", "exclude", "all", both, 0},
                                         {"full", "exclude", "all", both, 1},
                                         {"full", "exclude", "train", both, 1},
                                         {"full", "exclude", "all", train, 0},
                                         {"full", "exclude", "all", {}, 0},
                                         {"full", "allow", "all", both, 0},
                                         {"full", "only", "all", both, 0},
                                         {"full", "only", "train", both, 1},
                                         {"sampled", "exclude", "all", both, 0},
                                         {"sampled", "exclude", "train", both, 1},
                                         {"sampled", "allow", "all", both, 0},
                                         {"sampled", "only", "all", both, 0}}) {
    TaskSpec spec;
    spec.split.test = 3;
    spec.split.validation = c.validation;
    spec.split.seed = 7;
    ViewSpec view;
    view.candidates = c.candidates;
    view.sampled = c.candidates == "sampled" ? 8 : 0;
    view.repeats = c.repeats;
    view.catalogue = c.catalogue;
    view.exclude = c.exclude;
    const test::Judged j = test::judge(test::random_log(5, 25, 60, 600), spec, view);
    SCOPED_TRACE(j.task.description);
    TaskRules rules(j.task, j.stored());
    EXPECT_EQ(rules.catalogue(), j.view.catalogue_size);
    EXPECT_EQ(rules.has_candidates(), !j.view.candidate_offsets.empty());
    EXPECT_FALSE(rules.given());
    ASSERT_GT(j.view.query.size(), 3u);
    for (std::size_t q = 0; q < j.view.query.size(); ++q) {
      rules.select(q);
      std::set<ItemIdx> allowed;
      if (!j.view.candidate_offsets.empty()) {
        const auto begin = j.view.candidate_items.begin();
        allowed.insert(begin + static_cast<long>(j.view.candidate_offsets[q]),
                       begin + static_cast<long>(j.view.candidate_offsets[q + 1]));
        EXPECT_EQ(std::set<ItemIdx>(rules.candidates().begin(), rules.candidates().end()), allowed);
      } else {
        for (std::size_t i = 0; i < j.view.catalogue.size(); ++i)
          if (j.view.catalogue[i] != 0) allowed.insert(item_at(i));
        for (std::size_t e = j.view.excluded_offsets.empty() ? 1 : j.view.excluded_offsets[q];
             !j.view.excluded_offsets.empty() && e < j.view.excluded_offsets[q + 1]; ++e)
          allowed.erase(j.view.excluded_items[e]);
      }
      for (std::uint32_t i = 0; i < j.task.item_ids.size(); ++i) {
        const bool verdict = rules.judge(i) == Verdict::kAllowed;
        EXPECT_EQ(verdict, allowed.contains(item_at(i))) << "query " << q << " item " << i;
        ++compared;
        refused += !verdict;
      }
      EXPECT_EQ(rules.tie(q, 3), tie_order(j.fold.task_seed, j.view.user_keys[q], j.fold.items.keys()[3]));
    }
  }
  EXPECT_GT(refused, compared / 10);
  EXPECT_LT(refused, compared);
}

// Where only training is excluded and there is validation, the task file cannot tell them apart.
TEST(TaskRules, RefuseNothingWhereTheHistoryIsMixed) {
  TaskSpec spec;
  spec.split.validation = 1;
  ViewSpec view;
  view.exclude = {"train"};
  const test::Judged j = test::judge(test::random_log(5, 25, 60, 600), spec, view);
  TaskRules rules(j.task, j.stored());
  rules.select(0);
  for (std::uint32_t i = 0; i < j.task.item_ids.size(); ++i) EXPECT_EQ(rules.judge(i), Verdict::kAllowed);
}

TEST(TaskRules, ADamagedDescriptionIsAnError) {
  test::Judged j = test::judge(test::random_log(5, 25, 60, 600), {}, {});
  for (const char* text : {"", "{}", R"({"task":{"split":{}},"view":{"repeats":3}})"}) {
    j.task.description = text;
    EXPECT_THAT(test::message_of<DataError>([&] { TaskRules(j.task, j.stored()); }),
                testing::StartsWith("the description of task t1 is damaged: "));
  }
}

}  // namespace
}  // namespace segue
