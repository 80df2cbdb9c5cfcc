// Neural collaborative filtering: GMF, MLP and NeuMF. See README.md.
#include <algorithm>
#include <optional>
#include <vector>

#include "algorithms/ncf/ncf_math.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/param_archive.hpp"
#include "framework/model/pointwise.hpp"
#include "framework/model/registry.hpp"
#include "framework/nn/lanes.hpp"

namespace segue {

namespace {

enum class NcfKind { kGmf, kMlp, kNeumf };
enum class NcfOptimizer { kAdam, kSgd };

struct NcfParams {
  NcfKind model = NcfKind::kNeumf;
  int factors = 16;
  int layers = 3;
  int epochs = 20;
  int batch_size = 256;
  NcfOptimizer optimizer = NcfOptimizer::kAdam;
  float learning_rate = 0.001f;
  float dropout = 0;
  int negatives = 4;
  nn::RowMode embedding_updates = nn::RowMode::kDense;
  int pretrain_epochs = 0;
  int pretrain_mlp_epochs = 0;
  float pretrain_learning_rate = 0.001f;
  float pretrain_share = 0.5f;
  float init_stddev = 0.01f;

  // The epochs of the halves before NeuMF's.
  int gmf_epochs() const { return model == NcfKind::kNeumf ? pretrain_epochs : 0; }
  int mlp_epochs() const { return gmf_epochs() > 0 && pretrain_mlp_epochs > 0 ? pretrain_mlp_epochs : gmf_epochs(); }
  int all_epochs() const { return gmf_epochs() + mlp_epochs() + epochs; }
  bool gmf() const { return model != NcfKind::kMlp; }
  bool mlp() const { return model != NcfKind::kGmf; }
  NcfShape shape(std::size_t users, std::size_t items) const {
    return {users, items, static_cast<std::size_t>(factors), gmf(), mlp(), static_cast<std::size_t>(layers)};
  }
  double weights() const {  // of the tower
    double sum = 0;
    for (int l = 0; l < layers; ++l)
      sum += double(factors) * factors * double(1 << (layers - l)) * double(1 << (layers - l - 1));
    return mlp() ? sum : 0;
  }
  double row_width() const { return (gmf() ? factors : 0) + (mlp() ? double(factors) * (1 << (layers - 1)) : 0); }
  // Three products a weight, at some eight times the 10 GFLOP/s of an estimate, and some 60 operations a number of an
  // embedding.
  double fit_flop(const DataShape& s) const {
    return (double(epochs) + (gmf_epochs() + mlp_epochs()) / 2.0) * s.events * (1 + negatives) *
           (0.75 * weights() + 60 * row_width());
  }
  // Moments, and 32 bytes a sample; parameters are counted as the model's.
  double fit_bytes(const DataShape& s) const {
    const double networks = gmf_epochs() > 0 ? 2 : 1;
    return networks * 12 * ((s.users + s.items) * row_width() + weights()) + 32 * s.events * (1 + negatives);
  }
  static Schema<NcfParams> schema() {
    using P = NcfParams;
    Schema<P> s;
    s.field("model", &P::model, "gmf: weighted product of factors; mlp: a tower over both embeddings; neumf: both")
        .choices({{"gmf", NcfKind::kGmf}, {"mlp", NcfKind::kMlp}, {"neumf", NcfKind::kNeumf}});
    s.field("factors", &P::factors, "predictive factors f: width of GMF and of the tower's last layer")
        .range(1, 1024)
        .search(pow2, 8, 64);
    s.field("layers", &P::layers,
            "layers of the tower, each half as wide as the one before; the first reads f 2^layers")
        .range(1, 6);
    s.field("epochs", &P::epochs, "passes over the positive pairs").range(1, 10000).search(linear, 10, 40);
    s.field("batch_size", &P::batch_size, "samples a step, negatives included")
        .range(1, 1 << 20)
        .search(pow2, 128, 1024);
    s.field("optimizer", &P::optimizer, "adam; or sgd, with which the paper goes on after pre-training")
        .choices({{"adam", NcfOptimizer::kAdam}, {"sgd", NcfOptimizer::kSgd}});
    s.field("learning_rate", &P::learning_rate, "step length").above(0.0f).search(log_scale, 1e-4, 5e-3);
    s.field("dropout", &P::dropout, "of the tower's layers: share of inputs set to zero while training")
        .range(0.0f, 0.9f)
        .search(linear, 0, 0.5);
    s.field("negatives", &P::negatives, "sampled items a positive pair, new each epoch")
        .range(1, 1000)
        .search(linear, 1, 8);
    s.field("embedding_updates", &P::embedding_updates,
            "of rows that a batch does not touch: dense (they move on their moments, as in dense Adam) or lazy (they "
            "rest)")
        .choices({{"dense", nn::RowMode::kDense}, {"lazy", nn::RowMode::kLazy}});
    s.field("pretrain_epochs", &P::pretrain_epochs, "neumf: epochs that GMF and MLP are trained apart before; 0: none")
        .range(0, 10000);
    s.field("pretrain_mlp_epochs", &P::pretrain_mlp_epochs,
            "neumf: the MLP's, which overfits sooner; 0: as many as GMF's")
        .range(0, 10000);
    s.field("pretrain_learning_rate", &P::pretrain_learning_rate, "neumf: Adam's step length in those epochs")
        .above(0.0f);
    s.field("pretrain_share", &P::pretrain_share, "neumf: weight of GMF's head after it").range(0.0f, 1.0f);
    s.field("init_stddev", &P::init_stddev, "standard deviation of the first embeddings")
        .range(1e-6f, 10.0f)
        .search(log_scale, 3e-3, 0.1);
    return s;
  }
};

class Ncf final : public IterativeRecommender, public ScoreMeaning {
 public:
  explicit Ncf(NcfParams params) : params_(params) {}

  std::size_t n_items() const override { return net_ ? net_->shape().items : 0; }
  const ScoreMeaning* score_meaning() const override { return this; }
  Kind kind() const override { return Kind::kLogit; }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    const std::size_t f = learned_->shape().factors;
    if (learned_->shape().gmf) {
      Matrix<float> users(static_cast<Eigen::Index>(queries.size()), static_cast<Eigen::Index>(f));
      for (std::size_t q = 0; q < queries.size(); ++q) weigh_user(queries[q], row_span(users, q));
      packed_items_.score(users, {}, out);
    } else {
      out.setZero();
    }
    for (std::size_t q = 0; q < queries.size(); ++q)
      add_tower(queries[q], [](std::size_t i) { return i; },
                {out.data() + q * static_cast<std::size_t>(out.outerStride()), n_items()});
  }
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    if (learned_->shape().gmf) {
      std::vector<float> user(learned_->shape().factors);
      weigh_user(query, user);
      std::vector<std::uint32_t> which;
      which.reserve(candidates.size());
      for (const ItemIdx item : candidates) which.push_back(raw(item));
      packed_items_.score_rows(user, {}, which, out);
    } else {
      std::fill(out.begin(), out.end(), 0.0f);
    }
    add_tower(
        query, [&](std::size_t n) { return std::size_t{raw(candidates[n])}; }, out);
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_value("users", static_cast<double>(net_->shape().users));
    archive.put_value("items", static_cast<double>(net_->shape().items));
    archive.put("trained_users", std::span<const std::uint32_t>(trained_));
    save_params(archive, net_->params());
  }
  void load(const ArchiveReader& archive) override {
    net_.emplace(params_.shape(static_cast<std::size_t>(archive.value("users")),
                               static_cast<std::size_t>(archive.value("items"))));
    learned_ = &*net_;
    trained_ = archive.u32("trained_users");
    load_params(archive, net_->params());
    prepare_scoring();
  }

 protected:
  int epochs() const override { return params_.all_epochs(); }
  std::vector<int> stages() const override {
    if (params_.gmf_epochs() == 0) return {params_.epochs};
    return {params_.gmf_epochs(), params_.mlp_epochs(), params_.epochs};
  }

  void begin(const TrainData& data, FitContext& ctx) override {
    samples_.emplace(data.train.by_user(), params_.negatives);
    trained_.clear();
    for (std::size_t u = 0; u < data.train.n_users(); ++u)
      if (samples_->positives().row_size(u) > 0) trained_.push_back(static_cast<std::uint32_t>(u));
    const NcfShape shape = params_.shape(data.train.n_users(), data.train.n_items());
    net_.emplace(shape);
    learned_ = &*net_;
    net_->init(static_cast<double>(params_.init_stddev), ctx.rng);
    start_trainer(trainer_, *net_, params_.optimizer, params_.learning_rate, ctx.rng);
    if (params_.gmf_epochs() == 0) return;
    for (Half* half : {&gmf_, &mlp_}) {
      NcfShape own = shape;
      own.gmf = half == &gmf_;
      own.mlp = !own.gmf;
      half->net.emplace(own);
      half->net->init(static_cast<double>(params_.init_stddev), ctx.rng);
      start_trainer(half->trainer, *half->net, NcfOptimizer::kAdam, params_.pretrain_learning_rate,
                    ctx.rng.stream("halves"));
    }
  }

  // GMF's epochs, the tower's, then those of the network that begins with what they have learned.
  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    const int of_gmf = params_.gmf_epochs(), of_halves = of_gmf + params_.mlp_epochs();
    if (epoch <= of_halves) {
      const bool gmf = epoch <= of_gmf;
      const std::string name = gmf ? "gmf" : "mlp";
      const int own = gmf ? epoch : epoch - of_gmf;
      Half& half = gmf ? gmf_ : mlp_;
      learned_ = &*half.net;
      return {{"pre-training loss, " + name, train(*half.trainer, own, ctx.rng.stream(name), ctx.exec)}};
    }
    learned_ = &*net_;
    const int own = epoch - of_halves;
    if (own == 1 && of_halves > 0) net_->take(*gmf_.net, *mlp_.net, static_cast<double>(params_.pretrain_share));
    return {{"loss", train(*trainer_, own, ctx.rng, ctx.exec)}};
  }

  std::vector<std::span<float>> state() override { return {learned_->params().all()}; }
  std::vector<std::span<float>> training_state() override {
    std::vector<std::span<float>> out;
    const auto add = [&](NcfNet<float>& net, NcfTrainer<float>& trainer) {
      out.push_back(net.params().all());
      for (std::span<float> moments : trainer.optimizer().state()) out.push_back(moments);
    };
    add(*net_, *trainer_);
    for (Half* half : {&gmf_, &mlp_})
      if (half->net) add(*half->net, *half->trainer);
    return out;
  }

  // What does not depend on the user: each item's half of the first layer. And who stands in for unknown users.
  void prepare_scoring() override {
    const NcfShape& shape = learned_->shape();
    const auto mean = [&](ConstView<float> rows) {
      std::vector<double> sum(rows.cols, 0);
      for (const std::uint32_t u : trained_)
        for (std::size_t d = 0; d < rows.cols; ++d) sum[d] += static_cast<double>(rows(u, d));
      std::vector<float> out(rows.cols, 0);
      for (std::size_t d = 0; d < rows.cols && !trained_.empty(); ++d)
        out[d] = static_cast<float>(sum[d] / static_cast<double>(trained_.size()));
      return out;
    };
    mean_gmf_ = mean(learned_->gmf_users());
    mean_mlp_ = mean(learned_->mlp_users());
    if (shape.gmf) {
      const ConstView<float> items = learned_->gmf_items();
      packed_items_ = PackedRows(Eigen::Map<const Matrix<float>>(items.data, static_cast<Eigen::Index>(items.rows),
                                                                 static_cast<Eigen::Index>(items.cols)));
    }
    if (!shape.mlp) return;
    const ConstView<float> first = learned_->weights(0);
    item_part_.resize(static_cast<Eigen::Index>(shape.items), static_cast<Eigen::Index>(first.cols));
    gemm<float>(learned_->mlp_items(), first.some_rows(first.rows / 2, first.rows), item_part_);
  }

 private:
  struct Half {  // of NeuMF, trained alone before
    std::optional<NcfNet<float>> net;
    std::optional<NcfTrainer<float>> trainer;
  };

  void start_trainer(std::optional<NcfTrainer<float>>& trainer, NcfNet<float>& net, NcfOptimizer optimizer,
                     float learning_rate, const Rng& rng) const {
    nn::OptimizerSettings settings;
    settings.kind = optimizer == NcfOptimizer::kAdam ? nn::OptimizerKind::kAdam : nn::OptimizerKind::kSgd;
    settings.learning_rate = static_cast<double>(learning_rate);
    const std::size_t samples = samples_->positives().nnz() * (1 + static_cast<std::size_t>(params_.negatives));
    trainer.emplace(net, settings, params_.embedding_updates,
                    std::min(static_cast<std::size_t>(params_.batch_size), samples),
                    static_cast<double>(params_.dropout), rng);
  }

  // The mean loss of an epoch.
  double train(NcfTrainer<float>& trainer, int epoch, const Rng& rng, const Executor& exec) {
    samples_->draw(epoch, rng, exec);
    const std::size_t n = samples_->size(), size = static_cast<std::size_t>(params_.batch_size);
    const std::size_t steps = (n + size - 1) / size;
    trainer.resume(static_cast<std::uint64_t>(epoch - 1) * steps);
    const auto batch = [&](std::size_t b) -> NcfBatch<float> {
      if (b >= steps) return {};
      const std::size_t begin = b * size, count = std::min(n - begin, size);
      return {samples_->users().subspan(begin, count), samples_->items().subspan(begin, count),
              samples_->labels().subspan(begin, count)};
    };
    double loss = 0;
    for (std::size_t b = 0; b < steps; ++b) loss += trainer.step(batch(b), batch(b + 1), exec);
    trainer.finish();
    return n == 0 ? 0 : loss / static_cast<double>(n);
  }

  bool known(const Query& query) const { return std::binary_search(trained_.begin(), trained_.end(), raw(query.user)); }

  // p_u o h: its inner product with q_i is GMF's share of a logit. out: factors.
  void weigh_user(const Query& query, std::span<float> out) const {
    const float* p = known(query) ? learned_->gmf_users().row(raw(query.user)) : mean_gmf_.data();
    for (std::size_t d = 0; d < out.size(); ++d) out[d] = p[d] * learned_->head()[d];
  }

  // out[n] += the tower's share of the logit of item_of(n), and the last bias. Rows of products do not depend on their
  // neighbours, so neither do scores.
  template <class ItemOf>
  void add_tower(const Query& query, ItemOf item_of, std::span<float> out) const {
    const NcfShape& shape = learned_->shape();
    const float bias = learned_->head_bias();
    if (!shape.mlp) {
      for (float& logit : out) logit += bias;
      return;
    }
    constexpr std::size_t kBlock = 112;
    const std::span<const float> head = learned_->head().last(shape.factors);
    const ConstView<float> first = learned_->weights(0);
    const float* p = known(query) ? learned_->mlp_users().row(raw(query.user)) : mean_mlp_.data();
    std::vector<float> user_part(first.cols);
    nn::dense_forward<float>({p, 1, first.rows / 2}, first.some_rows(0, first.rows / 2), learned_->biases(0),
                             View<float>(user_part.data(), 1, first.cols));
    std::vector<std::vector<float>> activations;
    for (std::size_t l = 1; l <= shape.layers; ++l) activations.emplace_back(kBlock * shape.width(l));
    for (std::size_t begin = 0; begin < out.size(); begin += kBlock) {
      const std::size_t n = std::min(kBlock, out.size() - begin);
      const View<float> a(activations[0].data(), n, user_part.size());
      for (std::size_t i = 0; i < n; ++i) {
        const float* item = row_span(item_part_, item_of(begin + i)).data();
        nn::for_parts<float>(a.cols, [&, to = a.row(i)](auto part) {
          part.store(to, max(part.load(user_part.data()) + part.load(item), Lanes::zero()));
        });
      }
      for (std::size_t l = 1; l < shape.layers; ++l) {
        const View<float> x(activations[l - 1].data(), n, shape.width(l)),
            y(activations[l].data(), n, shape.width(l + 1));
        nn::dense_forward<float>(x, learned_->weights(l), learned_->biases(l), y);
        nn::activate<float>(nn::Activation::kRelu, y, y);
      }
      for (std::size_t i = 0; i < n; ++i)
        out[begin + i] += lane_dot({activations.back().data() + i * head.size(), head.size()}, head) + bias;
    }
  }

  NcfParams params_;
  std::optional<NcfNet<float>> net_;
  NcfNet<float>* learned_ = nullptr;  // the network of the stage that runs, in the end net_: what is scored
  std::optional<NcfTrainer<float>> trainer_;
  Half gmf_, mlp_;
  std::optional<PointwiseSamples> samples_;
  std::vector<std::uint32_t> trained_;  // users with positives, ascending
  std::vector<float> mean_gmf_, mean_mlp_;
  PackedRows packed_items_;  // of GMF
  Matrix<float> item_part_;  // items x width of the first layer
};

}  // namespace

SEGUE_ALGORITHM(
    ncf, Ncf, NcfParams,
    {.name = "ncf",
     .summary = "neural collaborative filtering: GMF, MLP and NeuMF, trained pair by pair against sampled negatives",
     .citation = "He, Liao, Zhang, Nie, Hu & Chua 2017, Neural collaborative filtering, WWW",
     .family = "neural",
     .version = 3,
     .iterative = true})

}  // namespace segue
