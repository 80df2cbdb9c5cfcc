// Runs what a plan has left to do: prepares each task once, lets the tuners finish, then runs every trial, each in a
// process of its own, under supervision.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/experiment/plan.hpp"

namespace segue {

struct RunOptions {
  ResultsFolder results;
  std::filesystem::path program;   // the executable that understands __trial
  int threads = 0;                 // per trial; 0: all cores, shared between jobs
  int jobs = 1;                    // trials at the same time; latency is always measured alone
  std::vector<std::string> only;   // labels; empty: all
  bool fresh = false;              // redo what is done
  double checkpoint_seconds = 30;  // between checkpoints of a fit; 0: behind every epoch; below 0: none
  bool quiet = false;
  double timeout_seconds = 0;  // per trial; 0: what the suite says
};

// Threads that a trial gets.
int trial_threads(const RunOptions& options);

// What is left of each distinct fit.
struct Work {
  std::size_t trial = 0;  // position in plan.trials of the first trial with this fit
  bool fit = false;       // the model is to be trained
  bool views = false;     // lists are missing
  bool latency = false;   // not measured yet
  bool any() const { return fit || views || latency; }
};

struct RunSummary {
  std::size_t trials = 0, done_before = 0, ran = 0, failed = 0;  // those of tuners among the first three
  bool up_to_date = false, interrupted = false;
};

// Whether `only` names the row, or is empty.
bool is_wanted(const AlgorithmEntry& entry, const std::vector<std::string>& only);
// The suite's task once for each set of weights that wanted rows learn from and it does not have itself.
std::vector<TaskSpec> tasks_learned_otherwise(const Spec& spec, const std::vector<std::string>& only);

// One entry per distinct fit of the labels in `only`, in plan order. Rows that wait for their tuner are left out.
std::vector<Work> find_work(const Spec& spec, const Plan& plan, const Registry& algorithms, const RunOptions& options);

// `plan` was made from the tuning trials that are stored in options.results; it becomes what the tuners have found.
RunSummary run_plan(const Spec& spec, Plan& plan, const Registry& algorithms, DatasetStore& datasets,
                    const RunOptions& options);

// Seconds that a trial is expected to take: the last run's in the journal, or -1 where nothing is known.
double expected_seconds(const std::map<std::string, JournalEntry>& journal, const std::string& fit,
                        const std::string& label);

}  // namespace segue
