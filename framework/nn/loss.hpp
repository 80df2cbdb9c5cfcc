// Losses on logits, with their gradients with respect to the logits. What makes logits of vectors (products with item
// embeddings, all of them or a sample) is the caller's, or softmax_over_catalogue()'s.
//
// Each function writes or adds nothing but what it says, returns the sum of losses in double, and multiplies gradients,
// not the loss, by `scale` (1 / number of examples for a mean).
#pragma once

#include <cstdint>
#include <span>

#include "framework/linalg/gemm.hpp"

namespace segue::nn {

// Binary cross-entropy, log(1 + e^x) - y x per element. labels: in [0, 1]. d: as long as logits, and may be it.
template <class T>
double binary_cross_entropy(std::span<const T> logits, std::span<const T> labels, T scale, std::span<T> d);

// Softmax cross-entropy -log(e^x_target / sum_j e^x_j) of one example; logits become the gradient. Logits of -inf are
// left out: their gradient is 0.
template <class T>
double softmax_cross_entropy(std::span<T> logits, std::size_t target, T scale);

// The same loss, but logits become exponentials e_j without their normalisation: the gradient is share e_j - scale [j =
// target]. For who multiplies the row by a matrix next, and normalises the narrower product.
template <class T>
double softmax_exponentials(std::span<T> logits, std::size_t target, T scale, T& share);

// The same of one example with several targets, each as often as it is named: -sum_t log(e^x_t / sum_j e^x_j), the
// multinomial likelihood of Liang et al. 2018, "Variational autoencoders for collaborative filtering", eq. 2.
template <class T>
double softmax_multinomial(std::span<T> logits, std::span<const std::uint32_t> targets, T scale);

// The losses below compare one positive logit with the logits of sampled negatives; negatives of -inf are left out.
// d_positive and d_negatives are set; d_negatives may be negatives.
template <class T>
struct Sampled {
  T positive;
  std::span<const T> negatives;
};

// The same with the positive apart: -log(e^p / (e^p + sum_j e^n_j)). With log Q subtracted from each logit beforehand
// it estimates the full softmax (Bengio & Senecal 2008, "Adaptive importance sampling", section 3).
template <class T>
double sampled_softmax(Sampled<T> x, T scale, T& d_positive, std::span<T> d_negatives);

// -mean_j log sigma(p - n_j): Rendle et al. 2009, as in Hidasi et al. 2016, "Session-based recommendations with
// recurrent neural networks", section 3.1.2.
template <class T>
double bpr(Sampled<T> x, T scale, T& d_positive, std::span<T> d_negatives);

// -log sum_j s_j sigma(p - n_j) + reg sum_j s_j n_j^2, s = softmax(n): Hidasi & Karatzoglou 2018, "Recurrent neural
// networks with top-k gains for session-based recommendations", eq. 7.
template <class T>
double bpr_max(Sampled<T> x, T reg, T scale, T& d_positive, std::span<T> d_negatives);

// -log sigma(p)^beta - sum_j log(1 - sigma(n_j)): Petrov & Macdonald 2023, "gSASRec: reducing overconfidence in
// sequential recommendation trained with negative sampling", eq. 12. beta = 1 is binary cross-entropy.
template <class T>
double generalised_bce(Sampled<T> x, T beta, T scale, T& d_positive, std::span<T> d_negatives);
// Their beta for a share alpha = negatives / (items - 1) of items that are sampled and calibration t in [0, 1], eq. 15:
// alpha (t (1 - 1 / alpha) + 1 / alpha).
double gbce_beta(double sampled_share, double calibration);

// Cross-entropy over all items for n examples at once: logits h E^T (+ bias), the losses, and both gradients, in blocks
// of examples whose logits fit a cache, so no n x items matrix is kept.
//   h: n x d. items: items x d, and items_t the same transposed. bias: items, or empty. targets: n items.
//   dh (n x d): set. ditems (items x d), dbias (items or empty): added to.
// Cost: 6 n d items flop and n items exponentials.
template <class T>
double softmax_over_catalogue(ConstView<T> h, ConstView<T> items, ConstView<T> items_t, std::span<const T> bias,
                              std::span<const std::uint32_t> targets, T scale, View<T> dh, View<T> ditems,
                              std::span<T> dbias);

}  // namespace segue::nn
