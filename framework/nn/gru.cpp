#include "framework/nn/gru.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/nn/dense.hpp"
#include "framework/nn/lanes.hpp"

namespace segue::nn {

namespace {

void check_steps(const GruSteps& steps, std::size_t rows) {
  SEGUE_CHECK(!steps.begin.empty() && steps.begin.front() == 0 && steps.rows() == rows, "GRU: {} rows, steps of {}",
              rows, steps.begin.empty() ? 0 : steps.rows());
  for (std::size_t t = 1; t < steps.count(); ++t)
    SEGUE_CHECK(steps.lanes(t) <= steps.lanes(t - 1), "GRU: {} lanes in step {} after {}", steps.lanes(t), t,
                steps.lanes(t - 1));
  SEGUE_CHECK(steps.restarts.empty() || steps.restarts.size() == rows, "GRU: {} marks of restarts for {} rows",
              steps.restarts.size(), rows);
}

// The gates' sums become the gates, in one row; h is the new state.
template <class T>
void gates_forward(T* gates, const T* previous, T* h, std::size_t width) {
  using segue::sigmoid;
  T *n = gates, *r = gates + width, *z = gates + 2 * width;
  const T* inner = gates + 3 * width;
  for_parts<T>(width, [=](auto part) {
    const auto reset = sigmoid(part.load(r)), update = sigmoid(part.load(z));
    const auto fresh = tanh(fma(reset, part.load(inner), part.load(n)));
    part.store(r, reset);
    part.store(z, update);
    part.store(n, fresh);
    part.store(h, fma(update, part.load(previous) - fresh, fresh));
  });
}

// The gates become the gradients of their sums, and d, the gradient of the new state, what of it reaches the old one
// past the gates.
template <class T>
void gates_backward(T* gates, const T* previous, T* d, std::size_t width) {
  using V = LaneOf<T>;
  T *n = gates, *r = gates + width, *z = gates + 2 * width, *inner = gates + 3 * width;
  const V one = all<V>(1);
  for_parts<T>(width, [=](auto part) {
    const V fresh = part.load(n), reset = part.load(r), update = part.load(z), dh = part.load(d);
    const V d_sum = dh * (one - update) * (one - fresh * fresh);
    part.store(n, d_sum);
    part.store(r, d_sum * part.load(inner) * reset * (one - reset));
    part.store(z, dh * (part.load(previous) - fresh) * update * (one - update));
    part.store(inner, d_sum * reset);
    part.store(d, dh * update);
  });
}

}  // namespace

template <class T>
GruIds add_gru(ParamStore<T>& store, const std::string& name, std::size_t in, std::size_t width) {
  return {store.add(name + ".input", in, 3 * width), store.add(name + ".hidden", width, 3 * width),
          store.add(name + ".bias", 1, 4 * width)};
}

template <class T>
GruBlocks<T> gru_blocks(ParamStore<T>& store, const GruIds& ids) {
  return {store[ids.input], store[ids.hidden], store[ids.bias]};
}
template <class T>
GruBlocks<const T> gru_blocks(const ParamStore<T>& store, const GruIds& ids) {
  return {store[ids.input], store[ids.hidden], store[ids.bias]};
}

template <class T>
void init_gru(const GruBlocks<T>& blocks, Rng rng) {
  const std::size_t width = blocks.width();
  for (std::size_t gate = 0; gate < 3; ++gate) {
    init_xavier(blocks.input.some_cols(gate * width, (gate + 1) * width), rng.stream("input", gate));
    init_xavier(blocks.hidden.some_cols(gate * width, (gate + 1) * width), rng.stream("hidden", gate));
  }
  blocks.bias.fill(0);
}

template <class T>
void gru_forward(ConstView<T> x, const GruSteps& steps, ConstView<T> initial, const GruBlocks<const T>& w, View<T> h,
                 GruCache<T>& cache) {
  const std::size_t width = w.width();
  check_steps(steps, x.rows);
  SEGUE_CHECK(w.input.rows == x.cols && w.input.cols == 3 * width && w.hidden.cols == 3 * width && w.bias.rows == 1 &&
                  w.bias.cols == 4 * width && h.rows == x.rows && h.cols == width,
              "GRU of {}x{} into {}x{}, width {}", x.rows, x.cols, h.rows, h.cols, width);
  if (x.rows == 0) return;
  SEGUE_CHECK(initial.rows == 0 || (initial.rows >= steps.lanes(0) && initial.cols == width),
              "GRU: {}x{} initial states for {} lanes of width {}", initial.rows, initial.cols, steps.lanes(0), width);
  cache.reserve(x.rows, steps.lanes(0), width);
  const View<T> gates = cache.gates, previous = cache.previous;
  for (std::size_t r = 0; r < x.rows; ++r) std::copy_n(w.bias.data, 4 * width, gates.row(r));
  gemm(x, w.input, gates.some_cols(0, 3 * width), Gemm::kAdd);
  for (std::size_t t = 0; t < steps.count(); ++t) {
    const std::size_t begin = steps.begin[t], end = steps.begin[t + 1];
    bool resting = true;  // all states are zero, and so is what they contribute
    for (std::size_t row = begin; row < end; ++row) {
      const std::size_t lane = row - begin;
      const T* from = t > 0 ? h.row(steps.begin[t - 1] + lane) : initial.rows > 0 ? initial.row(lane) : nullptr;
      if (steps.restarts_at(row)) from = nullptr;
      if (from != nullptr)
        std::copy_n(from, width, previous.row(row));
      else
        std::fill_n(previous.row(row), width, T(0));
      resting = resting && from == nullptr;
    }
    if (!resting)
      gemm<T>(previous.some_rows(begin, end), w.hidden, gates.some_rows(begin, end).some_cols(width, 4 * width),
              Gemm::kAdd);
    for (std::size_t row = begin; row < end; ++row) gates_forward(gates.row(row), previous.row(row), h.row(row), width);
  }
}

template <class T>
void gru_backward_input(ConstView<T> dh, const GruSteps& steps, const GruTransposed<T>& w, View<T> dx, View<T> dinitial,
                        GruCache<T>& cache) {
  const View<T> gates = cache.gates, previous = cache.previous, carried = cache.carried;
  const std::size_t width = previous.cols;
  check_steps(steps, dh.rows);
  SEGUE_CHECK(gates.rows == dh.rows && dh.cols == width && w.hidden.rows == 3 * width && w.hidden.cols == width &&
                  w.input.rows == 3 * width && (dx.rows == 0 || (dx.rows == dh.rows && dx.cols == w.input.cols)),
              "GRU's gradient: {}x{} for a forward of {}x{}, into {}x{}", dh.rows, dh.cols, gates.rows, width, dx.rows,
              dx.cols);
  if (dh.rows == 0) return;
  SEGUE_CHECK(dinitial.rows == 0 || (dinitial.rows == steps.lanes(0) && dinitial.cols == width),
              "GRU's gradient: {}x{} for the initial states of {} lanes", dinitial.rows, dinitial.cols, steps.lanes(0));
  for (std::size_t t = steps.count(); t-- > 0;) {
    const std::size_t begin = steps.begin[t], end = steps.begin[t + 1];
    const std::size_t later = t + 1 < steps.count() && steps.returns_gradients(t + 1) ? steps.lanes(t + 1) : 0;
    for (std::size_t row = begin; row < end; ++row) {
      const std::size_t lane = row - begin;
      T* d = carried.row(lane);
      const T* own = dh.row(row);
      if (lane < later && !steps.restarts_at(end + lane))
        for (std::size_t c = 0; c < width; ++c) d[c] += own[c];
      else
        std::copy_n(own, width, d);
      gates_backward(gates.row(row), previous.row(row), d, width);
    }
    if (t > 0 ? steps.returns_gradients(t) : dinitial.rows > 0)
      gemm<T>(gates.some_rows(begin, end).some_cols(width, 4 * width), w.hidden, carried.some_rows(0, end - begin),
              Gemm::kAdd);
  }
  for (std::size_t lane = 0; lane < dinitial.rows; ++lane) {
    if (steps.restarts_at(lane))
      std::fill_n(dinitial.row(lane), width, T(0));
    else
      std::copy_n(carried.row(lane), width, dinitial.row(lane));
  }
  if (dx.rows > 0) gemm<T>(gates.some_cols(0, 3 * width), w.input, dx);
}

template <class T>
void gru_backward_params(ConstView<T> x, const GruCache<T>& cache, const GruBlocks<T>& d) {
  const ConstView<T> gates = cache.gates, previous = cache.previous;
  const std::size_t width = d.width();
  if (x.rows == 0) return;
  SEGUE_CHECK(gates.rows == x.rows && previous.cols == width && d.input.rows == x.cols,
              "GRU's gradient: {}x{} for a forward of {} rows, width {}", x.rows, x.cols, gates.rows, previous.cols);
  gemm_tn(x, gates.some_cols(0, 3 * width), d.input, Gemm::kAdd);
  gemm_tn(previous, gates.some_cols(width, 4 * width), d.hidden, Gemm::kAdd);
  add_column_sums(gates, d.bias);
}

#define SEGUE_INSTANTIATE(T)                                                                                 \
  template GruIds add_gru(ParamStore<T>&, const std::string&, std::size_t, std::size_t);                     \
  template GruBlocks<T> gru_blocks(ParamStore<T>&, const GruIds&);                                           \
  template GruBlocks<const T> gru_blocks(const ParamStore<T>&, const GruIds&);                               \
  template void init_gru(const GruBlocks<T>&, Rng);                                                          \
  template void gru_forward(ConstView<T>, const GruSteps&, ConstView<T>, const GruBlocks<const T>&, View<T>, \
                            GruCache<T>&);                                                                   \
  template void gru_backward_input(ConstView<T>, const GruSteps&, const GruTransposed<T>&, View<T>, View<T>, \
                                   GruCache<T>&);                                                            \
  template void gru_backward_params(ConstView<T>, const GruCache<T>&, const GruBlocks<T>&);
SEGUE_INSTANTIATE(float)
SEGUE_INSTANTIATE(double)
#undef SEGUE_INSTANTIATE

}  // namespace segue::nn
