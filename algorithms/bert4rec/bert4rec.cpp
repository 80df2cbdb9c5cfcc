// Bidirectional self-attention trained to fill in masked events (Sun et al. 2019). See README.md.
#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/model/registry.hpp"
#include "framework/model/sequence_model.hpp"
#include "framework/model/transformer_encoder.hpp"

namespace segue {
namespace {

struct Bert4RecParams : SequenceParams {
  int layers = 1;
  int heads = 2;
  int inner = 0;
  float mask = 0.5f;
  float last_only = 0;

  Bert4RecParams() {
    factors = 32;
    epochs = 30;
    batch_size = 32;
    window_stride = 50;
    learning_rate = 5e-3f;
    init_stddev = 0.1f;
    loss = SequenceLoss::kSoftmax;
    output_bias = true;
  }

  // Three products' worth of each weight, seven of attention.
  double fit_flop(const DataShape& s) const {
    const double d = factors, f = inner > 0 ? inner : 4 * factors;
    return SequenceParams::fit_flop(s, layers * (6 * (4 * d * d + 2 * d * f) + 14 * max_length * d),
                                    static_cast<double>(mask * (1 - last_only)));
  }
  static Schema<Bert4RecParams> schema() {
    using P = Bert4RecParams;
    Schema<P> s;
    sequence_fields(s);
    s.field("layers", &P::layers, "blocks of attention and position-wise network").range(0, 64).search(linear, 1, 4);
    s.field("heads", &P::heads, "heads of attention; they divide factors").range(1, 64);
    s.field("inner", &P::inner, "units of the position-wise network; 0: four times factors").range(0, 1 << 16);
    s.field("mask", &P::mask, "share of the events of a window that are masked, at least one")
        .range(0.01f, 1.0f)
        .search(linear, 0.1, 0.6);
    s.field("last_only", &P::last_only, "share of windows of which only the last event is masked, as in a question")
        .range(0.0f, 1.0f);
    return s;
  }
};

class Bert4Rec final : public SequenceRecommender {
 public:
  explicit Bert4Rec(const Bert4RecParams& params) : SequenceRecommender(params), params_(params) {
    if (params.factors % params.heads != 0)
      throw UsageError("bert4rec: factors = {} do not divide into heads = {}", params.factors, params.heads);
    if (params.max_length < 2)
      throw UsageError("bert4rec: max_length = {}: an event and the mask after it are two positions",
                       params.max_length);
    const auto d = static_cast<std::size_t>(params.factors);
    const double rate = static_cast<double>(params.dropout);
    nn::TransformerSettings& stack = settings_.stack;
    stack.dims = d;
    stack.heads = static_cast<std::size_t>(params.heads);
    stack.blocks = static_cast<std::size_t>(params.layers);
    stack.inner = params.inner > 0 ? static_cast<std::size_t>(params.inner) : 4 * d;
    stack.causal = false;
    stack.norm = nn::NormPlace::kPost;
    stack.activation = nn::Activation::kGelu;
    stack.epsilon = 1e-12;
    stack.attention_dropout = stack.residual_dropout = stack.output_dropout = rate;
    settings_.input_dropout = rate;
    settings_.positions = static_cast<std::size_t>(params.max_length);
    settings_.input_norm = settings_.mask_token = settings_.head = true;
  }

 protected:
  nn::ParamStore<float> make_weights(const Rng& rng) const override {
    nn::ParamStore<float> store;
    const TransformerEncoderBlocks blocks = add_transformer_encoder(settings_, store);
    const double stddev = static_cast<double>(shared().init_stddev);
    init_transformer_encoder(settings_, blocks, store, rng, stddev, stddev);
    return store;
  }
  std::unique_ptr<SequenceEncoder<float>> make_encoder(const nn::ParamStore<float>& weights) const override {
    nn::ParamStore<float> layout;
    const TransformerEncoderBlocks blocks = add_transformer_encoder(settings_, layout);
    return std::make_unique<TransformerEncoder<float>>(settings_, blocks, weights);
  }

  std::size_t longest() const override { return static_cast<std::size_t>(shared().max_length); }
  std::size_t tokens_of(std::size_t events) const override { return events; }
  void lay_out(std::span<const std::uint32_t> events, Rng rng, std::span<std::uint32_t> inputs,
               std::span<std::uint32_t> targets) const override {
    std::copy(events.begin(), events.end(), inputs.begin());
    std::fill(targets.begin(), targets.end(), kNoTarget);
    const std::size_t n = events.size();
    const auto mask = [&](std::size_t at) {
      targets[at] = events[at];
      inputs[at] = kMaskToken;
    };
    if (rng.uniform_float() < params_.last_only) return mask(n - 1);
    bool any = false;
    for (std::size_t i = 0; i < n; ++i) {
      if (rng.uniform_float() >= params_.mask) continue;
      mask(i);
      any = true;
    }
    if (!any) mask(rng.below(n));
  }
  void add_expected_targets(std::span<const std::uint32_t> events, std::span<double> counts) const override {
    const double n = static_cast<double>(events.size()), mask = static_cast<double>(params_.mask),
                 last = static_cast<double>(params_.last_only);
    // One is masked where chance has masked none.
    const double each = (1 - last) * (mask + std::pow(1 - mask, n) / n);
    for (const std::uint32_t item : events) counts[item] += each;
    counts[events.back()] += last;
  }
  std::vector<std::uint32_t> query_tokens(std::span<const std::uint32_t> history) const override {
    const std::size_t n = std::min(history.size(), static_cast<std::size_t>(shared().max_length) - 1);
    std::vector<std::uint32_t> out(history.end() - static_cast<std::ptrdiff_t>(n), history.end());
    out.push_back(kMaskToken);
    return out;
  }

 private:
  Bert4RecParams params_;
  TransformerEncoderSettings settings_;
};

}  // namespace

SEGUE_ALGORITHM(bert4rec, Bert4Rec, Bert4RecParams,
                {.name = "bert4rec",
                 .summary = "self-attention in both directions fills in masked events, and the one after the last",
                 .citation = "Sun et al. 2019, BERT4Rec: sequential recommendation with bidirectional encoder "
                             "representations from transformer, CIKM",
                 .family = "sequence",
                 .iterative = true,
                 .embeddings = true})

}  // namespace segue
