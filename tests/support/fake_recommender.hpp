// Recommenders whose scores are a function of (user, item), or inner products of given vectors.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "framework/linalg/scoring.hpp"
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

// <user vector, item vector> + bias; biases: one an item, or empty.
class FakeEmbeddings : public Recommender, public EmbeddingSpace {
 public:
  FakeEmbeddings(Matrix<float> users, Matrix<float> items, std::vector<float> biases = {})
      : users_(std::move(users)), items_(std::move(items)), biases_(std::move(biases)), packed_(items_) {}
  void fit(const TrainData&, FitContext&) override {}
  void score(std::span<const Query> queries, MatRef<float> out) const override {
    Matrix<float> vectors(static_cast<Eigen::Index>(queries.size()), users_.cols());
    for (std::size_t q = 0; q < queries.size(); ++q) query_vector(queries[q], row_span(vectors, q));
    packed_.score(vectors, biases_, out);
  }
  std::size_t n_items() const override { return packed_.rows(); }
  void save(ArchiveWriter&) const override {}
  void load(const ArchiveReader&) override {}
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return items_; }
  std::span<const float> item_biases() const override { return biases_; }
  const PackedRows* packed_items() const override { return &packed_; }
  void query_vector(const Query& query, std::span<float> out) const override {
    const auto row = row_span(users_, raw(query.user));
    std::copy(row.begin(), row.end(), out.begin());
  }

 private:
  Matrix<float> users_, items_;
  std::vector<float> biases_;
  PackedRows packed_;
};

// The scores of another recommender, and nothing else of it.
class ScoresOf : public Recommender {
 public:
  explicit ScoresOf(const Recommender& model) : model_(model) {}
  void fit(const TrainData&, FitContext&) override {}
  void score(std::span<const Query> queries, MatRef<float> out) const override { model_.score(queries, out); }
  std::size_t n_items() const override { return model_.n_items(); }
  void save(ArchiveWriter&) const override {}
  void load(const ArchiveReader&) override {}

 private:
  const Recommender& model_;
};

// Users 0, 1, ...
inline std::vector<Query> queries_of(std::size_t n) {
  std::vector<Query> queries(n);
  for (std::size_t q = 0; q < n; ++q) queries[q].user = user_at(q);
  return queries;
}

}  // namespace segue::test
