#include "framework/data/split.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/task.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using test::split_of;
using testing::ElementsAre;
using testing::HasSubstr;

// Events as texts under external ids, so that data sets with other indices compare.
std::multiset<std::string> texts(const std::vector<Event>& events, const Dataset& data) {
  std::multiset<std::string> out;
  for (const Event& e : events)
    out.insert(fmt::format("{} {} {} {} {}", data.users[raw(e.user)], data.items[raw(e.item)], e.time,
                           event_kind_name(e.kind), e.value));
  return out;
}

struct Texts {
  std::multiset<std::string> train, validation, test;
  bool operator==(const Texts&) const = default;
  std::multiset<std::string> all() const {
    std::multiset<std::string> out = train;
    out.insert(validation.begin(), validation.end());
    out.insert(test.begin(), test.end());
    return out;
  }
};

Texts split_texts(const Dataset& data, const SplitSpec& spec, const std::string& fold = "all") {
  const SplitEvents parts = split_events(data.events.rows(), data, spec, fold);
  return {texts(parts.train, data), texts(parts.validation, data), texts(parts.test, data)};
}

std::vector<SplitSpec> every_strategy() {
  SplitSpec per_user = split_of("random_ratio", 0.3, 0.2);
  per_user.per = "user";
  SplitSpec at = split_of("global_time", -1, 0.1);
  at.at = 33;
  return {split_of("leave_last_out", 2, 1),
          split_of("random_ratio", 0.25, 0.1),
          per_user,
          split_of("global_time", 0.2, 0.2),
          at,
          split_of("k_fold", -1, 0.1),
          split_of("cold_items", 0.2, 0.1)};
}

TEST(Split, PartsEveryEventOnceWhateverTheOrderOfTheRows) {
  const test::Log log = test::random_log(3, 25, 40, 600);
  const Dataset data = test::dataset_of(log), again = test::dataset_of(test::shuffled(log, 9));
  for (const SplitSpec& spec : every_strategy()) {
    const std::string fold = spec.strategy == "k_fold" ? "fold2" : "all";
    const Texts parts = split_texts(data, spec, fold);
    EXPECT_EQ(parts.all(), texts(data.events.rows(), data)) << spec.strategy;
    for (const auto* part : {&parts.train, &parts.validation, &parts.test})
      EXPECT_FALSE(part->empty()) << spec.strategy;
    EXPECT_EQ(parts, split_texts(again, spec, fold)) << spec.strategy;
    std::vector<Event> rows = data.events.rows();
    Rng(4).shuffle(std::span(rows));
    const SplitEvents other = split_events(rows, data, spec, fold);
    EXPECT_EQ(texts(other.test, data), parts.test) << spec.strategy;
    EXPECT_EQ(texts(other.validation, data), parts.validation) << spec.strategy;
  }
}

TEST(Split, AnotherSeedIsAnotherSplitWhereChanceDecides) {
  const Dataset data = test::dataset_of(test::random_log(3, 25, 40, 600));
  for (SplitSpec spec : every_strategy()) {
    const std::string fold = spec.strategy == "k_fold" ? "fold2" : "all";
    const Texts before = split_texts(data, spec, fold);
    spec.seed = 43;
    EXPECT_EQ(before == split_texts(data, spec, fold), spec.strategy == "global_time") << spec.strategy;
  }
}

TEST(LeaveLastOut, TakesTheLastEventsOfUsersThatCanSpareThem) {
  const Dataset data = test::dataset_of({{"a", "p", 1},
                                         {"a", "q", 2},
                                         {"a", "r", 3},
                                         {"a", "s", 4},
                                         {"b", "p", 9},
                                         {"b", "q", 7},
                                         {"b", "r", 8},
                                         {"c", "p", 1},
                                         {"c", "q", 2}});
  const SplitEvents parts = split_events(data.events.rows(), data, split_of("leave_last_out", 1, 1), "all");
  EXPECT_EQ(texts(parts.test, data), (std::multiset<std::string>{"a s 4 play 1", "b p 9 play 1"}));
  EXPECT_EQ(texts(parts.validation, data), (std::multiset<std::string>{"a r 3 play 1", "b r 8 play 1"}));
  EXPECT_EQ(parts.train.size(), 5u);  // c would be left without a training event, and keeps both
  EXPECT_THAT(parts.warnings, testing::IsEmpty());
}

// Which of several last events is taken does not follow the order of items, and follows seed, user and item.
TEST(LeaveLastOut, TiesAreBrokenByHash) {
  test::Log log;
  for (int u = 0; u < 400; ++u)
    for (const char* item : {"p", "q", "r"}) log.push_back({fmt::format("u{}", u), item, 5});
  const Dataset data = test::dataset_of(log);
  SplitSpec spec = split_of("leave_last_out");
  const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
  std::map<std::string, int> taken;
  for (const Event& e : parts.test) {
    ++taken[std::string(data.items[raw(e.item)])];
    std::uint64_t own = 0, highest = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::uint64_t key = tie_order(spec.seed, data.users.keys()[raw(e.user)], data.items.keys()[i]);
      highest = std::max(highest, key);
      if (i == raw(e.item)) own = key;
    }
    EXPECT_EQ(own, highest);
  }
  for (const auto& [item, n] : taken) EXPECT_NEAR(n, 400 / 3.0, 40) << item;  // four standard deviations
  ASSERT_EQ(parts.warnings.size(), 1u);
  EXPECT_THAT(parts.warnings[0], HasSubstr("data set 'toy' has no times: leave_last_out takes an event by hash"));

  // Other items in the data set change indices, not the choice.
  log.push_back({"u0", "a first item", 1});
  const Dataset more = test::dataset_of(log);
  const SplitEvents with_more = split_events(more.events.rows(), more, spec, "all");
  EXPECT_EQ(texts(with_more.test, more), texts(parts.test, data));
}

// The events of the users who are drawn part as they do without a draw; those of all others train.
TEST(TestUsers, OnlySoManyUsersAreJudgedAndNobodyElseLosesAnEvent) {
  const Dataset data = test::dataset_of(test::random_log(9, 40, 50, 900));
  for (SplitSpec spec : {split_of("leave_last_out", 1, 1), split_of("random_ratio", 0.3, 0.2)}) {
    const SplitEvents everybody = split_events(data.events.rows(), data, spec, "all");
    spec.test_users = 7;
    const SplitEvents few = split_events(data.events.rows(), data, spec, "all");
    std::set<UserIdx> judged;
    for (const Event& e : few.test) judged.insert(e.user);
    EXPECT_EQ(judged.size(), 7u);
    const auto of_judged = [&](std::vector<Event> events) {
      std::erase_if(events, [&](const Event& e) { return !judged.contains(e.user); });
      return texts(events, data);
    };
    EXPECT_EQ(texts(few.test, data), of_judged(everybody.test));
    EXPECT_EQ(texts(few.validation, data), of_judged(everybody.validation));
    EXPECT_EQ(few.train.size() + few.validation.size() + few.test.size(), data.events.size());
    spec.test_users = 1000;  // more than there are: everybody with test events
    EXPECT_EQ(texts(split_events(data.events.rows(), data, spec, "all").test, data), texts(everybody.test, data));
  }
}

TEST(TestUsers, OtherStrategiesRefuseThem) {
  const Dataset data = test::dataset_of(test::random_log(9, 4, 5, 30));
  SplitSpec spec = split_of("global_time", 0.3);
  spec.test_users = 2;
  EXPECT_THAT([&] { split_events(data.events.rows(), data, spec, "all"); },
              testing::ThrowsMessage<UsageError>(
                  HasSubstr("test_users goes with leave_last_out and random_ratio, not with global_time")));
}

TEST(SortHistories, OldestFirstThenByHashThenByContent) {
  const Dataset data = test::dataset_of(test::random_log(8, 6, 30, 300, 4));
  std::vector<Event> events = data.events.rows();
  Rng(1).shuffle(std::span(events));
  sort_histories(events, data, 7);
  const auto key = [&](const Event& e) {
    return std::tuple(e.user, e.time, tie_order(7, data.users.keys()[raw(e.user)], data.items.keys()[raw(e.item)]),
                      e.kind, e.value);
  };
  for (std::size_t i = 1; i < events.size(); ++i) EXPECT_LE(key(events[i - 1]), key(events[i]));
}

TEST(RandomRatio, SizesAreRoundedSharesOfAllOrOfEachUser) {
  const Dataset data = test::dataset_of(test::random_log(6, 9, 50, 333));
  const SplitEvents global = split_events(data.events.rows(), data, split_of("random_ratio", 0.25, 0.1), "all");
  EXPECT_EQ(global.test.size(), 83u);
  EXPECT_EQ(global.validation.size(), 33u);
  SplitSpec spec = split_of("random_ratio", 0.25, 0.1);
  spec.per = "user";
  const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
  std::map<UserIdx, std::array<std::size_t, 3>> sizes;
  for (const Event& e : parts.train) ++sizes[e.user][0];
  for (const Event& e : parts.validation) ++sizes[e.user][1];
  for (const Event& e : parts.test) ++sizes[e.user][2];
  EXPECT_EQ(sizes.size(), data.users.size());
  for (const auto& [user, n] : sizes) {
    const double all = static_cast<double>(n[0] + n[1] + n[2]);
    EXPECT_EQ(n[2], static_cast<std::size_t>(std::llround(all * 0.25)));
    EXPECT_EQ(n[1], static_cast<std::size_t>(std::llround(all * 0.1)));
  }
}

TEST(GlobalTime, KeepsEqualTimesOnOneSide) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Dataset data = test::dataset_of(test::random_log(seed, 10, 20, 200, 12));
    const SplitEvents parts = split_events(data.events.rows(), data, split_of("global_time", 0.2, 0.2), "all");
    const auto latest = [](const std::vector<Event>& events) {
      std::int64_t t = INT64_MIN;
      for (const Event& e : events) t = std::max(t, e.time);
      return t;
    };
    const auto earliest = [](const std::vector<Event>& events) {
      std::int64_t t = INT64_MAX;
      for (const Event& e : events) t = std::min(t, e.time);
      return t;
    };
    EXPECT_LT(latest(parts.train), earliest(parts.validation));
    EXPECT_LT(latest(parts.validation), earliest(parts.test));
    EXPECT_GE(parts.test.size(), 40u);
    // No later cut would leave 20 % to test.
    EXPECT_LT(std::count_if(parts.test.begin(), parts.test.end(),
                            [&](const Event& e) { return e.time > earliest(parts.test); }),
              40);
  }
}

TEST(GlobalTime, SharesAreExactWhereTimesAreDistinct) {
  test::Log log;
  for (int i = 0; i < 10; ++i) log.push_back({"a", fmt::format("i{}", i), i});
  const Dataset data = test::dataset_of(log);
  for (int test = 1; test < 10; ++test) {
    const SplitEvents parts = split_events(data.events.rows(), data, split_of("global_time", test / 10.0), "all");
    EXPECT_EQ(parts.test.size(), static_cast<std::size_t>(test));
  }
  const SplitEvents three = split_events(data.events.rows(), data, split_of("global_time", 0.3, 0.2), "all");
  EXPECT_EQ(three.test.size(), 3u);
  EXPECT_EQ(three.validation.size(), 2u);
  SplitSpec at = split_of("global_time");
  at.at = 7;
  EXPECT_EQ(split_events(data.events.rows(), data, at, "all").test.size(), 3u);
  at.at = 100;
  EXPECT_EQ(message_of<UsageError>([&] { split_events(data.events.rows(), data, at, "all"); }),
            "split: the cut at 100 leaves 10 training and 0 test events");
  const Dataset timeless = test::dataset_of(log, false);
  EXPECT_EQ(message_of<UsageError>([&] { split_texts(timeless, split_of("global_time")); }),
            "split: global_time needs timestamps, and data set 'toy' has none; use leave_last_out or random_ratio");
}

TEST(KFold, FoldsPartitionTheEvents) {
  const Dataset data = test::dataset_of(test::random_log(6, 9, 50, 333));
  SplitSpec spec = split_of("k_fold");
  spec.folds = 7;
  std::multiset<std::string> tested;
  const std::vector<std::string> names = fold_names("toy", {}, spec);
  EXPECT_THAT(names, ElementsAre("fold1", "fold2", "fold3", "fold4", "fold5", "fold6", "fold7"));
  for (const std::string& fold : names) {
    const Texts parts = split_texts(data, spec, fold);
    EXPECT_THAT(parts.test.size(), testing::AnyOf(47u, 48u));
    EXPECT_EQ(parts.all().size(), 333u);
    tested.insert(parts.test.begin(), parts.test.end());
  }
  EXPECT_EQ(tested, texts(data.events.rows(), data));
}

Dataset with_given() {
  DatasetBuilder b("toy");
  const auto row = [](const char* user, const char* item) { return DatasetBuilder::Row{.user = user, .item = item}; };
  for (const char* user : {"a", "b"})
    for (const char* item : {"p", "q", "r"}) b.add(row(user, item));
  for (const char* fold : {"u1", "u2"}) {
    b.add_train(fold, row("a", "p"));
    b.add_train(fold, row("b", fold[1] == '1' ? "q" : "r"));
    b.add_test(fold, row("a", fold[1] == '1' ? "q" : "r"));
  }
  b.add_negative("u1", "a", "r");
  return b.build();
}

TEST(Given, TakesThePublishersRows) {
  const Dataset data = with_given();
  TaskSpec spec;
  spec.split = split_of("given");
  EXPECT_THAT(fold_names("toy", {"u1", "u2"}, spec.split), ElementsAre("u1", "u2"));
  const PreparedFold u2 = prepare_fold(data, spec, "u2");
  EXPECT_EQ(u2.train.size(), 2u);
  ASSERT_EQ(u2.test.truth_items.size(), 1u);
  EXPECT_EQ(u2.items[raw(u2.test.truth_items[0])], "r");
  EXPECT_EQ(u2.given_negatives.rows(), 0u);
  EXPECT_EQ(prepare_fold(data, spec, "u1").given_negatives.rows(), 2u);
  spec.split.names = {"u2"};
  EXPECT_THAT(fold_names("toy", {"u1", "u2"}, spec.split), ElementsAre("u2"));
  spec.split.names = {"u3"};
  EXPECT_EQ(message_of<UsageError>([&] {
              fold_names("toy", {"u1", "u2"}, spec.split);
            }),
            "split: data set 'toy' has no split 'u3'; did you mean 'u1'? known: u1, u2");
  EXPECT_EQ(message_of<UsageError>([&] { fold_names("toy", {}, spec.split); }),
            "split: data set 'toy' comes without a split of its own; use leave_last_out, random_ratio, global_time, "
            "k_fold, cold_items, held_out_users or playlist_continuation");
}

TEST(Split, SizesThatMakeNoSenseAreRefused) {
  const auto error = [](const SplitSpec& spec) { return message_of<UsageError>([&] { spec.check(); }); };
  EXPECT_EQ(error(split_of("leave_last_out", 0.2)),
            "split: leave_last_out takes whole numbers of events, not test = 0.2, validation = 0");
  EXPECT_EQ(error(split_of("leave_last_out", 1, 0.5)),
            "split: leave_last_out takes whole numbers of events, not test = 1, validation = 0.5");
  EXPECT_EQ(error(split_of("leave_last_out", 0)), "split: test = 0 leaves nothing to judge");
  EXPECT_EQ(error(split_of("leave_last_out", -0.5)),
            "split: test = -0.5 is neither a size nor -1, which stands for the strategy's default");
  for (const char* strategy : {"random_ratio", "global_time"}) {
    EXPECT_EQ(error(split_of(strategy, 1)), "split: 'test' is a share of events below 1 for this strategy, not 1");
    EXPECT_EQ(error(split_of(strategy, 0)), "split: test = 0 leaves nothing to judge");
    EXPECT_EQ(error(split_of(strategy, 0.5, 0.5)), "split: test + validation = 1 leaves nothing to train on");
  }
  for (const char* strategy : {"random_ratio", "global_time", "k_fold", "given"})
    EXPECT_EQ(error(split_of(strategy, 0.2, 3)),
              "split: 'validation' is a share of events below 1 for this strategy, not 3");
  // What a caller passes by without check() is refused as well.
  const Dataset data = test::dataset_of({{"a", "p", 1}, {"a", "q", 2}});
  EXPECT_THROW(split_texts(data, split_of("random_ratio", 2)), UsageError);
}

}  // namespace
}  // namespace segue
