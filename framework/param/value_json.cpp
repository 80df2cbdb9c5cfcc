// JSON in and out of a Value. Kept apart from value.cpp, since nlohmann-json is slow to compile.
#include <cmath>

#include <nlohmann/json.hpp>

#include "framework/base/errors.hpp"
#include "framework/param/scalar.hpp"
#include "framework/param/value.hpp"

namespace segue {

namespace {

using Json = nlohmann::ordered_json;

Json encode(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return nullptr;
    case Value::Kind::kBool:
      return value.as_bool();
    case Value::Kind::kInt:
      return value.as_int();
    case Value::Kind::kReal:
      return std::isfinite(value.as_real()) ? Json(value.as_real()) : Json(value.text());
    case Value::Kind::kString:
      return value.as_string();
    case Value::Kind::kList: {
      Json out = Json::array();
      for (const Value& item : value.items()) out.push_back(encode(item));
      return out;
    }
    case Value::Kind::kMap:
      break;
  }
  // push_back and not operator[]: the latter searches, and the keys are distinct already.
  Json::object_t out;
  for (const Value::Entry& entry : value.entries()) out.emplace_back(entry.key, encode(entry.value));
  return out;
}

Value decode(const Json& json, int depth) {
  if (depth > kMaxDepth) throw UsageError("JSON: more than {} levels of nesting", kMaxDepth);
  switch (json.type()) {
    case Json::value_t::boolean:
      return Value::boolean(json.get<bool>());
    case Json::value_t::number_unsigned:
      if (json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
        throw UsageError("JSON: {} does not fit in a 64-bit integer", json.get<std::uint64_t>());
      }
      return Value::integer(json.get<std::int64_t>());
    case Json::value_t::number_integer:
      return Value::integer(json.get<std::int64_t>());
    case Json::value_t::number_float:
      return Value::real(json.get<double>());
    case Json::value_t::string: {
      const std::string& text = json.get_ref<const std::string&>();
      if (text == ".nan" || text == ".inf" || text == "-.inf") return resolve_plain(text, {});
      return Value::string(text);
    }
    case Json::value_t::array: {
      std::vector<Value> items;
      for (const Json& item : json) items.push_back(decode(item, depth + 1));
      return Value::list(std::move(items));
    }
    case Json::value_t::object: {
      std::vector<Value::Entry> entries;
      for (const auto& [key, item] : json.items()) entries.push_back({key, {}, decode(item, depth + 1)});
      return Value::map_of(std::move(entries));
    }
    default:
      return Value::null();
  }
}

}  // namespace

std::string Value::to_json(int indent) const {
  return encode(*this).dump(indent, ' ', false, Json::error_handler_t::replace);
}

Value Value::from_json(const std::string& text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    throw UsageError("not valid JSON: {}", error.what());
  }
  return decode(json, 0);
}

}  // namespace segue
