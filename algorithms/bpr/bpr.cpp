// Bayesian personalised ranking: matrix factorisation that puts what a user has above what they have not. See
// README.md.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "algorithms/bpr/bpr_math.hpp"
#include "framework/model/registry.hpp"

namespace segue {

namespace {

struct BprParams {
  int factors = 64;
  int epochs = 60;
  float learning_rate = 0.1f;
  RateSchedule schedule = RateSchedule::kLinear;
  float reg = 0.005f;
  float bias_reg = 0.005f;
  int negatives = 1;
  NegativeSampling negative_sampling = NegativeSampling::kUniform;
  float adaptive_tail = 0.1f;
  float init_stddev = 0.1f;

  // 15 d a pair; an eighth of the arithmetic rate, since each pair waits for three rows.
  double fit_flop(const DataShape& s) const { return 8.0 * 15.0 * factors * epochs * negatives * s.events; }
  static Schema<BprParams> schema() {
    using P = BprParams;
    Schema<P> s;
    s.field("factors", &P::factors, "latent dimensions d").range(1, 4096).search(pow2, 8, 256);
    s.field("epochs", &P::epochs, "passes over the positive pairs").range(1, 10000).search(linear, 10, 100);
    s.field("learning_rate", &P::learning_rate, "step length of the first epoch")
        .above(0.0f)
        .search(log_scale, 5e-3, 0.2);
    schedule_field(s);
    s.field("reg", &P::reg, "L2 penalty on the factors, per sample").range(0.0f, 100.0f).search(log_scale, 1e-4, 0.1);
    s.field("bias_reg", &P::bias_reg, "L2 penalty on the item biases, per sample")
        .range(0.0f, 100.0f)
        .search(log_scale, 1e-4, 0.1);
    s.field("negatives", &P::negatives, "sampled items a positive pair, new each epoch")
        .range(1, 1000)
        .search(linear, 1, 8);
    s.field(
         "negative_sampling", &P::negative_sampling,
         "uniform; popularity: in proportion to an item's users; adaptive: items that the user's own vector ranks high")
        .choices({{"uniform", NegativeSampling::kUniform},
                  {"popularity", NegativeSampling::kPopularity},
                  {"adaptive", NegativeSampling::kAdaptive}});
    s.field("adaptive_tail", &P::adaptive_tail, "mean rank of an adaptive negative, as a share of all items")
        .range(1e-4f, 10.0f)
        .search(log_scale, 0.01, 1);
    s.field("init_stddev", &P::init_stddev, "standard deviation of the first factors")
        .range(1e-6f, 10.0f)
        .search(log_scale, 1e-3, 0.3);
    return s;
  }
};

class Bpr final : public FactorRecommender {
 public:
  explicit Bpr(BprParams params) : params_(params) {}

 protected:
  int epochs() const override { return params_.epochs; }

  void begin(const TrainData& data, FitContext& ctx) override {
    blocks_.emplace(data.train.by_user(), static_cast<std::size_t>(params_.factors), ctx.rng);
    sampler_.emplace(params_.negative_sampling, blocks_->positives(), params_.adaptive_tail);
    start(blocks_->positives(), params_.factors, params_.init_stddev, false, ctx);
  }

  Losses run_epoch(int epoch, const TrainData&, FitContext& ctx) override {
    const PairStep step = this->step(epoch);
    blocks_->deal(epoch, ctx.exec);
    sampler_->prepare(*blocks_, model_, ctx.exec);
    const double loss = blocks_->run(epoch, ctx.exec, [&](std::span<const Positive> pairs, std::size_t h, Rng rng) {
      return run_block(pairs, h, rng, step);
    });
    const double samples = static_cast<double>(blocks_->positives().nnz()) * params_.negatives;
    return {{"loss", samples == 0 ? 0 : loss / samples}};
  }

  // The steps of the training against items that stand still, with negatives uniform on all items that the history
  // lacks.
  void fold_in(const HistoryRow& history, std::span<float> out) const override {
    StillRow liked, other;
    LogisticLoss unused;
    fold_in_pairs(history, n_items(), params_.epochs,
                  [&](int pass, std::uint32_t i, std::span<const ItemIdx> positives, auto draw) {
                    for (int n = 0; n < params_.negatives; ++n) {
                      const std::uint32_t j =
                          draw_negative(draw, [&](std::uint32_t item) { return has_item(positives, item); });
                      if (j == kNone) continue;
                      const auto [q_i, b_i] = liked.of(model_, i);
                      const auto [q_j, b_j] = other.of(model_, j);
                      bpr_step(out.data(), q_i, q_j, *b_i, *b_j, out.size(), step(pass), unused);
                    }
                  });
  }

 private:
  PairStep step(int epoch) const {
    return {scheduled_rate(params_.schedule, params_.learning_rate, epoch, params_.epochs), params_.reg,
            params_.bias_reg};
  }

  // All negatives of a block are drawn before its steps: pairs still come user by user then, so that what a user has of
  // the group is a short list, and rows can be asked for ahead of their steps.
  double run_block(std::span<const Positive> pairs, std::size_t h, Rng& rng, const PairStep& step) {
    std::vector<BprTriple> triples;
    triples.reserve(pairs.size() * static_cast<std::size_t>(params_.negatives));
    OwnItems own;
    for (std::size_t first = 0, last = 0; first < pairs.size(); first = last) {
      const std::uint32_t user = pairs[first].user;
      while (last < pairs.size() && pairs[last].user == user) ++last;
      own.set(pairs.subspan(first, last - first));
      const std::span<const float> vector = row_span(std::as_const(model_.users), user);
      for (std::size_t p = first; p < last; ++p) {
        for (int n = 0; n < params_.negatives; ++n) {
          const std::uint32_t j = draw_negative([&] { return sampler_->draw(h, vector, rng); },
                                                [&](std::uint32_t item) { return own.has(item); });
          if (j != kNone) triples.push_back({user, pairs[p].item, j});
        }
      }
    }
    shuffle_windows(std::span(triples), rng);
    return bpr_steps(model_, triples, step);
  }

  BprParams params_;
  std::optional<PairwiseBlocks> blocks_;
  std::optional<NegativeSampler> sampler_;
};

}  // namespace

SEGUE_ALGORITHM(
    bpr, Bpr, BprParams,
    {.name = "bpr",
     .summary = "matrix factorisation that ranks what a user has above what they have not, pair by pair",
     .citation =
         "Rendle, Freudenthaler, Gantner & Schmidt-Thieme 2009, BPR: Bayesian personalized ranking from implicit "
         "feedback, UAI",
     .family = "factors",
     .iterative = true,
     .embeddings = true})

}  // namespace segue
