// What the charts share: numbers as text, and the words around them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/plot/figure.hpp"

namespace segue::plot {

enum class Direction { kHigherIsBetter, kLowerIsBetter };

inline constexpr std::size_t kDirectLabels = 6;  // more names at lines or marks become a tangle
inline constexpr std::size_t kBands = 4;         // more bands hide each other

std::string better(Direction direction);  // "higher is better"
bool beats(double a, double b, Direction direction);
std::string metric_title(const std::string& metric, Direction direction);  // "nDCG@10, higher is better"

// Four decimals as in most tables; fewer for large numbers, more where four would say 0.
int decimals_for(const std::vector<double>& values);
std::string decimal_text(double value, int decimals);  // with a true minus sign
std::string share_text(double share);                  // 0.123 as "12 %"; "<1 %" and ">99 %" near the ends
std::string duration_text(double us);                  // 1500 as "1.5 ms"
std::string bytes_text(double bytes);                  // 1.5e6 as "1.5 MB" (decimal units)
std::string p_text(double p, int decimals);            // ".032", "<.001"

// The q-quantile, q in [0, 1], with linear interpolation between order statistics (Hyndman & Fan 1996, type 7).
double quantile_of_sorted(const std::vector<double>& sorted, double q);

// "Without values: a, b." for a note, after what stands there; nothing for no names.
void add_missing(std::string& note, const std::string& what, const std::vector<std::string>& names);

}  // namespace segue::plot
