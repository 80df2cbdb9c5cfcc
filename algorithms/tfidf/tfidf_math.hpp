// The two vectors of a content model: what an item holds, and what a listener likes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/data/facets.hpp"
#include "framework/linalg/csr.hpp"

namespace segue {

// One item that a listener has met, each item once.
struct Heard {
  ItemIdx item{};
  double weight = 0;      // sum of the events' weights: plays, or what the feedback transform makes of them
  std::int64_t last = 0;  // time of the latest event
};

struct ProfileOptions {
  bool log_weights = true;  // sign(w) ln(1 + |w|) instead of w
  double half_life = 0;     // seconds after which an item counts half; 0: time is no matter
};

// What each item counts for, as long as `heard`: its weight, logarithmised where asked, times
// 2^(-(latest - last) / half_life), latest being that of the listener's latest event. A profile is only a direction, so
// that this is the same as counting back from any later moment.
std::vector<double> item_weights(std::span<const Heard> heard, const ProfileOptions& options);

// In place: the part of an item's weight in a profile by Rocchio's formula (Rocchio 1971, "Relevance feedback in
// information retrieval"): of c > 0, c / (sum of all c > 0); of c < 0, dislike c / (sum of all |c| with c < 0).
void balance(std::span<double> weights, double dislike);

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
