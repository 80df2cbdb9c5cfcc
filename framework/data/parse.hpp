// Numbers and times from text, without locales and without exceptions.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace segue {

// A whole number or a finite decimal number that fills the text, else nothing. No locale, no leading '+' or blanks.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return value;
}

// Whole seconds since 1970 from "978300019", "978300019.5" or "9.78300019e8" (rounded down).
std::optional<std::int64_t> parse_seconds(std::string_view text);

// Midnight UTC of a day of the proleptic Gregorian calendar, seconds since 1970; nothing for days that do not exist.
std::optional<std::int64_t> utc_seconds(int year, int month, int day);

// Seconds since 1970 of a time written in `pattern`, which must describe the whole text. Times are UTC unless %z says
// otherwise. %Y (four digits) %y (69-99: 1900s) %m %b (Jan or January) %d %e %H %I %p %M %S %f (fraction, dropped)
// %z (Z, +hh:mm, +hhmm) %F = %Y-%m-%d, %T = %H:%M:%S, %% itself; one or two digits for %m %d %H %I %M %S.
// Parts that the pattern lacks are those of 1970-01-01 00:00:00.
std::optional<std::int64_t> parse_time(std::string_view text, std::string_view pattern);
// True where parse_time() knows every directive of the pattern.
bool is_time_pattern(std::string_view pattern);

// ISO 8601: YYYY-MM-DD, perhaps followed by 'T' or a blank, HH:MM[:SS[.fraction]] and a zone (Z, +hh:mm, +hhmm).
std::optional<std::int64_t> parse_iso_time(std::string_view text);

}  // namespace segue
