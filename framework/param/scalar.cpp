#include "framework/param/scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include <fmt/format.h>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

std::size_t skip_digits(std::string_view text, std::size_t i) {
  while (i < text.size() && is_digit(text[i])) ++i;
  return i;
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?   of which an integer is the part without \. and
// e.
enum class Shape { kNone, kInteger, kReal };
Shape number_shape(std::string_view text) {
  std::size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const std::size_t whole = skip_digits(text, i);
  std::size_t digits = whole - i;
  i = whole;
  bool real = false;
  if (i < text.size() && text[i] == '.') {
    real = true;
    const std::size_t end = skip_digits(text, i + 1);
    digits += end - (i + 1);
    i = end;
  }
  if (digits == 0) return Shape::kNone;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    real = true;
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    const std::size_t end = skip_digits(text, i);
    if (end == i) return Shape::kNone;
    i = end;
  }
  if (i != text.size()) return Shape::kNone;
  return real ? Shape::kReal : Shape::kInteger;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

Value parse_integer(std::string_view written, std::string_view digits, int base, const Mark& mark) {
  std::int64_t value = 0;
  if (digits.starts_with('+')) digits.remove_prefix(1);  // which from_chars does not know
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (code == std::errc::result_out_of_range) {
    throw UsageError("{}{} does not fit in a 64-bit integer", mark.prefix(), written);
  }
  if (code != std::errc() || end != digits.data() + digits.size()) return Value::string(std::string(written), mark);
  return Value::integer(value, mark);
}

double parse_double(std::string_view written, const Mark& mark) {
  std::string_view digits = written;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double value = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) {
    throw UsageError("{}{} is beyond the range of a 64-bit real", mark.prefix(), written);
  }
  return value;
}

}  // namespace

Value resolve_plain(const std::string& text, const Mark& mark) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return Value::null(mark);
  if (is_one_of(text, {"true", "True", "TRUE"})) return Value::boolean(true, mark);
  if (is_one_of(text, {"false", "False", "FALSE"})) return Value::boolean(false, mark);
  if (text.size() > 2 && text.starts_with("0o") && is_digit(text[2]))
    return parse_integer(text, text.substr(2), 8, mark);
  if (text.size() > 2 && text.starts_with("0x") && is_word(text[2]))
    return parse_integer(text, text.substr(2), 16, mark);
  switch (number_shape(text)) {
    case Shape::kInteger:
      return parse_integer(text, text, 10, mark);
    case Shape::kReal:
      return Value::real(parse_double(text, mark), mark);
    case Shape::kNone:
      break;
  }
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return Value::real(std::nan(""), mark);
  if (is_one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) return Value::real(HUGE_VAL, mark);
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"})) return Value::real(-HUGE_VAL, mark);
  return Value::string(text, mark);
}

std::string format_real(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string format_canonical(double value) {
  if (std::isnan(value)) return "nan";
  constexpr double kTwo63 = 9223372036854775808.0;
  if (value == std::trunc(value) && value >= -kTwo63 && value < kTwo63) {
    return fmt::format("{}", static_cast<std::int64_t>(value));  // -0 prints as 0
  }
  return fmt::format("{}", value);
}

double widen(float value) {
  return std::isfinite(value) ? parse_double(fmt::format("{}", value), {}) : static_cast<double>(value);
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

std::string yaml_string(const std::string& text) {
  // Narrower than YAML allows, on purpose: what is not plainly a word is quoted.
  const auto plain = [](char c) {
    return is_word(c) || is_one_of(std::string_view(&c, 1), {"-", ".", "/", "+", "@", "%", "=", " "});
  };
  const bool bare = !text.empty() && (is_word(text[0]) || text[0] == '/' || text[0] == '.') && text.back() != ' ' &&
                    !text.starts_with("..") && std::all_of(text.begin(), text.end(), plain);
  if (!bare) return quote(text);
  try {
    return resolve_plain(text, {}).is_string() ? text : quote(text);
  } catch (const UsageError&) {  // digits too many for a number
    return quote(text);
  }
}

}  // namespace segue
