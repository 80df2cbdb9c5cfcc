// Gated recurrent units over a user's or a session's events: the next item. See README.md.
#include <algorithm>

#include "algorithms/gru4rec/gru4rec_math.hpp"
#include "framework/model/registry.hpp"
#include "framework/model/sequence_model.hpp"

namespace segue {

namespace {

struct Gru4RecParams : SequenceParams {
  int layers = 1;
  int bptt = 0;
  float embedding_dropout = 0;

  Gru4RecParams() {
    epochs = 8;
    batch_size = 32;
    window_stride = 50;
    dropout = 0.4f;
    loss = SequenceLoss::kSampledSoftmax;
    negatives = 256;
    shared_negatives = true;
    batch_negatives = true;
    alpha = 0.75f;
    exclude_history = false;
    output_bias = true;
    optimizer = nn::OptimizerKind::kAdagrad;
    learning_rate = 0.1f;
    row_updates = nn::RowMode::kLazy;
  }

  // Three products' worth of each weight.
  double fit_flop(const DataShape& s) const {
    return SequenceParams::fit_flop(s, 6.0 * 6 * factors * factors * layers);
  }
  Gru4RecShape shape() const {
    return {static_cast<std::size_t>(factors), static_cast<std::size_t>(layers), static_cast<std::size_t>(bptt),
            static_cast<double>(embedding_dropout), static_cast<double>(dropout)};
  }
  static Schema<Gru4RecParams> schema() {
    using P = Gru4RecParams;
    Schema<P> s;
    sequence_fields(s);
    s.field("layers", &P::layers, "layers of gated recurrent units, each of `factors`").range(1, 8);
    s.field("bptt", &P::bptt, "steps that a gradient goes back at most; 0: to the first").range(0, 100000);
    s.field("embedding_dropout", &P::embedding_dropout, "share of the inputs set to zero while training")
        .range(0.0f, 0.95f)
        .search(linear, 0, 0.5);
    return s;
  }
};

class Gru4Rec final : public SequenceRecommender {
 public:
  explicit Gru4Rec(const Gru4RecParams& params) : SequenceRecommender(params), shape_(params.shape()) {}

 protected:
  nn::ParamStore<float> make_weights(const Rng& rng) const override {
    nn::ParamStore<float> weights = gru4rec_weights<float>(shape_);
    init_gru4rec(shape_, weights, rng);
    return weights;
  }
  std::unique_ptr<SequenceEncoder<float>> make_encoder(const nn::ParamStore<float>& weights) const override {
    return std::make_unique<Gru4RecEncoder<float>>(shape_, weights);
  }

 private:
  Gru4RecShape shape_;
};

}  // namespace

SEGUE_ALGORITHM(gru4rec, Gru4Rec, Gru4RecParams,
                {.name = "gru4rec",
                 .summary = "gated recurrent units that read the events in order and predict the next item",
                 .citation = "Hidasi & Karatzoglou 2018, Recurrent neural networks with top-k gains for session-based "
                             "recommendations, CIKM; Hidasi, Karatzoglou, Baltrunas & Tikk 2016, ICLR",
                 .family = "sequence",
                 .iterative = true,
                 .embeddings = true})

}  // namespace segue
