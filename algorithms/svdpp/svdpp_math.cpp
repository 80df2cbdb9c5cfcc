#include "algorithms/svdpp/svdpp_math.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/linalg/feature_sums.hpp"
#include "framework/linalg/gathered.hpp"
#include "framework/linalg/gram.hpp"

namespace segue {

float SvdppPenalties::mass(std::size_t ratings) const { return std::pow(static_cast<float>(ratings), exponent); }

double svdpp_solve_rows(const RatedRows& ratings, const Matrix<float>& other, const SvdppPenalties& penalties,
                        const Matrix<float>* centre, Matrix<float>& rows, const Executor& exec) {
  const auto dims = static_cast<std::size_t>(rows.cols());
  Matrix<float> design = other;
  design.col(design.cols() - 1).setOnes();
  const Eigen::VectorXf bias = other.col(other.cols() - 1);
  Matrix<float> base = Matrix<float>::Zero(rows.cols(), rows.cols());
  base.diagonal().setConstant(penalties.reg);
  base(rows.cols() - 1, rows.cols() - 1) = penalties.bias_reg;
  return exec.reduce_blocks(
      ratings.rows(), 32, 0.0,
      [&](std::size_t begin, std::size_t end) {
        RidgeSystem system(dims);
        std::vector<float> pull(dims), weights, targets, fitted;
        double squares = 0;
        for (std::size_t r = begin; r < end; ++r) {
          const std::span<const std::uint32_t> which = ratings.columns_of(r);
          const std::span<const float> values = ratings.values_of(r);
          const std::span<float> row = row_span(rows, r);
          if (which.empty()) {
            std::fill(row.begin(), row.end(), 0.0f);
            continue;
          }
          const float weight = 1 / penalties.mass(which.size());  // the whole problem over n^nu
          weights.assign(which.size(), weight);
          targets.resize(which.size());
          fitted.resize(which.size());
          for (std::size_t e = 0; e < which.size(); ++e) targets[e] = weight * (values[e] - bias[which[e]]);
          system.begin(base, 0);
          system.add(design, which, weights, targets);
          if (centre) {
            for (std::size_t d = 0; d < dims; ++d) pull[d] = penalties.reg * row_span(*centre, r)[d];
            system.add_target(pull);
          }
          if (!system.solve(row))
            throw UsageError("svdpp: a least-squares system is singular; raise reg (now {})", penalties.reg);
          gathered_dots(design, which, row, fitted, 0, Cache::kWarm);
          for (std::size_t e = 0; e < which.size(); ++e) {
            const double miss = static_cast<double>(values[e] - bias[which[e]] - fitted[e]);
            squares += miss * miss;
          }
        }
        return squares;
      },
      [](double total, double part) { return total + part; });
}

void svdpp_implicit_round(const RatedRows& by_user, const RatedRows& by_item, const Matrix<float>& users,
                          const SvdppPenalties& penalties, Matrix<float>& y, Matrix<float>& centre,
                          const Executor& exec) {
  std::vector<float> scale(by_user.rows()), weight(by_user.rows()), ridge(by_item.rows());
  for (std::size_t u = 0; u < scale.size(); ++u) {
    const std::size_t n = std::max<std::size_t>(1, by_user.count(u));
    scale[u] = 1 / std::sqrt(static_cast<float>(n));
    weight[u] = penalties.reg * penalties.mass(n);
  }
  for (std::size_t j = 0; j < ridge.size(); ++j)
    ridge[j] = penalties.implicit_reg * penalties.mass(std::max<std::size_t>(1, by_item.count(j)));
  FeatureSums{by_user, by_item, scale, weight, ridge}.round(users, nullptr, static_cast<std::size_t>(users.cols()) - 1,
                                                            y, centre, exec);
}

double svdpp_penalty(const RatedRows& ratings, const Matrix<float>& rows, const Matrix<float>* centre,
                     const SvdppPenalties& penalties, float weight, float bias_weight) {
  double total = 0;
  const auto d = static_cast<std::size_t>(rows.cols()) - 1;
  for (std::size_t r = 0; r < ratings.rows(); ++r) {
    const std::span<const float> x = row_span(rows, r);
    double squares = 0;
    for (std::size_t k = 0; k < d; ++k) {
      const double p = static_cast<double>(x[k]) - (centre ? static_cast<double>(row_span(*centre, r)[k]) : 0);
      squares += p * p;
    }
    if (ratings.count(r) == 0) continue;
    total += static_cast<double>(penalties.mass(ratings.count(r))) *
             (static_cast<double>(weight) * squares +
              static_cast<double>(bias_weight) * static_cast<double>(x[d]) * static_cast<double>(x[d]));
  }
  return total;
}

}  // namespace segue
