#include "tests/contract/subjects.hpp"

#include "framework/cli/builtin.hpp"
#include "framework/model/plugin.hpp"

namespace segue::test {

namespace {

struct Registries {
  Registry algorithms;
  DatasetRegistry datasets;
  Registries() {
    register_builtin(algorithms, datasets);
    load_plugin(SEGUE_TEST_PLUGIN_DIR "/plugin_good.so", algorithms);
  }
};

const Registries& registries() {
  static const Registries all;
  return all;
}

}  // namespace

const Registry& all_algorithms() { return registries().algorithms; }
const DatasetRegistry& all_datasets() { return registries().datasets; }
std::vector<std::string> algorithm_names() { return all_algorithms().names(); }

std::vector<Subject> subjects() {
  std::vector<Subject> out;
  for (const std::string& name : algorithm_names()) {
    out.push_back({name, Value::map(), name});
    const bool rates = learns_ratings(out.back());
    for (const FieldInfo& field : all_algorithms().find(name).schema.fields()) {
      for (const std::string& choice : field.choices) {
        Value params = Value::map();
        params.set(field.name, field.is_list ? Value::list({Value::string(choice)}) : Value::string(choice));
        // The defaults belong to the default objective. Another is given the least penalty of the tuner's range, which
        // suits worlds as small as these.
        for (const FieldInfo& other : all_algorithms().find(name).schema.fields()) {
          if (other.name == "reg" && other.has_search && other.search_values.empty())
            params.set(other.name, Value::real(other.low));
        }
        Subject subject{name, std::move(params), name + "_" + field.name + "_" + choice};
        try {
          if (learns_ratings(subject) != rates) out.push_back(std::move(subject));
        } catch (const UsageError&) {
          // A choice that needs another beside it is no configuration of its own.
        }
      }
    }
  }
  return out;
}

std::vector<Subject> subjects_that(const std::function<bool(const Subject&)>& can) {
  std::vector<Subject> out = subjects();
  std::erase_if(out, [&](const Subject& s) { return !can(s); });
  return out;
}

std::string learns_nothing_because(const Subject& subject) {
  const AlgorithmInfo& info = entry_of(subject).info;
  if (!info.personalised) return "is not personalised: everybody gets the same list";
  if (info.family == "baseline") return "is of the family 'baseline'";
  return "";
}

Fitted fit(const Subject& subject, const PreparedFold& fold, int threads, std::uint64_t seed) {
  const Executor exec(threads);
  Fitted out{make(subject), {}};
  FitContext ctx{exec, Rng(seed).stream(subject.algorithm), out.curve};
  out.model->fit({fold.train, fold.train_histories, fold.facets}, ctx);
  return out;
}

}  // namespace segue::test
