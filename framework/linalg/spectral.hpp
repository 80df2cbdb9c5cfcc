// Spectral decompositions through LAPACK: a door to Armadillo.
#pragma once

#include "framework/linalg/matrix.hpp"

namespace segue {

struct PrincipalAxes {
  Vector<double> mean;        // d
  Matrix<double> axes;        // d x d, orthonormal, one axis a row, most variance first; the largest component is positive
  Vector<double> variances;   // d, descending
};

// Principal components of the rows of `rows` (n x d, n >= 2), in double. LogicError where LAPACK does not converge.
PrincipalAxes principal_axes(const Matrix<float>& rows);

}  // namespace segue
