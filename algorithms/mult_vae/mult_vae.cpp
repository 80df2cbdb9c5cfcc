// Variational and denoising autoencoders over the items of a user (Liang et al. 2018). See README.md.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "algorithms/mult_vae/mult_vae_math.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/model/embedding_scores.hpp"
#include "framework/model/history_row.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/pairwise.hpp"
#include "framework/model/param_archive.hpp"
#include "framework/model/registry.hpp"
#include "framework/nn/optimizer.hpp"

namespace segue {

namespace {

struct MultVaeParams {
  int factors = 200;
  int hidden = 600;
  bool variational = true;
  int epochs = 50;
  float learning_rate = 1e-3f;
  int batch_size = 500;
  float dropout = 0.5f;
  float beta = 0.2f;
  int anneal_steps = 5000;
  float reg = 0;

  MultVaeShape shape(std::size_t items) const {
    return {items, static_cast<std::size_t>(hidden), static_cast<std::size_t>(factors), variational};
  }
  // Three products with the output weights and with those between, for every user, at ten times the usual rate; sums of
  // the first layer; and the moments of each step.
  double fit_flop(const DataShape& s) const {
    const MultVaeShape of = shape(static_cast<std::size_t>(s.items));
    const double output = s.items * static_cast<double>(of.output());
    const double inner = static_cast<double>(of.hidden * (of.code() + of.dims));
    return epochs * (0.6 * s.users * (output + inner) + s.events * static_cast<double>(of.input()) +
                     5 * std::ceil(s.users / batch_size) * (2 * output + inner));
  }
  // Weights, moments, the output's transpose, its copy for scoring and the best epoch's; a batch's logits.
  double fit_bytes(const DataShape& s) const {
    const MultVaeShape of = shape(static_cast<std::size_t>(s.items));
    return 4.0 * s.items * (7 * static_cast<double>(of.output()) + 3 * static_cast<double>(of.input()) + batch_size) +
           8 * s.events;
  }
  static Schema<MultVaeParams> schema() {
    using P = MultVaeParams;
    Schema<P> s;
    s.field("factors", &P::factors, "dimensions d of the code").range(1, 4096).search(pow2, 64, 512);
    s.field("hidden", &P::hidden, "width of the layers between items and code, both ways; 0: none")
        .range(0, 65536)
        .search_choices({0, 200, 600});
    s.field("variational", &P::variational, "true: Mult-VAE, the code is drawn; false: Mult-DAE, it is what it is");
    s.field("epochs", &P::epochs, "passes over the users").range(1, 10000).search(linear, 50, 300);
    s.field("learning_rate", &P::learning_rate, "Adam's step length").above(0.0f).search(log_scale, 2e-4, 5e-3);
    s.field("batch_size", &P::batch_size, "users a step").range(1, 1'000'000).search(pow2, 64, 1024);
    s.field("dropout", &P::dropout, "share of a user's items that the encoder does not see")
        .range(0.0f, 0.99f)
        .search(linear, 0.2, 0.7);
    s.field("beta", &P::beta, "weight of the divergence when it has risen").range(0.0f, 100.0f).search(linear, 0.05, 1);
    s.field("anneal_steps", &P::anneal_steps, "steps in which that weight would rise from 0 to 1; 0: it does not rise")
        .range(0, 1'000'000'000);
    s.field("reg", &P::reg, "L2 penalty on all weights, added to their gradients")
        .range(0.0f, 100.0f)
        .search(log_scale, 1e-7, 1e-3);
    return s;
  }
};

class MultVaeRecommender final : public IterativeRecommender, public EmbeddingSpace, public ScoreMeaning {
 public:
  explicit MultVaeRecommender(MultVaeParams params) : params_(params) {}

  std::size_t n_items() const override { return x_.cols(); }
  const EmbeddingSpace* embeddings() const override { return this; }
  const Matrix<float>& item_vectors() const override { return items_; }
  const PackedRows* packed_items() const override { return &packed_items_; }
  std::span<const float> item_biases() const override { return biases_; }
  const ScoreMeaning* score_meaning() const override { return this; }
  Kind kind() const override { return Kind::kSoftmax; }

  // The decoder's last layer, for the query's history or else for what the user had in training. Nobody with nothing
  // gets what the biases make of an empty input.
  void query_vector(const Query& query, std::span<float> out) const override {
    std::vector<std::uint32_t> items;
    if (!query.history.empty()) {
      const HistoryRow all = history_row(query, n_items());
      for (std::size_t n = 0; n < all.items.size(); ++n)
        if (all.weights[n] > 0) items.push_back(raw(all.items[n]));
    } else if (raw(query.user) < x_.rows()) {
      const std::span<const std::uint32_t> row = x_.indices(raw(query.user));
      items.assign(row.begin(), row.end());
    }
    net_->encode(items, out);
  }
  void score(std::span<const Query> queries, MatRef<float> out) const override { score_packed(*this, queries, out); }
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    score_packed(*this, query, candidates, out);
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_value("items", static_cast<double>(x_.cols()));
    archive.put("train/offsets", x_.offsets().span());
    archive.put("train/items", x_.all_indices().span());
    save_params(archive, net_->params());
  }
  void load(const ArchiveReader& archive) override {
    x_ = Csr<std::uint32_t>(static_cast<std::size_t>(archive.value("items")), archive.u64("train/offsets"),
                            archive.u32("train/items"), {});
    net_.emplace(params_.shape(x_.cols()));
    load_params(archive, net_->params());
    prepare_scoring();
  }

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    const Csr<ItemIdx> positives = positive_pairs(data.train.by_user());
    std::vector<std::uint32_t> items(positives.nnz());
    std::ranges::transform(positives.all_indices(), items.begin(), [](ItemIdx i) { return raw(i); });
    x_ = Csr<std::uint32_t>(positives.cols(), positives.offsets(), std::move(items), {});
    net_.emplace(params_.shape(x_.cols()));
    net_->init(ctx.rng.stream("weights"));
    nn::OptimizerSettings adam;
    adam.learning_rate = static_cast<double>(params_.learning_rate);
    adam.weight_decay = static_cast<double>(params_.reg);
    optimizer_.emplace(adam, net_->params());
    input_.emplace(net_->params(), net_->input_block(), *optimizer_, nn::RowMode::kDense);
    users_.clear();
    for (std::size_t u = 0; u < x_.rows(); ++u)
      if (x_.row_size(u) > 0) users_.push_back(static_cast<std::uint32_t>(u));
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    const auto batch_size = static_cast<std::size_t>(params_.batch_size);
    const std::size_t steps = (users_.size() + batch_size - 1) / batch_size;
    const auto e = static_cast<std::uint64_t>(epoch);
    if (optimizer_->steps() != (e - 1) * steps) {  // the first epoch of this process
      optimizer_->resume((e - 1) * steps);
      input_->resume();
    }
    net_->refresh();
    order_ = users_;
    ctx.rng.stream("order", e).shuffle(std::span(order_));
    const auto input = std::as_const(*net_).params().block(net_->input_block());
    double likelihood = 0, divergence = 0;
    for (std::size_t step = 0; step < steps; ++step) {
      const std::size_t first = step * batch_size, n = std::min(order_.size() - first, batch_size);
      draw(std::span(order_).subspan(first, n), e, ctx);
      const std::span<const std::uint32_t> rows = net_->prepare(batch_);
      optimizer_->begin_step();
      ctx.exec.for_blocks(rows.size(), 64, [&](std::size_t begin, std::size_t end) {
        for (std::size_t r = begin; r < end; ++r) input_->bring(rows[r]);
      });
      const auto loss = net_->step(
          batch_, beta((e - 1) * steps + step), ctx.exec, [&](std::size_t offset, std::span<const float> gradient) {
            if (offset >= input.offset && offset < input.offset + input.rows * input.cols)
              return input_->update((offset - input.offset) / input.cols, gradient);
            optimizer_->update(offset, net_->params().all().subspan(offset, gradient.size()), gradient);
          });
      likelihood += loss.likelihood * static_cast<double>(n);
      divergence += loss.divergence * static_cast<double>(n);
    }
    input_->finish();
    const double n = std::max(1.0, static_cast<double>(users_.size()));
    Losses out{{"loss", likelihood / n}};
    if (params_.variational) out.emplace_back("divergence", divergence / n);
    return out;
  }

  void prepare_scoring() override {
    const MultVae<float>& net = *net_;
    const ConstView<float> vectors = net.item_vectors();
    items_.resize(static_cast<Eigen::Index>(vectors.rows), static_cast<Eigen::Index>(vectors.cols));
    std::copy_n(vectors.data, vectors.size(), items_.data());
    biases_.assign(net.item_biases().begin(), net.item_biases().end());
    packed_items_ = PackedRows(items_);
  }
  std::vector<std::span<float>> state() override { return {net_->params().all()}; }
  std::vector<std::span<float>> training_state() override {
    std::vector<std::span<float>> out = state();
    for (const std::span<float> moments : optimizer_->state()) out.push_back(moments);
    return out;
  }

 private:
  // The weight of the divergence in the step after `steps`.
  float beta(std::uint64_t steps) const {
    if (params_.anneal_steps == 0) return params_.beta;
    return std::min(params_.beta, static_cast<float>(static_cast<double>(steps) / params_.anneal_steps));
  }

  // What is dropped and the noise depend on the user and the epoch alone.
  void draw(std::span<const std::uint32_t> users, std::uint64_t epoch, const FitContext& ctx) {
    const auto dims = static_cast<Eigen::Index>(params_.factors);
    batch_.begin.assign(1, 0);
    for (const std::uint32_t u : users) batch_.begin.push_back(batch_.begin.back() + x_.row_size(u));
    batch_.items.resize(batch_.begin.back());
    batch_.kept.resize(batch_.begin.back());
    batch_.kept_count.resize(users.size());
    batch_.scale.resize(users.size());
    if (params_.variational && batch_.noise.rows() < static_cast<Eigen::Index>(users.size()))
      batch_.noise.resize(static_cast<Eigen::Index>(users.size()), dims);
    const double keep = 1 - static_cast<double>(params_.dropout);
    const auto threshold = static_cast<std::uint64_t>(std::llround(keep * 4294967296.0));  // of 32 random bits
    ctx.exec.for_blocks(users.size(), 32, [&](std::size_t first, std::size_t last) {
      for (std::size_t n = first; n < last; ++n) {
        const std::span<const std::uint32_t> items = x_.indices(users[n]);
        std::copy(items.begin(), items.end(), &batch_.items[batch_.begin[n]]);
        std::uint32_t* kept = &batch_.kept[batch_.begin[n]];
        std::size_t count = 0;
        Rng drop = ctx.rng.stream("dropout", epoch, users[n]);
        for (const std::uint32_t item : items) {
          kept[count] = item;
          count += keep == 1 || drop.next_u32() < threshold;
        }
        batch_.kept_count[n] = static_cast<std::uint32_t>(count);
        batch_.scale[n] = static_cast<float>(1 / (keep * std::sqrt(static_cast<double>(items.size()))));
        if (params_.variational) ctx.rng.stream("noise", epoch, users[n]).fill_normal(row_span(batch_.noise, n), 0, 1);
      }
    });
  }

  MultVaeParams params_;
  Csr<std::uint32_t> x_;  // the training users' items
  std::optional<MultVae<float>> net_;
  Matrix<float> items_;  // copies of the output weights, for scoring
  std::vector<float> biases_;
  PackedRows packed_items_;

  std::optional<nn::Optimizer<float>> optimizer_;  // of the fit in progress, as is what follows
  std::optional<nn::RowTable<float>> input_;
  std::vector<std::uint32_t> users_, order_;
  MultVaeBatch<float> batch_;
};

}  // namespace

SEGUE_ALGORITHM(
    mult_vae, MultVaeRecommender, MultVaeParams,
    {.name = "mult_vae",
     .summary = "an autoencoder of a user's items with a multinomial likelihood, variational or denoising",
     .citation = "Liang, Krishnan, Hoffman & Jebara 2018, Variational autoencoders for collaborative filtering, WWW",
     .family = "neural",
     .version = 2,
     .iterative = true,
     .embeddings = true})

}  // namespace segue
