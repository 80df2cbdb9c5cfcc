#include "framework/store/trial_file.hpp"

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

struct Model : test::FakeRecommender {
  std::vector<float> weights{1, 2, 3};
  Model() : FakeRecommender(3, [](std::size_t, std::size_t) { return 0.f; }) {}
  void save(ArchiveWriter& archive) const override { archive.put("weights", std::span<const float>(weights)); }
};

TrialRecord record() {
  TrialRecord r;
  r.attributes = {{"algorithm", "popular"}, {"created", "2026-01-01T00:00:00Z"}, {"empty", ""}, {"label", "ünï"}};
  StoredView v;
  v.task = "t1";
  v.name = "full";
  v.queries = 2;
  v.k = 2;
  v.items = {4, 1, 0, kPadding};
  v.scores = {2.5f, 1, 0.5f, -std::numeric_limits<float>::infinity()};
  v.truth_offsets = {0, 1, 3};
  v.truth_items = {1, 0, 2};
  v.truth_gains = {1, 2, 3};
  v.truth_rank = {2, 1, 0};
  v.truth_above = {1, 0, 1};
  v.truth_tied = {0, 0, 3};
  v.candidates = {5, 5};
  v.tie_at_cut = {1, 0};
  v.catalogue = 9;
  v.means = {{"ndcg@10.v1", 0.25}, {"coverage@10.v1", std::nan("")}};
  StoredView empty;  // every query lost its truth
  empty.task = "t0";
  empty.name = "nothing";
  empty.k = 10;
  empty.truth_offsets = {0};
  r.views = {v, empty};
  StoredRatings s;
  s.task = "t2r";
  s.name = "ratings";
  s.users = {0, 0, 7};
  s.items = {3, 4, 3};
  s.predicted = {1.5f, 4, 3};
  s.actual = {1, 5, 3};
  s.clip_low = 0.5;
  s.clip_high = 5;
  s.means = {{"rmse.v1", 0.7}};
  r.ratings = {s};
  r.curve_epochs = {{"loss", {1, 2}}, {"ndcg@10 on validation", {2}}};
  r.curve_values = {{"loss", {0.5, 0.25}}, {"ndcg@10 on validation", {0.1}}};
  r.timing.fit_seconds = 1.5;
  r.timing.epoch_seconds = {0.5, 1};
  r.timing.latency = {{.batch = 16, .microseconds_per_query = {3, 4}, .threads = 2},
                      {.batch = 1, .microseconds_per_query = {9}, .threads = 1}};
  r.timing.index_latency["00ff"] = {{.batch = 1, .microseconds_per_query = {0.5}, .threads = 1}};
  r.timing.stages = {{"item_knn", {5, 6}}, {"ranker", {1, 2}}};
  r.timing.peak_rss_bytes = 123456789;
  r.timing.threads = 2;
  return r;
}

std::filesystem::path written(const test::TempFolder& folder, TrialRecord r, const Model& model = {},
                              const std::string& name = "trials/f.h5") {
  write_trial(folder / name, r, model);
  EXPECT_EQ(r.model_bytes, 12u);
  return folder / name;
}

std::string hash_of(const std::filesystem::path& path) {
  Hasher hasher;
  hash_trial(path, hasher);
  return hasher.hex();
}

TEST(TrialFile, GivesBackWhatWasWritten) {
  const test::TempFolder folder;
  const TrialRecord in = record(), out = read_trial(written(folder, in));
  EXPECT_EQ(out.attributes, in.attributes);
  ASSERT_EQ(out.views.size(), 2u);  // by task id
  const StoredView &v = out.views[1], &w = in.views[0];
  EXPECT_EQ(v.task, "t1");
  EXPECT_EQ(v.name, "full");
  EXPECT_EQ(v.queries, 2u);
  EXPECT_EQ(v.k, 2u);
  EXPECT_EQ(v.items, w.items);
  EXPECT_EQ(v.scores, w.scores);
  EXPECT_EQ(v.truth_offsets, w.truth_offsets);
  EXPECT_EQ(v.truth_items, w.truth_items);
  EXPECT_EQ(v.truth_gains, w.truth_gains);
  EXPECT_EQ(v.truth_rank, w.truth_rank);
  EXPECT_EQ(v.truth_above, w.truth_above);
  EXPECT_EQ(v.truth_tied, w.truth_tied);
  EXPECT_EQ(v.candidates, w.candidates);
  EXPECT_EQ(v.tie_at_cut, w.tie_at_cut);
  EXPECT_EQ(v.catalogue, 9u);
  EXPECT_EQ(v.means.at("ndcg@10.v1"), 0.25);
  EXPECT_TRUE(std::isnan(v.means.at("coverage@10.v1")));
  EXPECT_EQ(out.views[0].task, "t0");
  EXPECT_EQ(out.views[0].queries, 0u);
  EXPECT_EQ(out.views[0].k, 10u);
  ASSERT_EQ(out.ratings.size(), 1u);
  EXPECT_EQ(out.ratings[0].task, "t2r");
  EXPECT_EQ(out.ratings[0].name, "ratings");
  EXPECT_EQ(out.ratings[0].users, in.ratings[0].users);
  EXPECT_EQ(out.ratings[0].items, in.ratings[0].items);
  EXPECT_EQ(out.ratings[0].predicted, in.ratings[0].predicted);
  EXPECT_EQ(out.ratings[0].actual, in.ratings[0].actual);
  EXPECT_EQ(out.ratings[0].clip_low, 0.5);
  EXPECT_EQ(out.ratings[0].clip_high, 5);
  EXPECT_EQ(out.ratings[0].means, in.ratings[0].means);
  EXPECT_EQ(out.curve_epochs, in.curve_epochs);
  EXPECT_EQ(out.curve_values, in.curve_values);
  EXPECT_EQ(out.timing.fit_seconds, 1.5);
  EXPECT_THAT(out.timing.epoch_seconds, ElementsAre(0.5, 1));
  ASSERT_EQ(out.timing.latency.size(), 2u);
  EXPECT_EQ(out.timing.latency[0].batch, 1u);
  EXPECT_EQ(out.timing.latency[1].batch, 16u);
  EXPECT_THAT(out.timing.latency[1].microseconds_per_query, ElementsAre(3, 4));
  EXPECT_EQ(out.timing.latency[1].threads, 2);
  ASSERT_EQ(out.timing.index_latency.size(), 1u);
  EXPECT_THAT(out.timing.index_latency.at("00ff").at(0).microseconds_per_query, ElementsAre(0.5));
  ASSERT_EQ(out.timing.stages.size(), 2u);
  EXPECT_EQ(out.timing.stages[0].stage, "item_knn");
  EXPECT_EQ(out.timing.stages[1].stage, "ranker");
  EXPECT_THAT(out.timing.stages[1].microseconds, ElementsAre(1, 2));
  EXPECT_EQ(out.timing.peak_rss_bytes, 123456789u);
  EXPECT_EQ(out.timing.threads, 2);
  EXPECT_EQ(out.model_bytes, 12u);
  EXPECT_TRUE(out.has_task("t1"));
  EXPECT_TRUE(out.has_task("t2r"));
  EXPECT_FALSE(out.has_task("t3"));
  const TrialFile file(folder / "trials/f.h5");
  EXPECT_THAT(file.ranking_tasks(), UnorderedElementsAre("t0", "t1"));
  EXPECT_THAT(file.rating_tasks(), UnorderedElementsAre("t2r"));
  EXPECT_THAT(file.latency_batches(), UnorderedElementsAre(1, 16));
  EXPECT_FALSE(file.view("t2r").has_value());
  EXPECT_FALSE(file.ratings("t0").has_value());
  const StoredView ranks = *file.view("t1", ViewParts::ranks_only()), whole = *file.view("t1");
  EXPECT_EQ(ranks.truth_rank, whole.truth_rank);
  EXPECT_EQ(ranks.tie_at_cut, whole.tie_at_cut);
  EXPECT_EQ(ranks.queries, whole.queries);
  EXPECT_THAT(whole.items, Not(IsEmpty()));
  EXPECT_THAT(ranks.items, IsEmpty());
  EXPECT_THAT(ranks.truth_offsets, IsEmpty());
  EXPECT_THAT(ranks.truth_above, IsEmpty());
  EXPECT_EQ(H5Reader(folder / "trials/f.h5").array<float>("/model/weights"), Model().weights);
}

TEST(TrialFile, IsEnoughToJudge) {
  const test::TempFolder folder;
  const TrialRecord out = read_trial(written(folder, record()));
  const RankingOutcome lists = out.views[1].outcome();
  EXPECT_EQ(compute(parse_metric("hr@1"), lists).mean, 0.5);
  EXPECT_EQ(compute(parse_metric("mrr@2"), lists).mean, 0.75);
  EXPECT_EQ(compute(parse_metric("coverage@2"), lists).mean, 3.0 / 9);
  EXPECT_NO_THROW(compute(parse_metric("auc"), lists));
  EXPECT_TRUE(std::isnan(compute(parse_metric("ndcg@10"), out.views[0].outcome()).mean));
  EXPECT_NEAR(compute(parse_metric("mae"), out.ratings[0].outcome()).mean, 0.5, 1e-12);
  EXPECT_EQ(compute(parse_metric("rmse_user"), out.ratings[0].outcome()).n, 2u);
}

TEST(TrialFile, HashIsOfResultsAlone) {
  const test::TempFolder folder;
  const std::string plain = hash_of(written(folder, record()));
  const auto changed = [&](const std::function<void(TrialRecord&)>& change) {
    TrialRecord r = record();
    change(r);
    return hash_of(written(folder, r, {}, "other.h5"));
  };
  EXPECT_EQ(changed([](TrialRecord&) {}), plain);
  EXPECT_EQ(changed([](TrialRecord& r) { r.timing.fit_seconds = 99; }), plain);
  EXPECT_EQ(changed([](TrialRecord& r) { r.timing.latency.clear(); }), plain);
  EXPECT_EQ(changed([](TrialRecord& r) { r.timing.index_latency.clear(); }), plain);
  EXPECT_EQ(changed([](TrialRecord& r) { r.timing.stages.clear(); }), plain);
  EXPECT_EQ(changed([](TrialRecord& r) { r.timing.peak_rss_bytes = 1; }), plain);
  EXPECT_EQ(changed([](TrialRecord& r) { r.attributes["created"] = "later"; }), plain);
  EXPECT_EQ(changed([](TrialRecord& r) { std::swap(r.views[0], r.views[1]); }), plain);
  EXPECT_NE(changed([](TrialRecord& r) { r.views[0].scores[0] = 2.25f; }), plain);
  EXPECT_NE(changed([](TrialRecord& r) { r.views[0].items[0] = 3; }), plain);
  EXPECT_NE(changed([](TrialRecord& r) { r.views[0].truth_tied[0] = 1; }), plain);
  EXPECT_NE(changed([](TrialRecord& r) { r.ratings[0].predicted[2] = 3.5f; }), plain);
  EXPECT_NE(changed([](TrialRecord& r) { r.curve_values["loss"][1] = 0.5; }), plain);
  EXPECT_NE(changed([](TrialRecord& r) { r.views.pop_back(); }), plain);
  Model other;
  other.weights[2] = 4;
  EXPECT_NE(hash_of(written(folder, record(), other, "model.h5")), plain);
}

TEST(TrialFile, WhatIsNoTrialIsRefused) {
  const test::TempFolder folder;
  const auto file = written(folder, record());
  {
    H5Writer foreign(folder / "foreign.h5");
    foreign.attribute("/", "something", 1);
    foreign.commit();
    H5Writer old(folder / "old.h5");
    old.attribute("/", "segue_trial", 1);
    old.commit();
  }
  for (const auto& open : {std::function<void(const std::filesystem::path&)>([](const auto& p) { read_trial(p); }),
                           std::function<void(const std::filesystem::path&)>([](const auto& p) { TrialFile{p}; }),
                           std::function<void(const std::filesystem::path&)>([](const auto& p) { hash_of(p); })}) {
    EXPECT_EQ(message_of<DataError>([&] { open(folder / "foreign.h5"); }),
              (folder / "foreign.h5").string() + " is not a trial file of Segue");
    EXPECT_EQ(message_of<DataError>([&] { open(folder / "old.h5"); }),
              fmt::format("{} has layout version 1, this program reads {}; run the suite again with --fresh",
                          (folder / "old.h5").string(), kTrialSchemaVersion));
    EXPECT_THAT(message_of<EnvironmentError>([&] { open(folder / "none.h5"); }), HasSubstr("none.h5"));
  }
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_THAT(message_of<DataError>([&] { read_trial(file); }), HasSubstr("f.h5"));
}

TEST(TrialFile, AFailedWriteLeavesTheOldFile) {
  struct Broken : Model {
    void save(ArchiveWriter&) const override { throw std::runtime_error("no"); }
  };
  const test::TempFolder folder;
  const auto file = written(folder, record());
  const std::string before = hash_of(file);
  TrialRecord r = record();
  r.views.clear();
  EXPECT_THROW(write_trial(file, r, Broken()), std::runtime_error);
  EXPECT_EQ(hash_of(file), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "trials"), {}), 1) << "a temporary file is left";
}

}  // namespace
}  // namespace segue
