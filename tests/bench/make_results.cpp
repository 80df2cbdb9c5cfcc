// Writes a results folder of any size, to see how leaderboards and statistics scale:
//
//   make_results DIR [TRIALS=10000] [USERS=6000] [ITEMS=3700] [K=20]
//
// One task with one held-out item a user. Rows differ in quality, and users in how hard they are, so that close rows are paired as
// real ones are. Nothing here is evidence about any algorithm.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "framework/base/rng.hpp"
#include "framework/store/manifest.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"
#include "tests/support/fake_recommender.hpp"

namespace segue {
namespace {

struct Sizes {
  std::size_t trials = 10000, users = 6000, items = 3700, k = 20;
};

constexpr const char* kTask = "0123456789abcdef";

void write_judge(const ResultsFolder& results, const Sizes& sizes, const std::vector<std::uint32_t>& truth) {
  StoredTask task;
  task.id = kTask;
  task.description = "{\"task\":{},\"view\":{}}";
  task.dataset = "made";
  for (std::size_t i = 0; i < sizes.items; ++i) task.item_ids.push_back(fmt::format("i{}", i));
  StoredTaskFold fold;
  fold.name = "all";
  for (std::size_t u = 0; u < sizes.users; ++u) {
    fold.users.push_back(fmt::format("u{}", u));
    fold.truth_offsets.push_back(u);
    fold.history_offsets.push_back(0);
  }
  task.user_ids = fold.users;
  fold.truth_offsets.push_back(sizes.users);
  fold.history_offsets.push_back(0);
  fold.truth_items = truth;
  fold.truth_gains.assign(sizes.users, 1);
  fold.train_counts.assign(sizes.items, 10);
  fold.train_users = sizes.users;
  task.folds.push_back(std::move(fold));
  write_task(results.task_file(kTask), task);
}

// The place of a user's item is geometric; its rate is the row's quality times the user's ease.
StoredView ranked(std::size_t row, const Sizes& sizes, const std::vector<double>& ease, const std::vector<std::uint32_t>& truth) {
  Rng rng = Rng(row).stream("row");
  const double quality = 0.02 + 0.1 * rng.uniform();
  StoredView v;
  v.task = kTask;
  v.name = "full";
  v.queries = sizes.users;
  v.k = sizes.k;
  v.catalogue = sizes.items;
  v.truth_items = truth;
  v.truth_gains.assign(sizes.users, 1);
  v.candidates.assign(sizes.users, static_cast<std::uint32_t>(sizes.items));
  v.truth_tied.assign(sizes.users, 0);
  v.tie_at_cut.assign(sizes.users, 0);
  for (std::size_t u = 0; u < sizes.users; ++u) {
    v.truth_offsets.push_back(u);
    const double place = 1 + std::floor(rng.exponential() / (quality * ease[u]));
    const auto rank = static_cast<std::uint32_t>(std::min(place, static_cast<double>(sizes.items)));
    v.truth_rank.push_back(rank);
    v.truth_above.push_back(rank - 1);
    for (std::size_t i = 0; i < sizes.k; ++i) {
      v.items.push_back(i + 1 == rank ? truth[u] : static_cast<std::uint32_t>(rng.below(sizes.items)));
      v.scores.push_back(1 / (1 + static_cast<float>(i)));
    }
  }
  v.truth_offsets.push_back(sizes.users);
  return v;
}

void make(const ResultsFolder& results, const Sizes& sizes) {
  Rng rng(7);
  std::vector<double> ease(sizes.users);
  std::vector<std::uint32_t> truth(sizes.users);
  for (double& e : ease) e = rng.exponential();
  for (std::uint32_t& t : truth) t = static_cast<std::uint32_t>(rng.below(sizes.items));
  write_judge(results, sizes, truth);
  Manifest manifest;
  manifest.suite = "made";
  manifest.spec = "{}";
  ManifestTask task;
  task.id = kTask;
  task.name = "full";
  task.dataset = "made";
  task.dataset_title = "Made results";
  task.metrics = {"ndcg@10", "hr@10", "mrr@10"};
  task.description = "{\"task\":{},\"view\":{}}";
  manifest.tasks.push_back(task);
  const test::FakeRecommender model(sizes.items, [](std::size_t, std::size_t) { return 0.f; });
  for (std::size_t t = 0; t < sizes.trials; ++t) {
    const std::string label = fmt::format("row{:05}", t), fit = fmt::format("{:016x}", t);
    manifest.labels.push_back(label);
    manifest.trials.push_back({fit, label, "made", "made", "all", 1, {kTask}, "{}"});
    TrialRecord record;
    record.attributes = {{"algorithm", "made"}, {"fit", fit}, {"label", label}, {"fold", "all"}, {"status", "ok"}};
    record.views.push_back(ranked(t, sizes, ease, truth));
    record.timing.fit_seconds = 1;
    record.timing.peak_rss_bytes = 1 << 20;
    record.timing.threads = 1;
    record.timing.latency = {{.batch = 1, .microseconds_per_query = std::vector<double>(200, 100.0), .threads = 1}};
    write_trial(results.trial_file(fit), record, model);
    if (t % 500 == 499) fmt::print(stderr, "{} of {} trials\n", t + 1, sizes.trials);
  }
  results.write_manifest(manifest);
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) {
  if (argc < 2 || argc > 6) {
    fmt::print(stderr, "usage: make_results DIR [TRIALS] [USERS] [ITEMS] [K]\n");
    return 2;
  }
  segue::Sizes sizes;
  std::size_t* const all[] = {&sizes.trials, &sizes.users, &sizes.items, &sizes.k};
  for (int i = 2; i < argc; ++i) *all[i - 2] = std::stoul(argv[i]);
  segue::make({argv[1]}, sizes);
}
