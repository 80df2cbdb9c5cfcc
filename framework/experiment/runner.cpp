#include "framework/experiment/runner.hpp"

#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/log.hpp"
#include "framework/data/snapshot.hpp"
#include "framework/experiment/hearing.hpp"
#include "framework/experiment/progress_display.hpp"
#include "framework/experiment/trial_queue.hpp"
#include "framework/param/yaml.hpp"
#include "framework/store/checkpoint_file.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

std::string row_title(const AlgorithmEntry& algorithm, const DatasetEntry& dataset, const std::string& fold, const Spec& spec) {
  std::string text = algorithm.label;
  if (spec.datasets.size() > 1) text += " on " + dataset.label;
  if (fold != "all") text += " " + fold;
  return text;
}

std::string trial_title(const PlannedTrial& t, const Spec& spec) {
  std::string text = row_title(*t.algorithm, *t.dataset, t.fold, spec);
  if (t.algorithm->seeds.size() > 1) text += fmt::format(" seed {}", t.seed);
  return text;
}

std::string snapshot_name(const TaskSpec& task, const std::string& fingerprint, const std::string& fold) {
  Hasher hasher;
  hasher.add(fingerprint).add(task.canonical()).add(fold);
  if (task.learned) hasher.add(FeedbackSpec::schema().to_value(*task.learned).canonical());
  return hasher.hex().substr(0, 16) + ".snap";
}

class Run {
 public:
  Run(const Spec& spec, Plan& plan, const Registry& algorithms, DatasetStore& datasets, const RunOptions& options)
      : spec_(spec), plan_(plan), algorithms_(algorithms), datasets_(datasets), options_(options), tuning_results_(stored_tuning_results(options.results)),
        journal_(options.results.journal_file()), display_(options.quiet), scratch_(options.results.root / ".work"),
        queue_(options.program, scratch_, journal_, display_,
               options.timeout_seconds > 0 ? options.timeout_seconds : spec.limits.timeout.empty() ? 0 : parse_duration(spec.limits.timeout)) {}

  RunSummary operator()();

 private:
  enum class Fold { kWhole, kTuning, kRefit };
  std::string snapshot(const DatasetEntry& entry, const std::string& fold, const TaskSpec& task, Fold kind = Fold::kWhole) const;
  void remove_stored();
  void forget(const std::string& fit) const;
  void prepare(const DatasetEntry& entry);
  void write_tasks(const DatasetEntry& entry, std::vector<StoredTask>& tasks);
  Job make_job(const AlgorithmEntry& algorithm, const DatasetEntry& dataset, const std::string& fold, std::uint64_t seed, const std::vector<std::size_t>& views, const std::string& fit) const;
  Job make_trial_job(const Work& work, bool with_latency) const;
  QueuedTrial tuning_trial(std::size_t tuning, std::size_t trial);
  void tune();
  void plan_again();
  void announce(std::size_t at);
  void run_all(const std::deque<Work>& queue, int jobs, bool with_latency);
  bool task_files_missing(const DatasetEntry& entry) const;
  bool wanted(const Tuning& tuning) const { return is_wanted(*tuning.algorithm, options_.only); }

  const Spec& spec_;
  Plan& plan_;
  const Registry& algorithms_;
  DatasetStore& datasets_;
  const RunOptions& options_;
  TuningResults tuning_results_;
  Journal journal_;
  ProgressDisplay display_;
  fs::path scratch_;
  TrialQueue queue_;
  RunSummary summary_;
  std::map<std::string, JournalEntry> history_;
};

std::string Run::snapshot(const DatasetEntry& entry, const std::string& fold, const TaskSpec& task, Fold kind) const {
  const std::string name = snapshot_name(task, datasets_.summary(entry).fingerprint, fold);
  return (scratch_ / (name + (kind == Fold::kTuning ? ".tuning" : kind == Fold::kRefit ? ".refit" : ""))).string();
}

bool Run::task_files_missing(const DatasetEntry& entry) const {
  return std::any_of(plan_.manifest.tasks.begin(), plan_.manifest.tasks.end(),
                     [&](const ManifestTask& t) { return t.dataset == entry.label && !fs::exists(options_.results.task_file(t.id)); });
}

// Loads the data set, parts it into folds, leaves a snapshot of each for the trials and the task files for the judge.
void Run::prepare(const DatasetEntry& entry) {
  const Stopwatch watch;
  const DatasetSummary summary = datasets_.summary(entry);
  const auto tuned = [&](auto&& condition) {
    return std::any_of(plan_.tunings.begin(), plan_.tunings.end(), [&](const Tuning& t) { return t.dataset == &entry && wanted(t) && condition(t); });
  };
  const bool tuning = tuned([](const Tuning& t) { return !t.finished; }), refit = tuned([](const Tuning& t) { return t.algorithm->tune->refit; });
  if (!hear_sounds(entry, spec_, algorithms_, options_, datasets_, display_)) return;
  const Dataset& dataset = datasets_.load(entry);
  std::vector<StoredTask> tasks(spec_.views.size());
  for (const std::string& fold_name : fold_names(entry.label, summary.given, spec_.task.split)) {
    const PreparedFold fold = prepare_fold(dataset, spec_.task, fold_name);
    write_snapshot(fold, snapshot(entry, fold_name, spec_.task));
    for (const TaskSpec& task : tasks_learned_otherwise(spec_, options_.only)) write_snapshot(prepare_fold(dataset, task, fold_name), snapshot(entry, fold_name, task));
    if (tuning) write_snapshot(without_test(fold), snapshot(entry, fold_name, spec_.task, Fold::kTuning));
    if (refit) write_snapshot(prepare_refit(dataset, spec_.task, fold_name), snapshot(entry, fold_name, spec_.task, Fold::kRefit));
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

Job Run::make_job(const AlgorithmEntry& algorithm, const DatasetEntry& dataset, const std::string& fold, std::uint64_t seed, const std::vector<std::size_t>& views, const std::string& fit) const {
  Job job;
  job.snapshot = snapshot(dataset, fold, algorithm.task(spec_.task));
  job.fit = fit;
  job.output = options_.results.trial_file(fit).string();
  job.checkpoint = options_.results.checkpoint_file(fit).string();
  job.algorithm = algorithm.algorithm;
  job.label = algorithm.label;
  job.fold = fold;
  job.dataset = dataset.label;
  job.seed = seed;
  for (const std::size_t v : views) job.views.push_back(spec_.views[v]);
  job.stopping = spec_.stopping;
  job.plugins = spec_.plugins;
  job.checkpoint_seconds = options_.checkpoint_seconds;
  job.threads = trial_threads(options_);
  struct sysinfo info {};
  sysinfo(&info);
  const double machine = static_cast<double>(info.totalram) * info.mem_unit * 0.8 / std::max(1, options_.jobs);
  job.memory_limit = static_cast<std::uint64_t>(spec_.limits.memory.empty() ? machine : parse_bytes(spec_.limits.memory));
  job.spec = plan_.manifest.spec;
  return job;
}

void Run::forget(const std::string& fit) const {
  fs::remove(options_.results.trial_file(fit));
  remove_checkpoint(options_.results.checkpoint_file(fit));
}

Job Run::make_trial_job(const Work& work, bool with_latency) const {
  const PlannedTrial& t = plan_.trials[work.trial];
  Job job = make_job(*t.algorithm, *t.dataset, t.fold, t.seed, t.views, t.fit);
  job.params = t.params;
  job.tasks = t.tasks;
  if (t.tuning && t.algorithm->tune->refit) job.train_snapshot = snapshot(*t.dataset, t.fold, spec_.task, Fold::kRefit);
  if (with_latency && work.latency) job.latency = spec_.latency;
  return job;
}

// --- tuning

QueuedTrial Run::tuning_trial(std::size_t at, std::size_t trial) {
  const Tuning& tuning = plan_.tunings[at];
  const TuningTrial& t = tuning.trials[trial];
  QueuedTrial queued;
  const auto known = history_.find(t.fit);
  if (known != history_.end() && known->second.event == "finished") queued.seconds = known->second.seconds;
  queued.label = tuning.algorithm->label;
  queued.share = tuning.share(trial);
  queued.title = [this, at, trial] {
    const Tuning& all = plan_.tunings[at];
    const std::optional<std::size_t> best = all.best();
    const int epochs = all.trials[trial].proposal.epochs;
    return fmt::format("{} {}: {}{}{}", row_title(*all.algorithm, *all.dataset, all.fold, spec_), trial + 1, settings_text(all.trials[trial].proposal.settings),
                       epochs > 0 ? fmt::format(", epochs={}", epochs) : "",
                       best ? fmt::format("  (best so far {:.4f})", all.trials[*best].result->value) : "");
  };
  queued.job = [this, at, trial] {
    const Tuning& all = plan_.tunings[at];
    Job job = make_job(*all.algorithm, *all.dataset, all.fold, all.seed, all.views, all.trials[trial].fit);
    job.snapshot = snapshot(*all.dataset, all.fold, spec_.task, Fold::kTuning);
    job.tuning = all.algorithm->tune->metric;
    job.params = all.trials[trial].params;
    return job;
  };
  queued.finish = [this, at, trial](const Job& job, const TrialOutcome& outcome) {
    ++summary_.ran;
    summary_.interrupted = summary_.interrupted || outcome.status == "interrupted";
    if (outcome.status == "interrupted") return fmt::format("{}: {}", outcome.status, outcome.error);
    if (outcome.status != "ok")
      write_failed_tuning(job.output,
                          {{"algorithm", job.algorithm}, {"params", job.params.to_json()}, {"label", job.label}, {"seed", std::to_string(job.seed)}, {"fold", job.fold}, {"dataset", job.dataset}, {"fit", job.fit}},
                          outcome.status, outcome.error, outcome.seconds);
    plan_.tunings[at].trials[trial].result = tuning_results_(job.fit);  // for whoever asks for the best so far
    return outcome.status == "ok" ? fmt::format("{}  {}", outcome.metric, format_seconds(outcome.seconds)) : fmt::format("{}: {}", outcome.status, outcome.error);
  };
  return queued;
}

void Run::plan_again() {
  std::string folder = plan_.manifest.folder;
  plan_ = make_plan(spec_, algorithms_, datasets_, tuning_results_);
  plan_.manifest.folder = std::move(folder);
  options_.results.write_manifest(plan_.manifest);
}

// What a tuner has found, or why its row has nothing.
void Run::announce(std::size_t at) {
  const Tuning& tuning = plan_.tunings[at];
  const std::string row = row_title(*tuning.algorithm, *tuning.dataset, tuning.fold, spec_);
  std::size_t failed = 0;
  std::string why;
  for (const TuningTrial& t : tuning.trials)
    if (t.result && t.result->failed && ++failed == 1) why = t.result->error;
  if (failed > 0) log_warning("{}: {} of {} tuning trials failed; the first: {}", row, failed, tuning.trials.size(), why);
  if (!tuning.winner) {
    for (const PlannedTrial& t : plan_.trials) {
      if (t.tuning != at) continue;
      journal_.append({"", "failed", t.fit, t.algorithm->label, t.fold, t.seed, 0, fmt::format("all {} tuning trials failed; the first: {}", tuning.trials.size(), why)});
      ++summary_.failed;
    }
    return;
  }
  const TuningTrial& best = tuning.trials[*tuning.winner];
  display_.message(fmt::format("{}: {}  ({} {:.4f} on validation, the best of {})", row, settings_text(best.proposal.settings), tuning.algorithm->tune->metric, best.result->value, tuning.settings));
}

// Rounds of all tuners together, so that many small rounds keep many processes busy.
void Run::tune() {
  // Entries that differ in nothing but what becomes of the winner share their trials.
  std::map<std::vector<std::string>, std::size_t> searches;
  std::size_t left = 0;
  for (const Tuning& t : plan_.tunings) {
    if (!wanted(t) || t.finished) continue;
    std::vector<std::string> fits{std::to_string(t.planned)};
    for (const TuningTrial& trial : t.trials) fits.push_back(trial.fit);
    if (searches[fits]++ == 0) left += t.left();
  }
  queue_.expect(left, "tuning");
  for (;;) {
    std::deque<QueuedTrial> round;
    std::vector<std::size_t> asked;
    std::set<std::string> seen;
    TrialQueue::Later later;
    for (std::size_t at = 0; at < plan_.tunings.size(); ++at) {
      const Tuning& tuning = plan_.tunings[at];
      if (!wanted(tuning) || tuning.finished) continue;
      asked.push_back(at);
      double rest = tuning.rest;
      const std::size_t queued = round.size();
      for (const std::size_t trial : tuning.missing()) {
        if (!seen.insert(tuning.trials[trial].fit).second) continue;
        rest -= tuning.share(trial);
        round.push_back(tuning_trial(at, trial));
      }
      if (round.size() > queued) later.emplace_back(tuning.algorithm->label, rest);
    }
    if (round.empty()) return;
    queue_.run(std::move(round), options_.jobs, later);
    plan_again();
    summary_.interrupted = summary_.interrupted || InterruptScope::count() > 0;
    if (summary_.interrupted) return;
    for (const std::size_t at : asked)
      if (plan_.tunings[at].finished) announce(at);
  }
}

// --- everything else

void Run::run_all(const std::deque<Work>& works, int jobs, bool with_latency) {
  std::deque<QueuedTrial> queue;
  for (const Work& work : works) {
    const PlannedTrial& t = plan_.trials[work.trial];
    QueuedTrial queued;
    queued.seconds = expected_seconds(history_, t.fit, t.algorithm->label);
    queued.label = t.algorithm->label;
    queued.title = [this, &t] { return trial_title(t, spec_); };
    queued.job = [this, work, with_latency] { return make_trial_job(work, with_latency); };
    queued.finish = [this](const Job&, const TrialOutcome& outcome) {
      ++summary_.ran;
      if (outcome.status == "interrupted") summary_.interrupted = true;
      else if (outcome.status != "ok") ++summary_.failed;
      return outcome.status == "ok" ? fmt::format("{}  {}", outcome.metric, format_seconds(outcome.seconds)) : fmt::format("{}: {}", outcome.status, outcome.error);
    };
    queue.push_back(std::move(queued));
  }
  queue_.run(std::move(queue), jobs);
}

void Run::remove_stored() {
  for (const ManifestTask& t : plan_.manifest.tasks) fs::remove(options_.results.task_file(t.id));
  for (const PlannedTrial& t : plan_.trials)
    if (is_wanted(*t.algorithm, options_.only)) forget(t.fit);
  // Of later rounds the plan knows nothing where an earlier one cannot be read.
  std::vector<ManifestTuning> tunings = plan_.manifest.tuning;
  try {
    const std::vector<ManifestTuning> stored = options_.results.read_manifest().tuning;
    tunings.insert(tunings.end(), stored.begin(), stored.end());
  } catch (const Error& e) {
    log_debug("{}", e.what());
  }
  std::set<std::string> labels;
  for (const Tuning& t : plan_.tunings)
    if (wanted(t)) labels.insert(t.algorithm->label);
  for (const ManifestTuning& tuning : tunings)
    for (const ManifestTuning::Trial& t : tuning.trials)
      if (labels.contains(tuning.label)) forget(t.fit);
}

RunSummary Run::operator()() {
  const InterruptScope interrupts;
  if (options_.fresh) {
    remove_stored();
    plan_again();
  }
  sweep_checkpoints(options_.results);
  const std::vector<Work> before = find_work(spec_, plan_, algorithms_, options_);
  summary_.trials = before.size();
  std::set<const DatasetEntry*> needed;
  for (const Work& w : before) {
    if (w.any()) needed.insert(plan_.trials[w.trial].dataset);
    else ++summary_.done_before;
  }
  for (const Tuning& t : plan_.tunings) {
    if (!wanted(t)) continue;
    summary_.trials += t.done() + t.left();
    summary_.done_before += t.done();
    if (!t.finished) needed.insert(t.dataset);
    // A tuner without a winner has nothing to fit, and its row says why.
    if (t.finished && !t.winner) summary_.failed += t.algorithm->seeds.size();
  }
  for (const DatasetEntry& entry : spec_.datasets)
    if (task_files_missing(entry)) needed.insert(&entry);
  fs::create_directories(options_.results.root);
  options_.results.write_manifest(plan_.manifest);
  write_text_file(options_.results.root / "suite.yaml", emit_yaml(spec_.resolved));
  if (needed.empty()) {
    summary_.up_to_date = true;
    return summary_;
  }
  history_ = journal_.last_by_fit();
  fs::create_directories(scratch_);
  fs::create_directories(options_.results.root / "trials");
  for (const DatasetEntry& entry : spec_.datasets)
    if (needed.contains(&entry) && InterruptScope::count() == 0) prepare(entry);
  tune();

  std::deque<Work> queue, latency_later;
  // With several jobs, latency waits until nothing else runs.
  for (const Work& w : find_work(spec_, plan_, algorithms_, options_)) {
    if (w.any() && (options_.jobs == 1 || w.fit || w.views)) queue.push_back(w);
    if (options_.jobs > 1 && w.latency) latency_later.push_back(w);
  }
  queue_.expect(queue.size() + latency_later.size(), "suite");
  const auto stopped = [&] { return summary_.interrupted || InterruptScope::count() > 0; };
  if (!stopped()) run_all(queue, options_.jobs, options_.jobs == 1);
  if (!stopped() && !latency_later.empty()) {
    std::erase_if(latency_later, [&](const Work& w) { return !fs::exists(options_.results.trial_file(plan_.trials[w.trial].fit)); });
    run_all(latency_later, 1, true);
  }
  summary_.interrupted = stopped();
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
  sweep_checkpoints(options_.results);
  return summary_;
}

}  // namespace

int trial_threads(const RunOptions& options) {
  return options.threads > 0 ? options.threads : std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)) / std::max(1, options.jobs));
}

RunSummary run_plan(const Spec& spec, Plan& plan, const Registry& algorithms, DatasetStore& datasets, const RunOptions& options) {
  return Run(spec, plan, algorithms, datasets, options)();
}

}  // namespace segue
