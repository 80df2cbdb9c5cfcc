#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include <fmt/ranges.h>

#include "framework/eval/metrics.hpp"
#include "framework/report/leaderboard.hpp"
#include "framework/report/reproduction.hpp"

namespace segue {

namespace {

// Decimals below ten, whole numbers above.
std::string short_number(double value, int decimals) { return fmt::format("{:.{}f}", value, value < 9.95 ? decimals : 0); }

const Cell kNothing("-", Cell::Data{});
constexpr const char* kTied = "≈";

Cell mib(std::uint64_t bytes) {
  const double value = static_cast<double>(bytes) / (1024.0 * 1024.0);
  return Cell(short_number(value, 1), value);
}

Cell number(double value, int decimals) { return std::isnan(value) ? kNothing : Cell(short_number(value, decimals), value); }

// "0.4440 ±0.0094≈": the half width is that of the interval's longer side, since intervals need not be symmetric. `marks`:
// where another row has the mark this one has a blank, so that digits stand below each other.
Cell figure(const MetricSummary& s, int decimals, bool marks) {
  std::string text = std::isnan(s.mean) ? "-" : fmt::format("{:.{}f}", s.mean, decimals);
  if (!std::isnan(s.low)) text += fmt::format(" ±{:.{}f}", std::max(s.high - s.mean, s.mean - s.low), decimals);
  if (marks) text += s.tied ? kTied : " ";
  Cell cell(std::move(text), std::isnan(s.mean) ? Cell::Data{} : Cell::Data(s.mean));
  if (s.best) cell.mark(Emphasis::kStrong);
  return cell;
}

}  // namespace

int metric_decimals(const Leaderboard& board, const std::string& metric) {
  double largest = 0;
  for (const LeaderboardRow& row : board.rows)
    if (const auto it = row.metrics.find(metric); it != row.metrics.end() && !std::isnan(it->second.mean)) largest = std::max(largest, std::abs(it->second.mean));
  return decimals_for(largest);
}

namespace {

bool any(const Leaderboard& board, bool (*test)(const LeaderboardRow&)) { return std::any_of(board.rows.begin(), board.rows.end(), test); }

bool any_summary(const Leaderboard& board, bool (*test)(const MetricSummary&)) {
  for (const LeaderboardRow& row : board.rows)
    for (const auto& [name, s] : row.metrics)
      if (test(s)) return true;
  return false;
}

}  // namespace

namespace {

// The same columns whatever the rows are like, but for those of the intervals.
Table machine_table(const Leaderboard& board) {
  const bool intervals = any_summary(board, [](const MetricSummary& s) { return !std::isnan(s.low); });
  Table table({{"rank"}, {"label"}, {"algorithm"}, {"suite"}, {"status"}, {"error"}, {"sampled"}});
  for (const std::string& m : board.task.metrics) {
    table.columns.push_back({m});
    if (intervals)
      for (const char* part : {" low", " high", " p_best"}) table.columns.push_back({m + part});
  }
  for (const char* name : {"trials", "planned trials", "tried", "tuned from", "gain", "refit", "fit s", "p50 us", "p99 us", "peak MiB", "model MiB"}) table.columns.push_back({name});
  const auto cell = [](double v) { return Cell::fixed(v, 4); };
  const auto in_mib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1024.0 * 1024.0); };
  std::size_t place = 0;
  for (const LeaderboardRow& row : board.rows) {
    std::vector<Cell> cells{row.trials > 0 ? Cell(++place) : kNothing, row.label, row.algorithm, row.suite, row.status, row.error.empty() ? kNothing : Cell(row.error), board.task.sampled};
    for (const std::string& m : board.task.metrics) {
      const auto it = row.metrics.find(m);
      const MetricSummary s = it == row.metrics.end() ? MetricSummary{.mean = std::nan("")} : it->second;
      cells.push_back(cell(s.mean));
      if (intervals)
        for (const double v : {s.low, s.high, s.p_best}) cells.push_back(cell(v));
    }
    for (const std::size_t n : {row.trials, row.planned, row.tried}) cells.push_back(Cell(n));
    cells.push_back(row.tuned_from.empty() ? kNothing : Cell(row.tuned_from));
    cells.push_back(cell(row.gain));
    cells.push_back(row.refit);
    for (const double v : {row.fit_seconds, row.latency_p50, row.latency_p99}) cells.push_back(cell(v));
    for (const std::uint64_t bytes : {row.peak_rss_bytes, row.model_bytes}) cells.push_back(row.peak_rss_bytes > 0 ? cell(in_mib(bytes)) : kNothing);
    table.add(std::move(cells));
  }
  return table;
}

}  // namespace

Table leaderboard_table(const Leaderboard& board, TableFormat format) {
  if (for_programs(format)) return machine_table(board);
  const bool several = any(board, [](const LeaderboardRow& r) { return r.planned > 1; });
  const bool latency = any(board, [](const LeaderboardRow& r) { return !std::isnan(r.latency_p50); });
  const bool failed = any(board, [](const LeaderboardRow& r) { return r.status != "ok"; });
  const bool tried = any(board, [](const LeaderboardRow& r) { return r.tried > 1 || r.tuned; });
  Table table;
  table.keys = 2;
  table.columns = {{"", Align::kRight}, {"label", Align::kLeft, Wrap::kYes}};
  const bool index = !board.task.retrieval.empty();
  const std::string mark = board.task.sampled ? " ~" : index ? " (" + board.task.retrieval + ")" : "";
  for (const std::string& m : board.task.metrics) table.columns.push_back({m + mark, Align::kRight});
  if (index) table.columns.push_back({"of exact", Align::kRight});
  if (several) table.columns.push_back({"trials", Align::kRight});
  if (tried) table.columns.push_back({"tried", Align::kRight});
  const bool gains = any(board, [](const LeaderboardRow& r) { return !std::isnan(r.gain); });
  if (gains) table.columns.push_back({"gain", Align::kRight});
  table.columns.push_back({"fit s", Align::kRight});
  if (latency) {
    table.columns.push_back({"p50 us", Align::kRight});
    table.columns.push_back({"p99 us", Align::kRight});
  }
  table.columns.push_back({"peak MiB", Align::kRight});
  table.columns.push_back({"model MiB", Align::kRight});
  if (failed) table.columns.push_back({"status", Align::kLeft, Wrap::kYes});

  std::set<std::string> marks;
  std::map<std::string, int> decimals;
  for (const std::string& m : board.task.metrics) decimals[m] = metric_decimals(board, m);
  for (const LeaderboardRow& row : board.rows)
    for (const auto& [name, s] : row.metrics)
      if (s.tied) marks.insert(name);
  std::size_t place = 0;
  for (const LeaderboardRow& row : board.rows) {
    std::vector<Cell> cells;
    cells.push_back(row.trials > 0 ? Cell(++place) : row.failed > 0 ? Cell("!").mark(Emphasis::kBad) : kNothing);
    cells.push_back(Cell(row.label));
    for (const std::string& m : board.task.metrics) {
      const auto it = row.metrics.find(m);
      const MetricSummary none;
      const MetricSummary& s = it == row.metrics.end() ? none : it->second;
      cells.push_back(it == row.metrics.end() ? kNothing : figure(s, decimals.at(m), marks.contains(m)));
    }
    if (index) cells.push_back(number(row.exact_recall, 4));
    if (several) cells.push_back(row.trials == row.planned ? Cell(row.trials) : Cell(fmt::format("{}/{}", row.trials, row.planned)));
    if (tried) cells.push_back(Cell(row.tried));
    if (gains) cells.push_back(std::isnan(row.gain) ? kNothing : Cell(fmt::format("{:+.{}f}", row.gain, decimals.at(board.task.metrics.front())), row.gain));
    cells.push_back(number(row.fit_seconds, 2));
    if (latency)
      for (const double us : {row.latency_p50, row.latency_p99}) cells.push_back(number(us, 1));
    cells.push_back(row.peak_rss_bytes > 0 ? mib(row.peak_rss_bytes) : kNothing);
    cells.push_back(row.peak_rss_bytes > 0 ? mib(row.model_bytes) : kNothing);
    if (failed) cells.push_back(row.status == "ok" ? Cell("ok") : Cell(row.error.empty() ? row.status : row.status + ": " + row.error).mark(row.failed > 0 ? Emphasis::kBad : Emphasis::kFaint));
    table.add(std::move(cells));
  }
  return table;
}

namespace {

// What keeps tuned rows from being compared like with like.
void tuning_notes(const Leaderboard& board, std::vector<std::string>& notes) {
  std::set<std::size_t> budgets;
  std::string refit;
  bool all = true;
  for (const LeaderboardRow& row : board.rows) {
    if (row.tuned) budgets.insert(row.tried);
    if (row.refit) refit += (refit.empty() ? "" : ", ") + row.label;
    all = all && row.refit;
  }
  if (any(board, [](const LeaderboardRow& r) { return !std::isnan(r.gain); }))
    notes.push_back(fmt::format("gain: in {}, over the row with the entry's own settings; above 0 is better (segue compare tests it)", board.task.metrics.front()));
  if (budgets.size() > 1) notes.push_back(fmt::format("tuned rows had unequal budgets: {} to {} settings", *budgets.begin(), *budgets.rbegin()));
  if (!refit.empty() && !all) notes.push_back(fmt::format("trained on training and validation data, unlike the other rows: {}", refit));
}

}  // namespace

std::vector<std::string> leaderboard_notes(const Leaderboard& board, const LeaderboardOptions& options) {
  std::vector<std::string> notes;
  if (any_summary(board, [](const MetricSummary& s) { return !std::isnan(s.low); }))
    notes.push_back(fmt::format("± {:g} % bootstrap interval over {} (BCa, {} resamples), its longer side", 100 * options.level, board.task.ratings ? "users" : "users with truth", options.resamples));
  if (any_summary(board, [](const MetricSummary& s) { return s.tied; }))
    notes.push_back(fmt::format("{} not distinguishable from the best: paired randomisation test, {} draws, Holm over the rows, {:g}", kTied, options.permutations, options.alpha));
  if (any(board, [](const LeaderboardRow& r) { return r.trials > 0 && r.trials < r.planned; }))
    notes.push_back("a row that lacks trials is compared by the seeds whose folds are all there; without such a seed its figure is of some folds only, and never the best");
  notes.insert(notes.end(), board.missing.begin(), board.missing.end());
  const bool grids = any(board, [](const LeaderboardRow& r) { return r.tried > 1 && !r.tuned; }), tuned = any(board, [](const LeaderboardRow& r) { return r.tuned; });
  const std::string on_test = "settings of the same entry that were compared on these very test data; the best of many is flattered";
  const std::string on_validation = "settings that its tuner compared on validation data alone";
  if (grids && tuned) notes.push_back(fmt::format("tried: {}. Of a tuned row: {}", on_test, on_validation));
  else if (grids) notes.push_back("tried: " + on_test);
  else if (tuned) notes.push_back("tried: of a tuned row, " + on_validation);
  tuning_notes(board, notes);
  if (board.task.sampled) notes.push_back("~ ranked among sampled candidates only: not comparable with full ranking, and may reverse it");
  if (!board.task.retrieval.empty())
    notes.push_back(fmt::format("({0}) lists that an index found, without the scores of all items: not comparable with exact lists; of exact: the share of the exact lists' items that they hold{1}", board.task.retrieval,
                                any(board, [](const LeaderboardRow& r) { return !std::isnan(r.latency_p50); }) ? "; p50 and p99: of the index" : ""));
  for (const LeaderboardRow& r : board.rows) {
    if (r.stage_p50.empty()) continue;
    std::vector<std::string> stages;
    for (const auto& [stage, us] : r.stage_p50) stages.push_back(fmt::format("{} {}", stage, short_number(us, 1)));
    notes.push_back(fmt::format("{}, p50 us of its stages: {}", r.label, fmt::join(stages, ", ")));
  }
  if (any(board, [](const LeaderboardRow& r) { return r.failed > 0 && r.trials == 0; })) notes.push_back("! failed");
  return notes;
}

namespace {

using Json = nlohmann::ordered_json;

Json json_number(double value) { return std::isnan(value) ? Json() : Json(value); }

Json board_json(const Leaderboard& board) {
  const ManifestTask& t = board.task;
  Json task{{"id", t.id}, {"name", t.name}, {"dataset", t.dataset}, {"dataset_title", t.dataset_title}, {"dataset_fingerprint", t.dataset_fingerprint},
            {"metrics", t.metrics}, {"sampled", t.sampled}, {"ratings", t.ratings}, {"description", Json::parse(t.description)}, {"leaks", board.leaks}};
  if (!t.retrieval.empty()) task["retrieval"] = t.retrieval;
  Json rows = Json::array();
  for (const LeaderboardRow& r : board.rows) {
    Json metrics = Json::object();
    for (const std::string& m : t.metrics)
      if (const auto it = r.metrics.find(m); it != r.metrics.end())
        metrics[m] = {{"mean", json_number(it->second.mean)}, {"n", it->second.n}, {"trial_stddev", it->second.stddev}, {"seed_stddev", it->second.seed_stddev},
                      {"low", json_number(it->second.low)}, {"high", json_number(it->second.high)}, {"p_best", json_number(it->second.p_best)},
                      {"best", it->second.best}, {"tied_with_best", it->second.tied}};
    Json row{{"label", r.label}, {"algorithm", r.algorithm}, {"suite", r.suite}, {"params", Json::parse(r.params)}, {"status", r.status}, {"trials", r.trials}, {"planned_trials", r.planned}, {"failed_trials", r.failed},
             {"metrics", metrics}, {"fit_seconds", json_number(r.fit_seconds)}, {"latency_us", {{"p50", json_number(r.latency_p50)}, {"p99", json_number(r.latency_p99)}}},
             {"peak_rss_bytes", r.peak_rss_bytes > 0 ? Json(r.peak_rss_bytes) : Json()}, {"model_bytes", r.peak_rss_bytes > 0 ? Json(r.model_bytes) : Json()}, {"tie_rate", r.tie_rate}, {"tried", r.tried}, {"tuned", r.tuned},
             {"tuned_from", r.tuned_from.empty() ? Json() : Json(r.tuned_from)}, {"gain", json_number(r.gain)}, {"refit", r.refit}};
    for (const auto& [batch, p50] : r.latency_p50_by_batch) row["latency_us"]["p50_batch"][std::to_string(batch)] = json_number(p50);
    for (const auto& [stage, p50] : r.stage_p50) row["latency_us"]["p50_stage"].push_back({{"stage", stage}, {"p50", json_number(p50)}});
    if (!std::isnan(r.exact_recall)) row["exact_recall"] = r.exact_recall;
    if (!t.retrieval.empty()) row["latency_us"]["of"] = t.retrieval;
    if (!r.error.empty()) row["error"] = r.error;
    rows.push_back(std::move(row));
  }
  Json out{{"task", std::move(task)}, {"rows", std::move(rows)}};
  if (t.published.empty()) return out;
  out["published"] = Json::array();
  for (const Reproduction& r : reproductions(board))
    out["published"].push_back({{"label", r.published.label}, {"metric", r.published.metric}, {"value", r.published.value}, {"bound", r.published.bound},
                                {"ours", json_number(r.ours.value_or(std::nan("")))}, {"spread", json_number(r.spread)}, {"trials", r.trials},
                                {"verdict", verdict_text(r.verdict)}, {"source", r.published.source}, {"note", r.published.note}});
  return out;
}

}  // namespace

std::string leaderboard_json(const std::vector<Leaderboard>& boards) {
  Json out = board_json(boards.front());
  out["tasks"] = Json::array();
  for (const Leaderboard& board : boards) out["tasks"].push_back(board_json(board));
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}


}  // namespace segue
