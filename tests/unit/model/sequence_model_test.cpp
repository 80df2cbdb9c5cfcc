// What models of sequences share: the correction for how negatives are drawn, and settings that contradict each other.
#include "framework/model/sequence_model.hpp"

#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/fitted.hpp"

namespace segue {
namespace {

// The state of an event is its item's vector.
struct Identity final : SequenceEncoder<float> {
  void forward(const PackedTokens&, ConstView<float> x, View<float> h, const Rng*) override {
    std::copy_n(x.data, x.size(), h.data);
  }
  void backward(const PackedTokens&, View<float> dh, View<float> dx, nn::ParamStore<float>&) override {
    std::copy_n(dh.data, dh.size(), dx.data);
  }
};

class Plain final : public SequenceRecommender {
 public:
  explicit Plain(const SequenceParams& params) : SequenceRecommender(params) {}
  using SequenceRecommender::begin;
  using SequenceRecommender::log_q;

 protected:
  nn::ParamStore<float> make_weights(const Rng&) const override { return {}; }
  std::unique_ptr<SequenceEncoder<float>> make_encoder(const nn::ParamStore<float>&) const override {
    return std::make_unique<Identity>();
  }
};

SequenceParams sampled_softmax() {
  SequenceParams p;
  p.factors = 4;
  p.loss = SequenceLoss::kSampledSoftmax;
  p.shared_negatives = p.batch_negatives = true;
  p.negatives = 3;
  p.alpha = 0.5f;
  p.max_length = 3;
  p.batch_size = 1;
  return p;
}

// Two listeners; of the first one only the last four events make a window, whose targets are items 1, 2 and 2.
struct Heard {
  static constexpr std::size_t kItems = 7;
  Interactions train;
  Histories histories;
  Facets facets;
  Executor exec{1};
  test::Curve curve;
  FitContext ctx{exec, Rng(1), curve};

  Heard() {
    std::vector<std::uint64_t> offsets{0}, rows{0};
    std::vector<ItemIdx> items, columns;
    for (const std::vector<std::uint32_t>& list : {std::vector<std::uint32_t>{5, 5, 0, 1, 2, 2}, {3, 0}}) {
      for (const std::uint32_t i : list) items.push_back(item_at(i));
      for (const std::uint32_t i : std::set(list.begin(), list.end())) columns.push_back(item_at(i));
      offsets.push_back(items.size());
      rows.push_back(columns.size());
    }
    const std::size_t n = items.size();
    train = Interactions(Csr<ItemIdx>(kItems, std::move(rows), std::move(columns), {}));
    histories = Histories(std::move(offsets), std::move(items), std::vector<std::int64_t>(n),
                          std::vector<float>(n, 1.0f), std::vector<EventKind>(n), std::vector<std::uint32_t>(n));
  }
  TrainData data() const { return {train, histories, facets}; }
};

TEST(SequenceModel, CorrectsForWhatTheWindowsOfABatchAreExpectedToHold) {
  Heard heard;
  constexpr std::size_t kItems = Heard::kItems;
  Plain model(sampled_softmax());
  model.begin(heard.data(), heard.ctx);
  const std::vector<float> got = model.log_q();
  // A batch is one window: two targets on average. Three items are drawn by the root of their events.
  const double events[kItems] = {2, 1, 2, 1, 0, 2, 0}, targets[kItems] = {1, 1, 2, 0, 0, 0, 0};
  double roots = 0;
  for (const double e : events) roots += std::sqrt(e);
  ASSERT_EQ(got.size(), kItems);
  for (std::size_t i = 0; i < kItems; ++i) {
    const double q = (3 * std::sqrt(events[i]) / roots + targets[i] / 2) / 5;
    EXPECT_NEAR(double{got[i]}, q > 0 ? std::log(q) : 0, 1e-6) << i;
  }
}

TEST(SequenceModel, ScoresAreProbabilitiesWhereTheLossCorrectsThem) {
  Heard heard;
  const auto means = [&](const SequenceParams& p) {
    Plain model(p);
    static_cast<Recommender&>(model).fit(heard.data(), heard.ctx);
    return model.score_meaning() != nullptr;
  };
  SequenceParams p = sampled_softmax();
  p.epochs = 1;
  EXPECT_TRUE(means(p));
  p.log_q = false;
  EXPECT_FALSE(means(p));
  p.batch_negatives = false;
  EXPECT_FALSE(means(p));
  p.alpha = 0;  // every item is drawn alike: there is nothing to correct
  EXPECT_TRUE(means(p));
  p.alpha = 0.5f;
  p.negatives = Heard::kItems;  // all of them
  EXPECT_TRUE(means(p));
  p.loss = SequenceLoss::kBprMax;
  EXPECT_FALSE(means(p));
}

TEST(SequenceModel, RefusesNegativesOfABatchThatNobodyWouldSee) {
  const auto message_of = [](const SequenceParams& p) -> std::string {
    try {
      Plain{p};
    } catch (const UsageError& e) {
      return e.what();
    }
    return "";
  };
  SequenceParams p = sampled_softmax();
  EXPECT_EQ(message_of(p), "");
  p.shared_negatives = false;
  EXPECT_THAT(message_of(p), testing::HasSubstr("shared_negatives: true"));
  p.shared_negatives = true;
  p.loss = SequenceLoss::kGbce;
  EXPECT_THAT(message_of(p), testing::HasSubstr("batch_negatives: false"));
  p.loss = SequenceLoss::kSoftmax;  // has no negatives
  EXPECT_EQ(message_of(p), "");
}

}  // namespace
}  // namespace segue
