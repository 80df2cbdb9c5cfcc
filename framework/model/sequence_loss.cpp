#include "framework/model/sequence_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/errors.hpp"
#include "framework/linalg/gemm.hpp"
#include "framework/linalg/simd.hpp"
#include "framework/nn/dense.hpp"
#include "framework/nn/lanes.hpp"
#include "framework/nn/loss.hpp"

namespace segue {

namespace {

float dot(const float* a, const float* b, std::size_t n) { return lane_dot({a, n}, {b, n}); }
double dot(const double* a, const double* b, std::size_t n) {
  double sum = 0;
  for (std::size_t d = 0; d < n; ++d) sum += a[d] * b[d];
  return sum;
}

// to += by x.
template <class T>
void add_scaled(T by, const T* x, T* to, std::size_t n) {
  using V = nn::LaneOf<T>;
  const V factor = nn::all<V>(static_cast<double>(by));
  nn::for_parts<T>(n, [&](auto part) { part.store(to, fma(factor, part.load(x), part.load(to))); });
}

template <class T>
double one_loss(const ItemLossSettings& s, nn::Sampled<T> x, T scale, T& d_positive, std::span<T> d_negatives) {
  switch (s.loss) {
    case SequenceLoss::kBce:
      return nn::generalised_bce(x, T(1), scale, d_positive, d_negatives);
    case SequenceLoss::kGbce:
      return nn::generalised_bce(x, static_cast<T>(s.gbce_beta), scale, d_positive, d_negatives);
    case SequenceLoss::kSampledSoftmax:
      return nn::sampled_softmax(x, scale, d_positive, d_negatives);
    case SequenceLoss::kBpr:
      return nn::bpr(x, scale, d_positive, d_negatives);
    case SequenceLoss::kBprMax:
      return nn::bpr_max(x, static_cast<T>(s.bpr_max_reg), scale, d_positive, d_negatives);
    case SequenceLoss::kSoftmax:
      break;
  }
  SEGUE_CHECK(false, "a loss over the whole catalogue takes no negatives");
  return 0;
}

// What is added to <h, v_i>.
template <class T>
T offset(const ItemSide<T>& items, std::uint32_t item) {
  const T bias = items.bias.empty() ? T(0) : items.bias[item];
  return items.log_q.empty() ? bias : bias - static_cast<T>(items.log_q[item]);
}

// The same of slot j of the pool.
template <class T>
T pool_offset(const ItemLossSettings& settings, const ItemSide<T>& items, std::size_t j) {
  const T own = offset(items, items.pool[j]);
  if (settings.loss != SequenceLoss::kSampledSoftmax || items.pool_counts.empty() || items.pool_counts[j] == 1)
    return own;
  return own + std::log(static_cast<T>(items.pool_counts[j]));
}

// Takes out of an example's logits what is no negative for it.
template <class T>
void leave_out(const ItemSide<T>& items, const ItemExamples<T>& examples, std::size_t example, std::span<T> logits) {
  constexpr T kLeftOut = -std::numeric_limits<T>::infinity();
  const auto own = std::lower_bound(items.pool.begin(), items.pool.end(), examples.targets[example]);
  if (own != items.pool.end() && *own == examples.targets[example]) logits[own - items.pool.begin()] = kLeftOut;
  if (examples.hidden_begins.empty()) return;
  const std::uint32_t s = examples.sequence[example];
  for (std::uint32_t i = examples.hidden_begins[s]; i < examples.hidden_begins[s + 1]; ++i)
    logits[examples.hidden[i]] = kLeftOut;
}

}  // namespace

template <class T>
double ItemLoss<T>::operator()(const ItemLossSettings& settings, const ItemSide<T>& items,
                               const ItemExamples<T>& examples, T scale, View<T> dh, ItemGradients<T>& gradients) {
  if (!uses_negatives(settings.loss))
    return nn::softmax_over_catalogue<T>(
        examples.h, items.vectors, items.vectors_t, items.bias, examples.targets, scale, dh, gradients.all,
        {gradients.all_bias.data(), static_cast<std::size_t>(gradients.all_bias.size())});
  return settings.shared ? of_shared(settings, items, examples, scale, dh, gradients)
                         : of_own(settings, items, examples, scale, dh, gradients);
}

// All logits of the shard first: n positives, then n x k negatives.
template <class T>
double ItemLoss<T>::of_own(const ItemLossSettings& settings, const ItemSide<T>& items, const ItemExamples<T>& examples,
                           T scale, View<T> dh, ItemGradients<T>& gradients) {
  const std::size_t n = examples.targets.size(), k = settings.negatives, d = examples.h.cols;
  SEGUE_CHECK(examples.negatives.size() == n * k, "{} negatives for {} states", examples.negatives.size(), n);
  logits_.resize(n * (k + 1));
  gradients_.resize(n * (k + 1));
  const auto item_of = [&](std::size_t r, std::size_t j) {
    return j == 0 ? examples.targets[r] : examples.negatives[r * k + j - 1];
  };
  double loss = 0;
  for (std::size_t r = 0; r < n; ++r) {
    T* logits = logits_.data() + r * (k + 1);
    for (std::size_t j = 0; j <= k; ++j) {
      const std::uint32_t item = item_of(r, j);
      if (item == kNoTarget) {  // without a say, and with a gradient of zero
        logits[j] = settings.loss == SequenceLoss::kBce ? T(-100) : -std::numeric_limits<T>::infinity();
        continue;
      }
      logits[j] = dot(examples.h.row(r), items.vectors.row(item), d) + offset(items, item);
    }
  }
  if (settings.loss == SequenceLoss::kBce) {  // element by element, and many at once are quicker
    labels_.resize(n * (k + 1));
    for (std::size_t i = 0; i < labels_.size(); ++i) labels_[i] = i % (k + 1) == 0 ? T(1) : T(0);
    loss = nn::binary_cross_entropy<T>(logits_, labels_, scale, gradients_);
  } else {
    for (std::size_t r = 0; r < n; ++r) {
      const std::span<T> from(logits_.data() + r * (k + 1), k + 1), to(gradients_.data() + r * (k + 1), k + 1);
      loss += one_loss<T>(settings, {from[0], from.subspan(1)}, scale, to[0], to.subspan(1));
    }
  }
  for (std::size_t r = 0; r < n; ++r) {
    std::fill_n(dh.row(r), d, T(0));
    for (std::size_t j = 0; j <= k; ++j) {
      const std::uint32_t item = item_of(r, j);
      if (item == kNoTarget) continue;
      const T g = gradients_[r * (k + 1) + j];
      add_scaled(g, items.vectors.row(item), dh.row(r), d);
      add_scaled(g, examples.h.row(r), gradients.rows.at(item).data(), d);
      if (!items.bias.empty()) gradients.bias.at(item)[0] += g;
    }
  }
  return loss;
}

template <class T>
double ItemLoss<T>::of_shared(const ItemLossSettings& settings, const ItemSide<T>& items,
                              const ItemExamples<T>& examples, T scale, View<T> dh, ItemGradients<T>& gradients) {
  const std::size_t n = examples.targets.size(), k = items.pool.size(), d = examples.h.cols;
  // A block's logits fill a quarter of L2.
  const std::size_t block = std::clamp<std::size_t>((std::size_t{1} << 17) / std::max<std::size_t>(k, 1), 14, 112);
  gradients_.resize(k);
  for (std::size_t j = 0; j < k; ++j) gradients_[j] = pool_offset(settings, items, j);
  const std::span<const T> offsets(gradients_);
  logits_.resize(block * k);
  double loss = 0;
  for (std::size_t begin = 0; begin < n; begin += block) {
    const std::size_t end = std::min(n, begin + block);
    const View<T> logits(logits_.data(), end - begin, k);
    const ConstView<T> h = examples.h.some_rows(begin, end);
    for (std::size_t r = 0; r < logits.rows; ++r) std::copy(offsets.begin(), offsets.end(), logits.row(r));
    gemm(h, items.pool_vectors_t, logits, Gemm::kAdd);
    for (std::size_t r = 0; r < logits.rows; ++r) {
      const std::size_t example = begin + r;
      const std::uint32_t target = examples.targets[example];
      const std::span<T> row = logits.span(r);
      leave_out(items, examples, example, row);
      const T* vector = items.vectors.row(target);
      T g = 0;
      loss += one_loss<T>(settings, {dot(h.row(r), vector, d) + offset(items, target), row}, scale, g, row);
      const View<T> to = dh.some_rows(example, example + 1);
      std::fill_n(to.data, d, T(0));
      add_scaled(g, vector, to.data, d);
      add_scaled(g, h.row(r), gradients.rows.at(target).data(), d);
      if (!items.bias.empty()) gradients.bias.at(target)[0] += g;
    }
    gemm(ConstView<T>(logits), items.pool_vectors, dh.some_rows(begin, end), Gemm::kAdd);
    gemm_tn(ConstView<T>(logits), h, gradients.pool, Gemm::kAdd);
    for (std::size_t r = 0; r < logits.rows && !items.bias.empty(); ++r)
      for (std::size_t j = 0; j < k; ++j) gradients.pool_bias.data[j] += logits(r, j);
  }
  return loss;
}

template <class T>
double PoolLoss<T>::operator()(const ItemLossSettings& settings, const ItemSide<T>& items,
                               const ItemExamples<T>& examples, T scale, View<T> dh, View<T> d_pool,
                               std::span<T> d_pool_bias, std::span<T> d_targets, const Executor& exec) {
  constexpr std::size_t kSlots = 128, kExamples = 16;  // of a task
  const std::size_t n = examples.h.rows, d = examples.h.cols, k = items.pool.size();
  const View<T> pool = pool_.get(k, d), h_t = h_t_.get(d, n), logits_t = logits_t_.get(k, n),
                logits = logits_.get(n, k);
  T* offsets = offsets_.get(1, k).data;
  transpose(examples.h, h_t);
  exec.for_blocks(k, kSlots, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j) {
      std::copy_n(items.vectors.row(items.pool[j]), d, pool.row(j));
      offsets[j] = pool_offset(settings, items, j);
    }
    gemm<T>(pool.some_rows(begin, end), h_t, logits_t.some_rows(begin, end));
  });
  losses_.assign(n, 0);
  exec.for_blocks(n, kExamples, [&](std::size_t begin, std::size_t end) {
    const View<T> rows = logits.some_rows(begin, end);
    transpose<T>(logits_t.some_cols(begin, end), rows);
    for (std::size_t r = begin; r < end; ++r) {
      const std::span<T> row = logits.span(r);
      nn::for_parts<T>(k, [&](auto part) { part.store(row.data(), part.load(row.data()) + part.load(offsets)); });
      leave_out(items, examples, r, row);
      const T* vector = items.vectors.row(examples.targets[r]);
      const T positive = dot(examples.h.row(r), vector, d) + offset(items, examples.targets[r]);
      losses_[r] = one_loss<T>(settings, {positive, row}, scale, d_targets[r], row);
      std::fill_n(dh.row(r), d, T(0));
      add_scaled(d_targets[r], vector, dh.row(r), d);
    }
    gemm<T>(rows, pool, dh.some_rows(begin, end), Gemm::kAdd);
  });
  exec.for_blocks(k, kSlots, [&](std::size_t begin, std::size_t end) {
    const ConstView<T> slots = ConstView<T>(logits).some_cols(begin, end);
    gemm_tn(slots, examples.h, d_pool.some_rows(begin, end));
    if (d_pool_bias.empty()) return;
    const std::span<T> sums = d_pool_bias.subspan(begin, end - begin);
    std::fill(sums.begin(), sums.end(), T(0));
    nn::add_column_sums(slots, View<T>(sums.data(), 1, sums.size()));
  });
  double loss = 0;
  for (const double x : losses_) loss += x;
  return loss;
}

template class PoolLoss<float>;
template class PoolLoss<double>;
template class ItemLoss<float>;
template class ItemLoss<double>;

}  // namespace segue
