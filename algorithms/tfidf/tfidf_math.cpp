#include "algorithms/tfidf/tfidf_math.hpp"

#include <algorithm>
#include <cmath>

namespace segue {

void ProfileSum::add(const Csr<TermIdx>& rows, std::size_t row, double weight) {
  const auto terms = rows.indices(row);
  const auto values = rows.values(row);
  for (std::size_t n = 0; n < terms.size(); ++n) {
    const auto term = static_cast<std::uint32_t>(terms[n]);
    if (touched_[term] == 0) {
      touched_[term] = 1;
      terms_.push_back(term);
      sorted_ = false;
    }
    sum_[term] += weight * double{values[n]};
  }
}

std::span<const std::uint32_t> ProfileSum::terms() {
  if (!sorted_) std::sort(terms_.begin(), terms_.end());
  sorted_ = true;
  return terms_;
}

double ProfileSum::length() {
  double squares = 0;
  for (const std::uint32_t term : terms()) squares += sum_[term] * sum_[term];
  return std::sqrt(squares);
}

void ProfileSum::clear() {
  for (const std::uint32_t term : terms_) sum_[term] = 0, touched_[term] = 0;
  terms_.clear();
  sorted_ = true;
}

}  // namespace segue
