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

// Configurations that run code of their own, as small and short as learning anything allows.
std::vector<Subject> further_subjects() {
  const Value lazy = Value::string("lazy"), yes = Value::boolean(true), no = Value::boolean(false);
  const Value fast = Value::real(0.004);
  const auto whole = [](std::int64_t n) { return Value::integer(n); };
  return {
      {"mult_vae", params_of({{"variational", no}, {"factors", whole(32)}, {"hidden", whole(64)}}),
       "mult_vae_denoising"},
      // A single layer each way takes longer steps, in a world of few users and so of few steps.
      {"mult_vae", params_of({{"hidden", whole(0)}, {"factors", whole(32)}, {"learning_rate", Value::real(0.02)}}),
       "mult_vae_shallow"},
      {"ncf", params_of({{"model", Value::string("gmf")}}), "ncf_gmf"},
      {"ncf",
       params_of({{"model", Value::string("mlp")},
                  {"embedding_updates", lazy},
                  {"epochs", whole(12)},
                  {"learning_rate", fast}}),
       "ncf_mlp_lazy"},
      {"ncf", params_of({{"pretrain_epochs", whole(3)}, {"epochs", whole(8)}, {"learning_rate", fast}}),
       "ncf_pretrained"},
      {"two_tower", params_of({{"normalise", yes}, {"temperature", Value::real(0.2)}, {"embedding_updates", lazy}}),
       "two_tower_normalised_lazy"},
      {"two_tower", params_of({{"history", Value::string("attention")}, {"epochs", whole(8)}}), "two_tower_attention"},
  };
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
  for (Subject& subject : further_subjects()) out.push_back(std::move(subject));
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
