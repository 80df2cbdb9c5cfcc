#include "framework/store/trial_file.hpp"

#include <algorithm>

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

void write_timing(H5Writer& file, const StoredTiming& t) {
  file.attribute("/timing", "fit_seconds", t.fit_seconds);
  file.attribute("/timing", "peak_rss_bytes", t.peak_rss_bytes);
  file.attribute("/timing", "threads", t.threads);
  file.array("/timing/epoch_seconds", t.epoch_seconds);
  for (const LatencySamples& s : t.latency) {
    const std::string path = fmt::format("/timing/latency/batch{}", s.batch);
    file.array(path, s.microseconds_per_query);
    file.attribute(path, "batch", s.batch);
    file.attribute(path, "threads", s.threads);
  }
}

StoredTiming read_timing(const H5Reader& file) {
  StoredTiming t;
  t.fit_seconds = file.attribute_real("/timing", "fit_seconds");
  t.peak_rss_bytes = static_cast<std::uint64_t>(file.attribute_int("/timing", "peak_rss_bytes"));
  t.threads = static_cast<int>(file.attribute_int("/timing", "threads"));
  t.epoch_seconds = file.array<double>("/timing/epoch_seconds");
  if (!file.is_group("/timing/latency")) return t;
  for (const std::string& name : file.children("/timing/latency")) {
    const std::string path = "/timing/latency/" + name;
    LatencySamples s;
    s.batch = static_cast<std::size_t>(file.attribute_int(path, "batch"));
    s.threads = static_cast<int>(file.attribute_int(path, "threads"));
    s.microseconds_per_query = file.array<double>(path);
    t.latency.push_back(std::move(s));
  }
  std::sort(t.latency.begin(), t.latency.end(), [](const auto& a, const auto& b) { return a.batch < b.batch; });
  return t;
}

}  // namespace

void write_trial(const std::filesystem::path& path, TrialRecord& record, const Recommender& model) {
  H5Writer file(path);
  file.attribute("/", "segue_trial", kTrialSchemaVersion);
  for (const auto& [name, value] : record.attributes) file.attribute("/", name, value);
  for (const StoredView& v : record.views) {
    const std::string group = "/views/" + v.task;
    file.attribute(group, "name", v.name);
    file.attribute(group, "catalogue", v.catalogue);
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
  H5ArchiveWriter archive(file, "/model");
  file.attribute("/model", "algorithm", record.attributes.at("algorithm"));
  model.save(archive);
  record.model_bytes = archive.bytes();
  file.attribute("/timing", "model_bytes", record.model_bytes);
  write_timing(file, record.timing);
  file.commit();
}

namespace {

H5Reader open_trial(const std::filesystem::path& path) {
  H5Reader file(path);
  if (!file.has_attribute("/", "segue_trial")) throw DataError("{} is not a trial file of Segue", path.string());
  const auto version = file.attribute_int("/", "segue_trial");
  if (version != kTrialSchemaVersion) throw DataError("{} has layout version {}, this program reads {}; run the suite again with --fresh", path.string(), version, kTrialSchemaVersion);
  return file;
}

}  // namespace

TrialRecord read_trial(const std::filesystem::path& path) {
  const H5Reader file = open_trial(path);
  TrialRecord record;
  for (const std::string& name : file.attribute_names("/"))
    if (name != "segue_trial") record.attributes[name] = file.attribute_text("/", name).value_or("");
  if (file.is_group("/views")) {
    for (const std::string& task : file.children("/views")) {
      const std::string group = "/views/" + task;
      StoredView v;
      v.task = task;
      v.name = file.attribute_text(group, "name").value_or("");
      v.catalogue = static_cast<std::uint64_t>(file.attribute_int(group, "catalogue"));
      const auto shape = file.shape(group + "/topk/items");
      v.queries = shape.at(0);
      v.k = shape.at(1);
      v.items = file.array<std::uint32_t>(group + "/topk/items");
      v.scores = file.array<float>(group + "/topk/scores");
      v.truth_offsets = file.array<std::uint64_t>(group + "/truth/offsets");
      v.truth_items = file.array<std::uint32_t>(group + "/truth/items");
      v.truth_gains = file.array<float>(group + "/truth/gains");
      v.truth_rank = file.array<std::uint32_t>(group + "/truth/rank");
      v.truth_above = file.array<std::uint32_t>(group + "/truth/above");
      v.truth_tied = file.array<std::uint32_t>(group + "/truth/tied");
      v.candidates = file.array<std::uint32_t>(group + "/candidates");
      v.tie_at_cut = file.array<std::uint8_t>(group + "/tie_at_cut");
      v.means = read_means(file, group);
      record.views.push_back(std::move(v));
    }
  }
  if (file.is_group("/ratings")) {
    for (const std::string& task : file.children("/ratings")) {
      const std::string group = "/ratings/" + task;
      StoredRatings r;
      r.task = task;
      r.name = file.attribute_text(group, "name").value_or("");
      r.clip_low = file.attribute_real(group, "clip_low");
      r.clip_high = file.attribute_real(group, "clip_high");
      r.users = file.array<std::uint32_t>(group + "/users");
      r.items = file.array<std::uint32_t>(group + "/items");
      r.predicted = file.array<float>(group + "/predicted");
      r.actual = file.array<float>(group + "/actual");
      r.means = read_means(file, group);
      record.ratings.push_back(std::move(r));
    }
  }
  if (file.is_group("/curve")) {
    for (const std::string& series : file.children("/curve")) {
      record.curve_epochs[series] = file.array<double>("/curve/" + series + "/epochs");
      record.curve_values[series] = file.array<double>("/curve/" + series + "/values");
    }
  }
  record.timing = read_timing(file);
  record.model_bytes = static_cast<std::uint64_t>(file.attribute_int("/timing", "model_bytes"));
  return record;
}

TrialContents peek_trial(const std::filesystem::path& path) {
  const H5Reader file = open_trial(path);
  TrialContents contents;
  for (const char* group : {"/views", "/ratings"})
    if (file.is_group(group))
      for (const std::string& task : file.children(group)) contents.tasks.push_back(task);
  if (file.is_group("/timing/latency"))
    for (const std::string& name : file.children("/timing/latency"))
      contents.latency_batches.push_back(static_cast<std::size_t>(file.attribute_int("/timing/latency/" + name, "batch")));
  return contents;
}

void hash_trial(const std::filesystem::path& path, Hasher& hasher) {
  const H5Reader file = open_trial(path);
  for (const char* group : {"/curve", "/model", "/ratings", "/views"}) {
    hasher.add(group);
    if (file.is_group(group)) hash_h5_group(file, group, {}, hasher);
  }
}

}  // namespace segue
