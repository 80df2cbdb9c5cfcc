#include "framework/nn/transformer.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/nn/lanes.hpp"
#include "framework/nn/norm.hpp"

namespace segue::nn {

namespace {

template <class T>
void add_rows(ConstView<T> x, View<T> y) {
  for (std::size_t r = 0; r < x.rows; ++r)
    for_parts<T>(x.cols,
                 [from = x.row(r), to = y.row(r)](auto part) { part.store(to, part.load(to) + part.load(from)); });
}

template <class T>
void copy_rows(ConstView<T> x, View<T> y) {
  for (std::size_t r = 0; r < x.rows; ++r)
    for_parts<T>(x.cols, [from = x.row(r), to = y.row(r)](auto part) { part.store(to, part.load(from)); });
}

}  // namespace

template <class T>
TransformerBlocks add_transformer(const TransformerSettings& s, ParamStore<T>& store) {
  SEGUE_CHECK(s.dims > 0 && s.heads > 0 && s.dims % s.heads == 0 && s.inner > 0, "transformer: {} dims, {} heads",
              s.dims, s.heads);
  TransformerBlocks out;
  for (std::size_t b = 1; b <= s.blocks; ++b) {
    const auto add = [&](const char* name, std::size_t rows, std::size_t cols) {
      return store.add("block" + std::to_string(b) + "." + name, rows, cols);
    };
    TransformerBlocks::Block block{};
    block.qkv = add("qkv", s.dims, 3 * s.dims);
    block.qkv_bias = add("qkv_bias", 1, 3 * s.dims);
    block.projection = add("projection", s.dims, s.dims);
    block.projection_bias = add("projection_bias", 1, s.dims);
    block.inner = add("inner", s.dims, s.inner);
    block.inner_bias = add("inner_bias", 1, s.inner);
    block.outer = add("outer", s.inner, s.dims);
    block.outer_bias = add("outer_bias", 1, s.dims);
    block.gain1 = add("gain1", 1, s.dims);
    block.shift1 = add("shift1", 1, s.dims);
    block.gain2 = add("gain2", 1, s.dims);
    block.shift2 = add("shift2", 1, s.dims);
    out.blocks.push_back(block);
  }
  if (s.norm == NormPlace::kPre) {
    out.last_gain = store.add("last_gain", 1, s.dims);
    out.last_shift = store.add("last_shift", 1, s.dims);
  }
  return out;
}

template <class T>
void init_transformer(const TransformerSettings& s, const TransformerBlocks& blocks, ParamStore<T>& store,
                      const Rng& rng, double stddev) {
  for (std::size_t b = 0; b < blocks.blocks.size(); ++b) {
    const TransformerBlocks::Block& block = blocks.blocks[b];
    const auto draw = [&](View<T> weights, std::string_view name) {
      if (stddev > 0)
        init_normal(weights, stddev, rng.stream(name, b));
      else
        init_xavier(weights, rng.stream(name, b));
    };
    const View<T> qkv = store[block.qkv];
    draw(qkv.some_cols(0, s.dims), "q");
    draw(qkv.some_cols(s.dims, 2 * s.dims), "k");
    draw(qkv.some_cols(2 * s.dims, 3 * s.dims), "v");
    draw(store[block.projection], "projection");
    draw(store[block.inner], "inner");
    draw(store[block.outer], "outer");
    store[block.gain1].fill(1);
    store[block.gain2].fill(1);
  }
  if (s.norm == NormPlace::kPre) store[blocks.last_gain].fill(1);
}

template <class T>
void Transformer<T>::forward(std::span<const std::uint32_t> begins, ConstView<T> x, View<T> y, const Rng* dropout) {
  SEGUE_CHECK(x.cols == settings_.dims && y.rows == x.rows && y.cols == x.cols && begins.back() == x.rows,
              "transformer of {} dims: {}x{} into {}x{}", settings_.dims, x.rows, x.cols, y.rows, y.cols);
  rows_ = x.rows;
  dropped_ = dropout != nullptr;
  const bool pre = settings_.norm == NormPlace::kPre;
  const std::size_t d = settings_.dims, n = layers_.size();
  const View<T> end = pre ? at(last_x_, d) : y;
  copy_rows(x, n == 0 ? end : at(layers_[0].x, d));
  for (std::size_t b = 0; b < n; ++b)
    block_forward(layers_[b], blocks_.blocks[b], b, begins, at(layers_[b].x, d),
                  b + 1 < n ? at(layers_[b + 1].x, d) : end, dropout);
  if (pre)
    layer_norm_forward<T>(end, store_[blocks_.last_gain], store_[blocks_.last_shift], settings_.epsilon, y,
                          at(last_stats_, 2));
}

// y = the position-wise network of x; layer.hidden and layer.active keep what is between.
template <class T>
void Transformer<T>::feed_forward(Layer& layer, const Block& block, ConstView<T> x, View<T> y) {
  const View<T> hidden = layer.hidden.get(x.rows, settings_.inner), active = layer.active.get(x.rows, settings_.inner);
  dense_forward(x, store_[block.inner], store_[block.inner_bias], hidden);
  activate<T>(settings_.activation, hidden, active);
  if (dropped_) layer.inner.apply(ConstView<T>(active), active);
  dense_forward<T>(active, store_[block.outer], store_[block.outer_bias], y);
  if (dropped_) layer.output.apply(ConstView<T>(y), y);
}

template <class T>
void Transformer<T>::block_forward(Layer& layer, const Block& block, std::size_t number,
                                   std::span<const std::uint32_t> begins, View<T> x, View<T> y, const Rng* dropout) {
  const std::size_t d = settings_.dims, f = settings_.inner;
  const bool pre = settings_.norm == NormPlace::kPre;
  const View<T> qkv = at(layer.qkv, 3 * d), mixed = at(layer.mixed, d), middle = at(layer.middle, d);
  at(layer.hidden, f);
  at(layer.active, f);
  Rng attention(0);
  if (dropped_) {
    attention = dropout->stream("attention", number);
    layer.projection.draw(rows_, d, settings_.residual_dropout, dropout->stream("projection", number));
    layer.inner.draw(rows_, f, settings_.inner_dropout, dropout->stream("inner", number));
    layer.output.draw(rows_, d, settings_.output_dropout, dropout->stream("output", number));
  }
  ConstView<T> read = x;
  if (pre) {
    const View<T> normed = at(layer.normed, d);
    layer_norm_forward<T>(x, store_[block.gain1], store_[block.shift1], settings_.epsilon, normed, at(layer.stats1, 2));
    read = normed;
  }
  dense_forward<T>(read, store_[block.qkv], store_[block.qkv_bias], qkv);
  attention_forward<T>({settings_.heads, settings_.causal}, begins, qkv.some_cols(0, d), qkv.some_cols(d, 2 * d),
                       qkv.some_cols(2 * d, 3 * d), mixed, layer.attention, settings_.attention_dropout,
                       dropped_ ? &attention : nullptr);
  dense_forward<T>(mixed, store_[block.projection], store_[block.projection_bias], middle);
  if (dropped_) layer.projection.apply(ConstView<T>(middle), middle);
  add_rows<T>(x, middle);

  const View<T> normed = at(layer.middle_normed, d);
  if (pre) {
    layer_norm_forward<T>(middle, store_[block.gain2], store_[block.shift2], settings_.epsilon, normed,
                          at(layer.stats2, 2));
    feed_forward(layer, block, normed, y);
    add_rows<T>(middle, y);
  } else {
    // layer.normed: the sum that the second norm reads.
    layer_norm_forward<T>(middle, store_[block.gain1], store_[block.shift1], settings_.epsilon, normed,
                          at(layer.stats1, 2));
    const View<T> sum = at(layer.normed, d);
    feed_forward(layer, block, normed, sum);
    add_rows<T>(normed, sum);
    layer_norm_forward<T>(sum, store_[block.gain2], store_[block.shift2], settings_.epsilon, y, at(layer.stats2, 2));
  }
}

template <class T>
void Transformer<T>::backward(std::span<const std::uint32_t> begins, View<T> dy, View<T> dx, ParamStore<T>& gradients) {
  SEGUE_CHECK(dy.rows == rows_ && dx.rows == rows_, "transformer's gradient of {} rows after {}", dy.rows, rows_);
  const std::size_t d = settings_.dims;
  if (settings_.norm == NormPlace::kPre)
    layer_norm_backward<T>(at(last_x_, d), store_[blocks_.last_gain], at(last_stats_, 2), dy, dy,
                           gradients[blocks_.last_gain], gradients[blocks_.last_shift]);
  for (std::size_t b = layers_.size(); b-- > 0;) {
    block_backward(layers_[b], blocks_.blocks[b], begins, dy, dx, gradients);
    std::swap(dy, dx);
  }
  // The result is in what is now dy: where the caller wants it, unless an even number of swaps brought it back.
  if (layers_.size() % 2 == 0) copy_rows<T>(dy, dx);
}

template <class T>
void Transformer<T>::block_backward(Layer& layer, const Block& block, std::span<const std::uint32_t> begins, View<T> dy,
                                    View<T> dx, ParamStore<T>& gradients) {
  const std::size_t d = settings_.dims, f = settings_.inner;
  const bool pre = settings_.norm == NormPlace::kPre;
  const View<T> x = at(layer.x, d), normed = at(layer.normed, d), middle = at(layer.middle, d),
                middle_normed = at(layer.middle_normed, d), d_normed = at(d_normed_, d), d_mixed = at(d_mixed_, d),
                d_inner = at(d_inner_, f);
  if (!pre)
    layer_norm_backward<T>(normed, store_[block.gain2], at(layer.stats2, 2), dy, dy, gradients[block.gain2],
                           gradients[block.shift2]);
  // dy: with respect to (what the network gives) + (its residual).
  ConstView<T> d_out = dy;
  if (dropped_) {
    layer.output.apply(ConstView<T>(dy), d_mixed);
    d_out = d_mixed;
  }
  dense_backward_params<T>(at(layer.active, f), d_out, gradients[block.outer], gradients[block.outer_bias]);
  dense_backward_input<T>(d_out, store_[block.outer], d_inner);
  if (dropped_) layer.inner.apply(ConstView<T>(d_inner), d_inner);
  activate_backward<T>(settings_.activation, at(layer.hidden, f), d_inner, d_inner);
  dense_backward_params<T>(middle_normed, d_inner, gradients[block.inner], gradients[block.inner_bias]);
  dense_backward_input<T>(d_inner, store_[block.inner], d_normed);
  // dy becomes the gradient of `middle`.
  if (pre) {
    layer_norm_backward<T>(middle, store_[block.gain2], at(layer.stats2, 2), d_normed, d_normed, gradients[block.gain2],
                           gradients[block.shift2]);
    add_rows<T>(d_normed, dy);
  } else {
    add_rows<T>(d_normed, dy);
    layer_norm_backward<T>(middle, store_[block.gain1], at(layer.stats1, 2), dy, dy, gradients[block.gain1],
                           gradients[block.shift1]);
  }
  ConstView<T> d_projected = dy;
  if (dropped_) {
    layer.projection.apply(ConstView<T>(dy), d_normed);
    d_projected = d_normed;
  }
  const View<T> qkv = at(layer.qkv, 3 * d), mixed = at(layer.mixed, d), d_qkv = at(d_qkv_, 3 * d);
  dense_backward_params<T>(mixed, d_projected, gradients[block.projection], gradients[block.projection_bias]);
  dense_backward_input<T>(d_projected, store_[block.projection], d_mixed);
  attention_backward<T>({settings_.heads, settings_.causal}, begins, qkv.some_cols(0, d), qkv.some_cols(d, 2 * d),
                        qkv.some_cols(2 * d, 3 * d), mixed, d_mixed, layer.attention, d_qkv.some_cols(0, d),
                        d_qkv.some_cols(d, 2 * d), d_qkv.some_cols(2 * d, 3 * d));
  dense_backward_params<T>(pre ? normed : x, d_qkv, gradients[block.qkv], gradients[block.qkv_bias]);
  dense_backward_input<T>(d_qkv, store_[block.qkv], dx);
  if (pre)
    layer_norm_backward<T>(x, store_[block.gain1], at(layer.stats1, 2), dx, dx, gradients[block.gain1],
                           gradients[block.shift1]);
  add_rows<T>(dy, dx);
}

template <class T>
void Transformer<T>::forward_last(ConstView<T> x, View<T> y) {
  const std::size_t n = layers_.size(), d = settings_.dims;
  const bool pre = settings_.norm == NormPlace::kPre;
  const std::uint32_t begins[] = {0, static_cast<std::uint32_t>(x.rows)};
  rows_ = x.rows;
  dropped_ = false;
  if (n == 0) {
    rows_ = 1;
    const std::uint32_t one[] = {0, 1};
    return forward(one, x.some_rows(x.rows - 1, x.rows), y, nullptr);
  }
  copy_rows(x, at(layers_[0].x, d));
  for (std::size_t b = 0; b + 1 < n; ++b)
    block_forward(layers_[b], blocks_.blocks[b], b, begins, at(layers_[b].x, d), at(layers_[b + 1].x, d), nullptr);
  // The last block: keys and values of all positions, the rest for the last one.
  Layer& layer = layers_[n - 1];
  const Block& block = blocks_.blocks[n - 1];
  ConstView<T> read = at(layer.x, d);
  if (pre) {
    const View<T> normed = at(layer.normed, d);
    layer_norm_forward<T>(read, store_[block.gain1], store_[block.shift1], settings_.epsilon, normed,
                          at(layer.stats1, 2));
    read = normed;
  }
  const View<T> qkv = at(layer.qkv, 3 * d);
  const std::size_t last = x.rows - 1;
  const ConstView<T> w = store_[block.qkv], bias = store_[block.qkv_bias];
  dense_forward<T>(read, w.some_cols(d, 3 * d), bias.some_cols(d, 3 * d), qkv.some_cols(d, 3 * d));
  dense_forward<T>(read.some_rows(last, last + 1), w.some_cols(0, d), bias.some_cols(0, d),
                   qkv.some_rows(last, last + 1).some_cols(0, d));
  const View<T> mixed = at(layer.mixed, d).some_rows(0, 1), middle = at(layer.middle, d).some_rows(0, 1),
                normed = at(layer.middle_normed, d).some_rows(0, 1), end = at(last_x_, d).some_rows(0, 1);
  at(layer.hidden, settings_.inner);
  at(layer.active, settings_.inner);
  attention_last<T>({settings_.heads, settings_.causal}, qkv.some_rows(last, last + 1).some_cols(0, d),
                    qkv.some_cols(d, 2 * d), qkv.some_cols(2 * d, 3 * d), mixed, layer.attention);
  dense_forward<T>(mixed, store_[block.projection], store_[block.projection_bias], middle);
  add_rows<T>(at(layer.x, d).some_rows(last, last + 1), middle);
  const View<T> stats = at(layer.stats2, 2).some_rows(0, 1);
  const BlockId gain = pre ? block.gain2 : block.gain1, shift = pre ? block.shift2 : block.shift1;
  layer_norm_forward<T>(middle, store_[gain], store_[shift], settings_.epsilon, normed, stats);
  feed_forward(layer, block, normed, end);
  add_rows<T>(pre ? middle : normed, end);
  const BlockId last_gain = pre ? blocks_.last_gain : block.gain2, last_shift = pre ? blocks_.last_shift : block.shift2;
  layer_norm_forward<T>(end, store_[last_gain], store_[last_shift], settings_.epsilon, y, stats);
}

template <class T>
void add_positions(std::span<const std::uint32_t> begins, ConstView<T> x, T scale, ConstView<T> positions, View<T> y) {
  using V = LaneOf<T>;
  const V by = all<V>(static_cast<double>(scale));
  for (std::size_t s = 0; s + 1 < begins.size(); ++s) {
    SEGUE_CHECK(begins[s + 1] - begins[s] <= positions.rows, "a sequence of {} tokens for {} positions",
                begins[s + 1] - begins[s], positions.rows);
    for (std::size_t t = begins[s], p = positions.rows - (begins[s + 1] - begins[s]); t < begins[s + 1]; ++t, ++p)
      for_parts<T>(x.cols, [&, from = x.row(t), place = positions.row(p), to = y.row(t)](auto part) {
        part.store(to, fma(by, part.load(from), part.load(place)));
      });
  }
}

template <class T>
void add_positions_backward(std::span<const std::uint32_t> begins, ConstView<T> dy, T scale, View<T> dx,
                            View<T> dpositions) {
  using V = LaneOf<T>;
  const V by = all<V>(static_cast<double>(scale));
  for (std::size_t s = 0; s + 1 < begins.size(); ++s)
    for (std::size_t t = begins[s], p = dpositions.rows - (begins[s + 1] - begins[s]); t < begins[s + 1]; ++t, ++p)
      for_parts<T>(dy.cols, [&, from = dy.row(t), place = dpositions.row(p), to = dx.row(t)](auto part) {
        const V d = part.load(from);
        part.store(place, part.load(place) + d);
        part.store(to, by * d);
      });
}

#define SEGUE_INSTANTIATE(T)                                                                                       \
  template TransformerBlocks add_transformer(const TransformerSettings&, ParamStore<T>&);                          \
  template void init_transformer(const TransformerSettings&, const TransformerBlocks&, ParamStore<T>&, const Rng&, \
                                 double);                                                                          \
  template class Transformer<T>;                                                                                   \
  template void add_positions(std::span<const std::uint32_t>, ConstView<T>, T, ConstView<T>, View<T>);             \
  template void add_positions_backward(std::span<const std::uint32_t>, ConstView<T>, T, View<T>, View<T>);
SEGUE_INSTANTIATE(float)
SEGUE_INSTANTIATE(double)
#undef SEGUE_INSTANTIATE

}  // namespace segue::nn
