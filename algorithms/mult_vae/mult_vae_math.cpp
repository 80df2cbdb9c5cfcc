#include "algorithms/mult_vae/mult_vae_math.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/linalg/row_sums.hpp"
#include "framework/nn/dense.hpp"
#include "framework/nn/lanes.hpp"
#include "framework/nn/loss.hpp"

namespace segue {

namespace {

constexpr std::size_t kTile = 14;         // rows that gemm() takes at once
constexpr std::size_t kWeightRows = 224;  // of a task of weights
constexpr std::size_t kInputRows = 32;    // of a task of W1
constexpr std::size_t kBiasCols = 1024;
constexpr std::size_t kInputCols = 64, kAhead = 4;  // of W1; rows that are asked for ahead
static_assert(kWeightRows % Panels<float>::kWide == 0);

// Rows of a block of users: an even number of blocks, of about 84 rows.
std::size_t block_rows(std::size_t n) {
  const std::size_t blocks = 2 * std::max<std::size_t>(1, (n + 84) / 168);
  return ((n + blocks - 1) / blocks + kTile - 1) / kTile * kTile;
}

// Columns of the logits: whole cache lines, and no two neighbouring rows on the same sets of the cache.
std::size_t spread(std::size_t items) {
  const std::size_t whole = (items + 15) / 16 * 16;
  return whole % 256 == 0 ? whole + 16 : whole;
}

template <class T>
void size_rows(Matrix<T>& m, std::size_t rows, std::size_t cols) {  // at least so many; what they hold is lost
  if (static_cast<std::size_t>(m.rows()) < rows || static_cast<std::size_t>(m.cols()) != cols)
    m.resize(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
}

// dx = dy (1 - y^2) for y = tanh(x).
template <class T>
void tanh_backward(ConstView<T> y, View<T> d) {
  using V = nn::LaneOf<T>;
  for (std::size_t r = 0; r < y.rows; ++r)
    nn::for_parts<T>(y.cols, [&](auto part) {
      const V v = part.load(y.row(r));
      part.store(d.row(r), part.load(d.row(r)) * (nn::all<V>(1) - v * v));
    });
}

}  // namespace

template <class T>
MultVae<T>::MultVae(const MultVaeShape& shape) : shape_(shape) {
  SEGUE_CHECK(shape.items > 0 && shape.dims > 0, "{} items, {} dimensions", shape.items, shape.dims);
  w1_ = params_.add("input_weights", shape.items, shape.input());
  b1_ = params_.add("input_bias", 1, shape.input());
  if (deep()) {
    w2_ = params_.add("code_weights", shape.hidden, shape.code());
    b2_ = params_.add("code_bias", 1, shape.code());
    w3_ = params_.add("decoder_weights", shape.dims, shape.hidden);
    b3_ = params_.add("decoder_bias", 1, shape.hidden);
  }
  w4_block_ = params_.add("output_weights", shape.items, shape.output());
  b4_ = params_.add("output_bias", 1, shape.items);
}

template <class T>
void MultVae<T>::init(const Rng& rng) {
  nn::init_xavier(params_[w1_], rng.stream("input"));
  nn::init_xavier(params_[w4_block_], rng.stream("output"));
  if (!deep()) return;
  nn::init_xavier(params_[w2_], rng.stream("code"));
  nn::init_xavier(params_[w3_], rng.stream("decoder"));
}

template <class T>
void MultVae<T>::refresh() {
  w4_ = Panels<T>(shape_.items, shape_.output());
  w4_t_ = Panels<T>(shape_.output(), shape_.items);
  copy_output(0, shape_.items);
  if (!deep()) return;
  const auto turn = [&](nn::BlockId block, Matrix<T>& to) {
    const ConstView<T> from = std::as_const(params_)[block];
    to.resize(static_cast<Eigen::Index>(from.cols), static_cast<Eigen::Index>(from.rows));
    transpose<T>(from, to);
  };
  turn(w2_, w2_t_);
  turn(w3_, w3_t_);
}

template <class T>
void MultVae<T>::copy_output(std::size_t first, std::size_t last) {
  const ConstView<T> from = std::as_const(params_)[w4_block_];
  for (std::size_t p = first / Panels<T>::kWide; p < w4_t_.count() && w4_t_.begin(p) < last; ++p)
    transpose<T>(from.some_rows(w4_t_.begin(p), w4_t_.end(p)), w4_t_[p]);
  for (std::size_t p = 0; p < w4_.count(); ++p)
    for (std::size_t r = first; r < last; ++r)
      std::copy_n(from.row(r) + w4_.begin(p), w4_.end(p) - w4_.begin(p), w4_[p].row(r));
}

template <class T>
void MultVae<T>::encode(std::span<const std::uint32_t> items, std::span<T> out) const {
  SEGUE_CHECK(out.size() == shape_.output(), "a vector of {} for {}", out.size(), shape_.output());
  std::vector<T> h(shape_.input(), T(0)), z(shape_.dims);
  add_rows(params_[w1_], items, h.data());
  const T scale = items.empty() ? T(0) : static_cast<T>(1 / std::sqrt(static_cast<double>(items.size())));
  const ConstView<T> b1 = params_[b1_];
  for (std::size_t c = 0; c < h.size(); ++c) h[c] = std::fma(scale, h[c], b1(0, c));
  const View<T> in(h.data(), 1, h.size()), code(z.data(), 1, z.size());
  if (deep()) {
    nn::activate<T>(nn::Activation::kTanh, in, in);
    nn::dense_forward<T>(in, params_[w2_].some_cols(0, shape_.dims), params_[b2_].some_cols(0, shape_.dims), code);
  } else {
    std::copy_n(h.data(), shape_.dims, z.data());
  }
  if (!shape_.variational) nn::activate<T>(nn::Activation::kTanh, code, code);
  if (!deep()) return void(std::copy(z.begin(), z.end(), out.begin()));
  const View<T> g(out.data(), 1, out.size());
  nn::dense_forward<T>(code, params_[w3_], params_[b3_], g);
  nn::activate<T>(nn::Activation::kTanh, g, g);
}

template <class T>
std::span<const std::uint32_t> MultVae<T>::prepare(const MultVaeBatch<T>& batch) {
  std::vector<std::uint64_t> count(shape_.items + 1, 0);
  for (std::size_t u = 0; u < batch.size(); ++u)
    for (const std::uint32_t item : batch.inputs(u)) ++count[item];
  touched_.clear();
  users_begin_.assign(1, 0);
  for (std::size_t i = 0; i < shape_.items; ++i) {
    if (count[i] == 0) continue;
    touched_.push_back(static_cast<std::uint32_t>(i));
    const std::uint64_t begin = users_begin_.back();
    users_begin_.push_back(begin + count[i]);
    count[i] = begin;
  }
  users_.resize(users_begin_.back());
  for (std::size_t u = 0; u < batch.size(); ++u)
    for (const std::uint32_t item : batch.inputs(u)) users_[count[item]++] = static_cast<std::uint32_t>(u);
  return touched_;
}

template <class T>
void MultVae<T>::resize(std::size_t n) {
  n_ = n;
  const std::size_t code = shape_.code(), hidden = shape_.hidden, dims = shape_.dims;
  size_rows(r_.code, n, code);
  size_rows(r_.z, n, dims);
  size_rows(r_.d_z, n, dims);
  size_rows(r_.d_code, n, code);
  size_rows(r_.d_h_scaled, n, shape_.input());
  size_rows(r_.logits, n, spread(shape_.items));
  if (!deep()) return;
  for (Matrix<T>* m : {&r_.h, &r_.g, &r_.d_g, &r_.d_h}) size_rows(*m, n, hidden);
}

// Sums of rows of W1, a few columns of all users at a time: then each row is read once for the whole batch.
template <class T>
void MultVae<T>::input(const MultVaeBatch<T>& batch, const Executor& exec) {
  const View<T> all = deep() ? of(r_.h, shape_.hidden) : of(r_.code, shape_.code());
  const ConstView<T> w1 = std::as_const(params_)[w1_], b1 = std::as_const(params_)[b1_];
  exec.for_blocks(all.cols, kInputCols, [&](std::size_t first, std::size_t last) {
    using V = nn::LaneOf<T>;
    using nn::fma;
    const View<T> to = all.some_cols(first, last);
    to.fill(0);
    for (std::size_t t = 0; t < touched_.size(); ++t) {
      if (t + kAhead < touched_.size())
        for (std::size_t c = first; c < last; c += 16) __builtin_prefetch(w1.row(touched_[t + kAhead]) + c);
      add_to_rows<T>(w1.row(touched_[t]) + first, users_of(t), to);
    }
    for (std::size_t u = 0; u < to.rows; ++u) {
      const V scale = nn::all<V>(static_cast<double>(batch.scale[u]));
      nn::for_parts<T>(
          to.cols, [&](auto at) { at.store(to.row(u), fma(scale, at.load(to.row(u)), at.load(b1.row(0) + first))); });
    }
  });
}

// First the users, a block at a time: forward, and back to the gradients of activations. Then the weights, each row of
// which has one owner.
template <class T>
typename MultVae<T>::Loss MultVae<T>::step(const MultVaeBatch<T>& batch, T beta, const Executor& exec,
                                           const Visit& visit) {
  resize(batch.size());
  input(batch, exec);
  const Loss sum = exec.reduce_blocks(
      n_, block_rows(n_), Loss{}, [&](std::size_t first, std::size_t last) { return rows(batch, first, last, beta); },
      [](Loss a, const Loss& b) {
        return Loss{a.likelihood + b.likelihood, a.divergence + b.divergence};
      });
  weights(exec, visit);
  const auto n = static_cast<double>(n_);
  return {sum.likelihood / n, sum.divergence / n};
}

template <class T>
typename MultVae<T>::Loss MultVae<T>::rows(const MultVaeBatch<T>& batch, std::size_t first, std::size_t last, T beta) {
  using V = nn::LaneOf<T>;
  using nn::fma;
  const nn::ParamStore<T>& p = params_;
  const auto part = [&](Matrix<T>& m, std::size_t cols) { return of(m, cols).some_rows(first, last); };
  const View<T> code = part(r_.code, shape_.code()), z = part(r_.z, shape_.dims);
  const View<T> input = deep() ? part(r_.h, shape_.hidden) : code;
  if (deep()) {
    nn::activate<T>(nn::Activation::kTanh, input, input);
    nn::dense_forward<T>(input, p[w2_], p[b2_], code);
  }
  for (std::size_t r = 0; r < z.rows; ++r) {
    const T *mu = code.row(r), *log_variance = mu + shape_.dims;
    const T* eps = shape_.variational ? batch.noise.data() + (first + r) * shape_.dims : nullptr;
    nn::for_parts<T>(shape_.dims, [&](auto at) {
      using nn::exp;
      using nn::tanh;
      if (eps == nullptr)
        at.store(z.row(r), tanh(at.load(mu)));
      else
        at.store(z.row(r), fma(exp(nn::all<V>(0.5) * at.load(log_variance)), at.load(eps), at.load(mu)));
    });
  }
  const View<T> g = deep() ? part(r_.g, shape_.hidden) : z;
  if (deep()) {
    nn::dense_forward<T>(z, p[w3_], p[b3_], g);
    nn::activate<T>(nn::Activation::kTanh, g, g);
  }
  const View<T> logits = part(r_.logits, shape_.items);
  for (std::size_t r = 0; r < logits.rows; ++r) std::copy_n(p[b4_].data, shape_.items, logits.row(r));
  w4_t_.multiply(g, logits, Gemm::kAdd);
  Loss loss;
  for (std::size_t u = first; u < last; ++u)
    loss.likelihood += nn::softmax_multinomial<T>(logits.span(u - first), batch.targets(u), T(1) / static_cast<T>(n_));

  const View<T> d_z = part(r_.d_z, shape_.dims);
  if (deep()) {
    const View<T> d_g = part(r_.d_g, shape_.hidden);
    w4_.multiply(logits, d_g);
    tanh_backward<T>(g, d_g);
    gemm<T>(d_g, ConstView<T>(w3_t_), d_z);
  } else {
    w4_.multiply(logits, d_z);
  }
  loss.divergence = code_backward(batch, first, last, beta);
  const View<T> d_code = part(r_.d_code, shape_.code());
  const View<T> d_input = deep() ? part(r_.d_h, shape_.hidden) : d_code;
  if (deep()) {
    gemm<T>(d_code, ConstView<T>(w2_t_), d_input);
    tanh_backward<T>(input, d_input);
  }
  for (std::size_t u = first; u < last; ++u) {
    const V scale = nn::all<V>(static_cast<double>(batch.scale[u]));
    T* to = part(r_.d_h_scaled, shape_.input()).row(u - first);
    nn::for_parts<T>(d_input.cols, [&](auto at) { at.store(to, scale * at.load(d_input.row(u - first))); });
  }
  return loss;
}

// From the gradient of z to that of the code, with the divergence's: sum of (e^l + mu^2 - 1 - l) / 2, l = log s^2.
template <class T>
double MultVae<T>::code_backward(const MultVaeBatch<T>& batch, std::size_t first, std::size_t last, T beta) {
  using V = nn::LaneOf<T>;
  using nn::exp;
  using nn::fma;
  const V one = nn::all<V>(1), half = nn::all<V>(0.5);
  const V weight = nn::all<V>(static_cast<double>(beta) / static_cast<double>(n_));
  const std::size_t dims = shape_.dims;
  std::vector<T> terms(dims);
  double divergence = 0;
  for (std::size_t u = first; u < last; ++u) {
    const T *d_z = of(r_.d_z, dims).row(u), *z = of(r_.z, dims).row(u), *mu = of(r_.code, shape_.code()).row(u);
    T* d_mu = of(r_.d_code, shape_.code()).row(u);
    if (!shape_.variational) {
      std::copy_n(d_z, dims, d_mu);
      tanh_backward<T>({z, 1, dims}, {d_mu, 1, dims});
      continue;
    }
    const T *log_variance = mu + dims, *eps = batch.noise.data() + u * dims;
    nn::for_parts<T>(dims, [&](auto at) {
      const V m = at.load(mu), l = at.load(log_variance), d = at.load(d_z);
      const V s = exp(half * l), variance = s * s;
      at.store(d_mu, fma(weight, m, d));
      at.store(d_mu + dims, half * fma(d * at.load(eps), s, weight * (variance - one)));
      at.store(terms.data(), half * (fma(m, m, variance) - one - l));
    });
    for (const T x : terms) divergence += static_cast<double>(x);
  }
  return divergence;
}

template <class T>
void MultVae<T>::weight_rows(nn::BlockId block, ConstView<T> x, ConstView<T> dy, std::size_t first, std::size_t last,
                             const Visit& visit) {
  static thread_local std::vector<T> scratch;
  scratch.resize((last - first) * dy.cols);
  gemm_tn<T>(x.some_cols(first, last), dy, {scratch.data(), last - first, dy.cols});
  visit(offset(block) + first * dy.cols, scratch);
}

template <class T>
void MultVae<T>::bias(nn::BlockId block, ConstView<T> dy, std::size_t first, std::size_t last, const Visit& visit) {
  std::vector<T> sums(last - first, T(0));
  nn::add_column_sums<T>(dy.some_cols(first, last), {sums.data(), 1, sums.size()});
  visit(offset(block) + first, sums);
}

template <class T>
void MultVae<T>::weights(const Executor& exec, const Visit& visit) {
  std::vector<std::function<void()>> tasks;
  const auto cut = [&](std::size_t n, std::size_t block, auto run) {
    for (std::size_t first = 0; first < n; first += block)
      tasks.emplace_back([run, first, last = std::min(n, first + block)] { run(first, last); });
  };
  const ConstView<T> d_code = of(r_.d_code, shape_.code()), logits = of(r_.logits, shape_.items);
  const ConstView<T> g = deep() ? of(r_.g, shape_.hidden) : of(r_.z, shape_.dims);
  cut(shape_.items, kWeightRows, [&](std::size_t first, std::size_t last) {
    weight_rows(w4_block_, logits, g, first, last, visit);
    copy_output(first, last);
    bias(b4_, logits, first, last, visit);
  });
  const auto turn = [&](nn::BlockId block, Matrix<T>& to, std::size_t first, std::size_t last) {
    transpose<T>(std::as_const(params_)[block].some_rows(first, last), View<T>(to).some_cols(first, last));
  };
  if (deep()) {
    const ConstView<T> d_g = of(r_.d_g, shape_.hidden);
    cut(shape_.hidden, kWeightRows, [&](std::size_t first, std::size_t last) {
      weight_rows(w2_, of(r_.h, shape_.hidden), d_code, first, last, visit);
      turn(w2_, w2_t_, first, last);
    });
    cut(shape_.dims, kWeightRows, [&, d_g](std::size_t first, std::size_t last) {
      weight_rows(w3_, of(r_.z, shape_.dims), d_g, first, last, visit);
      turn(w3_, w3_t_, first, last);
    });
    cut(shape_.code(), kBiasCols, [&](std::size_t first, std::size_t last) { bias(b2_, d_code, first, last, visit); });
    cut(shape_.hidden, kBiasCols,
        [&, d_g](std::size_t first, std::size_t last) { bias(b3_, d_g, first, last, visit); });
  }
  const ConstView<T> d_input = deep() ? ConstView<T>(of(r_.d_h, shape_.hidden)) : d_code;
  cut(shape_.input(), kBiasCols, [&](std::size_t first, std::size_t last) { bias(b1_, d_input, first, last, visit); });
  const ConstView<T> scaled = of(r_.d_h_scaled, shape_.input());
  cut(touched_.size(), kInputRows, [&](std::size_t first, std::size_t last) {
    std::vector<T> row(scaled.cols);
    for (std::size_t t = first; t < last; ++t) {
      std::fill(row.begin(), row.end(), T(0));
      add_rows(scaled, users_of(t), row.data());
      visit(offset(w1_) + touched_[t] * scaled.cols, row);
    }
  });
  exec.for_blocks(tasks.size(), 1, [&](std::size_t t, std::size_t) { tasks[t](); });
}

template class MultVae<float>;
template class MultVae<double>;

}  // namespace segue
