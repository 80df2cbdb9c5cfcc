// Small sparse matrices for tests: (user, item, weight) triplets in any order, made or random.
#pragma once

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue::test {

struct Triplet {
  std::uint32_t user, item;
  float weight;
};

// Each (user, item) at most once.
inline Csr<ItemIdx> by_user(std::vector<Triplet> triplets, std::size_t users, std::size_t items, bool weighted = true) {
  std::sort(triplets.begin(), triplets.end(),
            [](const Triplet& a, const Triplet& b) { return std::tie(a.user, a.item) < std::tie(b.user, b.item); });
  std::vector<std::uint64_t> offsets(users + 1, 0);
  std::vector<ItemIdx> columns;
  std::vector<float> weights;
  for (const Triplet& t : triplets) {
    ++offsets[t.user + 1];
    columns.push_back(ItemIdx{t.item});
    if (weighted) weights.push_back(t.weight);
  }
  for (std::size_t u = 0; u < users; ++u) offsets[u + 1] += offsets[u];
  return Csr<ItemIdx>(items, std::move(offsets), std::move(columns), std::move(weights));
}

// Half stars from 0.5 to 5; about `density` of the pairs. The last user and the last item have nothing.
inline std::vector<Triplet> random_ratings(std::size_t users, std::size_t items, double density, std::uint64_t seed) {
  std::vector<Triplet> out;
  Rng rng(seed);
  for (std::uint32_t u = 0; u + 1 < users; ++u) {
    for (std::uint32_t i = 0; i + 1 < items; ++i) {
      if (rng.uniform() < density) out.push_back({u, i, 0.5f * static_cast<float>(1 + rng.below(10))});
    }
  }
  return out;
}

}  // namespace segue::test
