// Given splits of sessions: queries that know what no model is trained on, and the last events of the latest users as
// validation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/data/filters.hpp"
#include "framework/data/split.hpp"
#include "framework/data/task.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

// Three training sessions, the last heard first by name, and two that only queries know the beginning of.
Dataset sessions() {
  DatasetBuilder b("toy");
  b.set_has_times(false);
  const auto row = [](std::string_view user, std::string_view item, std::int64_t time) {
    return DatasetBuilder::Row{.user = user, .item = item, .time = time, .kind = EventKind::kPlay};
  };
  for (const auto& [user, item, time] : {std::tuple{"c", "p", 1},
                                         {"c", "q", 2},
                                         {"b", "q", 3},
                                         {"b", "r", 4},
                                         {"b", "p", 5},
                                         {"a", "r", 6},
                                         {"a", "s", 7},
                                         {"d", "p", 8}}) {
    b.add(row(user, item, time));
    b.add_train("given", row(user, item, time));
  }
  b.add_known("given", row("x", "p", 20));
  b.add_known("given", row("x", "r", 21));
  b.add_test("given", row("x", "q", 22));
  b.add_known("given", row("y", "t", 20));
  b.add_test("given", row("y", "t", 21));
  return b.build();
}

TaskSpec given(double validation = 0, const std::string& from = "events") {
  TaskSpec spec;
  spec.split.strategy = "given";
  spec.split.validation = validation;
  spec.split.validation_from = from;
  return spec;
}

std::vector<std::string> names(const Vocab& vocab, std::span<const ItemIdx> items) {
  std::vector<std::string> out;
  for (const ItemIdx i : items) out.emplace_back(vocab[raw(i)]);
  return out;
}

std::vector<std::string> judged(const PreparedFold& fold, const EvalSet& set) {
  std::vector<std::string> out;
  for (std::size_t q = 0; q < set.size(); ++q)
    out.push_back(fmt::format("{}: {} > {}", fold.users[raw(set.users[q])],
                              fmt::join(names(fold.items, set.histories[q].items), " "),
                              fold.items[raw(set.truth_items[set.truth_offsets[q]])]));
  return out;
}

TEST(GivenSplit, QueriesKnowWhatNobodyIsTrainedOn) {
  const Dataset data = sessions();
  const PreparedFold fold = prepare_fold(data, given(), "given");
  EXPECT_EQ(fold.train_histories.n_events(), 8u);
  EXPECT_EQ(fold.train.size(), 8u);
  EXPECT_THAT(judged(fold, fold.test), UnorderedElementsAre("x: p r > q", "y: t > t"));
  EXPECT_EQ(fold.leaks.cold_users, 2u);
  EXPECT_EQ(fold.leaks.truth_unreachable, 1u) << "t is never trained on";
  // Known items are seen ones.
  ViewSpec view;
  const JudgedView without = apply_view(fold, fold.test, view);
  EXPECT_EQ(without.query.size(), 1u);
  EXPECT_THAT(names(fold.items, without.excluded_items), UnorderedElementsAre("p", "r"));
  view.repeats = "allow";
  EXPECT_EQ(apply_view(fold, fold.test, view).query.size(), 2u);
}

TEST(GivenSplit, WhatQueriesKnowIsPartOfTheDataSet) {
  const auto with = [](const char* item) {
    DatasetBuilder b("toy");
    b.declare_item("p");
    b.declare_item("q");
    b.add_train("given", {.user = "a", .item = "p"});
    b.add_known("given", {.user = "b", .item = item});
    b.add_test("given", {.user = "b", .item = "p"});
    return b.build();
  };
  EXPECT_EQ(with("p").fingerprint(), with("p").fingerprint());
  EXPECT_NE(with("p").fingerprint(), with("q").fingerprint());
  ASSERT_EQ(with("q").given[0].known.size(), 1u);
  const Dataset data = with("q"), less = restrict_dataset(data, {1, 1}, {1, 0});
  EXPECT_EQ(less.given[0].known.size(), 0u);
  EXPECT_EQ(less.given[0].test.size(), 1u);
}

TEST(GivenSplit, ValidatesByTheLastEventsOfTheLatestUsers) {
  const Dataset data = sessions();
  // Of c, b and a, who can spare an event (d cannot), two thirds: a and b.
  const PreparedFold two = prepare_fold(data, given(0.67, "last_events"), "given");
  EXPECT_THAT(judged(two, two.validation), UnorderedElementsAre("a: r > s", "b: q r > p"));
  EXPECT_EQ(two.train_histories.n_events(), 6u);
  EXPECT_THAT(judged(two, two.test), UnorderedElementsAre("x: p r > q", "y: t > t"));
  const PreparedFold one = prepare_fold(data, given(0.4, "last_events"), "given");
  EXPECT_THAT(judged(one, one.validation), ElementsAre("a: r > s"));
  const PreparedFold all = prepare_fold(data, given(1, "last_events"), "given");
  EXPECT_THAT(judged(all, all.validation), UnorderedElementsAre("a: r > s", "b: q r > p", "c: p > q"));
  EXPECT_EQ(prepare_refit(data, given(1, "last_events"), "given").train_histories.n_events(), 8u);
}

TEST(GivenSplit, UsersWhoseLastEventsAreTiedAreDrawnByHash) {
  DatasetBuilder b("toy");
  for (std::size_t u = 0; u < 40; ++u) {
    for (std::int64_t t = 0; t < 3; ++t)
      b.add_train("given", {.user = std::to_string(u), .item = std::to_string(t), .time = t, .kind = EventKind::kPlay});
  }
  b.add_test("given", {.user = "0", .item = "5", .time = 9, .kind = EventKind::kPlay});
  const Dataset data = b.build();
  const auto drawn = [&](std::uint64_t seed) {
    TaskSpec spec = given(0.25, "last_events");
    spec.split.seed = seed;
    const PreparedFold fold = prepare_fold(data, spec, "given");
    return std::vector<UserIdx>(fold.validation.users.begin(), fold.validation.users.end());
  };
  EXPECT_EQ(drawn(1).size(), 10u);
  EXPECT_EQ(drawn(1), drawn(1));
  EXPECT_NE(drawn(1), drawn(2));
  EXPECT_NE(drawn(1).back(), UserIdx{9}) << "not the first by name";
}

TEST(GivenSplit, SaysWhereLastEventsDoNotGo) {
  const auto error = [](SplitSpec spec) { return message_of<UsageError>([&] { spec.check(); }); };
  SplitSpec spec = given(1.5, "last_events").split;
  EXPECT_EQ(error(spec), "split: with validation_from: last_events, 'validation' is a share of users up to 1, not 1.5");
  spec = given(0.1, "last_events").split;
  spec.strategy = "k_fold";
  EXPECT_EQ(error(spec),
            "split: validation_from goes with given, not with k_fold, which has a rule of its own for validation");
  // Where nothing is validated it decides nothing, and is no part of the task.
  EXPECT_EQ(given(0, "last_events").canonical(), given().canonical());
  EXPECT_NE(given(0.5, "last_events").canonical(), given(0.5).canonical());
}

}  // namespace
}  // namespace segue
