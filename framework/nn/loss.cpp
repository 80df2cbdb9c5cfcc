#include "framework/nn/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/nn/lanes.hpp"

namespace segue::nn {

namespace {

template <class T>
T largest(std::span<const T> x) {
  T top = -std::numeric_limits<T>::infinity();
  if constexpr (std::is_same_v<T, float>) {
    constexpr std::size_t kLanes = Lanes::kCount;
    Lanes tops = Lanes::all(top);
    for (std::size_t i = 0; i + kLanes <= x.size(); i += kLanes) tops = max(Lanes::load(&x[i]), tops);
    float lanes[kLanes];
    tops.store(lanes);
    for (const float v : lanes) top = std::max(top, v);
    for (const float v : x.subspan(x.size() / kLanes * kLanes)) top = std::max(top, v);
  } else {
    for (const T v : x) top = std::max(top, v);
  }
  return top;
}

// out = e^(x - top); returns their sum.
template <class T>
double exp_below(std::span<const T> x, T top, std::span<T> out) {
  double sum = 0;
  if constexpr (std::is_same_v<T, float>) {
    // Sixteen chains in float over at most 512 elements each, then in double.
    constexpr std::size_t kBlock = 512 * Lanes::kCount;
    for (std::size_t begin = 0; begin < x.size(); begin += kBlock) {
      const std::size_t n = std::min(kBlock, x.size() - begin);
      Lanes chains = Lanes::zero();
      for_parts<float>(n, [&](auto part) {
        const Lanes y = exp(part.load(&x[begin]) - Lanes::all(top));
        chains = chains + only(part, y);
        part.store(&out[begin], y);
      });
      sum += total(chains);
    }
  } else {
    for (std::size_t i = 0; i < x.size(); ++i) sum += out[i] = std::exp(x[i] - top);
  }
  return sum;
}

template <class T>
void multiply(std::span<T> x, T by) {
  using V = LaneOf<T>;
  for_parts<T>(x.size(),
               [&](auto part) { part.store(x.data(), part.load(x.data()) * all<V>(static_cast<double>(by))); });
}

// Sums of log(1 + e^x) = max(x, 0) + log(1 + t), t = e^-|x|. Logarithms are taken of products of 1 + t, each at most 2,
// so 64 of them are far from overflow.
template <class T>
class SoftplusSum {
 public:
  using V = LaneOf<T>;
  // linear: max(x, 0), and whatever else is to be added.
  template <class Part>
  void add(const Part& part, V t, V linear) {
    product_ = product_ * (all<V>(1) + only(part, t));
    linear_ = linear_ + only(part, linear);
    if (++factors_ == 64) flush();
  }
  double sum() {
    flush();
    return sum_;
  }

 private:
  void flush() {
    if constexpr (std::is_same_v<T, float>) {
      float lanes[Lanes::kCount];
      product_.store(lanes);
      for (const float x : lanes) sum_ += std::log(static_cast<double>(x));
    } else {
      sum_ += std::log(product_);
    }
    sum_ += total(linear_);
    product_ = all<V>(1);
    linear_ = all<V>(0);
    factors_ = 0;
  }
  V product_ = all<V>(1), linear_ = all<V>(0);
  int factors_ = 0;
  double sum_ = 0;
};

// 1 / (1 + e^-x), from t = e^-|x|.
template <class V>
V sigmoid_from(V x, V t) {
  const V one = all<V>(1), positive = where_positive(x, one);
  return (positive + (one - positive) * t) / (one + t);
}

// The sum of log(1 + e^(x - shift)); d: scale times its derivatives. Nothing comes of x = -inf.
template <class T>
double softplus(std::span<const T> x, T shift, T scale, std::span<T> d) {
  using V = LaneOf<T>;
  const V zero = all<V>(0), by = all<V>(static_cast<double>(scale)), off = all<V>(static_cast<double>(shift));
  SoftplusSum<T> sum;
  for_parts<T>(x.size(), [&](auto part) {
    const V z = part.load(x.data()) - off, t = exp(min(z, zero - z));
    sum.add(part, t, max(z, zero));
    part.store(d.data(), by * sigmoid_from(z, t));
  });
  return sum.sum();
}

}  // namespace

template <class T>
double binary_cross_entropy(std::span<const T> logits, std::span<const T> labels, T scale, std::span<T> d) {
  SEGUE_CHECK(labels.size() == logits.size() && d.size() == logits.size(),
              "binary cross-entropy of {} logits, {} labels", logits.size(), labels.size());
  using V = LaneOf<T>;
  const V zero = all<V>(0), by = all<V>(static_cast<double>(scale));
  SoftplusSum<T> sum;
  for_parts<T>(logits.size(), [&](auto part) {
    const V x = part.load(logits.data()), y = part.load(labels.data()), t = exp(min(x, zero - x));
    sum.add(part, t, max(x, zero) - x * y);
    part.store(d.data(), by * (sigmoid_from(x, t) - y));
  });
  return sum.sum();
}

template <class T>
double softmax_cross_entropy(std::span<T> logits, std::size_t target, T scale) {
  T share = 0;
  const double loss = softmax_exponentials(logits, target, scale, share);
  multiply(logits, share);
  logits[target] -= scale;
  return loss;
}

template <class T>
double softmax_exponentials(std::span<T> logits, std::size_t target, T scale, T& share) {
  SEGUE_CHECK(target < logits.size(), "target {} of {} logits", target, logits.size());
  const T top = largest(std::span<const T>(logits)), x = logits[target];
  const double sum = exp_below(std::span<const T>(logits), top, logits);
  share = static_cast<T>(static_cast<double>(scale) / sum);
  return std::log(sum) + static_cast<double>(top) - static_cast<double>(x);
}

template <class T>
double softmax_multinomial(std::span<T> logits, std::span<const std::uint32_t> targets, T scale) {
  const T top = largest(std::span<const T>(logits));
  const auto n = static_cast<double>(targets.size());
  double named = 0;
  for (const std::uint32_t t : targets) {
    SEGUE_CHECK(t < logits.size(), "target {} of {} logits", t, logits.size());
    named += static_cast<double>(logits[t]);
  }
  const double sum = exp_below(std::span<const T>(logits), top, logits);
  multiply(logits, static_cast<T>(static_cast<double>(scale) * n / sum));
  for (const std::uint32_t t : targets) logits[t] -= scale;
  return n * (std::log(sum) + static_cast<double>(top)) - named;
}

template <class T>
double sampled_softmax(Sampled<T> x, T scale, T& d_positive, std::span<T> d_negatives) {
  const T top = std::max(largest(x.negatives), x.positive);
  const double own = std::exp(static_cast<double>(x.positive - top));
  const double sum = exp_below(x.negatives, top, d_negatives) + own;
  multiply(d_negatives, static_cast<T>(static_cast<double>(scale) / sum));
  d_positive = static_cast<T>(static_cast<double>(scale) * (own / sum - 1));
  return std::log(sum) - std::log(own);
}

template <class T>
double bpr(Sampled<T> x, T scale, T& d_positive, std::span<T> d_negatives) {
  std::size_t n = 0;
  for (const T v : x.negatives) n += v != -std::numeric_limits<T>::infinity();
  const T share = scale / static_cast<T>(std::max<std::size_t>(n, 1));
  const double loss = softplus(x.negatives, x.positive, share, d_negatives);
  double slopes = 0;
  for (const T d : d_negatives) slopes += static_cast<double>(d);
  d_positive = static_cast<T>(-slopes);
  return loss / static_cast<double>(std::max<std::size_t>(n, 1));
}

template <class T>
double bpr_max(Sampled<T> x, T reg, T scale, T& d_positive, std::span<T> d_negatives) {
  using V = LaneOf<T>;
  const T top = largest(x.negatives);
  d_positive = 0;
  if (top == -std::numeric_limits<T>::infinity()) {
    std::fill(d_negatives.begin(), d_negatives.end(), T(0));
    return 0;
  }
  static thread_local std::vector<T> shares, sigmas;
  shares.resize(x.negatives.size());
  sigmas.resize(x.negatives.size());
  const double sum = exp_below(x.negatives, top, std::span<T>(shares));
  multiply(std::span<T>(shares), static_cast<T>(1 / sum));
  const V zero = all<V>(0), p = all<V>(static_cast<double>(x.positive));
  for_parts<T>(sigmas.size(), [&](auto part) {
    const V z = p - part.load(x.negatives.data());
    part.store(sigmas.data(), sigmoid_from(z, exp(min(z, zero - z))));
  });
  double gain = 0, penalty = 0;  // sum_j s_j sigma_j and sum_j s_j n_j^2
  for (std::size_t j = 0; j < shares.size(); ++j) {
    if (shares[j] == 0) continue;
    const double s = static_cast<double>(shares[j]), n = static_cast<double>(x.negatives[j]);
    gain += s * static_cast<double>(sigmas[j]);
    penalty += s * n * n;
  }
  constexpr double kTiny = 1e-24;  // keeps the logarithm finite where every negative is far above
  const double r = static_cast<double>(reg);
  double d_p = 0;
  for (std::size_t j = 0; j < shares.size(); ++j) {
    if (shares[j] == 0) {
      d_negatives[j] = 0;
      continue;
    }
    const double s = static_cast<double>(shares[j]), n = static_cast<double>(x.negatives[j]),
                 sigma = static_cast<double>(sigmas[j]);
    const double slope = s * sigma * (1 - sigma) / (gain + kTiny);
    d_p -= slope;
    const double d = slope - s * (sigma - gain) / (gain + kTiny) + r * (s * (n * n - penalty) + 2 * s * n);
    d_negatives[j] = static_cast<T>(static_cast<double>(scale) * d);
  }
  d_positive = static_cast<T>(static_cast<double>(scale) * d_p);
  return -std::log(gain + kTiny) + r * penalty;
}

template <class T>
double generalised_bce(Sampled<T> x, T beta, T scale, T& d_positive, std::span<T> d_negatives) {
  const T opposite = -x.positive;
  const double loss = softplus(std::span(&opposite, 1), T(0), -scale * beta, std::span(&d_positive, 1));
  return static_cast<double>(beta) * loss + softplus(x.negatives, T(0), scale, d_negatives);
}

double gbce_beta(double sampled_share, double calibration) {
  return sampled_share * (calibration * (1 - 1 / sampled_share) + 1 / sampled_share);
}

template <class T>
double softmax_over_catalogue(ConstView<T> h, ConstView<T> items, ConstView<T> items_t, std::span<const T> bias,
                              std::span<const std::uint32_t> targets, T scale, View<T> dh, View<T> ditems,
                              std::span<T> dbias) {
  SEGUE_CHECK(targets.size() == h.rows && items_t.rows == h.cols && items_t.cols == items.rows &&
                  (bias.empty() || bias.size() == items.rows) && dbias.size() == bias.size(),
              "softmax over {} items of {}x{}, {} targets", items.rows, h.rows, h.cols, targets.size());
  // The logits of a block fill half of L2, but a block has enough rows to keep the products busy.
  const std::size_t block =
      std::clamp<std::size_t>((std::size_t{1} << 18) / std::max<std::size_t>(items.rows, 1), 28, 112);
  static thread_local std::vector<T> scratch, narrow, shares;
  scratch.resize(block * items.rows);
  narrow.resize(block * h.cols);
  shares.resize(block);
  double loss = 0;
  for (std::size_t begin = 0; begin < h.rows; begin += block) {
    const std::size_t end = std::min(h.rows, begin + block);
    const View<T> logits(scratch.data(), end - begin, items.rows);
    const ConstView<T> rows = h.some_rows(begin, end);
    if (bias.empty()) {
      gemm(rows, items_t, logits);
    } else {
      for (std::size_t r = 0; r < logits.rows; ++r) std::copy(bias.begin(), bias.end(), logits.row(r));
      gemm(rows, items_t, logits, Gemm::kAdd);
    }
    // The exponentials E stay as they are; what would normalise row r, its share, goes to the rows of narrow matrices:
    // dh = share (E items) - scale items[target], ditems = E^T (share h) - scale h at the target.
    const View<T> weighted(narrow.data(), end - begin, h.cols);
    for (std::size_t r = 0; r < logits.rows; ++r) {
      T share;
      loss += softmax_exponentials(logits.span(r), targets[begin + r], scale, share);
      shares[r] = share;
      for (std::size_t d = 0; d < h.cols; ++d) weighted(r, d) = share * rows(r, d);
      for (std::size_t i = 0; i < dbias.size(); ++i) dbias[i] += share * logits(r, i);
      if (!dbias.empty()) dbias[targets[begin + r]] -= scale;
    }
    const View<T> out = dh.some_rows(begin, end);
    gemm(ConstView<T>(logits), items, out);
    gemm_tn(ConstView<T>(logits), ConstView<T>(weighted), ditems, Gemm::kAdd);
    for (std::size_t r = 0; r < logits.rows; ++r) {
      const std::size_t target = targets[begin + r];
      for (std::size_t d = 0; d < h.cols; ++d) {
        out(r, d) = shares[r] * out(r, d) - scale * items(target, d);
        ditems(target, d) -= scale * rows(r, d);
      }
    }
  }
  return loss;
}

#define SEGUE_INSTANTIATE(T)                                                                           \
  template double binary_cross_entropy(std::span<const T>, std::span<const T>, T, std::span<T>);       \
  template double softmax_cross_entropy(std::span<T>, std::size_t, T);                                 \
  template double softmax_exponentials(std::span<T>, std::size_t, T, T&);                              \
  template double softmax_multinomial(std::span<T>, std::span<const std::uint32_t>, T);                \
  template double sampled_softmax(Sampled<T>, T, T&, std::span<T>);                                    \
  template double bpr(Sampled<T>, T, T&, std::span<T>);                                                \
  template double bpr_max(Sampled<T>, T, T, T&, std::span<T>);                                         \
  template double generalised_bce(Sampled<T>, T, T, T&, std::span<T>);                                 \
  template double softmax_over_catalogue(ConstView<T>, ConstView<T>, ConstView<T>, std::span<const T>, \
                                         std::span<const std::uint32_t>, T, View<T>, View<T>, std::span<T>);
SEGUE_INSTANTIATE(float)
SEGUE_INSTANTIATE(double)
#undef SEGUE_INSTANTIATE

}  // namespace segue::nn
