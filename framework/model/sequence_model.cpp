#include "framework/model/sequence_model.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/model/embedding_scores.hpp"
#include "framework/model/param_archive.hpp"
#include "framework/nn/loss.hpp"

namespace segue {

using nn::Optimizer;
using nn::OptimizerSettings;
using nn::RowGradients;
using nn::RowTable;

struct SequenceRecommender::Training {
  Training(SequenceNet<float>& net, const OptimizerSettings& settings, nn::RowMode mode, bool rows)
      : item_steps(settings, net.items()), weight_steps(settings, net.weights()) {
    if (!rows) return;  // every item moves in every step
    tables.push_back({RowTable<float>(net.items(), net.vectors(), item_steps, mode), &net.row_gradients()});
    if (net.shape().bias)
      tables.push_back({RowTable<float>(net.items(), net.bias(), item_steps, mode), &net.bias_gradients()});
  }

  void resume(std::uint64_t steps) {
    item_steps.resume(steps);
    weight_steps.resume(steps);
    for (Table& table : tables) table.rows.resume();
  }

  struct Table {
    RowTable<float> rows;
    RowGradients<float>* gradients;
  };
  TrainingSequences sequences;
  ItemSampler sampler;
  std::vector<float> log_q;
  Optimizer<float> item_steps, weight_steps;
  std::vector<Table> tables;
  std::vector<std::uint8_t> seen;      // scratch of touched()
  std::vector<std::uint32_t> touched;  // the items of a batch, each once
};

namespace {

// Steps on so many values at once.
constexpr std::size_t kBlock = 4096;

void update_all(Optimizer<float>& optimizer, nn::ParamStore<float>& store, nn::ParamStore<float>& gradients,
                const Executor& exec) {
  exec.for_blocks(store.size(), kBlock, [&](std::size_t begin, std::size_t end) {
    optimizer.update(begin, store.all().subspan(begin, end - begin), gradients.all().subspan(begin, end - begin));
  });
}

void multiply(std::span<float> x, float by) {
  for (float& v : x) v *= by;
}
double square(double x) { return x * x; }

}  // namespace

SequenceRecommender::SequenceRecommender(const SequenceParams& params) : shared_(params) {
  if (!uses_negatives(params.loss) || !params.batch_negatives) return;
  if (!params.shared_negatives)
    throw UsageError(
        "batch_negatives: the targets of a batch are negatives for all its positions, so they need shared_negatives: "
        "true; or set batch_negatives: false");
  if (params.loss == SequenceLoss::kGbce)
    throw UsageError("loss: gbce is calibrated for {} sampled items; set batch_negatives: false", params.negatives);
}

void SequenceRecommender::lay_out(std::span<const std::uint32_t> events, Rng, std::span<std::uint32_t> inputs,
                                  std::span<std::uint32_t> targets) const {
  std::copy(events.begin(), events.end() - 1, inputs.begin());
  std::copy(events.begin() + 1, events.end(), targets.begin());
}

void SequenceRecommender::add_expected_targets(std::span<const std::uint32_t> events, std::span<double> counts) const {
  for (const std::uint32_t item : events.subspan(1)) ++counts[item];
}

std::vector<std::uint32_t> SequenceRecommender::query_tokens(std::span<const std::uint32_t> history) const {
  const std::size_t n = std::min(history.size(), static_cast<std::size_t>(shared_.max_length));
  return {history.end() - static_cast<std::ptrdiff_t>(n), history.end()};
}

void SequenceRecommender::build(std::size_t items, const Rng& rng) {
  ItemLossSettings loss;
  loss.loss = shared_.loss;
  loss.negatives = static_cast<std::size_t>(shared_.negatives);
  loss.shared = shared_.shared_negatives;
  loss.bpr_max_reg = static_cast<double>(shared_.bpr_max_reg);
  if (loss.loss == SequenceLoss::kGbce) {
    const double share = static_cast<double>(shared_.negatives) / std::max<double>(static_cast<double>(items) - 1, 1);
    loss.gbce_beta = nn::gbce_beta(std::min(share, 1.0), static_cast<double>(shared_.calibration));
  }
  net_ = std::make_unique<SequenceNet<float>>(
      SequenceShape{items, static_cast<std::size_t>(shared_.factors), shared_.output_bias}, loss, make_weights(rng),
      [this](const nn::ParamStore<float>& weights) { return make_encoder(weights); });
}

void SequenceRecommender::begin(const TrainData& data, FitContext& ctx) {
  const std::size_t items = data.train.n_items();
  build(items, ctx.rng.stream("weights"));
  OptimizerSettings settings;
  settings.kind = shared_.optimizer;
  settings.learning_rate = static_cast<double>(shared_.learning_rate);
  settings.beta2 = static_cast<double>(shared_.beta2);
  settings.momentum = static_cast<double>(shared_.momentum);
  settings.weight_decay = static_cast<double>(shared_.weight_decay);
  training_ = std::make_shared<Training>(*net_, settings, shared_.row_updates, !net_->is_dense());
  Training& t = *training_;
  t.sequences =
      TrainingSequences(data, {shared_.sequences, longest(), static_cast<std::size_t>(shared_.window_stride)});
  t.sampler = ItemSampler(t.sequences.counts(), static_cast<double>(shared_.alpha));
  t.log_q = log_q();
  t.seen.assign(items, 0);
  // Where scores are log probabilities, the biases begin with those of an empty history: what every item's share is.
  if (net_->shape().bias && (shared_.loss == SequenceLoss::kSoftmax || shared_.loss == SequenceLoss::kSampledSoftmax)) {
    const View<float> bias = net_->items()[net_->bias()];
    double mean = 0;
    for (std::size_t i = 0; i < items; ++i)
      mean += bias(i, 0) = static_cast<float>(std::log1p(static_cast<double>(t.sequences.counts()[i])));
    for (std::size_t i = 0; i < items; ++i) bias(i, 0) -= static_cast<float>(mean / static_cast<double>(items));
  }
  // Items without events stay at zero until a step moves them, so that chance has no say in their rank.
  const View<float> rows = net_->items()[net_->vectors()];
  ctx.exec.for_blocks(items, 256, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      if (t.sequences.counts()[i] > 0) ctx.rng.stream("items", i).fill_normal(rows.span(i), 0, shared_.init_stddev);
  });
}

bool SequenceRecommender::takes_all(std::size_t items) const {
  return uses_negatives(shared_.loss) && shared_.shared_negatives &&
         static_cast<std::size_t>(shared_.negatives) >= items;
}

bool SequenceRecommender::draws_evenly(std::size_t items) const {
  return takes_all(items) || (shared_.alpha == 0 && !shared_.batch_negatives);
}

// Of an item in the pool of a batch: a mixture of samples and, where they are taken too, of as many targets as a batch
// has on average.
std::vector<float> SequenceRecommender::log_q() const {
  const Training& t = *training_;
  const std::size_t items = t.sequences.counts().size();
  if (shared_.loss != SequenceLoss::kSampledSoftmax || !shared_.log_q || draws_evenly(items)) return {};
  std::vector<double> expected(items, 0);
  double targets = 0;  // of an epoch
  if (shared_.batch_negatives) {
    for (std::size_t w = 0; w < t.sequences.size(); ++w) add_expected_targets(t.sequences.events(w), expected);
    targets = std::accumulate(expected.begin(), expected.end(), 0.0);
  }
  const double of_a_batch =
      targets * std::min(1.0, static_cast<double>(shared_.batch_size) / static_cast<double>(t.sequences.size()));
  const double sampled = static_cast<double>(shared_.negatives) / (static_cast<double>(shared_.negatives) + of_a_batch);
  std::vector<float> out(items);
  for (std::size_t i = 0; i < items; ++i) {
    const double q = sampled * std::exp(static_cast<double>(t.sampler.log_probability(static_cast<std::uint32_t>(i)))) +
                     (targets > 0 ? (1 - sampled) * expected[i] / targets : 0);
    out[i] = q > 0 ? static_cast<float>(std::log(q)) : 0;  // never drawn, and no target
  }
  return out;
}

SequenceBatch SequenceRecommender::make_batch(std::span<const std::uint32_t> windows, int epoch, std::size_t index,
                                              const TrainData& data, FitContext& ctx) const {
  const Training& t = *training_;
  const auto e = static_cast<std::uint64_t>(epoch);
  SequenceBatch batch;
  batch.begins.push_back(0);
  for (const std::uint32_t w : windows)
    batch.begins.push_back(batch.begins.back() + static_cast<std::uint32_t>(tokens_of(t.sequences.events(w).size())));
  const std::size_t n = batch.begins.back(), k = static_cast<std::size_t>(shared_.negatives);
  batch.inputs.resize(n);
  batch.targets.resize(n);
  const bool own = uses_negatives(shared_.loss) && !shared_.shared_negatives;
  if (own) batch.negatives.resize(n * k);
  ctx.exec.for_blocks(windows.size(), 8, [&](std::size_t first, std::size_t last) {
    for (std::size_t s = first; s < last; ++s) {
      const std::uint32_t w = windows[s], begin = batch.begins[s], size = batch.begins[s + 1] - begin;
      const std::span<std::uint32_t> targets(batch.targets.data() + begin, size);
      lay_out(t.sequences.events(w), ctx.rng.stream("tokens", e, w), {batch.inputs.data() + begin, size}, targets);
      if (!own) continue;
      const std::span<const ItemIdx> has = data.train.items(user_at(t.sequences.user(w)));
      Rng rng = ctx.rng.stream("negatives", e, w);
      for (std::size_t i = 0; i < size; ++i)
        for (std::size_t j = 0; j < k; ++j) {
          std::uint32_t item = kNoTarget;  // for users who have everything, drawing ends
          for (int tries = 0; targets[i] != kNoTarget && item == kNoTarget && tries < 16; ++tries) {
            const std::uint32_t drawn = t.sampler.draw(rng);
            if (drawn != targets[i] && !(shared_.exclude_history && row_has(has, drawn))) item = drawn;
          }
          batch.negatives[(begin + i) * k + j] = item;
        }
    }
  });
  if (uses_negatives(shared_.loss) && shared_.shared_negatives) {
    if (takes_all(data.train.n_items())) {
      batch.negatives.resize(data.train.n_items());
      std::iota(batch.negatives.begin(), batch.negatives.end(), 0u);
    } else {
      Rng rng = ctx.rng.stream("negatives", e, index);
      for (std::size_t j = 0; j < k; ++j) batch.negatives.push_back(t.sampler.draw(rng));
      if (shared_.batch_negatives)
        std::copy_if(batch.targets.begin(), batch.targets.end(), std::back_inserter(batch.negatives),
                     [](std::uint32_t item) { return item != kNoTarget; });
      batch.count_negatives();
    }
    if (shared_.exclude_history) {
      batch.hidden_begins.push_back(0);
      for (const std::uint32_t w : windows) {
        const std::span<const ItemIdx> has = data.train.items(user_at(t.sequences.user(w)));
        for (std::size_t i = 0, j = 0; i < has.size() && j < batch.negatives.size();) {  // both ascending
          const auto item = static_cast<std::uint32_t>(raw(has[i]));
          if (item < batch.negatives[j])
            ++i;
          else if (item == batch.negatives[j])
            batch.hidden.push_back(static_cast<std::uint32_t>(j++));
          else
            ++j;
        }
        batch.hidden_begins.push_back(static_cast<std::uint32_t>(batch.hidden.size()));
      }
    }
  }
  return batch;
}

SequenceRecommender::Losses SequenceRecommender::run_epoch(int epoch, const TrainData& data, FitContext& ctx) {
  Training& t = *training_;
  const std::size_t windows = t.sequences.size(), size = static_cast<std::size_t>(shared_.batch_size);
  const std::size_t batches = (windows + size - 1) / size;
  if (batches == 0) return {{"loss", 0.0}};
  const auto e = static_cast<std::uint64_t>(epoch);
  t.resume((e - 1) * batches);  // every epoch begins with all rows current
  std::vector<std::uint32_t> order(windows);
  std::iota(order.begin(), order.end(), 0u);
  Rng shuffle = ctx.rng.stream("order", e);
  shuffle.shuffle(std::span(order));
  double loss = 0, targets = 0;
  for (std::size_t b = 0; b < batches; ++b) {
    const std::size_t begin = b * size, end = std::min(windows, begin + size);
    const SequenceBatch batch =
        make_batch(std::span<const std::uint32_t>(order).subspan(begin, end - begin), epoch, b, data, ctx);
    const double n = static_cast<double>(batch.targets.size()) -
                     static_cast<double>(std::count(batch.targets.begin(), batch.targets.end(), kNoTarget));
    loss += n * step(batch, ctx.rng.stream("dropout", e, b), batches * static_cast<std::uint64_t>(epochs()), ctx.exec);
    targets += n;
  }
  for (Training::Table& table : t.tables) table.rows.finish();
  return {{"loss", loss / std::max(targets, 1.0)}};
}

double SequenceRecommender::step(const SequenceBatch& batch, const Rng& rng, std::uint64_t total_steps,
                                 const Executor& exec) {
  Training& t = *training_;
  SequenceNet<float>& net = *net_;
  const std::uint64_t number = t.weight_steps.steps() + 1;
  const double rate =
      nn::rate_factor(shared_.schedule, number, static_cast<std::uint64_t>(shared_.warmup), total_steps);
  t.item_steps.begin_step(rate);
  t.weight_steps.begin_step(rate);
  if (!t.tables.empty()) {
    t.touched.clear();
    for (const std::vector<std::uint32_t>* list : {&batch.inputs, &batch.targets, &batch.negatives})
      for (const std::uint32_t item : *list)
        if (item < t.seen.size() && t.seen[item] == 0) {
          t.seen[item] = 1;
          t.touched.push_back(item);
        }
    for (const std::uint32_t item : t.touched) t.seen[item] = 0;
    exec.for_blocks(t.touched.size(), 64, [&](std::size_t begin, std::size_t end) {
      for (Training::Table& table : t.tables)
        for (std::size_t i = begin; i < end; ++i) table.rows.bring(t.touched[i]);
    });
  }
  const double loss = net.gradients(batch, t.log_q, &rng, exec);
  if (shared_.clip_norm > 0) {
    double squares = square(nn::norm_of<float>(net.weight_gradients().all()));
    if (net.is_dense()) squares += square(nn::norm_of<float>(net.dense_gradients().all()));
    for (const Training::Table& table : t.tables) squares += square(nn::norm_of<float>(table.gradients->sums()));
    const auto factor = static_cast<float>(nn::clip_factor(std::sqrt(squares), static_cast<double>(shared_.clip_norm)));
    if (factor < 1) {
      multiply(net.weight_gradients().all(), factor);
      if (net.is_dense()) multiply(net.dense_gradients().all(), factor);
      for (Training::Table& table : t.tables)
        for (std::size_t i = 0; i < table.gradients->size(); ++i) multiply(table.gradients->gradient(i), factor);
    }
  }
  update_all(t.weight_steps, net.weights(), net.weight_gradients(), exec);
  if (net.is_dense()) update_all(t.item_steps, net.items(), net.dense_gradients(), exec);
  for (Training::Table& table : t.tables) {
    const RowGradients<float>& gradients = *table.gradients;
    const ConstView<float> sums = gradients.view();
    exec.for_blocks(gradients.size(), 64, [&](std::size_t begin, std::size_t end) {
      table.rows.update(gradients.rows().subspan(begin, end - begin), sums.some_rows(begin, end));
    });
  }
  return loss;
}

void SequenceRecommender::prepare_scoring() {
  const ConstView<float> rows = std::as_const(*net_).items()[net_->vectors()];
  vectors_ = Eigen::Map<const Matrix<float>>(rows.data, static_cast<Eigen::Index>(rows.rows),
                                             static_cast<Eigen::Index>(rows.cols));
  biases_.clear();
  if (net_->shape().bias) {
    const ConstView<float> bias = std::as_const(*net_).items()[net_->bias()];
    biases_.assign(bias.data, bias.data + bias.rows);
  }
  packed_ = PackedRows(vectors_);
}

std::vector<std::span<float>> SequenceRecommender::state() { return {net_->items().all(), net_->weights().all()}; }

std::vector<std::span<float>> SequenceRecommender::training_state() {
  std::vector<std::span<float>> out = state();
  for (Optimizer<float>* optimizer : {&training_->item_steps, &training_->weight_steps})
    for (const std::span<float> part : optimizer->state()) out.push_back(part);
  return out;
}

void SequenceRecommender::query_vector(const Query& query, std::span<float> out) const {
  std::span<const ItemIdx> history = query.history;
  std::span<const float> weights = query.weights;
  if (shared_.sequences == SequencesOf::kSessions && query.session_begin < history.size()) {
    history = history.subspan(query.session_begin);
    if (!weights.empty()) weights = weights.subspan(query.session_begin);
  }
  std::vector<std::uint32_t> known;
  known.reserve(history.size());
  for (std::size_t n = 0; n < history.size(); ++n)
    if (raw(history[n]) < n_items() && (weights.empty() || weights[n] > 0))
      known.push_back(static_cast<std::uint32_t>(raw(history[n])));
  if (known.empty()) {
    std::fill(out.begin(), out.end(), 0.0f);
    return;
  }
  net_->last_state(query_tokens(known), out);
}

const ScoreMeaning* SequenceRecommender::score_meaning() const {
  switch (shared_.loss) {
    case SequenceLoss::kBce:
    case SequenceLoss::kSoftmax:
      return this;
    case SequenceLoss::kSampledSoftmax:  // uncorrected, scores are log p - log q
      return shared_.log_q || draws_evenly(n_items()) ? this : nullptr;
    default:
      return nullptr;
  }
}

void SequenceRecommender::score(std::span<const Query> queries, MatRef<float> out) const {
  score_packed(*this, queries, out);
}

void SequenceRecommender::score_candidates(const Query& query, std::span<const ItemIdx> candidates,
                                           std::span<float> out) const {
  score_packed(*this, query, candidates, out);
}

void SequenceRecommender::save(ArchiveWriter& archive) const {
  archive.put_value("items", static_cast<double>(n_items()));
  save_params(archive, net_->items());
  save_params(archive, net_->weights());
}

void SequenceRecommender::load(const ArchiveReader& archive) {
  build(static_cast<std::size_t>(archive.value("items")), Rng(0));
  load_params(archive, net_->items());
  load_params(archive, net_->weights());
  prepare_scoring();
}

}  // namespace segue
