// Every algorithm and data set that this build contains.
#pragma once

#include "framework/data/loader.hpp"
#include "framework/model/registry.hpp"

namespace segue {

// Defined in builtin.cpp, which CMake writes from the lists in algorithms/ and datasets/ (target segue_builtin).
void register_builtin(Registry& algorithms, DatasetRegistry& datasets);

}  // namespace segue
