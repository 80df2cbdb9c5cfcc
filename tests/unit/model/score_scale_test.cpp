#include "framework/model/score_scale.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/fake_recommender.hpp"

namespace segue {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
const std::vector<float> kScores{1.0f, 3.0f, 2.0f, kNever, -1.0f};

struct Meaningful : test::FakeRecommender, ScoreMeaning {
  Kind what;
  explicit Meaningful(Kind kind, std::vector<float> scores = kScores)
      : FakeRecommender(scores.size(), [scores](std::size_t, std::size_t i) { return scores[i]; }), what(kind) {}
  const ScoreMeaning* score_meaning() const override { return this; }
  Kind kind() const override { return what; }
  float shift(const Query& query) const override { return query.history.empty() ? 0.5f : -0.5f; }
};

TEST(ScoreScale, LogitsArePairByPair) {
  const Meaningful model(ScoreMeaning::Kind::kLogit);
  const ScoreScale scale(model, {}, {});
  EXPECT_TRUE(scale.is_probability());
  EXPECT_NEAR(scale(1.0f), 0.817574476193644, 1e-12);  // 1 / (1 + e^-1.5)
  EXPECT_EQ(scale(-0.5f), 0.5);
  EXPECT_EQ(scale(kNever), 0);
  EXPECT_EQ(scale(800.0f), 1);
  EXPECT_EQ(scale(-800.0f), 0);
  const ItemIdx item = item_at(0);
  Query with_history;
  with_history.history = {&item, 1};
  EXPECT_EQ(ScoreScale(model, with_history, {})(0.5f), 0.5) << "the shift is the query's own";
}

TEST(ScoreScale, TheSoftmaxIsOverTheCandidates) {
  const Meaningful model(ScoreMeaning::Kind::kSoftmax);
  const ScoreScale scale(model, {}, {});
  EXPECT_TRUE(scale.is_probability());
  // e^1, e^3, e^2 and e^-1 over their sum 30.5602731
  EXPECT_NEAR(scale(3.0f), 0.657243, 1e-5);
  double sum = 0;
  for (const float score : kScores) sum += scale(score);
  EXPECT_NEAR(sum, 1, 1e-12);

  const std::vector<ItemIdx> heard{item_at(1), item_at(4)};
  const ScoreScale rest(model, {}, heard);
  EXPECT_NEAR(rest(2.0f), 0.731058578630005, 1e-12);  // e^2 / (e^1 + e^2)
  EXPECT_NEAR(rest(1.0f) + rest(2.0f), 1, 1e-12);
}

TEST(ScoreScale, TheSoftmaxOfGreatScoresIsFinite) {
  const Meaningful model(ScoreMeaning::Kind::kSoftmax, {1000.0f, 1000.0f, -1000.0f});
  const ScoreScale scale(model, {}, {});
  EXPECT_NEAR(scale(1000.0f), 0.5, 1e-12);
  EXPECT_EQ(scale(-1000.0f), 0);
}

TEST(ScoreScale, OtherScoresStandBetweenTheirLowestAndHighest) {
  const test::FakeRecommender model(kScores.size(), [](std::size_t, std::size_t i) { return kScores[i]; });
  const ScoreScale scale(model, {}, {});
  EXPECT_FALSE(scale.is_probability());
  EXPECT_EQ(scale(3.0f), 1);
  EXPECT_EQ(scale(1.0f), 0.5);
  EXPECT_EQ(scale(-1.0f), 0);
  EXPECT_EQ(scale(kNever), 0);
  const std::vector<ItemIdx> heard{item_at(1)};
  EXPECT_EQ(ScoreScale(model, {}, heard)(2.0f), 1) << "what is heard is no candidate";
  const test::FakeRecommender constant(3, [](std::size_t, std::size_t) { return 7.0f; });
  EXPECT_EQ(ScoreScale(constant, {}, {})(7.0f), 1);
}

}  // namespace
}  // namespace segue
