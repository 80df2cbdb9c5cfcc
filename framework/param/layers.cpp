#include "framework/param/layers.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/param/overrides.hpp"
#include "framework/param/yaml.hpp"

namespace segue {

namespace {

constexpr std::size_t kMaxFiles = 256;

void merge(Value& below, const Value& above, const std::string& path) {
  if (above.is_map() && below.is_list() && !above.entries().empty()) {
    throw UsageError("{}{} is a list{}; a map cannot be merged into it", above.mark().prefix(), path,
                     below.mark().file.empty() ? "" : " at " + below.mark().str());
  }
  if (!above.is_map() || !below.is_map()) {
    below = above;
    return;
  }
  for (const Value::Entry& entry : above.entries()) {
    if (Value* found = below.find(entry.key)) {
      merge(*found, entry.value, path.empty() ? entry.key : fmt::format("{}.{}", path, entry.key));
    } else {
      below.set(entry.key, entry.value, entry.key_mark);
    }
  }
}

struct Leaf {
  std::vector<std::string> keys;
};

void collect_leaves(const Value& node, std::vector<std::string>& keys, std::vector<Leaf>& out) {
  if (!node.is_map() || node.entries().empty()) {
    if (!keys.empty()) out.push_back({keys});
    return;
  }
  for (const Value::Entry& entry : node.entries()) {
    keys.push_back(entry.key);
    collect_leaves(entry.value, keys, out);
    keys.pop_back();
  }
}

std::string path_text(const std::vector<std::string>& keys) {
  std::string out;
  for (const std::string& key : keys) {
    if (!out.empty()) out += '.';
    for (const char c : key) {
      if (c == '.') out += '\\';
      out += c;
    }
  }
  return out;
}

class Includer {
 public:
  explicit Includer(std::vector<Layer>& out) : out_(out) {}

  void load(const std::filesystem::path& path, const Mark& from) {
    const std::string name = path.string();
    std::error_code code;
    std::string identity = std::filesystem::weakly_canonical(path, code).string();
    if (code) identity = name;
    if (const auto open = std::find(identities_.begin(), identities_.end(), identity); open != identities_.end()) {
      const auto first = names_.begin() + (open - identities_.begin());
      throw UsageError("{}files include each other: {} -> {}", from.prefix(), fmt::join(first, names_.end(), " -> "),
                       name);
    }
    if (++files_ > kMaxFiles) throw UsageError("{}more than {} files are included", from.prefix(), kMaxFiles);
    Value values;
    try {
      values = load_yaml(path);
    } catch (const UsageError& error) {
      if (from.line == 0 || std::filesystem::is_regular_file(path, code)) throw;
      throw UsageError("{}cannot include '{}': {}", from.prefix(), name, error.what());
    }
    if (!values.is_map())
      throw UsageError("{}expected a map of settings, got {}", values.mark().prefix(), values.describe());
    identities_.push_back(identity);
    names_.push_back(name);
    if (const Value* include = values.find("include")) {
      const std::vector<Value> files = include->is_list() ? include->items() : std::vector<Value>{*include};
      for (const Value& file : files) {
        if (!file.is_string())
          throw UsageError("{}include needs the name of a file or a list of names, got {}", file.mark().prefix(),
                           file.describe());
        load((path.parent_path() / file.as_string()).lexically_normal(), file.mark());
      }
    }
    identities_.pop_back();
    names_.pop_back();
    values.erase("include");
    out_.push_back({name, std::move(values)});
  }

 private:
  std::vector<Layer>& out_;
  std::vector<std::string> identities_;  // of the files being loaded, outermost first
  std::vector<std::string> names_;
  std::size_t files_ = 0;
};

}  // namespace

void Layers::add(Layer layer) {
  if (!layer.values.is_map() && !layer.values.is_null()) {
    throw UsageError("{}expected a map of settings, got {}", layer.values.mark().prefix(), layer.values.describe());
  }
  layers_.push_back(std::move(layer));
}

Value Layers::merged() const {
  Value out = Value::map();
  for (const Layer& layer : layers_) {
    if (!layer.values.is_null()) merge(out, layer.values, "");
  }
  if (!layers_.empty()) out.set_mark(layers_.back().values.mark());
  return out;
}

std::vector<Origin> Layers::origins() const {
  std::vector<Leaf> leaves;
  std::vector<std::string> keys;
  collect_leaves(merged(), keys, leaves);
  std::vector<Origin> out;
  for (const Leaf& leaf : leaves) {
    Origin origin{path_text(leaf.keys), {}};
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
      const Value* value = &layer->values;
      for (const std::string& key : leaf.keys) value = value ? value->find(key) : nullptr;
      if (value) origin.winner_then_losers.push_back({layer->origin, value->mark().str(), value->text()});
    }
    out.push_back(std::move(origin));
  }
  return out;
}

const std::vector<std::string>& reserved_environment() {
  static const std::vector<std::string> kReserved = {
      "SEGUE_ARCH",     "SEGUE_BUILD_BENCH", "SEGUE_BUILD_DIR", "SEGUE_BUILD_TESTS", "SEGUE_CACHE_DIR",
      "SEGUE_CONFIG",   "SEGUE_DATA_DIR",    "SEGUE_LOG_LEVEL", "SEGUE_PLUGIN_PATH", "SEGUE_REEXECUTED",
      "SEGUE_SANITIZE", "SEGUE_SOURCE_DIR",  "SEGUE_THREADS",   "SEGUE_WERROR"};
  return kReserved;
}

Value environment_layer(const char* const* envp) { return environment_layer(envp, reserved_environment()); }

Value environment_layer(const char* const* envp, const std::vector<std::string>& reserved) {
  constexpr std::string_view kHead = "SEGUE_";
  std::vector<std::pair<std::string, std::string>> variables;
  for (; envp && *envp; ++envp) {
    const std::string_view text = *envp;
    const std::size_t equals = text.find('=');
    if (!text.starts_with(kHead) || equals == std::string_view::npos) continue;
    const std::string name(text.substr(0, equals));
    if (std::find(reserved.begin(), reserved.end(), name) == reserved.end())
      variables.emplace_back(name, text.substr(equals + 1));
  }
  std::sort(variables.begin(), variables.end());
  Value root = Value::map({"environment", 0, 0});
  std::vector<std::string> set;  // the paths of values, as opposed to maps made on the way to them
  for (const auto& [name, text] : variables) {
    const Mark mark{fmt::format("environment {}", name), 0, 0};
    std::string rest = name.substr(kHead.size());
    std::transform(rest.begin(), rest.end(), rest.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    Value* node = &root;
    for (std::string path;; path += '.') {
      const std::size_t cut = rest.find("__");
      const bool last = cut == std::string::npos;
      const std::string key = rest.substr(0, cut);
      if (key.empty()) throw UsageError("{}a part of the name is empty; SEGUE_A__B sets a.b", mark.prefix());
      path += key;
      Value* found = node->find(key);
      if (found && (last || std::find(set.begin(), set.end(), path) != set.end())) {
        throw UsageError("{}'{}' is set by {} as well", mark.prefix(), path, found->mark().str());
      }
      if (last) {
        node->set(key, parse_override_value(text, mark), mark);
        set.push_back(path);
        break;
      }
      node = found ? found : &node->set(key, Value::map(mark), mark);
      rest = rest.substr(cut + 2);
    }
  }
  return root;
}

Value load_with_includes(const std::filesystem::path& path, std::vector<Layer>& out_layers) {
  std::vector<Layer> loaded;
  Includer(loaded).load(path, {});
  Layers layers;
  for (const Layer& layer : loaded) layers.add(layer);
  Value merged = layers.merged();
  out_layers.insert(out_layers.end(), loaded.begin(), loaded.end());
  return merged;
}

}  // namespace segue
