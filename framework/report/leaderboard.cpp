#include "framework/report/leaderboard.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/eval/latency.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/eval/summary.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Trial files of a folder, each read once however many tasks it serves.
class TrialCache {
 public:
  explicit TrialCache(const ResultsFolder& results) : results_(results) {}
  const TrialRecord* find(const std::string& fit) {
    if (const auto it = records_.find(fit); it != records_.end()) return it->second.get();
    const fs::path file = results_.trial_file(fit);
    return (records_[fit] = fs::exists(file) ? std::make_unique<TrialRecord>(read_trial(file)) : nullptr).get();
  }

 private:
  const ResultsFolder& results_;
  std::map<std::string, std::unique_ptr<TrialRecord>> records_;
};

template <class Stored>
const Stored* of_task(const std::vector<Stored>& all, const std::string& task) {
  const auto it = std::find_if(all.begin(), all.end(), [&](const Stored& s) { return s.task == task; });
  return it == all.end() ? nullptr : &*it;
}

struct Gathered {
  std::map<std::string, std::vector<double>> means;           // by metric, one a trial
  std::map<std::string, std::map<std::string, std::uint64_t>> n;  // by metric and fold
  std::map<std::size_t, std::vector<double>> latency;
  std::vector<double> fit_seconds;
  double ties = 0, queries = 0;
};

void gather(const ManifestTask& task, const ManifestTrial& trial, const TrialRecord& record, Gathered& g, LeaderboardRow& row) {
  for (const std::string& text : task.metrics) {
    const MetricSpec metric = parse_metric(text);
    MetricValue value;
    if (task.ratings) {
      const StoredRatings* stored = of_task(record.ratings, task.id);
      if (stored == nullptr) continue;
      value = compute(metric, stored->outcome());
    } else {
      const StoredView* stored = of_task(record.views, task.id);
      if (stored == nullptr) continue;
      value = compute(metric, stored->outcome());
    }
    g.means[text].push_back(value.mean);
    g.n[text][trial.fold] = value.n;
  }
  if (const StoredView* stored = of_task(record.views, task.id)) {
    for (std::uint8_t tie : stored->tie_at_cut) g.ties += tie;
    g.queries += static_cast<double>(stored->queries);
  }
  g.fit_seconds.push_back(record.timing.fit_seconds);
  for (const LatencySamples& s : record.timing.latency) {
    auto& all = g.latency[s.batch];
    all.insert(all.end(), s.microseconds_per_query.begin(), s.microseconds_per_query.end());
  }
  row.peak_rss_bytes = std::max(row.peak_rss_bytes, record.timing.peak_rss_bytes);
  row.model_bytes = std::max(row.model_bytes, record.model_bytes);
}

LeaderboardRow make_row(const Manifest& manifest, const ManifestTask& task, const std::string& label, TrialCache& trials,
                        const std::map<std::string, JournalEntry>& journal) {
  static const std::set<std::string> failed{"failed", "timeout", "killed"};  // one that was interrupted has merely not run
  LeaderboardRow row;
  row.label = label;
  Gathered g;
  for (const ManifestTrial& trial : manifest.trials) {
    if (trial.label != label || trial.dataset != task.dataset) continue;
    row.algorithm = trial.algorithm;
    if (std::find(trial.tasks.begin(), trial.tasks.end(), task.id) == trial.tasks.end()) continue;
    ++row.planned;
    const TrialRecord* record = trials.find(trial.fit);
    if (record != nullptr && record->has_task(task.id)) {
      ++row.trials;
      gather(task, trial, *record, g, row);
    } else if (const auto it = journal.find(trial.fit); it != journal.end() && failed.contains(it->second.event)) {
      ++row.failed;
      if (row.error.empty()) row.error = it->second.error;
    }
  }
  for (const auto& [metric, means] : g.means) {
    MetricSummary& s = row.metrics[metric];
    s.mean = mean_of(means);
    s.stddev = means.size() > 1 ? stddev_of(means) : 0;
    for (const auto& [fold, n] : g.n[metric]) s.n += n;
  }
  row.fit_seconds = g.fit_seconds.empty() ? kNaN : mean_of(g.fit_seconds);
  row.latency_p50 = row.latency_p99 = kNaN;
  for (const auto& [batch, samples] : g.latency) {
    const LatencySummary s = summarise(samples);
    row.latency_p50_by_batch[batch] = s.p50;
    if (batch == g.latency.begin()->first) {
      row.latency_p50 = s.p50;
      row.latency_p99 = s.p99;
    }
  }
  row.tie_rate = g.queries > 0 ? g.ties / g.queries : 0;
  row.status = row.failed > 0 ? "failed" : row.trials == row.planned ? "ok" : row.trials == 0 ? "not run" : "partial";
  return row;
}

// Best first by the task's first metric; rows without figures last, in the suite's order.
void sort_rows(Leaderboard& board) {
  const std::string& first = board.task.metrics.front();
  const bool higher = parse_metric(first).card->higher_is_better;
  const auto figure = [&](const LeaderboardRow& r) {
    const auto it = r.metrics.find(first);
    return it == r.metrics.end() || std::isnan(it->second.mean) ? -std::numeric_limits<double>::infinity() : higher ? it->second.mean : -it->second.mean;
  };
  std::stable_sort(board.rows.begin(), board.rows.end(), [&](const auto& a, const auto& b) { return figure(a) > figure(b); });
}

}  // namespace

std::vector<Leaderboard> build_leaderboards(const ResultsFolder& results, const std::string& wanted) {
  const Manifest manifest = results.read_manifest();
  const auto journal = Journal(results.journal_file()).last_by_fit();
  TrialCache trials(results);
  std::vector<Leaderboard> boards;
  std::vector<std::string> known;
  for (const ManifestTask& task : manifest.tasks) {
    known.push_back(task.name);
    if (!wanted.empty() && wanted != task.name && wanted != task.id) continue;
    Leaderboard board;
    board.task = task;
    for (const std::string& label : manifest.labels) {
      LeaderboardRow row = make_row(manifest, task, label, trials, journal);
      if (row.planned > 0) board.rows.push_back(std::move(row));
    }
    sort_rows(board);
    boards.push_back(std::move(board));
  }
  if (boards.empty()) throw UsageError("{} has no task '{}'{}", results.root.string(), wanted, suggestion(wanted, known));
  return boards;
}

namespace {

// Decimals below ten, whole numbers above.
std::string short_number(double value, int decimals) { return fmt::format("{:.{}f}", value, value < 9.95 ? decimals : 0); }

}  // namespace

Table leaderboard_table(const Leaderboard& board) {
  Table table;
  table.columns = {{"", Align::kRight}, {"label", Align::kLeft, Wrap::kYes}};
  for (const std::string& m : board.task.metrics) table.columns.push_back({m + (board.task.sampled ? " ~" : ""), Align::kRight});
  const bool several = std::any_of(board.rows.begin(), board.rows.end(), [](const auto& r) { return r.planned > 1; });
  const bool latency = std::any_of(board.rows.begin(), board.rows.end(), [](const auto& r) { return !std::isnan(r.latency_p50); });
  const bool failed = std::any_of(board.rows.begin(), board.rows.end(), [](const auto& r) { return r.status != "ok"; });
  if (several) table.columns.push_back({"trials", Align::kRight});
  table.columns.push_back({"fit s", Align::kRight});
  if (latency) {
    table.columns.push_back({"p50 us", Align::kRight});
    table.columns.push_back({"p99 us", Align::kRight});
  }
  table.columns.push_back({"peak MiB", Align::kRight});
  table.columns.push_back({"model MiB", Align::kRight});
  if (failed) table.columns.push_back({"status", Align::kLeft, Wrap::kYes});

  std::map<std::string, double> best;
  for (const LeaderboardRow& row : board.rows)
    for (const auto& [metric, s] : row.metrics) {
      if (std::isnan(s.mean)) continue;
      const bool higher = parse_metric(metric).card->higher_is_better;
      const auto [it, fresh] = best.try_emplace(metric, s.mean);
      if (!fresh) it->second = higher ? std::max(it->second, s.mean) : std::min(it->second, s.mean);
    }
  const auto mib = [](std::uint64_t bytes) {
    const double value = static_cast<double>(bytes) / (1024.0 * 1024.0);
    return Cell(short_number(value, 1), value);
  };
  const Cell nothing("-", Cell::Data{});
  std::size_t place = 0;
  for (const LeaderboardRow& row : board.rows) {
    std::vector<Cell> cells;
    cells.push_back(row.trials > 0 ? Cell(++place) : row.failed > 0 ? Cell("!").mark(Emphasis::kBad) : nothing);
    cells.push_back(Cell(row.label));
    for (const std::string& m : board.task.metrics) {
      const auto it = row.metrics.find(m);
      if (it == row.metrics.end()) {
        cells.push_back(nothing);
        continue;
      }
      cells.push_back(Cell::fixed(it->second.mean, 4));
      if (const auto b = best.find(m); b != best.end() && it->second.mean == b->second) cells.back().mark(Emphasis::kStrong);
    }
    if (several) cells.push_back(row.trials == row.planned ? Cell(row.trials) : Cell(fmt::format("{}/{}", row.trials, row.planned)));
    cells.push_back(std::isnan(row.fit_seconds) ? nothing : Cell(short_number(row.fit_seconds, 2), row.fit_seconds));
    if (latency)
      for (const double us : {row.latency_p50, row.latency_p99}) cells.push_back(std::isnan(us) ? nothing : Cell(short_number(us, 1), us));
    cells.push_back(row.trials > 0 ? mib(row.peak_rss_bytes) : nothing);
    cells.push_back(row.trials > 0 ? mib(row.model_bytes) : nothing);
    if (failed) cells.push_back(row.status == "ok" ? Cell("ok") : Cell(row.error.empty() ? row.status : row.status + ": " + row.error).mark(row.failed > 0 ? Emphasis::kBad : Emphasis::kFaint));
    table.add(std::move(cells));
  }
  return table;
}

namespace {

using Json = nlohmann::ordered_json;

Json number(double value) { return std::isnan(value) ? Json() : Json(value); }

Json board_json(const Leaderboard& board) {
  const ManifestTask& t = board.task;
  Json task{{"id", t.id}, {"name", t.name}, {"dataset", t.dataset}, {"dataset_title", t.dataset_title}, {"dataset_fingerprint", t.dataset_fingerprint},
            {"metrics", t.metrics}, {"sampled", t.sampled}, {"ratings", t.ratings}, {"description", Json::parse(t.description)}};
  Json rows = Json::array();
  for (const LeaderboardRow& r : board.rows) {
    Json metrics = Json::object();
    for (const std::string& m : t.metrics)
      if (const auto it = r.metrics.find(m); it != r.metrics.end())
        metrics[m] = {{"mean", number(it->second.mean)}, {"n", it->second.n}, {"trial_stddev", it->second.stddev}};
    Json row{{"label", r.label}, {"algorithm", r.algorithm}, {"status", r.status}, {"trials", r.trials}, {"planned_trials", r.planned}, {"failed_trials", r.failed},
             {"metrics", metrics}, {"fit_seconds", number(r.fit_seconds)}, {"latency_us", {{"p50", number(r.latency_p50)}, {"p99", number(r.latency_p99)}}},
             {"peak_rss_bytes", r.peak_rss_bytes}, {"model_bytes", r.model_bytes}, {"tie_rate", r.tie_rate}};
    for (const auto& [batch, p50] : r.latency_p50_by_batch) row["latency_us"]["p50_batch"][std::to_string(batch)] = number(p50);
    if (!r.error.empty()) row["error"] = r.error;
    rows.push_back(std::move(row));
  }
  return {{"task", std::move(task)}, {"rows", std::move(rows)}};
}

}  // namespace

std::string leaderboard_json(const std::vector<Leaderboard>& boards) {
  Json out = board_json(boards.front());
  out["tasks"] = Json::array();
  for (const Leaderboard& board : boards) out["tasks"].push_back(board_json(board));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string leak_line(const ResultsFolder& results, const ManifestTask& manifest_task) {
  if (!fs::exists(results.task_file(manifest_task.id))) return "";
  const StoredTask task = read_task(results.task_file(manifest_task.id));
  std::uint64_t queries = 0, truth = 0, unreachable = 0, removed = 0, cold = 0;
  double future = 0, tied = 0;
  for (const StoredTaskFold& f : task.folds) {
    queries += f.users.size();
    truth += f.truth_items.size();  // what is judged, without what was removed
    unreachable += f.leaks.truth_unreachable;
    removed += f.truth_removed;
    cold += f.leaks.cold_users;
    future += f.leaks.future_share / static_cast<double>(task.folds.size());
    tied += f.leaks.tied_time_share / static_cast<double>(task.folds.size());
  }
  std::string line = fmt::format("{} queries, {} truth items", queries, truth);
  if (unreachable > 0) line += fmt::format(", {} never seen in training", unreachable);
  if (removed > 0) line += fmt::format(", {} more removed as already heard", removed);
  if (cold > 0) line += fmt::format(", {} cold users", cold);
  if (!std::isnan(future)) line += fmt::format("; {:.1f} % of training is later than what is predicted", 100 * future);
  if (tied > 0.001) line += fmt::format(", {:.1f} % tied times", 100 * tied);
  return line;
}

std::vector<Curve> learning_curve_data(const ResultsFolder& results) {
  const Manifest manifest = results.read_manifest();
  std::vector<Curve> curves;
  std::set<std::string> seen;
  for (const ManifestTrial& trial : manifest.trials) {
    const fs::path file = results.trial_file(trial.fit);
    if (!fs::exists(file) || !seen.insert(trial.dataset + "\n" + trial.label).second) continue;
    const TrialRecord record = read_trial(file);
    for (const auto& [series, epochs] : record.curve_epochs)
      if (series != "best epoch") curves.push_back({trial.label, series, epochs, record.curve_values.at(series)});
  }
  return curves;
}

}  // namespace segue
