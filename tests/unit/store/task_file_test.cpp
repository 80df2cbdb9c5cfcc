#include "framework/store/task_file.hpp"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/h5/file.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;

PreparedFold fold_of_log() {
  TaskSpec spec;
  spec.split.validation = 1;
  return prepare_fold(test::dataset_of({{"a", "p", 1},
                                        {"a", "q", 2},
                                        {"a", "q", 3},
                                        {"a", "r", 4},
                                        {"a", "s", 5},
                                        {"b", "q", 1},
                                        {"b", "p", 2},
                                        {"b", "t", 3},
                                        {"b", "q", 4},
                                        {"c", "p", 9}}),
                      spec, "all");
}

TEST(TaskFold, HoldsWhatJudgesUnderExternalIds) {
  const PreparedFold fold = fold_of_log();
  const StoredTaskFold stored = task_fold(fold, apply_view(fold, fold.test, {}));
  EXPECT_EQ(stored.name, "all");
  EXPECT_THAT(stored.users, ElementsAre("a"));  // b's truth was heard before
  EXPECT_THAT(stored.truth_offsets, ElementsAre(0, 1));
  EXPECT_THAT(stored.truth_items, ElementsAre(3));  // p, q, r, s, t
  EXPECT_THAT(stored.truth_gains, ElementsAre(1));
  EXPECT_THAT(stored.history_offsets, ElementsAre(0, 4));
  EXPECT_THAT(stored.history_items, ElementsAre(0, 1, 1, 2));
  EXPECT_THAT(stored.train_counts, ElementsAre(3, 2, 0, 0, 0));
  EXPECT_EQ(stored.train_users, 3u);
  EXPECT_EQ(stored.truth_removed, 1u);
  EXPECT_EQ(stored.queries_without_truth, 1u);
  EXPECT_EQ(stored.leaks.truth_items, 2u);
  EXPECT_THAT(stored.times, ElementsAre(fold.test.now[0]));
  PreparedFold ordered = fold_of_log();
  ordered.has_times = false;
  EXPECT_THAT(task_fold(ordered, apply_view(ordered, ordered.test, {})).times, testing::IsEmpty());
}

StoredTaskFold filled(const std::string& name, std::uint64_t n) {
  StoredTaskFold f;
  f.name = name;
  f.users = {"ü" + name};
  f.truth_offsets = {0, 2};
  f.history_offsets = {0, 1};
  f.truth_items = {0, 1};
  f.history_items = {1};
  f.times = {1'700'000'000};
  f.truth_gains = {1, 0.5f};
  f.train_counts = {n, 0};
  f.train_users = n + 15;
  f.leaks = {0.25, 0.5, n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6};
  f.filter = {3, n + 7, n + 8, n + 9, n + 10, n + 11, n + 12};
  f.truth_removed = n + 13;
  f.queries_without_truth = n + 14;
  f.warnings = {"a warning"};
  return f;
}

StoredTask task() {
  StoredTask t;
  t.id = "0123456789ab";
  t.description = "{}";
  t.dataset = "toy";
  t.item_ids = {"p", "q"};
  t.titles = {"P", ""};
  t.user_ids = {"nobody", "üf9", "üf10"};
  t.artists = {"Ö"};
  t.item_artist = {0, kNoArtist};
  t.tags = {"rock", "jazz", "hip hop"};
  t.tag_offsets = {0, 2, 2};
  t.tag_ids = {0, 2};
  t.tag_weights = {1, 0.5f};
  t.folds = {filled("f9", 100), filled("f10", 200)};  // in the order of the split, not of the bytes
  t.folds[1].leaks.future_share = std::nan("");
  return t;
}

TEST(TaskFile, GivesBackWhatWasWritten) {
  const test::TempFolder folder;
  write_task(folder / "tasks/t.h5", task());
  const StoredTask in = task(), out = read_task(folder / "tasks/t.h5");
  EXPECT_EQ(out.id, in.id);
  EXPECT_EQ(out.description, in.description);
  EXPECT_EQ(out.dataset, in.dataset);
  EXPECT_EQ(out.item_ids, in.item_ids);
  EXPECT_EQ(out.titles, in.titles);
  EXPECT_EQ(out.user_ids, in.user_ids);
  EXPECT_EQ(out.artists, in.artists);
  EXPECT_EQ(out.item_artist, in.item_artist);
  EXPECT_EQ(out.tags, in.tags);
  EXPECT_EQ(out.tag_offsets, in.tag_offsets);
  EXPECT_EQ(out.tag_ids, in.tag_ids);
  EXPECT_EQ(out.tag_weights, in.tag_weights);
  ASSERT_EQ(out.folds.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    const StoredTaskFold &a = in.folds[i], &b = out.folds[i];
    EXPECT_EQ(b.name, a.name);
    EXPECT_EQ(b.users, a.users);
    EXPECT_EQ(b.truth_offsets, a.truth_offsets);
    EXPECT_EQ(b.truth_items, a.truth_items);
    EXPECT_EQ(b.truth_gains, a.truth_gains);
    EXPECT_EQ(b.history_offsets, a.history_offsets);
    EXPECT_EQ(b.times, a.times);
    EXPECT_EQ(b.history_items, a.history_items);
    EXPECT_EQ(b.train_counts, a.train_counts);
    EXPECT_EQ(b.train_users, a.train_users);
    EXPECT_EQ(b.truth_removed, a.truth_removed);
    EXPECT_EQ(b.queries_without_truth, a.queries_without_truth);
    EXPECT_EQ(b.warnings, a.warnings);
    if (i == 0) {
      EXPECT_EQ(b.leaks.future_share, 0.25);
    }
    EXPECT_EQ(b.leaks.tied_time_share, a.leaks.tied_time_share);
    EXPECT_EQ(b.leaks.test_events, a.leaks.test_events);
    EXPECT_EQ(b.leaks.truth_items, a.leaks.truth_items);
    EXPECT_EQ(b.leaks.truth_unreachable, a.leaks.truth_unreachable);
    EXPECT_EQ(b.leaks.users_without_truth, a.leaks.users_without_truth);
    EXPECT_EQ(b.leaks.cold_users, a.leaks.cold_users);
    EXPECT_EQ(b.leaks.side_data_overlap, a.leaks.side_data_overlap);
    EXPECT_EQ(b.leaks.untagged_truth, a.leaks.untagged_truth);
    EXPECT_EQ(b.filter.passes, a.filter.passes);
    EXPECT_EQ(b.filter.users_before, a.filter.users_before);
    EXPECT_EQ(b.filter.users_after, a.filter.users_after);
    EXPECT_EQ(b.filter.items_before, a.filter.items_before);
    EXPECT_EQ(b.filter.items_after, a.filter.items_after);
    EXPECT_EQ(b.filter.events_before, a.filter.events_before);
    EXPECT_EQ(b.filter.events_after, a.filter.events_after);
  }
  EXPECT_TRUE(std::isnan(out.folds[1].leaks.future_share));
}

TEST(TaskFile, HandsMetricsTheFactsOfAFold) {
  const StoredTask t = task();
  ASSERT_EQ(t.find_fold("f11"), nullptr);
  const StoredTaskFold& fold = *t.find_fold("f10");
  const ItemFacts facts = item_facts(t, fold);
  EXPECT_EQ(facts.items, 2u);
  EXPECT_THAT(facts.train_counts, ElementsAre(200, 0));
  EXPECT_EQ(facts.train_users, 215u);
  EXPECT_THAT(facts.tags, ElementsAre(0, 2));
  EXPECT_EQ(facts.tag_count, 3u);
  EXPECT_THAT(facts.artists, ElementsAre(0, kNoArtist));
  EXPECT_THAT(query_facts(fold).history_items, ElementsAre(1));
}

TEST(TaskFile, ALeakLineReadsNoCatalogue) {
  const test::TempFolder folder;
  write_task(folder / "t.h5", task());
  const StoredTask out = read_task(folder / "t.h5", TaskParts::kCounters);
  EXPECT_THAT(out.item_ids, ElementsAre());
  EXPECT_THAT(out.folds.at(0).truth_items, ElementsAre(0, 1));
  EXPECT_EQ(out.folds.at(1).leaks.test_events, 200u);
}

TEST(TaskFile, HashCoversEverything) {
  const test::TempFolder folder;
  const auto hash = [&](const StoredTask& t) {
    write_task(folder / "t.h5", t);
    Hasher hasher;
    hash_task(folder / "t.h5", hasher);
    return hasher.hex();
  };
  const std::string plain = hash(task());
  EXPECT_EQ(hash(task()), plain);
  StoredTask other = task();
  other.folds[1].truth_gains[1] = 1;
  EXPECT_NE(hash(other), plain);
  other = task();
  other.titles[1] = "Q";
  EXPECT_NE(hash(other), plain);
}

TEST(TaskFile, WhatIsNoTaskIsRefused) {
  const test::TempFolder folder;
  {
    H5Writer foreign(folder / "foreign.h5");
    foreign.attribute("/", "segue_trial", 1);
    foreign.commit();
  }
  EXPECT_EQ(message_of<DataError>([&] { read_task(folder / "foreign.h5"); }),
            (folder / "foreign.h5").string() + " is not a task file of Segue");
  {
    H5Writer old(folder / "old.h5");
    old.attribute("/", "segue_task", 2);
    old.commit();
  }
  EXPECT_EQ(message_of<DataError>([&] { read_task(folder / "old.h5"); }),
            (folder / "old.h5").string() + " has layout version 2, this program reads 3; remove it and run the suite "
                                           "again, which makes it anew and trains nothing again");
}

}  // namespace
}  // namespace segue
