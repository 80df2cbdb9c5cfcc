// What the tests of linear item models share: a small random matrix, dense X, and the promises that hold for each of
// them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "framework/model/registry.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"
#include "tests/support/triplets.hpp"

namespace segue::test {

constexpr std::size_t kLinearUsers = 60, kLinearItems = 41;

// Half stars, a tenth of them negative (dislikes); the last user and the last item have nothing.
inline std::vector<Triplet> signed_events() {
  std::vector<Triplet> out = random_ratings(kLinearUsers, kLinearItems, 0.25, 11);
  for (std::size_t n = 0; n < out.size(); n += 10) out[n].weight = -out[n].weight;
  return out;
}

// X by definition: 1 for positive weights, or the weights (`negatives`: also those below zero).
inline Matrix<double> dense_x(const std::vector<Triplet>& events, bool binary, bool negatives) {
  Matrix<double> x = Matrix<double>::Zero(Eigen::Index(kLinearUsers), Eigen::Index(kLinearItems));
  for (const Triplet& t : events) {
    if (t.weight > 0 || (negatives && !binary)) x(t.user, t.item) = binary ? 1.0 : double{t.weight};
  }
  return x;
}

inline Matrix<double> scores_of_all(const Recommender& model) {
  return scores_of(model, every_user(kLinearUsers)).cast<double>();
}

// A training user's events as the history of somebody unknown: the same bits. And what holds for every scoring model.
inline void expect_promises(const Registry& registry, const std::string& name, const Value& params) {
  const auto events = signed_events();
  const Csr<ItemIdx> train = by_user(events, kLinearUsers, kLinearItems);
  const Fitted one = fit(registry, name, params, train);
  const Matrix<float> all = scores_of(*one.model, every_user(kLinearUsers));
  std::vector<Query> unknown;
  std::vector<std::vector<ItemIdx>> histories;
  std::vector<std::vector<float>> weights;
  for (std::size_t u = 0; u < kLinearUsers; ++u) {
    histories.emplace_back(train.indices(u).rbegin(), train.indices(u).rend());  // any order
    weights.emplace_back(train.values(u).rbegin(), train.values(u).rend());
    if (!histories.back().empty()) {  // an item twice: the last weight holds
      histories.back().insert(histories.back().begin(), histories.back().back());
      weights.back().insert(weights.back().begin(), -3.0f);
    }
    histories.back().push_back(kNoItem);  // counts for nothing
    weights.back().push_back(1.0f);
  }
  for (std::size_t u = 0; u < kLinearUsers; ++u) {
    const UserIdx user = u % 2 == 0 ? kNoUser : user_at(kLinearUsers + u);
    unknown.push_back({.user = user, .history = histories[u], .weights = weights[u]});
  }
  EXPECT_TRUE(same_bits(scores_of(*one.model, unknown), all));
  unknown.push_back({});
  expect_batches_agree(*one.model, unknown);
  EXPECT_TRUE(scores_of(*one.model, unknown).bottomRows(1).isZero(0)) << "nobody without a history";
  for (int threads : {2, 3, 8}) {
    const Fitted many = fit(registry, name, params, train, threads);
    EXPECT_TRUE(same_bits(scores_of(*many.model, every_user(kLinearUsers)), all)) << threads << " threads";
  }
  MemoryArchive archive;
  one.model->save(archive.writer());
  const auto loaded = registry.make(name, params);
  loaded->load(archive.reader());
  EXPECT_TRUE(same_bits(scores_of(*loaded, unknown), scores_of(*one.model, unknown)));
}

inline std::string refusal_of(const Registry& registry, const std::string& name, const Value& params,
                              const Csr<ItemIdx>& train) {
  try {
    fit(registry, name, params, train);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

}  // namespace segue::test
