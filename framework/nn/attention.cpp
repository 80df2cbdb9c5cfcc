#include "framework/nn/attention.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/linalg/gemm.hpp"
#include "framework/nn/lanes.hpp"

namespace segue::nn {

namespace {

// Rows that are taken through all keys together: two tiles of a product, and what causality wastes is half of them.
constexpr std::size_t kRows = 28;

template <class T>
T largest(std::span<const T> x) {
  T top = x[0];
  std::size_t i = 0;
  if constexpr (std::is_same_v<T, float>) {
    if (x.size() >= Lanes::kCount) {
      Lanes most = Lanes::load(x.data());
      for (i = Lanes::kCount; i + Lanes::kCount <= x.size(); i += Lanes::kCount) most = max(most, Lanes::load(&x[i]));
      float lanes[Lanes::kCount];
      most.store(lanes);
      top = *std::max_element(lanes, lanes + Lanes::kCount);
    }
  }
  for (; i < x.size(); ++i) top = std::max(top, x[i]);
  return top;
}

// x = e^(scale x - shift); returns the sum.
template <class T>
double exponentials(std::span<T> x, double scale, double shift) {
  using V = LaneOf<T>;
  const V by = all<V>(scale), minus = all<V>(-shift);
  V sum = all<V>(0);
  for_parts<T>(x.size(), [&](auto part) {
    const V y = exp(fma(by, part.load(x.data()), minus));
    sum = sum + only(part, y);
    part.store(x.data(), y);
  });
  return total(sum);
}

// x where the mask keeps it, else 0.
Lanes kept(const FloatPart& part, const std::uint16_t* mask, Lanes x) {
  return mask == nullptr ? x : x.without(~std::uint32_t{mask[part.at / 16]} & 0xffffu);
}
double kept(const DoublePart& part, const std::uint16_t* mask, double x) {
  return mask == nullptr || (mask[part.at / 16] >> part.at % 16 & 1) ? x : 0;
}

// out = by x where the mask keeps it; out may be x.
template <class T>
void multiply(std::span<const T> x, double by, const std::uint16_t* mask, T* out) {
  using V = LaneOf<T>;
  const V factor = all<V>(by);
  for_parts<T>(x.size(), [&](auto part) { part.store(out, kept(part, mask, part.load(x.data()) * factor)); });
}

template <class T>
double dot(const T* a, const T* b, std::size_t n) {
  using V = LaneOf<T>;
  V sum = all<V>(0);
  for_parts<T>(n, [&](auto part) { sum = fma(part.load(a), part.load(b), sum); });
  return total(sum);
}

// One head of one sequence.
template <class T>
struct Head {
  std::size_t begin, size, first_col, cols, number;
  template <class U>
  View<U> of(View<U> x) const {
    return x.some_rows(begin, begin + size).some_cols(first_col, first_col + cols);
  }
};

template <class T>
void check(const AttentionShape& shape, std::span<const std::uint32_t> begins, ConstView<T> q, ConstView<T> k,
           ConstView<T> v, ConstView<T> out) {
  const auto alike = [&](ConstView<T> x) { return x.rows == q.rows && x.cols == q.cols; };
  SEGUE_CHECK(shape.heads > 0 && q.cols % shape.heads == 0, "attention: {} columns for {} heads", q.cols, shape.heads);
  SEGUE_CHECK(!begins.empty() && begins.back() == q.rows && alike(k) && alike(v) && alike(out),
              "attention of {}x{}, {}x{} and {}x{} into {}x{}", q.rows, q.cols, k.rows, k.cols, v.rows, v.cols,
              out.rows, out.cols);
}

// f(head) for all sequences, for each all heads.
template <class T, class F>
void each_head(const AttentionShape& shape, std::span<const std::uint32_t> begins, std::size_t d, F f) {
  const std::size_t cols = d / shape.heads;
  for (std::size_t s = 0; s + 1 < begins.size(); ++s)
    for (std::size_t h = 0; h < shape.heads; ++h)
      if (begins[s + 1] > begins[s]) f(Head<T>{begins[s], std::size_t{begins[s + 1]} - begins[s], h * cols, cols, h});
}

}  // namespace

template <class T>
void attention_forward(const AttentionShape& shape, std::span<const std::uint32_t> begins, ConstView<T> q,
                       ConstView<T> k, ConstView<T> v, View<T> out, AttentionCache<T>& cache, double rate,
                       const Rng* dropout) {
  check<T>(shape, begins, q, k, v, out);
  cache.dropped = dropout != nullptr && rate > 0;
  cache.log_sums.resize(shape.heads * q.rows);
  std::size_t block = 0;
  each_head<T>(shape, begins, q.cols, [&](const Head<T>& head) {
    const ConstView<T> queries = head.of(q), values = head.of(v);
    const View<T> to = head.of(out);
    const View<T> keys_t = cache.turned.get(head.cols, head.size);
    transpose(head.of(k), keys_t);
    const double scale = 1 / std::sqrt(static_cast<double>(head.cols));
    for (std::size_t row = 0; row < head.size; row += kRows, ++block) {
      const std::size_t row_end = std::min(head.size, row + kRows), seen = shape.causal ? row_end : head.size;
      const View<T> p = cache.logits.get(row_end - row, seen);
      gemm<T>(queries.some_rows(row, row_end), keys_t.some_cols(0, seen), p);
      DropoutMask* mask = nullptr;
      if (cache.dropped) {
        if (cache.masks.size() <= block) cache.masks.resize(block + 1);
        mask = &cache.masks[block];
        mask->draw(p.rows, p.cols, rate, dropout->stream("attention", block));
      }
      for (std::size_t r = 0; r < p.rows; ++r) {
        const std::size_t own = shape.causal ? row + r + 1 : seen;
        const std::span<T> some = p.span(r).first(own);
        const double top = static_cast<double>(largest<T>(some)) * scale;
        const double sum = exponentials(some, scale, top);
        cache.log_sums[head.number * q.rows + head.begin + row + r] = static_cast<T>(top + std::log(sum));
        if (mask == nullptr)
          multiply<T>(some, 1 / sum, nullptr, some.data());
        else
          multiply<T>(some, mask->scale() / sum, mask->row(r), some.data());
        std::fill(p.row(r) + own, p.row(r) + seen, T(0));
      }
      gemm<T>(p, values.some_rows(0, seen), to.some_rows(row, row_end));
    }
  });
}

template <class T>
void attention_backward(const AttentionShape& shape, std::span<const std::uint32_t> begins, ConstView<T> q,
                        ConstView<T> k, ConstView<T> v, ConstView<T> out, ConstView<T> dout, AttentionCache<T>& cache,
                        View<T> dq, View<T> dk, View<T> dv) {
  check<T>(shape, begins, q, k, v, out);
  check<T>(shape, begins, dout, dq, dk, dv);
  using V = LaneOf<T>;
  std::size_t first_block = 0;
  each_head<T>(shape, begins, q.cols, [&](const Head<T>& head) {
    const ConstView<T> queries = head.of(q), keys = head.of(k), given = head.of(dout), result = head.of(out);
    const View<T> d_queries = head.of(dq), d_keys = head.of(dk), d_values = head.of(dv);
    const View<T> keys_t = cache.turned.get(head.cols, head.size);
    const View<T> values_t = cache.turned_values.get(head.cols, head.size);
    transpose(keys, keys_t);
    transpose(head.of(v), values_t);
    const double scale = 1 / std::sqrt(static_cast<double>(head.cols));
    const std::size_t blocks = (head.size + kRows - 1) / kRows;
    for (std::size_t b = blocks; b-- > 0;) {  // the last rows see all keys: they set gradients, the others add
      const Gemm mode = b + 1 == blocks ? Gemm::kSet : Gemm::kAdd;
      const std::size_t row = b * kRows, row_end = std::min(head.size, row + kRows),
                        seen = shape.causal ? row_end : head.size;
      const DropoutMask* mask = cache.dropped ? &cache.masks[first_block + b] : nullptr;
      const ConstView<T> d_rows = given.some_rows(row, row_end);
      const View<T> p = cache.logits.get(row_end - row, seen), dp = cache.slopes.get(row_end - row, seen);
      gemm<T>(queries.some_rows(row, row_end), keys_t.some_cols(0, seen), p);
      for (std::size_t r = 0; r < p.rows; ++r) {
        const std::size_t own = shape.causal ? row + r + 1 : seen;
        exponentials(p.span(r).first(own), scale,
                     static_cast<double>(cache.log_sums[head.number * q.rows + head.begin + row + r]));
        std::fill(p.row(r) + own, p.row(r) + seen, T(0));
        if (mask != nullptr) multiply<T>(p.span(r), mask->scale(), mask->row(r), dp.row(r));
      }
      gemm_tn<T>(mask != nullptr ? dp : p, d_rows, d_values.some_rows(0, seen), mode);
      gemm<T>(d_rows, values_t.some_cols(0, seen), dp);
      for (std::size_t r = 0; r < p.rows; ++r) {
        // sum_j P_j dP_j = <dout, out>, dropout or not.
        const V mean = all<V>(dot(d_rows.row(r), result.row(row + r), head.cols)), by = all<V>(scale),
                keep = all<V>(mask != nullptr ? mask->scale() : 1);
        const std::uint16_t* words = mask != nullptr ? mask->row(r) : nullptr;
        for_parts<T>(seen, [&, prob = p.row(r), d = dp.row(r)](auto part) {
          part.store(d, part.load(prob) * (kept(part, words, part.load(d) * keep) - mean) * by);
        });
      }
      gemm<T>(dp, keys.some_rows(0, seen), d_queries.some_rows(row, row_end));
      gemm_tn<T>(dp, queries.some_rows(row, row_end), d_keys.some_rows(0, seen), mode);
    }
    first_block += blocks;
  });
}

template <class T>
void attention_last(const AttentionShape& shape, ConstView<T> q, ConstView<T> k, ConstView<T> v, View<T> out,
                    AttentionCache<T>& cache) {
  SEGUE_CHECK(q.rows == 1 && out.rows == 1 && k.rows == v.rows && k.rows > 0 && q.cols == k.cols && q.cols == v.cols &&
                  q.cols == out.cols && q.cols % shape.heads == 0,
              "attention of the last of {} positions", k.rows);
  const std::size_t cols = q.cols / shape.heads;
  const double scale = 1 / std::sqrt(static_cast<double>(cols));
  for (std::size_t h = 0; h < shape.heads; ++h) {
    const std::size_t begin = h * cols, end = begin + cols;
    const View<T> keys_t = cache.turned.get(cols, k.rows), p = cache.logits.get(1, k.rows);
    transpose(k.some_cols(begin, end), keys_t);
    gemm<T>(q.some_cols(begin, end), keys_t, p);
    const double top = static_cast<double>(largest<T>(p.span(0))) * scale;
    const double sum = exponentials(p.span(0), scale, top);
    multiply<T>(p.span(0), 1 / sum, nullptr, p.row(0));
    gemm<T>(p, v.some_cols(begin, end), out.some_cols(begin, end));
  }
}

#define SEGUE_INSTANTIATE(T)                                                                                          \
  template void attention_forward(const AttentionShape&, std::span<const std::uint32_t>, ConstView<T>, ConstView<T>,  \
                                  ConstView<T>, View<T>, AttentionCache<T>&, double, const Rng*);                     \
  template void attention_backward(const AttentionShape&, std::span<const std::uint32_t>, ConstView<T>, ConstView<T>, \
                                   ConstView<T>, ConstView<T>, ConstView<T>, AttentionCache<T>&, View<T>, View<T>,    \
                                   View<T>);                                                                          \
  template void attention_last(const AttentionShape&, ConstView<T>, ConstView<T>, ConstView<T>, View<T>,              \
                               AttentionCache<T>&);
SEGUE_INSTANTIATE(float)
SEGUE_INSTANTIATE(double)
#undef SEGUE_INSTANTIATE

}  // namespace segue::nn
