// Systems compared over several tasks by their ranks (Demsar 2006, "Statistical comparisons of classifiers over
// multiple data sets", JMLR 7).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace segue::stats {

// Rank 1 is the smallest value; equal values share the mean of their ranks. `ties`, where given, receives the sum of
// t^3 - t over the groups of t equal values, which is what tie corrections are made of. NaN is a LogicError.
std::vector<double> midranks(std::span<const double> values, double* ties = nullptr);

struct FriedmanTest {
  std::vector<double> mean_ranks;           // one a system, 1 = best
  double chi_square = 0, chi_square_p = 1;  // Friedman's, corrected for ties, k - 1 degrees of freedom
  double f = 0, f_p = 1;  // Iman & Davenport 1980: (N-1) chi2 / (N (k-1) - chi2), df k - 1, (k-1)(N-1)
};

// values: tasks x systems, row-major, larger is better (negate errors); tasks >= 2, systems >= 2. Where every task has
// nothing but ties both p are 1; where all tasks rank alike, and without ties, f is infinite and f_p = 0. The
// approximations are fair for more than 10 tasks and 5 systems (Demsar, sec. 3.2.2).
FriedmanTest friedman_test(std::span<const double> values, std::size_t tasks, std::size_t systems);

// Nemenyi's critical difference of mean ranks: q_alpha(k, infinity) / sqrt(2) sqrt(k (k + 1) / (6 N)).
double nemenyi_critical_difference(std::size_t tasks, std::size_t systems, double alpha = 0.05);

// The bars of a critical-difference diagram: every largest group of two or more systems whose mean ranks differ by less
// than `critical_difference`; indices of systems from best to worst rank (ties by index), groups from best to worst.
std::vector<std::vector<std::size_t>> cliques(std::span<const double> mean_ranks, double critical_difference);

}  // namespace segue::stats
