#include "framework/model/listeners.hpp"

#include <cmath>

#include <gmock/gmock.h>

#include "tests/support/memory_archive.hpp"

namespace segue {
namespace {

using testing::DoubleEq;
using testing::DoubleNear;
using testing::ElementsAre;

constexpr std::int64_t kDay = 86400;

TEST(Listeners, LikesAndDislikesAreBalancedApart) {
  std::vector<double> weights{3, -1, 0, 1, -3};
  balance(weights, 0.2);
  EXPECT_THAT(weights, ElementsAre(0.75, DoubleEq(-0.05), 0, 0.25, DoubleNear(-0.15, 1e-15)));
  std::vector<double> none;
  balance(none, 0.2);
}

TEST(Listeners, WeightsFadeAndGrowAsTold) {
  const std::vector<Heard> heard{{item_at(0), 1, 0}, {item_at(1), -3, 100 * kDay}};
  EXPECT_THAT(item_weights(heard, {.half_life = 100}), ElementsAre(DoubleEq(std::log(2) / 2), DoubleEq(-std::log(4))));
  EXPECT_THAT(item_weights(heard, {.weights = PlayWeights::kRaw}), ElementsAre(1, -3));
  EXPECT_THAT(item_weights(heard, {.weights = PlayWeights::kNone}), ElementsAre(1, -1));
}

// A history speaks for itself; without one the user's training events do, with the same weights.
TEST(Listeners, AreKnownByHistoryOrByTraining) {
  const Interactions train(Csr<ItemIdx>(5, std::vector<std::uint64_t>{0, 2, 2},
                                        std::vector<ItemIdx>{item_at(1), item_at(3)}, std::vector<float>{1, 3}));
  const Histories none;
  const Facets facets;
  ListenerParams params;
  params.weights = PlayWeights::kRaw;
  Listeners listeners;
  listeners.learn({train, none, facets}, params);
  test::MemoryArchive archive;
  listeners.save(archive.writer(), "who");
  Listeners loaded;
  loaded.load(archive.reader(), "who", 5, params);
  const std::vector<ItemIdx> history{item_at(4), item_at(9), item_at(2), item_at(4)};
  const std::vector<float> weights{1, 1, 6, 1};
  for (const Listeners* l : {&listeners, &loaded}) {
    const TasteItems trained = l->of({.user = user_at(0)});
    EXPECT_THAT(trained.items, ElementsAre(item_at(1), item_at(3)));
    EXPECT_THAT(trained.weights, ElementsAre(0.25, 0.75));
    EXPECT_TRUE(l->of({.user = user_at(1)}).items.empty());
    EXPECT_TRUE(l->of({.user = kNoUser}).items.empty());
    const TasteItems asked = l->of({.user = user_at(0), .history = history, .weights = weights});
    EXPECT_THAT(asked.items, ElementsAre(item_at(2), item_at(4)));  // 9 is not in the catalogue
    EXPECT_THAT(asked.weights, ElementsAre(0.75, 0.25));
  }
}

}  // namespace
}  // namespace segue
