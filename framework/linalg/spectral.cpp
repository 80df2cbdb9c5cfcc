#include "framework/linalg/spectral.hpp"

#include <armadillo>

#include "framework/base/errors.hpp"

namespace segue {

PrincipalAxes principal_axes(const Matrix<float>& rows) {
  const auto n = static_cast<arma::uword>(rows.rows()), d = static_cast<arma::uword>(rows.cols());
  SEGUE_CHECK(n >= 2 && d >= 1, "principal axes of a {} x {} matrix", n, d);
  arma::vec mean(d, arma::fill::zeros);
  for (arma::uword r = 0; r < n; ++r)
    for (arma::uword c = 0; c < d; ++c) mean(c) += static_cast<double>(rows(Eigen::Index(r), Eigen::Index(c)));
  mean /= static_cast<double>(n);
  arma::mat centred(d, n);  // column-major: one row of ours is one column
  for (arma::uword r = 0; r < n; ++r)
    for (arma::uword c = 0; c < d; ++c) centred(c, r) = static_cast<double>(rows(Eigen::Index(r), Eigen::Index(c))) - mean(c);
  const arma::mat covariance = centred * centred.t() / static_cast<double>(n - 1);
  arma::vec values;
  arma::mat vectors;
  SEGUE_CHECK(arma::eig_sym(values, vectors, covariance), "eig_sym did not converge");
  PrincipalAxes out{Vector<double>(d), Matrix<double>(d, d), Vector<double>(d)};
  for (arma::uword a = 0; a < d; ++a) {
    const arma::uword from = d - 1 - a;  // eig_sym is ascending
    const arma::vec axis = vectors.col(from);
    const double sign = axis(arma::index_max(arma::abs(axis))) < 0 ? -1 : 1;
    for (arma::uword c = 0; c < d; ++c) out.axes(Eigen::Index(a), Eigen::Index(c)) = sign * axis(c);
    out.variances(Eigen::Index(a)) = values(from);
    out.mean(Eigen::Index(a)) = mean(a);
  }
  return out;
}

}  // namespace segue
