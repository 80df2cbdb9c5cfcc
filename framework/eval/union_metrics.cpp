// Metrics of all lists together. They cannot be merged from parts by averaging.
#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/eval/definitions.hpp"

namespace segue {

std::vector<std::uint64_t> recommended_counts(const RankingOutcome& outcome, std::size_t k) {
  std::vector<std::uint64_t> counts;
  for (std::size_t q = 0; q < outcome.queries; ++q) {
    if (outcome.truth_offsets[q] == outcome.truth_offsets[q + 1]) continue;
    for (const std::uint32_t item : outcome.items.subspan(q * outcome.k, k)) {
      if (item == kPadding) break;
      if (item >= counts.size()) counts.resize(std::max<std::size_t>(item + std::size_t{1}, outcome.catalogue), 0);
      ++counts[item];
    }
  }
  std::erase(counts, std::uint64_t{0});
  SEGUE_CHECK(outcome.catalogue > 0 && counts.size() <= outcome.catalogue,
              "{} different items recommended out of a catalogue of {}", counts.size(), outcome.catalogue);
  std::sort(counts.begin(), counts.end());
  return counts;
}

double gini_of(std::span<const std::uint64_t> ascending, std::size_t population) {
  const double n = static_cast<double>(population);
  double weighted = 0, total = 0;
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    const double place = static_cast<double>(population - ascending.size() + i + 1);  // behind all that have nothing
    weighted += (2 * place - n - 1) * static_cast<double>(ascending[i]);
    total += static_cast<double>(ascending[i]);
  }
  return weighted / (n * total);
}

namespace metric {

double coverage(const RankingOutcome& outcome, std::size_t k) {
  return static_cast<double>(recommended_counts(outcome, k).size()) / static_cast<double>(outcome.catalogue);
}

double gini(const RankingOutcome& outcome, std::size_t k) {
  const auto counts = recommended_counts(outcome, k);
  return counts.empty() ? 1 : std::max(0.0, gini_of(counts, outcome.catalogue));
}

double entropy(const RankingOutcome& outcome, std::size_t k) {
  const auto counts = recommended_counts(outcome, k);
  double total = 0, sum = 0;
  for (const std::uint64_t c : counts) total += static_cast<double>(c);
  for (const std::uint64_t c : counts) {
    const double p = static_cast<double>(c) / total;
    sum -= p * std::log2(p);
  }
  return std::max(0.0, sum);
}

}  // namespace metric
}  // namespace segue
