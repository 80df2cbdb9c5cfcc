#include "framework/report/cache.hpp"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "framework/base/build_info.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/log.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Raised when a leaderboard's statistics or this file's layout change without a change of any metric's version.
constexpr int kVersion = 7;

void add_file(const fs::path& file, Hasher& hasher) {
  std::error_code missing;
  const auto size = fs::file_size(file, missing);
  hasher.add(fs::absolute(file).string());
  if (missing) return;
  hasher.add(static_cast<std::uint64_t>(size)).add(static_cast<std::int64_t>(fs::last_write_time(file).time_since_epoch().count()));
}

std::string key_of(const TaskEvidence& evidence, const LeaderboardOptions& options) {
  Hasher hasher;
  hasher.add(kVersion).add(build_info().at("version")).add(build_info().at("git_commit"));
  hasher.add(options.inference ? 1 : 0).add(options.level).add(options.alpha).add(options.resamples).add(options.permutations).add(options.seed);
  for (const std::string& m : options.metrics.empty() ? evidence.task.metrics : options.metrics)
    hasher.add(parse_metric(m).text()).add(parse_metric(m).card->version);
  hasher.add(std::span<const float>(evidence.item_vectors)).add(evidence.vector_dim);
  hasher.add(evidence.task.id).add(evidence.task.name).add(evidence.task.dataset_title);
  add_file(evidence.task_file, hasher);
  for (const EvidenceRow& row : evidence.rows) {
    hasher.add(row.label).add(row.algorithm).add(row.suite).add(row.group).add(row.params).add(row.tuned).add(row.tuned_from).add(row.refit ? 1 : 0);
    for (const EvidenceTrial& t : row.trials) {
      hasher.add(t.fit).add(t.fold).add(t.seed).add(t.present ? 1 : 0).add(t.failed ? 1 : 0).add(t.error);
      add_file(t.file, hasher);
    }
  }
  return hasher.hex();
}

Json number(double value) { return std::isnan(value) ? Json() : Json(value); }
double real(const Json& j) { return j.is_null() ? std::nan("") : j.get<double>(); }

Json to_json(const MetricSummary& s) {
  return Json::array({number(s.mean), number(s.stddev), number(s.seed_stddev), s.n, number(s.low), number(s.high), s.best, number(s.p_best), s.tied});
}

MetricSummary summary_from(const Json& j) {
  MetricSummary s;
  s.mean = real(j.at(0));
  s.stddev = real(j.at(1));
  s.seed_stddev = real(j.at(2));
  s.n = j.at(3);
  s.low = real(j.at(4));
  s.high = real(j.at(5));
  s.best = j.at(6);
  s.p_best = real(j.at(7));
  s.tied = j.at(8);
  return s;
}

Json to_json(const LeaderboardRow& r) {
  Json metrics = Json::object(), batches = Json::array(), stages = Json::array();
  for (const auto& [name, s] : r.metrics) metrics[name] = to_json(s);
  for (const auto& [batch, p50] : r.latency_p50_by_batch) batches.push_back(Json::array({batch, number(p50)}));
  for (const auto& [stage, p50] : r.stage_p50) stages.push_back(Json::array({stage, number(p50)}));
  return {{"label", r.label}, {"algorithm", r.algorithm}, {"suite", r.suite}, {"params", r.params}, {"status", r.status}, {"error", r.error}, {"trials", r.trials},
          {"failed", r.failed}, {"planned", r.planned}, {"tried", r.tried}, {"tuned", r.tuned}, {"tuned_from", r.tuned_from}, {"gain", number(r.gain)}, {"refit", r.refit}, {"metrics", std::move(metrics)}, {"fit", number(r.fit_seconds)}, {"p50", number(r.latency_p50)},
          {"p99", number(r.latency_p99)}, {"batches", std::move(batches)}, {"stages", std::move(stages)}, {"rss", r.peak_rss_bytes}, {"model", r.model_bytes}, {"ties", number(r.tie_rate)}, {"exact", number(r.exact_recall)}};
}

LeaderboardRow row_from(const Json& j) {
  LeaderboardRow r;
  r.label = j.at("label");
  r.algorithm = j.at("algorithm");
  r.suite = j.at("suite");
  r.params = j.at("params");
  r.status = j.at("status");
  r.error = j.at("error");
  r.trials = j.at("trials");
  r.failed = j.at("failed");
  r.planned = j.at("planned");
  r.tried = j.at("tried");
  r.tuned = j.at("tuned");
  r.tuned_from = j.at("tuned_from");
  r.gain = real(j.at("gain"));
  r.refit = j.at("refit");
  for (const auto& [name, s] : j.at("metrics").items()) r.metrics[name] = summary_from(s);
  r.fit_seconds = real(j.at("fit"));
  r.latency_p50 = real(j.at("p50"));
  r.latency_p99 = real(j.at("p99"));
  for (const Json& b : j.at("batches")) r.latency_p50_by_batch[b.at(0)] = real(b.at(1));
  for (const Json& s : j.at("stages")) r.stage_p50.emplace_back(s.at(0), real(s.at(1)));
  r.peak_rss_bytes = j.at("rss");
  r.model_bytes = j.at("model");
  r.tie_rate = real(j.at("ties"));
  r.exact_recall = real(j.at("exact"));
  return r;
}

}  // namespace

Leaderboard cached_leaderboard(const TaskEvidence& evidence, const LeaderboardOptions& options, const Executor& exec, bool fresh) {
  const fs::path file = evidence.folders.front().root / "cache" / fmt::format("leaderboard-{}.json", evidence.task.id);
  const std::string key = key_of(evidence, options);
  if (!fresh && fs::exists(file)) {
    try {
      const Json kept = Json::parse(read_text_file(file));
      if (kept.at("key") == key) {
        Leaderboard board;
        board.task = evidence.task;
        board.task.metrics = kept.at("metrics").get<std::vector<std::string>>();
        board.leaks = kept.at("leaks");
        board.missing = kept.at("missing").get<std::vector<std::string>>();
        for (const Json& row : kept.at("rows")) board.rows.push_back(row_from(row));
        return board;
      }
    } catch (const nlohmann::json::exception& e) {
      log_debug("{}: {}", file.string(), e.what());  // cut short or foreign: it is computed again
    } catch (const Error& e) {
      log_debug("{}", e.what());
    }
  }
  Leaderboard board = build_leaderboard(evidence, options, exec);
  Json rows = Json::array();
  for (const LeaderboardRow& row : board.rows) rows.push_back(to_json(row));
  const Json kept{{"key", key}, {"metrics", board.task.metrics}, {"leaks", board.leaks}, {"missing", board.missing}, {"rows", std::move(rows)}};
  try {
    write_text_file(file, kept.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  } catch (const std::exception& e) {
    log_debug("the leaderboard is not kept: {}", e.what());
  }
  return board;
}

}  // namespace segue
