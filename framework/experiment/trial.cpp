#include "framework/experiment/trial.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "framework/base/clock.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/snapshot.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/experiment/provenance.hpp"
#include "framework/experiment/trial_checkpoints.hpp"
#include "framework/model/h5_archive.hpp"
#include "framework/model/history_query.hpp"
#include "framework/model/recommend.hpp"
#include "framework/model/retrieval.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

namespace {

// The peak of this process itself. ru_maxrss would carry over what the parent held at the fork.
std::uint64_t peak_rss_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

// Early stopping maximises: a metric of which less is better enters with a minus.
double validation_sign(const std::string& metric) { return parse_metric(metric).card->higher_is_better ? 1 : -1; }

class PipeProgress : public Progress {
 public:
  PipeProgress(TrialRecord& record, const std::string& validation_metric, const std::function<void(const TrialMessage&)>& send,
               const std::function<bool()>& interrupted)
      : record_(record), validation_(validation_metric + " on validation"), sign_(validation_sign(validation_metric)), send_(send),
        interrupted_(interrupted) {}

  void step(std::size_t done, std::size_t total, std::string_view unit) override {
    send_({TrialMessage::Kind::kStep, std::string(unit), static_cast<double>(done), static_cast<double>(total), 0, {}});
    if (interrupted_()) throw Error(ExitCode::kInterrupted, "interrupted");
  }
  void record(std::string_view series, int epoch, double value) override {
    SEGUE_CHECK(series.find('/') == std::string_view::npos, "a curve cannot be kept under the name '{}', for its '/'", series);
    const bool validation = series == "validation";
    const std::string name = validation ? validation_ : std::string(series);
    if (validation || series == "best epoch") value *= sign_;
    record_.curve_epochs[name].push_back(epoch);
    record_.curve_values[name].push_back(value);
    send_({TrialMessage::Kind::kPoint, name, static_cast<double>(epoch), 0, value, {}});
  }
  void epoch_seconds(double seconds) override { record_.timing.epoch_seconds.push_back(seconds); }

 private:
  TrialRecord& record_;
  std::string validation_;
  double sign_;
  const std::function<void(const TrialMessage&)>& send_;
  const std::function<bool()>& interrupted_;
};

// Queries of an evaluation set, for the rows of a view.
std::vector<Query> make_queries(const EvalSet& set, const std::vector<std::size_t>& rows) {
  std::vector<Query> queries(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    queries[i] = history_query(set.users[rows[i]], set.histories[rows[i]], set.now[rows[i]]);
  return queries;
}

CandidatePolicy make_policy(const PreparedFold& fold, const JudgedView& view) {
  CandidatePolicy policy;
  policy.catalogue = view.catalogue;
  if (!view.candidate_offsets.empty()) policy.candidates = {view.candidate_offsets, view.candidate_items};
  if (!view.excluded_offsets.empty()) policy.excluded = {view.excluded_offsets, view.excluded_items};
  policy.task_seed = fold.task_seed;
  policy.user_keys = view.user_keys;
  policy.item_keys = fold.items.keys();
  return policy;
}

std::vector<std::uint32_t> as_u32(std::span<const ItemIdx> items) {
  std::vector<std::uint32_t> out(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) out[i] = static_cast<std::uint32_t>(items[i]);
  return out;
}

// Lists that an index finds, and what the exact ones hold beside them. Where a truth item stands is known inside a list alone.
void retrieve_view(const Recommender& model, std::span<const Query> queries, const CandidatePolicy& policy, const ViewSpec& spec, const JudgedView& view,
                   const Executor& exec, StoredView& out) {
  const ItemIndex index(model, spec.retrieval, exec);
  const TopK top = index.recommend(queries, policy, list_length(spec), exec);
  out.exact_recall = recall_of_lists(top, recommend(model, queries, policy, list_length(spec), exec));
  out.lists_only = true;
  out.k = top.k;
  out.items = as_u32(top.items);
  out.scores = top.scores;
  for (std::size_t q = 0; q < queries.size(); ++q)
    for (std::uint64_t t = view.truth_offsets[q]; t < view.truth_offsets[q + 1]; ++t) {
      const std::span<const ItemIdx> list = top.row(q);
      const auto at = std::find(list.begin(), list.end(), view.truth_items[t]);
      out.truth_rank.push_back(at == list.end() ? 0 : static_cast<std::uint32_t>(at - list.begin()) + 1);
    }
}

StoredView rank_view(const Recommender& model, const PreparedFold& fold, const EvalSet& set, const ViewSpec& spec, const Executor& exec) {
  const JudgedView view = apply_view(fold, set, spec);
  const std::vector<Query> queries = make_queries(set, view.query);
  StoredView out;
  out.name = spec.name;
  out.queries = queries.size();
  out.truth_offsets = view.truth_offsets;
  out.truth_items = as_u32(view.truth_items);
  out.truth_gains = view.truth_gains;
  out.catalogue = view.catalogue_size;
  const CandidatePolicy policy = make_policy(fold, view);
  if (!spec.retrieval.exact()) {
    retrieve_view(model, queries, policy, spec, view, exec, out);
    return out;
  }
  TruthRanks ranks;
  const ItemLists truth{view.truth_offsets, view.truth_items};
  TopK top = recommend(model, queries, policy, list_length(spec), exec, truth, ranks);
  out.k = top.k;
  out.items = as_u32(top.items);
  out.scores = std::move(top.scores);
  out.truth_rank = std::move(ranks.rank);
  out.truth_above = std::move(ranks.above);
  out.truth_tied = std::move(ranks.tied);
  out.candidates = std::move(ranks.candidates);
  out.tie_at_cut = std::move(ranks.tie_at_cut);
  return out;
}

StoredRatings predict_view(const Recommender& model, const PreparedFold& fold, const EvalSet& set, const ViewSpec& spec) {
  const RatingPredictor* predictor = model.ratings();
  if (predictor == nullptr) throw UsageError("this configuration predicts no ratings; its metrics here judge ratings");
  StoredRatings out;
  out.name = spec.name;
  out.predicted.resize(set.rating_items.size());
  predictor->predict(set.rating_users, set.rating_items, out.predicted);
  out.actual.assign(set.rating_values.begin(), set.rating_values.end());
  for (UserIdx user : set.rating_users) out.users.push_back(static_cast<std::uint32_t>(user));
  out.items = as_u32(set.rating_items);
  out.clip_low = spec.clip_low.value_or(static_cast<double>(fold.min_weight));
  out.clip_high = spec.clip_high.value_or(static_cast<double>(fold.max_weight));
  return out;
}

template <class Stored, class Outcome>
std::string compute_means(Stored& stored, const Outcome& outcome, const ViewSpec& view) {
  std::string shown;
  for (const std::string& text : view.metrics) {
    const MetricSpec metric = parse_metric(text);
    const double mean = compute(metric, outcome).mean;
    stored.means[fmt::format("{}.v{}", metric.text(), metric.card->version)] = mean;
    if (shown.empty()) shown = fmt::format("{} {:.4f}", text, mean);
  }
  return shown;
}

// A metric on validation data under full ranking. Metrics of which less is better count downwards.
std::function<double(const Recommender&)> make_validation(const PreparedFold& fold, const Job& job, const std::string& by, const Executor& exec) {
  const MetricSpec metric = parse_metric(by);
  const bool rating = metric.card->kind == MetricKind::kRating;
  if (fold.validation.size() == 0 || (rating && !fold.has_ratings)) return {};
  const ViewSpec view = validation_view(job.views, job.stopping);
  const double sign = validation_sign(by);
  return [&fold, &exec, metric, view, rating, sign](const Recommender& model) {
    return sign * (rating ? compute(metric, predict_view(model, fold, fold.validation, view).outcome()).mean
                          : compute(metric, rank_view(model, fold, fold.validation, view, exec).outcome()).mean);
  };
}

void measure(const Recommender& model, const PreparedFold& fold, const Job& job, const Executor& exec, TrialRecord& record) {
  const auto ranking = std::find_if(job.views.begin(), job.views.end(), [](const ViewSpec& v) { return !is_rating_view(v); });
  ViewSpec full;  // latency is that of searching the whole catalogue, whatever the accuracy is judged on
  if (ranking != job.views.end()) full.repeats = ranking->repeats == "only" ? "exclude" : ranking->repeats;
  const JudgedView view = apply_view(fold, fold.test, full);
  const std::vector<Query> queries = make_queries(fold.test, view.query);
  if (queries.empty()) return;
  LatencyOptions options;
  options.batch.clear();
  for (const std::int64_t b : job.latency->batch) options.batch.push_back(static_cast<std::size_t>(b));
  options.k = static_cast<std::size_t>(job.latency->k);
  options.samples = static_cast<std::size_t>(job.latency->samples);
  options.budget_seconds = job.latency->seconds;
  record.timing.latency = measure_latency(model, queries, make_policy(fold, view), options, exec);
  record.timing.stages = measure_stages(model, queries, options);
  for (std::size_t v = 0; v < job.views.size(); ++v) {
    if (is_rating_view(job.views[v]) || job.views[v].retrieval.exact()) continue;
    const JudgedView judged = apply_view(fold, fold.test, job.views[v]);
    const std::vector<Query> asked = make_queries(fold.test, judged.query);
    if (asked.empty()) continue;
    // Built anew: the process that judged may have been another, and an index that waits for its turn is memory.
    const ItemIndex index(model, job.views[v].retrieval, exec);
    const auto search = [&](std::span<const Query> batch, const CandidatePolicy& among, std::size_t k) { return index.recommend(batch, among, k, exec); };
    record.timing.index_latency[job.tasks[v]] = measure_latency(search, asked, make_policy(fold, judged), options, exec);
  }
}

using Send = std::function<void(const TrialMessage&)>;

void fit(Recommender& model, const PreparedFold& fold, const Job& job, const Registry::Entry& entry, std::function<double(const Recommender&)> validate, const Executor& exec,
         TrialRecord& record, const Send& send, const std::function<bool()>& interrupted) {
  const auto identity = [&] { return fit_identity(job, entry.info.version, entry.origin_hash, fold.dataset_fingerprint); };
  TrialCheckpoints checkpoints(job, identity, record, send, interrupted);
  const std::function<bool()> leaves = [&] { return checkpoints.leaves(); };
  PipeProgress progress(record, job.stopping.metric, send, leaves);
  FitContext ctx{exec, Rng(job.seed).stream(job.algorithm), progress};
  ctx.checkpoints = &checkpoints;
  ctx.validate = std::move(validate);
  ctx.stopping = {job.stopping.patience, job.stopping.every};
  model.fit({fold.train, fold.train_histories, fold.facets}, ctx);
  record.timing.fit_seconds = checkpoints.fit_seconds();
  record.timing.threads = exec.threads();
  record.attributes.merge(provenance());  // beside "resumed"
  record.attributes["algorithm"] = job.algorithm;
  record.attributes["algorithm_version"] = std::to_string(entry.info.version);
  record.attributes["algorithm_origin"] = entry.origin;
  record.attributes["plugin_hash"] = entry.origin_hash;
  record.attributes["params"] = job.params.to_json();
  record.attributes["label"] = job.label;
  record.attributes["seed"] = std::to_string(job.seed);
  record.attributes["fold"] = job.fold;
  record.attributes["dataset"] = job.dataset;
  record.attributes["dataset_fingerprint"] = fold.dataset_fingerprint;
  record.attributes["fit"] = job.fit;
  record.attributes["status"] = "ok";
  record.attributes["suite"] = job.spec;
}

void run_tuning_trial(const Job& job, const Registry& registry, const Send& send, const std::function<bool()>& interrupted) {
  const PreparedFold fold = map_snapshot(job.snapshot);
  SEGUE_CHECK(fold.test.size() == 0, "a tuning trial was handed test data");
  const Executor exec(job.threads);
  const Registry::Entry& entry = registry.find(job.algorithm);
  const std::unique_ptr<Recommender> model = entry.make(job.params, registry);
  TrialRecord record;
  send({TrialMessage::Kind::kPhase, "fitting", 0, 0, 0, {}});
  // Without early stopping nothing hangs on what validation says between epochs.
  fit(*model, fold, job, entry, job.stopping.patience > 0 ? make_validation(fold, job, job.stopping.metric, exec) : nullptr, exec, record, send, interrupted);
  send({TrialMessage::Kind::kPhase, "validating", 0, 0, 0, {}});
  const auto validate = make_validation(fold, job, job.tuning, exec);
  const double value = validate ? validation_sign(job.tuning) * validate(*model) : std::nan("");
  if (std::isnan(value)) throw UsageError("'{}' has no value on validation data; is there truth left after exclusions?", job.tuning);
  const MetricSpec metric = parse_metric(job.tuning);
  record.attributes["role"] = "tuning";
  record.validation[fmt::format("{}.v{}", metric.text(), metric.card->version)] = value;
  record.timing.peak_rss_bytes = peak_rss_bytes();
  write_trial(job.output, record);
  remove_checkpoint(job.checkpoint);
  send({TrialMessage::Kind::kDone, "", 0, 0, record.timing.fit_seconds, fmt::format("{} {:.4f} on validation", job.tuning, value)});
}

}  // namespace

void run_trial(const Job& job, const Registry& registry, const std::function<void(const TrialMessage&)>& send,
               const std::function<bool()>& interrupted) {
  if (!job.tuning.empty()) return run_tuning_trial(job, registry, send, interrupted);
  const auto phase = [&](const std::string& text) { send({TrialMessage::Kind::kPhase, text, 0, 0, 0, {}}); };
  const PreparedFold fold = map_snapshot(job.snapshot);
  const Executor exec(job.threads);
  const Registry::Entry& entry = registry.find(job.algorithm);
  const std::unique_ptr<Recommender> model = entry.make(job.params, registry);
  TrialRecord record;
  std::optional<PreparedFold> learned;  // outlives what the model may refer to
  if (!job.train_snapshot.empty()) learned = map_snapshot(job.train_snapshot);
  if (std::filesystem::exists(job.output)) {
    phase("loading");
    record = read_trial(job.output);
    const H5Reader file(job.output);
    model->load(H5ArchiveReader(file, "/model"));
  } else {
    phase("fitting");
    if (!learned) {
      fit(*model, fold, job, entry, make_validation(fold, job, job.stopping.metric, exec), exec, record, send, interrupted);
    } else {
      // Of a refit nothing is left to validate by.
      fit(*model, *learned, job, entry, {}, exec, record, send, interrupted);
      record.attributes["trained_on"] = "training and validation data";
    }
  }
  std::string shown;
  for (std::size_t v = 0; v < job.views.size(); ++v) {
    if (record.has_task(job.tasks[v])) continue;
    if (interrupted()) throw Error(ExitCode::kInterrupted, "interrupted");
    phase("evaluating " + job.views[v].name);
    std::string text;
    if (is_rating_view(job.views[v])) {
      record.ratings.push_back(predict_view(*model, fold, fold.test, job.views[v]));
      record.ratings.back().task = job.tasks[v];
      text = compute_means(record.ratings.back(), record.ratings.back().outcome(), job.views[v]);
    } else {
      record.views.push_back(rank_view(*model, fold, fold.test, job.views[v], exec));
      record.views.back().task = job.tasks[v];
      StoredTask catalogue;
      describe_items(fold, catalogue);
      const StoredTaskFold judged = task_fold(fold, apply_view(fold, fold.test, job.views[v]));
      const ItemFacts facts = item_facts(catalogue, judged);
      RankingOutcome outcome = record.views.back().outcome();
      outcome.item_facts = &facts;
      outcome.query_facts = query_facts(judged);
      text = compute_means(record.views.back(), outcome, job.views[v]);
      if (const double recall = record.views.back().exact_recall; !std::isnan(recall)) text += fmt::format(" ({}: {:.4f} of the exact lists)", job.views[v].retrieval.kind, recall);
    }
    if (shown.empty()) shown = text;
  }
  if (job.latency && entry.info.ranks) {
    phase("measuring latency");
    measure(*model, fold, job, exec, record);
  }
  record.timing.peak_rss_bytes = std::max(record.timing.peak_rss_bytes, peak_rss_bytes());
  write_trial(job.output, record, *model);
  remove_checkpoint(job.checkpoint);
  send({TrialMessage::Kind::kDone, "", 0, 0, record.timing.fit_seconds, shown});
}

}  // namespace segue
