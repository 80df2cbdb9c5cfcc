// Scaled dot-product attention of several heads over packed sequences of different lengths (Vaswani et al. 2017,
// "Attention is all you need", eq. 1), forwards and backwards without a matrix of position pairs: blocks of rows are
// taken through all their keys, the log of each row's sum is kept, and backward computes the probabilities anew (Dao et
// al. 2022, "FlashAttention", algorithms 1 and 4).
//
// Cost of a sequence of n tokens, causal: 2 n^2 d flop forwards, 5 n^2 d backwards, and n^2 heads exponentials; twice
// that where every position sees all. Memory beyond inputs and outputs: 28 n floats and a head's keys transposed
// (backward: 56 n, keys and values), one number a row and head, and with dropout a bit a pair of positions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/linalg/view.hpp"
#include "framework/nn/dropout.hpp"
#include "framework/nn/scratch.hpp"

namespace segue::nn {

struct AttentionShape {
  std::size_t heads = 1;  // divides d; head h has columns [h d / heads, (h + 1) d / heads)
  bool causal = true;     // position i sees positions up to i; else all of its sequence
};

// What backward needs of forward, and scratch of both.
template <class T>
struct AttentionCache {
  std::vector<T> log_sums;         // heads x n
  std::vector<DropoutMask> masks;  // of the blocks, in the order in which forward comes to them
  bool dropped = false;
  Scratch<T> turned, turned_values, logits, slopes;
};

// out (n x d) = softmax(q k^T / sqrt(d / heads)) v for each sequence [begins[s], begins[s + 1]) and head; q, k, v: n x
// d. dropout: the rate at which probabilities are dropped after the softmax, and the stream of this layer in this step;
// nullptr: none.
template <class T>
void attention_forward(const AttentionShape& shape, std::span<const std::uint32_t> begins, ConstView<T> q,
                       ConstView<T> k, ConstView<T> v, View<T> out, AttentionCache<T>& cache, double rate,
                       const Rng* dropout);
// dq, dk, dv (n x d) are set; q, k, v, out as forward saw and left them.
template <class T>
void attention_backward(const AttentionShape& shape, std::span<const std::uint32_t> begins, ConstView<T> q,
                        ConstView<T> k, ConstView<T> v, ConstView<T> out, ConstView<T> dout, AttentionCache<T>& cache,
                        View<T> dq, View<T> dk, View<T> dv);

// What the last position of one sequence gets, the same bits: q: 1 x d, k, v: n x d, out: 1 x d.
template <class T>
void attention_last(const AttentionShape& shape, ConstView<T> q, ConstView<T> k, ConstView<T> v, View<T> out,
                    AttentionCache<T>& cache);

}  // namespace segue::nn
