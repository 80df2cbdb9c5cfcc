// Whole models of sequences: the gradient of a batch's loss with respect to every parameter, in double, for each loss;
// and that cutting a batch between threads changes no bit.
#include "framework/model/sequence_net.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>

#include <gtest/gtest.h>

#include "framework/model/transformer_encoder.hpp"
#include "framework/nn/gradcheck.hpp"
#include "framework/nn/loss.hpp"

namespace segue {
namespace {

constexpr std::size_t kItems = 23, kDims = 6;

TransformerEncoderSettings encoder_settings(bool bert, nn::NormPlace norm) {
  TransformerEncoderSettings s;
  s.stack.dims = kDims;
  s.stack.heads = 2;
  s.stack.blocks = 2;
  s.stack.inner = 8;
  s.stack.norm = norm;
  s.stack.causal = !bert;
  s.stack.activation = nn::Activation::kGelu;
  s.stack.attention_dropout = s.stack.inner_dropout = s.stack.output_dropout = s.input_dropout = 0.1;
  s.positions = 40;
  s.scale = std::sqrt(double{kDims});
  s.input_norm = s.mask_token = s.head = bert;
  return s;
}

template <class T>
std::unique_ptr<SequenceNet<T>> make_net(const TransformerEncoderSettings& settings, const SequenceShape& shape,
                                         const ItemLossSettings& loss) {
  nn::ParamStore<T> weights;
  const TransformerEncoderBlocks blocks = add_transformer_encoder(settings, weights);
  init_transformer_encoder(settings, blocks, weights, Rng(1), 0.3, 0.3);
  auto net = std::make_unique<SequenceNet<T>>(shape, loss, weights, [=](const nn::ParamStore<T>& store) {
    return std::make_unique<TransformerEncoder<T>>(settings, blocks, store);
  });
  for (std::size_t b = 0; b < net->items().blocks().size(); ++b)
    nn::init_normal(net->items()[nn::BlockId{b}], 0.5, Rng(2).stream("items", b));
  return net;
}

// Sequences of the lengths given. bert: some tokens are masked, and those are the targets.
SequenceBatch make_batch(const std::vector<std::uint32_t>& lengths, const ItemLossSettings& loss, bool bert) {
  SequenceBatch batch;
  Rng rng(5);
  batch.begins.push_back(0);
  if (loss.shared) batch.hidden_begins.push_back(0);
  for (const std::uint32_t length : lengths) {
    batch.begins.push_back(batch.begins.back() + length);
    for (std::uint32_t n = 0; n < length; ++n) {
      const std::uint32_t item = rng.below32(kItems), next = rng.below32(kItems);
      const bool masked = bert && (n % 3 == 0 || n + 1 == length);
      batch.inputs.push_back(masked ? kMaskToken : item);
      batch.targets.push_back(!bert || masked ? next : kNoTarget);
      for (std::size_t j = 0; j < loss.negatives && !loss.shared; ++j)
        batch.negatives.push_back(n % 5 == 4 && j == 1 ? kNoTarget : rng.below32(kItems));
    }
  }
  if (!loss.shared) return batch;
  for (std::size_t j = 0; j < loss.negatives; ++j) batch.negatives.push_back(rng.below32(kItems));
  batch.count_negatives();
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    if (s % 2 == 0) batch.hidden.push_back(static_cast<std::uint32_t>(s % batch.negatives.size()));
    batch.hidden_begins.push_back(static_cast<std::uint32_t>(batch.hidden.size()));
  }
  return batch;
}

// The gradient of the item table, whatever form the net keeps it in.
template <class T>
nn::ParamStore<T> item_gradients(SequenceNet<T>& net) {
  if (net.is_dense()) return net.dense_gradients();
  nn::ParamStore<T> out = net.items().zeros_like();
  const auto put = [&](nn::BlockId block, const nn::RowGradients<T>& rows) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::span<const T> g = rows.gradient(i);
      std::copy(g.begin(), g.end(), out[block].row(rows.rows()[i]));
    }
  };
  put(net.vectors(), net.row_gradients());
  if (net.shape().bias) put(net.bias(), net.bias_gradients());
  return out;
}

struct Case {
  const char* name;
  SequenceLoss loss;
  bool shared, bert, post_norm;
};
class WholeModel : public testing::TestWithParam<Case> {
 protected:
  ItemLossSettings loss() const {
    ItemLossSettings s;
    s.loss = GetParam().loss;
    s.negatives = GetParam().shared ? 7 : 3;
    s.shared = GetParam().shared;
    s.gbce_beta = 0.4;
    s.bpr_max_reg = 0.3;
    return s;
  }
  SequenceShape shape() const { return {kItems, kDims, GetParam().bert}; }
  TransformerEncoderSettings encoder() const {
    return encoder_settings(GetParam().bert, GetParam().post_norm ? nn::NormPlace::kPost : nn::NormPlace::kPre);
  }
  std::vector<float> log_q() const {
    std::vector<float> out;
    if (GetParam().loss != SequenceLoss::kSampledSoftmax) return out;
    for (std::size_t i = 0; i < kItems; ++i) out.push_back(-1.0f - 0.1f * static_cast<float>(i));
    return out;
  }
};

TEST_P(WholeModel, HasTheGradientOfItsLoss) {
  const auto net = make_net<double>(encoder(), shape(), loss());
  const SequenceBatch batch = make_batch({1, 5, 2, 31}, loss(), GetParam().bert);
  const std::vector<float> q = log_q();
  const Executor exec(1);
  const Rng dropout(8);
  const auto value = [&] { return net->gradients(batch, q, &dropout, exec); };
  EXPECT_TRUE(std::isfinite(value()));
  const nn::ParamStore<double> weights = net->weight_gradients(), items = item_gradients(*net);
  double worst = 0;
  const auto check = [&](nn::ParamStore<double>& store, const nn::ParamStore<double>& gradients) {
    for (const auto& block : store.blocks()) {
      const auto got = nn::check_gradient(value, store.all().subspan(block.offset, block.rows * block.cols),
                                          gradients.all().subspan(block.offset, block.rows * block.cols),
                                          Rng(3).stream(block.name), 5, 1e-4);
      EXPECT_LT(got.worst, 1e-6) << block.name << "[" << got.index << "]: " << got.analytic << " and " << got.numeric;
      worst = std::max(worst, got.worst);
    }
  };
  check(net->weights(), weights);
  check(net->items(), items);
  std::printf("gradient of a whole model, %s: worst error %.1e\n", GetParam().name, worst);
}

// In float, with more sequences than one chunk or shard takes; and with fewer, for which shared negatives go through
// the loss as one pool.
class WholeModelInFloat : public WholeModel {
 protected:
  void check(std::uint32_t sequences) const;
};

TEST_P(WholeModelInFloat, HasTheSameGradientForAnyNumberOfThreads) { check(90); }
TEST_P(WholeModelInFloat, HasTheSameGradientForAnyNumberOfThreadsInASmallBatch) { check(35); }

void WholeModelInFloat::check(std::uint32_t sequences) const {
  std::vector<std::uint32_t> lengths;
  for (std::uint32_t s = 0; s < sequences; ++s) lengths.push_back(1 + s * 7 % 40);
  const SequenceBatch batch = make_batch(lengths, loss(), GetParam().bert);
  const std::vector<float> q = log_q();
  const Rng dropout(8);
  std::vector<float> expected;
  double loss_of_one = 0;
  for (const int threads : {1, 2, 3, 8}) {
    const auto net = make_net<float>(encoder(), shape(), loss());
    const Executor exec(threads);
    const double value = net->gradients(batch, q, &dropout, exec);
    EXPECT_EQ(net->gradients(batch, q, &dropout, exec), value) << "the second time";
    std::vector<float> got(net->weight_gradients().all().begin(), net->weight_gradients().all().end());
    const nn::ParamStore<float> items = item_gradients(*net);
    got.insert(got.end(), items.all().begin(), items.all().end());
    if (threads == 1) {
      expected = got;
      loss_of_one = value;
      const auto exact = make_net<double>(encoder(), shape(), loss());
      EXPECT_NEAR(exact->gradients(batch, q, &dropout, exec), value, 1e-4 * (1 + std::abs(value)));
      std::size_t at = 0;
      for (const nn::ParamStore<double>& g : {exact->weight_gradients(), item_gradients(*exact)}) {
        double most = 0;
        for (const double x : g.all()) most = std::max(most, std::abs(x));
        for (std::size_t i = 0; i < g.size(); ++i, ++at)
          ASSERT_NEAR(double{expected[at]}, g.all()[i], 2e-5 * most) << i;
      }
    }
    EXPECT_EQ(value, loss_of_one) << threads;
    EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0) << threads;
  }
}

const auto every_loss =
    testing::Values(Case{"SasrecBce", SequenceLoss::kBce, false, false, false},
                    Case{"SasrecPostNormBpr", SequenceLoss::kBpr, false, false, true},
                    Case{"SasrecGbce", SequenceLoss::kGbce, false, false, false},
                    Case{"SasrecSoftmax", SequenceLoss::kSoftmax, false, false, false},
                    Case{"SasrecPostNormSoftmax", SequenceLoss::kSoftmax, false, false, true},
                    Case{"SasrecSampledSoftmax", SequenceLoss::kSampledSoftmax, true, false, false},
                    Case{"SasrecOwnSampledSoftmax", SequenceLoss::kSampledSoftmax, false, false, false},
                    Case{"SasrecSharedBce", SequenceLoss::kBce, true, false, false},
                    Case{"SasrecBprMax", SequenceLoss::kBprMax, true, false, true},
                    Case{"Bert4RecSoftmax", SequenceLoss::kSoftmax, false, true, false},
                    Case{"Bert4RecSampledSoftmax", SequenceLoss::kSampledSoftmax, true, true, false},
                    Case{"Bert4RecBce", SequenceLoss::kBce, false, true, false});
const auto its_name = [](const auto& one) { return one.param.name; };
INSTANTIATE_TEST_SUITE_P(Losses, WholeModel, every_loss, its_name);
INSTANTIATE_TEST_SUITE_P(Losses, WholeModelInFloat, every_loss, its_name);

// The losses of a batch written down position by position, from the states that the net itself gives.
TEST(SequenceNet, HasTheLossOfItsStates) {
  const TransformerEncoderSettings encoder = [] {
    TransformerEncoderSettings s = encoder_settings(false, nn::NormPlace::kPre);
    s.stack.attention_dropout = s.stack.inner_dropout = s.stack.output_dropout = s.input_dropout = 0;
    return s;
  }();
  for (const bool shared : {false, true}) {
    for (const SequenceLoss kind : {SequenceLoss::kBce, SequenceLoss::kSampledSoftmax, SequenceLoss::kSoftmax}) {
      ItemLossSettings loss{kind, 4, shared && kind != SequenceLoss::kSoftmax};
      const auto net = make_net<double>(encoder, {kItems, kDims, true}, loss);
      const SequenceBatch batch = make_batch({3, 7, 1}, loss, false);
      const ConstView<double> vectors = std::as_const(*net).items()[net->vectors()],
                              bias = std::as_const(*net).items()[net->bias()];
      double expected = 0;
      for (std::uint32_t s = 0; s + 1 < batch.begins.size(); ++s) {
        // last_state() counts positions from the end of what it is given, so the last token alone has the place that it
        // has in training.
        for (std::uint32_t t = batch.begins[s + 1] - 1; t < batch.begins[s + 1]; ++t) {
          std::vector<double> h(kDims);
          net->last_state(std::span(batch.inputs).subspan(batch.begins[s], t + 1 - batch.begins[s]), h);
          const auto score = [&](std::uint32_t item) {
            double sum = bias.data[item];
            for (std::size_t c = 0; c < kDims; ++c) sum += h[c] * vectors(item, c);
            return sum;
          };
          const double positive = score(batch.targets[t]);
          std::vector<double> negatives;
          if (kind == SequenceLoss::kSoftmax)
            for (std::uint32_t i = 0; i < kItems; ++i) {
              if (i != batch.targets[t]) negatives.push_back(score(i));
            }
          else
            for (std::size_t j = 0; j < (loss.shared ? batch.negatives.size() : loss.negatives); ++j) {
              const std::uint32_t item = loss.shared ? batch.negatives[j] : batch.negatives[t * loss.negatives + j];
              const bool hidden = loss.shared && s % 2 == 0 && j == s % batch.negatives.size();
              const bool counts = loss.shared && kind == SequenceLoss::kSampledSoftmax;
              if (item != kNoTarget && !hidden && !(loss.shared && item == batch.targets[t]))
                negatives.resize(negatives.size() + (counts ? batch.negative_counts[j] : 1), score(item));
            }
          double rest = 0;
          for (const double x : negatives)
            rest += kind == SequenceLoss::kBce ? std::log1p(std::exp(x)) : std::exp(x - positive);
          expected += kind == SequenceLoss::kBce ? std::log1p(std::exp(-positive)) + rest : std::log1p(rest);
        }
      }
      // Only the last position of each sequence is to predict.
      SequenceBatch last = batch;
      for (std::size_t s = 0; s + 1 < batch.begins.size(); ++s)
        for (std::uint32_t t = batch.begins[s]; t + 1 < batch.begins[s + 1]; ++t) last.targets[t] = kNoTarget;
      EXPECT_NEAR(net->gradients(last, {}, nullptr, Executor(1)), expected / 3, 1e-12)
          << static_cast<int>(kind) << shared;
    }
  }
}

}  // namespace
}  // namespace segue
