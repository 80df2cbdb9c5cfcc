#include "framework/data/parse.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>

namespace segue {

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  if (const auto whole = parse_number<std::int64_t>(text)) return whole;
  const auto value = parse_number<double>(text);
  if (!value || std::abs(*value) > 9e15) return std::nullopt;  // beyond 2^53 a double is no longer a whole second
  return static_cast<std::int64_t>(std::floor(*value));
}

std::optional<std::int64_t> utc_seconds(int year, int month, int day) {
  if (year < -9999 || year > 9999 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * 86400;
}

namespace {

// Reads a time from left to right; every step fails without moving on where the text does not fit.
struct TimeScanner {
  std::string_view text;
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  int zone = 0;  // seconds east of UTC
  std::optional<bool> afternoon = std::nullopt;

  bool literal(char c) {
    if (text.empty() || text[0] != c) return false;
    text.remove_prefix(1);
    return true;
  }
  bool digits(std::size_t least, std::size_t most, int& out) {
    std::size_t n = 0;
    while (n < most && n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
    if (n < least) return false;
    out = *parse_number<int>(text.substr(0, n));
    text.remove_prefix(n);
    return true;
  }
  bool month_name() {
    static constexpr std::string_view kNames[] = {"january",   "february", "march",    "april",
                                                  "may",       "june",     "july",     "august",
                                                  "september", "october",  "november", "december"};
    const auto begins = [&](std::string_view name) {
      return text.size() >= name.size() && std::equal(name.begin(), name.end(), text.begin(), [](char a, char b) {
               return a == std::tolower(static_cast<unsigned char>(b));
             });
    };
    for (int i = 0; i < 12; ++i) {
      for (const std::string_view name : {kNames[i], kNames[i].substr(0, 3)}) {
        if (!begins(name)) continue;
        month = i + 1;
        text.remove_prefix(name.size());
        return true;
      }
    }
    return false;
  }
  bool half_day() {
    if (text.size() < 2 || (text[1] != 'M' && text[1] != 'm')) return false;
    const char c = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    if (c != 'A' && c != 'P') return false;
    afternoon = c == 'P';
    text.remove_prefix(2);
    return true;
  }
  bool offset() {
    if (literal('Z') || literal('z')) return true;
    const int sign = text.starts_with('-') ? -1 : 1;
    int hours = 0, minutes = 0;
    if (!(literal('+') || literal('-')) || !digits(2, 2, hours)) return false;
    literal(':');
    if (!text.empty() && !digits(2, 2, minutes)) return false;
    zone = sign * (hours * 3600 + minutes * 60);
    return hours < 24 && minutes < 60;
  }
  bool directive(char c) {
    int ignored = 0;
    switch (c) {
      case 'Y':
        return digits(4, 4, year);
      case 'y':
        if (!digits(2, 2, year)) return false;
        year += year >= 69 ? 1900 : 2000;
        return true;
      case 'm':
        return digits(1, 2, month);
      case 'b':
        return month_name();
      case 'e':
        if (text.starts_with(' ')) text.remove_prefix(1);
        return digits(1, 2, day);
      case 'd':
        return digits(1, 2, day);
      case 'H':
      case 'I':
        return digits(1, 2, hour);
      case 'p':
        return half_day();
      case 'M':
        return digits(1, 2, minute);
      case 'S':
        return digits(1, 2, second);
      case 'f':
        return digits(1, 9, ignored);
      case 'z':
        return offset();
      case 'F':
        return scan("%Y-%m-%d");
      case 'T':
        return scan("%H:%M:%S");
      case '%':
        return literal('%');
      default:
        return false;
    }
  }
  bool scan(std::string_view pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      const bool fits = pattern[i] == '%' && i + 1 < pattern.size() ? directive(pattern[++i]) : literal(pattern[i]);
      if (!fits) return false;
    }
    return true;
  }
  std::optional<std::int64_t> seconds() {
    if (!text.empty()) return std::nullopt;
    if (afternoon) {
      if (hour < 1 || hour > 12) return std::nullopt;
      hour = hour % 12 + (*afternoon ? 12 : 0);
    }
    const auto midnight = utc_seconds(year, month, day);
    if (!midnight || hour > 23 || minute > 59 || second > 60) return std::nullopt;  // 60: a leap second
    return *midnight + hour * 3600 + minute * 60 + second - zone;
  }
};

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text, std::string_view pattern) {
  TimeScanner scanner{text};
  if (!scanner.scan(pattern)) return std::nullopt;
  return scanner.seconds();
}

bool is_time_pattern(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') continue;
    if (++i == pattern.size() || std::string_view("YymbdeHIpMSfzFT%").find(pattern[i]) == std::string_view::npos)
      return false;
  }
  return true;
}

namespace {

// The usual form, "2009-05-04T23:08:57Z", at a tenth of the cost of reading it by a pattern; nothing where the text has
// another form or no such time exists.
std::optional<std::int64_t> parse_usual_time(std::string_view text) {
  static constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) return std::nullopt;
  const auto two = [&](std::size_t i) { return (text[i] - '0') * 10 + (text[i + 1] - '0'); };
  const auto midnight = utc_seconds(two(0) * 100 + two(2), two(5), two(8));
  if (!midnight || two(11) > 23 || two(14) > 59 || two(17) > 60) return std::nullopt;
  return *midnight + two(11) * 3600 + two(14) * 60 + two(17);
}

}  // namespace

std::optional<std::int64_t> parse_iso_time(std::string_view text) {
  if (const auto usual = parse_usual_time(text)) return usual;
  TimeScanner scanner{text};
  if (!scanner.scan("%F")) return std::nullopt;
  if (scanner.text.empty()) return scanner.seconds();
  if (!(scanner.literal('T') || scanner.literal(' ')) || !scanner.scan("%H:%M")) return std::nullopt;
  if (scanner.literal(':') && !scanner.directive('S')) return std::nullopt;
  if (scanner.literal('.') && !scanner.directive('f')) return std::nullopt;
  if (!scanner.text.empty() && !scanner.offset()) return std::nullopt;
  return scanner.seconds();
}

}  // namespace segue
