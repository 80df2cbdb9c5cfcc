// Products of dense matrices for framework/nn: what a dense layer needs forwards and backwards.
//
// Each element of C is one chain of fused multiply-adds over the contracted index in ascending order, begun at zero or
// at what C held. So its bits depend neither on how many rows or columns are asked for at once, nor on tiles, blocks or
// the instruction set, and work may be cut between threads by rows or columns of C. Single-threaded; float and double.
//
// Cost: 2 m n k flop. Tiles of 14 x 32 floats stay in registers: two loads and 14 broadcasts feed 28 multiply-adds.
#pragma once

#include "framework/linalg/view.hpp"

namespace segue {

enum class Gemm { kSet, kAdd };  // C = ..., C += ...

// C (m x n) = A (m x k) B (k x n).
template <class T>
void gemm(ConstView<T> a, ConstView<T> b, View<T> c, Gemm mode = Gemm::kSet);

// C (m x n) = A^T B, A: k x m, B: k x n. The gradient of weights: inputs^T output gradients.
template <class T>
void gemm_tn(ConstView<T> a, ConstView<T> b, View<T> c, Gemm mode = Gemm::kSet);

// C (m x n) = A B^T, A: m x k, B: n x k. Copies B transposed, so who multiplies by the same B many times transposes it
// once and calls gemm(). The gradient of inputs: output gradients weights^T.
template <class T>
void gemm_nt(ConstView<T> a, ConstView<T> b, View<T> c, Gemm mode = Gemm::kSet);

// to (n x m) = from^T (m x n); they must not overlap.
template <class T>
void transpose(ConstView<T> from, View<T> to);

}  // namespace segue
