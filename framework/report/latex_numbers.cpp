#include "framework/report/latex_numbers.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/report/table.hpp"

namespace segue {

namespace {

using Json = nlohmann::ordered_json;

class Definitions {
 public:
  void text(const std::string& key, const std::string& text) {
    claim(key);
    out_ += fmt::format("\\seguenumber{{{}}}{{{}}}{{{}}}\n", key, latex_text(text), latex_key(text));
  }
  // Nothing where the value is NaN.
  void number(const std::string& key, double value, const std::string& text) {
    if (std::isnan(value)) return;
    claim(key);
    out_ += fmt::format("\\seguenumber{{{}}}{{{}}}{{{}}}\n", key, text, value);
  }
  void fixed(const std::string& key, double value, int decimals) {
    number(key, value, fmt::format("{:.{}f}", value, decimals));
  }
  // As in the tables: decimals below ten, whole numbers above.
  void short_number(const std::string& key, double value, int decimals) {
    fixed(key, value, value < 9.95 ? decimals : 0);
  }
  void count(const std::string& key, std::uint64_t value) {
    std::string text = std::to_string(value);
    for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
    number(key, static_cast<double>(value), text);
  }
  std::string all() const { return out_; }

 private:
  void claim(const std::string& key) {
    if (!keys_.insert(key).second)
      throw UsageError(
          "two figures would be called '{}': name the tasks and rows apart, or ask for one task of this suite", key);
  }
  std::set<std::string> keys_;
  std::string out_;
};

std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());
  if (!value.is_array()) return value.dump();
  std::string out;
  for (const Json& v : value) out += (out.empty() ? "" : ", ") + plain(v);
  return out;
}

// {"split": {"test": 0.1}} -> split.test
void settings(Definitions& d, const std::string& key, const std::string& path, const Json& value) {
  if (!value.is_object()) return d.text(fmt::format("{}/setting/{}", key, latex_key(path)), plain(value));
  for (const auto& [name, v] : value.items()) settings(d, key, path.empty() ? name : path + "." + name, v);
}

void metric(Definitions& d, const std::string& key, const MetricSummary& s, std::size_t trials, int decimals) {
  d.fixed(key, s.mean, decimals);
  d.fixed(key + "/low", s.low, decimals);
  d.fixed(key + "/high", s.high, decimals);
  if (!std::isnan(s.low)) d.fixed(key + "/half", std::max(s.high - s.mean, s.mean - s.low), decimals);
  d.fixed(key + "/p", s.p_best, 4);
  if (trials > 1) d.fixed(key + "/stddev", s.stddev, decimals);
  if (s.seed_stddev > 0) d.fixed(key + "/seeds", s.seed_stddev, decimals);
  d.count(key + "/n", s.n);
  d.text(key + "/mark", s.best ? "best" : s.tied ? "tied" : "");
}

void row(Definitions& d, const std::string& key, const Leaderboard& board, const LeaderboardRow& r) {
  for (const std::string& m : board.task.metrics)
    if (const auto it = r.metrics.find(m); it != r.metrics.end())
      metric(d, key + "/" + latex_key(m), it->second, r.trials, metric_decimals(board, m));
  constexpr double kMiB = 1024.0 * 1024.0;
  d.count(key + "/trials", r.trials);
  d.short_number(key + "/fit", r.fit_seconds, 2);
  d.short_number(key + "/p50", r.latency_p50, 1);
  d.short_number(key + "/p99", r.latency_p99, 1);
  if (!r.latency_p50_by_batch.empty())
    if (const auto& [size, us] = *r.latency_p50_by_batch.rbegin(); size > 1) {
      d.count(key + "/batch", size);
      d.short_number(key + "/p50/batch", us, 1);
    }
  d.short_number(key + "/peak", static_cast<double>(r.peak_rss_bytes) / kMiB, 1);
  d.short_number(key + "/model", static_cast<double>(r.model_bytes) / kMiB, 1);
  d.fixed(key + "/ties", 100 * r.tie_rate, 1);
  if (const Json params = Json::parse(r.params, nullptr, false); params.is_object())
    for (const auto& [name, value] : params.items())
      d.text(fmt::format("{}/param/{}", key, latex_key(name)), plain(value));
}

// A board's own figures, once for each suite that has rows in it.
void board_figures(Definitions& d, const std::string& key, const Leaderboard& board,
                   const std::vector<const LeaderboardRow*>& rows) {
  d.text(key + "/id", board.task.id);
  d.text(key + "/dataset", board.task.dataset_title.empty() ? board.task.dataset : board.task.dataset_title);
  if (!board.leaks.empty()) d.text(key + "/leaks", board.leaks);
  d.count(key + "/rows", rows.size());
  if (const Json description = Json::parse(board.task.description, nullptr, false); description.is_object())
    for (const auto& [part, value] : description.items()) settings(d, key, "", value);
  std::uint64_t queries = 0;
  for (const std::string& m : board.task.metrics) {
    const std::string name = latex_key(m);
    std::uint64_t tied = 0;
    std::string best;
    for (const LeaderboardRow& r : board.rows)  // of all suites: the best of the table may be another suite's
      if (const auto it = r.metrics.find(m); it != r.metrics.end()) {
        queries = std::max(queries, it->second.n);
        tied += it->second.tied;
        if (it->second.best && best.empty()) best = r.label;
      }
    if (best.empty()) continue;
    d.text(fmt::format("{}/{}/best", key, name), best);
    d.count(fmt::format("{}/{}/tied", key, name), tied);
  }
  d.count(key + "/queries", queries);
}

}  // namespace

std::string latex_key(std::string_view name) {
  constexpr std::string_view kKept = " @_.:+=,()|<>*?!'-";
  std::string out(name);
  for (char& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && kKept.find(c) == std::string_view::npos) c = '-';
  return out;
}

std::string latex_numbers(const std::vector<Leaderboard>& boards, const LeaderboardOptions& options) {
  Definitions d;
  std::set<std::string> suites;
  for (const Leaderboard& board : boards) {
    std::map<std::string, std::vector<const LeaderboardRow*>> by_suite;
    for (const LeaderboardRow& r : board.rows)
      if (r.trials > 0) by_suite[r.suite].push_back(&r);
    for (const auto& [suite, rows] : by_suite) {
      if (suites.insert(suite).second) d.text("suite/" + latex_key(suite), suite);
      const std::string key = latex_key(suite) + "/" + latex_key(board.task.name);
      board_figures(d, key, board, rows);
      for (const LeaderboardRow* r : rows) {
        const std::string row_key = key + "/" + latex_key(r->label);
        d.count(row_key + "/place", 1 + static_cast<std::uint64_t>(r - board.rows.data()));
        row(d, row_key, board, *r);
      }
    }
  }
  d.number("inference/level", 100 * options.level, fmt::format("{:g}", 100 * options.level));
  d.number("inference/alpha", 100 * options.alpha, fmt::format("{:g}", 100 * options.alpha));
  d.count("inference/resamples", options.resamples);
  d.count("inference/permutations", options.permutations);
  d.count("inference/seed", options.seed);
  return "% Written by `segue leaderboard --numbers`. Do not edit: see paper/README.md.\n" + d.all();
}

}  // namespace segue
