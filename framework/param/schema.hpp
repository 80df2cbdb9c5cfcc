// Parameters declared once. The struct's own initialisers are the only place where a default stands; parsing with typed
// errors, documentation tables, the tuner's space and the canonical text that identities hash all come from the schema.
//
//   struct AlsParams {
//     int factors = 64;
//     float reg = 0.1f;
//     static Schema<AlsParams> schema() {
//       using P = AlsParams;
//       Schema<P> s;
//       s.field("factors", &P::factors, "latent dimensions d").range(1, 4096).search(pow2, 16, 256);
//       s.field("reg", &P::reg, "L2 penalty on every factor").above(0).search(log_scale, 1e-3, 1e2);
//       return s;
//     }
//   };
//
// Members may be int, int64_t, uint64_t (up to 2^63 - 1), float, double, bool, std::string, an enum (with .choices), an
// AlgorithmSpec (whose own parameters the registry checks), a std::vector or a std::optional of those. An integer field refuses 64.0; a real field takes 64. A float is
// kept as the real with the float's shortest text (0.1, not 0.10000000149). NaN is always refused, infinity unless a
// bound of .range() is infinite.
#pragma once

#include <cmath>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/param/algorithm_spec.hpp"
#include "framework/param/scalar.hpp"
#include "framework/param/value.hpp"

namespace segue {

enum class SearchScale { kLinear, kLog, kPow2 };
inline constexpr SearchScale linear = SearchScale::kLinear;
inline constexpr SearchScale log_scale = SearchScale::kLog;
inline constexpr SearchScale pow2 = SearchScale::kPow2;  // powers of two within the bounds

// One row of a parameter table.
struct FieldInfo {
  std::string name;
  std::string type;  // "integer", "real", "boolean", "string", "list of ...", "... or null"
  std::string doc;
  std::string default_text;  // "64", "0.1", "[64, 32]", "null"
  std::string range_text;    // "[1, 4096]", "(0, inf)"; empty without one
  std::vector<std::string> choices;
  std::string search_text;  // "pow2 [16, 256]", "{true, false}"; empty without one
  bool has_search = false;
  SearchScale scale = SearchScale::kLinear;  // with low and high, unless search_values are given
  double low = 0;
  double high = 0;
  std::vector<Value> search_values;
  Value default_value;
  bool is_list = false;
};

// What a field asks of a value, without the parameter struct.
class FieldCore {
 public:
  enum class Type { kInteger, kReal, kFloat, kBool, kString, kAlgorithm };

  const std::string& name() const { return name_; }
  bool is_list() const { return list_; }
  // The value with its types made exact (an integer given for a real is a real, a float is rounded), or UsageError
  // "suite.yaml:9:14: factors = 0 is out of range [1, 4096] in algorithm 'implicit_als'".
  Value normalise(const Value& value, std::string_view what) const;
  FieldInfo info(const Value& default_value) const;
  Value json_schema(const Value& default_value) const;

 protected:
  Value normalise_one(const Value& value, std::string_view what) const;
  std::string type_text() const;
  std::string range_text(bool limits = false) const;
  [[noreturn]] void out_of_range(const Value& value, bool below, std::string_view what) const;
  void set_search(SearchScale scale, double low, double high);

  std::string name_;
  std::string doc_;
  Type type_ = Type::kInteger;
  bool list_ = false;
  bool optional_ = false;
  bool has_low_ = false;  // declared, not the type's own limit
  bool has_high_ = false;
  bool open_low_ = false;  // the lower bound itself is refused
  Value low_;              // also where none is declared: the type's limit
  Value high_;
  std::vector<std::string> choices_;
  bool has_search_ = false;
  SearchScale scale_ = SearchScale::kLinear;
  double search_low_ = 0;
  double search_high_ = 0;
  std::vector<Value> search_values_;
};

namespace detail {
template <class T>
struct Unwrap {
  using Scalar = T;
  static constexpr bool kList = false;
  static constexpr bool kOptional = false;
};
template <class T>
struct Unwrap<std::vector<T>> : Unwrap<T> {
  static constexpr bool kList = true;
};
template <class T>
struct Unwrap<std::optional<T>> : Unwrap<T> {
  static constexpr bool kOptional = true;
};
}  // namespace detail

template <class T>
class Field : public FieldCore {
 public:
  using Scalar = typename detail::Unwrap<T>::Scalar;
  static constexpr bool kNumber = std::is_arithmetic_v<Scalar> && !std::is_same_v<Scalar, bool>;
  static constexpr bool kAlgorithm = std::is_same_v<Scalar, AlgorithmSpec>;
  static_assert(std::is_arithmetic_v<Scalar> || std::is_enum_v<Scalar> || std::is_same_v<Scalar, std::string> || kAlgorithm,
                "a parameter is a number, a bool, a std::string, an enum, an AlgorithmSpec, or a vector or optional of those");

  Field(std::string name, std::string doc) {
    name_ = std::move(name);
    doc_ = std::move(doc);
    list_ = detail::Unwrap<T>::kList;
    optional_ = detail::Unwrap<T>::kOptional;
    type_ = std::is_same_v<Scalar, bool>       ? Type::kBool
            : std::is_same_v<Scalar, float>    ? Type::kFloat
            : std::is_floating_point_v<Scalar> ? Type::kReal
            : std::is_integral_v<Scalar>       ? Type::kInteger
            : kAlgorithm                       ? Type::kAlgorithm
                                               : Type::kString;
    if constexpr (kNumber) {
      low_ = bound(std::numeric_limits<Scalar>::lowest());
      high_ = bound(std::numeric_limits<Scalar>::max());
    }
  }

  // Both bounds are allowed values. For a list: of each element.
  Field& range(Scalar low, Scalar high) requires kNumber {
    SEGUE_CHECK(low <= high, "{}: the range is empty", name_);
    low_ = bound(low);
    high_ = bound(high);
    has_low_ = has_high_ = true;
    open_low_ = false;
    return *this;
  }
  // Greater than `low`, no upper bound.
  Field& above(Scalar low) requires kNumber {
    low_ = bound(low);
    has_low_ = open_low_ = true;
    return *this;
  }
  Field& at_least(Scalar low) requires kNumber {
    low_ = bound(low);
    has_low_ = true;
    return *this;
  }

  Field& choices(std::vector<std::string> names) requires std::is_same_v<Scalar, std::string> {
    choices_ = std::move(names);
    return *this;
  }
  Field& choices(std::initializer_list<std::string> names) requires std::is_same_v<Scalar, std::string> {
    return choices(std::vector<std::string>(names));
  }
  Field& choices(std::initializer_list<std::pair<const char*, Scalar>> names) requires std::is_enum_v<Scalar> {
    for (const auto& [text, value] : names) {
      choices_.emplace_back(text);
      enum_values_.push_back(value);
    }
    return *this;
  }

  // What a tuner may try. Bounds are inclusive.
  Field& search(SearchScale scale, double low, double high) requires(kNumber && !detail::Unwrap<T>::kList) {
    set_search(scale, low, high);
    return *this;
  }
  Field& search_choices(std::initializer_list<Scalar> values) requires(!detail::Unwrap<T>::kList) {
    has_search_ = true;
    for (const Scalar& value : values) search_values_.push_back(encode_one(value));
    return *this;
  }

  Value encode(const T& value) const {
    if constexpr (detail::Unwrap<T>::kList) {
      Value out = Value::list();
      for (const Scalar& one : value) out.push_back(encode_one(one));
      return out;
    } else if constexpr (detail::Unwrap<T>::kOptional) {
      return value ? encode_one(*value) : Value::null();
    } else {
      return encode_one(value);
    }
  }
  // Of a value that normalise() has returned.
  T decode(const Value& value) const {
    if constexpr (detail::Unwrap<T>::kList) {
      T out;
      for (const Value& item : value.items()) out.push_back(decode_one(item));
      return out;
    } else if constexpr (detail::Unwrap<T>::kOptional) {
      return value.is_null() ? T() : T(decode_one(value));
    } else {
      return decode_one(value);
    }
  }

 private:
  static Value bound(Scalar value) {
    if constexpr (std::is_floating_point_v<Scalar>) {
      return Value::real(std::is_same_v<Scalar, float> ? widen(static_cast<float>(value)) : static_cast<double>(value));
    } else if constexpr (std::is_integral_v<Scalar>) {
      constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
      return Value::integer(std::in_range<std::int64_t>(value) ? static_cast<std::int64_t>(value) : kMax);
    } else {
      return {};
    }
  }
  Value encode_one(const Scalar& value) const {
    if constexpr (std::is_same_v<Scalar, bool>) {
      return Value::boolean(value);
    } else if constexpr (std::is_same_v<Scalar, std::string>) {
      return Value::string(value);
    } else if constexpr (kAlgorithm) {
      return value.to_value();
    } else if constexpr (std::is_enum_v<Scalar>) {
      for (std::size_t i = 0; i < enum_values_.size(); ++i) {
        if (enum_values_[i] == value) return Value::string(choices_[i]);
      }
      fail_check("enum value has a name", __FILE__, __LINE__,
                 fmt::format("parameter '{}' has a value without a name in its choices", name_));
    } else {
      if constexpr (std::is_integral_v<Scalar>) {
        SEGUE_CHECK(std::in_range<std::int64_t>(value), "parameter '{}' is beyond 2^63 - 1", name_);
      }
      return bound(value);
    }
  }
  Scalar decode_one(const Value& value) const {
    if constexpr (std::is_same_v<Scalar, bool>) {
      return value.as_bool();
    } else if constexpr (std::is_same_v<Scalar, std::string>) {
      return value.as_string();
    } else if constexpr (kAlgorithm) {
      return AlgorithmSpec::parse(value, name_);
    } else if constexpr (std::is_enum_v<Scalar>) {
      for (std::size_t i = 0; i < choices_.size(); ++i) {
        if (choices_[i] == value.as_string()) return enum_values_[i];
      }
      fail_check("choice is known", __FILE__, __LINE__, fmt::format("parameter '{}' was not normalised", name_));
    } else if constexpr (std::is_floating_point_v<Scalar>) {
      return static_cast<Scalar>(value.as_real());
    } else {
      return static_cast<Scalar>(value.as_int());
    }
  }

  std::vector<Scalar> enum_values_;  // parallel to choices_
};

// Type-erased view of a schema, for registries. A default-made one takes no parameters.
class AnySchema {
 public:
  AnySchema() = default;
  template <class P>
  static AnySchema of();  // P::schema()

  // LogicError where a default breaks the field's own rules: a mistake in the declaration.
  AnySchema(std::vector<std::shared_ptr<const FieldCore>> fields, std::vector<Value> defaults);

  const std::vector<FieldInfo>& fields() const { return infos_; }
  std::vector<std::string> names() const;
  std::vector<std::string> list_fields() const;  // for expand_grid()
  // Every effective parameter in schema order: defaults filled in, types normalised. `given` is a map or null.
  Value canonicalise(const Value& given, std::string_view what) const;
  // Only those that differ from their defaults, normalised, in schema order.
  Value non_default(const Value& given, std::string_view what) const;
  // A JSON Schema object: properties with type, bounds, enum, default and description; no other keys.
  std::string json_schema() const;

 private:
  Value collect(const Value& given, std::string_view what, bool with_defaults) const;
  std::vector<std::shared_ptr<const FieldCore>> cores_;
  std::vector<Value> defaults_;
  std::vector<FieldInfo> infos_;
};

template <class P>
class Schema {
 public:
  // The reference is for the calls that follow on; names must be distinct.
  template <class T>
  Field<T>& field(std::string name, T P::*member, std::string doc) {
    for (const Bound& bound : bounds_)
      SEGUE_CHECK(bound.core->name() != name, "parameter '{}' is declared twice", name);
    auto made = std::make_shared<Field<T>>(std::move(name), std::move(doc));
    bounds_.push_back(
        {made, [made = made.get(), member](P& params, const Value& value) { params.*member = made->decode(value); },
         [made = made.get(), member](const P& params) { return made->encode(params.*member); }});
    return *made;
  }

  // `given` is a map or null; `what` ends the sentence of an error ("algorithm 'implicit_als'").
  P parse(const Value& given, std::string_view what) const {
    const Value all = erase().canonicalise(given, what);
    P params{};
    for (const Bound& bound : bounds_) bound.assign(params, *all.find(bound.core->name()));
    return params;
  }
  Value to_value(const P& params) const {
    Value out = Value::map();
    for (const Bound& bound : bounds_) out.set(bound.core->name(), bound.read(params));
    return out;
  }
  // Only the fields that differ from P{}.
  Value non_default(const P& params) const {
    const P defaults{};
    Value out = Value::map();
    for (const Bound& bound : bounds_) {
      if (Value value = bound.read(params); !(value == bound.read(defaults)))
        out.set(bound.core->name(), std::move(value));
    }
    return out;
  }
  std::vector<FieldInfo> fields() const { return erase().fields(); }

  AnySchema erase() const {
    const P defaults{};
    std::vector<std::shared_ptr<const FieldCore>> cores;
    std::vector<Value> values;
    for (const Bound& bound : bounds_) {
      cores.push_back(bound.core);
      values.push_back(bound.read(defaults));
    }
    return {std::move(cores), std::move(values)};
  }

 private:
  struct Bound {
    std::shared_ptr<const FieldCore> core;
    std::function<void(P&, const Value&)> assign;
    std::function<Value(const P&)> read;
  };
  std::vector<Bound> bounds_;
};

template <class P>
AnySchema AnySchema::of() {
  return P::schema().erase();
}

}  // namespace segue
