#include "framework/experiment/runner.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/log.hpp"
#include "framework/data/snapshot.hpp"
#include "framework/experiment/process.hpp"
#include "framework/experiment/progress_display.hpp"
#include "framework/param/yaml.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

volatile sig_atomic_t g_interrupts = 0;

// Ctrl-C once asks the running trials to stop; twice kills them. Restores the old handlers at the end.
class InterruptScope {
 public:
  InterruptScope() {
    g_interrupts = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { g_interrupts = g_interrupts + 1; };
    sigaction(SIGINT, &action, &old_int_);
    sigaction(SIGTERM, &action, &old_term_);
  }
  ~InterruptScope() {
    sigaction(SIGINT, &old_int_, nullptr);
    sigaction(SIGTERM, &old_term_, nullptr);
  }

 private:
  struct sigaction old_int_ {}, old_term_ {};
};

std::string trial_title(const PlannedTrial& t, const Spec& spec) {
  std::string text = t.algorithm->label;
  if (spec.datasets.size() > 1) text += " on " + t.dataset->label;
  if (t.fold != "all") text += " " + t.fold;
  if (spec.seeds.size() > 1) text += fmt::format(" seed {}", t.seed);
  return text;
}

std::string snapshot_name(const Spec& spec, const std::string& fingerprint, const std::string& fold) {
  return Hasher().add(fingerprint).add(spec.task.canonical()).add(fold).hex().substr(0, 16) + ".snap";
}

class Run {
 public:
  Run(const Spec& spec, const Plan& plan, const Registry& algorithms, DatasetStore& datasets, const RunOptions& options)
      : spec_(spec), plan_(plan), algorithms_(algorithms), datasets_(datasets), options_(options),
        journal_(options.results.journal_file()), display_(options.quiet), scratch_(options.results.root / ".work") {}

  RunSummary operator()();

 private:
  void prepare(const DatasetEntry& entry);
  void write_tasks(const DatasetEntry& entry, std::vector<StoredTask>& tasks);
  Job make_job(const Work& work, bool with_latency) const;
  void run_all(std::deque<Work> queue, int jobs, bool with_latency);
  void finish(const Work& work, const TrialOutcome& outcome);
  void estimate_rest(const std::deque<Work>& queue);
  bool task_files_missing(const DatasetEntry& entry) const;

  const Spec& spec_;
  const Plan& plan_;
  const Registry& algorithms_;
  DatasetStore& datasets_;
  const RunOptions& options_;
  Journal journal_;
  ProgressDisplay display_;
  fs::path scratch_;
  RunSummary summary_;
  std::size_t started_ = 0, to_run_ = 0;
  std::map<std::string, JournalEntry> history_;
};

bool Run::task_files_missing(const DatasetEntry& entry) const {
  return std::any_of(plan_.manifest.tasks.begin(), plan_.manifest.tasks.end(),
                     [&](const ManifestTask& t) { return t.dataset == entry.label && !fs::exists(options_.results.task_file(t.id)); });
}

// Loads the data set, parts it into folds, leaves a snapshot of each for the trials and the task files for the judge.
void Run::prepare(const DatasetEntry& entry) {
  const Stopwatch watch;
  const DatasetSummary summary = datasets_.summary(entry);
  const Dataset& dataset = datasets_.load(entry);
  std::vector<StoredTask> tasks(spec_.views.size());
  for (const std::string& fold_name : fold_names(entry.label, summary.given, spec_.task.split)) {
    const PreparedFold fold = prepare_fold(dataset, spec_.task, fold_name);
    write_snapshot(fold, scratch_ / snapshot_name(spec_, summary.fingerprint, fold_name));
    for (const std::string& warning : fold.warnings) log_warning("{}", warning);
    for (std::size_t v = 0; v < spec_.views.size(); ++v) {
      if (tasks[v].folds.empty()) {
        tasks[v].dataset = entry.label;
        describe_items(fold, tasks[v]);
      }
      tasks[v].folds.push_back(task_fold(fold, apply_view(fold, fold.test, spec_.views[v])));
    }
  }
  write_tasks(entry, tasks);
  datasets_.release(entry);
  display_.message(fmt::format("prepared {} in {}", entry.label, format_seconds(watch.seconds())));
}

void Run::write_tasks(const DatasetEntry& entry, std::vector<StoredTask>& tasks) {
  for (const ManifestTask& t : plan_.manifest.tasks) {
    if (t.dataset != entry.label) continue;
    StoredTask& task = tasks[t.view];
    task.id = t.id;
    task.description = t.description;
    if (!fs::exists(options_.results.task_file(t.id))) write_task(options_.results.task_file(t.id), task);
    const LeakMeter& leaks = task.folds.front().leaks;
    if (t.view == 0 && leaks.future_share > 0.01)
      log_warning("{}: {:.1f} % of the training events are later than the event to predict; split: {{strategy: global_time}} has no such leak", entry.label, 100 * leaks.future_share);
  }
}

Job Run::make_job(const Work& work, bool with_latency) const {
  const PlannedTrial& t = plan_.trials[work.trial];
  Job job;
  job.snapshot = (scratch_ / snapshot_name(spec_, datasets_.summary(*t.dataset).fingerprint, t.fold)).string();
  job.output = options_.results.trial_file(t.fit).string();
  job.algorithm = t.algorithm->algorithm;
  job.label = t.algorithm->label;
  job.fit = t.fit;
  job.fold = t.fold;
  job.dataset = t.dataset->label;
  job.params = t.algorithm->params;
  job.seed = t.seed;
  for (const std::size_t v : t.views) job.views.push_back(spec_.views[v]);
  job.tasks = t.tasks;
  if (with_latency && work.latency) job.latency = spec_.latency;
  job.stopping = spec_.stopping;
  job.plugins = spec_.plugins;
  job.threads = trial_threads(options_);
  struct sysinfo info {};
  sysinfo(&info);
  const double machine = static_cast<double>(info.totalram) * info.mem_unit * 0.8 / std::max(1, options_.jobs);
  job.memory_limit = static_cast<std::uint64_t>(spec_.limits.memory.empty() ? machine : parse_bytes(spec_.limits.memory));
  job.spec = plan_.manifest.spec;
  return job;
}

void Run::finish(const Work& work, const TrialOutcome& outcome) {
  const PlannedTrial& t = plan_.trials[work.trial];
  const std::string event = outcome.status == "ok" ? "finished" : outcome.status;
  journal_.append({"", event, t.fit, t.algorithm->label, t.fold, t.seed, outcome.seconds, outcome.error});
  ++summary_.ran;
  if (outcome.status == "interrupted") summary_.interrupted = true;
  else if (outcome.status != "ok") ++summary_.failed;
  display_.end_trial(outcome.status == "ok" ? fmt::format("{}  {}", outcome.metric, format_seconds(outcome.seconds))
                                            : fmt::format("{}: {}", outcome.status, outcome.error));
}

void Run::estimate_rest(const std::deque<Work>& queue) {
  double rest = 0;
  for (const Work& w : queue) {
    const double seconds = expected_seconds(history_, plan_.trials[w.trial]);
    if (seconds < 0) return display_.set_eta(-1);
    rest += seconds;
  }
  display_.set_eta(rest / options_.jobs);
}

void Run::run_all(std::deque<Work> queue, int jobs, bool with_latency) {
  const double timeout = options_.timeout_seconds > 0 ? options_.timeout_seconds : spec_.limits.timeout.empty() ? 0 : parse_duration(spec_.limits.timeout);
  struct Running {
    Work work;
    std::unique_ptr<TrialProcess> process;
  };
  std::vector<Running> running;
  int seen_interrupts = 0;
  while (!queue.empty() || !running.empty()) {
    while (g_interrupts == 0 && !queue.empty() && static_cast<int>(running.size()) < jobs) {
      const Work work = queue.front();
      queue.pop_front();
      const PlannedTrial& t = plan_.trials[work.trial];
      estimate_rest(queue);
      display_.start_trial(++started_, to_run_, trial_title(t, spec_));
      journal_.append({"", "started", t.fit, t.algorithm->label, t.fold, t.seed, 0, ""});
      const Job job = make_job(work, with_latency);
      running.push_back({work, std::make_unique<TrialProcess>(options_.program, job, scratch_ / (t.fit + ".job.json"), scratch_ / (t.fit + ".log"), timeout)});
    }
    if (g_interrupts > 0) queue.clear();
    if (g_interrupts > seen_interrupts) {
      if (seen_interrupts == 0) display_.message("interrupted: finishing the current batch (Ctrl-C again stops at once)");
      for (Running& r : running) {
        r.process->interrupt();  // also where it is killed, so that its end is taken for what it is
        if (g_interrupts > 1) r.process->kill();
      }
      seen_interrupts = g_interrupts;
    }
    std::vector<pollfd> fds;
    for (const Running& r : running) fds.push_back({r.process->pipe(), POLLIN, 0});
    poll(fds.data(), fds.size(), 20);
    for (std::size_t i = 0; i < running.size();) {
      for (const TrialMessage& m : running[i].process->read_messages())
        if (running.size() == 1) display_.update(m);
      if (const std::optional<TrialOutcome> outcome = running[i].process->poll()) {
        finish(running[i].work, *outcome);
        running.erase(running.begin() + static_cast<long>(i));
      } else {
        ++i;
      }
    }
  }
  if (g_interrupts > 0) summary_.interrupted = true;
}

RunSummary Run::operator()() {
  const InterruptScope interrupts;
  if (options_.fresh) {
    for (const ManifestTask& t : plan_.manifest.tasks) fs::remove(options_.results.task_file(t.id));
    std::set<std::string> only(options_.only.begin(), options_.only.end());
    for (const PlannedTrial& t : plan_.trials)
      if (only.empty() || only.contains(t.algorithm->label) || only.contains(t.algorithm->group)) fs::remove(options_.results.trial_file(t.fit));
  }
  const std::vector<Work> all = find_work(spec_, plan_, algorithms_, options_);
  std::deque<Work> queue;
  for (const Work& w : all)
    if (w.any()) queue.push_back(w);
  summary_.trials = all.size();
  summary_.done_before = all.size() - queue.size();
  bool tasks_missing = false;
  for (const DatasetEntry& entry : spec_.datasets) tasks_missing = tasks_missing || task_files_missing(entry);
  fs::create_directories(options_.results.root);
  options_.results.write_manifest(plan_.manifest);
  write_text_file(options_.results.root / "suite.yaml", emit_yaml(spec_.resolved));
  if (queue.empty() && !tasks_missing) {
    summary_.up_to_date = true;
    return summary_;
  }
  history_ = journal_.last_by_fit();
  fs::create_directories(scratch_);
  fs::create_directories(options_.results.root / "trials");
  for (const DatasetEntry& entry : spec_.datasets) {
    const bool needed = task_files_missing(entry) || std::any_of(queue.begin(), queue.end(), [&](const Work& w) { return plan_.trials[w.trial].dataset == &entry; });
    if (needed && g_interrupts == 0) prepare(entry);
  }
  // With several jobs, latency waits until nothing else runs.
  std::deque<Work> first, latency_later;
  for (const Work& w : queue) {
    if (options_.jobs == 1 || w.fit || w.views) first.push_back(w);
    if (options_.jobs > 1 && w.latency) latency_later.push_back(w);
  }
  to_run_ = first.size() + latency_later.size();
  run_all(first, options_.jobs, options_.jobs == 1);
  if (!summary_.interrupted && !latency_later.empty()) {
    std::erase_if(latency_later, [&](const Work& w) { return !fs::exists(options_.results.trial_file(plan_.trials[w.trial].fit)); });
    to_run_ = started_ + latency_later.size();
    run_all(latency_later, 1, true);
  }
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
  return summary_;
}

}  // namespace

std::vector<Work> find_work(const Spec& spec, const Plan& plan, const Registry& algorithms, const RunOptions& options) {
  std::vector<Work> all;
  std::set<std::string> seen;
  for (std::size_t i = 0; i < plan.trials.size(); ++i) {
    const PlannedTrial& t = plan.trials[i];
    const auto wanted = [&](const std::string& name) { return name == t.algorithm->label || name == t.algorithm->group; };
    if (!options.only.empty() && std::none_of(options.only.begin(), options.only.end(), wanted)) continue;
    if (!seen.insert(t.fit).second) continue;
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
        const std::vector<std::size_t> measured = trial.latency_batches();
        for (const std::int64_t batch : spec.latency->batch)
          work.latency = work.latency || std::find(measured.begin(), measured.end(), static_cast<std::size_t>(batch)) == measured.end();
      }
    }
    all.push_back(work);
  }
  return all;
}

int trial_threads(const RunOptions& options) {
  return options.threads > 0 ? options.threads : std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) / std::max(1, options.jobs));
}

double expected_seconds(const std::map<std::string, JournalEntry>& journal, const PlannedTrial& trial) {
  const auto it = journal.find(trial.fit);
  if (it != journal.end() && it->second.event == "finished") return it->second.seconds;
  double longest = -1;  // another seed or fold of the same label says enough
  for (const auto& [fit, entry] : journal)
    if (entry.event == "finished" && entry.label == trial.algorithm->label) longest = std::max(longest, entry.seconds);
  return longest;
}

RunSummary run_plan(const Spec& spec, const Plan& plan, const Registry& algorithms, DatasetStore& datasets, const RunOptions& options) {
  return Run(spec, plan, algorithms, datasets, options)();
}

}  // namespace segue
