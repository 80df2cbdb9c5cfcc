#include "framework/param/overrides.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/param/yaml.hpp"

namespace segue {

namespace {

using Path = std::span<const std::string>;

class Override {
 public:
  explicit Override(const std::string& text);
  void apply(Value& root) { below(root, path_); }

 private:
  enum class Mode { kChange, kAdd, kRemove };

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw UsageError("{}: {}", mark_.file, fmt::format(format, std::forward<Args>(args)...));
  }
  [[noreturn]] void missing(const std::string& segment, Path rest, const std::vector<std::string>& known) const;
  std::string done(Path rest) const;  // the path before `rest`, as " in 'a.b'"
  Value fresh() const { return Value::map(mark_); }

  void below(Value& node, Path path);
  void in_map(Value& node, Path path, bool may_add);
  void in_list(Value& node, Path path);
  void in_entry(Value& entry, Path path);
  void replace_entry(Value& entry, const std::string& segment);

  Mode mode_ = Mode::kChange;
  std::string text_;
  Mark mark_;
  std::vector<std::string> path_;
  Value value_;
};

std::vector<std::string> split_path(std::string_view text) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '.') {
      out.back() += text[++i];
    } else if (text[i] == '.') {
      out.emplace_back();
    } else {
      out.back() += text[i];
    }
  }
  return out;
}

// The parts between commas that stand outside quotes and brackets.
std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> out(1);
  int depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ',' && depth == 0 && quote == 0) {
      out.emplace_back();
      continue;
    }
    out.back() += c;
    if (quote == '"' && c == '\\' && i + 1 < text.size()) {
      out.back() += text[++i];
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if ((c == '"' || c == '\'') && (depth > 0 || out.back().find_first_not_of(" \t") + 1 == out.back().size())) {
      quote = c;  // an apostrophe inside a word is no quote
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return out;
}

// {implicit_als: {...}, label: x} -> implicit_als; nullptr for {name: x}.
const Value::Entry* main_entry(const Value& entry) {
  if (entry.find("name")) return nullptr;
  for (const Value::Entry& candidate : entry.entries()) {
    if (candidate.key != "label" && candidate.key != "tune") return &candidate;
  }
  return nullptr;
}

std::vector<std::string> entry_names(const Value& entry) {
  if (entry.is_string()) return {entry.as_string()};
  std::vector<std::string> out;
  for (const char* key : {"label", "name"}) {
    if (const Value* value = entry.find(key); value && value->is_scalar()) out.push_back(value->text());
  }
  if (const Value::Entry* main = main_entry(entry)) out.push_back(main->key);
  return out;
}

bool has_label(const Value& entry, const std::string& name) {
  const Value* label = entry.find("label");
  return label && label->is_scalar() && label->text() == name;
}

// Where the parameters of an entry stand.
Value& parameters(Value& entry) {
  if (const Value::Entry* main = main_entry(entry)) return *entry.find(main->key);
  Value* params = entry.find("params");
  return params ? *params : entry;
}

Override::Override(const std::string& text) : text_(text), mark_{fmt::format("command line '{}'", text), 0, 0} {
  std::string_view rest = text;
  if (rest.starts_with("++")) fail("'++' is not supported; use a.b=1 to change and +a.b=1 to add");
  if (rest.starts_with('+')) mode_ = Mode::kAdd;
  if (rest.starts_with('~')) mode_ = Mode::kRemove;
  if (mode_ != Mode::kChange) rest.remove_prefix(1);
  const std::size_t equals = rest.find('=');
  if (mode_ == Mode::kRemove && equals != std::string_view::npos)
    fail("a removal takes no value; write ~{}", rest.substr(0, equals));
  if (mode_ != Mode::kRemove && equals == std::string_view::npos) {
    fail("an override is written a.b=1 (change), +a.b=1 (add) or ~a.b (remove)");
  }
  path_ = split_path(rest.substr(0, equals));
  if (std::find(path_.begin(), path_.end(), "") != path_.end())
    fail("the path '{}' has an empty part", rest.substr(0, equals));
  if (mode_ != Mode::kRemove) value_ = parse_override_value(std::string(rest.substr(equals + 1)), mark_);
}

std::string Override::done(Path rest) const {
  const auto count = path_.size() - rest.size();
  return count == 0 ? ""
                    : fmt::format(" in '{}'",
                                  fmt::join(path_.begin(), path_.begin() + static_cast<std::ptrdiff_t>(count), "."));
}

void Override::missing(const std::string& segment, Path rest, const std::vector<std::string>& known) const {
  fail("there is no '{}'{}{}{}", segment, done(rest), suggestion(segment, known),
       mode_ == Mode::kChange ? fmt::format("; use +{} to add it", text_) : "");
}

void Override::below(Value& node, Path path) {
  if (node.is_null() && mode_ == Mode::kAdd) node = Value::map(node.mark());
  if (node.is_list()) return in_list(node, path);
  if (node.is_map() || node.is_null()) return in_map(node, path, false);
  fail("there is nothing beneath {}{}", node.describe(), done(path));
}

void Override::in_map(Value& node, Path path, bool may_add) {
  const std::string& key = path.front();
  Value* child = node.find(key);
  const bool add = mode_ == Mode::kAdd || (mode_ == Mode::kChange && may_add);
  if (!child && !add) {
    std::vector<std::string> known;
    for (const Value::Entry& entry : node.entries()) known.push_back(entry.key);
    missing(key, path, known);
  }
  if (path.size() > 1) {
    if (!child) child = &node.set(key, fresh(), mark_);
    return below(*child, path.subspan(1));
  }
  if (mode_ == Mode::kRemove) {
    node.erase(key);
    return;
  }
  if (child && mode_ == Mode::kAdd) {
    fail("'{}' exists already{}; leave the '+' out to change it", fmt::join(path_, "."),
         child->mark().file.empty() ? "" : fmt::format(" ({})", child->mark().str()));
  }
  node.set(key, value_, mark_);
}

void Override::in_list(Value& node, Path path) {
  const std::string& segment = path.front();
  std::vector<Value>& items = node.mutable_items();
  std::size_t at = items.size();
  if (std::all_of(segment.begin(), segment.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    std::size_t index = 0;
    const auto code = std::from_chars(segment.data(), segment.data() + segment.size(), index).ec;
    const bool append = mode_ == Mode::kAdd && path.size() == 1 && code == std::errc() && index == items.size();
    if (append) return node.push_back(value_);
    if (code != std::errc() || index >= items.size()) {
      fail("there is no position {}{}, which has {} entries counted from 0", segment, done(path), items.size());
    }
    at = index;
  } else {
    std::vector<std::size_t> named;
    std::vector<std::size_t> labelled;
    std::vector<std::string> known;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::vector<std::string> names = entry_names(items[i]);
      for (const std::string& name : names) {
        if (std::find(known.begin(), known.end(), name) == known.end()) known.push_back(name);
      }
      if (std::find(names.begin(), names.end(), segment) != names.end()) named.push_back(i);
      if (has_label(items[i], segment)) labelled.push_back(i);
    }
    if (!labelled.empty()) named = labelled;
    if (named.size() > 1) {
      fail("'{}' names {} entries{}; use a label or a position ({})", segment, named.size(), done(path),
           fmt::join(named, ", "));
    }
    if (named.empty()) {
      if (mode_ != Mode::kAdd) missing(segment, path, known);
      Value entry = fresh();
      entry.set(segment, path.size() == 1 ? value_ : fresh(), mark_);
      node.push_back(std::move(entry));
      if (path.size() > 1) below(*items.back().find(segment), path.subspan(1));
      return;
    }
    at = named.front();
  }
  if (path.size() > 1) return in_entry(items[at], path.subspan(1));
  if (mode_ == Mode::kRemove) {
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
  } else if (mode_ == Mode::kAdd) {
    fail("'{}' exists already{}; leave the '+' out to change it", fmt::join(path_, "."),
         items[at].mark().file.empty() ? "" : fmt::format(" ({})", items[at].mark().str()));
  } else {
    replace_entry(items[at], segment);
  }
}

// algorithms.popular={window: 7} gives the entry its parameters; any other value takes the entry's place.
void Override::replace_entry(Value& entry, const std::string& segment) {
  const bool by_name = !entry_names(entry).empty() && segment.find_first_not_of("0123456789") != std::string::npos;
  if (!value_.is_map() || !by_name) {
    entry = value_;
  } else if (entry.is_string()) {
    const std::string name = entry.as_string();
    entry = fresh();
    entry.set(name, value_, mark_);
  } else if (const Value::Entry* main = main_entry(entry)) {
    entry.set(main->key, value_);
  } else {
    entry.set("params", value_, mark_);
  }
}

void Override::in_entry(Value& entry, Path path) {
  if (entry.is_string() && mode_ != Mode::kRemove) {
    const std::string name = entry.as_string();
    const Mark mark = entry.mark();
    entry = Value::map(mark);
    entry.set(name, Value::map(mark), mark);
  }
  if (!entry.is_map()) return below(entry, path);
  const Value::Entry* main = main_entry(entry);
  const bool to_parameters = path.size() > 1 && path.front() == (main ? main->key : "params");
  if (path.front() == "tune" && path.size() > 1 && mode_ == Mode::kChange) {  // its keys have defaults, as parameters have
    Value* tune = entry.find("tune");
    if (!tune || !tune->is_map()) tune = &entry.set("tune", fresh(), mark_);
    return in_map(*tune, path.subspan(1), true);
  }
  if (!to_parameters && entry.find(path.front())) return in_map(entry, path, false);
  if (path.front() == "label" || path.front() == "tune") return in_map(entry, path, true);
  Value& inner = parameters(entry);
  if (to_parameters && &inner != &entry) path = path.subspan(1);
  if (inner.is_null() && mode_ != Mode::kRemove) inner = Value::map(inner.mark());
  if (inner.is_map()) return in_map(inner, path, true);
  below(inner, path);
}

}  // namespace

Value parse_override_value(const std::string& text, const Mark& mark) {
  const std::vector<std::string> parts = split_commas(text);
  if (parts.size() == 1) return parse_yaml_scalar_or_flow(text, mark);
  Value out = Value::list({}, mark);
  for (const std::string& part : parts) {
    if (part.find_first_not_of(" \t") == std::string::npos)
      throw UsageError("{}an item of the comma list is empty", mark.prefix());
    out.push_back(parse_yaml_scalar_or_flow(part, mark));
  }
  return out;
}

void apply_override(Value& root, const std::string& text) {
  Override change(text);
  Value copy = root;  // so that a refused override changes nothing
  change.apply(copy);
  root = std::move(copy);
}

}  // namespace segue
