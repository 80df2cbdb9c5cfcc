// Fits a registered algorithm on a small matrix, and the checks every scoring model must pass.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "framework/base/executor.hpp"
#include "framework/model/registry.hpp"

namespace segue::test {

struct Curve final : Progress {
  std::map<std::string, std::vector<double>> series;
  void record(std::string_view name, int, double value) override { series[std::string(name)].push_back(value); }
};

struct Fitted {
  std::unique_ptr<Recommender> model;
  Curve curve;
};

inline Fitted fit(const Registry& registry, const std::string& name, const Value& params, const Csr<ItemIdx>& by_user,
                  int threads = 1, std::uint64_t seed = 1) {
  const Executor exec(threads);
  const Interactions train(by_user);
  const Histories histories;
  const Facets facets;
  Fitted out{registry.make(name, params), {}};
  FitContext ctx{exec, Rng(seed), out.curve};
  out.model->fit({train, histories, facets}, ctx);
  return out;
}

inline Value params_of(std::vector<std::pair<std::string, Value>> entries) {
  Value out = Value::map();
  for (auto& [key, value] : entries) out.set(key, std::move(value));
  return out;
}

inline Matrix<float> scores_of(const Recommender& model, std::span<const Query> queries) {
  Matrix<float> out = Matrix<float>::Constant(static_cast<Eigen::Index>(queries.size()),
                                              static_cast<Eigen::Index>(model.n_items()), std::nanf(""));
  model.score(queries, out);
  return out;
}

inline std::vector<Query> every_user(std::size_t n) {
  std::vector<Query> out(n);
  for (std::size_t u = 0; u < n; ++u) out[u].user = user_at(u);
  return out;
}

// Bit for bit, so that 0 and -0 differ and NaN equals itself.
inline bool same_bits(const Matrix<float>& a, const Matrix<float>& b) {
  return a.rows() == b.rows() && a.cols() == b.cols() &&
         std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(float)) == 0;
}

// Alone, in a batch, and as a list of candidates in any order: the same bits.
inline void expect_batches_agree(const Recommender& model, std::span<const Query> queries) {
  const Matrix<float> all = scores_of(model, queries);
  EXPECT_FALSE(all.hasNaN());
  std::vector<ItemIdx> backwards;
  for (std::size_t i = model.n_items(); i-- > 0;) backwards.push_back(item_at(i));
  std::vector<float> few(backwards.size());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const Matrix<float> alone = scores_of(model, queries.subspan(q, 1));
    EXPECT_TRUE(same_bits(alone, all.row(static_cast<Eigen::Index>(q)))) << "query " << q;
    model.score_candidates(queries[q], backwards, few);
    for (std::size_t n = 0; n < few.size(); ++n)
      EXPECT_EQ(few[n], all(static_cast<Eigen::Index>(q), static_cast<Eigen::Index>(raw(backwards[n]))))
          << "query " << q;
  }
}

}  // namespace segue::test
