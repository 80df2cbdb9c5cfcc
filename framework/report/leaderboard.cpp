#include "framework/report/leaderboard.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <set>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/eval/latency.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/eval/summary.hpp"
#include "framework/report/leaks.hpp"
#include "framework/stats/interval.hpp"
#include "framework/stats/multiple.hpp"
#include "framework/stats/paired.hpp"

namespace segue {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Values a unit that are kept in memory between reading and comparing; what is more is read again.
constexpr std::size_t kKeptBytes = std::size_t{192} << 20;
// Values of the rows that are compared at a time. Large, because each such block draws its resamples anew.
constexpr std::size_t kBlockBytes = std::size_t{192} << 20;

// Figures that are not metrics, gathered while a row's files are open.
struct Costs {
  std::vector<double> fit_seconds, exact_recall;
  std::map<std::size_t, std::vector<double>> latency;
  std::vector<StageSamples> stages;
  double ties = 0, queries = 0;
  std::uint64_t peak_rss_bytes = 0, model_bytes = 0;

  void add(const TrialFile& file, const ManifestTask& task) {
    const StoredTiming timing = file.timing();
    fit_seconds.push_back(timing.fit_seconds);
    for (const LatencySamples& s : timing.latency_of(task.id, !task.retrieval.empty())) {
      auto& all = latency[s.batch];
      all.insert(all.end(), s.microseconds_per_query.begin(), s.microseconds_per_query.end());
    }
    for (std::size_t i = 0; i < timing.stages.size(); ++i) {
      const StageSamples& s = timing.stages[i];
      if (i == stages.size()) stages.push_back({s.stage, {}});
      stages[i].microseconds.insert(stages[i].microseconds.end(), s.microseconds.begin(), s.microseconds.end());
    }
    peak_rss_bytes = std::max(peak_rss_bytes, timing.peak_rss_bytes);
    model_bytes = std::max(model_bytes, file.model_bytes());
  }
};

void set_costs(const Costs& costs, LeaderboardRow& row) {
  row.fit_seconds = costs.fit_seconds.empty() ? kNaN : mean_of(costs.fit_seconds);
  row.latency_p50 = row.latency_p99 = kNaN;
  for (const auto& [batch, samples] : costs.latency) {
    const LatencySummary s = summarise(samples);
    row.latency_p50_by_batch[batch] = s.p50;
    if (batch != costs.latency.begin()->first) continue;
    row.latency_p50 = s.p50;
    row.latency_p99 = s.p99;
  }
  for (const StageSamples& s : costs.stages) row.stage_p50.emplace_back(s.stage, summarise(s.microseconds).p50);
  row.peak_rss_bytes = costs.peak_rss_bytes;
  row.model_bytes = costs.model_bytes;
  if (!costs.exact_recall.empty()) row.exact_recall = mean_of(costs.exact_recall);
  row.tie_rate = costs.queries > 0 ? costs.ties / costs.queries : 0;
}

MetricSummary summary_of(const RowMetric& figure) {
  MetricSummary s;
  s.mean = figure.mean;
  s.stddev = figure.by_trial.size() > 1 ? stddev_of(figure.by_trial) : 0;
  s.n = figure.n;
  std::vector<double> seeds;
  for (const auto& values : figure.by_seed) seeds.push_back(mean_of(values));
  s.seed_stddev = seeds.size() > 1 ? stddev_of(seeds) : 0;
  return s;
}

class Builder {
 public:
  Builder(const TaskEvidence& evidence, const LeaderboardOptions& options, const Executor& exec)
      : evidence_(evidence), options_(options), exec_(exec), values_(evidence.rows.size()) {
    for (const std::string& m : options.metrics.empty() ? evidence.task.metrics : options.metrics) {
      const MetricSpec metric = parse_metric(m);
      if (std::none_of(metrics_.begin(), metrics_.end(), [&](const MetricSpec& other) { return other.text() == metric.text(); })) metrics_.push_back(metric);
    }
  }

  Leaderboard operator()() {
    Leaderboard board;
    board.task = evidence_.task;
    board.task.metrics.clear();
    for (const MetricSpec& m : metrics_) board.task.metrics.push_back(m.text());
    board.leaks = leak_line(evidence_);
    board.rows.resize(evidence_.rows.size());
    if (std::filesystem::exists(evidence_.task_file)) evidence_.stored();  // what is wrong with it concerns all rows
    exec_.for_blocks(board.rows.size(), 1, [&](std::size_t begin, std::size_t) { read(begin, board.rows[begin]); });
    if (options_.inference) compare(board.rows);
    std::set<std::string> missing;
    for (const Values& v : values_) missing.insert(v.missing.begin(), v.missing.end());
    board.missing.assign(missing.begin(), missing.end());
    mark_best(board.rows);
    count_tried(board.rows);
    compare_with_own(board.rows);
    sort(board.rows);
    return board;
  }

 private:
  void read(std::size_t at, LeaderboardRow& row) {
    const EvidenceRow& source = evidence_.rows[at];
    row.label = source.label;
    row.algorithm = source.algorithm;
    row.suite = source.suite;
    row.params = source.params;
    row.planned = source.trials.size();
    row.trials = source.present();
    row.failed = source.failed();
    for (const EvidenceTrial& t : source.trials)
      if (t.failed && row.error.empty()) row.error = t.error;
    row.status = row.failed > 0 ? "failed" : row.trials == row.planned ? "ok" : row.trials == 0 ? "not run" : "partial";
    Costs costs;
    std::vector<RowMetric> figures;
    try {
      figures = evidence_.evaluate(source, metrics_, [&](const EvidenceTrial&, const TrialFile& file) {
        costs.add(file, evidence_.task);
        if (evidence_.task.ratings) return;
        if (const double recall = file.exact_recall(evidence_.task.id); !std::isnan(recall)) costs.exact_recall.push_back(recall);
        const auto ties = file.ties_at_cut(evidence_.task.id);
        costs.ties += static_cast<double>(ties.tied);
        costs.queries += static_cast<double>(ties.queries);
      });
    } catch (const DataError& e) {  // a damaged file is a row, not the end of the table
      row.failed = std::exchange(row.trials, 0);
      row.status = "failed";
      row.error = e.what();
      costs = {};
    }
    set_costs(costs, row);
    if (row.trials == 0) return;
    std::vector<Paired> paired;
    std::size_t bytes = 0;
    for (std::size_t m = 0; m < metrics_.size(); ++m) {
      row.metrics[metrics_[m].text()] = summary_of(figures[m]);
      values_[at].whole = figures[m].whole;
      if (!figures[m].missing.empty()) values_[at].missing.push_back(figures[m].missing);
      values_[at].sizes.push_back(figures[m].by_seed.empty() ? 0 : figures[m].by_seed.front().size());
      if (options_.inference) paired.push_back(paired_of(figures[m]));
      bytes += options_.inference ? (paired.back().units.size() + paired.back().shares.size()) * sizeof(double) : 0;
    }
    if (bytes == 0) return;
    const std::lock_guard lock(mutex_);
    if (kept_ + bytes > kKeptBytes) return;
    kept_ += bytes;
    values_[at].paired = std::move(paired);
  }

  // What is compared with other rows, a value a user: see evidence.hpp.
  struct Paired {
    std::vector<double> units, shares;  // shares: empty where they are the units
    std::span<const double> tested() const { return shares.empty() ? units : shares; }
  };
  static Paired paired_of(const RowMetric& figure) { return {figure.units(), figure.shares_by_seed.empty() ? std::vector<double>{} : figure.shares()}; }

  // By metric; kept, or read again.
  std::vector<Paired> paired(std::size_t at) const {
    if (!values_[at].paired.empty()) return values_[at].paired;
    std::vector<Paired> out;
    for (const RowMetric& figure : evidence_.evaluate(evidence_.rows[at], metrics_)) out.push_back(paired_of(figure));
    return out;
  }

  // The rows of a metric that are paired, and how they stand to the best.
  struct Pairing {
    std::size_t n = 0;     // users; 0: nothing to pair
    bool tested = false;   // no verdict on descriptive metrics
    std::size_t best = 0;
    Paired of_best{};
    std::vector<std::size_t> others{};
    std::vector<double> p{};  // of others
  };

  bool is_paired(std::size_t row, std::size_t m, std::size_t n) const { return !values_[row].sizes.empty() && values_[row].sizes[m] == n; }

  // Rows are paired where they have values for the same users: all that are complete.
  Pairing pairing(std::size_t m, const std::vector<LeaderboardRow>& rows) const {
    std::map<std::size_t, std::size_t> sizes;
    for (const Values& v : values_)
      if (!v.sizes.empty() && v.sizes[m] > 0) ++sizes[v.sizes[m]];
    if (sizes.empty()) return {};
    Pairing out;
    out.n = std::max_element(sizes.begin(), sizes.end(), [](const auto& a, const auto& b) { return a.second < b.second; })->first;
    if (out.n < 2) return {};  // one user tells nothing about others
    out.tested = !metrics_[m].card->descriptive;
    const bool higher = metrics_[m].card->higher_is_better;
    double best = kNaN;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (!is_paired(r, m, out.n)) continue;
      const double mean = rows[r].metrics.at(metrics_[m].text()).mean;
      if (!std::isnan(best) && !(higher ? mean > best : mean < best)) continue;
      best = mean;
      out.best = r;
    }
    out.of_best = paired(out.best)[m];
    return out;
  }

  void compare(std::vector<LeaderboardRow>& rows) const {
    std::vector<Pairing> pairings;
    std::size_t row_bytes = sizeof(double);
    for (std::size_t m = 0; m < metrics_.size(); ++m) {
      pairings.push_back(pairing(m, rows));
      row_bytes += pairings.back().n * sizeof(double);
    }
    const std::size_t at_once = std::max<std::size_t>(kBlockBytes / row_bytes, 1);
    for (std::size_t begin = 0; begin < rows.size(); begin += at_once) {
      const std::size_t end = std::min(begin + at_once, rows.size());
      std::vector<std::vector<Paired>> block(end - begin);  // by row and metric
      exec_.for_blocks(end - begin, 1, [&](std::size_t i, std::size_t) {
        if (!values_[begin + i].sizes.empty()) block[i] = paired(begin + i);
      });
      for (std::size_t m = 0; m < metrics_.size(); ++m)
        if (pairings[m].n > 0) compare_block(m, begin, block, pairings[m], rows);
    }
    for (std::size_t m = 0; m < metrics_.size(); ++m) {
      const std::vector<double> adjusted = stats::adjusted(pairings[m].p, stats::Adjustment::kHolm);
      for (std::size_t i = 0; i < adjusted.size(); ++i) {
        MetricSummary& s = rows[pairings[m].others[i]].metrics.at(metrics_[m].text());
        s.p_best = adjusted[i];
        s.tied = adjusted[i] > options_.alpha;
      }
    }
  }

  // Intervals, and tests against the best, of the rows from `begin` on. The block gives up the metric's values.
  void compare_block(std::size_t m, std::size_t begin, std::vector<std::vector<Paired>>& block, Pairing& pairing, std::vector<LeaderboardRow>& rows) const {
    const std::string name = metrics_[m].text();
    const std::size_t n = pairing.n;
    std::vector<std::size_t> chosen;
    std::vector<double> values, differences;
    for (std::size_t i = 0; i < block.size(); ++i) {
      if (!is_paired(begin + i, m, n)) continue;
      chosen.push_back(begin + i);
      const Paired row = std::move(block[i][m]);
      values.insert(values.end(), row.units.begin(), row.units.end());
      if (!pairing.tested) continue;
      // The best has a row of differences too, of zeros, which costs nothing.
      const std::vector<double> d = stats::paired_differences(row.tested(), pairing.of_best.tested());
      differences.insert(differences.end(), d.begin(), d.end());
    }
    const auto intervals = stats::bootstrap_means(values, chosen.size(), n, {.resamples = options_.resamples, .level = options_.level}, Rng(options_.seed), exec_);
    values = {};
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      MetricSummary& s = rows[chosen[i]].metrics.at(name);
      s.low = intervals[i].low;
      s.high = intervals[i].high;
    }
    if (!pairing.tested) return;
    const auto tests = stats::sign_flip_tests(differences, chosen.size(), n, options_.permutations, Rng(options_.seed), exec_);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (chosen[i] == pairing.best) continue;
      pairing.others.push_back(chosen[i]);
      pairing.p.push_back(tests[i].p_tail);
    }
  }

  // A row that lacks folds has a figure of another task; it is the best only among its like.
  void mark_best(std::vector<LeaderboardRow>& rows) const {
    const bool any_whole = std::any_of(values_.begin(), values_.end(), [](const Values& v) { return v.whole; });
    for (const MetricSpec& metric : metrics_) {
      if (metric.card->descriptive) continue;
      double best = kNaN;
      const auto each = [&](auto&& use) {
        for (std::size_t r = 0; r < rows.size(); ++r)
          if (const auto it = rows[r].metrics.find(metric.text()); it != rows[r].metrics.end() && !std::isnan(it->second.mean) && values_[r].whole == any_whole)
            use(it->second);
      };
      each([&](const MetricSummary& s) {
        if (std::isnan(best) || (metric.card->higher_is_better ? s.mean > best : s.mean < best)) best = s.mean;
      });
      each([&](MetricSummary& s) {
        s.best = s.mean == best;
        s.tied = s.tied && !s.best;
      });
    }
  }

  // Settings of one entry that were tried against each other: on the very data that ranks them, but for tuned rows.
  void count_tried(std::vector<LeaderboardRow>& rows) const {
    std::map<std::pair<std::string, std::string>, std::size_t> count;
    const auto entry = [&](std::size_t r) { return std::pair(evidence_.rows[r].suite, evidence_.rows[r].group); };
    for (std::size_t r = 0; r < rows.size(); ++r) ++count[entry(r)];
    for (std::size_t r = 0; r < rows.size(); ++r) {
      rows[r].tuned = evidence_.rows[r].tuned > 0;
      rows[r].tried = rows[r].tuned ? evidence_.rows[r].tuned : count[entry(r)];
    }
  }

  // Tuned rows against the entry's own settings.
  void compare_with_own(std::vector<LeaderboardRow>& rows) const {
    const std::string metric = metrics_.front().text();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      rows[r].refit = evidence_.rows[r].refit;
      const std::string &own = evidence_.rows[r].tuned_from, renamed = own + " (" + rows[r].suite + ")";
      if (own.empty()) continue;
      for (const std::string& label : {renamed, own}) {
        const auto from = std::find_if(rows.begin(), rows.end(), [&](const LeaderboardRow& other) { return other.label == label; });
        if (from == rows.end()) continue;
        rows[r].tuned_from = label;
        const auto tuned = rows[r].metrics.find(metric), plain = from->metrics.find(metric);
        // Of figures over different folds the difference says nothing.
        if (tuned == rows[r].metrics.end() || plain == from->metrics.end() || rows[r].trials != from->trials) break;
        rows[r].gain = (metrics_.front().card->higher_is_better ? 1 : -1) * (tuned->second.mean - plain->second.mean);
        break;
      }
    }
  }

  // Best first by the first metric; rows without figures last, in the suite's order.
  void sort(std::vector<LeaderboardRow>& rows) const {
    const bool higher = metrics_.front().card->higher_is_better;
    const auto figure = [&](const LeaderboardRow& r) {
      const auto it = r.metrics.find(metrics_.front().text());
      if (it == r.metrics.end() || std::isnan(it->second.mean)) return -std::numeric_limits<double>::infinity();
      return higher ? it->second.mean : -it->second.mean;
    };
    std::stable_sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) { return figure(a) > figure(b); });
  }

  struct Values {
    std::vector<std::size_t> sizes;  // users, by metric; empty: the row has no figures
    std::vector<Paired> paired;      // by metric; empty: read again
    bool whole = false;              // some seed has all its folds
    std::vector<std::string> missing;
  };
  const TaskEvidence& evidence_;
  const LeaderboardOptions& options_;
  const Executor& exec_;
  std::vector<MetricSpec> metrics_;
  std::vector<Values> values_;
  std::size_t kept_ = 0;
  std::mutex mutex_;
};

}  // namespace

Leaderboard build_leaderboard(const TaskEvidence& evidence, const LeaderboardOptions& options, const Executor& exec) {
  return Builder(evidence, options, exec)();
}

std::vector<Leaderboard> build_leaderboards(const ResultsFolder& results, const std::string& task, const LeaderboardOptions& options) {
  const Executor exec;
  std::vector<Leaderboard> boards;
  for (const TaskEvidence& evidence : gather_evidence({&results, 1}, task)) boards.push_back(build_leaderboard(evidence, options, exec));
  return boards;
}

std::vector<Curve> learning_curve_data(const ResultsFolder& results) {
  const Manifest manifest = results.read_manifest();
  std::vector<Curve> curves;
  std::set<std::string> seen;
  for (const ManifestTrial& trial : manifest.trials) {
    const std::filesystem::path path = results.trial_file(trial.fit);
    if (!std::filesystem::exists(path) || !seen.insert(trial.dataset + "\n" + trial.label).second) continue;
    const TrialFile file(path);
    for (const std::string& series : file.curve_series()) {
      if (series == "best epoch") continue;
      auto [epochs, values] = file.curve(series);
      curves.push_back({trial.label, series, trial.dataset, std::move(epochs), std::move(values)});
    }
  }
  return curves;
}

}  // namespace segue
