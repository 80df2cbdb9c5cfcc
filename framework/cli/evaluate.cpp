// segue evaluate: any metric at any cut-off, from stored lists.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/results.hpp"
#include "framework/cli/stored_model.hpp"
#include "framework/eval/dialects.hpp"
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

// "popularity" -> pop1 ... pop5
const std::vector<std::pair<std::string, std::vector<std::string>>> kStrata = {
    {"popularity", {"pop1", "pop2", "pop3", "pop4", "pop5"}},
    {"activity", {"act1", "act2", "act3", "act4", "act5"}},
    {"temperature", {"warm", "cold"}},
    {"reachable", {"reachable", "unreachable"}},
    {"repeat", {"repeat", "explore"}},
};

std::vector<std::string> strata_names() {
  std::vector<std::string> names;
  for (const auto& [name, slices] : kStrata) names.push_back(name);
  return names;
}

// Each metric followed by its slices.
std::vector<MetricSpec> metrics_of(const Arguments& args, const ManifestTask& task) {
  std::vector<MetricSpec> metrics;
  for (const std::string& text : args.metrics.empty() ? task.metrics : args.metrics) {
    metrics.push_back(parse_metric(text));
    for (const std::string& by : args.by) {
      const auto it = std::find_if(kStrata.begin(), kStrata.end(), [&](const auto& s) { return s.first == by; });
      if (it == kStrata.end()) throw UsageError("unknown strata '{}'{}", by, suggestion(by, strata_names()));
      for (const std::string& slice : it->second) metrics.push_back(parse_metric(text + ":" + slice));
    }
  }
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

// A line a row of the leaderboard; or, where metrics are many, a line a metric.
Table layout(const std::vector<std::string>& metrics, const std::vector<std::string>& rows, const std::vector<std::vector<double>>& figures, TableFormat format) {
  const bool people = format != TableFormat::kCsv && format != TableFormat::kJson;
  const bool turned = people && metrics.size() > 6;
  Table table({{turned ? "metric" : "label", Align::kLeft, Wrap::kYes}});
  for (const std::string& name : turned ? rows : metrics) table.columns.push_back({name, Align::kRight, Wrap::kYes});
  for (std::size_t i = 0; i < (turned ? metrics : rows).size(); ++i) {
    std::vector<Cell> cells{(turned ? metrics : rows)[i]};
    for (std::size_t j = 0; j < (turned ? rows : metrics).size(); ++j) cells.push_back(Cell::general(turned ? figures[j][i] : figures[i][j], 5));
    table.add(std::move(cells));
  }
  return table;
}

void write_per_query(std::ofstream& out, const TaskEvidence& evidence, const EvidenceRow& row, std::span<const MetricSpec> metrics) {
  for (const EvidenceTrial& trial : row.trials) {
    if (!trial.present) continue;
    const TrialFile file(trial.file);
    const std::vector<MetricValue> values = evidence.evaluate_trial(trial, file, metrics);
    const StoredTaskFold* fold = evidence.stored().find_fold(trial.fold);
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      if (evidence.task.ratings || values[m].per_query.empty()) continue;
      for (std::size_t q = 0; q < values[m].per_query.size(); ++q)
        if (!std::isnan(values[m].per_query[q]))
          out << fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", evidence.task.name, row.label, trial.fold, trial.seed, fold->users.at(q), metrics[m].text(), values[m].per_query[q]);
    }
  }
}

ExitCode evaluate(Arguments& args, Session& session) {
  if (!args.dialect.empty() && (!args.by.empty() || args.ceiling || !args.per_query.empty()))
    throw UsageError("--as shows another library's figures; it goes with --metrics, not with --by, --ceiling or --per-query");
  const Executor exec;
  std::ofstream per_query;
  if (!args.per_query.empty()) {
    per_query.open(args.per_query);
    per_query << "task\tlabel\tfold\tseed\tuser\tmetric\tvalue\n";
    if (!per_query) throw EnvironmentError("cannot write {}", args.per_query);
  }
  NamedTables tables;
  bool first = true;
  for (TaskEvidence& evidence : gather(args.results)) {
    if (!args.dialect.empty() && evidence.task.ratings) continue;
    if (!args.embeddings.empty() && !evidence.task.ratings) borrow_vectors(args.embeddings, session, evidence);
    const std::vector<const EvidenceRow*> rows = rows_of(args, evidence);
    std::vector<std::string> names, labels;
    std::vector<std::vector<double>> figures(rows.size());
    std::vector<std::string> notes;
    for (const EvidenceRow* row : rows) {
      labels.push_back(row->label);
      if (row->present() < row->trials.size()) notes.push_back(fmt::format("{}: {} of {} trials", row->label, row->present(), row->trials.size()));
    }
    if (!args.dialect.empty()) {
      evaluate_dialect(args, evidence, rows, names, figures, notes);
    } else {
      const std::vector<MetricSpec> metrics = metrics_of(args, evidence.task);
      for (const MetricSpec& m : metrics) names.push_back(m.text());
      std::vector<std::vector<RowMetric>> values(rows.size());
      exec.for_blocks(rows.size(), 1, [&](std::size_t r, std::size_t) { values[r] = evidence.evaluate(*rows[r], metrics); });
      std::set<std::string> reasons;
      bool any = rows.empty();
      for (std::size_t r = 0; r < rows.size(); ++r)
        for (const RowMetric& v : values[r]) {
          figures[r].push_back(v.mean);
          if (!v.missing.empty()) reasons.insert(v.missing);
          any = any || v.missing.empty();
        }
      if (!any) throw UsageError("{}", *reasons.begin());
      notes.insert(notes.end(), reasons.begin(), reasons.end());
      if (args.ceiling && !evidence.task.ratings) {
        labels.push_back("(ceiling)");
        figures.push_back(ceilings(evidence, metrics));
        notes.push_back("(ceiling): every truth item that training has seen ranked first, the others nowhere");
      }
      if (per_query.is_open())
        for (const EvidenceRow* row : rows) write_per_query(per_query, evidence, *row, metrics);
    }
    Table table = layout(names, labels, figures, args.format);
    if (args.format == TableFormat::kCsv || args.format == TableFormat::kJson) {
      tables.emplace_back(evidence.task.name, std::move(table));
      continue;
    }
    show_heading(evidence.task, leak_line(evidence), args.format, first);
    show(table, args.format);
    show_notes(notes, args.format);
    first = false;
  }
  if (tables.size() == 1 && args.format == TableFormat::kCsv) show(tables.front().second, args.format);
  else if (!tables.empty()) show(tables, args.format);
  if (per_query.is_open() && !per_query.flush()) throw EnvironmentError("cannot write {}; is the disk full?", args.per_query);
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
  cmd.add_option("--by", args->by, "each metric in parts of the truth or of the users")->delimiter(',')->allow_extra_args(false)->type_name("popularity|activity|temperature|reachable|repeat");
  cmd.add_option("--as", args->dialect, "the lists under the definitions of another library")->type_name("trec|recbole|lenskit|implicit");
  cmd.add_flag("--ceiling", args->ceiling, "adds what a model that learns from events can reach at most");
  cmd.add_option("--embeddings", args->embeddings, "row whose item vectors are the space for ild_vectors@k")->type_name("LABEL");
  cmd.add_option("--per-query", args->per_query, "writes every user's value too, tab-separated")->type_name("FILE");
  add_format(cmd, args->format);
  on_run(cmd, session, [args, &session] { return evaluate(*args, session); });
}

}  // namespace segue
