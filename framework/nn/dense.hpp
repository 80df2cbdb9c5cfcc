// The dense layer, and what is done to its outputs element by element. n: rows of the batch (samples or tokens).
//
// Conventions of all layers in this folder: free functions on views of one shard of a batch, single-threaded; shapes
// are checked at entry; what backward needs of forward is an argument; gradients of parameters are added to, those of
// inputs are set unless a mode says otherwise. The caller cuts a batch into shards of fixed size and folds their
// gradients in order.
#pragma once

#include "framework/linalg/gemm.hpp"

namespace segue::nn {

// y (n x out) = x (n x in) w (in x out) + bias (1 x out, or no rows).
template <class T>
void dense_forward(ConstView<T> x, ConstView<T> w, ConstView<T> bias, View<T> y);
// dx (n x in) = dy (n x out) w^T.
template <class T>
void dense_backward_input(ConstView<T> dy, ConstView<T> w, View<T> dx, Gemm mode = Gemm::kSet);
// dw (in x out) += x^T dy, dbias (1 x out, or no rows) += column sums of dy.
template <class T>
void dense_backward_params(ConstView<T> x, ConstView<T> dy, View<T> dw, View<T> dbias);

// sums (1 x cols) += the columns of x, rows in order.
template <class T>
void add_column_sums(ConstView<T> x, View<T> sums);

enum class Activation { kNone, kRelu, kGelu, kSilu, kTanh, kSigmoid };

// y = f(x), n x d; y may be x. GELU is the tanh form of Hendrycks & Gimpel 2016, "Gaussian error linear units", section
// 2; SiLU is x sigmoid(x).
template <class T>
void activate(Activation f, ConstView<T> x, View<T> y);
// dx = dy f'(x); dx may be dy. x: what went in.
template <class T>
void activate_backward(Activation f, ConstView<T> x, ConstView<T> dy, View<T> dx);

}  // namespace segue::nn
