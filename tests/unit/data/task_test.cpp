#include "framework/data/task.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/data/feedback.hpp"
#include "framework/data/split.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const Vocab& vocab, std::span<const ItemIdx> items) {
  std::vector<std::string> out;
  for (const ItemIdx i : items) out.emplace_back(vocab[raw(i)]);
  return out;
}

TEST(PrepareFold, PartsWhatAModelSeesFromWhatJudgesIt) {
  const Dataset data = test::dataset_of(
      {{"a", "p", 1, EventKind::kPlay, 2}, {"a", "q", 2}, {"a", "p", 3}, {"a", "r", 4}, {"a", "q", 5}, {"b", "s", 9}});
  TaskSpec spec;
  spec.feedback.transform = "linear_confidence";
  spec.feedback.alpha = 10;
  spec.split.validation = 1;
  const PreparedFold fold = prepare_fold(data, spec, "all");
  EXPECT_EQ(fold.name, "all");
  EXPECT_EQ(fold.dataset_name, "toy");
  EXPECT_EQ(fold.dataset_fingerprint, data.fingerprint());
  EXPECT_EQ(fold.task_seed, 42u);
  EXPECT_EQ(names(fold.items, fold.train.items(UserIdx{0})), (std::vector<std::string>{"p", "q"}));
  EXPECT_THAT(fold.train.weights(UserIdx{0}), ElementsAre(30, 10));
  EXPECT_EQ(names(fold.items, fold.train_histories.of(UserIdx{0}).items), (std::vector<std::string>{"p", "q", "p"}));
  EXPECT_THAT(fold.train_histories.of(UserIdx{0}).weights, ElementsAre(20, 10, 10));
  EXPECT_THAT(fold.train_histories.of(UserIdx{0}).times, ElementsAre(1, 2, 3));
  EXPECT_EQ(fold.min_weight, 10);
  EXPECT_EQ(fold.max_weight, 30);

  ASSERT_EQ(fold.validation.size(), 1u);  // b cannot spare an event
  EXPECT_EQ(names(fold.items, fold.validation.histories[0].items), (std::vector<std::string>{"p", "q", "p"}));
  EXPECT_EQ(names(fold.items, fold.validation.truth_items), (std::vector<std::string>{"r"}));
  EXPECT_EQ(fold.validation.now[0], 4);
  ASSERT_EQ(fold.test.size(), 1u);
  EXPECT_EQ(names(fold.items, fold.test.histories[0].items), (std::vector<std::string>{"p", "q", "p", "r"}));
  EXPECT_EQ(names(fold.items, fold.test.truth_items), (std::vector<std::string>{"q"}));
  EXPECT_THAT(fold.test.truth_values, ElementsAre(10));
  EXPECT_EQ(fold.test.now[0], 5);
}

TEST(PrepareRefit, HasTheValidationEventsAmongTheTrainingEventsAndTheSameTest) {
  const Dataset data = test::dataset_of(
      {{"a", "p", 1, EventKind::kPlay, 2}, {"a", "q", 2}, {"a", "p", 3}, {"a", "r", 4}, {"a", "q", 5}, {"b", "s", 9}});
  TaskSpec spec;
  spec.split.validation = 1;
  const PreparedFold fold = prepare_fold(data, spec, "all"), refit = prepare_refit(data, spec, "all");
  EXPECT_EQ(names(refit.items, refit.train.items(UserIdx{0})), (std::vector<std::string>{"p", "q", "r"}));
  EXPECT_EQ(names(refit.items, refit.train_histories.of(UserIdx{0}).items),
            (std::vector<std::string>{"p", "q", "p", "r"}));
  EXPECT_EQ(refit.validation.size(), 0u);
  EXPECT_EQ(names(refit.items, refit.test.histories[0].items), names(fold.items, fold.test.histories[0].items));
  EXPECT_EQ(names(refit.items, refit.test.truth_items), names(fold.items, fold.test.truth_items));
  spec.split.validation = 0;
  const PreparedFold plain = prepare_fold(data, spec, "all");
  EXPECT_EQ(names(plain.items, plain.train.items(UserIdx{0})), names(refit.items, refit.train.items(UserIdx{0})));
}

TEST(WithoutTest, LeavesNothingOfTheTestPart) {
  TaskSpec spec;
  spec.split.validation = 1;
  const Dataset data = test::dataset_of(test::random_log(3, 20, 15, 200));
  const PreparedFold whole = prepare_fold(data, spec, "all"), fold = without_test(whole);
  ASSERT_GT(whole.test.size(), 0u);
  EXPECT_EQ(fold.test.size(), 0u);
  EXPECT_EQ(fold.test.truth_items.size() + fold.test.rating_items.size() + fold.test.histories.size(), 0u);
  EXPECT_EQ(fold.given_negatives.rows(), 0u);
  EXPECT_EQ(fold.leaks.test_events, 0u);
  EXPECT_EQ(fold.validation.size(), whole.validation.size());
  EXPECT_EQ(fold.train.by_user().all_indices().size(), whole.train.by_user().all_indices().size());
}

TEST(PrepareFold, EveryTestRatingIsJudgedAndEveryLikedPairIsTruthOnce) {
  DatasetBuilder b("toy");
  b.set_has_ratings(true);
  test::add_rows(b, {{"a", "p", 1, EventKind::kRating, 4},
                     {"a", "q", 5, EventKind::kRating, 2},
                     {"a", "q", 6, EventKind::kRating, 3},
                     {"a", "r", 7, EventKind::kRating, 0},
                     {"b", "q", 1, EventKind::kRating, 5}});
  TaskSpec spec;
  spec.feedback.transform = "rating";
  spec.split.strategy = "global_time";
  spec.split.at = 5;
  const PreparedFold fold = prepare_fold(b.build(), spec, "all");
  EXPECT_TRUE(fold.has_ratings);
  EXPECT_EQ(names(fold.items, fold.test.rating_items), (std::vector<std::string>{"q", "q", "r"}));
  EXPECT_THAT(fold.test.rating_values, ElementsAre(2, 3, 0));
  EXPECT_THAT(fold.test.rating_users, ElementsAre(UserIdx{0}, UserIdx{0}, UserIdx{0}));
  EXPECT_EQ(names(fold.items, fold.test.truth_items), (std::vector<std::string>{"q"}));
  EXPECT_THAT(fold.test.truth_values, ElementsAre(3));  // the later one
  EXPECT_EQ(fold.min_weight, 4);
  EXPECT_EQ(fold.max_weight, 5);
}

TEST(PrepareFold, WhatIsLeftWithoutEventsIsAnError) {
  const auto error = [](const test::Log& log, const TaskSpec& spec) {
    return message_of<UsageError>([&] { prepare_fold(test::dataset_of(log), spec, "all"); });
  };
  TaskSpec spec;
  spec.feedback.min_value = 100;
  EXPECT_EQ(error({{"a", "p"}, {"a", "q"}}, spec),
            "data set 'toy': no training event is left after feedback, filters and split");
  spec = {};
  EXPECT_EQ(error({{"a", "p"}, {"b", "q"}}, spec),
            "data set 'toy': no test event is left after feedback, filters and split");
  spec.split.strategy = "random_ratio";
  spec.split.validation = 0.04;  // of ten events: none
  test::Log log;
  for (int i = 0; i < 10; ++i) log.push_back({"a", fmt::format("i{}", i), i});
  EXPECT_EQ(error(log, spec),
            "data set 'toy': no validation event is left after feedback, filters and split; ask for a larger "
            "'validation', or for none");
}

// A test file of other users than training: a filter of users by their training events drops them all.
TEST(PrepareFold, AFilterThatDropsEveryTestUserIsNamed) {
  DatasetBuilder b("toy");
  const auto row = [](std::string_view user, std::string_view item, std::int64_t time) {
    return DatasetBuilder::Row{.user = user, .item = item, .time = time, .kind = EventKind::kPlay};
  };
  for (const auto& [user, item, time] : {std::tuple{"a", "p", 1}, {"a", "q", 2}, {"b", "p", 3}, {"b", "q", 4}}) {
    b.add(row(user, item, time));
    b.add_train("given", row(user, item, time));
  }
  b.add_known("given", row("x", "p", 5));
  b.add_test("given", row("x", "q", 6));
  b.add_test("given", row("y", "q", 7));
  const Dataset data = b.build();
  for (const char* scope : {"train", "all"}) {
    TaskSpec spec;
    spec.split.strategy = "given";
    spec.filter.min_user_events = 2;
    spec.filter.scope = scope;
    EXPECT_EQ(message_of<UsageError>([&] { prepare_fold(data, spec, "given"); }),
              "data set 'toy': no test event is left: 2 are of users who have no 2 training events after the filter, "
              "and whom it therefore drops; set its 'min_user_events' to 0, which keeps users without training events")
        << scope;
    spec.filter.min_user_events = 0;  // as it says
    spec.filter.min_item_events = 2;
    EXPECT_EQ(prepare_fold(data, spec, "given").test.size(), 2u) << scope;
  }
}

// Once a user, then each pair of events: the slow way to every figure.
LeakMeter brute_force(const Dataset& data, const TaskSpec& spec) {
  const SplitEvents parts = split_events(select_events(data.events, spec.feedback, data), data, spec.split, "all");
  LeakMeter m;
  m.test_events = parts.test.size();
  double later = 0, tied = 0;
  for (const Event& e : parts.test) {
    for (const Event& t : parts.train) later += (t.time > e.time) / double(parts.train.size());
    int same = 0;
    for (const auto* part : {&parts.train, &parts.validation, &parts.test})
      for (const Event& o : *part) same += o.user == e.user && o.time == e.time;
    tied += same > 1;
  }
  m.future_share = later / double(parts.test.size());
  m.tied_time_share = tied / double(parts.test.size());
  std::set<UserIdx> trained, tested;
  std::set<ItemIdx> items;
  std::set<std::pair<UserIdx, ItemIdx>> truth;
  for (const Event& e : parts.train) trained.insert(e.user), items.insert(e.item);
  std::map<std::pair<UserIdx, ItemIdx>, std::vector<Event>> pairs;
  for (const Event& e : parts.test) pairs[{e.user, e.item}].push_back(e);
  for (const auto& [pair, events] : pairs)
    if (pair_weight(events, spec.feedback) > 0) truth.insert(pair), tested.insert(pair.first);
  m.truth_items = truth.size();
  const ItemTags* tags = data.facets.find<ItemTags>();
  for (const auto& [user, item] : truth) {
    m.truth_unreachable += !items.contains(item);
    if (tags == nullptr) continue;
    m.untagged_truth += tags->weights.row_size(raw(item)) == 0;
    bool own = false;
    for (std::size_t i = 0; i < tags->by_user.size(); ++i)
      own = own || (tags->by_user[i] == user && tags->by_item[i] == item);
    m.side_data_overlap += own;
  }
  for (const UserIdx user : tested) m.cold_users += !trained.contains(user);
  for (const UserIdx user : trained) m.users_without_truth += !tested.contains(user);
  return m;
}

void expect_equal(const LeakMeter& a, const LeakMeter& b) {
  EXPECT_NEAR(a.future_share, b.future_share, 1e-12);
  EXPECT_NEAR(a.tied_time_share, b.tied_time_share, 1e-12);
  EXPECT_EQ(a.test_events, b.test_events);
  EXPECT_EQ(a.truth_items, b.truth_items);
  EXPECT_EQ(a.truth_unreachable, b.truth_unreachable);
  EXPECT_EQ(a.users_without_truth, b.users_without_truth);
  EXPECT_EQ(a.cold_users, b.cold_users);
  EXPECT_EQ(a.side_data_overlap, b.side_data_overlap);
  EXPECT_EQ(a.untagged_truth, b.untagged_truth);
}

TEST(LeakMeter, AgreesWithBruteForce) {
  LeakMeter total;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const test::Log log = test::random_log(seed, 20, 80, 260, 30);
    DatasetBuilder b("toy");
    test::add_rows(b, log);
    if (seed % 2 == 0)
      for (std::size_t i = 0; i < log.size(); i += 3) b.add_tag_assignment(log[i].user, log[i].item, "tag");
    const Dataset data = b.build();
    for (const char* strategy : {"leave_last_out", "random_ratio", "global_time"}) {
      for (const char* transform : {"binary", "signals"}) {
        TaskSpec spec;
        spec.feedback.transform = transform;
        spec.split.strategy = strategy;
        spec.split.validation = strategy[0] == 'l' ? 1 : 0.1;
        const LeakMeter meter = prepare_fold(data, spec, "all").leaks;
        expect_equal(meter, brute_force(data, spec));
        if (strategy[0] == 'g') {
          EXPECT_EQ(meter.future_share, 0);
        }
        total.future_share += meter.future_share;
        total.tied_time_share += meter.tied_time_share;
        total.truth_unreachable += meter.truth_unreachable;
        total.users_without_truth += meter.users_without_truth;
        total.cold_users += meter.cold_users;
        total.side_data_overlap += meter.side_data_overlap;
        total.untagged_truth += meter.untagged_truth;
      }
    }
  }
  EXPECT_GT(total.future_share, 0);
  EXPECT_GT(total.tied_time_share, 0);
  for (const auto n : {total.truth_unreachable, total.users_without_truth, total.cold_users, total.side_data_overlap,
                       total.untagged_truth})
    EXPECT_GT(n, 0u);
}

TEST(LeakMeter, HasNoFutureWithoutTimes) {
  const Dataset data = test::dataset_of({{"a", "p", 0}, {"a", "q", 1}, {"b", "p", 0}, {"b", "q", 1}}, false);
  EXPECT_TRUE(std::isnan(prepare_fold(data, {}, "all").leaks.future_share));
}

TEST(SideData, TagsThatTruthPairsGaveAreDropped) {
  DatasetBuilder b("toy");
  test::add_rows(b, {{"a", "p", 1}, {"a", "q", 2}, {"a", "r", 3}, {"b", "p", 1}, {"b", "r", 2}, {"b", "q", 3}});
  b.add_tag_assignment("a", "r", "loud");  // of a's test pair: leaks
  b.add_tag_assignment("a", "q", "soft");  // of a's validation pair: leaks
  b.add_tag_assignment("b", "r", "loud");  // of b's validation pair: leaks
  b.add_tag_assignment("b", "q", "soft");  // of b's test pair: leaks
  b.add_tag_assignment("a", "p", "soft");
  b.add_tag_assignment("c", "r", "loud");  // c is no user of the data set
  b.add_tag("q", "soft", 2.5f);
  const Dataset data = b.build();
  TaskSpec spec;
  spec.split.validation = 1;
  const PreparedFold fold = prepare_fold(data, spec, "all");
  EXPECT_EQ(fold.leaks.side_data_overlap, 2u);
  const auto& tags = fold.facets.require<ItemTags>();
  const auto weight = [](const ItemTags& t, const Vocab& items, const char* item, const char* tag) {
    const std::size_t row = items.find(item).value();
    for (std::size_t j = 0; j < t.weights.row_size(row); ++j)
      if (t.tags[static_cast<std::size_t>(t.weights.indices(row)[j])] == tag) return t.weights.values(row)[j];
    return 0.f;
  };
  const auto& before = data.facets.require<ItemTags>();
  EXPECT_EQ(weight(before, data.items, "q", "soft"), 4.5f);
  EXPECT_EQ(weight(tags, fold.items, "q", "soft"), 2.5f);
  EXPECT_EQ(weight(before, data.items, "r", "loud"), 3);
  EXPECT_EQ(weight(tags, fold.items, "r", "loud"), 1);
  EXPECT_EQ(weight(tags, fold.items, "p", "soft"), 1);
  ASSERT_EQ(tags.by_user.size(), 1u);
  EXPECT_EQ(fold.items[raw(tags.by_item[0])], "p");
  EXPECT_EQ(before.by_user.size(), 5u);  // the data set itself is as it was

  spec.split.validation = 0;  // now only each user's last pair is truth
  const PreparedFold test_only = prepare_fold(data, spec, "all");
  EXPECT_EQ(test_only.facets.require<ItemTags>().by_user.size(), 3u);
}

TEST(SideData, ATagWithoutWeightLeftIsGone) {
  DatasetBuilder b("toy");
  test::add_rows(b, {{"a", "p", 1}, {"a", "q", 2}});
  b.add_tag_assignment("a", "q", "soft");
  const PreparedFold fold = prepare_fold(b.build(), {}, "all");
  EXPECT_EQ(fold.facets.require<ItemTags>().weights.nnz(), 0u);
  EXPECT_EQ(fold.facets.require<ItemTags>().weights.rows(), 2u);
}

TEST(TaskId, ChangesWithTheDataAndTheSpec) {
  const std::string plain = task_id("a", {}, {});
  EXPECT_NE(task_id("b", {}, {}), plain);
  TaskSpec spec;
  spec.split.seed = 7;
  EXPECT_NE(task_id("a", spec, {}), plain);
}

}  // namespace
}  // namespace segue
