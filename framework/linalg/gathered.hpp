// Products with rows picked out of a matrix: what an iterative solver of a ridge system needs without forming it.
// Sixteen rows at a time; every sum has one fixed order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "framework/linalg/matrix.hpp"

namespace segue {

// Whether the rows were touched a moment ago. Where not, they are asked for ahead of their use, which costs as much as
// it helps where they are in cache already.
enum class Cache { kCold, kWarm };

// out[e] = <y_e, x> with y_e = rows[which[e]][first..first + x.size()). out: as long as which.
void gathered_dots(const Matrix<float>& rows, std::span<const std::uint32_t> which, std::span<const float> x,
                   std::span<float> out, std::size_t first = 0, Cache cache = Cache::kCold);

// out += sum over e of (targets[e] - weights[e] <y_e, x>) y_e, and returns sum over e of targets[e] <y_e, x>. With x
// the point of a least-squares problem this is the residual of its normal equations, with no targets (all zero) their
// product with -x. x and out: d, the columns of rows. weights and targets: as long as which, or no targets.
double add_gathered_residual(const Matrix<float>& rows, std::span<const std::uint32_t> which,
                             std::span<const float> weights, std::span<const float> targets, std::span<const float> x,
                             std::span<float> out, Cache cache = Cache::kCold);

// out = m[first..first + out.size()) x, m symmetric; x: as long as m has rows.
void symmetric_product(const Matrix<float>& m, std::span<const float> x, std::span<float> out, std::size_t first = 0);

}  // namespace segue
