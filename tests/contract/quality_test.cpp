// Whether a model has learned anything. What is asked follows from its capabilities: baselines learn nothing about
// pairs of users and items, models of ratings are judged on ratings, models of sequences on what comes next
// (sequence_test.cpp), the others on lists.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "framework/model/recommend.hpp"
#include "tests/contract/subjects.hpp"
#include "tests/contract/world.hpp"

namespace segue::test {
namespace {

class Camps : public testing::TestWithParam<Subject> {};
class Lists : public testing::TestWithParam<Subject> {};
class Ratings : public testing::TestWithParam<Subject> {};

// Two camps: of the items that a listener's training lacks, the withheld one of the own camp comes before all of the
// other's.
TEST_P(Camps, TheWithheldItemComesFirst) {
  if (const std::string why = learns_nothing_because(GetParam()); !why.empty())
    GTEST_SKIP() << GetParam().algorithm << " " << why;
  const PreparedFold fold = make_world({.ratings = learns_ratings(GetParam())});
  const Fitted one = fit(GetParam(), fold);
  for (std::size_t u = 0; u + 2 < kWorldUsers; ++u) {
    const std::size_t user = *fold.users.find(world_user(u)), item = *fold.items.find(world_item(withheld(u)));
    const HistoryView history = fold.train_histories[user];
    Query query;
    query.user = user_at(user);
    query.history = history.items;
    query.times = history.times;
    query.weights = history.weights;
    query.kinds = history.kinds;
    query.now = history.times.back() + 1;
    query.session_begin = history.items.size();
    const Matrix<float> scores = scores_of(*one.model, {&query, 1});
    for (std::size_t other = u % 2 == 0 ? 1 : 0; other + 1 < kWorldItems; other += 2) {
      const std::size_t stranger = *fold.items.find(world_item(other));
      EXPECT_GT(scores(0, static_cast<Eigen::Index>(item)), scores(0, static_cast<Eigen::Index>(stranger)))
          << world_user(u) << ": " << world_item(withheld(u)) << " against " << world_item(other);
    }
  }
}

// Share of listeners with one of the items to come among the ten recommended; what they know is left out.
double hit_rate(const Recommender& model, const PreparedFold& fold) {
  ViewSpec view_spec;
  const JudgedView view = apply_view(fold, fold.test, view_spec);
  std::vector<Query> queries(view.query.size());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const HistoryView h = fold.test.histories[view.query[q]];
    queries[q].user = fold.test.users[view.query[q]];
    queries[q].history = h.items;
    queries[q].times = h.times;
    queries[q].weights = h.weights;
    queries[q].kinds = h.kinds;
    queries[q].now = fold.test.now[view.query[q]];
    queries[q].session_begin = h.items.size();
  }
  CandidatePolicy policy;
  policy.catalogue = view.catalogue;
  policy.excluded = {view.excluded_offsets, view.excluded_items};
  const TopK top = recommend(model, queries, policy, 10, Executor(2));
  double hits = 0;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const auto truth =
        std::span(view.truth_items).subspan(view.truth_offsets[q], view.truth_offsets[q + 1] - view.truth_offsets[q]);
    const auto row = top.row(q);
    hits += std::any_of(row.begin(), row.end(),
                        [&](ItemIdx i) { return std::binary_search(truth.begin(), truth.end(), i); });
  }
  return hits / static_cast<double>(queries.size());
}

// On the demo data set, lists beat those that are the same for everybody: popularity counted here, not by an algorithm.
TEST_P(Lists, BeatPopularity) {
  const PreparedFold& fold = demo_fold();

  class Counts final : public Recommender {
   public:
    void fit(const TrainData& data, FitContext&) override {
      counts_.assign(data.train.n_items(), 0);
      for (ItemIdx i : data.train.by_user().all_indices()) ++counts_[raw(i)];
    }
    void score(std::span<const Query>, MatRef<float> out) const override {
      for (Eigen::Index q = 0; q < out.rows(); ++q)
        for (Eigen::Index i = 0; i < out.cols(); ++i) out(q, i) = counts_[static_cast<std::size_t>(i)];
    }
    std::size_t n_items() const override { return counts_.size(); }
    void save(ArchiveWriter&) const override {}
    void load(const ArchiveReader&) override {}

   private:
    std::vector<float> counts_;
  } popular;
  Curve curve;
  const Executor exec(2);
  FitContext ctx{exec, Rng(1), curve};
  popular.fit({fold.train, fold.train_histories, fold.facets}, ctx);

  const double floor = hit_rate(popular, fold), reached = hit_rate(*fit(GetParam(), fold, 2).model, fold);
  RecordProperty("popularity", std::to_string(floor));
  RecordProperty("hit_rate", std::to_string(reached));
  EXPECT_GT(floor, 0.05) << "the demo data has become too hard to tell anything";
  EXPECT_GT(reached, floor) << "hit rate at 10";
}

TEST_P(Ratings, BeatTheMean) {
  const PreparedFold fold = make_world({.ratings = true, .test_rows = 3});
  const EvalSet& test = fold.test;
  double mean = 0;
  for (std::size_t i = 0; i < fold.train.size(); ++i) mean += double{fold.train.by_user().all_values()[i]};
  mean /= static_cast<double>(fold.train.size());
  const Fitted one = fit(GetParam(), fold);
  std::vector<float> predicted(test.rating_items.size());
  one.model->ratings()->predict(test.rating_users, test.rating_items, predicted);
  double own = 0, flat = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    own += std::pow(double{predicted[i]} - double{test.rating_values[i]}, 2);
    flat += std::pow(mean - double{test.rating_values[i]}, 2);
  }
  EXPECT_GT(predicted.size(), 50u);
  EXPECT_LT(own, 0.8 * flat) << "squared error against that of the mean rating";
}

bool learns(const Subject& s) { return learns_nothing_because(s).empty(); }

INSTANTIATE_TEST_SUITE_P(Algorithm, Camps, testing::ValuesIn(subjects_that([](const Subject& s) {
                           return !learns_sequences(s);
                         })),
                         name_of);
// The demo data has no stars to learn from, and its sounds are made up here.
INSTANTIATE_TEST_SUITE_P(Algorithm, Lists, testing::ValuesIn(subjects_that([](const Subject& s) {
                           return learns(s) && !learns_ratings(s) && !learns_sequences(s) && !learns_sounds(s);
                         })),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Algorithm, Ratings, testing::ValuesIn(subjects_that([](const Subject& s) {
                           return learns(s) && learns_ratings(s);
                         })),
                         name_of);

}  // namespace
}  // namespace segue::test
