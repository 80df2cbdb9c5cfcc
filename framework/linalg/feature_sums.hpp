// Vectors of features whose scaled sums explain rows: the implicit feedback of SVD++ (Koren 2008), where a row is a
// user and its features are the items that the user rated.
#pragma once

#include <span>

#include "framework/base/executor.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/linalg/rated_rows.hpp"

namespace segue {

// One round of coordinate descent on
//   sum over rows r of weight_r |target_r - scale_r sum of F_j over the columns j of r|^2 + sum over j of ridge_j
//   |F_j|^2
// over the features F_j in ascending order, each with all its dimensions at once:
//   F_j <- (sum of weight scale e + s_j F_j) / (s_j + ridge_j),  s_j = sum of weight scale^2 over the rows of j,
// e being what is left of the targets. With `noise` a Gibbs step instead: noise_j / sqrt(s_j + ridge_j) is added.
// Features of no row stay as they are. Then sums_r = scale_r sum of F_j. Cost: about 8 events dims flop. Sixteen
// dimensions at a time, so that what is left of the targets stays in the second-level cache.
struct FeatureSums {
  const RatedRows& by_row;               // its columns are the features of a row
  const RatedRows& by_feature;           // the transpose
  std::span<const float> scale, weight;  // one a row
  std::span<const float> ridge;          // one a feature, above 0

  // targets, sums: rows x d; features, noise (may be null): features x d. The first `dims` columns take part.
  void round(const Matrix<float>& targets, const Matrix<float>* noise, std::size_t dims, Matrix<float>& features,
             Matrix<float>& sums, const Executor& exec) const;
};

}  // namespace segue
