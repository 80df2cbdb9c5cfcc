#include "framework/store/import_lists.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/model/recommend.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/store/exchange_fixture.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

// a knows p q, b knows q r, c (not asked) knows p; truth: a -> s t, b -> t. u was heard by nobody before the end.
test::Judged small(const ViewSpec& view = {}) {
  TaskSpec spec;
  spec.split.test = 2;
  return test::judge({{"a", "p", 1},
                      {"a", "q", 2},
                      {"a", "s", 3},
                      {"a", "t", 4},
                      {"b", "q", 1},
                      {"b", "r", 2},
                      {"b", "t", 3},
                      {"b", "u", 4},
                      {"c", "p", 1}},
                     spec, view);
}

struct Import {
  test::TempFolder folder;
  test::Judged judged = small();
  ImportOptions options{};

  ImportedLists lists(const std::string& text) const {
    return import_lists(folder.write("f", text), judged.task, judged.stored(), options);
  }
  std::string refusal(const std::string& text) const {
    return message_of<DataError>([&] { lists(text); });
  }
  std::string at(std::size_t line) const { return fmt::format("{}:{}: ", (folder / "f").string(), line); }
};

TEST(ImportLists, OrdersByScoreAndFindsTheTruth) {
  const Import in;
  ASSERT_THAT(in.judged.stored().users, ElementsAre("a", "b"));
  ASSERT_THAT(in.judged.task.item_ids, ElementsAre("p", "q", "r", "s", "t", "u"));
  const auto [view, counts] = in.lists("a,r,1\nb,t,2\na,t,3\na,u,-1\n");
  EXPECT_EQ(view.task, "t1");
  EXPECT_EQ(view.queries, 2u);
  EXPECT_EQ(view.k, 3u);
  EXPECT_THAT(view.items, ElementsAre(4, 2, 5, 4, kPadding, kPadding));
  const float none = -std::numeric_limits<float>::infinity();
  EXPECT_THAT(view.scores, ElementsAre(3, 1, -1, 2, none, none));
  EXPECT_TRUE(view.lists_only);
  EXPECT_EQ(view.catalogue, 6u);
  EXPECT_THAT(view.truth_items, ElementsAre(3, 4, 4, 5));
  EXPECT_THAT(view.truth_rank, ElementsAre(0, 1, 1, 0));
  EXPECT_TRUE(view.candidates.empty() && view.truth_above.empty() && view.truth_tied.empty() &&
              view.tie_at_cut.empty());
  EXPECT_EQ(counts.rows, 4u);
  EXPECT_EQ(counts.kept, 4u);
  EXPECT_EQ(counts.queries, 2u);
  EXPECT_EQ(counts.without_list, 0u);
}

TEST(ImportLists, CountsWhatAPersonShouldHear) {
  const Import in;
  // c is in the data, and not asked. Ranks of a contradict its scores; t and u are tied for b.
  const auto [view, counts] = in.lists("a Q0 s 1 1 x\na Q0 t 2 5 x\nc Q0 t 1 1 x\n");
  EXPECT_EQ(counts.not_asked, 1u);
  EXPECT_EQ(counts.ranks_contradict, 1u);
  EXPECT_EQ(counts.without_list, 1u);
  EXPECT_EQ(counts.tied, 0u);
  EXPECT_THAT(view.items, ElementsAre(4, 3, kPadding, kPadding));
  EXPECT_EQ(in.lists("a Q0 s 2 1 x\na Q0 t 1 5 x\n").counts.ranks_contradict, 0u);
  EXPECT_EQ(in.lists("a,s,1\na,t,1\n").counts.tied, 1u);
}

TEST(ImportLists, MistakesNameFileLineAndRemedy) {
  const Import in;
  EXPECT_EQ(in.refusal("a,s,1\nzoe,s,1\nzoe,t,1\nyan,s,1\n"),
            in.at(2) +
                "no user 'zoe' in data set 'toy', which has 3, such as 'a' (and 2 more such lines); use the ids of the "
                "data set, or leave such lines out "
                "with --unknown drop");
  EXPECT_EQ(in.refusal("a,s,1\na,song,1\n"), in.at(2) +
                                                 "no item 'song' in data set 'toy', which has 6, such as 'p'; use the "
                                                 "ids of the data set, or leave such lines out with --unknown drop");
  EXPECT_EQ(in.refusal("a,s,1\nb,t,2\na,t,3\na,s,4\n"),
            in.at(4) + "item 's' stands a second time for user 'a' (first in line 1); keep one of them");
  EXPECT_EQ(in.refusal("b,r,1\na,p,1\na,q,2\n"),
            in.at(1) +
                "item 'r' is among what user 'b' is known to have heard, which this task does not let be recommended "
                "(and 2 more such lines); leave out what the task excludes, or let --excluded drop do it");
  EXPECT_THAT(in.refusal("b,r,1\na,song,1\n"), HasSubstr(in.at(1))) << "the first line of all kinds of mistakes";
  EXPECT_EQ(in.refusal("c,s,1\nc,t,2\n"), "'" + (in.folder / "f").string() +
                                              "' has no list for any of the 2 users whom this task asks (2 rows are of "
                                              "other users, 0 of unknown ids, 0 of excluded "
                                              "items); is it the right task and fold?");
}

TEST(ImportLists, DropsWhatItIsToldToDrop) {
  Import in;
  in.options = {.format = ListFormat::kAuto, .drop_unknown = true, .drop_excluded = true};
  const auto [view, counts] = in.lists("zoe,s,1\na,song,9\na,p,8\na,s,7\n");
  EXPECT_EQ(counts.unknown, 2u);
  EXPECT_EQ(counts.excluded, 1u);
  EXPECT_EQ(counts.kept, 1u);
  EXPECT_EQ(view.k, 1u);
  EXPECT_THAT(view.items, ElementsAre(3, kPadding));
  EXPECT_THAT(in.refusal("zoe,s,1\na,song,9\na,p,8\n"),
              HasSubstr("(0 rows are of other users, 2 of unknown ids, 1 of excluded items)"));
}

TEST(ImportLists, SaysWhyAnItemIsNoCandidate) {
  Import in;
  ViewSpec view;
  view.repeats = "only";
  // Truth that the user knows: a hears p again.
  TaskSpec spec;
  const test::Log log{{"a", "p", 1}, {"a", "q", 2}, {"a", "p", 3}, {"b", "r", 1}, {"b", "s", 2}, {"b", "r", 3}};
  in.judged = test::judge(log, spec, view);
  EXPECT_EQ(in.refusal("a,p,1\na,r,1\n"), in.at(2) +
                                              "item 'r' is new to user 'a', and this task recommends only what a user "
                                              "knows; leave out what the task excludes, or "
                                              "let --excluded drop do it");
  view = {};
  view.catalogue = "train";
  in.judged = small(view);
  EXPECT_THAT(
      in.refusal("a,u,1\n"),
      HasSubstr(
          "item 'u' (for user 'a') has no training event, and only items with some can be recommended in this task"));
  view = {};
  view.candidates = "sampled";
  view.sampled = 1;
  in.judged = small(view);
  in.options.drop_excluded = true;
  const auto all = in.lists("a,p,1\na,q,1\na,r,1\na,s,1\na,t,1\na,u,1\n");
  EXPECT_EQ(all.counts.kept, 3u) << "two of the truth and one sampled";
  in.options.drop_excluded = false;
  EXPECT_THAT(in.refusal("a,p,1\n"),
              HasSubstr("none of the sampled candidates of user 'a' (segue export --what candidates writes them)"));
}

TEST(ImportLists, IdsOfTrecFilesMayBeEncoded) {
  Import in;
  TaskSpec spec;
  in.judged = test::judge(
      {{"the user", "1 %", 1}, {"the user", "2%20", 2}, {"the user", "3\t4", 3}, {"b", "x", 1}, {"b", "3\t4", 2}}, spec,
      {});
  const auto& users = in.judged.stored().users;
  const auto row = static_cast<std::size_t>(std::find(users.begin(), users.end(), "the user") - users.begin());
  const ImportedLists lists = in.lists("the%20user Q0 3%094 1 2 t\nthe%20user Q0 x 1 1 t\n");
  EXPECT_EQ(in.judged.task.item_ids[lists.view.items[row * 2]], "3\t4");
  EXPECT_EQ(in.lists("b Q0 2%2520 1 1 t\n").counts.kept, 1u);
  EXPECT_EQ(in.lists("b Q0 2%20 1 1 t\n").counts.kept, 1u) << "as it is, where no decoded id fits";
  EXPECT_THAT(in.refusal("the%20user,x,1\n"), HasSubstr("no user 'the%20user'")) << "CSV quotes instead";
}

// The scores of a model with many ties, written in any order, come back as recommend() lists them.
TEST(ImportLists, TiesStandInTheTasksOwnOrder) {
  TaskSpec spec;
  spec.split.test = 3;
  spec.split.seed = 11;
  const test::Judged j = test::judge(test::random_log(5, 25, 60, 600), spec, {});
  const auto score = [](std::size_t user, std::size_t item) { return static_cast<float>((user + item * 7) % 4); };
  std::vector<Query> queries;
  for (const std::size_t q : j.view.query) queries.push_back({.user = j.fold.test.users[q]});
  CandidatePolicy policy;
  policy.catalogue = j.view.catalogue;
  policy.excluded = {j.view.excluded_offsets, j.view.excluded_items};
  policy.task_seed = j.fold.task_seed;
  policy.user_keys = j.view.user_keys;
  policy.item_keys = j.fold.items.keys();
  TruthRanks ranks;
  const std::size_t n = j.task.item_ids.size();
  const TopK top = recommend(test::FakeRecommender(n, score), queries, policy, n, Executor(1),
                             {j.view.truth_offsets, j.view.truth_items}, ranks);
  std::vector<std::string> lines;
  for (std::size_t q = 0; q < queries.size(); ++q)
    for (std::size_t i = 0; i < n; ++i)
      if (top.row(q)[i] != kNoItem)
        lines.push_back(
            fmt::format("{},{},{}\n", j.stored().users[q], j.task.item_ids[raw(top.row(q)[i])], top.row_scores(q)[i]));
  Rng(9).shuffle(std::span(lines));
  const test::TempFolder folder;
  const ImportedLists in =
      import_lists(folder.write("f", fmt::format("{}", fmt::join(lines, ""))), j.task, j.stored(), {});
  ASSERT_LE(in.view.k, n);
  EXPECT_GT(in.counts.tied, lines.size() / 2);
  for (std::size_t q = 0; q < queries.size(); ++q)
    for (std::size_t i = 0; i < in.view.k; ++i) {
      EXPECT_EQ(in.view.items[q * in.view.k + i], static_cast<std::uint32_t>(top.row(q)[i])) << q << " " << i;
      EXPECT_EQ(in.view.scores[q * in.view.k + i], top.row_scores(q)[i]);
    }
  EXPECT_EQ(in.view.truth_rank, ranks.rank);
}

TEST(ImportLists, MeansAreThoseThatListsCanAnswer) {
  const Import in;
  ImportedLists lists = in.lists("a,r,1\na,t,3\nb,t,2\n");
  const auto cannot = add_means(lists.view, {"hr@1", "recall@2", "ndcg@3", "auc"}, in.judged.task, in.judged.stored());
  EXPECT_THAT(cannot, ElementsAre("ndcg@3", "auc"));
  EXPECT_EQ(lists.view.means.size(), 2u);
  EXPECT_EQ(lists.view.means.at("hr@1.v1"), 1.0);
  EXPECT_EQ(lists.view.means.at("recall@2.v1"), 0.5);
}

TEST(ImportRatings, TakesAPredictionForEachTestRating) {
  const test::TempFolder folder;
  const test::Judged j = small();
  StoredRatings reference;
  reference.users = {0, 1, 0, 0};  // a, b
  reference.items = {3, 4, 4, 3};  // a rated s twice
  reference.actual = {4, 2, 1, 5};
  reference.predicted = {9, 9, 9, 9};
  reference.clip_low = 1;
  reference.clip_high = 5;
  const auto import = [&](const std::string& text) {
    return import_ratings(folder.write("f", text), j.task, reference, {});
  };
  ImportedRatings in = import("user,item,rating,prediction\nb,t,0,2.5\na,t,0,1.5\na,s,0,4\nc,p,0,1\n");
  EXPECT_THAT(in.ratings.predicted, ElementsAre(4, 2.5f, 1.5f, 4));
  EXPECT_EQ(in.ratings.actual, reference.actual);
  EXPECT_EQ(in.ratings.clip_high, 5);
  EXPECT_EQ(in.counts.queries, 4u);
  EXPECT_EQ(in.counts.kept, 3u);
  EXPECT_EQ(in.counts.not_asked, 1u);
  add_means(in.ratings, {"rmse"});
  EXPECT_NEAR(in.ratings.means.at("rmse.v1"), std::sqrt((0 + 0.25 + 0.25 + 1) / 4), 1e-12);

  const std::string file = (folder / "f").string();
  EXPECT_EQ(message_of<DataError>([&] { import("a,s,1\n"); }),
            "'" + file +
                "' lacks 2 of the 4 test ratings, first that of user 'b' for item 't'; predict each of them (segue "
                "export --what ratings writes them)");
  EXPECT_EQ(message_of<DataError>([&] { import("a,s,1\nb,t,1\na,t,2\na,s,1\n"); }),
            file + ":4: item 's' stands a second time for user 'a' (first in line 1); keep one of them");
  EXPECT_THAT(message_of<DataError>([&] { import("a,s,1\nx,t,1\n"); }), HasSubstr(file + ":2: no user 'x'"));
}

}  // namespace
}  // namespace segue
