// Generated inputs of the benchmarks: Zipf popularity, log-normal activity, the size of MovieLens 1M unless asked otherwise.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/data/interactions.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue::bench {

inline Matrix<float> random_rows(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix<float> m(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
  Rng(seed).fill_normal({m.data(), rows * cols}, 0, 0.1f);
  return m;
}

inline Interactions zipf_interactions(std::size_t users = 6040, std::size_t items = 3706, std::size_t per_user = 165) {
  std::vector<double> cumulative(items);
  double sum = 0;
  for (std::size_t i = 0; i < items; ++i) cumulative[i] = sum += 1.0 / std::pow(static_cast<double>(i + 20), 0.8);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> indices;
  for (std::size_t u = 0; u < users; ++u) {
    Rng rng = Rng(1).stream("user", u);
    std::vector<ItemIdx> row;
    const auto n = static_cast<std::size_t>(static_cast<double>(per_user) * std::exp(rng.normal() - 0.5)) + 5;
    for (std::size_t e = 0; e < std::min(n, items / 3); ++e)
      row.push_back(item_at(static_cast<std::size_t>(std::lower_bound(cumulative.begin(), cumulative.end(), rng.uniform() * sum) - cumulative.begin())));
    std::sort(row.begin(), row.end());
    row.erase(std::unique(row.begin(), row.end()), row.end());
    indices.insert(indices.end(), row.begin(), row.end());
    offsets.push_back(indices.size());
  }
  std::vector<float> values(indices.size(), 1.0f);
  return Interactions(Csr<ItemIdx>(items, std::move(offsets), std::move(indices), std::move(values)));
}

}  // namespace segue::bench
