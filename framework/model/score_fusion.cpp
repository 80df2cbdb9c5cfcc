#include "framework/model/score_fusion.hpp"

#include <algorithm>
#include <cmath>

namespace segue {

void standardise_scores(std::span<float> scores) {
  double sum = 0, squares = 0;
  std::size_t n = 0;
  for (const float s : scores)
    if (std::isfinite(s)) sum += double{s}, ++n;
  if (n == 0) return;
  const double mean = sum / static_cast<double>(n);
  for (const float s : scores)
    if (std::isfinite(s)) squares += (double{s} - mean) * (double{s} - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(n));
  for (float& s : scores)
    if (std::isfinite(s)) s = deviation > 0 ? static_cast<float>((double{s} - mean) / deviation) : 0.0f;
}

std::vector<std::uint8_t> heard_flags(const Query& query, std::size_t n_items) {
  std::vector<std::uint8_t> out(n_items, 0);
  for (const ItemIdx item : query.history)
    if (raw(item) < n_items) out[raw(item)] = 1;
  return out;
}

std::vector<ItemIdx> best_items(std::span<const float> scores, std::span<const std::uint8_t> barred, std::size_t n) {
  std::vector<ItemIdx> out;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (std::isfinite(scores[i]) && (barred.empty() || barred[i] == 0)) out.push_back(item_at(i));
  const auto better = [&](ItemIdx a, ItemIdx b) {
    return scores[raw(a)] != scores[raw(b)] ? scores[raw(a)] > scores[raw(b)] : a < b;
  };
  n = std::min(n, out.size());
  std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n), out.end(), better);
  out.resize(n);
  return out;
}

void reciprocal_ranks(std::span<float> scores, std::span<const std::uint8_t> barred, double smoothing) {
  std::vector<float> others;
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (barred.empty() || barred[i] == 0) others.push_back(scores[i]);
  std::sort(others.begin(), others.end(), [](float a, float b) { return a > b; });
  for (float& s : scores) {
    if (!std::isfinite(s)) continue;
    const auto above =
        std::lower_bound(others.begin(), others.end(), s, [](float a, float b) { return a > b; }) - others.begin();
    s = static_cast<float>(1 / (smoothing + 1 + static_cast<double>(above)));
  }
}

}  // namespace segue
