#include "framework/base/errors.hpp"

#include <algorithm>
#include <numeric>

namespace segue {

void fail_check(const char* condition, const char* file, int line, const std::string& message) {
  throw LogicError(fmt::format("internal error at {}:{}: {} ({})", file, line, message, condition));
}

namespace {

// Damerau-Levenshtein distance (adjacent transpositions cost one), over bytes.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string nearest_name(std::string_view wrong, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, wrong.size() / 3) + 1;  // more than a third wrong is another word
  for (const std::string& name : known) {
    std::size_t distance = edit_distance(wrong, name);
    if (distance >= best_distance && !wrong.empty() && wrong.size() >= 3 && name.starts_with(wrong)) distance = 1;
    if (distance < best_distance) {
      best = name;
      best_distance = distance;
    }
  }
  return best;
}

std::string suggestion(std::string_view wrong, const std::vector<std::string>& known) {
  std::string text;
  if (const std::string near = nearest_name(wrong, known); !near.empty()) text += fmt::format("; did you mean '{}'?", near);
  if (!known.empty()) text += fmt::format("{} known: {}", text.empty() ? ";" : "", fmt::join(known, ", "));
  return text;
}

}  // namespace segue
