// Self-attentive sequential recommendation (Kang & McAuley 2018). See README.md.
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/model/registry.hpp"
#include "framework/model/sequence_model.hpp"
#include "framework/model/transformer_encoder.hpp"

namespace segue {
namespace {

struct SasRecParams : SequenceParams {
  int layers = 2;
  int heads = 1;
  int inner = 0;
  nn::NormPlace norm = nn::NormPlace::kPre;
  nn::Activation activation = nn::Activation::kRelu;
  bool residual_dropout = false;

  SasRecParams() {
    factors = 32;
    beta2 = 0.98f;  // Kang & McAuley's program
    learning_rate = 3e-3f;
    batch_size = 32;
    epochs = 30;
  }

  // Three products' worth of each weight, and seven of attention to half of the positions.
  double fit_flop(const DataShape& s) const {
    const double d = factors, f = inner > 0 ? inner : factors;
    return SequenceParams::fit_flop(s, layers * (6 * (4 * d * d + 2 * d * f) + 7 * max_length * d));
  }
  static Schema<SasRecParams> schema() {
    using P = SasRecParams;
    Schema<P> s;
    sequence_fields(s);
    s.field("layers", &P::layers, "blocks of attention and position-wise network").range(0, 64).search(linear, 1, 4);
    s.field("heads", &P::heads, "heads of attention; they divide factors").range(1, 64);
    s.field("inner", &P::inner, "units of the position-wise network; 0: factors").range(0, 1 << 16);
    s.field("norm", &P::norm, "layer norm before attention and network, or after their residual connections")
        .choices({{"pre", nn::NormPlace::kPre}, {"post", nn::NormPlace::kPost}});
    s.field("activation", &P::activation, "of the position-wise network")
        .choices({{"relu", nn::Activation::kRelu}, {"gelu", nn::Activation::kGelu}, {"silu", nn::Activation::kSilu}});
    s.field("residual_dropout", &P::residual_dropout,
            "dropout on what attention gives, besides that on its probabilities");
    return s;
  }
};

class SasRec final : public SequenceRecommender {
 public:
  explicit SasRec(const SasRecParams& params) : SequenceRecommender(params) {
    if (params.factors % params.heads != 0)
      throw UsageError("sasrec: factors = {} do not divide into heads = {}", params.factors, params.heads);
    const auto d = static_cast<std::size_t>(params.factors);
    const double rate = static_cast<double>(params.dropout);
    settings_.stack.dims = d;
    settings_.stack.heads = static_cast<std::size_t>(params.heads);
    settings_.stack.blocks = static_cast<std::size_t>(params.layers);
    settings_.stack.inner = params.inner > 0 ? static_cast<std::size_t>(params.inner) : d;
    settings_.stack.norm = params.norm;
    settings_.stack.activation = params.activation;
    settings_.stack.attention_dropout = settings_.stack.inner_dropout = settings_.stack.output_dropout = rate;
    settings_.stack.residual_dropout = params.residual_dropout ? rate : 0;
    settings_.input_dropout = rate;
    settings_.positions = static_cast<std::size_t>(params.max_length);
    settings_.scale = std::sqrt(static_cast<double>(d));  // Vaswani et al. 2017, section 3.4
  }

 protected:
  nn::ParamStore<float> make_weights(const Rng& rng) const override {
    nn::ParamStore<float> store;
    const TransformerEncoderBlocks blocks = add_transformer_encoder(settings_, store);
    init_transformer_encoder(settings_, blocks, store, rng, static_cast<double>(shared().init_stddev));
    return store;
  }
  std::unique_ptr<SequenceEncoder<float>> make_encoder(const nn::ParamStore<float>& weights) const override {
    nn::ParamStore<float> layout;
    const TransformerEncoderBlocks blocks = add_transformer_encoder(settings_, layout);
    return std::make_unique<TransformerEncoder<float>>(settings_, blocks, weights);
  }

 private:
  TransformerEncoderSettings settings_;
};

}  // namespace

SEGUE_ALGORITHM(sasrec, SasRec, SasRecParams,
                {.name = "sasrec",
                 .summary = "causal self-attention over a user's latest events predicts the next one",
                 .citation = "Kang & McAuley 2018, Self-attentive sequential recommendation, ICDM",
                 .family = "sequence",
                 .iterative = true,
                 .embeddings = true})

}  // namespace segue
