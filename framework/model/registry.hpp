// The algorithms a program knows. An ordinary object made in main() and in tests; no singleton, no static initialisers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/model/components.hpp"
#include "framework/model/recommender.hpp"
#include "framework/param/schema.hpp"
#include "framework/param/value.hpp"

namespace segue {

// Stands among the facets that an algorithm needs where events must have times, and not only an order.
inline constexpr std::string_view kNeedsTimes = "times";

// Capabilities as data: what a run may ask of an algorithm, and what it needs.
struct AlgorithmInfo {
  std::string name;      // "implicit_als"
  std::string summary;   // one line
  std::string citation;  // "Hu, Koren & Volinsky 2008, Collaborative filtering for implicit feedback datasets, ICDM"
  std::string family;    // "baseline", "neighbourhood", "factors", "neural", "sequence", "content", "hybrid"
  int version = 1;       // bump when results change for the same parameters: it is part of every fit's identity
  std::vector<std::string> needs{};  // facet names, e.g. {"item_tags"}, and kNeedsTimes
  bool ranks = true;            // scores items for top-N
  bool predicts_ratings = false;  // ratings() is not null (possibly depending on parameters)
  bool personalised = true;     // false: every user gets the same list
  bool iterative = false;       // has a learning curve
  bool embeddings = false;      // embeddings() is not null
};

// Size of what is learned from, for estimates before a run.
struct DataShape {
  double users = 0, items = 0, events = 0;
};

class Registry {
 public:
  struct Entry {
    AlgorithmInfo info;
    AnySchema schema;
    // Parameters are checked against the schema: UsageError with file:line:column. The registry, which outlives the
    // model, makes the components of a hybrid.
    std::function<std::unique_ptr<Recommender>(const Value& params, const Registry& registry)> make;
    // The algorithms that a hybrid is made of; empty of others (no `std::vector<AlgorithmSpec> components() const`).
    std::function<std::vector<AlgorithmSpec>(const Value& params)> components{};
    // Facets that some settings alone need (no `std::vector<std::string> needs() const`).
    std::function<std::vector<std::string>(const Value& params)> needs{};
    // Floating-point operations of a fit, roughly; empty where the parameters do not say (no `double fit_flop(DataShape) const`).
    std::function<double(const Value& params, const DataShape& shape)> fit_flop{};
    // Bytes that a fit holds beyond data, factors and neighbour lists (a dense matrix of item pairs); empty where there are none
    // (no `double fit_bytes(DataShape) const`).
    std::function<double(const Value& params, const DataShape& shape)> fit_bytes{};
    std::string origin = "built in";  // or the plugin's path
    std::string origin_hash{};        // content hash of the plugin file
  };
  // UsageError naming both claimants where the name is taken.
  void add(Entry entry);
  // UsageError with a suggestion where there is none.
  const Entry& find(const std::string& name) const;
  bool has(const std::string& name) const { return entries_.contains(name); }
  std::unique_ptr<Recommender> make(const std::string& name, const Value& params) const {
    return find(name).make(params, *this);
  }
  Component component(const AlgorithmSpec& spec) const;
  // The algorithm and all that it is made of, itself first, each with its parameters, which are checked: UsageError with
  // file:line:column where a component, or a component's component, is unknown or has a wrong parameter.
  struct Part {
    const Entry* entry;
    Value params;
  };
  std::vector<Part> parts(const std::string& name, const Value& params) const;
  // Facets that one of its parts needs, each once, sorted.
  std::vector<std::string> needs(const std::string& name, const Value& params) const;
  std::vector<std::string> names() const;  // sorted
  // While a plugin is loaded, what registers itself is marked with this origin.
  void set_origin(std::string origin, std::string hash);

 private:
  std::map<std::string, Entry> entries_;
  std::string origin_ = "built in", origin_hash_;
};

namespace detail {
template <class Model, class Params>
Registry::Entry algorithm_entry(AlgorithmInfo info) {
  const std::string what = "algorithm '" + info.name + "'";
  Registry::Entry entry{std::move(info), AnySchema::of<Params>(),
                        [what](const Value& params, [[maybe_unused]] const Registry& registry) -> std::unique_ptr<Recommender> {
                          Params parsed = Params::schema().parse(params, what);
                          if constexpr (requires { parsed.components(); }) {
                            std::vector<Component> components;
                            for (const AlgorithmSpec& spec : parsed.components())
                              components.push_back(registry.component(spec));
                            return std::make_unique<Model>(std::move(parsed), std::move(components));
                          } else {
                            return std::make_unique<Model>(std::move(parsed));
                          }
                        }};
  if constexpr (requires(const Params& p) { p.components(); })
    entry.components = [what](const Value& params) { return Params::schema().parse(params, what).components(); };
  if constexpr (requires(const Params& p) { p.needs(); })
    entry.needs = [what](const Value& params) { return Params::schema().parse(params, what).needs(); };
  if constexpr (requires(const Params& p, const DataShape& s) { p.fit_flop(s); })
    entry.fit_flop = [what](const Value& params, const DataShape& shape) { return Params::schema().parse(params, what).fit_flop(shape); };
  if constexpr (requires(const Params& p, const DataShape& s) { p.fit_bytes(s); })
    entry.fit_bytes = [what](const Value& params, const DataShape& shape) { return Params::schema().parse(params, what).fit_bytes(shape); };
  return entry;
}
}  // namespace detail

}  // namespace segue

#ifdef SEGUE_PLUGIN
#include "framework/model/plugin_entry.hpp"
#endif

// SEGUE_ALGORITHM(implicit_als, ImplicitAls, ImplicitAlsParams, {.name = "implicit_als", ...}) defines the one registration
// function that CMake's segue_algorithm(implicit_als) lists, or that a plugin exports.
#define SEGUE_ALGORITHM(name_, Model_, Params_, ...)                                                           \
  extern "C" void segue_register_algorithm_##name_(::segue::Registry& registry) {                              \
    registry.add(::segue::detail::algorithm_entry<Model_, Params_>(::segue::AlgorithmInfo __VA_ARGS__));       \
  }                                                                                                            \
  SEGUE_PLUGIN_ENTRY(name_)

#ifndef SEGUE_PLUGIN_ENTRY
#define SEGUE_PLUGIN_ENTRY(name_)
#endif
