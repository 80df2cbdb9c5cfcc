#include <cmath>
#include <set>

#include <gmock/gmock.h>

#include "tests/unit/algorithms/algorithm_fixture.hpp"

namespace segue {
namespace {

using test::by_user;
using test::fitted;
using test::scores;
using test::text;
using testing::ElementsAre;

TEST(Popular, CountsUsersOrAddsWeights) {
  const Csr<ItemIdx> train = by_user({{0, 0, 1}, {1, 0, 1}, {2, 0, 1}, {0, 1, 9}, {1, 1, 2}, {2, 2, 5}}, 3, 4);
  EXPECT_THAT(scores(*fitted({"popular", {}}, train), {}), ElementsAre(3, 2, 1, 0));
  EXPECT_THAT(scores(*fitted({"popular", {{"by", text("weight")}}}, train), {.user = UserIdx{2}}),
              ElementsAre(3, 11, 5, 0));
  const Csr<ItemIdx> unweighted = by_user({{0, 0, 1}, {1, 0, 1}, {1, 1, 1}}, 2, 2, false);
  EXPECT_THAT(scores(*fitted({"popular", {{"by", text("weight")}}}, unweighted), {}), ElementsAre(2, 1));
}

TEST(Popular, ForgetsWithAHalfLife) {
  constexpr std::int64_t kDay = 24 * 3600;
  const Interactions train(by_user({{0, 0, 2}, {0, 1, 3}, {1, 1, 1}}, 2, 3));
  // User 0 hears item 0 on days 0 and 10 and item 1 on day 0, user 1 item 1 on day 20, the last of all.
  const Histories histories(std::vector<std::uint64_t>{0, 3, 4},
                            std::vector<ItemIdx>{ItemIdx{0}, ItemIdx{1}, ItemIdx{0}, ItemIdx{1}},
                            std::vector<std::int64_t>{0, 0, 10 * kDay, 20 * kDay}, std::vector<float>{1, 3, 2, 1},
                            std::vector<EventKind>(4, EventKind::kPlay), std::vector<std::uint32_t>(4, 0));
  const Facets facets;
  const Executor exec(1);
  test::Curve curve;
  const auto popularity = [&](const char* by) {
    const auto model = test::make({"popular", {{"by", text(by)}, {"half_life", Value::real(10)}}});
    FitContext ctx{exec, Rng(1), curve};
    model->fit({train, histories, facets}, ctx);
    return scores(*model, {});
  };
  EXPECT_THAT(popularity("users"), ElementsAre(0.5f, 1.25f, 0.0f));   // 2^-1; 2^-2 + 1
  EXPECT_THAT(popularity("weight"), ElementsAre(1.0f, 1.75f, 0.0f));  // 2 * 2^-1; 3 * 2^-2 + 1
  EXPECT_THAT(test::registry().needs("popular", test::params_of({{"half_life", Value::real(10)}})),
              ElementsAre("times"));
  EXPECT_THAT(test::registry().needs("popular", Value::map()), testing::IsEmpty());
}

TEST(Popular, NamesWhatItCanCount) {
  EXPECT_THAT(
      [] {
        test::make({"popular", {{"by", text("user")}}});
      },
      testing::ThrowsMessage<UsageError>(testing::AllOf(testing::HasSubstr("users"), testing::HasSubstr("popular"))));
}

TEST(Random, IsUniformAndUnrelatedBetweenUsersItemsAndSeeds) {
  const std::size_t items = 1000;
  const Csr<ItemIdx> train = by_user({}, 1, items);
  const auto model = fitted({"random", {}}, train);
  double chi_square = 0, correlation = 0;
  std::vector<std::vector<double>> joint(10, std::vector<double>(10, 0));
  const std::size_t users = 100;
  for (std::uint32_t u = 0; u < users; ++u) {
    const auto a = scores(*model, {.user = UserIdx{u}}), b = scores(*model, {.user = UserIdx{u + 1}});
    for (std::size_t i = 0; i < items; ++i) {
      ASSERT_GE(a[i], 0.0f);
      ASSERT_LT(a[i], 1.0f);
      ++joint[std::size_t(a[i] * 10)][std::size_t(b[i] * 10)];
      correlation += (double{a[i]} - 0.5) * (double{a[(i + 1) % items]} - 0.5) * 12;
    }
  }
  const double expected = double(users * items) / 100;
  for (const auto& row : joint) {
    for (double count : row) chi_square += (count - expected) * (count - expected) / expected;
  }
  // 99 degrees of freedom: mean 99, deviation sqrt(198); five deviations either side (too even is wrong as well).
  EXPECT_NEAR(chi_square, 99, 5 * std::sqrt(198.0));
  EXPECT_NEAR(correlation / double(users * items), 0, 5 / std::sqrt(double(users * items)));
  const auto stranger = scores(*model, {}), other_seed = scores(*fitted({"random", {}}, train, 1, 2), {});
  std::size_t equal = 0;
  for (std::size_t i = 0; i < items; ++i) equal += std::size_t(stranger[i] == other_seed[i]);
  EXPECT_LT(equal, 3u);
  EXPECT_GT(std::set<float>(stranger.begin(), stranger.end()).size(), 990u);
}

TEST(Bias, PredictsTheBaselineAndRanksByTheItemsPart) {
  const Csr<ItemIdx> train = by_user({{0, 0, 5}, {1, 0, 3}, {1, 1, 1}}, 3, 3);
  const auto model = fitted(
      {"bias", {{"reg_user", Value::real(15)}, {"reg_item", Value::real(10)}, {"epochs", Value::integer(1)}}}, train);
  ASSERT_NE(model->ratings(), nullptr);
  const std::vector<UserIdx> users{UserIdx{0}, UserIdx{2}, kNoUser, UserIdx{1}};
  const std::vector<ItemIdx> items{ItemIdx{1}, ItemIdx{0}, kNoItem, ItemIdx{2}};
  std::vector<float> out(4);
  model->ratings()->predict(users, items, out);
  EXPECT_NEAR(out[0], 3 - 2.0 / 11 + (2 - 2.0 / 12) / 16, 1e-6);
  EXPECT_NEAR(out[1], 3 + 2.0 / 12, 1e-6);
  EXPECT_NEAR(out[2], 3, 1e-6);
  EXPECT_NEAR(out[3], 3 + (-2.0 / 12 - 2 + 2.0 / 11) / 17, 1e-6);
  const auto ranking = scores(*model, {.user = UserIdx{0}});
  EXPECT_GT(ranking[0], ranking[2]);
  EXPECT_GT(ranking[2], ranking[1]);
}

}  // namespace
}  // namespace segue
