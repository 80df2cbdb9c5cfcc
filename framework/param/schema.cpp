#include "framework/param/schema.hpp"

#include <algorithm>
#include <cmath>

namespace segue {

namespace {

std::string join(const std::vector<Value>& values) {
  std::vector<std::string> texts;
  for (const Value& value : values) texts.push_back(value.text());
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

std::string FieldCore::type_text() const {
  std::string text = type_ == Type::kInteger  ? "integer"
                     : type_ == Type::kBool   ? "boolean"
                     : type_ == Type::kString ? "string"
                     : type_ == Type::kAlgorithm ? "algorithm"
                                              : "real";
  if (list_) return fmt::format("list of {}s", text);
  return optional_ ? fmt::format("{} or null", text) : text;
}

// Interval notation. With `limits` a side without a bound shows the limit of its type.
std::string FieldCore::range_text(bool limits) const {
  const bool low = has_low_ || limits;
  const bool high = has_high_ || limits;
  return fmt::format("{}{}, {}{}", open_low_ || !low ? '(' : '[', low ? low_.canonical() : "-inf",
                     high ? high_.canonical() : "inf", high ? ']' : ')');
}

void FieldCore::out_of_range(const Value& value, bool below, std::string_view what) const {
  const bool finite = value.kind() == Value::Kind::kInt || std::isfinite(value.as_real());
  if (!finite && !has_low_ && !has_high_) {
    throw UsageError("{}{} = {} is not a finite number in {}", value.mark().prefix(), name_, value.text(), what);
  }
  throw UsageError("{}{} = {} is out of range {} in {}", value.mark().prefix(), name_, value.text(),
                   range_text(finite && !(below ? has_low_ : has_high_)), what);
}

void FieldCore::set_search(SearchScale scale, double low, double high) {
  SEGUE_CHECK(low < high, "{}: the search interval is empty", name_);
  SEGUE_CHECK(scale == SearchScale::kLinear || low > 0, "{}: a logarithmic search needs a positive lower bound", name_);
  has_search_ = true;
  scale_ = scale;
  search_low_ = low;
  search_high_ = high;
}

Value FieldCore::normalise_one(const Value& value, std::string_view what) const {
  const std::string head = value.mark().prefix();
  const auto refuse = [&](std::string_view expected, std::string_view hint = "") {
    throw UsageError("{}{} needs {}, got {}{} in {}", head, name_, expected, value.describe(), hint, what);
  };
  if (type_ == Type::kBool) {
    if (value.kind() != Value::Kind::kBool) refuse("true or false");
    return value;
  }
  if (type_ == Type::kString) {
    if (!value.is_string())
      refuse("a string", value.is_scalar() ? fmt::format(" (in quotes it is one: \"{}\")", value.text()) : "");
    if (!choices_.empty() && std::find(choices_.begin(), choices_.end(), value.as_string()) == choices_.end()) {
      throw UsageError("{}{} = '{}' is not a choice in {}{}", head, name_, value.as_string(), what,
                       suggestion(value.as_string(), choices_));
    }
    return value;
  }
  if (type_ == Type::kAlgorithm) return AlgorithmSpec::parse(value, name_).to_value();
  if (type_ == Type::kInteger) {
    if (value.kind() == Value::Kind::kReal) {
      const std::string whole = format_canonical(value.as_real());
      refuse("an integer", whole.find_first_of(".einf") == std::string::npos ? fmt::format(" (write {})", whole) : "");
    }
    if (value.kind() != Value::Kind::kInt) refuse("an integer");
    const std::int64_t given = value.as_int();
    const bool below = given < low_.as_int() || (open_low_ && given == low_.as_int());
    if (below || given > high_.as_int()) out_of_range(value, below, what);
    return value;
  }
  if (!value.is_number()) refuse("a number");
  double given = value.as_real();
  if (std::isnan(given)) throw UsageError("{}{} = .nan is not a number in {}", head, name_, what);
  bool above = false;
  if (type_ == Type::kFloat && std::isfinite(given)) {
    above = std::abs(given) > widen(std::numeric_limits<float>::max());
    if (!above) given = widen(static_cast<float>(given));
  }
  const bool below = given < low_.as_real() || (open_low_ && given == low_.as_real());
  if (below || above || given > high_.as_real()) out_of_range(value, below, what);
  return Value::real(given, value.mark());
}

Value FieldCore::normalise(const Value& value, std::string_view what) const {
  if (optional_ && value.is_null()) return value;
  if (!list_) return normalise_one(value, what);
  if (!value.is_list()) {
    throw UsageError("{}{} needs a {}, got {}{} in {}", value.mark().prefix(), name_, type_text(), value.describe(),
                     value.is_scalar() ? fmt::format(" (write [{}])", value.text()) : "", what);
  }
  Value out = Value::list({}, value.mark());
  for (const Value& item : value.items()) out.push_back(normalise_one(item, what));
  return out;
}

FieldInfo FieldCore::info(const Value& default_value) const {
  FieldInfo info;
  info.name = name_;
  info.type = type_text();
  info.doc = doc_;
  info.default_value = default_value;
  info.default_text = default_value.is_number() ? default_value.canonical() : Value::list({default_value}).text();
  if (!default_value.is_number()) info.default_text = info.default_text.substr(1, info.default_text.size() - 2);
  if (has_low_ || has_high_) info.range_text = range_text();
  info.choices = choices_;
  info.has_search = has_search_;
  info.scale = scale_;
  info.low = search_low_;
  info.high = search_high_;
  info.search_values = search_values_;
  info.is_list = list_;
  if (!search_values_.empty()) {
    info.search_text = fmt::format("{{{}}}", join(search_values_));
  } else if (has_search_) {
    static constexpr const char* kNames[] = {"linear", "log", "pow2"};
    info.search_text = fmt::format("{} [{}, {}]", kNames[static_cast<int>(scale_)], format_canonical(search_low_),
                                   format_canonical(search_high_));
  }
  return info;
}

Value FieldCore::json_schema(const Value& default_value) const {
  Value one = Value::map();
  const char* type = type_ == Type::kInteger  ? "integer"
                     : type_ == Type::kBool   ? "boolean"
                     : type_ == Type::kString ? "string"
                                              : "number";
  if (type_ == Type::kAlgorithm)
    one.set("type", Value::list({Value::string("string"), Value::string("object")}));
  else
    one.set("type", optional_ ? Value::list({Value::string(type), Value::string("null")}) : Value::string(type));
  // JSON cannot hold an infinite bound.
  if (has_low_ && std::isfinite(low_.as_real())) one.set(open_low_ ? "exclusiveMinimum" : "minimum", low_);
  if (has_high_ && std::isfinite(high_.as_real())) one.set("maximum", high_);
  if (!choices_.empty()) {
    Value& names = one.set("enum", Value::list());
    for (const std::string& name : choices_) names.push_back(Value::string(name));
    if (optional_) names.push_back(Value::null());
  }
  Value out = Value::map();
  if (list_) {
    out.set("type", Value::string("array"));
    out.set("items", one);
  } else {
    out = one;
  }
  out.set("description", Value::string(doc_));
  out.set("default", default_value);
  return out;
}

AnySchema::AnySchema(std::vector<std::shared_ptr<const FieldCore>> fields, std::vector<Value> defaults)
    : cores_(std::move(fields)), defaults_(std::move(defaults)) {
  SEGUE_CHECK(cores_.size() == defaults_.size(), "{} fields, {} defaults", cores_.size(), defaults_.size());
  for (std::size_t i = 0; i < cores_.size(); ++i) {
    try {
      defaults_[i] = cores_[i]->normalise(defaults_[i], "its own default");
    } catch (const UsageError& error) {
      SEGUE_CHECK(false, "{}", error.what());
    }
    infos_.push_back(cores_[i]->info(defaults_[i]));
  }
}

std::vector<std::string> AnySchema::names() const {
  std::vector<std::string> out;
  for (const auto& core : cores_) out.push_back(core->name());
  return out;
}

std::vector<std::string> AnySchema::list_fields() const {
  std::vector<std::string> out;
  for (const auto& core : cores_) {
    if (core->is_list()) out.push_back(core->name());
  }
  return out;
}

Value AnySchema::collect(const Value& given, std::string_view what, bool with_defaults) const {
  check_keys(given, what, names());
  Value out = Value::map(given.mark());
  for (std::size_t i = 0; i < cores_.size(); ++i) {
    const Value* found = given.find(cores_[i]->name());
    Value value = found ? cores_[i]->normalise(*found, what) : defaults_[i];
    if (with_defaults || !(value == defaults_[i])) out.set(cores_[i]->name(), std::move(value));
  }
  return out;
}

Value AnySchema::canonicalise(const Value& given, std::string_view what) const { return collect(given, what, true); }
Value AnySchema::non_default(const Value& given, std::string_view what) const { return collect(given, what, false); }

std::string AnySchema::json_schema() const {
  Value out = Value::map();
  out.set("type", Value::string("object"));
  Value& properties = out.set("properties", Value::map());
  for (std::size_t i = 0; i < cores_.size(); ++i)
    properties.set(cores_[i]->name(), cores_[i]->json_schema(defaults_[i]));
  out.set("additionalProperties", Value::boolean(false));
  return out.to_json(2);
}

}  // namespace segue
