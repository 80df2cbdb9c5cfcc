// What a plan has left to do, and how long it may take.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "framework/experiment/runner.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace fs = std::filesystem;

bool is_wanted(const AlgorithmEntry& entry, const std::vector<std::string>& only) {
  return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& name) {
           return name == entry.label || name == entry.group;
         });
}

std::vector<TaskSpec> tasks_learned_otherwise(const Spec& spec, const std::vector<std::string>& only) {
  std::map<std::string, TaskSpec> by_weights;
  for (const AlgorithmEntry& a : spec.algorithms)
    if (a.learned && is_wanted(a, only))
      by_weights.emplace(FeedbackSpec::schema().to_value(*a.learned).canonical(), a.task(spec.task));
  std::vector<TaskSpec> out;
  for (auto& [weights, task] : by_weights) out.push_back(std::move(task));
  return out;
}

std::vector<Work> find_work(const Spec& spec, const Plan& plan, const Registry& algorithms, const RunOptions& options) {
  std::vector<Work> all;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < plan.trials.size(); ++i) {
    const PlannedTrial& t = plan.trials[i];
    if (t.open || !is_wanted(*t.algorithm, options.only) || !seen.insert(t.fit).second) continue;
    Work work;
    work.trial = i;
    const bool measures = spec.latency && algorithms.find(t.algorithm->algorithm).info.ranks;
    const fs::path file = options.results.trial_file(t.fit);
    if (!fs::exists(file)) {
      work.fit = work.views = true;
      work.latency = measures;
    } else {
      const TrialFile trial(file);
      for (const std::string& task : t.tasks) work.views = work.views || !trial.has_task(task);
      if (measures) {
        const auto lacks = [&](const std::vector<std::size_t>& measured) {
          return std::ranges::any_of(spec.latency->batch, [&](std::int64_t batch) {
            return std::ranges::find(measured, static_cast<std::size_t>(batch)) == measured.end();
          });
        };
        work.latency = lacks(trial.latency_batches());
        for (const std::string& task : t.tasks)
          if (trial.has_task(task) && !std::isnan(trial.exact_recall(task)))
            work.latency = work.latency || lacks(trial.latency_batches(task));
      }
    }
    all.push_back(work);
  }
  return all;
}

double expected_seconds(const std::map<std::string, JournalEntry>& journal, const std::string& fit,
                        const std::string& label) {
  const auto it = journal.find(fit);
  if (it != journal.end() && it->second.event == "finished") return it->second.seconds;
  double longest = -1;  // another seed or fold of the same label says enough
  for (const auto& [other, entry] : journal)
    if (entry.event == "finished" && entry.label == label) longest = std::max(longest, entry.seconds);
  return longest;
}

}  // namespace segue
