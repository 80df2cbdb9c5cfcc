#include "framework/report/report.hpp"

#include <cmath>
#include <numeric>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "framework/base/build_info.hpp"
#include "framework/base/errors.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/param/space.hpp"
#include "framework/report/cache.hpp"
#include "framework/report/leaks.hpp"
#include "framework/report/reproduction.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Attributes = std::map<std::string, std::string>;

constexpr std::size_t kMostTrials = 500;  // a page with more lines helps nobody

// Trials of one folder: those that are there with where they come from, and those that failed.
struct Trials {
  struct Done {
    const ManifestTrial* trial;
    Attributes attributes;
  };
  std::vector<Done> done;
  std::vector<ReportFailure> failures;
};

std::string shell_word(const std::string& text) {
  if (!text.empty() &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=,@+:") ==
          std::string::npos)
    return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

Trials gather_trials(const ResultsFolder& results, const Manifest& manifest) {
  const auto journal = Journal(results.journal_file()).last_by_fit();
  Trials out;
  for (const ManifestTrial& trial : manifest.trials) {
    if (fs::exists(results.trial_file(trial.fit))) {
      out.done.push_back({&trial, TrialFile(results.trial_file(trial.fit)).attributes()});
    } else if (const auto it = journal.find(trial.fit); it != journal.end() && it->second.is_failure()) {
      const JournalEntry& e = it->second;
      out.failures.push_back({trial.label, trial.fold, std::to_string(trial.seed),
                              fmt::format("{} after {:.1f} s, {}", e.event, e.seconds, e.time), e.error,
                              fmt::format("segue run {0}.yaml --only {1} -o results/{0}", shell_word(manifest.suite),
                                          shell_word(trial.label))});
    }
  }
  return out;
}

// --- boards

void flatten(const Json& value, const std::string& name, Table& out) {
  if (value.is_object()) {
    for (const auto& [key, inner] : value.items()) flatten(inner, name.empty() ? key : name + "." + key, out);
  } else {
    out.add({name, value.is_string() ? value.get<std::string>() : value.dump()});
  }
}

Table task_settings(const ManifestTask& task) {
  Table out = record_table();
  const Json description = Json::parse(task.description, nullptr, false);
  if (description.is_object())
    for (const auto& [part, settings] : description.items()) flatten(settings, part == "task" ? "" : part, out);
  return out;
}

std::vector<std::string> warnings_of(const fs::path& task_file) {
  std::vector<std::string> out;
  if (!fs::exists(task_file)) return out;
  for (const StoredTaskFold& fold : read_task(task_file, TaskParts::kCounters).folds)
    for (const std::string& warning : fold.warnings)
      if (std::find(out.begin(), out.end(), warning) == out.end()) out.push_back(warning);
  return out;
}

ReportBoard make_board(const TaskEvidence& evidence, Leaderboard board, const LeaderboardOptions& statistics) {
  const ManifestTask& task = board.task;
  ReportBoard out;
  if (const std::vector<Reproduction> published = reproductions(board); !published.empty()) {
    out.published = reproduction_table(published);
    out.sources = reproduction_notes(published);
  }
  const std::size_t planned = board.rows.size();
  std::erase_if(board.rows, [](const LeaderboardRow& row) { return row.status == "not run"; });
  out.heading = task.name;
  out.kind = fmt::format("{} on {}",
                         task.ratings             ? "Prediction of ratings"
                         : task.sampled           ? "Ranking of sampled candidates"
                         : task.retrieval.empty() ? "Full ranking"
                                                  : "Lists of an index",
                         task.dataset_title.empty() ? task.dataset : task.dataset_title);
  out.task = task.id;
  out.table = leaderboard_table(board);
  out.notes = leaderboard_notes(board, statistics);
  if (const std::size_t waiting = planned - board.rows.size(); waiting > 0)
    out.notes.push_back(fmt::format("{} more {} not run yet", waiting, waiting == 1 ? "row has" : "rows have"));
  out.leaks = leak_facts(evidence);
  out.warnings = warnings_of(evidence.task_file);
  out.settings = task_settings(task);
  return out;
}

// --- cards

ReportCard metric_card(const std::string& name, const MetricCard& card) {
  ReportCard out{name, card.title, {{"Formula", card.formula}}, card.higher_is_better};
  out.facts.emplace_back("Range", fmt::format("{:g} to {}, {} is better", card.low,
                                              std::isinf(card.high) ? "any" : fmt::format("{:g}", card.high),
                                              card.higher_is_better ? "higher" : "lower"));
  out.facts.emplace_back("Mean over", card.averaged);
  out.facts.emplace_back("Source", card.citation);
  if (!card.variants.empty()) out.facts.emplace_back("Elsewhere", card.variants);
  out.facts.emplace_back("Version", std::to_string(card.version));
  return out;
}

// What is no metric. Columns that are not here have no card.
const std::vector<ReportCard>& cost_cards() {
  static const std::vector<ReportCard> cards{
      {"tried",
       "Settings tried",
       {{"Meaning",
         "settings of the same entry of the suite that were compared on these very test data, and the best of many is "
         "flattered; of a tuned row, settings that its tuner compared on validation data alone"}},
       {}},
      {"gain",
       "Gain by tuning",
       {{"Meaning",
         "of a tuned row: by how much its first metric is better than that of the row with the entry's own settings"}},
       true},
      {"of exact",
       "Share of the exact lists",
       {{"Meaning", "of the items that the lists of all scores hold, the share that an index found too"}},
       true},
      {"trials",
       "Trials of the row",
       {{"Meaning", "fits with their folds and seeds whose mean is shown; 3/5: three of five have run"}},
       {}},
      {"fit s",
       "Seconds to train",
       {{"Meaning", "wall-clock time of a fit, mean over the row's trials, loading left out"}},
       false},
      {"p50 us",
       "Median latency",
       {{"Meaning", "microseconds to answer one query, one query at a time, nothing else running"}},
       false},
      {"p99 us",
       "99th percentile of the latency",
       {{"Meaning", "microseconds within which 99 of 100 queries are answered, one at a time"}},
       false},
      {"peak MiB",
       "Peak memory",
       {{"Meaning", "largest resident set of a trial's process, data and evaluation included"}},
       false},
      {"model MiB", "Model size", {{"Meaning", "bytes that the stored model takes"}}, false}};
  return cards;
}

std::vector<ReportCard> cards_for(const std::vector<ReportBoard>& boards) {
  std::vector<ReportCard> metrics, costs;
  std::set<std::string> seen;
  for (const ReportBoard& board : boards)
    for (const Column& column : board.table.columns) {
      const std::string word = column.name.substr(0, column.name.find(' ')), metric = word.substr(0, word.find('@'));
      for (const MetricCard& card : metric_cards())
        if (card.name == metric && seen.insert(word).second) metrics.push_back(metric_card(word, card));
      for (const ReportCard& card : cost_cards())
        if (card.name == column.name && seen.insert(column.name).second) costs.push_back(card);
    }
  metrics.insert(metrics.end(), costs.begin(), costs.end());
  return metrics;
}

// --- tuning

Table tuning_table(const ResultsFolder& results, const Manifest& manifest) {
  Table out{.columns = {{"label", Align::kLeft, Wrap::kYes},
                        {"data set"},
                        {"fold"},
                        {"strategy"},
                        {"trials", Align::kRight},
                        {"failed", Align::kRight},
                        {"metric"},
                        {"validation", Align::kRight},
                        {"chosen settings", Align::kLeft, Wrap::kYes},
                        {"space", Align::kLeft, Wrap::kYes},
                        {"fit s", Align::kRight}}};
  for (const ManifestTuning& t : manifest.tuning) {
    std::size_t done = 0, failed = 0;
    double seconds = 0, best = std::nan("");
    std::string chosen;
    for (const ManifestTuning::Trial& trial : t.trials) {
      if (trial.fit == t.winner) chosen = settings_text(Value::from_json(trial.settings));
      if (!fs::exists(results.trial_file(trial.fit))) continue;
      const TrialFile file(results.trial_file(trial.fit));
      ++done;
      failed += file.attribute("status") == "ok" ? 0 : 1;
      seconds += file.timing().fit_seconds;
      if (const auto validation = file.validation(); trial.fit == t.winner && !validation.empty())
        best = validation.begin()->second;
    }
    out.add({t.label, t.dataset, t.fold, t.strategy,
             done == t.planned ? Cell(done) : Cell(fmt::format("{}/{}", done, t.planned)), failed, t.metric,
             Cell::fixed(best, 4), chosen.empty() ? "-" : chosen, t.space, Cell::fixed(seconds, 1)});
  }
  return out;
}

// --- data and provenance

Table data_table(const ResultsFolder& results, const Manifest& manifest) {
  Table out{.columns = {{"data set", Align::kLeft, Wrap::kYes},
                        {"users", Align::kRight},
                        {"items", Align::kRight},
                        {"fold"},
                        {"training users", Align::kRight},
                        {"training pairs", Align::kRight},
                        {"fingerprint"}}};
  std::set<std::string> seen;
  for (const ManifestTask& task : manifest.tasks) {
    if (!fs::exists(results.task_file(task.id)) || !seen.insert(task.dataset).second) continue;
    const StoredTask stored = read_task(results.task_file(task.id));
    for (const StoredTaskFold& fold : stored.folds) {
      const std::uint64_t pairs = std::accumulate(fold.train_counts.begin(), fold.train_counts.end(), std::uint64_t{0});
      out.add({task.dataset_title.empty() ? task.dataset : task.dataset_title, stored.user_ids.size(),
               stored.item_ids.size(), fold.name, fold.train_users, pairs, task.dataset_fingerprint});
    }
  }
  return out;
}

// Facts that all trials share, and those in which they differ with how many have which.
Table origin_table(const std::vector<Trials::Done>& done) {
  std::map<std::string, std::map<std::string, std::size_t>> values;
  for (const Trials::Done& d : done)
    for (const auto& [name, value] : d.attributes)
      if (name.starts_with("build_") || name == "cpu" || name.starts_with("blas")) ++values[name][value];
  Table out = record_table();
  for (const auto& [name, counts] : values) {
    std::string text;
    for (const auto& [value, n] : counts)
      text += fmt::format("{}{}{}", text.empty() ? "" : "; ", value,
                          counts.size() > 1 ? fmt::format(" ({} of {} trials)", n, done.size()) : "");
    std::string title = name.starts_with("build_") ? name.substr(6) : name;
    std::replace(title.begin(), title.end(), '_', ' ');
    out.add({title == "version" ? "segue" : title, text});
  }
  return out;
}

std::string attribute(const Attributes& attributes, const std::string& name) {
  const auto it = attributes.find(name);
  return it == attributes.end() ? "" : it->second;
}

Table trials_table(const std::vector<Trials::Done>& done) {
  Table out{.columns = {{"label", Align::kLeft, Wrap::kYes},
                        {"data set"},
                        {"fold"},
                        {"seed", Align::kRight},
                        {"algorithm"},
                        {"version", Align::kRight},
                        {"origin"},
                        {"trained"},
                        {"fit"}}};
  for (const Trials::Done& d : done) {
    if (out.rows.size() == kMostTrials) break;
    const std::string hash = attribute(d.attributes, "plugin_hash"),
                      version = attribute(d.attributes, "algorithm_version");
    out.add({d.trial->label, d.trial->dataset, d.trial->fold, d.trial->seed, d.trial->algorithm,
             Cell(version, version.empty() ? Cell::Data{} : Cell::Data{std::int64_t{std::atoll(version.c_str())}}),
             attribute(d.attributes, "algorithm_origin") + (hash.empty() ? "" : " " + hash),
             attribute(d.attributes, "created"), d.trial->fit});
  }
  return out;
}

// The one value that all trials have under this name; empty where they differ.
std::string shared(const std::vector<Trials::Done>& done, const std::string& name) {
  std::set<std::string> values;
  for (const Trials::Done& d : done) values.insert(attribute(d.attributes, name));
  return values.size() == 1 ? *values.begin() : "";
}

ReportBlock reproduction(const ResultsFolder& results, const Manifest& manifest, const Trials& trials) {
  const std::string commit = shared(trials.done, "build_git_commit"), suite = shell_word(manifest.suite);
  std::string text;
  if (commit.find_first_not_of("0123456789abcdef") == std::string::npos && !commit.empty()) {
    text += fmt::format("git checkout {}\n", commit);
    if (shared(trials.done, "build_git_dirty") != "no")
      text += "# the program had changes that are not in this commit\n";
  }
  text += "cmake --preset release && cmake --build --preset release\n";
  text += fmt::format("# {}.yaml is the suite below\nbuild/release/segue run {}.yaml -o results/{}\n", manifest.suite,
                      suite, suite);
  text += fmt::format("build/release/segue hash results/{}     # here: {}\n", suite, results.hash());
  text += fmt::format("build/release/segue report results/{}\n", suite);
  return {manifest.suite, text};
}

std::string description_of(const Manifest& manifest) {
  const Json spec = Json::parse(manifest.spec, nullptr, false);
  return spec.is_object() && spec.contains("description") && spec["description"].is_string()
             ? spec["description"].get<std::string>()
             : "";
}

void append(std::string& list, const std::string& text) {
  if (!text.empty()) list += (list.empty() ? "" : ", ") + text;
}

}  // namespace

ReportFigure report_figure(const std::string& name, const std::string& title, const std::string& description,
                           const std::string& svg) {
  std::string kind = name.substr(0, name.find('-'));
  std::replace(kind.begin(), kind.end(), '_', ' ');
  if (!kind.empty() && kind[0] >= 'a' && kind[0] <= 'z') kind[0] = static_cast<char>(kind[0] - 'a' + 'A');
  return {name, kind, title, description, svg};
}

ReportPage build_report(const ReportInput& input, const Executor& exec) {
  if (input.folders.empty()) throw UsageError("a report needs a results folder");
  ReportPage page;
  page.generator = "Segue " + build_info().at("version");
  page.figures = input.figures;
  for (const TaskEvidence& evidence : input.tasks)
    page.boards.push_back(make_board(evidence, cached_leaderboard(evidence, input.statistics, exec), input.statistics));
  std::string suites, datasets, from, to, versions, cpus;
  std::size_t done = 0, planned = 0, failed = 0;
  std::set<std::string> titles;
  for (const ResultsFolder& results : input.folders) {
    const Manifest manifest = results.read_manifest();
    const Trials trials = gather_trials(results, manifest);
    const std::string suffix = input.folders.size() > 1 ? " (" + manifest.suite + ")" : "";
    page.failures.insert(page.failures.end(), trials.failures.begin(), trials.failures.end());
    if (!manifest.tuning.empty())
      page.tuning.emplace_back("Settings that were chosen" + suffix, tuning_table(results, manifest));
    page.datasets.emplace_back("Data sets" + suffix, data_table(results, manifest));
    page.reproduce.push_back(reproduction(results, manifest, trials));
    const fs::path suite = results.root / "suite.yaml";
    if (fs::exists(suite)) page.suites.push_back({manifest.suite + ".yaml", read_text_file(suite)});
    if (!trials.done.empty()) {
      page.provenance.emplace_back("Program and machine" + suffix, origin_table(trials.done));
      const std::string cut =
          trials.done.size() > kMostTrials ? fmt::format(" (the first {} of {})", kMostTrials, trials.done.size()) : "";
      page.provenance.emplace_back("Trials" + suffix + cut, trials_table(trials.done));
    }

    append(suites, manifest.suite);
    if (input.folders.size() == 1) page.description = description_of(manifest);
    for (const ManifestTask& task : manifest.tasks)
      if (const std::string& name = task.dataset_title.empty() ? task.dataset : task.dataset_title;
          titles.insert(name).second)
        append(datasets, name);
    for (const Trials::Done& d : trials.done) {
      const std::string day = attribute(d.attributes, "created").substr(0, 10);
      if (from.empty() || day < from) from = day;
      to = std::max(to, day);
    }
    done += trials.done.size();
    planned += manifest.trials.size();
    failed += trials.failures.size();
    for (auto& [list, name] : {std::pair{&versions, "build_version"}, std::pair{&cpus, "cpu"}})
      if (const std::string value = shared(trials.done, name); list->find(value) == std::string::npos)
        append(*list, value);
  }
  page.cards = cards_for(page.boards);
  page.title = input.title.empty() ? suites : input.title;
  if (titles.size() <= 4)
    page.summary.emplace_back("Data", datasets);
  else
    page.summary.emplace_back("Data", fmt::format("{} data sets", titles.size()));
  page.summary.emplace_back("Trials", fmt::format("{}{}{}", done, done < planned ? fmt::format(" of {}", planned) : "",
                                                  failed > 0 ? fmt::format(", {} failed", failed) : ""));
  if (!to.empty()) page.summary.emplace_back("Trained", from == to ? to : from + " to " + to);
  if (!versions.empty()) page.summary.emplace_back("Segue", versions);
  if (!cpus.empty()) page.summary.emplace_back("Processor", cpus);
  return page;
}

}  // namespace segue
