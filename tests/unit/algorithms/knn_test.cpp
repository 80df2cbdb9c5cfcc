#include <cmath>
#include <map>

#include <gmock/gmock.h>

#include "framework/linalg/rating_bias.hpp"
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
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::uint32_t kUsers = 70, kItems = 50;
constexpr int kNeighbours = 7;

Csr<ItemIdx> ratings(std::uint64_t seed = 21) {
  return by_user(random_ratings(kUsers, kItems, 0.25, seed), kUsers, kItems);
}

Matrix<double> dense(const Csr<ItemIdx>& train) {
  Matrix<double> x = Matrix<double>::Zero(Eigen::Index(train.rows()), Eigen::Index(train.cols()));
  for (std::size_t u = 0; u < train.rows(); ++u) {
    for (std::size_t p = 0; p < train.row_size(u); ++p) {
      x(Eigen::Index(u), Eigen::Index(raw(train.indices(u)[p]))) = double{train.values(u)[p]};
    }
  }
  return x;
}

// The `count` nearest rows of each row by cosine, as a dense matrix that is 0 elsewhere.
Matrix<double> nearest_by_cosine(const Matrix<double>& rows, int count) {
  Matrix<double> out = Matrix<double>::Zero(rows.rows(), rows.rows());
  for (Eigen::Index i = 0; i < rows.rows(); ++i) {
    std::multimap<double, Eigen::Index, std::greater<>> order;
    for (Eigen::Index j = 0; j < rows.rows(); ++j) {
      const double s = rows.row(i).dot(rows.row(j)) / (rows.row(i).norm() * rows.row(j).norm());
      if (j != i && s > 0) order.emplace(s, j);
    }
    int taken = 0;
    for (const auto& [s, j] : order) {
      if (taken++ < count) out(i, j) = s;
    }
  }
  return out;
}

Case knn(const char* name, test::Params more = {}) {
  Case out{name, {{"neighbours", Value::integer(kNeighbours)}}};
  out.params.insert(out.params.end(), more.begin(), more.end());
  return out;
}

Case rating_knn(const char* name, int kept = 1000) {
  return knn(name, {{"target", text("ratings")},
                    {"similarity", text("pearson_baseline")},
                    {"shrinkage", Value::real(5)},
                    {"kept", Value::integer(kept)}});
}

TEST(ItemKnn, AddsTheWeightsOfTheItemsInEachItemsList) {
  const Csr<ItemIdx> train = ratings();
  const Matrix<double> x = dense(train), s = nearest_by_cosine(x.transpose(), kNeighbours);
  const auto plain = fitted(knn("item_knn"), train);
  const auto normalised = fitted(knn("item_knn", {{"normalise", Value::boolean(true)}}), train);
  for (std::uint32_t u = 0; u < kUsers; ++u) {
    const auto a = scores(*plain, {.user = UserIdx{u}}), b = scores(*normalised, {.user = UserIdx{u}});
    for (std::size_t i = 0; i < kItems; ++i) {
      const double expected = s.row(Eigen::Index(i)).dot(x.row(u)), total = s.row(Eigen::Index(i)).sum();
      ASSERT_NEAR(a[i], expected, 1e-4) << u << " " << i;
      ASSERT_NEAR(b[i], total > 0 ? expected / total : 0, 1e-4) << u << " " << i;
    }
  }
}

TEST(UserKnn, AddsTheWeightsOfTheNearestUsers) {
  const Csr<ItemIdx> train = ratings();
  const Matrix<double> x = dense(train), s = nearest_by_cosine(x, kNeighbours);
  const auto plain = fitted(knn("user_knn"), train);
  const auto normalised = fitted(knn("user_knn", {{"normalise", Value::boolean(true)}}), train);
  for (std::uint32_t u = 0; u < kUsers; ++u) {
    const auto a = scores(*plain, {.user = UserIdx{u}}), b = scores(*normalised, {.user = UserIdx{u}});
    for (std::size_t i = 0; i < kItems; ++i) {
      const double expected = s.row(u).dot(x.col(Eigen::Index(i))), total = s.row(u).sum();
      ASSERT_NEAR(a[i], expected, 1e-4) << u << " " << i;
      ASSERT_NEAR(b[i], total > 0 ? expected / total : 0, 1e-4) << u << " " << i;
    }
  }
}

// Koren 2010, equation 3, from the definitions: for every pair the nearest of those rows that have a rating.
void expect_rating_formula(const char* name, bool by_item) {
  // Dense enough that no two rows tie at a correlation of 1 over one common entry.
  const Csr<ItemIdx> train = by_user(random_ratings(kUsers, kItems, 0.6, 22), kUsers, kItems);
  const RatingBias bias = fit_rating_bias(train, 5, 2.5, 10, Executor(1));
  Matrix<double> d = Matrix<double>::Constant(kUsers, kItems, std::nan(""));
  for (std::size_t u = 0; u < kUsers; ++u) {
    for (std::size_t p = 0; p < train.row_size(u); ++p) {
      const ItemIdx i = train.indices(u)[p];
      d(Eigen::Index(u), Eigen::Index(raw(i))) =
          double{train.values(u)[p]} - bias.predict(UserIdx{std::uint32_t(u)}, i);
    }
  }
  if (by_item) d.transposeInPlace();
  const auto model = fitted(rating_knn(name), train);
  ASSERT_NE(model->ratings(), nullptr);
  for (Eigen::Index a = 0; a < d.rows(); ++a) {
    std::multimap<double, Eigen::Index, std::greater<>> order;
    for (Eigen::Index b = 0; b < d.rows(); ++b) {
      double ab = 0, aa = 0, bb = 0, n = 0;
      for (Eigen::Index c = 0; c < d.cols(); ++c) {
        if (std::isnan(d(a, c)) || std::isnan(d(b, c))) continue;
        ab += d(a, c) * d(b, c), aa += d(a, c) * d(a, c), bb += d(b, c) * d(b, c), n += 1;
      }
      if (a != b && ab > 0) order.emplace(ab / std::sqrt(aa * bb) * n / (n + 5), b);
    }
    for (Eigen::Index c = 0; c < d.cols(); ++c) {
      double sum = 0, total = 0;
      int used = 0;
      for (const auto& [s, b] : order) {
        if (used == kNeighbours || std::isnan(d(b, c))) continue;
        sum += s * d(b, c), total += s, ++used;
      }
      const UserIdx user{std::uint32_t(by_item ? c : a)};
      const ItemIdx item{std::uint32_t(by_item ? a : c)};
      float predicted = 0;
      model->ratings()->predict({&user, 1}, {&item, 1}, {&predicted, 1});
      ASSERT_NEAR(predicted, bias.predict(user, item) + (used ? sum / total : 0), 1e-4) << a << " " << c;
    }
  }
}

TEST(ItemKnn, PredictsRatingsFromTheNearestRatedItems) { expect_rating_formula("item_knn", true); }
TEST(UserKnn, PredictsRatingsFromTheNearestUsersWhoRated) { expect_rating_formula("user_knn", false); }

TEST(Knn, RatingsAreTheScoresInAnyOrderAndFiniteForStrangers) {
  for (const char* name : {"item_knn", "user_knn"}) {
    for (int kept : {1, 20}) {
      const auto model = fitted(rating_knn(name, kept), ratings());
      std::vector<UserIdx> users;
      std::vector<ItemIdx> items;
      for (std::uint32_t p = 0; p < 500; ++p) {
        users.push_back(UserIdx{(p * 37) % (kUsers + 3)});
        items.push_back(ItemIdx{(p * 11) % (kItems + 3)});
      }
      users.push_back(kNoUser), items.push_back(kNoItem);
      std::vector<float> out(users.size());
      model->ratings()->predict(users, items, out);
      for (std::size_t p = 0; p < users.size(); ++p) {
        ASSERT_TRUE(std::isfinite(out[p]));
        if (raw(items[p]) < kItems) {
          ASSERT_EQ(out[p], scores(*model, {.user = users[p]})[raw(items[p])]);
        }
      }
    }
    EXPECT_EQ(fitted(knn(name), ratings())->ratings(), nullptr);
  }
}

TEST(Knn, AStrangersHistoryStandsForATrainingRow) {
  const Csr<ItemIdx> train = ratings();
  for (const Case& of : {knn("item_knn"), rating_knn("item_knn")}) {
    const auto model = fitted(of, train);
    std::vector<ItemIdx> history(train.indices(5).rbegin(), train.indices(5).rend());
    std::vector<float> weights(train.values(5).rbegin(), train.values(5).rend());
    // An item twice counts once, with its last weight; items beyond the catalogue are passed over.
    history.insert(history.begin(), {history.back(), kNoItem});
    weights.insert(weights.begin(), {4.75f, 1.0f});
    const auto own = scores(*model, {.user = UserIdx{5}});
    const auto stranger = scores(*model, {.history = history, .weights = weights});
    for (std::size_t i = 0; i < kItems; ++i) ASSERT_NEAR(own[i], stranger[i], 1e-5);
    EXPECT_TRUE(same_bits(own, scores(*model, {.user = UserIdx{5}, .history = history, .weights = weights})));
  }
  // Among users the stranger finds the twin first, so compare with a twin in the data instead.
  std::vector<test::Triplet> triplets = random_ratings(kUsers, kItems, 0.25, 23);
  const Csr<ItemIdx> without = by_user(triplets, kUsers, kItems);
  for (const Case& of : {knn("user_knn"), knn("user_knn", {{"weighting", text("bm25")}}), rating_knn("user_knn")}) {
    const auto model = fitted(of, without);
    const auto found = scores(*model, {.history = without.indices(5), .weights = without.values(5)});
    const auto empty = scores(*model, {});
    std::size_t differ = 0;
    for (std::size_t i = 0; i < kItems; ++i) differ += std::size_t(found[i] != empty[i]);
    EXPECT_GT(differ, kItems / 2);
    if (of.params.size() == 1) {  // plain cosine: the twin itself, at 1, and the six nearest of user 5
      const Matrix<double> x = dense(without), s = nearest_by_cosine(x, kNeighbours - 1);
      for (std::size_t i = 0; i < kItems; ++i) {
        ASSERT_NEAR(found[i], x(5, Eigen::Index(i)) + s.row(5).dot(x.col(Eigen::Index(i))), 1e-4);
      }
    }
  }
}

TEST(Knn, AHistoryWithoutWeightsCountsAsOnesAndIsNoRating) {
  const Csr<ItemIdx> train = ratings();
  const std::vector<ItemIdx> history{ItemIdx{3}, ItemIdx{8}};
  const std::vector<float> ones{1, 1};
  const auto ranking = fitted(knn("item_knn"), train);
  EXPECT_TRUE(
      same_bits(scores(*ranking, {.history = history}), scores(*ranking, {.history = history, .weights = ones})));
  for (const char* name : {"item_knn", "user_knn"}) {
    const auto rating = fitted(rating_knn(name), train);
    EXPECT_TRUE(same_bits(scores(*rating, {.history = history}), scores(*rating, {})));
    EXPECT_TRUE(
        same_bits(scores(*rating, {.user = UserIdx{5}, .history = history}), scores(*rating, {.user = UserIdx{5}})));
  }
}

TEST(Knn, SaysWhatDoesNotGoTogether) {
  for (const char* name : {"item_knn", "user_knn"}) {
    EXPECT_THAT(
        [&] {
          test::make(knn(name, {{"weighting", text("bm25")}, {"similarity", text("pearson")}}));
        },
        ThrowsMessage<UsageError>(HasSubstr("similarity: cosine")));
    EXPECT_THAT(
        [&] {
          test::make(knn(name, {{"similarity", text("cosin")}}));
        },
        ThrowsMessage<UsageError>(HasSubstr("'cosine'")));
    const Csr<ItemIdx> binary = by_user(random_ratings(20, 20, 0.3, 1), 20, 20, false);
    for (const char* similarity : {"pearson", "adjusted_cosine", "pearson_baseline"}) {
      EXPECT_THAT(
          [&] {
            fitted(knn(name, {{"similarity", text(similarity)}}), binary);
          },
          ThrowsMessage<UsageError>(HasSubstr("use cosine or jaccard")));
    }
    EXPECT_NO_THROW(fitted(knn(name, {{"similarity", text("pearson")}}), by_user({}, 3, 3)));
  }
}

}  // namespace
}  // namespace segue
