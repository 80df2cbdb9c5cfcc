#include "framework/model/sequence_net.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/linalg/gemm.hpp"
#include "framework/nn/lanes.hpp"

namespace segue {

namespace {

// Sequences go through encoder and loss in chunks of so many tokens: their activations stay in L2, and products have
// rows enough.
constexpr std::size_t kChunkTokens = 256;
// Work is dealt to so many shards, each with gradients of its own; fewer where those are as large as the item table.
constexpr std::size_t kShards = 16;
constexpr std::size_t kDenseFloats = std::size_t{1} << 26;
// With shared negatives, batches of so few logits (4 MB) go through the loss as a whole, and in smaller chunks, one a
// shard, through the encoder.
constexpr std::size_t kPooledLogits = std::size_t{1} << 20;
constexpr std::size_t kPooledChunkTokens = 64;

template <class T>
void add_to(std::span<const T> x, std::span<T> sum) {
  nn::for_parts<T>(x.size(), [&](auto part) { part.store(sum.data(), part.load(sum.data()) + part.load(x.data())); });
}
template <class T>
std::span<T> all_of(View<T> m) {
  return {m.data, m.size()};
}
template <class T>
std::span<T> all_of(Matrix<T>& m) {
  return {m.data(), static_cast<std::size_t>(m.size())};
}

}  // namespace

void SequenceBatch::count_negatives() {
  std::sort(negatives.begin(), negatives.end());
  negative_counts.clear();
  std::size_t n = 0;
  for (const std::uint32_t item : negatives) {
    if (n > 0 && negatives[n - 1] == item) {
      ++negative_counts.back();
      continue;
    }
    negatives[n++] = item;
    negative_counts.push_back(1);
  }
  negatives.resize(n);
}

template <class T>
void SequenceEncoder<T>::last_state(const PackedTokens& tokens, ConstView<T> x, std::span<T> out) {
  std::vector<T> states(x.size());
  const View<T> h(states.data(), x.rows, x.cols);
  forward(tokens, x, h, nullptr);
  std::copy_n(h.row(h.rows - 1), h.cols, out.begin());
}

template <class T>
struct SequenceNet<T>::Spare {
  struct One {
    std::unique_ptr<SequenceEncoder<T>> encoder;
    std::vector<T> x;
  };
  std::mutex mutex;
  std::vector<One> idle;
};

template <class T>
SequenceNet<T>::SequenceNet(const SequenceShape& shape, const ItemLossSettings& loss, nn::ParamStore<T> weights,
                            const MakeEncoder& make_encoder)
    : shape_(shape),
      loss_(loss),
      weights_(std::move(weights)),
      make_encoder_(make_encoder),
      total_(shape, weights_),
      spare_(std::make_shared<Spare>()) {
  vectors_ = items_.add("items", shape.items, shape.dims);
  if (shape.bias) bias_ = items_.add("bias", shape.items, 1);
  if (is_dense()) dense_ = items_.zeros_like();
}

template <class T>
void SequenceNet<T>::cut(const SequenceBatch& batch, std::size_t chunk_tokens) {
  chunks_.assign(1, 0);
  for (std::uint32_t s = 1; s <= batch.sequences(); ++s) {
    // Sequence s - 1 begins a new chunk where it does not fit.
    if (batch.begins[s] - batch.begins[chunks_.back()] > chunk_tokens && s - 1 > chunks_.back())
      chunks_.push_back(s - 1);
  }
  chunks_.push_back(static_cast<std::uint32_t>(batch.sequences()));
}

template <class T>
void SequenceNet<T>::clear(Sums& sums, std::size_t pool, bool shard) const {
  const auto items = static_cast<Eigen::Index>(shape_.items), dims = static_cast<Eigen::Index>(shape_.dims);
  std::fill(sums.weights.all().begin(), sums.weights.all().end(), T(0));
  sums.items.rows.clear();
  sums.items.bias.clear();
  sums.loss = 0;
  if (is_dense() && shard) {
    sums.items.all.setZero(items, dims);
    sums.items.all_bias.setZero(1, shape_.bias ? items : 0);
  } else if (!is_dense() && loss_.shared) {
    sums.items.pool = sums.items.pool_memory.get(pool, shape_.dims);
    sums.items.pool.fill(0);
    sums.items.pool_bias = sums.items.pool_bias_memory.get(1, pool);
    sums.items.pool_bias.fill(0);
  }
}

template <class T>
void SequenceNet<T>::gather_inputs(std::span<const std::uint32_t> ids, View<T> x) const {
  const ConstView<T> table = items_[vectors_];
  for (std::size_t n = 0; n < ids.size(); ++n) {
    if (ids[n] == kMaskToken)
      std::fill_n(x.row(n), x.cols, T(0));
    else
      nn::for_parts<T>(x.cols,
                       [from = table.row(ids[n]), to = x.row(n)](auto part) { part.store(to, part.load(from)); });
  }
}

template <class T>
void SequenceNet<T>::make_shards(std::size_t n) {
  while (shards_.size() < n)
    shards_.push_back(std::make_unique<Shard>(shape_, weights_, make_encoder_(std::as_const(weights_))));
}

// The states of a chunk, and which of them have a target.
template <class T>
void SequenceNet<T>::encode(Shard& shard, const SequenceBatch& batch, std::size_t chunk, const Rng* dropout) const {
  const std::uint32_t first = chunks_[chunk], last = chunks_[chunk + 1];
  const std::uint32_t begin = batch.begins[first], n = batch.begins[last] - begin;
  const std::size_t d = shape_.dims;
  shard.begins.clear();
  for (std::uint32_t s = first; s <= last; ++s) shard.begins.push_back(batch.begins[s] - begin);
  shard.tokens = {shard.begins, std::span(batch.inputs).subspan(begin, n)};
  shard.x = shard.x_memory.get(n, d);
  shard.h = shard.h_memory.get(n, d);
  shard.dh = shard.dh_memory.get(n, d);
  shard.dx = shard.dx_memory.get(n, d);
  gather_inputs(shard.tokens.ids, shard.x);
  Rng own(0);
  if (dropout != nullptr) own = dropout->stream("chunk", chunk);
  shard.encoder->forward(shard.tokens, shard.x, shard.h, dropout == nullptr ? nullptr : &own);
  shard.which.clear();
  shard.targets.clear();
  shard.sequence.clear();
  for (std::uint32_t s = first; s < last; ++s)
    for (std::uint32_t t = batch.begins[s]; t < batch.begins[s + 1]; ++t) {
      if (batch.targets[t] == kNoTarget) continue;
      shard.which.push_back(t - begin);
      shard.targets.push_back(batch.targets[t]);
      shard.sequence.push_back(s);
    }
}

// From the gradients of its states, shard.dh, to those of weights and inputs.
template <class T>
void SequenceNet<T>::go_back(Shard& shard) const {
  shard.encoder->backward(shard.tokens, shard.dh, shard.dx, shard.sums.weights);
  nn::RowGradients<T>& inputs = shard.sums.items.rows;
  for (std::size_t t = 0; t < shard.tokens.ids.size(); ++t)
    if (shard.tokens.ids[t] != kMaskToken) inputs.add(shard.tokens.ids[t], {shard.dx.row(t), shape_.dims});
}

template <class T>
void SequenceNet<T>::run(Shard& shard, const SequenceBatch& batch, const ItemSide<T>& side, std::size_t chunk, T scale,
                         const Rng* dropout) const {
  encode(shard, batch, chunk, dropout);
  // The states that have a target, side by side.
  const std::size_t d = shape_.dims, n = shard.h.rows, m = shard.which.size(), begin = batch.begins[chunks_[chunk]];
  const std::size_t k = loss_.shared || is_dense() ? 0 : loss_.negatives;
  const bool every = m == n;
  std::span<const std::uint32_t> negatives = std::span(batch.negatives).subspan(k == 0 ? 0 : begin * k, n * k);
  View<T> states = shard.h, d_states = shard.dh;
  if (!every) {
    states = shard.some_h.get(m, d);
    d_states = shard.some_dh.get(m, d);
    shard.negatives.resize(m * k);
    for (std::size_t i = 0; i < m; ++i) {
      std::copy_n(shard.h.row(shard.which[i]), d, states.row(i));
      std::copy_n(negatives.begin() + static_cast<std::ptrdiff_t>(shard.which[i] * k), k,
                  shard.negatives.begin() + static_cast<std::ptrdiff_t>(i * k));
    }
    negatives = shard.negatives;
  }
  shard.sums.loss +=
      shard.loss(loss_, side, {states, shard.targets, negatives, shard.sequence, batch.hidden_begins, batch.hidden},
                 scale, d_states, shard.sums.items);
  if (!every) {
    shard.dh.fill(T(0));
    for (std::size_t i = 0; i < m; ++i) std::copy_n(d_states.row(i), d, shard.dh.row(shard.which[i]));
  }
  go_back(shard);
}

// A batch whose logits are few: all states first, then the loss over the pool, then all the way back. A shard has one
// chunk.
template <class T>
void SequenceNet<T>::run_pooled(const SequenceBatch& batch, const ItemSide<T>& side, std::size_t targets, T scale,
                                const Rng* dropout, const Executor& exec) {
  const std::size_t d = shape_.dims;
  make_shards(chunks());
  exec.for_blocks(chunks(), 1, [&](std::size_t c, std::size_t) {
    clear(shards_[c]->sums, 0, true);
    encode(*shards_[c], batch, c, dropout);
  });
  const View<T> states = states_.get(targets, d), d_states = d_states_.get(targets, d);
  std::vector<std::uint32_t> of_targets, sequence;
  std::vector<std::size_t> begins{0};  // of a chunk's states
  for (std::size_t c = 0; c < chunks(); ++c) {
    const Shard& shard = *shards_[c];
    for (std::size_t i = 0; i < shard.which.size(); ++i)
      std::copy_n(shard.h.row(shard.which[i]), d, states.row(begins[c] + i));
    of_targets.insert(of_targets.end(), shard.targets.begin(), shard.targets.end());
    sequence.insert(sequence.end(), shard.sequence.begin(), shard.sequence.end());
    begins.push_back(of_targets.size());
  }
  clear(total_, 0, false);
  nn::RowGradients<T>&rows = total_.items.rows, &bias = total_.items.bias;
  const View<T> d_pool = rows.begin(side.pool);
  std::span<T> d_pool_bias;
  if (shape_.bias) d_pool_bias = {bias.begin(side.pool).data, side.pool.size()};
  const std::span<T> d_targets = d_targets_.get(1, targets).span(0);
  total_.loss = pool_loss_(loss_, side, {states, of_targets, {}, sequence, batch.hidden_begins, batch.hidden}, scale,
                           d_states, d_pool, d_pool_bias, d_targets, exec);
  for (std::size_t r = 0; r < targets; ++r) {
    const std::span<T> sum = rows.at(of_targets[r]);
    for (std::size_t c = 0; c < d; ++c) sum[c] += d_targets[r] * states(r, c);
    if (shape_.bias) bias.at(of_targets[r])[0] += d_targets[r];
  }
  exec.for_blocks(chunks(), 1, [&](std::size_t c, std::size_t) {
    Shard& shard = *shards_[c];
    if (shard.which.size() < shard.dh.rows) shard.dh.fill(T(0));
    for (std::size_t i = 0; i < shard.which.size(); ++i)
      std::copy_n(d_states.row(begins[c] + i), d, shard.dh.row(shard.which[i]));
    go_back(shard);
  });
  add_shards({shards_.data(), chunks()}, exec);
}

template <class T>
double SequenceNet<T>::gradients(const SequenceBatch& batch, std::span<const float> log_q, const Rng* dropout,
                                 const Executor& exec) {
  const std::size_t d = shape_.dims, pool = batch.negatives.size();
  ItemSide<T> side;
  side.vectors = std::as_const(items_)[vectors_];
  if (shape_.bias) side.bias = std::as_const(items_).all().subspan(items_.block(bias_).offset, shape_.items);
  side.log_q = log_q;
  std::size_t targets = 0;
  for (const std::uint32_t t : batch.targets) targets += t != kNoTarget;
  const T scale = T(1) / static_cast<T>(std::max<std::size_t>(targets, 1));
  std::size_t most = kShards;
  if (is_dense()) {
    most = std::clamp<std::size_t>(kDenseFloats / std::max<std::size_t>(shape_.items * d, 1), 2, kShards);
    turned_.resize(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(shape_.items));
    transpose(side.vectors, View<T>(turned_));
    side.vectors_t = turned_;
  } else if (loss_.shared) {
    side.pool = batch.negatives;
    side.pool_counts = batch.negative_counts;
    SEGUE_CHECK(std::adjacent_find(side.pool.begin(), side.pool.end(), std::greater_equal<>()) == side.pool.end() &&
                    (side.pool_counts.empty() || side.pool_counts.size() == pool),
                "shared negatives must be ascending, each once");
    if (targets * pool <= kPooledLogits) {
      cut(batch, kPooledChunkTokens);
      if (chunks() <= kShards) {
        run_pooled(batch, side, targets, scale, dropout, exec);
        return targets == 0 ? 0 : total_.loss / static_cast<double>(targets);
      }
    }
    pool_.resize(static_cast<Eigen::Index>(pool), static_cast<Eigen::Index>(d));
    pool_turned_.resize(static_cast<Eigen::Index>(d), static_cast<Eigen::Index>(pool));
    for (std::size_t j = 0; j < pool; ++j)
      std::copy_n(side.vectors.row(batch.negatives[j]), d, row_span(pool_, j).begin());
    transpose(ConstView<T>(pool_), View<T>(pool_turned_));
    side.pool_vectors = pool_;
    side.pool_vectors_t = pool_turned_;
  }
  cut(batch, kChunkTokens);
  const std::size_t used = std::min(most, chunks());
  make_shards(used);
  exec.for_blocks(used, 1, [&](std::size_t s, std::size_t) {
    clear(shards_[s]->sums, side.pool.size(), true);
    for (std::size_t c = s * chunks() / used; c < (s + 1) * chunks() / used; ++c)
      run(*shards_[s], batch, side, c, scale, dropout);
  });
  fold({shards_.data(), used}, side.pool, exec);
  return targets == 0 ? 0 : total_.loss / static_cast<double>(targets);
}

namespace {

// to += part_of(each shard), one after the other.
template <class T, class Shards, class F>
void sum_shards(std::span<T> to, const Shards& shards, const Executor& exec, F part_of) {
  constexpr std::size_t kBlock = 4096;
  exec.for_blocks(to.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    for (const auto& shard : shards)
      add_to<T>(std::span<T>(part_of(*shard)).subspan(begin, end - begin), to.subspan(begin, end - begin));
  });
}

}  // namespace

// What every kind of batch has in its shards.
template <class T>
void SequenceNet<T>::add_shards(std::span<const std::unique_ptr<Shard>> shards, const Executor& exec) {
  sum_shards(total_.weights.all(), shards, exec, [](Shard& s) { return s.sums.weights.all(); });
  for (const auto& shard : shards) {
    total_.loss += shard->sums.loss;
    total_.items.rows.add(shard->sums.items.rows);
    if (shape_.bias) total_.items.bias.add(shard->sums.items.bias);
  }
}

// Shards one after the other into the totals.
template <class T>
void SequenceNet<T>::fold(std::span<const std::unique_ptr<Shard>> shards, std::span<const std::uint32_t> pool,
                          const Executor& exec) {
  clear(total_, pool.size(), false);
  add_shards(shards, exec);
  if (is_dense()) {
    const std::span<T> all = dense_.all();
    std::fill(all.begin(), all.end(), T(0));
    sum_shards(all.subspan(dense_.block(vectors_).offset, shape_.items * shape_.dims), shards, exec,
               [](Shard& s) { return all_of(s.sums.items.all); });
    if (shape_.bias)
      sum_shards(all.subspan(dense_.block(bias_).offset, shape_.items), shards, exec,
                 [](Shard& s) { return all_of(s.sums.items.all_bias); });
    const View<T> vectors = dense_[vectors_];
    const nn::RowGradients<T>& rows = total_.items.rows;
    for (std::size_t i = 0; i < rows.size(); ++i) add_to<T>(rows.gradient(i), vectors.span(rows.rows()[i]));
  } else if (loss_.shared) {
    sum_shards(all_of(total_.items.pool), shards, exec, [](Shard& s) { return all_of(s.sums.items.pool); });
    if (shape_.bias)
      sum_shards(all_of(total_.items.pool_bias), shards, exec, [](Shard& s) { return all_of(s.sums.items.pool_bias); });
    for (std::size_t j = 0; j < pool.size(); ++j) {
      total_.items.rows.add(pool[j], total_.items.pool.span(j));
      if (shape_.bias) total_.items.bias.add(pool[j], {total_.items.pool_bias.data + j, 1});
    }
  }
}

template <class T>
void SequenceNet<T>::last_state(std::span<const std::uint32_t> ids, std::span<T> out) const {
  typename Spare::One one;
  {
    const std::lock_guard lock(spare_->mutex);
    if (!spare_->idle.empty()) {
      one = std::move(spare_->idle.back());
      spare_->idle.pop_back();
    }
  }
  if (one.encoder == nullptr) one.encoder = make_encoder_(weights_);
  one.x.resize(std::max(one.x.size(), ids.size() * shape_.dims));
  const View<T> x(one.x.data(), ids.size(), shape_.dims);
  gather_inputs(ids, x);
  const std::uint32_t begins[] = {0, static_cast<std::uint32_t>(ids.size())};
  one.encoder->last_state({begins, ids}, x, out);
  const std::lock_guard lock(spare_->mutex);
  spare_->idle.push_back(std::move(one));
}

template class SequenceEncoder<float>;
template class SequenceEncoder<double>;
template class SequenceNet<float>;
template class SequenceNet<double>;

}  // namespace segue
