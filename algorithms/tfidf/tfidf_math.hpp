// What a listener likes, as a sum of sparse rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/data/facets.hpp"
#include "framework/linalg/csr.hpp"

namespace segue {

// sum of weights[n] times row items[n], for sparse rows. Scratch for one profile after another.
class ProfileSum {
 public:
  explicit ProfileSum(std::size_t terms) : sum_(terms, 0), touched_(terms, 0) {}
  void add(const Csr<TermIdx>& rows, std::size_t row, double weight);
  // The terms that were added to, ascending, and back to nothing with clear().
  std::span<const std::uint32_t> terms();
  double operator[](std::size_t term) const { return sum_[term]; }
  double length();  // Euclidean, over ascending terms
  void clear();

 private:
  std::vector<double> sum_;
  std::vector<std::uint8_t> touched_;
  std::vector<std::uint32_t> terms_;
  bool sorted_ = true;
};

}  // namespace segue
