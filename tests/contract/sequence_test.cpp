// What models of sequences have learned: they are asked what comes next, not what a listener will like one day.
#include <algorithm>

#include <gtest/gtest.h>

#include "framework/model/history_query.hpp"
#include "framework/model/recommend.hpp"
#include "tests/contract/subjects.hpp"
#include "tests/contract/world.hpp"

namespace segue::test {
namespace {

class Sequences : public testing::TestWithParam<Subject> {};

// Queries as a trial asks them.
std::vector<Query> queries_of(const EvalSet& set) {
  std::vector<Query> queries;
  for (std::size_t q = 0; q < set.size(); ++q)
    queries.push_back(history_query(set.users[q], set.histories[q], set.now[q]));
  return queries;
}

// Every session walks a few steps around a ring, whoever hears it. What follows comes before what lies on the other
// side.
TEST_P(Sequences, WhatFollowsComesBeforeWhatIsFarAway) {
  constexpr std::size_t kRing = 24, kUsers = 240;  // enough steps of gradient descent for networks too
  DatasetBuilder builder("ring");
  builder.set_has_sessions(true);
  std::vector<std::string> names;  // ids are views
  for (std::size_t u = 0; u <= kUsers; ++u) names.push_back(world_user(u));
  for (std::size_t u = 0; u < kUsers; ++u) {
    for (std::uint32_t s = 0; s < 4; ++s) {
      // Of several lengths, or how far from the end an event stands would tell which item it is.
      const std::size_t start = u * 5 + s * 7, steps = 3 + (u + s) % 4;
      for (std::size_t p = 0; p < steps; ++p) {
        const std::string item = world_item((start + p) % kRing);
        builder.add_train("only", {names[u], item, static_cast<std::int64_t>(1000 * s + p), EventKind::kPlay, 1, s});
      }
    }
  }
  const std::string any = world_item(0);
  builder.add_test("only", {names[kUsers], any, 9000, EventKind::kPlay, 1, 0});
  TaskSpec task;
  task.split.strategy = "given";
  const PreparedFold fold = prepare_fold(builder.build(), task, "only");
  // By default networks read a listener's sessions as one sequence, and also learn what the next one begins with.
  const bool counts = !entry_of(GetParam()).info.iterative;
  Subject subject = GetParam();
  if (!counts) subject.params.set("sequences", Value::string("sessions"));
  const Fitted one = fit(subject, fold);
  std::size_t right = 0, pairs = 0;
  for (std::size_t start = 0; start < kRing; ++start) {
    std::vector<ItemIdx> history;
    const auto at = [&](std::size_t item) { return item_at(*fold.items.find(world_item(item % kRing))); };
    for (std::size_t p = 0; p < 3; ++p) history.push_back(at(start + p));
    const Query query{.user = kNoUser, .history = history};
    const Matrix<float> scores = scores_of(*one.model, {&query, 1});
    for (std::size_t far = start + 10; far < start + 16; ++far, ++pairs)
      right += scores(0, Eigen::Index(raw(at(start + 3)))) > scores(0, Eigen::Index(raw(at(far))));
  }
  // Who counts makes no mistake.
  EXPECT_GE(static_cast<double>(right), (counts ? 1.0 : 0.95) * static_cast<double>(pairs)) << "of " << pairs;
}

// On the demo data set, the next play of each listener, repeats and all, against the most played items.
TEST_P(Sequences, FindTheNextPlayMoreOftenThanPopularityDoes) {
  static const PreparedFold fold = [] {
    Value params = Value::map();
    for (const auto& [key, value] : {std::pair{"users", 300}, {"artists", 120}, {"tracks", 1200}})
      params.set(key, Value::integer(value));
    return prepare_fold(all_datasets().find("demo").make()->load(params, {}), TaskSpec{}, "all");
  }();
  constexpr std::size_t kLong = 10;
  std::vector<std::size_t> plays(fold.items.size(), 0), order(fold.items.size());
  for (std::size_t u = 0; u < fold.train_histories.size(); ++u)
    for (const ItemIdx item : fold.train_histories[u].items) ++plays[raw(item)];
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return plays[a] > plays[b]; });
  const std::vector<Query> queries = queries_of(fold.test);
  const Fitted one = fit(GetParam(), fold, 2);
  CandidatePolicy policy;
  const TopK top = recommend(*one.model, queries, policy, kLong, Executor(2));
  std::size_t found = 0, popular = 0;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const ItemIdx truth = fold.test.truth_items[fold.test.truth_offsets[q]];
    const auto row = top.row(q);
    found += std::count(row.begin(), row.end(), truth) > 0;
    popular += std::count(order.begin(), order.begin() + kLong, raw(truth)) > 0;
  }
  RecordProperty("popularity", std::to_string(popular));
  RecordProperty("found", std::to_string(found));
  EXPECT_GT(popular, 0u);
  EXPECT_GT(found, popular) << "of " << queries.size();
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Sequences);
INSTANTIATE_TEST_SUITE_P(Algorithm, Sequences, testing::ValuesIn(subjects_that(learns_sequences)), name_of);

}  // namespace
}  // namespace segue::test
