#include "framework/model/registry.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"

namespace segue {

void Registry::add(Entry entry) {
  entry.origin = origin_;
  entry.origin_hash = origin_hash_;
  const auto [it, fresh] = entries_.try_emplace(entry.info.name, entry);
  if (!fresh) {
    throw UsageError("algorithm '{}' of {} has the name of the one of {}; rename one of them", entry.info.name,
                     entry.origin, it->second.origin);
  }
}

const Registry::Entry& Registry::find(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) throw UsageError("unknown algorithm '{}'{}", name, suggestion(name, names()));
  return it->second;
}

Component Registry::component(const AlgorithmSpec& spec) const {
  const Entry& entry = find(spec.name);
  return {spec.name, [make = entry.make, params = spec.params, this] { return make(params, *this); }};
}

std::vector<Registry::Part> Registry::parts(const std::string& name, const Value& params) const {
  std::vector<Part> out{{&find(name), params}};
  const Entry& whole = *out.front().entry;
  if (!whole.components) return out;
  for (const AlgorithmSpec& spec : whole.components(params)) {
    const std::string where = spec.params.mark().prefix();
    if (!has(spec.name))
      throw UsageError("{}'{}' in '{}' is no algorithm{}", where, spec.name, name, suggestion(spec.name, names()));
    find(spec.name).schema.canonicalise(spec.params, fmt::format("'{}' of algorithm '{}'", spec.name, name));
    if (!find(spec.name).info.ranks)
      throw UsageError("{}'{}' ranks no items, and '{}' is made of algorithms that do", where, spec.name, name);
    const std::vector<Part> inner = parts(spec.name, spec.params);
    out.insert(out.end(), inner.begin(), inner.end());
  }
  return out;
}

std::vector<std::string> Registry::needs(const std::string& name, const Value& params) const {
  std::vector<std::string> out;
  const auto add = [&](const std::vector<std::string>& some) { out.insert(out.end(), some.begin(), some.end()); };
  for (const Part& part : parts(name, params)) {
    add(part.entry->info.needs);
    if (part.entry->needs) add(part.entry->needs(part.params));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> Registry::names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) out.push_back(name);
  return out;
}

void Registry::set_origin(std::string origin, std::string hash) {
  origin_ = std::move(origin);
  origin_hash_ = std::move(hash);
}

}  // namespace segue
