// Strategies against functions whose best point is known.
#include "framework/experiment/strategy.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using testing::ElementsAre;

Dimension interval(const std::string& name, SearchScale scale, double low, double high, bool integer = false,
                   int steps = 0) {
  Dimension d;
  d.name = name;
  d.scale = scale;
  d.low = low;
  d.high = high;
  d.integer = integer;
  d.steps = steps;
  return d;
}

Dimension choice(const std::string& name, std::initializer_list<const char*> names) {
  Dimension d;
  d.name = name;
  for (const char* n : names) d.choices.push_back(Value::string(n));
  return d;
}

using Objective = std::function<double(const Proposal&)>;

// Asks and answers until there is nothing more.
std::vector<Tried> play(const Strategy& strategy, const Objective& objective,
                        std::vector<std::size_t>* rounds = nullptr) {
  std::vector<Tried> history;
  for (;;) {
    const std::vector<Proposal> round = strategy.next(history);
    if (round.empty()) return history;
    EXPECT_GE(strategy.left(history.size()), round.size());
    if (rounds != nullptr) rounds->push_back(round.size());
    for (const Proposal& p : round) history.push_back({p, objective(p)});
  }
}

double real(const Proposal& p, const char* name) { return p.settings.find(name)->as_real(); }
double best(const std::vector<Tried>& history) {
  double out = Tried::kFailed;
  for (const Tried& t : history) out = std::max(out, t.value);
  return out;
}

TEST(RandomSearch, CoversTheSpaceWithTheRightDistribution) {
  const SearchSpace space({interval("a", SearchScale::kLinear, -1, 3), interval("b", SearchScale::kLog, 1e-4, 1),
                           interval("c", SearchScale::kPow2, 8, 64), choice("d", {"x", "y", "z"})});
  const auto strategy = random_search(space, 4000, 1);
  const auto proposals = strategy->next({});
  ASSERT_EQ(proposals.size(), 4000u);
  std::vector<double> a, b;
  std::map<std::string, int> c, d;
  for (const Proposal& p : proposals) {
    a.push_back((real(p, "a") + 1) / 4);
    b.push_back(std::log10(real(p, "b")) / 4 + 1);
    ++c[p.settings.find("c")->text()];
    ++d[p.settings.find("d")->text()];
  }
  // Kolmogorov-Smirnov against the uniform distribution; 1.63 / sqrt(n) is its 1 % point.
  for (std::vector<double>* sample : {&a, &b}) {
    std::sort(sample->begin(), sample->end());
    double distance = 0;
    for (std::size_t i = 0; i < sample->size(); ++i)
      distance = std::max(
          distance, std::abs((*sample)[i] - (static_cast<double>(i) + 0.5) / static_cast<double>(sample->size())));
    EXPECT_LT(distance, 1.63 / std::sqrt(4000.0));
  }
  EXPECT_EQ(c.size(), 4u);
  EXPECT_EQ(d.size(), 3u);
  for (const auto& [value, n] : c) EXPECT_NEAR(n, 1000, 4 * std::sqrt(750.0)) << value;
  for (const auto& [value, n] : d) EXPECT_NEAR(n, 4000 / 3.0, 4 * std::sqrt(889.0)) << value;
}

TEST(RandomSearch, IsAFunctionOfItsSeedAndOneRound) {
  const SearchSpace space({interval("a", SearchScale::kLinear, 0, 1)});
  const auto texts = [&](std::uint64_t seed, std::size_t n) {
    std::vector<std::string> out;
    for (const Proposal& p : random_search(space, n, seed)->next({})) out.push_back(p.settings.text());
    return out;
  };
  EXPECT_EQ(texts(1, 20), texts(1, 20));
  EXPECT_NE(texts(1, 20), texts(2, 20));
  // More trials are the same and then more, so that what was tried stays useful.
  const auto few = texts(1, 10), many = texts(1, 20);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
  const auto strategy = random_search(space, 5, 1);
  EXPECT_EQ(play(*strategy, [](const Proposal&) { return 0.0; }).size(), 5u);
  EXPECT_EQ(strategy->settings(), 5u);
}

TEST(RandomSearch, NeverTriesTheSameTwice) {
  const SearchSpace space({interval("a", SearchScale::kLinear, 1, 4, true), choice("b", {"x", "y", "z"})});
  for (const std::size_t trials : {11u, 12u, 50u}) {
    std::set<std::string> seen;
    for (const Proposal& p : random_search(space, trials, 3)->next({})) seen.insert(p.settings.canonical());
    EXPECT_EQ(seen.size(), std::min<std::size_t>(12, trials));
  }
}

TEST(GridSearch, IsEveryCombination) {
  const SearchSpace space({interval("a", SearchScale::kPow2, 2, 4), interval("b", SearchScale::kLog, 0.01, 1, false, 3),
                           choice("c", {"x"})});
  std::vector<std::string> texts;
  for (const Proposal& p : grid_search(space, 6, "algorithm 'x'")->next({})) texts.push_back(p.settings.text());
  EXPECT_THAT(texts, ElementsAre("{a: 2.0, b: 0.01, c: x}", "{a: 2.0, b: 0.1, c: x}", "{a: 2.0, b: 1.0, c: x}",
                                 "{a: 4.0, b: 0.01, c: x}", "{a: 4.0, b: 0.1, c: x}", "{a: 4.0, b: 1.0, c: x}"));
  EXPECT_EQ(
      test::message_of<UsageError>([&] { grid_search(space, 5, "algorithm 'x'"); }),
      "the grid of algorithm 'x' has more points (a 2 x b 3 x c 1) than trials: 5; give more trials, or fewer values");
  EXPECT_THAT(test::message_of<UsageError>(
                  [&] { grid_search(SearchSpace({interval("r", SearchScale::kLog, 0.1, 1)}), 0, "algorithm 'x'"); }),
              testing::StartsWith("a grid needs values: r is searched on log [0.1, 1] in algorithm 'x'"));
}

TEST(Winner, IsTheFirstOfTheBestAndNeverAFailure) {
  const auto strategy = random_search(SearchSpace({interval("a", SearchScale::kLinear, 0, 1)}), 3, 1);
  EXPECT_EQ(strategy->winner(std::vector<Tried>{{{}, Tried::kFailed}, {{}, -2}, {{}, -2}}), 1u);
  EXPECT_EQ(strategy->winner(std::vector<Tried>{{{}, Tried::kFailed}}), std::nullopt);
}

TEST(Halving, HasTheBudgetsOfThePaper) {
  using Rounds = std::vector<HalvingRound>;
  EXPECT_EQ(halving_rounds(27, 27, 3, 1), (Rounds{{27, 1}, {9, 3}, {3, 9}, {1, 27}}));
  EXPECT_EQ(halving_rounds(16, 16, 2, 1), (Rounds{{16, 1}, {8, 2}, {4, 4}, {2, 8}, {1, 16}}));
  // 40 settings and 30 epochs: floor(log3 30) = 3, so four rounds.
  EXPECT_EQ(halving_rounds(40, 30, 3, 1), (Rounds{{40, 1}, {13, 3}, {4, 10}, {1, 30}}));
  EXPECT_EQ(halving_rounds(40, 30, 3, 3), (Rounds{{40, 3}, {13, 10}, {4, 30}}));
  EXPECT_EQ(halving_rounds(4, 100, 3, 1), (Rounds{{4, 33}, {1, 100}}));
  EXPECT_EQ(halving_rounds(40, 1, 3, 1), (Rounds{{40, 1}}));
  // Every round costs about as much as any other: none more than the first by rounding alone.
  for (const std::size_t n : {9u, 27u, 81u}) {
    const Rounds rounds = halving_rounds(n, static_cast<int>(n), 3, 1);
    for (const HalvingRound& r : rounds) EXPECT_EQ(r.settings * static_cast<std::size_t>(r.epochs), n);
  }
}

TEST(Halving, KeepsTheBestOfEachRound) {
  const SearchSpace space({interval("a", SearchScale::kLinear, 0, 1)});
  const auto strategy = halving_search(space, 27, 27, 3, 1, 5);
  EXPECT_EQ(strategy->left(0), 40u);
  EXPECT_EQ(strategy->settings(), 27u);
  std::vector<std::size_t> rounds;
  // Few epochs flatter everything, but keep the order.
  const auto history = play(
      *strategy, [](const Proposal& p) { return -std::abs(real(p, "a") - 0.7) + 10.0 / p.epochs; }, &rounds);
  EXPECT_THAT(rounds, ElementsAre(27, 9, 3, 1));
  double nearest = 1;
  for (std::size_t i = 0; i < 27; ++i) nearest = std::min(nearest, std::abs(real(history[i].proposal, "a") - 0.7));
  EXPECT_EQ(history.back().proposal.epochs, 27);
  EXPECT_DOUBLE_EQ(std::abs(real(history.back().proposal, "a") - 0.7), nearest);
  EXPECT_EQ(strategy->winner(history), 39u) << "not one of the flattered";
}

TEST(Halving, FailuresGoFirstAndASmallSpaceIsNoMistake) {
  const SearchSpace space({interval("a", SearchScale::kLinear, 1, 4, true)});
  const auto strategy = halving_search(space, 9, 9, 3, 1, 1);
  EXPECT_EQ(strategy->settings(), 4u);
  const auto history =
      play(*strategy, [](const Proposal& p) { return p.settings.find("a")->as_int() == 2 ? 1.0 : Tried::kFailed; });
  ASSERT_TRUE(strategy->winner(history));
  EXPECT_EQ(history[*strategy->winner(history)].proposal.settings.text(), "{a: 2}");
  EXPECT_FALSE(strategy->winner(play(*strategy, [](const Proposal&) { return Tried::kFailed; })));
}

// (a - 0.3)^2 + (log10 b + 1.5)^2 / 16, and a choice of which one is right.
double quadratic(const Proposal& p) {
  const double a = real(p, "a") - 0.3, b = (std::log10(real(p, "b")) + 1.5) / 4;
  return -(a * a + b * b + (p.settings.find("c")->as_string() == "y" ? 0 : 0.1));
}

// Mean regret over fixed seeds after 40 trials, and how often the estimator was better.
struct Race {
  double tpe = 0, random = 0;
  int better = 0;
};
constexpr int kSeeds = 40;
Race race(const SearchSpace& space, const Objective& objective) {
  Race out;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const double t = -best(play(*tpe_search(space, {.trials = 40, .seed = seed}), objective));
    const double r = -best(play(*random_search(space, 40, seed), objective));
    out.tpe += t / kSeeds;
    out.random += r / kSeeds;
    out.better += t < r;
  }
  return out;
}

TEST(Tpe, FindsTheMinimumOfAQuadraticQuickerThanRandomSearch) {
  const Dimension a = interval("a", SearchScale::kLinear, 0, 1), b = interval("b", SearchScale::kLog, 1e-4, 1);
  const Race plain = race(SearchSpace({a, b}), [](const Proposal& p) {
    return -std::pow(real(p, "a") - 0.3, 2) - std::pow((std::log10(real(p, "b")) + 1.5) / 4, 2);
  });
  EXPECT_LT(plain.tpe, 0.6 * plain.random) << plain.random;
  EXPECT_GT(plain.better, 30);
  const Race mixed = race(SearchSpace({a, b, choice("c", {"x", "y", "z"})}), quadratic);
  EXPECT_LT(mixed.tpe, 0.6 * mixed.random) << mixed.random;
  EXPECT_GT(mixed.better, 30);
}

TEST(Tpe, BeginsWithRandomTrialsAndGoesOnInRounds) {
  const SearchSpace space({interval("a", SearchScale::kLinear, 0, 1), interval("b", SearchScale::kLog, 1e-4, 1),
                           choice("c", {"x", "y", "z"})});
  const auto strategy = tpe_search(space, {.trials = 21, .startup = 8, .round = 5, .seed = 2});
  std::vector<std::size_t> rounds;
  const auto history = play(*strategy, quadratic, &rounds);
  EXPECT_THAT(rounds, ElementsAre(8, 5, 5, 3));
  const auto random = random_search(space, 8, 2)->next({});
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(history[i].proposal.settings, random[i].settings);
  const auto again = play(*strategy, quadratic);
  for (std::size_t i = 0; i < history.size(); ++i) EXPECT_EQ(history[i].proposal.settings, again[i].proposal.settings);
}

TEST(Tpe, NeverTriesTheSameTwiceAndSurvivesFailures) {
  const SearchSpace space({interval("a", SearchScale::kLinear, 1, 5, true), choice("c", {"x", "y", "z"})});
  const auto strategy = tpe_search(space, {.trials = 40, .startup = 4, .round = 3, .seed = 1});
  EXPECT_EQ(strategy->settings(), 15u);
  std::set<std::string> seen;
  const auto history = play(*strategy, [](const Proposal& p) {
    return p.settings.find("c")->as_string() == "x" ? Tried::kFailed
                                                    : static_cast<double>(p.settings.find("a")->as_int());
  });
  for (const Tried& t : history) EXPECT_TRUE(seen.insert(t.proposal.settings.canonical()).second);
  EXPECT_EQ(seen.size(), 15u);
  EXPECT_EQ(best(history), 5);
  EXPECT_EQ(play(*strategy, [](const Proposal&) { return Tried::kFailed; }).size(), 15u);
}

}  // namespace
}  // namespace segue
