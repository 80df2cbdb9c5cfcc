// WARP: pairs whose negative item is searched for, weighted by how high the positive one ranks. See README.md.
#include <optional>
#include <utility>
#include <vector>

#include "algorithms/warp/warp_math.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

struct WarpParams {
  int factors = 64;
  int epochs = 40;
  float learning_rate = 0.005f;
  RateSchedule schedule = RateSchedule::kLinear;
  float reg = 0.5f;
  float bias_reg = 0.1f;
  int max_sampled = 30;
  float init_stddev = 0.1f;

  // 2 d a draw, of which half the possible ones on average; 15 d the step; an eighth of the arithmetic rate.
  double fit_flop(const DataShape& s) const { return 8.0 * (15.0 + max_sampled) * factors * epochs * s.events; }
  static Schema<WarpParams> schema() {
    using P = WarpParams;
    Schema<P> s;
    s.field("factors", &P::factors, "latent dimensions d").range(1, 4096).search(pow2, 8, 256);
    s.field("epochs", &P::epochs, "passes over the positive pairs").range(1, 10000).search(linear, 10, 100);
    s.field("learning_rate", &P::learning_rate, "step length of the first epoch")
        .above(0.0f)
        .search(log_scale, 1e-3, 0.03);
    schedule_field(s);
    s.field("reg", &P::reg, "L2 penalty on the factors, per sample").range(0.0f, 100.0f).search(log_scale, 0.03, 3);
    s.field("bias_reg", &P::bias_reg, "L2 penalty on the item biases, per sample")
        .range(0.0f, 100.0f)
        .search(log_scale, 0.01, 1);
    s.field("max_sampled", &P::max_sampled, "draws for a violating item before a pair counts as right")
        .range(1, 1000)
        .search(log_scale, 5, 100);
    s.field("init_stddev", &P::init_stddev, "standard deviation of the first factors")
        .range(1e-6f, 10.0f)
        .search(log_scale, 1e-3, 0.3);
    return s;
  }
};

class Warp final : public FactorRecommender {
 public:
  explicit Warp(WarpParams params) : params_(params) {}

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    blocks_.emplace(data.train.by_user(), static_cast<std::size_t>(params_.factors), ctx.rng);
    weights_ = warp_weights(data.train.n_items(), static_cast<std::size_t>(params_.max_sampled));
    start(blocks_->positives(), params_.factors, params_.init_stddev, false, ctx);
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    const PairStep step = this->step(epoch);
    const auto d = static_cast<std::size_t>(params_.factors);
    float *users = model_.users.data(), *items = model_.items.data(), *bias = model_.item_bias.data();
    blocks_->deal(epoch, ctx.exec);
    const double loss = blocks_->run(epoch, ctx.exec, [&](std::span<Positive> pairs, std::size_t h, Rng rng) {
      const std::span<const std::uint32_t> group = blocks_->items(h);
      shuffle_windows(pairs, rng);
      double sum = 0;
      for (const auto [user, item] : pairs) {
        const std::span<const ItemIdx> own = blocks_->positives().indices(user);
        sum += static_cast<double>(warp_step(
            users + user * d, items + item * d, bias[item], d, weights_, step,
            [&] { return group[rng.below32(static_cast<std::uint32_t>(group.size()))]; },
            [&](std::uint32_t j) { return has_item(own, j); },
            [&](std::uint32_t j) { return std::pair(items + j * d, bias + j); }));
      }
      return sum;
    });
    const double pairs = static_cast<double>(blocks_->positives().nnz());
    return {{"loss", pairs == 0 ? 0 : loss / pairs}};
  }

  // The steps of the training against items that stand still, with negatives uniform on all items that the history
  // lacks.
  void fold_in(const HistoryRow& history, std::span<float> out) const override {
    const std::vector<float> weights = warp_weights(n_items(), static_cast<std::size_t>(params_.max_sampled));
    StillRow liked, other;
    fold_in_pairs(history, n_items(), params_.epochs,
                  [&](int pass, std::uint32_t i, std::span<const ItemIdx> positives, auto draw) {
                    const auto [q_i, b_i] = liked.of(model_, i);
                    warp_step(
                        out.data(), q_i, *b_i, out.size(), weights, step(pass), draw,
                        [&](std::uint32_t j) { return has_item(positives, j); },
                        [&](std::uint32_t j) { return other.of(model_, j); });
                  });
  }

 private:
  PairStep step(int epoch) const {
    return {scheduled_rate(params_.schedule, params_.learning_rate, epoch, params_.epochs), params_.reg,
            params_.bias_reg};
  }

  WarpParams params_;
  std::vector<float> weights_;  // of max_sampled draws
  std::optional<PairwiseBlocks> blocks_;
};

}  // namespace

SEGUE_ALGORITHM(
    warp, Warp, WarpParams,
    {.name = "warp",
     .summary = "matrix factorisation that searches for items ranked wrongly above what a user has",
     .citation = "Weston, Bengio & Usunier 2011, WSABIE: Scaling up to large vocabulary image annotation, IJCAI",
     .family = "factors",
     .iterative = true,
     .embeddings = true})

}  // namespace segue
