#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/feedback.hpp"
#include "framework/data/split.hpp"
#include "framework/data/task.hpp"
#include "tests/support/logs.hpp"
#include "tests/support/messages.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

using Items = std::set<ItemIdx>;

struct Parts {
  std::map<UserIdx, Items> train, validation, truth;  // truth: without what weighs nothing
};

// A fold, and what its users did in each part, straight from the split.
struct World {
  Dataset data;
  TaskSpec task;
  PreparedFold fold;
  Parts parts;
};

World world_of(const std::string& transform, const test::Log& log = test::random_log(17, 30, 60, 900)) {
  World w{test::dataset_of(log), {}, {}, {}};
  w.task.feedback.transform = transform;
  w.task.split.test = 4;
  w.task.split.validation = 3;
  w.fold = prepare_fold(w.data, w.task, "all");
  const SplitEvents parts =
      split_events(select_events(w.data.events, w.task.feedback, w.data), w.data, w.task.split, "all");
  for (const Event& e : parts.train) w.parts.train[e.user].insert(e.item);
  for (const Event& e : parts.validation) w.parts.validation[e.user].insert(e.item);
  std::map<std::pair<UserIdx, ItemIdx>, std::vector<Event>> pairs;
  for (const Event& e : parts.test) pairs[{e.user, e.item}].push_back(e);
  for (const auto& [pair, events] : pairs)
    if (pair_weight(events, w.task.feedback) > 0) w.parts.truth[pair.first].insert(pair.second);
  return w;
}

Items row(const std::vector<std::uint64_t>& offsets, const std::vector<ItemIdx>& items, std::size_t q) {
  const std::vector<ItemIdx> out(items.begin() + static_cast<long>(offsets[q]),
                                 items.begin() + static_cast<long>(offsets[q + 1]));
  EXPECT_TRUE(std::is_sorted(out.begin(), out.end()));
  EXPECT_EQ(std::set(out.begin(), out.end()).size(), out.size());
  return {out.begin(), out.end()};
}

Items minus(const Items& a, const Items& b) {
  Items out = a;
  for (ItemIdx i : b) out.erase(i);
  return out;
}

struct ViewCase {
  std::string repeats, catalogue;
  std::vector<std::string> exclude;
};

TEST(ApplyView, AgreesWithTheDefinitionForEveryCombination) {
  std::uint64_t removed = 0, emptied = 0;
  for (const char* transform : {"binary", "signals"}) {
    const World w = world_of(transform);
    Items trained;
    for (const auto& [user, items] : w.parts.train) trained.insert(items.begin(), items.end());
    ASSERT_LT(trained.size(), w.data.items.size()) << "every item is trained, so the catalogues do not differ";
    for (const ViewCase& c :
         {ViewCase{"exclude", "all", {"train", "validation"}}, ViewCase{"exclude", "all", {"train"}},
          ViewCase{"exclude", "all", {"validation"}}, ViewCase{"exclude", "all", {}},
          ViewCase{"exclude", "train", {"train", "validation"}}, ViewCase{"exclude", "unseen", {"train", "validation"}},
          ViewCase{"allow", "all", {"train", "validation"}}, ViewCase{"allow", "train", {}},
          ViewCase{"only", "all", {"train"}}, ViewCase{"only", "train", {}}}) {
      SCOPED_TRACE(fmt::format("{} {} {} {}", transform, c.repeats, c.catalogue, c.exclude.size()));
      ViewSpec spec;
      spec.repeats = c.repeats;
      spec.catalogue = c.catalogue;
      spec.exclude = c.exclude;
      const JudgedView view = apply_view(w.fold, w.fold.test, spec);
      Items catalogue;
      for (std::size_t i = 0; i < w.data.items.size(); ++i) {
        EXPECT_EQ(view.catalogue[i] == 1,
                  c.catalogue == "all" || trained.contains(item_at(i)) == (c.catalogue == "train"));
        if (view.catalogue[i] == 1) catalogue.insert(item_at(i));
      }
      EXPECT_EQ(view.catalogue_size, catalogue.size());
      std::size_t q = 0;
      std::uint64_t truth_removed = 0, without_truth = 0;
      for (const auto& [user, all_truth] : w.parts.truth) {
        const auto did = [&](const std::map<UserIdx, Items>& part) {
          return part.contains(user) ? part.at(user) : Items{};
        };
        Items heard = did(w.parts.train), excluded;
        for (const std::string& part : c.exclude) {
          const Items of = did(part == "train" ? w.parts.train : w.parts.validation);
          excluded.insert(of.begin(), of.end());
        }
        const Items later = did(w.parts.validation);
        heard.insert(later.begin(), later.end());
        Items truth = all_truth;
        if (c.repeats == "exclude") truth = minus(truth, excluded);
        if (c.repeats == "only") truth = minus(truth, minus(truth, heard));
        truth_removed += all_truth.size() - truth.size();
        without_truth += truth.empty();
        if (truth.empty()) continue;
        ASSERT_LT(q, view.query.size());
        EXPECT_EQ(w.fold.test.users[view.query[q]], user);
        EXPECT_EQ(view.user_keys[q], hash64(w.data.users[raw(user)]));
        EXPECT_EQ(row(view.truth_offsets, view.truth_items, q), truth);
        if (c.repeats == "exclude") {
          EXPECT_EQ(row(view.excluded_offsets, view.excluded_items, q), excluded);
        }
        if (c.repeats == "only") {
          EXPECT_EQ(row(view.candidate_offsets, view.candidate_items, q), minus(heard, minus(heard, catalogue)));
        }
        ++q;
      }
      EXPECT_EQ(view.query.size(), q);
      EXPECT_EQ(view.truth_removed, truth_removed);
      EXPECT_EQ(view.queries_without_truth, without_truth);
      EXPECT_EQ(view.excluded_offsets.empty(), c.repeats != "exclude");
      EXPECT_EQ(view.candidate_offsets.empty(), c.repeats != "only");
      for (const float gain : view.truth_gains) EXPECT_EQ(gain, 1);
      removed += truth_removed;
      emptied += without_truth;
    }
  }
  EXPECT_GT(removed, 0u);
  EXPECT_GT(emptied, 0u);
}

// Everything by an artist of whom the user has heard anything is out: of the lists, of the truth, and of the negatives.
TEST(ApplyView, HeardArtistsMayBeExcluded) {
  DatasetBuilder builder("toy");
  builder.set_has_times(true);
  test::add_rows(builder, test::random_log(17, 30, 60, 600));
  const auto artist_of = [](int item) { return item % 7 == 0 ? std::string() : fmt::format("artist {}", item % 30); };
  for (int i = 0; i < 60; ++i) {
    builder.declare_item(std::to_string(i));
    if (!artist_of(i).empty()) builder.set_artist(std::to_string(i), artist_of(i));
  }
  const Dataset data = builder.build();
  TaskSpec task;
  task.split.test = 4;
  const PreparedFold fold = prepare_fold(data, task, "all");
  ViewSpec spec;
  spec.exclude = {"train", "validation", "artists"};
  const auto name = [&](ItemIdx item) { return artist_of(std::stoi(std::string(data.items[raw(item)]))); };
  const auto heard_by = [&](std::size_t query) {
    std::set<std::string> out;
    for (const ItemIdx item : fold.test.histories[query].items) out.insert(name(item));
    out.erase("");
    return out;
  };
  const JudgedView view = apply_view(fold, fold.test, spec);
  EXPECT_GT(view.truth_removed, 0u);
  ASSERT_GT(view.query.size(), 5u);
  for (std::size_t q = 0; q < view.query.size(); ++q) {
    const std::set<std::string> heard = heard_by(view.query[q]);
    const Items excluded = row(view.excluded_offsets, view.excluded_items, q);
    const auto history = fold.test.histories[view.query[q]].items;
    for (std::size_t i = 0; i < data.items.size(); ++i)
      EXPECT_EQ(
          excluded.contains(item_at(i)),
          heard.contains(name(item_at(i))) || std::find(history.begin(), history.end(), item_at(i)) != history.end());
    for (const ItemIdx item : row(view.truth_offsets, view.truth_items, q)) EXPECT_FALSE(excluded.contains(item));
  }
  spec.candidates = "sampled";
  spec.sampled = 5;
  const JudgedView sample = apply_view(fold, fold.test, spec);
  for (std::size_t q = 0; q < sample.query.size(); ++q)
    for (const ItemIdx item : row(sample.candidate_offsets, sample.candidate_items, q))
      EXPECT_FALSE(heard_by(sample.query[q]).contains(name(item)));
}

TEST(ApplyView, GainsAreOneOrTheWeight) {
  const World w = world_of("signals");
  ViewSpec spec;
  spec.repeats = "allow";
  spec.relevance = "value";
  const JudgedView view = apply_view(w.fold, w.fold.test, spec);
  ASSERT_EQ(view.truth_gains.size(), w.fold.test.truth_values.size());
  EXPECT_TRUE(std::equal(view.truth_gains.begin(), view.truth_gains.end(), w.fold.test.truth_values.begin()));
  EXPECT_GT(*std::max_element(view.truth_gains.begin(), view.truth_gains.end()), 1);
}

TEST(ApplyView, ValidationQueriesKnowNothingOfTheValidationPart) {
  const World w = world_of("binary");
  const JudgedView view = apply_view(w.fold, w.fold.validation, {});
  ASSERT_FALSE(view.query.empty());
  for (std::size_t q = 0; q < view.query.size(); ++q) {
    const UserIdx user = w.fold.validation.users[view.query[q]];
    EXPECT_EQ(row(view.excluded_offsets, view.excluded_items, q), w.parts.train.at(user));
    EXPECT_EQ(row(view.truth_offsets, view.truth_items, q), minus(w.parts.validation.at(user), w.parts.train.at(user)));
  }
}

ViewSpec sampled(std::int64_t n, const std::string& repeats = "exclude") {
  ViewSpec spec;
  spec.candidates = "sampled";
  spec.sampled = n;
  spec.repeats = repeats;
  return spec;
}

TEST(SampledCandidates, AreDistinctAndNeverHeard) {
  const World w = world_of("binary");
  for (const char* repeats : {"exclude", "allow"}) {
    const JudgedView view = apply_view(w.fold, w.fold.test, sampled(12, repeats));
    EXPECT_TRUE(view.excluded_offsets.empty());
    for (std::size_t q = 0; q < view.query.size(); ++q) {
      const UserIdx user = w.fold.test.users[view.query[q]];
      const Items truth = row(view.truth_offsets, view.truth_items, q);
      const Items negatives = minus(row(view.candidate_offsets, view.candidate_items, q), truth);
      EXPECT_EQ(negatives.size(), 12u);
      EXPECT_EQ(row(view.candidate_offsets, view.candidate_items, q).size(), 12 + truth.size());
      for (const auto* part : {&w.parts.train, &w.parts.validation, &w.parts.truth})
        EXPECT_EQ(minus(negatives, part->at(user)), negatives);
    }
  }
}

TEST(SampledCandidates, OfRepeatsOnlyHaveBeenHeard) {
  const World w = world_of("binary");
  const JudgedView view = apply_view(w.fold, w.fold.test, sampled(6, "only"));
  ASSERT_FALSE(view.query.empty());
  for (std::size_t q = 0; q < view.query.size(); ++q) {
    const UserIdx user = w.fold.test.users[view.query[q]];
    const Items truth = row(view.truth_offsets, view.truth_items, q);
    const Items negatives = minus(row(view.candidate_offsets, view.candidate_items, q), truth);
    Items heard = w.parts.train.at(user);
    heard.insert(w.parts.validation.at(user).begin(), w.parts.validation.at(user).end());
    EXPECT_TRUE(minus(negatives, heard).empty());
    EXPECT_EQ(minus(negatives, w.parts.truth.at(user)), negatives);
    EXPECT_EQ(negatives.size(), std::min<std::size_t>(6, minus(heard, w.parts.truth.at(user)).size()));
  }
}

// Texts of a user's negatives, by user.
std::map<std::string, std::set<std::string>> negatives_of(const PreparedFold& fold, const ViewSpec& spec) {
  const JudgedView view = apply_view(fold, fold.test, spec);
  std::map<std::string, std::set<std::string>> out;
  for (std::size_t q = 0; q < view.query.size(); ++q) {
    auto& own = out[std::string(fold.users[raw(fold.test.users[view.query[q]])])];
    for (const ItemIdx i : row(view.candidate_offsets, view.candidate_items, q))
      own.insert(std::string(fold.items[raw(i)]));
  }
  return out;
}

TEST(SampledCandidates, AreAFunctionOfTheTaskSeedAndTheUser) {
  const test::Log log = test::random_log(17, 30, 60, 900);
  World w = world_of("binary", log);
  const auto negatives = negatives_of(w.fold, sampled(5));
  EXPECT_EQ(negatives, negatives_of(world_of("binary", test::shuffled(log, 3)).fold, sampled(5)));
  // A user more, whose name sorts first, moves every index and nobody's negatives.
  test::Log more = log;
  for (int i = 0; i < 30; ++i) more.push_back({"0", std::to_string(i), i});
  auto with_more = negatives_of(world_of("binary", more).fold, sampled(5));
  EXPECT_EQ(with_more.erase("0"), 1u);
  EXPECT_EQ(with_more, negatives);
  w.fold.task_seed = 43;
  EXPECT_NE(negatives_of(w.fold, sampled(5)), negatives);
}

TEST(SampledCandidates, AreUniform) {
  // One query of which 40 items are unknown; over many seeds each of them is drawn equally often.
  test::Log log{{"a", "heard", 1}, {"a", "truth", 2}};
  for (int i = 0; i < 40; ++i) log.push_back({"b", fmt::format("i{}", i), i});
  World w = world_of("binary", log);
  TaskSpec task;
  w.fold = prepare_fold(w.data, task, "all");
  std::map<std::string, int> drawn;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    w.fold.task_seed = seed;
    const auto lists = negatives_of(w.fold, sampled(10));
    for (const std::string& item : lists.at("a")) ++drawn[item];
  }
  EXPECT_EQ(drawn.size(), 41u);  // the truth, always
  for (const auto& [item, n] : drawn)
    if (item != "truth") {
      EXPECT_NEAR(n, 250, 5 * std::sqrt(1000 * 0.25 * 0.75)) << item;
    }
}

TEST(SampledCandidates, MoreThanTheCatalogueIsRefused) {
  const World w = world_of("binary");
  const auto n = static_cast<std::int64_t>(w.data.items.size());
  EXPECT_EQ(message_of<UsageError>([&] { apply_view(w.fold, w.fold.test, sampled(n)); }),
            fmt::format("candidates: cannot sample {} negatives from a catalogue of {}", n, n));
  EXPECT_NO_THROW(apply_view(w.fold, w.fold.test, sampled(n - 1)));  // as many as there are
}

TEST(GivenCandidates, AreTheTruthAndTheListsThatCameWithTheData) {
  DatasetBuilder b("toy");
  const auto row_of = [](const char* user, const char* item) {
    return DatasetBuilder::Row{.user = user, .item = item};
  };
  b.add_train("f", row_of("a", "p"));
  b.add_train("f", row_of("b", "q"));
  b.add_test("f", row_of("a", "q"));
  b.add_test("f", row_of("b", "r"));
  for (const char* item : {"q", "s", "t"}) b.add_negative("f", "a", item);
  const Dataset data = b.build();
  TaskSpec task;
  task.split.strategy = "given";
  const PreparedFold fold = prepare_fold(data, task, "f");
  ViewSpec spec;
  spec.candidates = "given";
  const auto lists = negatives_of(fold, spec);
  EXPECT_THAT(lists.at("a"), ElementsAre("q", "s", "t"));
  EXPECT_THAT(lists.at("b"), ElementsAre("r"));
  const World w = world_of("binary");
  EXPECT_EQ(
      message_of<UsageError>([&] { apply_view(w.fold, w.fold.test, spec); }),
      "candidates 'given': split 'all' of data set 'toy' comes without candidate lists; use full or {sampled: 99}");
}

}  // namespace
}  // namespace segue
