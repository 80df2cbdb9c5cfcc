#include <nlohmann/json.hpp>

#include "framework/experiment/spec.hpp"
#include "framework/store/plots.hpp"

namespace segue {

using Json = nlohmann::ordered_json;

namespace {

// A parameter of the schema, or a list of its values: a grid.
Json with_grids(const std::string& schema_text) {
  Json schema = Json::parse(schema_text);
  for (auto& [name, property] : schema["properties"].items()) {
    Json single = property;
    const Json description = single.value("description", "");
    single.erase("description");
    property = {{"description", description},
                {"anyOf", {single, {{"type", "array"}, {"items", single}, {"description", "a grid"}}}}};
  }
  schema.erase("$schema");
  return schema;
}

template <class P>
Json section();

// `tune` of an entry: what the suite may say, and the entry's own space.
Json entry_tune(const AnySchema& params) {
  Json tune = section<TuneSpec>();
  tune["properties"]["space"] = Json::parse(SearchSpace::json_schema(params));
  return {{"anyOf", {{{"type", "boolean"}}, tune}}};
}

template <class P>
Json section() {
  Json schema = Json::parse(AnySchema::of<P>().json_schema());
  schema.erase("$schema");
  return schema;
}

Json published() {
  Json schema = section<PublishedSpec>();
  schema["required"] = {"label", "metric", "value", "source"};
  return schema;
}

}  // namespace

std::string suite_json_schema(const Registry& algorithms, const DatasetRegistry& datasets) {
  const Json seed{{"type", "integer"}, {"minimum", 0}};
  const Json seeds{{"anyOf", {seed, {{"type", "array"}, {"minItems", 1}, {"items", seed}}}}};
  Json signals{
      {"type", "object"},
      {"additionalProperties", false},
      {"description", "weights of events that this row learns from, where they are not those it is judged by"}};
  const Json feedback = section<FeedbackSpec>();
  for (const auto& [key, weight] : FeedbackSpec::signals()) signals["properties"][key] = feedback["properties"][key];
  Json algorithm = Json::array();
  algorithm.push_back({{"enum", algorithms.names()}});
  for (const std::string& name : algorithms.names()) {
    Json params = with_grids(algorithms.find(name).schema.json_schema());
    params["type"] = {"object", "null"};
    algorithm.push_back({{"type", "object"},
                         {"required", {name}},
                         {"additionalProperties", false},
                         {"description", algorithms.find(name).info.summary},
                         {"properties",
                          {{name, params},
                           {"label", {{"type", "string"}}},
                           {"seeds", seeds},
                           {"tune", entry_tune(algorithms.find(name).schema)},
                           {"feedback", signals}}}});
  }
  Json dataset = Json::array();
  dataset.push_back({{"enum", datasets.names()}});
  for (const std::string& name : datasets.names()) {
    Json schema = Json::parse(datasets.find(name).schema.json_schema());
    schema.erase("$schema");
    schema["properties"]["name"] = {{"const", name}};
    schema["properties"]["label"] = {{"type", "string"}};
    schema["required"] = {"name"};
    dataset.push_back(schema);
  }
  const Json dataset_or_list{
      {"anyOf", {{{"$ref", "#/$defs/dataset"}}, {{"type", "array"}, {"items", {{"$ref", "#/$defs/dataset"}}}}}}};
  Json out{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
           {"title", "Segue suite"},
           {"type", "object"},
           {"additionalProperties", false},
           {"required", {"version", "name", "algorithms", "evaluate"}},
           {"properties",
            {{"version", {{"const", 1}}},
             {"name", {{"type", "string"}, {"pattern", "^[A-Za-z0-9_-][A-Za-z0-9_.-]*$"}}},
             {"description", {{"type", "string"}}},
             {"include", {{"anyOf", {{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}}}}},
             {"dataset", dataset_or_list},
             {"datasets", dataset_or_list},
             {"feedback", section<FeedbackSpec>()},
             {"filter", section<FilterSpec>()},
             {"split", section<SplitSpec>()},
             {"seeds", seeds},
             {"algorithms", {{"type", "array"}, {"minItems", 1}, {"items", {{"anyOf", algorithm}}}}},
             {"evaluate", {{"type", "array"}, {"minItems", 1}, {"items", Json::parse(ViewSpec::json_schema())}}},
             {"latency", {{"anyOf", {{{"type", "boolean"}}, section<LatencySpec>()}}}},
             {"stopping", section<StoppingSpec>()},
             {"tune", section<TuneSpec>()},
             {"limits", section<LimitsSpec>()},
             {"published", {{"type", "array"}, {"items", published()}}},
             {"plots", {{"type", "array"}, {"items", {{"enum", plot_names()}}}}},
             {"plugins", {{"type", "array"}, {"items", {{"type", "string"}}}}}}},
           {"$defs", {{"dataset", {{"anyOf", dataset}}}}}};
  return out.dump(2);
}

}  // namespace segue
