// The greedy orders of diversify against the obvious ones.
#include <cmath>

#include <Eigen/LU>
#include <gmock/gmock.h>

#include "algorithms/diversify/diversify_math.hpp"
#include "framework/base/rng.hpp"

namespace segue {
namespace {

using testing::ElementsAre;

struct Points {
  std::vector<std::vector<double>> x;
  std::vector<double> relevance;
  explicit Points(std::size_t n) {
    Rng rng(3);
    for (std::size_t i = 0; i < n; ++i) {
      x.emplace_back();
      double square = 0;
      for (int d = 0; d < 5; ++d) x.back().push_back(rng.normal()), square += x.back().back() * x.back().back();
      for (double& v : x.back()) v /= std::sqrt(square);
      relevance.push_back(1 - static_cast<double>(i) / static_cast<double>(n));
    }
  }
  double alike(std::size_t a, std::size_t b) const {
    double sum = 0;
    for (std::size_t d = 0; d < x[a].size(); ++d) sum += x[a][d] * x[b][d];
    return sum;
  }
};

TEST(Diversify, MmrIsTheObviousGreedyChoice) {
  const Points p(20);
  const auto alike = [&](std::size_t a, std::size_t b) { return p.alike(a, b); };
  std::vector<std::size_t> expected;
  for (int k = 0; k < 8; ++k) {
    double highest = -1e9;
    std::size_t best = 0;
    for (std::size_t c = 0; c < 20; ++c) {
      if (std::find(expected.begin(), expected.end(), c) != expected.end()) continue;
      double closest = expected.empty() ? 0 : -1e9;
      for (const std::size_t e : expected) closest = std::max(closest, p.alike(c, e));
      if (const double gain = 0.4 * p.relevance[c] - 0.6 * closest; gain > highest) highest = gain, best = c;
    }
    expected.push_back(best);
  }
  EXPECT_EQ(mmr_order(p.relevance, 0.4, alike, {.picks = 8}), expected);
  EXPECT_THAT(mmr_order(p.relevance, 1, alike, {.picks = 3}), ElementsAre(0, 1, 2));
}

// Determinants worked out anew for every choice. Five dimensions: five picks have volume.
TEST(Diversify, DppTakesWhatAddsMostToTheDeterminant) {
  const Points p(15);
  const double lambda = 0.6, a = lambda / (2 * (1 - lambda));
  const auto alike = [&](std::size_t i, std::size_t j) { return p.alike(i, j); };
  std::vector<std::size_t> expected;
  for (int k = 0; k < 5; ++k) {
    double highest = -1e9;
    std::size_t best = 0;
    for (std::size_t c = 0; c < 15; ++c) {
      if (std::find(expected.begin(), expected.end(), c) != expected.end()) continue;
      std::vector<std::size_t> with = expected;
      with.push_back(c);
      Eigen::MatrixXd kernel(with.size(), with.size());
      for (std::size_t i = 0; i < with.size(); ++i)
        for (std::size_t j = 0; j < with.size(); ++j)
          kernel(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) =
              std::exp(a * (p.relevance[with[i]] + p.relevance[with[j]])) * (i == j ? 1 : p.alike(with[i], with[j]));
      if (const double det = kernel.determinant(); det > highest) highest = det, best = c;
    }
    expected.push_back(best);
  }
  EXPECT_EQ(dpp_order(p.relevance, lambda, alike, {.picks = 5}), expected);
  EXPECT_EQ(dpp_order(p.relevance, lambda, alike, {.picks = 15}).size(), 15u);  // beyond the volume too, each once
}

TEST(Diversify, KeepsArtistsApartWhereItCan) {
  const std::vector<double> relevance{1, 0.9, 0.8, 0.7, 0.6};
  const std::vector<std::uint32_t> artists{1, 1, 2, 1, UINT32_MAX};
  const auto nothing = [](std::size_t, std::size_t) { return 0.0; };
  EXPECT_THAT(mmr_order(relevance, 1, nothing, {.picks = 5, .artists = artists, .artist_gap = 1}),
              ElementsAre(0, 2, 1, 4, 3));
  EXPECT_THAT(mmr_order(relevance, 1, nothing, {.picks = 5, .artists = artists, .artist_gap = 9}),
              ElementsAre(0, 2, 4, 1, 3));
}

}  // namespace
}  // namespace segue
