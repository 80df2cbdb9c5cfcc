// segue evaluate: any metric at any cut-off, from stored lists.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/cli/stored_model.hpp"
#include "framework/eval/dialects.hpp"
#include "framework/eval/slices.hpp"
#include "framework/eval/summary.hpp"
#include "framework/report/leaks.hpp"

namespace segue {

namespace {

struct Arguments {
  ResultsArguments results;
  std::vector<std::string> metrics, rows, by;
  std::string dialect, per_query, embeddings;
  bool ceiling = false;
  TableFormat format{};
};

std::vector<std::string> names_of_parts() {
  std::vector<std::string> names;
  for (const SliceParts& parted : slice_parts()) names.push_back(parted.name);
  return names;
}

// Each metric followed by its slices. A metric that has no such parts (coverage reads no truth) stands alone, with a note.
std::vector<MetricSpec> metrics_of(const Arguments& args, const ManifestTask& task, std::vector<std::string>& notes) {
  std::vector<MetricSpec> metrics;
  std::string refused;
  bool sliced = args.by.empty();
  for (const std::string& text : args.metrics.empty() ? task.metrics : args.metrics) {
    const MetricSpec whole = parse_metric(text);
    if (std::any_of(metrics.begin(), metrics.end(), [&](const MetricSpec& m) { return m.text() == whole.text(); })) continue;
    metrics.push_back(whole);
    if (!args.by.empty() && text.find(':') != std::string::npos) throw UsageError("--by makes slices, and '{}' is one already", text);
    for (const std::string& by : args.by) {
      const auto it = std::ranges::find(slice_parts(), by, &SliceParts::name);
      if (it == slice_parts().end()) throw UsageError("unknown parts '{}'{}", by, suggestion(by, names_of_parts()));
      try {
        for (const SliceParts::Part& part : it->parts) metrics.push_back(parse_metric(text + ":" + part.slice));
        sliced = true;
      } catch (const UsageError& error) {
        refused = error.what();
        notes.push_back(fmt::format("not by {}: {}", by, refused));
      }
    }
  }
  if (!sliced) throw UsageError("{}", refused);
  return metrics;
}

// The same lists under another library's definitions: every metric of it that can be computed, at the cut-offs of the task's metrics.
void evaluate_dialect(const Arguments& args, const TaskEvidence& evidence, const std::vector<const EvidenceRow*>& rows, std::vector<std::string>& names,
                      std::vector<std::vector<double>>& figures, std::vector<std::string>& notes) {
  std::vector<DialectSpec> specs;
  if (!args.metrics.empty()) {
    for (const std::string& text : args.metrics) specs.push_back(parse_dialect_metric(args.dialect, text));
  } else {
    std::set<std::size_t> cutoffs;
    for (const std::string& m : evidence.task.metrics)
      if (const std::size_t k = parse_metric(m).k; k > 0) cutoffs.insert(k);
    if (cutoffs.empty()) cutoffs.insert(10);
    for (const DialectMetric& metric : dialect(args.dialect)) {
      if (!metric.impossible.empty()) continue;
      if (!metric.has_cutoff()) specs.push_back({&metric, 0});
      else
        for (const std::size_t k : cutoffs) specs.push_back({&metric, k});
    }
  }
  std::set<std::string> reasons;
  figures.assign(rows.size(), std::vector<double>(specs.size(), std::nan("")));
  for (const DialectSpec& spec : specs) names.push_back(spec.text());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::vector<std::vector<double>> values(specs.size());
    for (const EvidenceTrial& trial : rows[r]->trials) {
      if (!trial.present) continue;
      evidence.with_outcome(trial, TrialFile(trial.file), {}, [&](const RankingOutcome& outcome) {
        for (std::size_t m = 0; m < specs.size(); ++m) {
          if (const std::string reason = why_not(specs[m], outcome); reason.empty()) values[m].push_back(compute(specs[m], outcome).mean);
          else reasons.insert(reason);
        }
      });
    }
    for (std::size_t m = 0; m < specs.size(); ++m) figures[r][m] = mean_of(values[m]);
  }
  for (const DialectSpec& spec : specs)
    if (!spec.metric->same) notes.push_back(fmt::format("{}: {}{}", spec.text(), spec.metric->definition, spec.metric->ours.empty() ? "" : " (here: " + spec.metric->ours + ")"));
  notes.insert(notes.end(), reasons.begin(), reasons.end());
}

// What a model that learns from events can reach at most.
std::vector<double> ceilings(const TaskEvidence& evidence, std::span<const MetricSpec> metrics) {
  std::vector<double> out(metrics.size(), std::nan(""));
  for (const EvidenceRow& row : evidence.rows) {
    // The truth is the task's, so the trials of any complete row know it.
    if (row.present() == 0 || row.present() < row.trials.size()) continue;
    std::vector<std::vector<double>> values(metrics.size());
    for (const EvidenceTrial& trial : row.trials)
      evidence.with_outcome(trial, TrialFile(trial.file), {}, [&](const RankingOutcome& outcome) {
        for (std::size_t m = 0; m < metrics.size(); ++m)
          if (metrics[m].card->kind == MetricKind::kPerQuery && why_not(metrics[m], outcome).empty()) values[m].push_back(ceiling(metrics[m], outcome).mean);
      });
    for (std::size_t m = 0; m < metrics.size(); ++m) out[m] = mean_of(values[m]);
    return out;
  }
  return out;
}

// The item vectors of a row's model, as the space in which the diversity of all rows is measured.
void borrow_vectors(const std::string& label, Session& session, TaskEvidence& evidence) {
  const EvidenceRow& row = evidence.find(label);
  const auto trial = std::find_if(row.trials.begin(), row.trials.end(), [](const auto& t) { return t.present; });
  if (trial == row.trials.end()) throw UsageError("'{}' has not run, so it has no item vectors", label);
  const StoredModel stored = open_stored_model(session, trial->file.string(), "");
  const EmbeddingSpace* space = stored.model->embeddings();
  if (space == nullptr) throw UsageError("'{}' has no item vectors; factor models such as implicit_als have", label);
  const Matrix<float>& vectors = space->item_vectors();
  evidence.item_vectors.assign(vectors.data(), vectors.data() + vectors.size());
  evidence.vector_dim = static_cast<std::size_t>(vectors.cols());
}

std::vector<const EvidenceRow*> rows_of(const Arguments& args, const TaskEvidence& evidence) {
  std::vector<const EvidenceRow*> rows;
  if (args.rows.empty()) {
    for (const EvidenceRow& row : evidence.rows)
      if (row.present() > 0) rows.push_back(&row);
  } else {
    for (const std::string& label : args.rows) rows.push_back(&evidence.find(label));
  }
  return rows;
}

// Figures of one metric, or of all of one kind, have the same number of decimals.
Cell figure(double value, const std::vector<std::vector<double>>& figures, std::size_t metric) {
  double largest = 0;
  for (const auto& row : figures)
    if (!std::isnan(row[metric])) largest = std::max(largest, std::abs(row[metric]));
  return Cell::fixed(value, decimals_for(largest));
}

// A line a row of the leaderboard; or, where metrics are many, a line a metric.
Table layout(const std::vector<std::string>& metrics, const std::vector<std::string>& rows, const std::vector<std::vector<double>>& figures, TableFormat format) {
  const bool turned = !for_programs(format) && metrics.size() > 6;
  Table table{.columns = {{turned ? "metric" : "label", Align::kLeft, Wrap::kYes}}, .keys = 1};
  for (const std::string& name : turned ? rows : metrics) table.columns.push_back({name, Align::kRight});
  for (std::size_t i = 0; i < (turned ? metrics : rows).size(); ++i) {
    std::vector<Cell> cells{(turned ? metrics : rows)[i]};
    for (std::size_t j = 0; j < (turned ? rows : metrics).size(); ++j)
      cells.push_back(turned ? figure(figures[j][i], figures, i) : figure(figures[i][j], figures, j));
    table.add(std::move(cells));
  }
  return table;
}

void add_per_query(std::string& out, const TaskEvidence& evidence, const EvidenceRow& row, std::span<const MetricSpec> metrics) {
  for (const EvidenceTrial& trial : row.trials) {
    if (!trial.present) continue;
    const std::vector<MetricValue> values = evidence.evaluate_trial(trial, TrialFile(trial.file), metrics);
    const StoredTaskFold* fold = evidence.stored().find_fold(trial.fold);
    if (fold == nullptr) throw DataError("{} has no fold '{}'; run the suite again with --fresh", evidence.task_file.string(), trial.fold);
    for (std::size_t m = 0; m < metrics.size(); ++m)
      for (std::size_t q = 0; q < values[m].per_query.size(); ++q)
        if (!std::isnan(values[m].per_query[q]))
          out += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", evidence.task.name, row.label, trial.fold, trial.seed, fold->users.at(q), metrics[m].text(), values[m].per_query[q]);
  }
}

// What was computed for a task, as a table with notes.
struct Result {
  std::vector<std::string> names, labels;
  std::vector<std::vector<double>> figures;
  std::vector<std::string> notes;
};

Result evaluate_task(const Arguments& args, const TaskEvidence& evidence, const Executor& exec, std::string& per_query) {
  Result r;
  const std::vector<const EvidenceRow*> rows = rows_of(args, evidence);
  for (const EvidenceRow& row : evidence.rows) {
    const bool shown = std::find(rows.begin(), rows.end(), &row) != rows.end();
    const char* what = row.failed() > 0 ? ", some failed" : "";
    if (shown && row.present() < row.trials.size()) r.notes.push_back(fmt::format("{}: over {} of {} trials{}", row.label, row.present(), row.trials.size(), what));
    if (!shown && args.rows.empty()) r.notes.push_back(fmt::format("left out: {}: {}", row.label, row.failed() > 0 ? "failed" : "has not run"));
  }
  if (rows.empty()) throw UsageError("no row of task '{}' has run", evidence.task.name);
  for (const EvidenceRow* row : rows) r.labels.push_back(row->label);
  r.figures.resize(rows.size());
  if (!args.dialect.empty()) {
    evaluate_dialect(args, evidence, rows, r.names, r.figures, r.notes);
    return r;
  }
  const std::vector<MetricSpec> metrics = metrics_of(args, evidence.task, r.notes);
  for (const MetricSpec& m : metrics) r.names.push_back(m.text());
  std::vector<std::vector<RowMetric>> values(rows.size());
  exec.for_blocks(rows.size(), 1, [&](std::size_t i, std::size_t) { values[i] = evidence.evaluate(*rows[i], metrics); });
  std::set<std::string> reasons;
  bool any = false, empty = false;
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (const RowMetric& v : values[i]) {
      r.figures[i].push_back(v.mean);
      if (!v.missing.empty()) reasons.insert(v.missing);
      any = any || v.missing.empty();
      empty = empty || (v.missing.empty() && std::isnan(v.mean) && rows[i]->present() > 0);
    }
  if (!any) throw UsageError("{}", *reasons.begin());
  r.notes.insert(r.notes.end(), reasons.begin(), reasons.end());
  if (empty) r.notes.push_back("-: no user has such a truth");
  if (args.ceiling) {
    r.labels.push_back("(ceiling)");
    r.figures.push_back(ceilings(evidence, metrics));
    r.notes.push_back("(ceiling): every truth item that training has seen ranked first, the others nowhere; - where that says nothing");
  }
  if (!args.per_query.empty()) {
    for (const EvidenceRow* row : rows) add_per_query(per_query, evidence, *row, metrics);
    for (const MetricSpec& m : metrics)
      if (m.card->kind == MetricKind::kUnion) r.notes.push_back(fmt::format("{} has one value for all lists together, so {} does not hold it", m.text(), args.per_query));
  }
  return r;
}

ExitCode evaluate(Arguments& args, Session& session) {
  if (!args.dialect.empty() && (!args.by.empty() || args.ceiling || !args.per_query.empty()))
    throw UsageError("--as shows another library's figures; it goes with --metrics, not with --by, --ceiling or --per-query");
  std::vector<TaskEvidence> tasks = gather(args.results);
  // What is only there for lists leaves tasks of ratings out.
  for (const auto& [asked, option] : {std::pair{!args.dialect.empty(), "--as"}, {args.ceiling, "--ceiling"}, {!args.per_query.empty(), "--per-query"}}) {
    if (!asked) continue;
    std::erase_if(tasks, [](const TaskEvidence& t) { return t.task.ratings; });
    if (tasks.empty()) throw UsageError("{} goes with rankings, and these tasks predict ratings", option);
  }
  const Executor exec;
  std::string per_query = "task\tlabel\tfold\tseed\tuser\tmetric\tvalue\n";
  std::vector<TablePart> parts;
  bool first = true;
  for (TaskEvidence& evidence : tasks) {
    if (!args.embeddings.empty() && !evidence.task.ratings) borrow_vectors(args.embeddings, session, evidence);
    const Result r = evaluate_task(args, evidence, exec, per_query);
    Table table = layout(r.names, r.labels, r.figures, args.format);
    if (for_programs(args.format)) {
      parts.push_back({part_of(evidence.task), std::move(table)});
      continue;
    }
    const std::string leaks = leak_line(evidence);
    show_heading(evidence.task, leaks, args.format, first);
    show(table, args.format, caption_of(evidence.task, leaks));
    show_notes(r.notes, args.format);
    first = false;
  }
  show_for_programs(parts, args.format);
  if (!args.per_query.empty()) write_text_file(args.per_query, per_query);
  return ExitCode::kOk;
}

}  // namespace

void add_evaluate(CLI::App& app, Session& session) {
  auto args = std::make_shared<Arguments>();
  CLI::App& cmd = add_command(app, "evaluate", "computes any metric at any cut-off from stored lists, without training again",
                              {{"segue evaluate results/quickstart --metrics ndcg@5,recall@20,coverage@10", "of every row"},
                               {"segue evaluate results/quickstart --metrics ndcg@10 --by popularity", "in five bins from the rarest to the most popular"},
                               {"segue evaluate results/quickstart --as trec", "the same lists under the definitions of trec_eval"},
                               {"segue evaluate results/quickstart --metrics hr@10 --per-query hits.tsv", "a line a user, for your own statistics"}});
  add_results(cmd, args->results);
  cmd.add_option("--metrics", args->metrics, "separated by commas; metric@k:slice for a part of it; default: those of the suite (see `segue metric list`)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("METRIC");
  cmd.add_option("--rows", args->rows, "labels, separated by commas; default: all")->delimiter(',')->allow_extra_args(false)->type_name("LABEL");
  cmd.add_option("--by", args->by, "each metric in parts of the truth or of the users")->delimiter(',')->allow_extra_args(false)->type_name(fmt::format("{}", fmt::join(names_of_parts(), "|")));
  cmd.add_option("--as", args->dialect, "the lists under the definitions of another library")->type_name("trec|recbole|lenskit|implicit");
  cmd.add_flag("--ceiling", args->ceiling, "adds what a model that learns from events can reach at most");
  cmd.add_option("--embeddings", args->embeddings, "row whose item vectors are the space for ild_vectors@k")->type_name("LABEL");
  cmd.add_option("--per-query", args->per_query, "writes every user's value too, tab-separated")->type_name("FILE");
  add_format(cmd, args->format);
  on_run(cmd, session, [args, &session] { return evaluate(*args, session); });
}

}  // namespace segue
