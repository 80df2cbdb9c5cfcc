// What every model promises (framework/model/recommender.hpp), for the baselines and neighbourhood models.
#include <cmath>

#include "tests/unit/algorithms/algorithm_fixture.hpp"

namespace segue {
namespace {

using test::by_user;
using test::Case;
using test::fitted;
using test::random_ratings;
using test::same_bits;
using test::scores;
using test::text;

constexpr std::uint32_t kUsers = 300, kItems = 150;

class Promises : public testing::TestWithParam<Case> {
 protected:
  Promises() : train_(by_user(random_ratings(kUsers, kItems, 0.1, 31), kUsers, kItems)) {
    for (std::uint32_t i = 0; i < 12; ++i) {
      history_.push_back(ItemIdx{(i * 29) % kItems});
      weights_.push_back(0.5f * float(1 + i % 9));
    }
    // Seen; seen without events; unseen; nobody; with histories for both, weighted or not.
    for (std::uint32_t u : {0u, 1u, 17u, 299u, 300u, 5000u}) queries_.push_back({.user = UserIdx{u}});
    queries_.push_back({});
    queries_.push_back({.history = history_});
    queries_.push_back({.history = history_, .weights = weights_});
    queries_.push_back({.user = UserIdx{3}, .history = history_, .weights = weights_});
  }

  Matrix<float> score_all(const Recommender& model) const {
    Matrix<float> out = Matrix<float>::Constant(Eigen::Index(queries_.size()), kItems, std::nanf(""));
    model.score(queries_, out);
    return out;
  }
  static std::vector<float> flat(const Matrix<float>& m) { return {m.data(), m.data() + m.size()}; }

  Csr<ItemIdx> train_;
  std::vector<ItemIdx> history_;
  std::vector<float> weights_;
  std::vector<Query> queries_;
};

TEST_P(Promises, EveryScoreIsWrittenAndFinite) {
  const auto model = fitted(GetParam(), train_);
  ASSERT_EQ(model->n_items(), kItems);
  EXPECT_TRUE(score_all(*model).allFinite());
}

TEST_P(Promises, SameBitsForAnyNumberOfThreads) {
  const auto one = flat(score_all(*fitted(GetParam(), train_, 1)));
  for (int threads : {2, 3, 8}) EXPECT_TRUE(same_bits(one, flat(score_all(*fitted(GetParam(), train_, threads)))));
}

TEST_P(Promises, SameBitsWhenInputIsShuffled) {
  auto triplets = random_ratings(kUsers, kItems, 0.1, 31);
  Rng(1).shuffle(std::span(triplets));
  EXPECT_TRUE(same_bits(flat(score_all(*fitted(GetParam(), train_))),
                        flat(score_all(*fitted(GetParam(), by_user(triplets, kUsers, kItems))))));
}

TEST_P(Promises, BatchOneEqualsBatchManyEqualsCandidates) {
  const auto model = fitted(GetParam(), train_);
  const Matrix<float> all = score_all(*model);
  std::vector<ItemIdx> candidates;
  for (std::uint32_t i = 0; i < 40; ++i) candidates.push_back(ItemIdx{(i * 47 + 5) % kItems});
  for (std::size_t q = 0; q < queries_.size(); ++q) {
    const auto row = all.row(Eigen::Index(q));
    EXPECT_TRUE(same_bits(scores(*model, queries_[q]), {row.data(), row.data() + kItems})) << q;
    std::vector<float> some(candidates.size()), expected;
    model->score_candidates(queries_[q], candidates, some);
    for (ItemIdx i : candidates) expected.push_back(row(Eigen::Index(raw(i))));
    EXPECT_TRUE(same_bits(some, expected)) << q;
  }
  // Rows of a wider matrix are not adjacent.
  Matrix<float> wide = Matrix<float>::Constant(Eigen::Index(queries_.size()), kItems + 3, -7.0f);
  model->score(queries_, wide.leftCols(kItems));
  EXPECT_TRUE(same_bits(flat(all), flat(wide.leftCols(kItems))));
  EXPECT_TRUE((wide.rightCols(3).array() == -7.0f).all());
}

TEST_P(Promises, ScoresWithTheSameBitsAfterSaveAndLoad) {
  const auto model = fitted(GetParam(), train_);
  test::MemoryArchive archive;
  model->save(archive.writer());
  const auto loaded = test::make(GetParam());
  loaded->load(archive.reader());
  ASSERT_EQ(loaded->n_items(), kItems);
  EXPECT_TRUE(same_bits(flat(score_all(*model)), flat(score_all(*loaded))));
  if (model->ratings() == nullptr) return;
  std::vector<UserIdx> users(kItems, UserIdx{17});
  std::vector<ItemIdx> items;
  for (std::size_t i = 0; i < kItems; ++i) items.push_back(item_at(i));
  std::vector<float> a(kItems), b(kItems);
  model->ratings()->predict(users, items, a);
  loaded->ratings()->predict(users, items, b);
  EXPECT_TRUE(same_bits(a, b));
}

TEST_P(Promises, TakesDataWithoutEventsAndWithoutWeights) {
  for (const auto& data :
       {by_user({}, 4, 5), by_user({}, 0, 5), by_user({{0, 1, 1}, {1, 1, 1}, {1, 2, 1}}, 4, 5, false)}) {
    if (data.nnz() > 0 && !GetParam().params.empty() && GetParam().params[0].second == text("ratings"))
      continue;  // refused
    const auto model = fitted(GetParam(), data);
    const std::vector<ItemIdx> history{ItemIdx{1}};
    for (const Query& query : {Query{}, Query{.user = UserIdx{1}}, Query{.history = history}}) {
      for (float score : scores(*model, query)) EXPECT_TRUE(std::isfinite(score));
    }
  }
}

const Value kRatings = text("ratings"), kBaseline = text("pearson_baseline");

INSTANTIATE_TEST_SUITE_P(
    Simple, Promises,
    testing::Values(Case{"popular", {}}, Case{"popular", {{"by", text("weight")}}}, Case{"random", {}},
                    Case{"bias", {}}, Case{"item_knn", {}},
                    Case{"item_knn", {{"weighting", text("tfidf")}, {"normalise", Value::boolean(true)}}},
                    Case{"item_knn", {{"target", kRatings}, {"similarity", kBaseline}}}, Case{"user_knn", {}},
                    Case{"user_knn", {{"weighting", text("bm25")}, {"normalise", Value::boolean(true)}}},
                    Case{"user_knn",
                         {{"target", kRatings}, {"similarity", kBaseline}, {"shrinkage", Value::real(100)}}}),
    [](const auto& one) { return fmt::format("{}_{}", one.param.algorithm, one.index); });

}  // namespace
}  // namespace segue
