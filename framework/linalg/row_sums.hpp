// Sums of rows picked out of a matrix, and the other way round: a layer of a graph network, the first layer of a
// network whose input is sparse.
#pragma once

#include <cstdint>
#include <span>

#include "framework/linalg/view.hpp"

namespace segue {

// sum += rows `which` of the table, each as often as it is named. sum: as many as the table has columns. An element's
// order of additions depends on the number of rows, its column, the number of columns, and the machine's registers.
template <class T>
void add_rows(ConstView<T> table, std::span<const std::uint32_t> which, T* sum);

// Adds row (as many as `to` has columns) to rows `which`, each as often as it is named.
template <class T>
void add_to_rows(const T* row, std::span<const std::uint32_t> which, View<T> to);

}  // namespace segue
