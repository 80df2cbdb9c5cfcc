#include "framework/param/algorithm_spec.hpp"

#include "framework/base/errors.hpp"

namespace segue {

AlgorithmSpec AlgorithmSpec::parse(const Value& value, const std::string& head) {
  AlgorithmSpec out;
  if (value.is_string()) {
    out.name = value.as_string();
    out.params.set_mark(value.mark());
    return out;
  }
  if (!value.is_map() || value.entries().size() != 1)
    throw UsageError("{}{} needs an algorithm, such as implicit_als or {{implicit_als: {{factors: 32}}}}, got {}",
                     value.mark().prefix(), head,
                     value.is_map() ? fmt::format("a map of {} keys", value.entries().size()) : value.describe());
  const Value::Entry& entry = value.entries().front();
  out.name = entry.key;
  if (!entry.value.is_null()) out.params = entry.value;
  if (!out.params.is_map())
    throw UsageError("{}parameters of '{}' are a map, such as {{factors: 32}}, not {}", entry.value.mark().prefix(),
                     entry.key, entry.value.describe());
  if (out.params.mark().line == 0) out.params.set_mark(entry.key_mark);
  return out;
}

Value AlgorithmSpec::to_value() const {
  if (params.entries().empty()) return Value::string(name, params.mark());
  Value out = Value::map(params.mark());
  out.set(name, params, params.mark());
  return out;
}

}  // namespace segue
