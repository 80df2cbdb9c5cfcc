// Retrieval of a class by sound: figures worked out by hand, and a slow oracle.
#include "framework/audio/class_retrieval.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "tests/support/messages.hpp"

namespace segue::audio {
namespace {

using ::testing::HasSubstr;

// Items on a line.
DistanceLearner line(std::vector<double> at) {
  return [at](std::span<const std::uint32_t>) -> Distances {
    return [at](std::span<const std::uint32_t> from, std::span<const std::uint32_t> to) {
      Matrix<double> out(static_cast<Eigen::Index>(from.size()), static_cast<Eigen::Index>(to.size()));
      for (std::size_t r = 0; r < from.size(); ++r)
        for (std::size_t c = 0; c < to.size(); ++c)
          out(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)) = std::abs(at[from[r]] - at[to[c]]);
      return out;
    };
  };
}

TEST(ClassRetrieval, WorkedOutByHand) {
  //                      0  1  2  3   4   5
  const auto near = line({0, 1, 3, 10, 11, 2.5});
  const RetrievalLabels labels{2, {0, 0, 1, 1, 1, 0}, {}};
  // Known 0, 1, 2, 3, 4; asked 5 of class 0: its nearest are 2 (class 1), 1, 0.
  const ClassRetrieval one = retrieve_classes({{"f", {0, 1, 2, 3, 4}, {5}}}, near, labels, {3});
  EXPECT_EQ(one.all.asked, 1u);
  EXPECT_DOUBLE_EQ(one.all.precision, 2.0 / 3);
  EXPECT_EQ(one.all.nearest, 0);
  EXPECT_EQ(one.all.accuracy, 1);
  EXPECT_DOUBLE_EQ(one.all.chance, 2.0 / 5);
  EXPECT_EQ(one.votes(0, 0), 1);
  // Two votes against two: the class of the nearest wins.
  const ClassRetrieval tie = retrieve_classes({{"f", {0, 1, 2, 3, 4}, {5}}}, near, labels, {4});
  EXPECT_EQ(tie.all.accuracy, 0);
  EXPECT_EQ(tie.votes(0, 1), 1);
  // Leave one out: nobody is their own neighbour. Of 0 it is 1, of 1 it is 0, of 2: 5, of 3: 4, of 4: 3, of 5: 2.
  const Items all{0, 1, 2, 3, 4, 5};
  const ClassRetrieval left = retrieve_classes({{"all", all, all}}, near, labels, {1});
  EXPECT_DOUBLE_EQ(left.all.nearest, 4.0 / 6);
  EXPECT_DOUBLE_EQ(left.all.precision, 4.0 / 6);
  EXPECT_DOUBLE_EQ(left.by_class[0].nearest, 2.0 / 3);
  EXPECT_DOUBLE_EQ(left.by_class[1].nearest, 2.0 / 3);
  EXPECT_DOUBLE_EQ(left.all.chance, 2.0 / 5);
  // More neighbours than there are: all of them.
  EXPECT_DOUBLE_EQ(retrieve_classes({{"all", all, all}}, near, labels, {100}).all.precision, 2.0 / 5);
}

TEST(ClassRetrieval, ArtistFilter) {
  const auto near = line({0, 1, 3, 10});
  RetrievalLabels labels{2, {0, 0, 1, 0}, {7, 7, 8, RetrievalLabels::kNone}};
  const Items all{0, 1, 2, 3};
  // Of 0 and 1 the other does not count, their nearest is 2, of another class; of 2 it is 1; 3 has no artist: it is 2.
  EXPECT_EQ(retrieve_classes({{"all", all, all}}, near, labels, {1}).all.nearest, 0);
  labels.artist_of.clear();
  EXPECT_DOUBLE_EQ(retrieve_classes({{"all", all, all}}, near, labels, {1}).all.nearest, 0.5);
  labels.artist_of = {7, 7, 7, 9};
  const ClassRetrieval some = retrieve_classes({{"f", {0, 1}, {2, 3}}}, near, labels, {1});
  EXPECT_EQ(some.unanswered, 1u);
  EXPECT_EQ(some.all.asked, 1u);
  EXPECT_EQ(some.all.nearest, 1);
}

// Clouds of three classes: everything recounted the slow way, the scale from the known ones alone.
TEST(ClassRetrieval, AgreesWithASlowOracle) {
  constexpr std::uint32_t kItems = 60;
  constexpr std::size_t kFields = 4, kNear = 4;
  Rng rng(5);
  Matrix<float> rows(kItems, kFields);
  RetrievalLabels labels{3, {}, {}};
  Items fold_of;
  for (std::uint32_t i = 0; i < kItems; ++i) {
    labels.class_of.push_back(static_cast<std::uint32_t>(rng.below(3)));
    fold_of.push_back(static_cast<std::uint32_t>(rng.below(3)));
    for (std::size_t c = 0; c < kFields; ++c)  // fields of very different scales
      rows(i, static_cast<Eigen::Index>(c)) =
          static_cast<float>((rng.normal() + 0.7 * labels.class_of[i]) * std::pow(10.0, static_cast<double>(c)));
  }
  std::vector<RetrievalRound> rounds(3);
  for (std::uint32_t i = 0; i < kItems; ++i)
    for (std::uint32_t f = 0; f < 3; ++f) (fold_of[i] == f ? rounds[f].asked : rounds[f].known).push_back(i);

  double precision = 0, accuracy = 0, nearest = 0;
  for (const RetrievalRound& round : rounds)
    for (const std::uint32_t q : round.asked) {
      std::vector<std::pair<double, std::uint32_t>> order;
      for (const std::uint32_t o : round.known) {
        double sum = 0;
        for (Eigen::Index c = 0; c < rows.cols(); ++c) {
          double mean = 0, variance = 0;
          for (const std::uint32_t i : round.known) mean += static_cast<double>(rows(i, c)) / round.known.size();
          for (const std::uint32_t i : round.known)
            variance += std::pow(static_cast<double>(rows(i, c)) - mean, 2) / round.known.size();
          const auto scaled = [&](std::uint32_t i) {
            return std::clamp((static_cast<double>(rows(i, c)) - mean) / std::sqrt(variance), -5.0, 5.0);
          };
          sum += std::pow(scaled(q) - scaled(o), 2);
        }
        order.emplace_back(sum, o);
      }
      std::sort(order.begin(), order.end());
      std::map<std::uint32_t, int> votes;
      int hits = 0;
      for (std::size_t n = 0; n < kNear; ++n) {
        ++votes[labels.class_of[order[n].second]];
        hits += labels.class_of[order[n].second] == labels.class_of[q];
      }
      int most = 0;
      for (const auto& [kind, n] : votes) most = std::max(most, n);
      std::uint32_t winner = 0;
      for (std::size_t n = kNear; n-- > 0;)
        if (votes[labels.class_of[order[n].second]] == most) winner = labels.class_of[order[n].second];
      precision += hits / static_cast<double>(kNear);
      accuracy += winner == labels.class_of[q];
      nearest += labels.class_of[order[0].second] == labels.class_of[q];
    }
  for (const int threads : {1, 2, 3, 8}) {
    const Executor exec(threads);
    const ClassRetrieval found = retrieve_classes(rounds, learn_fingerprint_distance(rows, exec), labels, {kNear});
    EXPECT_EQ(found.all.asked, kItems);
    EXPECT_NEAR(found.all.precision, precision / kItems, 1e-12);
    EXPECT_NEAR(found.all.accuracy, accuracy / kItems, 1e-12);
    EXPECT_NEAR(found.all.nearest, nearest / kItems, 1e-12);
    EXPECT_EQ(found.votes.sum(), kItems);
    double asked = 0;
    for (const RetrievalScore& score : found.by_round) asked += static_cast<double>(score.asked);
    EXPECT_EQ(asked, kItems);
  }
  EXPECT_GT(nearest / kItems, 0.4);  // else nothing was tested
}

// With mutual proximity the middle of everything is nobody's nearest any more.
TEST(ClassRetrieval, MutualProximityTakesHubsAway) {
  constexpr std::uint32_t kItems = 120, kDims = 40;
  Rng rng(3);
  Matrix<float> rows(kItems, kDims);
  RetrievalLabels labels{2, {}, {}};
  for (std::uint32_t i = 0; i < kItems; ++i) {
    labels.class_of.push_back(i == 0 ? 1 : 0);
    for (Eigen::Index c = 0; c < rows.cols(); ++c) rows(i, c) = i == 0 ? 0.0f : static_cast<float>(rng.normal());
  }
  Items all;
  for (std::uint32_t i = 0; i < kItems; ++i) all.push_back(i);
  const Executor exec(2);
  const DistanceLearner distance = learn_fingerprint_distance(rows, exec);
  RetrievalRound fold{"f", {}, {}};  // the hub among the known
  for (const std::uint32_t i : all) (i > 80 ? fold.asked : fold.known).push_back(i);
  for (const RetrievalRound& round : {RetrievalRound{"all", all, all}, fold}) {
    EXPECT_LT(retrieve_classes({round}, distance, labels, {1, false}).all.nearest, 0.3) << round.name;
    EXPECT_GT(retrieve_classes({round}, distance, labels, {1, true}).all.nearest, 0.7) << round.name;
  }
}

TEST(ClassRetrieval, Refuses) {
  const auto near = line({0, 1});
  const RetrievalLabels labels{1, {0, 0}, {}};
  EXPECT_THAT(test::message_of<UsageError>([&] {
                retrieve_classes({{"f", {0}, {1}}}, near, labels, {0});
              }),
              HasSubstr("at least one neighbour"));
  EXPECT_THAT(test::message_of<UsageError>([&] {
                retrieve_classes({{"f", {0}, {0}}}, near, labels, {1});
              }),
              HasSubstr("no recording has another"));
  EXPECT_THAT(test::message_of<UsageError>([&] {
                retrieve_classes({{"f", {}, {0}}}, near, labels, {1});
              }),
              HasSubstr("no recording has another"));
}

}  // namespace
}  // namespace segue::audio
