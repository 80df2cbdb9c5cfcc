// Normalisation of rows, n x d, with a learned gain and shift. What backward needs of forward is `stats`, n x 2.
#pragma once

#include "framework/linalg/view.hpp"

namespace segue::nn {

// y = gain (x - mean) / sqrt(variance + epsilon) + shift, each row by itself; variance over d. gain, shift: 1 x d.
// stats: mean and 1 / sqrt(variance + epsilon). y may be x where backward is not wanted. Ba, Kiros & Hinton 2016,
// "Layer normalization".
template <class T>
void layer_norm_forward(ConstView<T> x, ConstView<T> gain, ConstView<T> shift, double epsilon, View<T> y,
                        View<T> stats);
// dx is set and may be dy; dgain and dshift (1 x d) are added to.
template <class T>
void layer_norm_backward(ConstView<T> x, ConstView<T> gain, ConstView<T> stats, ConstView<T> dy, View<T> dx,
                         View<T> dgain, View<T> dshift);

// y = gain x / sqrt(mean of squares + epsilon). stats: 1 / that root, n x 1. Zhang & Sennrich 2019, "Root mean square
// layer normalization".
template <class T>
void rms_norm_forward(ConstView<T> x, ConstView<T> gain, double epsilon, View<T> y, View<T> stats);
template <class T>
void rms_norm_backward(ConstView<T> x, ConstView<T> gain, ConstView<T> stats, ConstView<T> dy, View<T> dx,
                       View<T> dgain);

}  // namespace segue::nn
