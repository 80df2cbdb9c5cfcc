#include "framework/stats/multiple.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"

namespace segue::stats {
namespace {

// The procedures as their papers state them: which hypotheses are rejected at alpha. Adjusted values must say the same.
std::vector<bool> rejected(const std::vector<double>& p, Adjustment adjustment, double alpha) {
  std::vector<double> sorted = p;
  std::sort(sorted.begin(), sorted.end());
  const double m = static_cast<double>(p.size());
  double limit = -1;  // p-values up to this are rejected
  if (adjustment == Adjustment::kHolm) {
    for (std::size_t i = 0; i < sorted.size() && sorted[i] <= alpha / (m - static_cast<double>(i)); ++i)
      limit = sorted[i];
  } else if (adjustment == Adjustment::kBenjaminiHochberg) {
    for (std::size_t i = 0; i < sorted.size(); ++i)
      if (sorted[i] <= alpha * static_cast<double>(i + 1) / m) limit = sorted[i];
  } else {
    limit = adjustment == Adjustment::kBonferroni ? alpha / m : alpha;
  }
  std::vector<bool> out;
  for (const double x : p) out.push_back(x <= limit);
  return out;
}

TEST(Multiple, RejectsWhatTheProceduresReject) {
  Rng rng(4);
  for (const Adjustment a :
       {Adjustment::kNone, Adjustment::kBonferroni, Adjustment::kHolm, Adjustment::kBenjaminiHochberg}) {
    int rejections = 0;
    for (int repeat = 0; repeat < 300; ++repeat) {
      std::vector<double> p(1 + rng.below(12));
      for (double& x : p) x = std::pow(rng.uniform(), 3);
      if (p.size() > 3) p[2] = p[0];  // a tie
      const std::vector<double> ours = adjusted(p, a);
      for (const double alpha : {0.01, 0.05, 0.2, 0.7}) {
        const std::vector<bool> expected = rejected(p, a, alpha);
        for (std::size_t i = 0; i < p.size(); ++i) {
          EXPECT_EQ(ours[i] <= alpha, expected[i]) << adjustment_name(a) << ' ' << alpha << ' ' << p[i];
          rejections += expected[i];
        }
      }
    }
    EXPECT_GT(rejections, 300);
  }
}

// R 4: p.adjust(c(0.04, 0.01, 0.03, 0.005, 0.6), method).
TEST(Multiple, KnownValuesInInputOrder) {
  const std::vector<double> p{0.04, 0.01, 0.03, 0.005, 0.6};
  using testing::DoubleNear;
  using testing::ElementsAre;
  EXPECT_THAT(adjusted(p, Adjustment::kHolm),
              ElementsAre(DoubleNear(0.09, 1e-15), DoubleNear(0.04, 1e-15), DoubleNear(0.09, 1e-15),
                          DoubleNear(0.025, 1e-15), DoubleNear(0.6, 1e-15)));
  EXPECT_THAT(adjusted(p, Adjustment::kBenjaminiHochberg),
              ElementsAre(DoubleNear(0.05, 1e-15), DoubleNear(0.025, 1e-15), DoubleNear(0.05, 1e-15),
                          DoubleNear(0.025, 1e-15), DoubleNear(0.6, 1e-15)));
  EXPECT_THAT(adjusted(p, Adjustment::kBonferroni),
              ElementsAre(DoubleNear(0.2, 1e-15), DoubleNear(0.05, 1e-15), DoubleNear(0.15, 1e-15),
                          DoubleNear(0.025, 1e-15), 1.0));
  EXPECT_EQ(adjusted(p, Adjustment::kNone), p);
  EXPECT_TRUE(adjusted({}, Adjustment::kHolm).empty());
}

TEST(Multiple, MonotoneAndAtMostOne) {
  Rng rng(6);
  std::vector<double> p(200);
  for (double& x : p) x = rng.uniform();
  for (const Adjustment a : {Adjustment::kBonferroni, Adjustment::kHolm, Adjustment::kBenjaminiHochberg}) {
    const std::vector<double> ours = adjusted(p, a);
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_GE(ours[i], p[i]);
      EXPECT_LE(ours[i], 1);
      for (std::size_t j = 0; j < p.size(); ++j) EXPECT_TRUE(p[i] >= p[j] || ours[i] <= ours[j]);
    }
  }
}

TEST(Multiple, Refusals) {
  EXPECT_THROW(adjusted(std::vector<double>{0.5, 1.5}, Adjustment::kHolm), LogicError);
  EXPECT_THROW(adjusted(std::vector<double>{std::nan("")}, Adjustment::kNone), LogicError);
  for (const std::string name : {"none", "bonferroni", "holm", "bh"})
    EXPECT_EQ(adjustment_name(adjustment(name)), name);
  try {
    adjustment("hulm");
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_THAT(e.what(), testing::AllOf(testing::HasSubstr("unknown correction 'hulm'; did you mean 'holm'?"),
                                         testing::HasSubstr("bh")));
  }
}

}  // namespace
}  // namespace segue::stats
