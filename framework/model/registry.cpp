#include "framework/model/registry.hpp"

#include "framework/base/errors.hpp"

namespace segue {

void Registry::add(Entry entry) {
  entry.origin = origin_;
  entry.origin_hash = origin_hash_;
  const auto [it, fresh] = entries_.try_emplace(entry.info.name, entry);
  if (!fresh) {
    throw UsageError("algorithm '{}' of {} has the name of the one of {}; rename one of them", entry.info.name, entry.origin, it->second.origin);
  }
}

const Registry::Entry& Registry::find(const std::string& name) const {
  const auto it = entries_.find(name);
  if (it == entries_.end()) throw UsageError("unknown algorithm '{}'{}", name, suggestion(name, names()));
  return it->second;
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
