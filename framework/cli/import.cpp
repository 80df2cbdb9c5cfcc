// segue import: another system's lists or predictions as a row of a results folder.
#include <algorithm>
#include <limits>

#include <fmt/core.h>

#include "framework/base/clock.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"
#include "framework/experiment/provenance.hpp"
#include "framework/store/exchange_rules.hpp"
#include "framework/store/import_lists.hpp"
#include "framework/store/imports.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string task, label, file, file_format = "auto", fold, unknown = "error", excluded = "error", remove;
  bool force = false;
  TableFormat format{};
};

struct Target {
  ResultsFolder results;
  Manifest manifest;
  const ManifestTask* task = nullptr;  // null: the text names a folder alone
};

// A results folder, folder:task, or the path of a task file.
Target find_target(const std::string& text) {
  std::string root = text, name;
  if (const fs::path path = text; path.extension() == ".h5") {
    root = path.parent_path().parent_path().string();
    name = path.stem().string();
    if (root.empty()) root = ".";
  } else if (const std::size_t colon = text.rfind(':'); colon != std::string::npos && !fs::exists(path / "plan.json")) {
    root = text.substr(0, colon);
    name = text.substr(colon + 1);
  }
  Target out{{root}, ResultsFolder{root}.read_manifest()};
  if (name.empty()) return out;
  std::vector<std::string> known;
  for (const ManifestTask& t : out.manifest.tasks) {
    known.push_back(t.name);
    if (t.id == name) known.back() = t.id;
    if (t.name != name && t.id != name) continue;
    if (out.task != nullptr)
      throw UsageError("{} has several tasks '{}'; name one by its id: {}, {}", root, name, out.task->id, t.id);
    out.task = &t;
  }
  if (out.task == nullptr) throw UsageError("{} has no task '{}'{}", root, name, suggestion(name, known));
  return out;
}

// Where only a folder is given, its one task; of lists and ratings the lists.
const ManifestTask& task_of(const Target& target) {
  if (target.task != nullptr) return *target.task;
  for (const bool ratings : {false, true}) {
    std::vector<const ManifestTask*> tasks;
    for (const ManifestTask& t : target.manifest.tasks)
      if (t.ratings == ratings) tasks.push_back(&t);
    if (tasks.size() == 1) return *tasks.front();
    if (tasks.empty()) continue;
    std::vector<std::string> names;
    for (const ManifestTask* t : tasks) names.push_back(t->name);
    throw UsageError("{0} has several tasks: {1}; name one, as in --task {0}:{2}", target.results.root.string(),
                     fmt::join(names, ", "), names.front());
  }
  throw UsageError("{} has no task", target.results.root.string());
}

const StoredTaskFold& fold_of(const StoredTask& task, const std::string& wanted) {
  std::vector<std::string> names;
  for (const StoredTaskFold& f : task.folds) {
    names.push_back(f.name);
    if (f.name == wanted || (wanted.empty() && task.folds.size() == 1)) return f;
  }
  if (wanted.empty())
    throw UsageError("the task has several folds, each with a file of its own: name one with --fold; known: {}",
                     fmt::join(names, ", "));
  throw UsageError("the task has no fold '{}'{}", wanted, suggestion(wanted, names));
}

// A trial of the suite that holds the test ratings, since task files hold truth for lists only.
StoredRatings reference_ratings(const Target& target, const ManifestTask& task, const std::string& fold) {
  for (const ManifestTrial& t : target.manifest.trials) {
    if (t.fold != fold || !fs::exists(target.results.trial_file(t.fit))) continue;
    if (auto ratings = TrialFile(target.results.trial_file(t.fit)).ratings(task.id)) return std::move(*ratings);
  }
  throw UsageError(
      "no trial of {} has predicted ratings for task '{}' yet, and the test ratings are read from one; run the suite "
      "first, with 'bias' for example",
      target.results.root.string(), task.name);
}

std::string rows(std::uint64_t n, const char* one = "row", const char* many = "rows") {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

void report(const ImportCounts& c, const std::string& file) {
  if (c.unknown > 0) log_warning("{}: {} of unknown users or items left out", file, rows(c.unknown));
  if (c.excluded > 0) log_warning("{}: {} of items that the task excludes left out", file, rows(c.excluded));
  if (c.without_list > 0)
    log_warning("{} of the task's {} have no list: they count, with 0", rows(c.without_list, "user", "users"),
                c.queries);
  if (c.ranks_contradict > 0)
    log_warning("the ranks of {} are not the order of their scores; scores count, as in trec_eval",
                rows(c.ranks_contradict, "user", "users"));
  if (c.not_asked > 0) log_info("{}: {} that this task does not ask for left out", file, rows(c.not_asked));
  if (c.tied > 0)
    log_info("{} the score of the one above: the task's own order decides", rows(c.tied, "item has", "items have"));
}

std::string command_of(const Arguments& a) {
  std::string out = fmt::format("segue import --task {} --label '{}' {}", a.task, a.label, a.file);
  if (a.file_format != "auto") out += " --file-format " + a.file_format;
  if (!a.fold.empty()) out += " --fold " + a.fold;
  if (a.unknown != "error") out += " --unknown " + a.unknown;
  if (a.excluded != "error") out += " --excluded " + a.excluded;
  return out;
}

ExitCode run_remove(const Arguments& args) {
  if (!args.file.empty() || !args.label.empty()) throw UsageError("--remove takes neither a file nor --label");
  const Target target = find_target(args.task);
  for (const ImportEntry& e :
       remove_imports(target.results, args.remove, target.task == nullptr ? "" : target.task->id))
    fmt::print("removed '{}' ({}), imported from {} on {}\n", e.label, e.fit, e.file, e.date.substr(0, 10));
  return ExitCode::kOk;
}

ExitCode run_import(const Arguments& args) {
  if (args.file.empty()) throw UsageError("`segue import` needs FILE: the lists to import");
  if (args.label.find_first_not_of(" \t") == std::string::npos || args.label.find('\n') != std::string::npos)
    throw UsageError("`segue import` needs --label: the name of the row, in one line");
  const Target target = find_target(args.task);
  const ManifestTask& task = task_of(target);
  if (!fs::exists(target.results.task_file(task.id)))
    throw UsageError("{} is missing: run the suite first, e.g. segue run {}",
                     target.results.task_file(task.id).string(), (target.results.root / "suite.yaml").string());
  const StoredTask stored = read_task(target.results.task_file(task.id));
  const StoredTaskFold& fold = fold_of(stored, args.fold);
  const ImportOptions options{parse_list_format(args.file_format), args.unknown == "drop", args.excluded == "drop"};

  ImportEntry entry{.label = args.label,
                    .task = task.id,
                    .fold = fold.name,
                    .folds = {},
                    .fit = "",
                    .file = fs::path(args.file).filename().string(),
                    .content = "",
                    .date = utc_now(),
                    .command = command_of(args)};
  for (const StoredTaskFold& f : stored.folds) entry.folds.push_back(f.name);
  check_import(target.results, entry, args.force);  // before the work of reading
  TrialRecord record;
  ImportCounts counts;
  std::string what;
  std::map<std::string, double> means;
  // Without the data set's name, which is there where the suite has several.
  const std::string view_name =
      task.name.starts_with(task.dataset + "/") ? task.name.substr(task.dataset.size() + 1) : task.name;
  if (task.ratings) {
    ImportedRatings in = import_ratings(args.file, stored, reference_ratings(target, task, fold.name), options);
    in.ratings.name = view_name;
    add_means(in.ratings, task.metrics);
    counts = in.counts;
    what = rows(counts.queries, "prediction", "predictions");
    means = in.ratings.means;
    record.ratings.push_back(std::move(in.ratings));
  } else {
    ImportedLists in = import_lists(args.file, stored, fold, options);
    in.view.name = view_name;
    for (const std::string& metric : add_means(in.view, task.metrics, stored, fold))
      log_warning("no {} for '{}': imported lists are known for their first {} places only", metric, args.label,
                  in.view.k);
    if (TaskRules(stored, fold).given())
      log_info("the candidates of this task came with the data set; whether the lists keep to them is not checked");
    counts = in.counts;
    what = fmt::format("{} of up to {} items", rows(counts.queries - counts.without_list, "list", "lists"), in.view.k);
    means = in.view.means;
    record.views.push_back(std::move(in.view));
  }
  record.timing.fit_seconds = std::numeric_limits<double>::quiet_NaN();  // nobody here knows
  const FileReader source(args.file);
  entry.content = Hasher().bytes(source.bytes().data(), source.bytes().size()).hex();
  record.attributes = provenance();
  for (const auto& [name, value] : std::map<std::string, std::string>{{"algorithm_version", "0"},
                                                                      {"algorithm_origin", entry.file},
                                                                      {"plugin_hash", ""},
                                                                      {"params", "{}"},
                                                                      {"seed", "0"},
                                                                      {"dataset", task.dataset},
                                                                      {"dataset_fingerprint", task.dataset_fingerprint},
                                                                      {"status", "ok"},
                                                                      {"suite", target.manifest.spec},
                                                                      {"import_file", entry.file},
                                                                      {"import_content", entry.content},
                                                                      {"import_command", entry.command}})
    record.attributes[name] = value;
  const std::string fit = store_import(target.results, entry, std::move(record), args.force);
  report(counts, args.file);
  if (args.format == TableFormat::kText)
    fmt::print("imported {} as '{}' into task {} of {} ({})\n", what, args.label, task.name,
               target.results.root.string(), target.results.trial_file(fit).string());
  Table table;
  table.columns = {{"metric"}, {"value", Align::kRight}};
  for (const auto& [name, value] : means) table.add({name.substr(0, name.rfind(".v")), Cell::fixed(value, 4)});
  show(table, args.format);
  return ExitCode::kOk;
}

}  // namespace

void add_import(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd =
      add_command(app, "import", "puts another system's lists on a leaderboard of this one",
                  {{"segue import --task results/quickstart:full --label theirs run.trec", "a TREC run"},
                   {"segue import --task results/mine --label lenskit recs.csv", "user, item, score or rank"},
                   {"segue import --task results/cv --fold u1 --label theirs u1.tsv", "a file a fold"},
                   {"segue import --task results/quickstart --remove theirs", "takes it out again"}});
  cmd.add_option("FILE", args->file, "TREC run, or CSV or TSV with user, item, score")->type_name("FILE");
  cmd.add_option("--task", args->task, "results folder, folder:task, or a task file")->required()->type_name("DIR");
  cmd.add_option("--label", args->label, "name of the row")->type_name("NAME");
  cmd.add_option("--fold", args->fold, "which fold of the task the file is for")->type_name("NAME");
  cmd.add_option("--file-format", args->file_format, "how the file is laid out")
      ->type_name(kListFormats)
      ->default_str("auto");
  const auto drop_or_error = CLI::IsMember(std::vector<std::string>{"error", "drop"});
  cmd.add_option("--unknown", args->unknown, "rows with users or items that the data set lacks")
      ->check(drop_or_error)
      ->type_name("error|drop")
      ->default_str("error");
  cmd.add_option("--excluded", args->excluded, "rows with items that the task excludes, such as heard ones")
      ->check(drop_or_error)
      ->type_name("error|drop")
      ->default_str("error");
  cmd.add_flag("--force", args->force, "replace what was imported under this label");
  cmd.add_option("--remove", args->remove, "take an imported row out again")->type_name("NAME");
  add_format(cmd, args->format);
  on_run(cmd, session, [args] { return args->remove.empty() ? run_import(*args) : run_remove(*args); });
}

}  // namespace segue
