#include "framework/experiment/job.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace segue {

using Json = nlohmann::ordered_json;

namespace {

Json view_to_json(const ViewSpec& v) {
  Json j{{"candidates", v.candidates}, {"sampled", v.sampled}, {"catalogue", v.catalogue}, {"exclude", v.exclude},
         {"repeats", v.repeats}, {"relevance", v.relevance}, {"metrics", v.metrics}, {"name", v.name}};
  if (!v.retrieval.exact()) j["retrieval"] = Json::parse(v.retrieval.to_value().to_json());
  if (v.clip_low) j["clip"] = {*v.clip_low, *v.clip_high};
  return j;
}

ViewSpec view_from_json(const Json& j) {
  ViewSpec v;
  v.candidates = j.at("candidates");
  v.sampled = j.at("sampled");
  v.catalogue = j.at("catalogue");
  v.exclude = j.at("exclude").get<std::vector<std::string>>();
  v.repeats = j.at("repeats");
  v.relevance = j.at("relevance");
  v.metrics = j.at("metrics").get<std::vector<std::string>>();
  v.name = j.at("name");
  if (j.contains("retrieval")) v.retrieval = RetrievalSpec::parse(Value::from_json(j["retrieval"].dump()));
  if (j.contains("clip")) {
    v.clip_low = j["clip"][0].get<double>();
    v.clip_high = j["clip"][1].get<double>();
  }
  return v;
}

}  // namespace

std::string Job::to_json() const {
  Json j{{"snapshot", snapshot}, {"train_snapshot", train_snapshot}, {"tuning", tuning}, {"output", output}, {"checkpoint", checkpoint}, {"checkpoint_seconds", checkpoint_seconds}, {"algorithm", algorithm}, {"label", label}, {"fit", fit}, {"fold", fold},
         {"dataset", dataset}, {"params", Json::parse(params.to_json())}, {"seed", seed}, {"tasks", tasks}, {"plugins", plugins},
         {"threads", threads}, {"memory_limit", memory_limit}, {"spec", spec}};
  j["views"] = Json::array();
  for (const ViewSpec& v : views) j["views"].push_back(view_to_json(v));
  if (latency) j["latency"] = Json::parse(LatencySpec::schema().to_value(*latency).to_json());
  j["stopping"] = Json::parse(StoppingSpec::schema().to_value(stopping).to_json());
  return j.dump();
}

Job Job::from_json(const std::string& text) {
  const Json j = Json::parse(text);
  Job job;
  job.snapshot = j.at("snapshot");
  job.train_snapshot = j.at("train_snapshot");
  job.tuning = j.at("tuning");
  job.output = j.at("output");
  job.checkpoint = j.at("checkpoint");
  job.checkpoint_seconds = j.at("checkpoint_seconds");
  job.algorithm = j.at("algorithm");
  job.label = j.at("label");
  job.fit = j.at("fit");
  job.fold = j.at("fold");
  job.dataset = j.at("dataset");
  job.params = Value::from_json(j.at("params").dump());
  job.seed = j.at("seed");
  job.tasks = j.at("tasks").get<std::vector<std::string>>();
  job.plugins = j.at("plugins").get<std::vector<std::string>>();
  job.threads = j.at("threads");
  job.memory_limit = j.at("memory_limit");
  job.spec = j.at("spec");
  for (const Json& v : j.at("views")) job.views.push_back(view_from_json(v));
  if (j.contains("latency")) job.latency = LatencySpec::schema().parse(Value::from_json(j["latency"].dump()), "'latency'");
  job.stopping = StoppingSpec::schema().parse(Value::from_json(j.at("stopping").dump()), "'stopping'");
  return job;
}

namespace {
constexpr const char* kKindNames[] = {"step", "point", "phase", "resumed", "warning", "done", "error"};
}

std::string TrialMessage::to_line() const {
  const Json j{{"kind", kKindNames[static_cast<int>(kind)]}, {"text", text}, {"done", done}, {"total", total}, {"value", value}, {"metric", metric}};
  return j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<TrialMessage> TrialMessage::from_line(const std::string& line) {
  const Json j = Json::parse(line, nullptr, false);
  if (j.is_discarded() || !j.is_object()) return std::nullopt;
  const auto text = [&](const char* key) { return j.contains(key) && j[key].is_string() ? j[key].get<std::string>() : std::string(); };
  TrialMessage m;
  const std::string kind = text("kind");
  const auto* known = std::find(std::begin(kKindNames), std::end(kKindNames), kind);
  if (known == std::end(kKindNames)) return std::nullopt;
  m.kind = static_cast<Kind>(known - std::begin(kKindNames));
  m.text = text("text");
  const auto number = [&](const char* key) { return j.contains(key) && j[key].is_number() ? j[key].get<double>() : 0.0; };
  m.done = number("done");
  m.total = number("total");
  m.value = number("value");
  m.metric = text("metric");
  return m;
}

}  // namespace segue
