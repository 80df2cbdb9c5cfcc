// Variational and denoising autoencoders over the items of a user: Liang, Krishnan, Hoffman & Jebara 2018, "Variational
// autoencoders for collaborative filtering", WWW.
//
// x: the user's n items as a row of 1 / sqrt(n), some of them dropped. tanh between layers; two layers each way, or one
// where hidden is 0.
//   h = tanh(x W1 + b1)          variational: mu, log s^2 = h W2 + b2, z = mu + s eps
//   g = tanh(z W3 + b3)          else:                             z = tanh(h W2 + b2)
//   logits = W4 g + b4
// Input and output are never multiplied as matrices of users and items but where the softmax needs it: W1 has a row an
// item, of which a user adds up a few; W4 too, so that a score is the product of an item's row with g.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/linalg/gemm.hpp"
#include "framework/nn/param_store.hpp"

namespace segue {

struct MultVaeShape {
  std::size_t items = 0, hidden = 0, dims = 0;  // hidden: 0 for none
  bool variational = true;

  std::size_t code() const { return variational ? 2 * dims : dims; }  // mu and log s^2, or what becomes z
  std::size_t input() const { return hidden > 0 ? hidden : code(); }  // columns of W1
  std::size_t output() const { return hidden > 0 ? hidden : dims; }   // columns of W4
};

// Some users. A user's items and those that dropout kept begin at the same place.
template <class T>
struct MultVaeBatch {
  std::vector<std::uint64_t> begin{0};     // n + 1
  std::vector<std::uint32_t> items, kept;  // as long as begin.back()
  std::vector<std::uint32_t> kept_count;   // n
  std::vector<T> scale;                    // n: of the kept items in x
  Matrix<T> noise;                         // eps: n x dims or more rows; variational only

  std::size_t size() const { return begin.size() - 1; }
  std::span<const std::uint32_t> targets(std::size_t u) const {
    return std::span(items).subspan(begin[u], begin[u + 1] - begin[u]);
  }
  std::span<const std::uint32_t> inputs(std::size_t u) const {
    return std::span(kept).subspan(begin[u], kept_count[u]);
  }
};

// A matrix as the right side of products: columns 32 at a time, so that gemm() has nothing to copy together. With few
// rows on the left, copying costs it as much as multiplying.
template <class T>
class Panels {
 public:
  static constexpr std::size_t kWide = 32;

  Panels() = default;
  Panels(std::size_t rows, std::size_t cols)
      : rows_(rows), cols_(cols), data_((cols + kWide - 1) / kWide * kWide * rows) {}
  std::size_t count() const { return (cols_ + kWide - 1) / kWide; }
  std::size_t begin(std::size_t p) const { return p * kWide; }
  std::size_t end(std::size_t p) const { return std::min(cols_, (p + 1) * kWide); }
  View<T> operator[](std::size_t p) { return {data_.data() + p * kWide * rows_, rows_, end(p) - begin(p), kWide}; }
  ConstView<T> operator[](std::size_t p) const {
    return {data_.data() + p * kWide * rows_, rows_, end(p) - begin(p), kWide};
  }
  // c = a times this, or c += that.
  void multiply(ConstView<T> a, View<T> c, Gemm mode = Gemm::kSet) const {
    for (std::size_t p = 0; p < count(); ++p) gemm<T>(a, (*this)[p], c.some_cols(begin(p), end(p)), mode);
  }

 private:
  std::size_t rows_ = 0, cols_ = 0;
  std::vector<T> data_;
};

template <class T>
class MultVae {
 public:
  explicit MultVae(const MultVaeShape& shape);
  MultVae(const MultVae&) = delete;
  MultVae& operator=(const MultVae&) = delete;

  const MultVaeShape& shape() const { return shape_; }
  nn::ParamStore<T>& params() { return params_; }
  const nn::ParamStore<T>& params() const { return params_; }
  void init(const Rng& rng);  // weights as Glorot & Bengio 2010, biases zero

  nn::BlockId input_block() const { return w1_; }
  ConstView<T> item_vectors() const { return params_[w4_block_]; }  // items x output()
  std::span<const T> item_biases() const { return params_[b4_].span(0); }
  // g of a user with these items, nothing dropped and z = mu.
  void encode(std::span<const std::uint32_t> items, std::span<T> out) const;

  // Before step(): the rows of W1 that the batch reads and moves, ascending.
  std::span<const std::uint32_t> prepare(const MultVaeBatch<T>& batch);

  struct Loss {
    double likelihood = 0;  // mean of -sum over a user's items of log softmax
    double divergence = 0;  // mean of KL(N(mu, s^2) || N(0, 1)); 0 unless variational
  };
  // Gives visit(offset, gradient) the gradient of likelihood + beta divergence for every part of params().all(), but
  // for rows of W1 that prepare() did not name, where it is zero. visit may move the parameters there. From several
  // threads, disjoint parts. Parameters must not have changed elsewhere since the last call, but for rows of W1, or
  // since refresh().
  using Visit = std::function<void(std::size_t, std::span<const T>)>;
  Loss step(const MultVaeBatch<T>& batch, T beta, const Executor& exec, const Visit& visit);
  void refresh();

 private:
  struct Rows {                       // a batch's
    Matrix<T> h, code, z, g, logits;  // logits become their gradient
    Matrix<T> d_g, d_z, d_code, d_h, d_h_scaled;
  };

  bool deep() const { return shape_.hidden > 0; }
  void resize(std::size_t n);
  std::span<const std::uint32_t> users_of(std::size_t t) const {
    return std::span(users_).subspan(users_begin_[t], users_begin_[t + 1] - users_begin_[t]);
  }
  Loss rows(const MultVaeBatch<T>& batch, std::size_t first, std::size_t last, T beta);
  double code_backward(const MultVaeBatch<T>& batch, std::size_t first, std::size_t last, T beta);
  void weights(const Executor& exec, const Visit& visit);
  void input(const MultVaeBatch<T>& batch, const Executor& exec);
  // The gradient x^T dy of rows [first, last) of a weight block.
  void weight_rows(nn::BlockId block, ConstView<T> x, ConstView<T> dy, std::size_t first, std::size_t last,
                   const Visit& visit);
  // Brings the copies of rows [first, last) of W4 up to date; first: a multiple of a panel.
  void copy_output(std::size_t first, std::size_t last);
  void bias(nn::BlockId block, ConstView<T> dy, std::size_t first, std::size_t last, const Visit& visit);
  std::size_t offset(nn::BlockId block) const { return params_.block(block).offset; }
  // The first n rows of an activation.
  View<T> of(Matrix<T>& m, std::size_t cols) const { return {m.data(), n_, cols, static_cast<std::size_t>(m.cols())}; }

  MultVaeShape shape_;
  nn::ParamStore<T> params_;
  nn::BlockId w1_{}, b1_{}, w2_{}, b2_{}, w3_{}, b3_{}, w4_block_{}, b4_{};  // 2 and 3: deep only
  Matrix<T> w2_t_, w3_t_;
  Panels<T> w4_, w4_t_;
  Rows r_;
  std::size_t n_ = 0;
  std::vector<std::uint32_t> touched_, users_;  // items of the batch, and the users of each
  std::vector<std::uint64_t> users_begin_;
};

}  // namespace segue
