// The k-core of an event log, iterated to a fixed point.
#pragma once

#include <cstdint>
#include <vector>

#include "framework/data/dataset.hpp"
#include "framework/data/task.hpp"

namespace segue {

// Drops events of users and items with too few events until nothing changes. Returns the survivors, in order.
std::vector<Event> k_core(std::vector<Event> events, const FilterSpec& filter, std::size_t n_users, std::size_t n_items,
                          FilterReport& report);

// The data set with only these users and items (flags), re-indexed; events of others are dropped.
Dataset restrict_dataset(const Dataset& dataset, const std::vector<std::uint8_t>& keep_user, const std::vector<std::uint8_t>& keep_item);

}  // namespace segue
