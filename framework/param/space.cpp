#include "framework/param/space.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/param/scalar.hpp"

namespace segue {

namespace {

constexpr const char* kScaleNames[] = {"linear", "log", "pow2"};  // in the order of SearchScale
constexpr std::size_t kMostCounted = 1'000'000;

int lowest_power(const Dimension& d) { return static_cast<int>(std::ceil(std::log2(d.low) - 1e-9)); }
int highest_power(const Dimension& d) { return static_cast<int>(std::floor(std::log2(d.high) + 1e-9)); }

double rounded(double value) {
  if (value == 0) return 0;
  return std::stod(fmt::format("{:.3e}", value));
}

Value number(const Dimension& d, double value) {
  if (d.integer) return Value::integer(std::llround(std::clamp(value, d.low, d.high)));
  return Value::real(std::clamp(rounded(value), d.low, d.high));
}

std::size_t cell(double u, std::size_t n) {
  return std::min(n - 1, static_cast<std::size_t>(std::max(0.0, u) * static_cast<double>(n)));
}

}  // namespace

std::optional<std::size_t> Dimension::size() const {
  if (is_choice()) return choices.size();
  if (scale == SearchScale::kPow2) return static_cast<std::size_t>(highest_power(*this) - lowest_power(*this) + 1);
  if (integer) return static_cast<std::size_t>(high - low) + 1;
  return std::nullopt;
}

Value Dimension::value(double u) const {
  if (is_choice()) return choices[cell(u, choices.size())];
  if (scale == SearchScale::kPow2)
    return number(*this, std::exp2(lowest_power(*this) + static_cast<double>(cell(u, *size()))));
  const double end = integer ? high + 1 : high;  // an integer k owns [k, k + 1)
  const double at = scale == SearchScale::kLog ? std::exp(std::log(low) + u * (std::log(end) - std::log(low)))
                                               : low + u * (end - low);
  return number(*this, integer ? std::floor(at) : at);
}

std::vector<Value> Dimension::grid(std::string_view what) const {
  if (is_choice()) return choices;
  std::vector<Value> out;
  if (scale == SearchScale::kPow2) {
    for (int e = lowest_power(*this); e <= highest_power(*this); ++e) out.push_back(number(*this, std::exp2(e)));
    return out;
  }
  if (steps == 0) {
    throw UsageError(
        "{}a grid needs values: {} is searched on {} in {}; write space: {{{}: {{{}: [{}, {}], steps: 5}}}}, or a list "
        "of values",
        mark.prefix(), name, text(), what, name, kScaleNames[static_cast<int>(scale)], format_canonical(low),
        format_canonical(high));
  }
  for (int i = 0; i < steps; ++i) {
    const double u = static_cast<double>(i) / (steps - 1);
    const Value v =
        number(*this, scale == SearchScale::kLog ? std::exp(std::log(low) + u * (std::log(high) - std::log(low)))
                                                 : low + u * (high - low));
    if (out.empty() || !(out.back() == v)) out.push_back(v);
  }
  return out;
}

std::string Dimension::text() const {
  if (is_choice()) return Value::list(choices).text();
  return fmt::format("{} [{}, {}]", kScaleNames[static_cast<int>(scale)], format_canonical(low),
                     format_canonical(high));
}

namespace {

class Declaration {
 public:
  Declaration(const AnySchema& schema, const FieldInfo& field, std::string_view what)
      : schema_(schema), field_(field), what_(what) {}

  Dimension read(const Value& given) const {
    Dimension d;
    d.name = field_.name;
    d.mark = given.mark();
    d.integer = is_integer();
    if (given.is_list())
      d.choices = choices(given);
    else if (given.is_map())
      range(given, d);
    else
      throw UsageError(
          "{}the space of '{}' is a list of values such as [{}], or a range such as {{log: [1e-3, 10]}}, not {}",
          given.mark().prefix(), field_.name, field_.default_text, given.describe());
    return d;
  }

 private:
  bool is_integer() const { return field_.type.starts_with("integer"); }
  bool is_number() const { return is_integer() || field_.type.starts_with("real"); }

  // Through the schema, whose errors are the ones that people know.
  Value checked(const Value& value) const {
    Value one = Value::map();
    one.set(field_.name, value);
    return *schema_.canonicalise(one, what_).find(field_.name);
  }

  std::vector<Value> choices(const Value& given) const {
    if (given.items().empty())
      throw UsageError("{}the space of '{}' is empty; give at least one value", given.mark().prefix(), field_.name);
    std::vector<Value> out;
    for (const Value& item : given.items()) {
      const Value value = checked(item);
      if (std::find(out.begin(), out.end(), value) != out.end())
        throw UsageError("{}the value {} of '{}' is listed twice", item.mark().prefix(), value.text(), field_.name);
      out.push_back(value);
    }
    return out;
  }

  void range(const Value& given, Dimension& d) const {
    check_keys(given, fmt::format("the space of '{}'", field_.name), {"linear", "log", "pow2", "steps"});
    const Value* ends = nullptr;
    for (int s = 0; s < 3; ++s) {
      const Value* found = given.find(kScaleNames[s]);
      if (found == nullptr) continue;
      if (ends != nullptr)
        throw UsageError("{}the space of '{}' has one scale, linear, log or pow2", found->mark().prefix(), field_.name);
      ends = found;
      d.scale = static_cast<SearchScale>(s);
    }
    if (ends == nullptr)
      throw UsageError("{}the space of '{}' needs a scale, such as {{log: [1e-3, 10]}}", given.mark().prefix(),
                       field_.name);
    if (!is_number() || field_.is_list)
      throw UsageError("{}'{}' is a {} in {}: its space is a list of values", ends->mark().prefix(), field_.name,
                       field_.type, what_);
    if (ends->items().size() != 2)
      throw UsageError("{}a range is written [low, high], not {}", ends->mark().prefix(), ends->describe());
    const auto end = [&](const Value& value) {
      const Value v = checked(value);
      if (!v.is_number() || !std::isfinite(v.as_real()))
        throw UsageError("{}a range of '{}' needs finite numbers, not {}", value.mark().prefix(), field_.name,
                         value.describe());
      return v.as_real();
    };
    d.low = end(ends->items()[0]);
    d.high = end(ends->items()[1]);
    if (d.low >= d.high)
      throw UsageError("{}the range {} of '{}' is empty; the lower end comes first", ends->mark().prefix(),
                       ends->text(), field_.name);
    if (d.scale != SearchScale::kLinear && d.low <= 0)
      throw UsageError("{}a {} scale needs a lower end above 0, not {}", ends->mark().prefix(),
                       kScaleNames[static_cast<int>(d.scale)], ends->items()[0].text());
    if (d.scale == SearchScale::kPow2 && lowest_power(d) > highest_power(d))
      throw UsageError("{}there is no power of two in {}", ends->mark().prefix(), ends->text());
    if (const Value* steps = given.find("steps")) {
      if (d.scale == SearchScale::kPow2)
        throw UsageError("{}pow2 has its own steps, the powers of two", steps->mark().prefix());
      const std::int64_t n = steps->as_int();
      if (n < 2 || n > 10000) throw UsageError("{}steps = {} is out of range [2, 10000]", steps->mark().prefix(), n);
      d.steps = static_cast<int>(n);
    }
  }

  const AnySchema& schema_;
  const FieldInfo& field_;
  std::string_view what_;
};

}  // namespace

SearchSpace::SearchSpace(const AnySchema& schema, const Value& fixed, const Value& declared, std::string_view what) {
  check_keys(declared, fmt::format("the space of {}", what), schema.names());
  for (const Value::Entry& e : declared.entries())
    if (fixed.find(e.key) != nullptr)
      throw UsageError("{}'{}' is given in {} and searched here; keep one of the two", e.key_mark.prefix(), e.key,
                       what);
  for (const FieldInfo& field : schema.fields()) {
    if (fixed.find(field.name) != nullptr) continue;
    if (const Value* given = declared.find(field.name)) {
      dimensions_.push_back(Declaration(schema, field, what).read(*given));
    } else if (field.has_search) {
      Dimension d;
      d.name = field.name;
      d.scale = field.scale;
      d.low = field.low;
      d.high = field.high;
      d.integer = field.type.starts_with("integer");
      d.choices = field.search_values;
      dimensions_.push_back(std::move(d));
    }
  }
}

std::optional<std::size_t> SearchSpace::size() const {
  std::size_t n = 1;
  for (const Dimension& d : dimensions_) {
    const std::optional<std::size_t> size = d.size();
    if (!size || *size > kMostCounted / n) return std::nullopt;
    n *= *size;
  }
  return n;
}

Value SearchSpace::settings(std::span<const double> point) const {
  SEGUE_CHECK(point.size() == dimensions_.size(), "{} coordinates for {} dimensions", point.size(), dimensions_.size());
  Value out = Value::map();
  for (std::size_t i = 0; i < point.size(); ++i) out.set(dimensions_[i].name, dimensions_[i].value(point[i]));
  return out;
}

SearchSpace SearchSpace::without(std::string_view name) const {
  std::vector<Dimension> kept = dimensions_;
  std::erase_if(kept, [&](const Dimension& d) { return d.name == name; });
  return SearchSpace(std::move(kept));
}

std::string SearchSpace::json_schema(const AnySchema& schema) {
  const Value one = Value::from_json(schema.json_schema());
  Value properties = Value::map();
  for (const FieldInfo& field : schema.fields()) {
    Value property = *one.find("properties")->find(field.name);
    for (const char* key : {"description", "default"}) property.erase(key);
    Value choices = Value::map();
    choices.set("type", Value::string("array"));
    choices.set("minItems", Value::integer(1));
    choices.set("items", property);
    Value alternatives = Value::list({choices});
    if (!field.is_list && (field.type.starts_with("integer") || field.type.starts_with("real"))) {
      Value ends = Value::from_json(R"({"type": "array", "minItems": 2, "maxItems": 2})");
      ends.set("items", property);
      for (const char* scale : kScaleNames) {
        Value range = Value::from_json(R"({"type": "object", "additionalProperties": false})");
        range.set("required", Value::list({Value::string(scale)}));
        Value& keys = range.set("properties", Value::map());
        keys.set(scale, ends);
        if (std::string_view(scale) != "pow2")
          keys.set("steps", Value::from_json(R"({"type": "integer", "minimum": 2, "maximum": 10000})"));
        alternatives.push_back(std::move(range));
      }
    }
    Value& entry = properties.set(field.name, Value::map());
    entry.set("description", Value::string(field.doc));
    entry.set("anyOf", std::move(alternatives));
  }
  Value out = Value::map();
  out.set("type", Value::string("object"));
  out.set("properties", std::move(properties));
  out.set("additionalProperties", Value::boolean(false));
  return out.to_json();
}

std::string settings_text(const Value& settings) {
  std::string out;
  for (const Value::Entry& e : settings.entries())
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", e.key,
                       e.value.is_number() ? e.value.canonical() : e.value.text());
  return out;
}

}  // namespace segue
