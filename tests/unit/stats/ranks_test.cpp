#include "framework/stats/ranks.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/stats/distributions.hpp"
#include "tests/unit/stats/golden.hpp"

namespace segue::stats {
namespace {

using testing::ElementsAre;

TEST(Midranks, ByHand) {
  double ties = -1;
  EXPECT_THAT(midranks(std::vector<double>{3, 1, 3, 2, 3, 1}, &ties), ElementsAre(5, 1.5, 5, 3, 5, 1.5));
  EXPECT_EQ(ties, 24 + 6);
  EXPECT_THAT(midranks(std::vector<double>{-1, -2}), ElementsAre(2, 1));
  EXPECT_TRUE(midranks({}).empty());
  EXPECT_THROW(midranks(std::vector<double>{1, std::nan("")}), LogicError);
}

// Table 6 of Demsar 2006: AUC of C4.5 with four settings on 14 data sets; the figures are those of his section 3.2.2.
// The two 0.975 of the last but one row are ranked apart there, by digits that the table does not print; hence 0.9751.
const std::vector<double> kDemsar{0.763, 0.768, 0.771,  0.798, 0.599, 0.591, 0.590, 0.569, 0.954, 0.971, 0.968, 0.967,
                                  0.628, 0.661, 0.654,  0.657, 0.882, 0.888, 0.886, 0.898, 0.936, 0.931, 0.916, 0.931,
                                  0.661, 0.668, 0.609,  0.685, 0.583, 0.583, 0.563, 0.625, 0.775, 0.838, 0.866, 0.875,
                                  1.000, 1.000, 1.000,  1.000, 0.940, 0.962, 0.965, 0.962, 0.619, 0.666, 0.614, 0.669,
                                  0.972, 0.981, 0.9751, 0.975, 0.957, 0.978, 0.946, 0.970};

TEST(Friedman, DemsarsExample) {
  const FriedmanTest test = friedman_test(kDemsar, 14, 4);
  ASSERT_EQ(test.mean_ranks.size(), 4u);
  EXPECT_NEAR(test.mean_ranks[0], 3.143, 5e-4);
  EXPECT_NEAR(test.mean_ranks[1], 2.000, 5e-4);
  EXPECT_NEAR(test.mean_ranks[2], 2.893, 5e-4);
  EXPECT_NEAR(test.mean_ranks[3], 1.964, 5e-4);
  // He leaves the correction for ties away: 9.28 and 3.69.
  double squares = 0;
  for (const double r : test.mean_ranks) squares += r * r;
  const double plain = 12.0 * 14 / 20 * (squares - 4 * 25 / 4.0);
  EXPECT_NEAR(plain, 9.28, 5e-3);
  EXPECT_GT(test.chi_square, plain);
  EXPECT_NEAR(nemenyi_critical_difference(14, 4, 0.05), 1.25, 5e-3);
  EXPECT_NEAR(nemenyi_critical_difference(14, 4, 0.10), 1.12, 5e-3);
  // At 0.10 C4.5 is worse than the two with -m; so is neither of the two in the middle.
  EXPECT_THAT(cliques(test.mean_ranks, nemenyi_critical_difference(14, 4, 0.10)),
              ElementsAre(ElementsAre(3, 1, 2), ElementsAre(2, 0)));
}

// Table 5a of Demsar 2006: q_0.05 / sqrt(2) for 2 to 10 systems.
TEST(Nemenyi, DemsarsTable) {
  const std::vector<double> table{1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164};
  for (std::size_t k = 2; k <= 10; ++k) {
    const double unit = std::sqrt(static_cast<double>(k * (k + 1)) / 6);
    EXPECT_NEAR(nemenyi_critical_difference(1, k) / unit, table[k - 2], 1e-3) << k;
    EXPECT_NEAR(nemenyi_critical_difference(25, k), nemenyi_critical_difference(1, k) / 5, 1e-12);
  }
}

TEST(Friedman, AgreesWithScipy) {
  for (const Golden::Line& line : Golden::get().of("friedman")) {
    const std::vector<double>& values = Golden::get().samples.at(line.names[0]);
    const auto tasks = static_cast<std::size_t>(line.numbers[0]);
    const FriedmanTest ours = friedman_test(values, tasks, values.size() / tasks);
    EXPECT_NEAR(ours.chi_square, line.numbers[1], 1e-9);
    EXPECT_NEAR(ours.chi_square_p, line.numbers[2], 1e-10);
    EXPECT_NEAR(ours.f, line.numbers[3], 1e-9);
    EXPECT_NEAR(ours.f_p, line.numbers[4], 1e-10);
  }
}

TEST(Friedman, TheEnds) {
  const FriedmanTest tied = friedman_test(std::vector<double>{1, 1, 1, 5, 5, 5}, 2, 3);
  EXPECT_THAT(tied.mean_ranks, ElementsAre(2, 2, 2));
  EXPECT_EQ(tied.chi_square_p, 1);
  EXPECT_EQ(tied.f_p, 1);
  const FriedmanTest agreed = friedman_test(std::vector<double>{1, 3, 2, 10, 30, 20, 0.1, 0.3, 0.2}, 3, 3);
  EXPECT_THAT(agreed.mean_ranks, ElementsAre(3, 1, 2));  // larger is better
  EXPECT_NEAR(agreed.chi_square, 6, 1e-12);
  EXPECT_EQ(agreed.f, std::numeric_limits<double>::infinity());
  EXPECT_EQ(agreed.f_p, 0);
  EXPECT_THROW(friedman_test(std::vector<double>{1, 2}, 1, 2), LogicError);
  EXPECT_THROW(friedman_test(std::vector<double>{1, 2, 3}, 2, 2), LogicError);
  EXPECT_THROW(friedman_test(std::vector<double>{1, 2, std::nan(""), 4}, 2, 2), LogicError);
  EXPECT_THROW(nemenyi_critical_difference(3, 1), LogicError);
}

TEST(Cliques, ByHand) {
  // Ranks 1, 1.5, 2.4, 2.6, 5 (given in another order) and a bar of 1.2.
  const std::vector<double> ranks{2.4, 5, 1, 2.6, 1.5};
  EXPECT_THAT(cliques(ranks, 1.2), ElementsAre(ElementsAre(2, 4), ElementsAre(4, 0, 3)));
  EXPECT_THAT(cliques(ranks, 0.1), ElementsAre());
  EXPECT_THAT(cliques(ranks, 4.01), ElementsAre(ElementsAre(2, 4, 0, 3, 1)));
  EXPECT_THAT(cliques(ranks, 4),
              ElementsAre(ElementsAre(2, 4, 0, 3), ElementsAre(4, 0, 3, 1)));  // a difference of exactly 4 is one
  EXPECT_THAT(cliques(std::vector<double>{}, 1), ElementsAre());
}

// Two systems share a group if and only if they differ by less, and no group lies in another.
TEST(Cliques, CoverExactlyThePairsThatAreNear) {
  Rng rng(2);
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::vector<double> ranks(2 + rng.below(8));
    for (double& r : ranks) r = 0.25 * static_cast<double>(rng.below(24));
    const std::vector<std::vector<std::size_t>> groups = cliques(ranks, 1.5);
    std::vector<std::vector<bool>> together(ranks.size(), std::vector<bool>(ranks.size(), false));
    for (const auto& g : groups)
      for (const std::size_t a : g)
        for (const std::size_t b : g) together[a][b] = true;
    for (std::size_t a = 0; a < ranks.size(); ++a)
      for (std::size_t b = 0; b < ranks.size(); ++b)
        EXPECT_TRUE(a == b || together[a][b] == (std::abs(ranks[a] - ranks[b]) < 1.5));
    for (std::size_t i = 0; i + 1 < groups.size(); ++i) {
      EXPECT_LT(ranks[groups[i].front()], ranks[groups[i + 1].front()]);
      EXPECT_LT(ranks[groups[i].back()], ranks[groups[i + 1].back()]);
    }
  }
}

}  // namespace
}  // namespace segue::stats
