#include "framework/param/grid.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

constexpr std::size_t kMaxCombinations = 100'000;

bool varies(const Value::Entry& entry, const std::vector<std::string>& list_fields) {
  const Value& value = entry.value;
  if (!value.is_list()) return false;
  if (std::find(list_fields.begin(), list_fields.end(), entry.key) == list_fields.end()) {
    if (value.items().empty())
      throw UsageError("{}{} = [] leaves nothing to try; give at least one value", value.mark().prefix(), entry.key);
    return true;
  }
  const auto lists =
      std::count_if(value.items().begin(), value.items().end(), [](const Value& item) { return item.is_list(); });
  if (lists != 0 && static_cast<std::size_t>(lists) != value.items().size()) {
    throw UsageError("{}{} mixes lists and single values; a grid over lists is a list of lists", value.mark().prefix(),
                     entry.key);
  }
  return lists != 0;
}

}  // namespace

std::vector<std::pair<Value, std::string>> expand_grid(const Value& params,
                                                       const std::vector<std::string>& list_fields) {
  if (!params.is_null() && !params.is_map()) {
    throw UsageError("{}expected a map of parameters, got {}", params.mark().prefix(), params.describe());
  }
  std::vector<std::pair<Value, std::string>> out = {{params, ""}};
  for (const Value::Entry& entry : params.entries()) {
    if (!varies(entry, list_fields)) continue;
    const std::vector<Value>& choices = entry.value.items();
    if (out.size() * choices.size() > kMaxCombinations) {
      throw UsageError("{}the grid has more than {} combinations", entry.value.mark().prefix(), kMaxCombinations);
    }
    std::vector<std::pair<Value, std::string>> next;
    for (const auto& [before, label] : out) {
      for (const Value& choice : choices) {
        Value chosen = before;
        chosen.set(entry.key, choice);
        next.emplace_back(std::move(chosen),
                          fmt::format("{}{}{}={}", label, label.empty() ? "" : ",", entry.key, choice.text()));
      }
    }
    out = std::move(next);
  }
  return out;
}

}  // namespace segue
