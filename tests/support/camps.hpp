// Two camps: users like items of their own parity. What a model of pairs has to find, and how well it has.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue::test {

// Events without weights, with these chances for a pair of one camp and of two. The last user and the last item have
// nothing.
inline Csr<ItemIdx> camps(std::size_t users, std::size_t items, double own, double other) {
  Rng rng(4);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> columns;
  for (std::size_t u = 0; u < users; ++u) {
    for (std::size_t i = 0; u + 1 < users && i + 1 < items; ++i)
      if (rng.uniform() < (u % 2 == i % 2 ? own : other)) columns.push_back(item_at(i));
    offsets.push_back(columns.size());
  }
  return {items, std::move(offsets), std::move(columns), {}};
}

// How often an item of the own camp comes before one of the other, of those that a user has not. scores: a row a user;
// of: any events of camps whose last user and last item have nothing.
inline double separation(const Matrix<float>& scores, const Csr<ItemIdx>& of) {
  double right = 0, pairs = 0;
  for (std::size_t u = 0; u + 1 < of.rows(); ++u) {
    const auto has = [&](std::size_t i) {
      const auto row = of.indices(u);
      return std::binary_search(row.begin(), row.end(), item_at(i));
    };
    for (std::size_t own = u % 2; own + 1 < of.cols(); own += 2)
      for (std::size_t other = 1 - u % 2; other + 1 < of.cols(); other += 2) {
        if (has(own) || has(other)) continue;
        const auto row = static_cast<Eigen::Index>(u);
        right += scores(row, static_cast<Eigen::Index>(own)) > scores(row, static_cast<Eigen::Index>(other));
        ++pairs;
      }
  }
  return right / pairs;
}

}  // namespace segue::test
