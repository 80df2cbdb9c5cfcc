// Fits and questions for the tests of simple algorithms.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "framework/model/registry.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"
#include "tests/support/triplets.hpp"

extern "C" {
void segue_register_algorithm_bayesian_mf(segue::Registry&);
void segue_register_algorithm_bias(segue::Registry&);
void segue_register_algorithm_ease(segue::Registry&);
void segue_register_algorithm_item_knn(segue::Registry&);
void segue_register_algorithm_markov(segue::Registry&);
void segue_register_algorithm_popular(segue::Registry&);
void segue_register_algorithm_pure_svd(segue::Registry&);
void segue_register_algorithm_random(segue::Registry&);
void segue_register_algorithm_sequential_rules(segue::Registry&);
void segue_register_algorithm_sknn(segue::Registry&);
void segue_register_algorithm_slim(segue::Registry&);
void segue_register_algorithm_stan(segue::Registry&);
void segue_register_algorithm_svdpp(segue::Registry&);
void segue_register_algorithm_user_knn(segue::Registry&);
void segue_register_algorithm_vsknn(segue::Registry&);
}

namespace segue::test {

using Params = std::vector<std::pair<std::string, Value>>;

struct Case {
  std::string algorithm;
  Params params;
};

inline Value text(const char* value) { return Value::string(value); }

inline const Registry& registry() {
  static const Registry all = [] {
    Registry r;
    segue_register_algorithm_bayesian_mf(r);
    segue_register_algorithm_bias(r);
    segue_register_algorithm_ease(r);
    segue_register_algorithm_item_knn(r);
    segue_register_algorithm_markov(r);
    segue_register_algorithm_popular(r);
    segue_register_algorithm_pure_svd(r);
    segue_register_algorithm_random(r);
    segue_register_algorithm_sequential_rules(r);
    segue_register_algorithm_sknn(r);
    segue_register_algorithm_slim(r);
    segue_register_algorithm_stan(r);
    segue_register_algorithm_svdpp(r);
    segue_register_algorithm_user_knn(r);
    segue_register_algorithm_vsknn(r);
    return r;
  }();
  return all;
}

inline std::unique_ptr<Recommender> make(const Case& of) {
  return registry().make(of.algorithm, params_of(of.params));
}

inline std::unique_ptr<Recommender> fitted(const Case& of, const Csr<ItemIdx>& train, int threads = 1,
                                           std::uint64_t seed = 1) {
  return std::move(fit(registry(), of.algorithm, params_of(of.params), train, threads, seed).model);
}

inline std::vector<float> scores(const Recommender& model, const Query& query) {
  Matrix<float> out = Matrix<float>::Constant(1, Eigen::Index(model.n_items()), std::nanf(""));
  model.score({&query, 1}, out);
  return {out.data(), out.data() + out.size()};
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

}  // namespace segue::test
