// Writes YAML. Our own, so that what is bare and what is quoted follows the same schema as the reader.
#include <fmt/format.h>

#include "framework/param/scalar.hpp"
#include "framework/param/yaml.hpp"

namespace segue {

namespace {

void emit(const Value& value, std::size_t indent, bool after_dash, std::string& out);

// What follows "key:" or "-": on the same line where it fits there, beneath it otherwise.
void emit_child(const Value& value, std::size_t indent, bool in_list, std::string& out) {
  const bool nested = (value.is_map() && !value.entries().empty());
  bool inline_list = value.is_list();
  for (const Value& item : value.items()) inline_list = inline_list && !item.is_map() && !item.is_list();
  if (value.is_string()) {
    out += fmt::format(" {}\n", yaml_string(value.as_string()));
  } else if (!nested && (!value.is_list() || inline_list)) {
    out += fmt::format(" {}\n", value.text());
  } else if (in_list && nested) {
    out += " ";
    emit(value, indent, true, out);
  } else {
    out += "\n";
    emit(value, indent, false, out);
  }
}

void emit(const Value& value, std::size_t indent, bool after_dash, std::string& out) {
  const std::string margin(indent, ' ');
  for (const Value& item : value.items()) {
    out += margin + "-";
    emit_child(item, indent + 2, true, out);
  }
  for (const Value::Entry& entry : value.entries()) {
    if (!after_dash) out += margin;
    after_dash = false;
    const std::string key = yaml_string(entry.key);
    // YAML wants the ':' of a bare key within 1024 characters.
    out += key.size() > 500 ? fmt::format("? {}\n{}:", key, margin) : key + ":";
    emit_child(entry.value, indent + 2, false, out);
  }
}

}  // namespace

std::string emit_yaml(const Value& value) {
  std::string out;
  if (value.is_string()) return yaml_string(value.as_string()) + "\n";
  if (value.items().empty() && value.entries().empty()) return value.text() + "\n";
  emit(value, 0, false, out);
  return out;
}

}  // namespace segue
