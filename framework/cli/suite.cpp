#include "framework/cli/suite.hpp"

#include <unistd.h>

#include <filesystem>

#include "framework/base/errors.hpp"
#include "framework/cli/commands.hpp"
#include "framework/param/overrides.hpp"
#include "framework/param/yaml.hpp"

namespace segue {

namespace fs = std::filesystem;

namespace {

fs::path user_settings() {
  if (const char* xdg = std::getenv("XDG_CONFIG_HOME"); xdg != nullptr && *xdg != '\0') return fs::path(xdg) / "segue" / "config.yaml";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".config" / "segue" / "config.yaml";
  return {};
}

}  // namespace

Layers load_layers(const std::string& file, const std::vector<std::string>& overrides, Value& merged) {
  Layers layers;
  if (const fs::path settings = user_settings(); !settings.empty() && fs::exists(settings)) layers.add(settings.string(), load_yaml(settings));
  std::vector<Layer> files;
  load_with_includes(file, files);
  for (Layer& layer : files) layers.add(std::move(layer));
  if (Value environment = environment_layer(environ); !environment.entries().empty()) layers.add("environment", std::move(environment));
  merged = layers.merged();
  // Overrides address entries of lists by name, which no layer can; so they are applied to the merged tree.
  for (const std::string& o : overrides) apply_override(merged, o);
  return layers;
}

LoadedSuite load_suite(Session& session, const std::string& file, const std::vector<std::string>& overrides,
                       const std::vector<std::string>& plugins) {
  LoadedSuite suite;
  suite.layers = load_layers(file, overrides, suite.merged);
  std::vector<std::string> all = suite_plugins(suite.merged, fs::absolute(file).parent_path().string());
  for (const std::string& p : plugins) all.push_back(fs::absolute(p).string());
  load_plugins(session, all);
  suite.spec = parse_spec(suite.merged, session.algorithms, session.datasets);
  suite.spec.plugins = all;
  if (!all.empty()) {  // kept with absolute paths, so that the results folder can be used from anywhere
    Value list = Value::list();
    for (const std::string& p : all) list.push_back(Value::string(fs::weakly_canonical(p).string()));
    suite.spec.resolved.set("plugins", std::move(list));
  }
  return suite;
}

Spec spec_of_results(Session& session, const std::string& spec_json) {
  const Value suite = Value::from_json(spec_json);
  const std::vector<std::string> plugins = suite_plugins(suite, "/");
  load_plugins(session, plugins);
  Spec spec = parse_spec(suite, session.algorithms, session.datasets);
  spec.plugins = plugins;
  return spec;
}

DatasetStore open_datasets(const Session& session) { return DatasetStore(session.datasets, session.roots, cache_folder()); }

}  // namespace segue
