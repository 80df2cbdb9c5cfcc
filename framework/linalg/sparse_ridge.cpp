#include "framework/linalg/sparse_ridge.hpp"

#include <cmath>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/linalg/gemm.hpp"
#include "framework/linalg/sparse_gram.hpp"
#include "framework/linalg/spd_inverse.hpp"
#include "framework/linalg/view.hpp"

namespace segue {

namespace {

constexpr std::size_t kRows = 56;  // of a product at once: whole tiles of gemm()

// Features that a row of positive weight has, ascending: the others have no weight in W either.
std::vector<std::size_t> features_in_use(const Csr<ItemIdx>& x, std::span<const double> weights) {
  std::vector<std::uint8_t> used(x.cols(), 0);
  for (std::size_t r = 0; r < x.rows(); ++r)
    if (weights[r] > 0)
      for (const ItemIdx feature : x.indices(r)) used[raw(feature)] = 1;
  std::vector<std::size_t> out;
  for (std::size_t f = 0; f < used.size(); ++f)
    if (used[f] != 0) out.push_back(f);
  return out;
}

// sqrt(weight) times each row of positive weight, the others empty; a column for each feature in use.
Csr<ItemIdx> weighted(const Csr<ItemIdx>& x, std::span<const double> weights, std::span<const std::size_t> in_use) {
  std::vector<std::uint32_t> column(x.cols(), 0);
  for (std::size_t f = 0; f < in_use.size(); ++f) column[in_use[f]] = static_cast<std::uint32_t>(f);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> indices;
  std::vector<float> values;
  for (std::size_t r = 0; r < x.rows(); ++r) {
    const double root = std::sqrt(weights[r]);
    for (std::size_t n = 0; n < x.row_size(r) && root > 0; ++n) {
      indices.push_back(item_at(column[raw(x.indices(r)[n])]));
      values.push_back(static_cast<float>(root * (x.has_values() ? double{x.values(r)[n]} : 1.0)));
    }
    offsets.push_back(indices.size());
  }
  return {in_use.size(), std::move(offsets), std::move(indices), std::move(values)};
}

// (rows^T rows + reg I)^-1.
Matrix<double> inverse_gram(const Csr<ItemIdx>& rows, double reg, const Executor& exec) {
  const auto n = static_cast<Eigen::Index>(rows.cols());
  Matrix<double> out(n, n);
  sparse_gram(rows, exec, [&](std::size_t i, std::span<const double> row) {
    for (std::size_t j = i; j < row.size(); ++j)
      out(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) = row[j] + (i == j ? reg : 0.0);
  });
  if (!invert_spd(out, exec))
    throw UsageError("a regression on {} features by {} items cannot be solved at reg = {:g}; raise reg", rows.cols(),
                     rows.rows(), reg);
  return out;
}

// sum over entries n of row r of value_n from[index_n]; out: rows of `by` x targets.
template <class Index, class From>
Matrix<double> products(const Csr<Index>& by, const From& from, const Executor& exec) {
  Matrix<double> out = Matrix<double>::Zero(static_cast<Eigen::Index>(by.rows()), from.cols());
  exec.for_blocks(by.rows(), kRows, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r) {
      double* to = out.data() + r * static_cast<std::size_t>(out.cols());
      for (std::size_t n = 0; n < by.row_size(r); ++n) {
        const auto* row = from.data() + raw(by.indices(r)[n]) * static_cast<std::size_t>(from.cols());
        const double value = double{by.values(r)[n]};
        for (Eigen::Index t = 0; t < from.cols(); ++t) to[t] += value * static_cast<double>(row[t]);
      }
    }
  });
  return out;
}

Matrix<double> multiply(const Matrix<double>& a, const Matrix<double>& b, const Executor& exec) {
  Matrix<double> out(a.rows(), b.cols());
  exec.for_blocks(static_cast<std::size_t>(a.rows()), kRows, [&](std::size_t begin, std::size_t end) {
    gemm<double>(ConstView<double>(a).some_rows(begin, end), ConstView<double>(b),
                 View<double>(out).some_rows(begin, end));
  });
  return out;
}

}  // namespace

Matrix<double> sparse_ridge(const Csr<ItemIdx>& x, std::span<const double> weights, const Matrix<float>& targets,
                            double reg, const Executor& exec) {
  SEGUE_CHECK(weights.size() == x.rows() && static_cast<std::size_t>(targets.rows()) == x.rows(),
              "{} rows, {} weights and {} targets", x.rows(), weights.size(), targets.rows());
  SEGUE_CHECK(reg > 0, "a ridge of {}", reg);
  const std::vector<std::size_t> in_use = features_in_use(x, weights);
  const Csr<ItemIdx> rows = weighted(x, weights, in_use);
  Matrix<double> wanted(targets.rows(), targets.cols());
  for (Eigen::Index r = 0; r < wanted.rows(); ++r) {
    const double root = std::sqrt(weights[static_cast<std::size_t>(r)]);
    for (Eigen::Index t = 0; t < wanted.cols(); ++t) wanted(r, t) = root * static_cast<double>(targets(r, t));
  }
  const Csr<ItemIdx> by_feature = rows.transposed<ItemIdx>();
  const Matrix<double> found =
      rows.cols() <= rows.rows()
          ? multiply(inverse_gram(rows, reg, exec), products(by_feature, wanted, exec), exec)
          : products(by_feature, multiply(inverse_gram(by_feature, reg, exec), wanted, exec), exec);
  Matrix<double> out = Matrix<double>::Zero(static_cast<Eigen::Index>(x.cols()), targets.cols());
  for (std::size_t f = 0; f < in_use.size(); ++f)
    out.row(static_cast<Eigen::Index>(in_use[f])) = found.row(static_cast<Eigen::Index>(f));
  return out;
}

}  // namespace segue
