#include "framework/model/sequence_data.hpp"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace segue {
namespace {

using testing::ElementsAre;

// Users with these items; sessions and weights one an event.
struct Data {
  Data(const std::vector<std::vector<std::uint32_t>>& users, std::size_t items,
       std::vector<std::uint32_t> sessions = {}, std::vector<float> weights = {}) {
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> all;
    for (const auto& user : users) {
      for (const std::uint32_t i : user) all.push_back(ItemIdx{i});
      offsets.push_back(all.size());
    }
    sessions.resize(all.size());
    if (weights.empty()) weights.assign(all.size(), 1.0f);
    train = Interactions(Csr<ItemIdx>(items, std::vector<std::uint64_t>(users.size() + 1, 0), {}, {}));
    histories = Histories(std::move(offsets), std::move(all), std::vector<std::int64_t>(weights.size()),
                          std::move(weights), {}, std::move(sessions));
  }
  Interactions train;
  Histories histories;
  Facets facets;
  TrainData operator()() const { return {train, histories, facets}; }
};

std::vector<std::vector<std::uint32_t>> windows(const TrainingSequences& s) {
  std::vector<std::vector<std::uint32_t>> out;
  for (std::size_t w = 0; w < s.size(); ++w) out.emplace_back(s.events(w).begin(), s.events(w).end());
  return out;
}
using W = std::vector<std::uint32_t>;

TEST(TrainingSequences, AreTheLastEventsOfEachUser) {
  const Data data({{1, 2, 3, 4, 5}, {7}, {}, {6, 6}}, 9);
  const TrainingSequences s(data(), {.longest = 3});
  EXPECT_THAT(windows(s), ElementsAre(W{3, 4, 5}, W{6, 6}));
  EXPECT_EQ(s.user(0), 0u);
  EXPECT_EQ(s.user(1), 3u);
  EXPECT_THAT(s.counts(), ElementsAre(0, 1, 1, 1, 1, 1, 2, 1, 0));
}

TEST(TrainingSequences, SlideBackToTheFirstEvent) {
  const Data data({{1, 2, 3, 4, 5, 6}}, 9);
  EXPECT_THAT(windows(TrainingSequences(data(), {.longest = 3, .stride = 2})),
              ElementsAre(W{4, 5, 6}, W{2, 3, 4}, W{1, 2}));
  EXPECT_THAT(windows(TrainingSequences(data(), {.longest = 3, .stride = 1})),
              ElementsAre(W{4, 5, 6}, W{3, 4, 5}, W{2, 3, 4}, W{1, 2, 3}));
  EXPECT_THAT(windows(TrainingSequences(data(), {.longest = 4, .stride = 5})), ElementsAre(W{3, 4, 5, 6}));
}

TEST(TrainingSequences, EndWhereSessionsDo) {
  const Data data({{1, 2, 3, 4}, {5, 6}}, 9, {0, 0, 1, 1, 1, 2});
  EXPECT_THAT(windows(TrainingSequences(data(), {SequencesOf::kSessions, 50})), ElementsAre(W{1, 2}, W{3, 4}));
  EXPECT_THAT(windows(TrainingSequences(data(), {SequencesOf::kUsers, 50})), ElementsAre(W{1, 2, 3, 4}, W{5, 6}));
}

TEST(TrainingSequences, LeaveOutWhatWasDisliked) {
  const Data data({{1, 2, 3, 4}}, 9, {}, {1, -1, 0, 2});
  EXPECT_THAT(windows(TrainingSequences(data(), {})), ElementsAre(W{1, 4}));
}

TEST(ItemSampler, DrawsInProportionToAPowerOfTheCounts) {
  const std::vector<std::uint64_t> counts = {0, 1, 4, 9, 100, 0};
  for (const double power : {0.0, 0.5, 1.0}) {
    const ItemSampler sampler(counts, power);
    double total = 0;
    for (const auto c : counts) total += power == 0 ? 1 : c == 0 ? 0 : std::pow(double(c), power);
    std::map<std::uint32_t, double> drawn;
    Rng rng(1);
    constexpr int kDraws = 200000;
    for (int i = 0; i < kDraws; ++i) drawn[sampler.draw(rng)] += 1.0 / kDraws;
    for (std::uint32_t i = 0; i < counts.size(); ++i) {
      const double p = (power == 0 ? 1 : counts[i] == 0 ? 0 : std::pow(double(counts[i]), power)) / total;
      EXPECT_NEAR(drawn[i], p, 5 * std::sqrt(p / kDraws)) << power << " " << i;
      EXPECT_NEAR(std::exp(sampler.log_probability(i)), p, 1e-6) << power << " " << i;
    }
  }
}

TEST(ItemSampler, IsUniformWhereNothingHasEvents) {
  const std::vector<std::uint64_t> none(3, 0);
  const ItemSampler sampler(none, 1);
  EXPECT_NEAR(std::exp(sampler.log_probability(2)), 1.0 / 3, 1e-6);
}

TEST(RowHas, FindsItemsOfAscendingRows) {
  const std::vector<ItemIdx> row = {ItemIdx{2}, ItemIdx{5}, ItemIdx{9}};
  for (std::uint32_t i = 0; i < 11; ++i) EXPECT_EQ(row_has(row, i), i == 2 || i == 5 || i == 9) << i;
  EXPECT_FALSE(row_has({}, 0));
}

}  // namespace
}  // namespace segue
