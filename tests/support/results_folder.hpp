// A results folder written by hand, for tests of what is computed from stored trials.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "framework/report/leaderboard.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {

// Each row's trials rank one truth item (7) a query of task "t1".
class Results {
 public:
  Results() : results{folder_.path()} {
    manifest.spec = "{}";
    manifest.suite = "toy";
    add_task("t1", "full");
  }
  ManifestTask& add_task(const std::string& id, const std::string& name, bool ratings = false) {
    ManifestTask t;
    t.id = id;
    t.name = name;
    t.dataset = "toy";
    t.dataset_title = "Toy data";
    t.metrics = ratings ? std::vector<std::string>{"rmse"} : std::vector<std::string>{"hr@2", "mrr@2"};
    t.ratings = ratings;
    t.description = "{\"task\":{}}";
    return manifest.tasks.emplace_back(t);
  }
  std::string plan(const std::string& label, const std::string& fold = "all", std::uint64_t seed = 1,
                   std::vector<std::string> tasks = {"t1"}) {
    const std::string fit = fmt::format("{}-{}-{}", label, fold, seed);
    if (std::find(manifest.labels.begin(), manifest.labels.end(), label) == manifest.labels.end())
      manifest.labels.push_back(label);
    manifest.trials.push_back({fit, label, "algorithm of " + label, "toy", fold, seed, std::move(tasks), "{}"});
    results.write_manifest(manifest);
    return fit;
  }
  // ranks: of one truth item a query; 0: not ranked. A trial that judged task t1.
  void finish(const std::string& fit, const std::vector<std::uint32_t>& ranks, double fit_seconds = 1,
              std::vector<LatencySamples> latency = {}, std::uint64_t rss = 1 << 20) {
    TrialRecord r;
    r.attributes["algorithm"] = "x";
    StoredView v;
    v.task = "t1";
    v.queries = ranks.size();
    v.k = 2;
    v.truth_offsets = {0};
    for (std::size_t q = 0; q < ranks.size(); ++q) {
      v.items.insert(v.items.end(), {0, 1});
      v.scores.insert(v.scores.end(), {1, 0});
      v.truth_offsets.push_back(q + 1);
      v.truth_items.push_back(7);
      v.truth_gains.push_back(1);
      v.truth_above.push_back(ranks[q] == 0 ? 9 : ranks[q] - 1);
      v.truth_tied.push_back(0);
      v.candidates.push_back(9);
      v.tie_at_cut.push_back(q == 0);
    }
    v.truth_rank = ranks;
    v.catalogue = 9;
    r.views.push_back(v);
    r.timing.fit_seconds = fit_seconds;
    r.timing.latency = std::move(latency);
    r.timing.peak_rss_bytes = rss;
    r.curve_epochs["loss"] = {1, 2};
    r.curve_values["loss"] = {0.5, fit_seconds};
    r.curve_epochs["best epoch"] = {2};
    r.curve_values["best epoch"] = {0.3};
    write_trial(results.trial_file(fit), r, FakeRecommender(1, [](std::size_t, std::size_t) { return 0.f; }));
  }
  // The queries of a fold, by user; without it every query is a user of its own, the same in all folds.
  void write_users(const std::vector<std::pair<std::string, std::vector<std::string>>>& folds) {
    StoredTask task;
    task.id = "t1";
    task.item_ids.assign(9, "item");
    for (const auto& [name, users] : folds) {
      StoredTaskFold f;
      f.name = name;
      f.users = users;
      f.truth_offsets = {0};
      f.history_offsets.assign(users.size() + 1, 0);
      for (std::size_t q = 0; q < users.size(); ++q) f.truth_offsets.push_back(q + 1);
      f.truth_items.assign(users.size(), 7);
      f.truth_gains.assign(users.size(), 1);
      f.train_counts.assign(9, 1);
      task.folds.push_back(std::move(f));
    }
    write_task(results.task_file("t1"), task);
  }
  // Predicted ratings of task "t2" (see add_task), by user.
  void finish_ratings(const std::string& fit, const std::vector<std::uint32_t>& users, const std::vector<float>& errors) {
    TrialRecord r;
    r.attributes["algorithm"] = "x";
    StoredRatings s;
    s.task = "t2";
    s.users = users;
    s.items.assign(users.size(), 0);
    s.actual.assign(users.size(), 3);
    for (const float e : errors) s.predicted.push_back(3 + e);
    s.clip_low = -100;
    s.clip_high = 100;
    r.ratings = {s};
    write_trial(results.trial_file(fit), r, FakeRecommender(1, [](std::size_t, std::size_t) { return 0.f; }));
  }
  TaskEvidence evidence(const std::string& task = "t1") const { return gather_evidence({&results, 1}, task).at(0); }
  void journal(const std::string& fit, const std::string& event, const std::string& error = "") {
    Journal(results.journal_file())
        .append({.time = "", .event = event, .fit = fit, .label = "", .fold = "", .error = error});
  }
  std::vector<LeaderboardRow> rows() const { return build_leaderboards(results).at(0).rows; }
  std::vector<std::string> labels() const {
    std::vector<std::string> out;
    for (const auto& r : rows()) out.push_back(r.label);
    return out;
  }
  LeaderboardRow row(const std::string& label) const {
    for (const auto& r : rows())
      if (r.label == label) return r;
    ADD_FAILURE() << "no row " << label;
    return {};
  }

  TempFolder folder_;
  ResultsFolder results;
  Manifest manifest;
};

}  // namespace segue::test
