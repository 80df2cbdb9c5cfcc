// A recommender whose scores are a function of (user, item).
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "framework/model/recommender.hpp"

namespace segue::test {

class FakeRecommender : public Recommender {
 public:
  using Score = std::function<float(std::size_t user, std::size_t item)>;
  FakeRecommender(std::size_t n_items, Score score) : n_items_(n_items), score_(std::move(score)) {}
  void fit(const TrainData&, FitContext&) override {}
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    for (std::size_t q = 0; q < queries.size(); ++q)
      for (std::size_t i = 0; i < n_items_; ++i)
        out(static_cast<Eigen::Index>(q), static_cast<Eigen::Index>(i)) = score_(raw(queries[q].user), i);
  }
  std::size_t n_items() const override { return n_items_; }
  void save(ArchiveWriter&) const override {}
  void load(const ArchiveReader&) override {}

 private:
  std::size_t n_items_;
  Score score_;
};

// Users 0, 1, ...
inline std::vector<Query> queries_of(std::size_t n) {
  std::vector<Query> queries(n);
  for (std::size_t q = 0; q < n; ++q) queries[q].user = user_at(q);
  return queries;
}

}  // namespace segue::test
