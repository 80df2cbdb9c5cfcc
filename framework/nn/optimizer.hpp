// Steps along gradients: SGD with momentum, Adagrad, Adam, AdamW; for dense blocks, and for tables of which a batch
// touches few rows.
//
// Adam: Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1. AdamW: Loshchilov & Hutter 2019,
// "Decoupled weight decay regularization", algorithm 2. Adagrad: Duchi, Hazan & Singer 2011. Denominators are sqrt(v) +
// eps after bias correction, as in PyTorch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/nn/param_store.hpp"

namespace segue::nn {

enum class OptimizerKind { kSgd, kAdagrad, kAdam, kAdamW };

struct OptimizerSettings {
  OptimizerKind kind = OptimizerKind::kAdam;
  double learning_rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999;  // Adam
  double epsilon = 1e-8;
  double weight_decay = 0;  // AdamW: decoupled; others: added to the gradient
  double momentum = 0;      // SGD, Adagrad
};

// Warm-up and decay: the factor on the learning rate in step 1..total.
enum class Decay { kConstant, kLinear, kCosine, kInverseSqrt };
// Rises linearly over the first `warmup` steps; then 1, or to 0 at `total` on a line or half a cosine, or
// sqrt(max(warmup, 1) / step).
double rate_factor(Decay decay, std::uint64_t step, std::uint64_t warmup, std::uint64_t total);

// How a table treats the rows that a batch does not touch.
enum class RowMode {
  kDense,  // as if every row had a gradient, zero for most: moments decay and rows move on
  kLazy,   // as PyTorch's SparseAdam: they stay as they are, whatever time passes
};

template <class T>
class Optimizer {
 public:
  Optimizer(const OptimizerSettings& settings, const ParamStore<T>& store);

  // Opens step t = steps() + 1 with this factor on the learning rate.
  void begin_step(double rate_factor = 1);
  std::uint64_t steps() const { return step_; }
  // Goes on after `steps` steps whose moments were read back into state().
  void resume(std::uint64_t steps);

  // Moves values = part of store.all() at `offset` along `gradients`. Calls on disjoint parts may run at once.
  void update(std::size_t offset, std::span<T> values, std::span<const T> gradients);

  // Asks memory for what update() of a part will read.
  void prefetch(std::size_t offset, std::span<const T> values) const;

  // Whether a part moves in a step where its gradient is zero.
  bool moves_without_gradient() const;
  // Takes the open step into what catch_up() makes up for. begin_step() does it for the step before.
  void fold();
  std::uint64_t folded() const { return folded_; }
  // Gives a part that was current after step `last` the steps without gradient up to folded(). See RowTable.
  void catch_up(std::size_t offset, std::span<T> values, std::uint64_t last);

  const OptimizerSettings& settings() const { return settings_; }
  // Moments of all parameters: what a checkpoint needs besides the parameters.
  std::vector<std::span<T>> state();

 private:
  struct Step {
    double rate = 0, correct1 = 1, correct2 = 1;  // 1 - beta1^t, sqrt(1 - beta2^t)
  };
  void apply(const Step& step, std::size_t offset, T* p, const T* g, std::size_t n);  // g: nullptr for zeros
  bool closed_form() const;

  OptimizerSettings settings_;
  std::uint64_t step_ = 0, folded_ = 0, first_step_ = 0;  // first_step_: where past_ and reach_ begin
  Step now_;
  std::vector<Step> past_;
  Vector<T> first_, second_;  // momentum or m; accumulator or v; empty where there is none
  // Of a row that was current after step first_step_ + j, the sums over steps s since then, up to folded_, of w_s rho^k
  // and w_s rho^k eps_s, k = the steps from there to s; w_s = rate sqrt(1 - beta2^s) / (1 - beta1^s).
  struct Reach {
    double length = 0, epsilon = 0;
  };
  std::vector<Reach> reach_;
  std::vector<double> power1_, power2_;  // of the betas
};

// The rows of one block that gradients reach now and then. A row is brought up to date before it is read, and knows
// when that was, so a step costs what the touched rows cost.
//
// kDense with Adam: over k steps without a gradient, m, v shrink by beta1^k, beta2^k and the row moves by
//   sum_s w_s m rho^(s - last) / (sqrt(v) + eps_s),   rho = beta1 / sqrt(beta2), eps_s = eps sqrt(1 - beta2^s)
//   beta2^-((s - last) / 2).
// Only eps_s keeps this from being a number times m / (sqrt(v) + eps); with its mean under the weights of the sum it is
// one to first order, and what is left out is of order (eps / sqrt(v))^2. So this is the trajectory of dense Adam at
// none of its cost. (AdamW's decay and momentum are replayed step by step.)
template <class T>
class RowTable {
 public:
  // Both must outlive the table. optimizer: of the store that has the block.
  RowTable(ParamStore<T>& store, BlockId block, Optimizer<T>& optimizer, RowMode mode);

  // Makes a row what it is before the step that is open. Distinct rows may be brought at once.
  void bring(std::size_t row);
  // The open step on a row that was brought; gradient: cols.
  void update(std::size_t row, std::span<const T> gradient);
  // The same for several, each once: rows are asked of memory ahead of their steps. gradients: rows.size() x cols.
  void update(std::span<const std::uint32_t> rows, ConstView<T> gradients);
  // After the last step of an epoch: brings every row up to date, so that the whole block is what dense training gives.
  void finish();
  // After parameters and moments were read back: every row is current.
  void resume();

 private:
  View<T> values_;
  std::size_t offset_;
  Optimizer<T>& optimizer_;
  bool deferred_;
  std::vector<std::uint64_t> current_;  // the step after which a row is what is stored
};

// The norm of all gradients together, and the factor that keeps it at most `limit` (1 where it is, or limit is 0).
template <class T>
double norm_of(std::span<const T> gradients);
inline double clip_factor(double norm, double limit) { return limit > 0 && norm > limit ? limit / norm : 1; }

// average = decay average + (1 - decay) values, element by element.
template <class T>
void average_in(std::span<T> average, std::span<const T> values, double decay);

}  // namespace segue::nn
