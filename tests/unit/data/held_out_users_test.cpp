// Splits that hold out whole users: strong generalisation and playlist continuation.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/data/split.hpp"
#include "framework/data/task.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::HasSubstr;

SplitSpec spec_of(const std::string& strategy, double test = 0.3, double validation = 0.2) {
  SplitSpec spec;
  spec.strategy = strategy;
  spec.test = test;
  spec.validation = validation;
  return spec;
}

// 120 playlists of 1 to 40 tracks in order, some tracks twice.
test::Log playlists() {
  test::Log log;
  Rng rng(3);
  for (int p = 0; p < 120; ++p)
    for (int t = 0; t <= p % 40; ++t)
      log.push_back({fmt::format("p{}", p), std::to_string(rng.below(1 + rng.below(60))), 1000 * p + t, EventKind::kPlaylistAdd});
  return log;
}

using Key = std::tuple<std::string, std::string, std::int64_t>;
Key key_of(const Dataset& data, const Event& e) { return {std::string(data.users[raw(e.user)]), std::string(data.items[raw(e.item)]), e.time}; }

std::map<std::string, std::multiset<Key>> by_user(const Dataset& data, const std::vector<Event>& events) {
  std::map<std::string, std::multiset<Key>> out;
  for (const Event& e : events) out[std::string(data.users[raw(e.user)])].insert(key_of(data, e));
  return out;
}

TEST(HeldOutUsers, NoEventOfTheirsTrainsAndNothingIsLost) {
  const Dataset data = test::dataset_of(playlists());
  for (const char* strategy : {"held_out_users", "playlist_continuation"}) {
    for (const bool shuffled : {false, true}) {
      SplitSpec spec = spec_of(strategy);
      spec.shuffled = shuffled;
      const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
      const auto train = by_user(data, parts.train), known = by_user(data, parts.known), test = by_user(data, parts.test),
                 validation = by_user(data, parts.validation);
      for (const auto& [user, events] : train) EXPECT_FALSE(test.contains(user) || validation.contains(user) || known.contains(user)) << user;
      for (const auto& [user, events] : test) EXPECT_FALSE(validation.contains(user)) << user;
      for (const auto& [user, events] : known) EXPECT_TRUE(test.contains(user) || validation.contains(user)) << user << " is asked nothing";
      std::map<std::string, std::multiset<Key>> all;
      for (const auto* part : {&train, &known, &test, &validation})
        for (const auto& [user, events] : *part) all[user].insert(events.begin(), events.end());
      EXPECT_EQ(all, by_user(data, data.events.rows()));
      // Of the 117 users with two events or more (of all 120, where none need be known), the shares asked for.
      const double n = std::string(strategy) == "held_out_users" ? 117 : 120;
      EXPECT_EQ(test.size(), static_cast<std::size_t>(std::llround(0.3 * n)));
      EXPECT_EQ(validation.size(), static_cast<std::size_t>(std::llround(0.2 * n)));
    }
  }
}

// The events of each asked user in time: what is known stands before what is asked, unless it is drawn.
TEST(HeldOutUsers, KnowTheirFirstEvents) {
  const Dataset data = test::dataset_of(playlists());
  SplitSpec spec = spec_of("held_out_users");
  spec.fold_in = 0.7;
  const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
  const auto known = by_user(data, parts.known);
  for (const auto* part : {&parts.test, &parts.validation}) {
    for (const auto& [user, asked] : by_user(data, *part)) {
      const std::size_t n = known.at(user).size() + asked.size();
      const auto expected = static_cast<std::size_t>(std::llround(0.7 * static_cast<double>(n)));
      EXPECT_EQ(known.at(user).size(), std::clamp<std::size_t>(expected, 1, n - 1)) << user;
      std::int64_t latest = 0, earliest = INT64_MAX;
      for (const auto& [u, item, time] : known.at(user)) latest = std::max(latest, time);
      for (const auto& [u, item, time] : asked) earliest = std::min(earliest, time);
      EXPECT_LT(latest, earliest) << user;
    }
  }
  spec.shuffled = true;
  const SplitEvents drawn = split_events(data.events.rows(), data, spec, "all");
  EXPECT_EQ(drawn.train.size(), parts.train.size()) << "the same users, whatever is known of them";
  std::size_t early = 0, all = 0;  // asked events in the first half of a user's
  for (const Event& e : drawn.test) {
    const auto n = static_cast<std::int64_t>(by_user(data, data.events.rows()).at(std::string(data.users[raw(e.user)])).size());
    early += 2 * (e.time % 1000) < n;
    ++all;
  }
  EXPECT_GT(early, all / 3);
  EXPECT_LT(early, all * 2 / 3);
}

TEST(HeldOutUsers, FoldInOfNothingLeavesEmptyHistories) {
  const Dataset data = test::dataset_of(playlists());
  SplitSpec spec = spec_of("held_out_users", 20, 10);
  spec.fold_in = 0;
  const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
  EXPECT_TRUE(parts.known.empty());
  EXPECT_EQ(by_user(data, parts.test).size(), 20u) << "a number of users from 1 on";
  EXPECT_EQ(by_user(data, parts.validation).size(), 10u);
}

// As many playlists of each number of seeds as lengths allow, each with that many events known.
TEST(PlaylistContinuation, DealsSeedsEvenly) {
  const Dataset data = test::dataset_of(playlists());
  SplitSpec spec = spec_of("playlist_continuation", 60, 0);
  spec.seeds = {0, 1, 5, 25};
  const SplitEvents parts = split_events(data.events.rows(), data, spec, "all");
  const auto known = by_user(data, parts.known);
  std::map<std::size_t, std::size_t> count;
  for (const auto& [user, asked] : by_user(data, parts.test)) {
    const std::size_t n = known.contains(user) ? known.at(user).size() : 0;
    ++count[n];
    EXPECT_GE(asked.size(), 1u);
    std::vector<std::int64_t> positions;
    if (n > 0)
      for (const auto& [u, item, time] : known.at(user)) positions.push_back(time % 1000);
    std::sort(positions.begin(), positions.end());
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(positions[i], static_cast<std::int64_t>(i)) << user << ": the first tracks, in order";
  }
  EXPECT_EQ(count.size(), 4u);
  for (const auto& [n, playlists_of] : count) EXPECT_EQ(playlists_of, 15u) << n << " seeds";
  // Playlists that are too short for any number of seeds are not asked about.
  spec = spec_of("playlist_continuation", 10, 0);
  spec.seeds = {30};
  for (const auto& [user, asked] : by_user(data, split_events(data.events.rows(), data, spec, "all").test))
    EXPECT_GE(by_user(data, data.events.rows()).at(user).size(), 31u);
}

TEST(HeldOutUsers, TheOrderOfRowsMeansNothing) {
  const test::Log log = playlists();
  const Dataset a = test::dataset_of(log), b = test::dataset_of(test::shuffled(log, 9));
  for (const char* strategy : {"held_out_users", "playlist_continuation"}) {
    for (const bool shuffled : {false, true}) {
      SplitSpec spec = spec_of(strategy);
      spec.shuffled = shuffled;
      std::vector<Event> rows = b.events.rows();
      std::reverse(rows.begin(), rows.end());
      const SplitEvents x = split_events(a.events.rows(), a, spec, "all"), y = split_events(rows, b, spec, "all");
      for (auto member : {&SplitEvents::train, &SplitEvents::validation, &SplitEvents::test, &SplitEvents::known})
        EXPECT_EQ(by_user(a, x.*member), by_user(b, y.*member));
      spec.seed = 7;
      EXPECT_NE(by_user(a, x.test), by_user(a, split_events(a.events.rows(), a, spec, "all").test));
    }
  }
}

TaskSpec task_of(SplitSpec split) {
  TaskSpec task;
  task.split = std::move(split);
  return task;
}

TEST(HeldOutUsers, QueriesKnowWhatNobodyTrainsOn) {
  const Dataset data = test::dataset_of(playlists());
  const SplitSpec split = spec_of("playlist_continuation");
  const SplitEvents parts = split_events(data.events.rows(), data, split, "all");
  const PreparedFold fold = prepare_fold(data, task_of(split), "all");
  const auto known = by_user(data, parts.known);
  for (const EvalSet* set : {&fold.test, &fold.validation}) {
    const auto asked = by_user(data, set == &fold.test ? parts.test : parts.validation);
    ASSERT_EQ(set->size(), asked.size());
    for (std::size_t q = 0; q < set->size(); ++q) {
      const std::string user(data.users[raw(set->users[q])]);
      EXPECT_TRUE(fold.train.items(set->users[q]).empty()) << user;
      EXPECT_TRUE(fold.train_histories.of(set->users[q]).items.empty()) << user;
      std::multiset<Key> history, truth;
      const HistoryView view = set->histories[q];
      for (std::size_t i = 0; i < view.items.size(); ++i) {
        history.insert({user, std::string(data.items[raw(view.items[i])]), view.times[i]});
        EXPECT_LE(view.times[i > 0 ? i - 1 : 0], view.times[i]);
      }
      EXPECT_EQ(history, known.contains(user) ? known.at(user) : std::multiset<Key>()) << user;
      std::set<std::string> items, expected;
      for (std::uint64_t t = set->truth_offsets[q]; t < set->truth_offsets[q + 1]; ++t) items.emplace(data.items[raw(set->truth_items[t])]);
      for (const auto& [u, item, time] : asked.at(user)) expected.insert(item);
      EXPECT_EQ(items, expected) << user;
    }
  }
  EXPECT_EQ(fold.leaks.cold_users, fold.test.size());
  // What is known is not recommended again, unless repeats are allowed.
  ViewSpec view;
  const JudgedView judged = apply_view(fold, fold.test, view);
  for (std::size_t q = 0; q < judged.query.size(); ++q) {
    const std::set<ItemIdx> out(judged.excluded_items.begin() + long(judged.excluded_offsets[q]), judged.excluded_items.begin() + long(judged.excluded_offsets[q + 1]));
    const auto history = fold.test.histories[judged.query[q]].items;
    EXPECT_EQ(out, std::set<ItemIdx>(history.begin(), history.end()));
    for (std::uint64_t t = judged.truth_offsets[q]; t < judged.truth_offsets[q + 1]; ++t) EXPECT_FALSE(out.contains(judged.truth_items[t]));
  }
}

TEST(HeldOutUsers, ARefitTrainsOnAllOfTheValidationUsers) {
  const Dataset data = test::dataset_of(playlists());
  const SplitSpec split = spec_of("held_out_users");
  const PreparedFold fold = prepare_fold(data, task_of(split), "all"), refit = prepare_refit(data, task_of(split), "all");
  const auto all = by_user(data, data.events.rows());
  std::size_t events = 0;
  for (std::size_t q = 0; q < fold.validation.size(); ++q) {
    const UserIdx user = fold.validation.users[q];
    const std::size_t n = all.at(std::string(data.users[raw(user)])).size();
    EXPECT_EQ(refit.train_histories.of(user).items.size(), n) << "known and asked";
    events += n;
  }
  EXPECT_GT(events, 0u);
  EXPECT_EQ(refit.train_histories.n_events(), fold.train_histories.n_events() + events);
  EXPECT_EQ(refit.validation.size(), 0u);
  EXPECT_EQ(refit.test.histories.items().size(), fold.test.histories.items().size());
  for (std::size_t q = 0; q < fold.test.size(); ++q) EXPECT_TRUE(refit.train.items(fold.test.users[q]).empty());
}

TEST(HeldOutUsers, StayThroughAFilterOfTrainingUsers) {
  const Dataset data = test::dataset_of(playlists());
  TaskSpec task = task_of(spec_of("held_out_users"));
  task.filter.min_user_events = 5;
  const PreparedFold fold = prepare_fold(data, task, "all");
  EXPECT_EQ(fold.test.size(), prepare_fold(data, task_of(spec_of("held_out_users")), "all").test.size());
  EXPECT_LT(fold.filter.users_after, fold.filter.users_before);
}

TEST(HeldOutUsers, RefusesWhatCannotBe) {
  const Dataset data = test::dataset_of(playlists());
  const auto refused = [&](SplitSpec spec) { return message_of<UsageError>([&] { split_events(data.events.rows(), data, spec, "all"); }); };
  EXPECT_THAT(refused(spec_of("held_out_users", 100, 17)), HasSubstr("held_out_users holds out all 117 users that have 2 events or more"));
  EXPECT_THAT(refused(spec_of("held_out_users", 0.6, 0.4)), HasSubstr("test + validation = 1 leaves nobody to train on"));
  EXPECT_THAT(refused(spec_of("held_out_users", 2.5)), HasSubstr("test = 2.5 is neither a share of the users below 1 nor a whole number"));
  EXPECT_THAT(refused(spec_of("playlist_continuation", 0)), HasSubstr("test = 0 leaves nothing to judge"));
  SplitSpec spec = spec_of("held_out_users");
  spec.fold_in = 1;
  EXPECT_THAT(refused(spec), HasSubstr("fold_in = 1 leaves nothing to predict"));
  spec = spec_of("playlist_continuation");
  spec.seeds = {1, 5, 1};
  EXPECT_THAT(refused(spec), HasSubstr("seeds are different numbers, not 1, 5, 1"));
  spec.seeds = {};
  EXPECT_THAT(refused(spec), HasSubstr("needs 'seeds'"));
  spec = spec_of("held_out_users");
  spec.test_users = 3;
  EXPECT_THAT(refused(spec), HasSubstr("test_users goes with leave_last_out and random_ratio"));
}

TEST(HeldOutUsers, IdentityHoldsTheKeysThatAreRead) {
  SplitSpec users = spec_of("held_out_users"), lists = spec_of("playlist_continuation");
  const auto canonical = [](const SplitSpec& s) { return task_of(s).canonical(); };
  SplitSpec other = users;
  other.seeds = {3};
  EXPECT_EQ(canonical(users), canonical(other)) << "seeds are not read";
  other.fold_in = 0.5;
  EXPECT_NE(canonical(users), canonical(other));
  other = users;
  other.shuffled = true;
  EXPECT_NE(canonical(users), canonical(other));
  other = lists;
  other.fold_in = 0.5;
  std::reverse(other.seeds.begin(), other.seeds.end());
  EXPECT_EQ(canonical(lists), canonical(other)) << "the order of seeds means nothing";
  other.seeds = {0, 1};
  EXPECT_NE(canonical(lists), canonical(other));
  SplitSpec last = spec_of("leave_last_out", 1, 1);
  const std::string before = canonical(last);
  last.shuffled = true;
  last.seeds = {9};
  EXPECT_EQ(canonical(last), before);
}

TEST(HeldOutUsers, WithoutTimesWhatIsKnownIsDrawn) {
  test::Log log = playlists();
  for (test::LogRow& row : log) row.time = 0;
  const Dataset data = test::dataset_of(log, false);
  const SplitEvents parts = split_events(data.events.rows(), data, spec_of("held_out_users"), "all");
  ASSERT_EQ(parts.warnings.size(), 1u);
  EXPECT_THAT(parts.warnings[0], HasSubstr("data set 'toy' has no times: held_out_users takes what queries know by hash"));
}

}  // namespace
}  // namespace segue
