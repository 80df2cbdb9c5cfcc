// Light graph convolution over the graph of users and items. See README.md.
#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "algorithms/lightgcn/lightgcn_math.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/model/embedding_scores.hpp"
#include "framework/model/history_row.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/pairwise.hpp"
#include "framework/model/registry.hpp"
#include "framework/nn/optimizer.hpp"

namespace segue {

namespace {

constexpr std::size_t kDraws = 256;  // negatives that one stream gives

struct LightGcnParams {
  int factors = 64;
  int layers = 3;
  int epochs = 40;
  float learning_rate = 0.01f;
  float reg = 1e-4f;
  int batch_size = 2048;
  int negatives = 1;
  float init_stddev = 0.1f;

  // L layers there and back a step, each a sum over the edges of both sides: additions alone, at twice the usual rate.
  double fit_flop(const DataShape& s) const {
    return 2.0 * layers * factors * epochs * s.events * std::max(1.0, s.events / batch_size);
  }
  // Moments, layers, final vectors; both sides of the graph, and the pairs.
  double fit_bytes(const DataShape& s) const {
    return 4.0 * (s.users + s.items) * factors * (layers + 5) + 20 * s.events;
  }
  static Schema<LightGcnParams> schema() {
    using P = LightGcnParams;
    Schema<P> s;
    s.field("factors", &P::factors, "dimensions d of the embeddings").range(1, 4096).search(pow2, 16, 256);
    s.field("layers", &P::layers, "propagations L; a score is that of the mean over layers 0..L")
        .range(1, 16)
        .search(linear, 1, 4);
    s.field("epochs", &P::epochs, "passes over the positive pairs").range(1, 10000).search(linear, 20, 400);
    s.field("learning_rate", &P::learning_rate, "Adam's step length").above(0.0f).search(log_scale, 5e-4, 0.02);
    s.field("reg", &P::reg, "L2 penalty on the embeddings of a batch's users and items, per example")
        .range(0.0f, 100.0f)
        .search(log_scale, 1e-6, 1e-2);
    s.field("batch_size", &P::batch_size, "positive pairs a step; each step propagates over the whole graph")
        .range(1, 100'000'000)
        .search(pow2, 1024, 16384);
    s.field("negatives", &P::negatives, "sampled items a positive pair, new each epoch").range(1, 1000);
    s.field("init_stddev", &P::init_stddev, "standard deviation of the first embeddings").range(1e-6f, 10.0f);
    return s;
  }
};

class LightGcnRecommender final : public IterativeRecommender, public EmbeddingSpace {
 public:
  explicit LightGcnRecommender(LightGcnParams params) : params_(params) {}

  std::size_t n_items() const override { return static_cast<std::size_t>(items_.rows()); }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return items_; }
  const PackedRows* packed_items() const override { return &packed_items_; }

  void query_vector(const Query& query, std::span<float> out) const override {
    if (raw(query.user) < static_cast<std::size_t>(users_.rows())) {
      const std::span<const float> stored = row_span(users_, raw(query.user));
      if (std::any_of(stored.begin(), stored.end(), [](float x) { return x != 0; })) {
        std::copy(stored.begin(), stored.end(), out.begin());
        return;
      }
    }
    const HistoryRow history = history_row(query, n_items());
    std::vector<std::uint32_t> known;
    for (std::size_t n = 0; n < history.items.size(); ++n) {
      const std::span<const float> sums = row_span(item_sums_, raw(history.items[n]));
      if (history.weights[n] > 0 && std::any_of(sums.begin(), sums.end(), [](float x) { return x != 0; }))
        known.push_back(raw(history.items[n]));
    }
    lightgcn_fold_in(item_sums_, known, static_cast<std::size_t>(params_.layers), out);
  }
  void score(std::span<const Query> queries, MatRef<float> out) const override { score_packed(*this, queries, out); }
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    score_packed(*this, query, candidates, out);
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_matrix("user_vectors", users_);
    archive.put_matrix("item_vectors", items_);
    archive.put_matrix("item_sums", item_sums_);
  }
  void load(const ArchiveReader& archive) override {
    users_ = archive.matrix("user_vectors");
    items_ = archive.matrix("item_vectors");
    item_sums_ = archive.matrix("item_sums");
    packed_items_ = PackedRows(items_);
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    exec_ = &ctx.exec;
    graph_.emplace(data.train.by_user());
    net_.emplace(*graph_, static_cast<std::size_t>(params_.factors), static_cast<std::size_t>(params_.layers));
    // Nodes without events stay at zero: an unknown user is folded in, an unknown item scores nothing until a step
    // moves it.
    ctx.exec.for_blocks(graph_->nodes(), 256, [&](std::size_t first, std::size_t last) {
      for (std::size_t n = first; n < last; ++n)
        if (graph_->degree(n) > 0)
          ctx.rng.stream("embeddings", n)
              .fill_normal(net_->embeddings().span(n).first(static_cast<std::size_t>(params_.factors)), 0,
                           params_.init_stddev);
    });
    nn::OptimizerSettings adam;
    adam.learning_rate = static_cast<double>(params_.learning_rate);
    optimizer_.emplace(adam, net_->params());
    pairs_.clear();
    for (std::size_t u = 0; u < graph_->users(); ++u)
      for (const std::uint32_t item : graph_->neighbours(u)) pairs_.push_back({static_cast<std::uint32_t>(u), item});
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    const auto batch_size = static_cast<std::size_t>(params_.batch_size);
    const std::size_t steps = (pairs_.size() + batch_size - 1) / batch_size;
    const auto e = static_cast<std::uint64_t>(epoch);
    if (optimizer_->steps() != (e - 1) * steps) optimizer_->resume((e - 1) * steps);  // first epoch of this process
    net_->refresh(ctx.exec);
    order_.resize(pairs_.size());
    std::iota(order_.begin(), order_.end(), 0u);
    ctx.rng.stream("order", e).shuffle(std::span(order_));
    double loss = 0, penalty = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      const std::size_t first = step * batch_size, last = std::min(pairs_.size(), first + batch_size);
      draw(first, last, ctx.rng.stream("negatives", e), ctx.exec);
      optimizer_->begin_step();
      const auto of = net_->step(batch_, static_cast<double>(params_.reg), ctx.exec,
                                 [&](std::size_t node, std::span<const float> gradient) {
                                   optimizer_->update(net_->offset(node), net_->embeddings().span(node), gradient);
                                 });
      loss += of.ranking * static_cast<double>(last - first);
      penalty += of.penalty * static_cast<double>(last - first);
    }
    const double n = std::max(1.0, static_cast<double>(pairs_.size()));
    return {{"loss", loss / n}, {"penalty", penalty / n}};
  }

  void prepare_scoring() override {
    const auto nodes = static_cast<Eigen::Index>(graph_->nodes()), users = static_cast<Eigen::Index>(graph_->users());
    users_.resize(users, params_.factors);
    for (Matrix<float>* m : {&items_, &item_sums_}) m->resize(nodes - users, params_.factors);
    net_->propagate(users_, items_, item_sums_, *exec_);
    packed_items_ = PackedRows(items_);
  }
  std::vector<std::span<float>> state() override { return {net_->params().all()}; }
  std::vector<std::span<float>> training_state() override {
    std::vector<std::span<float>> out = state();
    for (const std::span<float> moments : optimizer_->state()) out.push_back(moments);
    return out;
  }

 private:
  // Examples [first, last) of the epoch's order.
  void draw(std::size_t first, std::size_t last, const Rng& rng, const Executor& exec) {
    const auto m = static_cast<std::size_t>(params_.negatives);
    batch_.per_example = m;
    batch_.users.resize(last - first);
    batch_.positives.resize(last - first);
    batch_.negatives.resize((last - first) * m);
    const std::size_t users = graph_->users();
    const auto items = static_cast<std::uint32_t>(graph_->nodes() - users);
    exec.for_blocks(last - first, kDraws, [&](std::size_t begin, std::size_t end) {
      Rng own = rng.stream("block", first, begin);
      for (std::size_t n = begin; n < end; ++n) {
        const Positive& pair = pairs_[order_[first + n]];
        batch_.users[n] = pair.user;
        batch_.positives[n] = pair.item;
        const std::span<const std::uint32_t> known = graph_->neighbours(pair.user);
        for (std::size_t j = 0; j < m; ++j)
          batch_.negatives[n * m + j] =
              draw_negative([&] { return static_cast<std::uint32_t>(users) + own.below32(items); },
                            [&](std::uint32_t node) { return std::binary_search(known.begin(), known.end(), node); });
      }
    });
  }

  LightGcnParams params_;
  Matrix<float> users_, items_, item_sums_;  // users x d, items x d twice: see LightGcn::propagate()
  PackedRows packed_items_;

  std::optional<InteractionGraph> graph_;  // of the fit in progress, as is what follows
  std::optional<LightGcn<float>> net_;
  std::optional<nn::Optimizer<float>> optimizer_;
  std::vector<Positive> pairs_;  // nodes
  std::vector<std::uint32_t> order_;
  LightGcnBatch batch_;
  const Executor* exec_ = nullptr;
};

static_assert(kNone == LightGcnBatch::kNobody);

}  // namespace

SEGUE_ALGORITHM(
    lightgcn, LightGcnRecommender, LightGcnParams,
    {.name = "lightgcn",
     .summary = "embeddings smoothed over the graph of users and items, ranked pair by pair",
     .citation = "He, Deng, Wang, Li, Zhang & Wang 2020, LightGCN: simplifying and powering graph convolution "
                 "network for recommendation, SIGIR",
     .family = "neural",
     .iterative = true,
     .embeddings = true})

}  // namespace segue
