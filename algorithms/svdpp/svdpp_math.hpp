// The steps of alternating least squares for SVD++: Koren 2008, "Factorization meets the neighborhood: a multifaceted
// collaborative filtering model", KDD, equations 15 and 16, with its objective
//   L = sum over ratings of (t_ui - b_u - b_i - <q_i, x_u>)^2 + sum over u of n_u^nu (reg |p_u|^2 + bias_reg b_u^2)
//     + sum over i of n_i^nu (reg |q_i|^2 + bias_reg b_i^2) + sum over j of n_j^nu implicit_reg |y_j|^2,
//   x_u = p_u + n_u^-1/2 sum of y_j over the items j that u rated,
// t a rating less the mean of all, n a row's ratings; nu = 1 is Koren's. He descends by gradients in (p, y); here the
// users' unknowns are x, with p = x - (the sum), so that every step is a minimisation in closed form. A side's rows
// have D = d + 1 values, the last of them the bias.
#pragma once

#include "framework/base/executor.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/linalg/rated_rows.hpp"

namespace segue {

struct SvdppPenalties {
  float reg, bias_reg, implicit_reg;      // all above 0
  float exponent;                         // nu
  float mass(std::size_t ratings) const;  // n^nu
};

// Every row of a side (users: x and b_u; items: q and b_i) becomes the minimiser of L given the rest; a row without
// ratings becomes zero. centre: n_u^-1/2 times the sum of y_j (users x D, zeros in the last column), or null for items.
// Returns the sum of squared errors that is left.
double svdpp_solve_rows(const RatedRows& ratings, const Matrix<float>& other, const SvdppPenalties& penalties,
                        const Matrix<float>* centre, Matrix<float>& rows, const Executor& exec);

// One round of coordinate descent on L over the y_j, the users' x fixed. y: items x D and centre: users x D, both with
// zeros in the last column.
void svdpp_implicit_round(const RatedRows& by_user, const RatedRows& by_item, const Matrix<float>& users,
                          const SvdppPenalties& penalties, Matrix<float>& y, Matrix<float>& centre,
                          const Executor& exec);

// sum over rows of n_r^nu (weight |row - centre|^2 over the first D - 1 values + bias_weight times the last one's
// square); centre may be null.
double svdpp_penalty(const RatedRows& ratings, const Matrix<float>& rows, const Matrix<float>* centre,
                     const SvdppPenalties& penalties, float weight, float bias_weight);

}  // namespace segue
