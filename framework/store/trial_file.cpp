#include "framework/store/trial_file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "framework/base/errors.hpp"
#include "framework/model/h5_archive.hpp"

namespace segue {

RankingOutcome StoredView::outcome() const {
  RankingOutcome o;
  o.queries = queries;
  o.k = k;
  o.items = items;
  o.truth_offsets = truth_offsets;
  o.truth_items = truth_items;
  o.truth_gains = truth_gains;
  o.truth_rank = truth_rank;
  o.truth_above = truth_above;
  o.truth_tied = truth_tied;
  o.candidates = candidates;
  o.tie_at_cut = tie_at_cut;
  o.catalogue = catalogue;
  o.lists_only = lists_only;
  return o;
}

RatingOutcome StoredRatings::outcome() const {
  RatingOutcome o;
  o.predicted = predicted;
  o.actual = actual;
  o.users = users;
  o.clip_low = clip_low;
  o.clip_high = clip_high;
  return o;
}

const std::vector<LatencySamples>& StoredTiming::latency_of(const std::string& task, bool of_index) const {
  static const std::vector<LatencySamples> none;
  if (!of_index) return latency;
  const auto it = index_latency.find(task);
  return it == index_latency.end() ? none : it->second;
}

bool TrialRecord::has_task(const std::string& task) const {
  return std::any_of(views.begin(), views.end(), [&](const StoredView& v) { return v.task == task; }) ||
         std::any_of(ratings.begin(), ratings.end(), [&](const StoredRatings& r) { return r.task == task; });
}

namespace {

void write_means(H5Writer& file, const std::string& group, const std::map<std::string, double>& means) {
  for (const auto& [name, value] : means) file.attribute(group + "/means", name, value);
}

std::map<std::string, double> read_means(const H5Reader& file, const std::string& group) {
  std::map<std::string, double> means;
  if (!file.has(group + "/means")) return means;
  for (const std::string& name : file.attribute_names(group + "/means")) means[name] = file.attribute_real(group + "/means", name);
  return means;
}

void write_latency(H5Writer& file, const std::string& group, const std::vector<LatencySamples>& latency) {
  for (const LatencySamples& s : latency) {
    const std::string path = fmt::format("{}/batch{}", group, s.batch);
    file.array(path, s.microseconds_per_query);
    file.attribute(path, "batch", s.batch);
    file.attribute(path, "threads", s.threads);
  }
}

void write_timing(H5Writer& file, const StoredTiming& t) {
  file.attribute("/timing", "fit_seconds", t.fit_seconds);
  file.attribute("/timing", "peak_rss_bytes", t.peak_rss_bytes);
  file.attribute("/timing", "threads", t.threads);
  file.array("/timing/epoch_seconds", t.epoch_seconds);
  write_latency(file, "/timing/latency", t.latency);
  for (const auto& [task, latency] : t.index_latency) write_latency(file, "/timing/index_latency/" + task, latency);
  for (std::size_t i = 0; i < t.stages.size(); ++i) {
    const std::string path = fmt::format("/timing/stages/{}", i);
    file.array(path, t.stages[i].microseconds);
    file.attribute(path, "stage", t.stages[i].stage);
  }
}

std::vector<LatencySamples> read_latency(const H5Reader& file, const std::string& group) {
  std::vector<LatencySamples> latency;
  if (!file.is_group(group)) return latency;
  for (const std::string& name : file.children(group)) {
    const std::string path = group + "/" + name;
    LatencySamples s;
    s.batch = static_cast<std::size_t>(file.attribute_int(path, "batch"));
    s.threads = static_cast<int>(file.attribute_int(path, "threads"));
    s.microseconds_per_query = file.array<double>(path);
    latency.push_back(std::move(s));
  }
  std::sort(latency.begin(), latency.end(), [](const auto& a, const auto& b) { return a.batch < b.batch; });
  return latency;
}

StoredTiming read_timing(const H5Reader& file) {
  StoredTiming t;
  t.fit_seconds = file.attribute_real("/timing", "fit_seconds");
  t.peak_rss_bytes = static_cast<std::uint64_t>(file.attribute_int("/timing", "peak_rss_bytes"));
  t.threads = static_cast<int>(file.attribute_int("/timing", "threads"));
  t.epoch_seconds = file.array<double>("/timing/epoch_seconds");
  for (std::size_t i = 0; file.has(fmt::format("/timing/stages/{}", i)); ++i) {
    const std::string path = fmt::format("/timing/stages/{}", i);
    t.stages.push_back({file.attribute_text(path, "stage").value_or(""), file.array<double>(path)});
  }
  t.latency = read_latency(file, "/timing/latency");
  if (file.is_group("/timing/index_latency"))
    for (const std::string& task : file.children("/timing/index_latency"))
      t.index_latency[task] = read_latency(file, "/timing/index_latency/" + task);
  return t;
}

void write_record(const std::filesystem::path& path, TrialRecord& record, const Recommender* model) {
  H5Writer file(path);
  file.attribute("/", "segue_trial", kTrialSchemaVersion);
  for (const auto& [name, value] : record.attributes) file.attribute("/", name, value);
  for (const StoredView& v : record.views) {
    const std::string group = "/views/" + v.task;
    file.attribute(group, "name", v.name);
    file.attribute(group, "catalogue", v.catalogue);
    if (v.lists_only) file.attribute(group, "lists_only", true);
    if (!std::isnan(v.exact_recall)) file.attribute(group, "exact_recall", v.exact_recall);
    file.array(group + "/topk/items", v.items, {v.queries, v.k});
    file.array(group + "/topk/scores", v.scores, {v.queries, v.k});
    file.array(group + "/truth/offsets", v.truth_offsets);
    file.array(group + "/truth/items", v.truth_items);
    file.array(group + "/truth/gains", v.truth_gains);
    file.array(group + "/truth/rank", v.truth_rank);
    file.array(group + "/truth/above", v.truth_above);
    file.array(group + "/truth/tied", v.truth_tied);
    file.array(group + "/candidates", v.candidates);
    file.array(group + "/tie_at_cut", v.tie_at_cut);
    write_means(file, group, v.means);
  }
  for (const StoredRatings& r : record.ratings) {
    const std::string group = "/ratings/" + r.task;
    file.attribute(group, "name", r.name);
    file.attribute(group, "clip_low", r.clip_low);
    file.attribute(group, "clip_high", r.clip_high);
    file.array(group + "/users", r.users);
    file.array(group + "/items", r.items);
    file.array(group + "/predicted", r.predicted);
    file.array(group + "/actual", r.actual);
    write_means(file, group, r.means);
  }
  for (const auto& [series, epochs] : record.curve_epochs) {
    file.array("/curve/" + series + "/epochs", epochs);
    file.array("/curve/" + series + "/values", record.curve_values.at(series));
  }
  for (const auto& [metric, value] : record.validation) file.attribute("/validation", metric, value);
  if (model != nullptr) {
    H5ArchiveWriter archive(file, "/model");
    file.attribute("/model", "algorithm", record.attributes.at("algorithm"));
    model->save(archive);
    record.model_bytes = archive.bytes();
  }
  file.attribute("/timing", "model_bytes", record.model_bytes);
  write_timing(file, record.timing);
  file.commit();
}

}  // namespace

void write_trial(const std::filesystem::path& path, TrialRecord& record, const Recommender& model) { write_record(path, record, &model); }
void write_trial(const std::filesystem::path& path, TrialRecord& record) { write_record(path, record, nullptr); }

namespace {

H5Reader open_trial(const std::filesystem::path& path) {
  H5Reader file(path);
  if (!file.has_attribute("/", "segue_trial")) throw DataError("{} is not a trial file of Segue", path.string());
  const auto version = file.attribute_int("/", "segue_trial");
  if (version != kTrialSchemaVersion) throw DataError("{} has layout version {}, this program reads {}; run the suite again with --fresh", path.string(), version, kTrialSchemaVersion);
  return file;
}

}  // namespace

TrialFile::TrialFile(const std::filesystem::path& path) : file_(open_trial(path)) {}

std::map<std::string, std::string> TrialFile::attributes() const {
  std::map<std::string, std::string> out;
  for (const std::string& name : file_.attribute_names("/"))
    if (name != "segue_trial") out[name] = attribute(name);
  return out;
}

std::string TrialFile::attribute(const std::string& name) const { return file_.attribute_text("/", name).value_or(""); }

std::vector<std::string> TrialFile::ranking_tasks() const { return file_.is_group("/views") ? file_.children("/views") : std::vector<std::string>{}; }

std::vector<std::string> TrialFile::rating_tasks() const { return file_.is_group("/ratings") ? file_.children("/ratings") : std::vector<std::string>{}; }

bool TrialFile::has_task(const std::string& task) const { return file_.is_group("/views/" + task) || file_.is_group("/ratings/" + task); }

std::optional<StoredView> TrialFile::view(const std::string& task, ViewParts parts) const {
  const std::string group = "/views/" + task;
  if (!file_.is_group(group)) return std::nullopt;
  StoredView v;
  v.task = task;
  v.name = file_.attribute_text(group, "name").value_or("");
  v.catalogue = static_cast<std::uint64_t>(file_.attribute_int(group, "catalogue"));
  v.lists_only = file_.has_attribute(group, "lists_only");
  v.exact_recall = exact_recall(task);
  const auto shape = file_.shape(group + "/topk/items");
  v.queries = shape.at(0);
  v.k = shape.at(1);
  if (parts.lists) {
    v.items = file_.array<std::uint32_t>(group + "/topk/items");
    v.scores = file_.array<float>(group + "/topk/scores");
  }
  if (parts.truth) {
    v.truth_offsets = file_.array<std::uint64_t>(group + "/truth/offsets");
    v.truth_items = file_.array<std::uint32_t>(group + "/truth/items");
    v.truth_gains = file_.array<float>(group + "/truth/gains");
  }
  v.truth_rank = file_.array<std::uint32_t>(group + "/truth/rank");
  if (parts.ties) {
    v.truth_above = file_.array<std::uint32_t>(group + "/truth/above");
    v.truth_tied = file_.array<std::uint32_t>(group + "/truth/tied");
    v.candidates = file_.array<std::uint32_t>(group + "/candidates");
  }
  v.tie_at_cut = file_.array<std::uint8_t>(group + "/tie_at_cut");
  v.means = read_means(file_, group);
  return v;
}

std::optional<StoredRatings> TrialFile::ratings(const std::string& task) const {
  const std::string group = "/ratings/" + task;
  if (!file_.is_group(group)) return std::nullopt;
  StoredRatings r;
  r.task = task;
  r.name = file_.attribute_text(group, "name").value_or("");
  r.clip_low = file_.attribute_real(group, "clip_low");
  r.clip_high = file_.attribute_real(group, "clip_high");
  r.users = file_.array<std::uint32_t>(group + "/users");
  r.items = file_.array<std::uint32_t>(group + "/items");
  r.predicted = file_.array<float>(group + "/predicted");
  r.actual = file_.array<float>(group + "/actual");
  r.means = read_means(file_, group);
  return r;
}

TrialFile::TieCount TrialFile::ties_at_cut(const std::string& task) const {
  const std::string path = "/views/" + task + "/tie_at_cut";
  if (!file_.has(path)) return {};
  const std::vector<std::uint8_t> ties = file_.array<std::uint8_t>(path);
  return {ties.size(), static_cast<std::uint64_t>(std::count(ties.begin(), ties.end(), 1))};
}

double TrialFile::exact_recall(const std::string& task) const {
  const std::string group = "/views/" + task;
  if (!file_.has(group) || !file_.has_attribute(group, "exact_recall")) return std::numeric_limits<double>::quiet_NaN();
  return file_.attribute_real(group, "exact_recall");
}

StoredTiming TrialFile::timing() const { return read_timing(file_); }

std::uint64_t TrialFile::model_bytes() const { return static_cast<std::uint64_t>(file_.attribute_int("/timing", "model_bytes")); }

std::vector<std::string> TrialFile::curve_series() const { return file_.is_group("/curve") ? file_.children("/curve") : std::vector<std::string>{}; }

std::pair<std::vector<double>, std::vector<double>> TrialFile::curve(const std::string& series) const {
  return {file_.array<double>("/curve/" + series + "/epochs"), file_.array<double>("/curve/" + series + "/values")};
}

std::vector<std::size_t> TrialFile::latency_batches(const std::string& index_task) const {
  const std::string group = index_task.empty() ? "/timing/latency" : "/timing/index_latency/" + index_task;
  std::vector<std::size_t> batches;
  if (file_.is_group(group))
    for (const std::string& name : file_.children(group))
      batches.push_back(static_cast<std::size_t>(file_.attribute_int(group + "/" + name, "batch")));
  return batches;
}

std::map<std::string, double> TrialFile::validation() const {
  std::map<std::string, double> out;
  if (file_.is_group("/validation"))
    for (const std::string& metric : file_.attribute_names("/validation")) out[metric] = file_.attribute_real("/validation", metric);
  return out;
}

TrialRecord read_trial(const std::filesystem::path& path) {
  const TrialFile file(path);
  TrialRecord record;
  record.attributes = file.attributes();
  for (const std::string& task : file.ranking_tasks()) record.views.push_back(*file.view(task));
  for (const std::string& task : file.rating_tasks()) record.ratings.push_back(*file.ratings(task));
  for (const std::string& series : file.curve_series()) std::tie(record.curve_epochs[series], record.curve_values[series]) = file.curve(series);
  record.validation = file.validation();
  record.timing = file.timing();
  record.model_bytes = file.model_bytes();
  return record;
}

void hash_trial(const std::filesystem::path& path, Hasher& hasher) {
  const H5Reader file = open_trial(path);
  for (const char* group : {"/curve", "/model", "/ratings", "/views"}) {
    hasher.add(group);
    if (file.is_group(group)) hash_h5_group(file, group, {}, hasher);
  }
  if (file.is_group("/validation")) hash_h5_group(file, "/validation", {}, hasher);
}

}  // namespace segue
