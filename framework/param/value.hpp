// Value: an ordered configuration tree in which every node knows where it was written, so that an error found long
// after parsing still names file, line and column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace segue {

// A place in a configuration: 1-based; line 0 means not from a file (a command line, an environment variable).
// Columns count characters (code points), not bytes.
struct Mark {
  std::string file;
  int line = 0;
  int column = 0;

  std::string str() const;     // "suite.yaml:12:7", or just the file when line is 0
  std::string prefix() const;  // "suite.yaml:12:7: ", or empty for a default-made mark: the head of an error
};

class Value {
 public:
  enum class Kind { kNull, kBool, kInt, kReal, kString, kList, kMap };
  struct Entry;  // key, key_mark, value: see below

  Value() = default;  // null
  static Value null(Mark mark = {});
  static Value boolean(bool value, Mark mark = {});
  static Value integer(std::int64_t value, Mark mark = {});
  static Value real(double value, Mark mark = {});
  static Value string(std::string value, Mark mark = {});
  static Value list();  // no default argument below: it would destroy a vector of this incomplete class
  static Value list(std::vector<Value> items, Mark mark = {});
  static Value map(Mark mark = {});
  static Value map_of(std::vector<Entry> entries, Mark mark = {});  // the keys must be distinct

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  const Mark& mark() const { return mark_; }
  void set_mark(Mark mark) { mark_ = std::move(mark); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_map() const { return kind() == Kind::kMap; }
  bool is_list() const { return kind() == Kind::kList; }
  bool is_scalar() const { return !is_null() && !is_map() && !is_list(); }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_number() const { return kind() == Kind::kInt || kind() == Kind::kReal; }

  // UsageError "suite.yaml:3:4: expected a number, got string 'abc'" where the kind is another. as_real() takes
  // integers too; as_int() does not take 64.0.
  bool as_bool() const;
  std::int64_t as_int() const;
  double as_real() const;
  const std::string& as_string() const;

  // Empty for any other kind.
  const std::vector<Value>& items() const;
  const std::vector<Entry>& entries() const;
  std::vector<Value>& mutable_items();  // the value must be a list

  // Map lookup, linear in the number of keys; nullptr where the key is absent or this is no map.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  // Inserts at the end, or replaces in place. A null becomes a map first; any other kind is a LogicError. The new key's
  // mark is kept only where one is given.
  Value& set(std::string key, Value value, Mark key_mark = {});
  bool erase(std::string_view key);
  void push_back(Value value);  // a null becomes a list first

  std::string kind_name() const;  // "null", "boolean", "integer", "real", "string", "list", "map"
  std::string text() const;      // as written, for messages: strings bare, lists and maps in flow style, 64.0 as "64.0"
  std::string describe() const;  // "string 'abc'", "integer 3", "null": the tail of "expected ..., got ..."

  // One line for hashing. Map keys are sorted, strings quoted, reals in shortest round-trip form; an integral real and
  // the same integer print alike ("1"), since both are the same number to whoever reads it.
  std::string canonical() const;

  // JSON has no .nan, .inf and -.inf: they are written as these strings, and read back as numbers. indent < 0: one
  // line.
  std::string to_json(int indent = -1) const;
  static Value from_json(const std::string& text);  // UsageError on text that is not JSON

  // Ignores marks and the order of map keys. Kinds must agree (1 differs from 1.0); NaN equals NaN.
  bool operator==(const Value& other) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<Value>, std::vector<Entry>> data_;
  Mark mark_;
};

struct Value::Entry {
  std::string key;
  Mark key_mark;
  Value value;
};

// Throws UsageError for the first key of `map` that is not in `known`: "suite.yaml:12:7: unknown key 'factor' in
// algorithm 'implicit_als'; did you mean 'factors'? known: ...". Null counts as an empty map; anything else is a
// UsageError.
void check_keys(const Value& map, std::string_view what, const std::vector<std::string>& known);

}  // namespace segue
