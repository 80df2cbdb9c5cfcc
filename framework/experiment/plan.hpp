// All trials of a suite with their identities, made before anything runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/experiment/dataset_store.hpp"
#include "framework/experiment/spec.hpp"
#include "framework/store/manifest.hpp"

namespace segue {

struct PlannedTrial {
  const AlgorithmEntry* algorithm = nullptr;
  const DatasetEntry* dataset = nullptr;
  std::string fold;
  std::uint64_t seed = 0;
  std::string fit;                  // identity
  std::vector<std::size_t> views;   // positions in spec.views
  std::vector<std::string> tasks;   // as long as views
};

struct Plan {
  Manifest manifest;
  std::vector<PlannedTrial> trials;  // refer into the Spec that made the plan
};

// UsageError where a view, a facet or a split does not fit a data set.
Plan make_plan(const Spec& spec, const Registry& algorithms, DatasetStore& datasets);

}  // namespace segue
