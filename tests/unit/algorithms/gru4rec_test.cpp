#include <cmath>
#include <cstdio>

#include <gtest/gtest.h>

#include "algorithms/gru4rec/gru4rec_math.hpp"
#include "framework/nn/gradcheck.hpp"
#include "tests/unit/algorithms/algorithm_fixture.hpp"

extern "C" void segue_register_algorithm_gru4rec(segue::Registry&);

namespace segue {
namespace {

constexpr Gru4RecShape kShape{.dims = 5, .layers = 2, .bptt = 0, .embedding_dropout = 0.2, .hidden_dropout = 0.3};

template <class T>
nn::ParamStore<T> some_weights(const Gru4RecShape& shape) {
  nn::ParamStore<T> weights = gru4rec_weights<T>(shape);
  init_gru4rec(shape, weights, Rng(3));
  return weights;
}

// Every sequence of a batch has the states that it has alone, and the query's vector is the last of them.
TEST(Gru4Rec, SequencesOfABatchDoNotMeet) {
  const Gru4RecShape shape{.dims = 20, .layers = 2};
  const nn::ParamStore<float> weights = some_weights<float>(shape);
  Gru4RecEncoder<float> encoder(shape, weights);
  const std::vector<std::uint32_t> begins{0, 2, 7, 8, 13}, ids(13, 0);
  Matrix<float> x(13, 20), h(13, 20), alone(5, 20);
  nn::init_normal(View<float>(x), 1, Rng(4));
  encoder.forward({begins, ids}, View<float>(x), View<float>(h), nullptr);
  for (std::size_t s = 0; s + 1 < begins.size(); ++s) {
    const std::size_t begin = begins[s], end = begins[s + 1];
    const std::vector<std::uint32_t> own{0, static_cast<std::uint32_t>(end - begin)};
    const PackedTokens tokens{own, std::span(ids).subspan(begin, end - begin)};
    const View<float> to = View<float>(alone).some_rows(0, end - begin);
    encoder.forward(tokens, ConstView<float>(x).some_rows(begin, end), to, nullptr);
    EXPECT_EQ(std::memcmp(to.data, View<float>(h).row(begin), to.size() * sizeof(float)), 0) << "sequence " << s;
    std::vector<float> last(20);
    encoder.last_state(tokens, ConstView<float>(x).some_rows(begin, end), last);
    EXPECT_EQ(std::memcmp(last.data(), View<float>(h).row(end - 1), 20 * sizeof(float)), 0) << "sequence " << s;
  }
}

// Sequences of random items; every seventh position is to predict nothing.
SequenceBatch random_batch(const std::vector<std::uint32_t>& lengths, std::uint32_t items) {
  SequenceBatch batch;
  batch.begins = {0};
  Rng rng(9);
  for (const std::uint32_t length : lengths) {
    for (std::uint32_t t = 0; t < length; ++t) {
      batch.inputs.push_back(rng.below32(items));
      batch.targets.push_back(t % 7 == 6 ? kNoTarget : rng.below32(items));
    }
    batch.begins.push_back(static_cast<std::uint32_t>(batch.inputs.size()));
  }
  batch.negatives = {0, 2, 5, 9, 11};
  batch.negative_counts = {1, 3, 1, 1, 2};
  return batch;
}

// The whole model: item vectors, biases and weights, through dropout, layers and steps to each loss; for batches whose
// negatives are taken together, and for those that are too large for it.
void check_gradients(const SequenceBatch& batch, std::size_t most) {
  const std::size_t items = 12;
  const std::vector<float> log_q{-1, -2, -3, -1.5f, -2, -2, -3, -1, -2, -3, -1, -2};
  const Executor exec(2);
  for (const SequenceLoss kind : {SequenceLoss::kSampledSoftmax, SequenceLoss::kBprMax, SequenceLoss::kSoftmax}) {
    ItemLossSettings loss;
    loss.loss = kind;
    loss.negatives = batch.negatives.size();
    loss.shared = true;
    loss.bpr_max_reg = 0.3;
    SequenceNet<double> net({items, kShape.dims, true}, loss, some_weights<double>(kShape),
                            [](const nn::ParamStore<double>& weights) {
                              return std::make_unique<Gru4RecEncoder<double>>(kShape, weights);
                            });
    nn::init_normal(View<double>(net.items().all().data(), 1, net.items().size()), 0.5, Rng(5));
    const Rng dropout(6);
    const auto value = [&] {
      return net.gradients(batch, kind == SequenceLoss::kSampledSoftmax ? std::span(log_q) : std::span<const float>(),
                           &dropout, exec);
    };
    value();
    nn::ParamStore<double> of_items = net.items().zeros_like();
    if (net.is_dense()) {
      of_items = net.dense_gradients();
    } else {
      for (const auto& [block, rows] :
           {std::pair{net.vectors(), &net.row_gradients()}, std::pair{net.bias(), &net.bias_gradients()}})
        for (std::size_t i = 0; i < rows->size(); ++i)
          std::copy(rows->gradient(i).begin(), rows->gradient(i).end(), of_items[block].row(rows->rows()[i]));
    }
    const nn::ParamStore<double> of_weights = net.weight_gradients();
    for (const auto& [what, values, analytic] :
         {std::tuple{"items", net.items().all(), std::span<const double>(of_items.all())},
          std::tuple{"weights", net.weights().all(), of_weights.all()}}) {
      const nn::GradientCheck check = nn::check_gradient(value, values, analytic, Rng(7), most);
      std::printf("gru4rec, loss %d, %zu tokens, %s: worst relative error %.2g of %zu\n", static_cast<int>(kind),
                  batch.tokens(), what, check.worst, check.checked);
      EXPECT_LT(check.worst, 1e-6) << what << " " << check.index << ": " << check.analytic << ", " << check.numeric;
    }
  }
}

TEST(Gru4Rec, GradientsAreThoseOfTheLoss) { check_gradients(random_batch({3, 1, 8}, 12), 400); }

TEST(Gru4Rec, GradientsOfManyChunksAreThoseOfTheLoss) {
  check_gradients(random_batch(std::vector<std::uint32_t>(17, 33), 12), 8);
}

// Sequences round a ring of items: what comes next is certain, and popularity says nothing.
struct Ring {
  static constexpr std::size_t kItems = 24, kUsers = 60, kLength = 9;
  Interactions train;
  Histories histories;

  Ring() {
    std::vector<test::Triplet> pairs;
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> items;
    std::vector<std::int64_t> times;
    for (std::uint32_t u = 0; u < kUsers; ++u) {
      for (std::uint32_t n = 0; n < kLength; ++n) {
        items.push_back(item_at((u * 5 + n) % kItems));
        times.push_back(n);
        pairs.push_back({u, static_cast<std::uint32_t>(raw(items.back())), 1});
      }
      offsets.push_back(items.size());
    }
    train = Interactions(test::by_user(pairs, kUsers, kItems));
    const std::size_t n = items.size();
    histories = Histories(std::move(offsets), std::move(items), std::move(times), std::vector<float>(n, 1),
                          std::vector<EventKind>(n), std::vector<std::uint32_t>(n, 0));
  }
};

// How many items are given their successor as the best.
std::size_t learnt(std::vector<std::pair<std::string, Value>> params, test::Curve& curve) {
  static const Ring ring;
  static const Registry registry = [] {
    Registry r;
    segue_register_algorithm_gru4rec(r);
    return r;
  }();
  const auto model = registry.make("gru4rec", test::params_of(std::move(params)));
  const Executor exec(1);
  const Facets facets;
  FitContext ctx{exec, Rng(1), curve};
  model->fit({ring.train, ring.histories, facets}, ctx);
  std::size_t right = 0;
  for (std::uint32_t i = 0; i < Ring::kItems; ++i) {
    const std::vector<ItemIdx> history{item_at((i + Ring::kItems - 1) % Ring::kItems), item_at(i)};
    Query query;
    query.history = history;
    const Matrix<float> scores = test::scores_of(*model, {&query, 1});
    Eigen::Index best = 0;
    scores.row(0).maxCoeff(&best);
    right += static_cast<std::uint32_t>(best) == (i + 1) % Ring::kItems;
  }
  return right;
}

std::size_t learnt(std::vector<std::pair<std::string, Value>> params) {
  test::Curve curve;
  return learnt(std::move(params), curve);
}

TEST(Gru4Rec, DropsInputsWhereItDropsNothingElse) {
  const auto losses = [](double embedding_dropout) {
    test::Curve curve;
    learnt({{"factors", Value::integer(8)},
            {"epochs", Value::integer(2)},
            {"dropout", Value::real(0)},
            {"embedding_dropout", Value::real(embedding_dropout)}},
           curve);
    return curve.series.at("loss");
  };
  EXPECT_NE(losses(0.5), losses(0));
}

TEST(Gru4Rec, LearnsWhatComesNext) {
  const std::vector<std::pair<std::string, Value>> small{
      {"factors", Value::integer(16)}, {"epochs", Value::integer(20)}, {"dropout", Value::real(0.1)}};
  const auto with = [&](std::vector<std::pair<std::string, Value>> more) {
    for (const auto& entry : small) more.push_back(entry);
    return more;
  };
  EXPECT_EQ(learnt(with({})), Ring::kItems);
  EXPECT_EQ(learnt(with({{"loss", Value::string("softmax")}})), Ring::kItems);
  EXPECT_EQ(learnt(with({{"loss", Value::string("bpr_max")}, {"bpr_max_reg", Value::real(0.5)}})), Ring::kItems);
  EXPECT_EQ(learnt(with(
                {{"negatives", Value::integer(8)}, {"layers", Value::integer(2)}, {"batch_size", Value::integer(8)}})),
            Ring::kItems);
  EXPECT_EQ(learnt(with({{"bptt", Value::integer(3)},
                         {"optimizer", Value::string("adam")},
                         {"batch_size", Value::integer(8)},
                         {"learning_rate", Value::real(0.02)}})),
            Ring::kItems);
}

}  // namespace
}  // namespace segue
