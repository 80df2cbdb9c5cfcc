#include "framework/data/feedback.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/data/task.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

FeedbackSpec spec_of(const std::string& transform) {
  FeedbackSpec spec;
  spec.transform = transform;
  return spec;
}

// "user item" -> weight.
std::map<std::string, float> weights(const test::Log& log, const FeedbackSpec& spec, bool has_ratings = false) {
  const Dataset data = test::dataset_of(log, true, has_ratings);
  std::vector<Event> events = select_events(data.events, spec, data);
  sort_by_pair(events);
  const Interactions matrix = weigh_pairs(events, spec, data.users.size(), data.items.size());
  std::map<std::string, float> out;
  for (std::size_t u = 0; u < data.users.size(); ++u)
    for (std::size_t j = 0; j < matrix.items(user_at(u)).size(); ++j)
      out[std::string(data.users[u]) + " " + std::string(data.items[raw(matrix.items(user_at(u))[j])])] =
          matrix.weights(user_at(u))[j];
  return out;
}

// a plays x three times (2 + 5 + 1 plays, the middle one at the earliest time), y once; b skips x and likes y.
test::Log plays() {
  return {{"a", "x", 20, EventKind::kPlay, 2}, {"a", "x", 10, EventKind::kPlay, 5}, {"a", "x", 30, EventKind::kPlay, 1},
          {"a", "y", 5, EventKind::kPlay, 3},  {"b", "x", 7, EventKind::kSkip},     {"b", "y", 8, EventKind::kLike}};
}

TEST(Feedback, BinaryWeighsEveryPairOneAndLeavesSkipsOut) {
  EXPECT_THAT(weights(plays(), spec_of("binary")), ElementsAre(Pair("a x", 1), Pair("a y", 1), Pair("b y", 1)));
}

TEST(Feedback, DuplicatesAreMergedInTheOrderOfTime) {
  FeedbackSpec spec = spec_of("linear_confidence");
  spec.alpha = 10;
  const std::vector<std::pair<std::string, float>> expected{{"sum", 80}, {"max", 50}, {"first", 50}, {"last", 10}};
  for (const auto& [duplicates, weight] : expected) {
    spec.duplicates = duplicates;
    for (const bool before : {false, true}) {
      spec.aggregate_before_split = before;
      EXPECT_THAT(weights(plays(), spec), ElementsAre(Pair("a x", weight), Pair("a y", 30), Pair("b y", 10)))
          << duplicates << before;
    }
  }
}

TEST(Feedback, LogConfidence) {
  FeedbackSpec spec = spec_of("log_confidence");
  spec.alpha = 3;
  spec.epsilon = 0.5;
  const auto w = weights(plays(), spec);
  EXPECT_FLOAT_EQ(w.at("a x"), static_cast<float>(3 * std::log(17)));
  EXPECT_FLOAT_EQ(w.at("a y"), static_cast<float>(3 * std::log(7)));
}

TEST(Feedback, RatingsAreReplacedNeverAddedUp) {
  const test::Log log{{"a", "x", 1, EventKind::kRating, 2},
                      {"a", "x", 3, EventKind::kRating, 5},
                      {"a", "x", 4, EventKind::kRating, 3},
                      {"a", "y", 1, EventKind::kPlay, 9}};
  FeedbackSpec spec = spec_of("rating");
  const std::vector<std::pair<std::string, float>> expected{{"sum", 3}, {"max", 5}, {"first", 2}, {"last", 3}};
  for (const auto& [duplicates, weight] : expected) {
    spec.duplicates = duplicates;
    for (const bool before : {false, true}) {
      spec.aggregate_before_split = before;
      EXPECT_THAT(weights(log, spec, true), ElementsAre(Pair("a x", weight))) << duplicates << before;
    }
  }
  EXPECT_THAT(message_of<UsageError>([&] { weights(log, spec, false); }),
              HasSubstr("feedback 'rating' needs star ratings, and data set 'toy' has none"));
}

TEST(Feedback, SignalsWeighEachKindByItself) {
  const test::Log log{{"a", "x", 1, EventKind::kPlay, 4}, {"a", "x", 2, EventKind::kSkip},
                      {"a", "y", 1, EventKind::kRepeat},  {"a", "z", 1, EventKind::kPlaylistAdd},
                      {"a", "z", 1, EventKind::kLike},    {"b", "x", 1, EventKind::kSkip}};
  FeedbackSpec spec = spec_of("signals");
  spec.play = 1.5;
  spec.repeat = 2.25;
  spec.like = 4;
  spec.playlist_add = 8;
  spec.skip = -0.5;
  EXPECT_THAT(weights(log, spec),
              ElementsAre(Pair("a x", 5.5f), Pair("a y", 2.25f), Pair("a z", 12), Pair("b x", -0.5f)));
  spec.aggregate_before_split = true;
  EXPECT_THAT(message_of<UsageError>([&] { weights(log, spec); }),
              HasSubstr("aggregate_before_split does not go with 'signals'"));
}

TEST(Feedback, MinValueLeavesWeakEventsOut) {
  FeedbackSpec spec = spec_of("linear_confidence");
  spec.min_value = 2;
  EXPECT_THAT(weights(plays(), spec), ElementsAre(Pair("a x", 7), Pair("a y", 3)));  // the limit itself counts
}

TEST(Feedback, AggregationKeepsOneEventWithTheTimeOfTheOneThatDecides) {
  const Dataset data = test::dataset_of(plays());
  FeedbackSpec spec = spec_of("linear_confidence");
  spec.aggregate_before_split = true;
  for (const auto& [duplicates, time] : {std::pair{"first", 10}, {"last", 30}, {"sum", 30}}) {
    spec.duplicates = duplicates;
    const std::vector<Event> events = select_events(data.events, spec, data);
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[0].time, time) << duplicates;
  }
}

TEST(Feedback, Bm25AgreesWithTheFormulaOnRandomCounts) {
  const test::Log log = test::random_log(5, 12, 30, 400);
  FeedbackSpec spec = spec_of("bm25");
  spec.bm25_k1 = 1.7;
  spec.bm25_b = 0.4;
  const auto got = weights(log, spec);

  std::map<std::string, std::map<std::string, double>> counts;
  std::map<std::string, double> length, users_of;
  double total = 0;
  for (const auto& r : log)
    if (r.kind != EventKind::kSkip) counts[r.user][r.item] += double{r.value}, length[r.user] += double{r.value};
  for (const auto& [user, row] : counts) {
    total += length[user];
    for (const auto& [item, n] : row) users_of[item] += 1;
  }
  const auto n = static_cast<double>(counts.size());
  std::size_t checked = 0;
  for (const auto& [user, row] : counts)
    for (const auto& [item, tf] : row) {
      const double idf = std::log(1 + (n - users_of[item] + 0.5) / (users_of[item] + 0.5));
      const double expected = idf * tf * 2.7 / (tf + 1.7 * (0.6 + 0.4 * length[user] / (total / n)));
      EXPECT_NEAR(double{got.at(user + " " + item)}, expected, 1e-6 * expected) << user << item;
      ++checked;
    }
  EXPECT_EQ(checked, got.size());
}

TEST(Feedback, Bm25OfNothingIsNothingRatherThanNaN) {
  const test::Log log{{"a", "x", 1, EventKind::kPlay, 0}, {"b", "y", 1, EventKind::kPlay, 0}};
  EXPECT_THAT(weights(log, spec_of("bm25")), ElementsAre(Pair("a x", 0), Pair("b y", 0)));
}

// What a row learns from changes weights alone: what trains, what is truth and what is excluded stay.
TEST(Feedback, OtherWeightsOfSignalsChangeOnlyWhatIsLearned) {
  test::Log log = test::random_log(4, 20, 30, 600);
  for (std::size_t i = 0; i < log.size(); ++i) log[i].kind = i % 3 == 0 ? EventKind::kSkip : EventKind::kPlay;
  const Dataset data = test::dataset_of(log);
  TaskSpec judged;
  judged.feedback.transform = "signals";
  judged.split = test::split_of("global_time", 0.3);
  Value counts = Value::map();
  counts.set("skip", Value::integer(1));
  TaskSpec learned = judged;
  learned.learned = judged.feedback.with_signals(counts);
  EXPECT_EQ(learned.canonical(), judged.canonical());
  const PreparedFold a = prepare_fold(data, judged, "all"), b = prepare_fold(data, learned, "all");
  EXPECT_TRUE(std::ranges::equal(a.train.by_user().all_indices(), b.train.by_user().all_indices()));
  EXPECT_FALSE(std::ranges::equal(a.train.by_user().all_values(), b.train.by_user().all_values()));
  EXPECT_TRUE(std::ranges::equal(a.train_histories.items(), b.train_histories.items()));
  ASSERT_EQ(a.train_histories.n_events(), b.train_histories.n_events());
  for (std::size_t e = 0; e < a.train_histories.n_events(); ++e) {
    const float signed_weight = a.train_histories.weights()[e];
    const bool skip = a.train_histories.kinds()[e] == EventKind::kSkip;
    EXPECT_EQ(signed_weight < 0, skip);
    EXPECT_EQ(b.train_histories.weights()[e], skip ? -signed_weight : signed_weight);
  }
  EXPECT_TRUE(std::ranges::equal(a.test.users, b.test.users));
  EXPECT_TRUE(std::ranges::equal(a.test.truth_items, b.test.truth_items));
  EXPECT_TRUE(std::ranges::equal(a.test.truth_values, b.test.truth_values));
  EXPECT_GT(a.test.truth_items.size(), 20u);

  EXPECT_EQ(message_of<UsageError>([&] { (void)spec_of("binary").with_signals(counts); }),
            "'feedback' of an algorithm weighs signals, and the suite's feedback is 'binary'; write feedback: "
            "{transform: signals} in the suite");
  counts.set("alpha", Value::integer(1));
  EXPECT_THAT(message_of<UsageError>([&] { (void)judged.feedback.with_signals(counts); }),
              HasSubstr("unknown key 'alpha' in 'feedback' of an algorithm"));
}

TEST(Feedback, ShuffledKindsAreTheSameKindsElsewhere) {
  test::Log log = test::random_log(4, 20, 30, 600);
  for (std::size_t i = 0; i < log.size(); ++i) log[i].kind = i % 3 == 0 ? EventKind::kSkip : EventKind::kPlay;
  const Dataset data = test::dataset_of(log);
  FeedbackSpec shuffled = spec_of("signals");
  shuffled.shuffle_kinds = true;
  const std::vector<Event> before = select_events(data.events, spec_of("signals"), data),
                           after = select_events(data.events, shuffled, data);
  ASSERT_EQ(before.size(), after.size());
  std::size_t skips = 0, shuffled_skips = 0, moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].item, after[i].item);
    EXPECT_EQ(before[i].time, after[i].time);
    skips += before[i].kind == EventKind::kSkip;
    shuffled_skips += after[i].kind == EventKind::kSkip;
    moved += before[i].kind != after[i].kind;
  }
  EXPECT_EQ(skips, shuffled_skips);
  EXPECT_GT(moved, before.size() / 4);  // two draws from thirds differ in 4 of 9 places
}

TEST(Feedback, AUsersRowIsItemsAscendingAndUsersWithoutEventsHaveEmptyRows) {
  DatasetBuilder builder("toy");
  builder.declare_user("nobody");
  test::add_rows(builder, test::random_log(2, 5, 20, 100));
  const Dataset data = builder.build();
  std::vector<Event> events = select_events(data.events, spec_of("binary"), data);
  sort_by_pair(events);
  const Interactions m = weigh_pairs(events, spec_of("binary"), data.users.size(), data.items.size());
  EXPECT_TRUE(m.items(user_at(data.users.find("nobody").value())).empty());
  for (std::size_t u = 0; u < m.n_users(); ++u) {
    const auto items = m.items(user_at(u));
    EXPECT_EQ(std::adjacent_find(items.begin(), items.end(), std::greater_equal<>()), items.end());
  }
}

}  // namespace
}  // namespace segue
