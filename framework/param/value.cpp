#include "framework/param/value.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/param/scalar.hpp"

namespace segue {

namespace {

[[noreturn]] void wrong_kind(const Value& value, std::string_view expected) {
  throw UsageError("{}expected {}, got {}", value.mark().prefix(), expected, value.describe());
}

// Strings inside a list or map are quoted where a bare one would read as something else.
std::string flow_text(const Value& value) { return value.is_string() ? yaml_string(value.as_string()) : value.text(); }

}  // namespace

std::string Mark::str() const { return line == 0 ? file : fmt::format("{}:{}:{}", file, line, column); }
std::string Mark::prefix() const { return file.empty() && line == 0 ? "" : str() + ": "; }

Value Value::null(Mark mark) {
  Value value;
  value.mark_ = std::move(mark);
  return value;
}
Value Value::boolean(bool b, Mark mark) {
  Value value = null(std::move(mark));
  value.data_ = b;
  return value;
}
Value Value::integer(std::int64_t i, Mark mark) {
  Value value = null(std::move(mark));
  value.data_ = i;
  return value;
}
Value Value::real(double d, Mark mark) {
  Value value = null(std::move(mark));
  value.data_ = d;
  return value;
}
Value Value::string(std::string text, Mark mark) {
  Value value = null(std::move(mark));
  value.data_ = std::move(text);
  return value;
}
Value Value::list() { return list({}, {}); }
Value Value::list(std::vector<Value> items, Mark mark) {
  Value value = null(std::move(mark));
  value.data_ = std::move(items);
  return value;
}
Value Value::map(Mark mark) { return map_of({}, std::move(mark)); }
Value Value::map_of(std::vector<Entry> entries, Mark mark) {
  Value value = null(std::move(mark));
  value.data_ = std::move(entries);
  return value;
}

bool Value::as_bool() const {
  if (const bool* b = std::get_if<bool>(&data_)) return *b;
  wrong_kind(*this, "true or false");
}
std::int64_t Value::as_int() const {
  if (const std::int64_t* i = std::get_if<std::int64_t>(&data_)) return *i;
  wrong_kind(*this, "an integer");
}
double Value::as_real() const {
  if (const double* d = std::get_if<double>(&data_)) return *d;
  if (const std::int64_t* i = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*i);
  wrong_kind(*this, "a number");
}
const std::string& Value::as_string() const {
  if (const std::string* s = std::get_if<std::string>(&data_)) return *s;
  wrong_kind(*this, "a string");
}

const std::vector<Value>& Value::items() const {
  static const std::vector<Value> none;
  const auto* items = std::get_if<std::vector<Value>>(&data_);
  return items ? *items : none;
}
const std::vector<Value::Entry>& Value::entries() const {
  static const std::vector<Entry> none;
  const auto* entries = std::get_if<std::vector<Entry>>(&data_);
  return entries ? *entries : none;
}
std::vector<Value>& Value::mutable_items() {
  SEGUE_CHECK(is_list(), "mutable_items() of a {}", kind_name());
  return std::get<std::vector<Value>>(data_);
}

const Value* Value::find(std::string_view key) const {
  for (const Entry& entry : entries()) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}
Value* Value::find(std::string_view key) { return const_cast<Value*>(std::as_const(*this).find(key)); }

Value& Value::set(std::string key, Value value, Mark key_mark) {
  if (is_null()) data_ = std::vector<Entry>{};
  SEGUE_CHECK(is_map(), "set('{}') on a {}", key, kind_name());
  auto& entries = std::get<std::vector<Entry>>(data_);
  for (Entry& entry : entries) {
    if (entry.key != key) continue;
    entry.value = std::move(value);
    if (!key_mark.file.empty()) entry.key_mark = std::move(key_mark);
    return entry.value;
  }
  entries.push_back({std::move(key), std::move(key_mark), std::move(value)});
  return entries.back().value;
}

bool Value::erase(std::string_view key) {
  auto* entries = std::get_if<std::vector<Entry>>(&data_);
  return entries && std::erase_if(*entries, [&](const Entry& entry) { return entry.key == key; }) > 0;
}

void Value::push_back(Value value) {
  if (is_null()) data_ = std::vector<Value>{};
  mutable_items().push_back(std::move(value));
}

std::string Value::kind_name() const {
  static constexpr const char* kNames[] = {"null", "boolean", "integer", "real", "string", "list", "map"};
  return kNames[data_.index()];
}

std::string Value::text() const {
  switch (kind()) {
    case Kind::kNull:
      return "null";
    case Kind::kBool:
      return as_bool() ? "true" : "false";
    case Kind::kInt:
      return fmt::format("{}", as_int());
    case Kind::kReal:
      return format_real(as_real());
    case Kind::kString:
      return as_string();
    case Kind::kList: {
      std::vector<std::string> texts;
      for (const Value& item : items()) texts.push_back(flow_text(item));
      return fmt::format("[{}]", fmt::join(texts, ", "));
    }
    case Kind::kMap:
      break;
  }
  std::vector<std::string> texts;
  for (const Entry& entry : entries()) {
    texts.push_back(fmt::format("{}: {}", yaml_string(entry.key), flow_text(entry.value)));
  }
  return fmt::format("{{{}}}", fmt::join(texts, ", "));
}

std::string Value::describe() const {
  if (is_null()) return "null";
  std::string shown = text();
  constexpr std::size_t kShown = 60;
  if (shown.size() > kShown) {
    std::size_t cut = kShown - 3;
    while (cut > 0 && (static_cast<unsigned char>(shown[cut]) & 0xC0) == 0x80) --cut;  // never inside a character
    shown = shown.substr(0, cut) + "...";
  }
  return is_string() ? fmt::format("string '{}'", shown) : fmt::format("{} {}", kind_name(), shown);
}

std::string Value::canonical() const {
  switch (kind()) {
    case Kind::kReal:
      return format_canonical(as_real());
    case Kind::kString:
      return quote(as_string());
    case Kind::kList: {
      std::vector<std::string> texts;
      for (const Value& item : items()) texts.push_back(item.canonical());
      return fmt::format("[{}]", fmt::join(texts, ","));
    }
    case Kind::kMap: {
      std::vector<const Entry*> sorted;
      for (const Entry& entry : entries()) sorted.push_back(&entry);
      std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) { return a->key < b->key; });
      std::vector<std::string> texts;
      for (const Entry* entry : sorted)
        texts.push_back(fmt::format("{}:{}", quote(entry->key), entry->value.canonical()));
      return fmt::format("{{{}}}", fmt::join(texts, ","));
    }
    default:
      return text();
  }
}

bool Value::operator==(const Value& other) const {
  if (kind() != other.kind()) return false;
  switch (kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return as_bool() == other.as_bool();
    case Kind::kInt:
      return as_int() == other.as_int();
    case Kind::kReal:
      return as_real() == other.as_real() || (std::isnan(as_real()) && std::isnan(other.as_real()));
    case Kind::kString:
      return as_string() == other.as_string();
    case Kind::kList:
      return items() == other.items();
    case Kind::kMap:
      break;
  }
  if (entries().size() != other.entries().size()) return false;
  return std::all_of(entries().begin(), entries().end(), [&](const Entry& entry) {
    const Value* found = other.find(entry.key);
    return found && *found == entry.value;
  });
}

void check_keys(const Value& map, std::string_view what, const std::vector<std::string>& known) {
  if (map.is_null()) return;
  if (!map.is_map()) throw UsageError("{}expected a map in {}, got {}", map.mark().prefix(), what, map.describe());
  for (const Value::Entry& entry : map.entries()) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    throw UsageError("{}unknown key '{}' in {}{}", entry.key_mark.prefix(), entry.key, what,
                     known.empty() ? "; it takes no keys" : suggestion(entry.key, known));
  }
}

}  // namespace segue
