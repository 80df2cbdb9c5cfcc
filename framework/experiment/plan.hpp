// All trials of a suite with their identities, made before anything runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "framework/experiment/dataset_store.hpp"
#include "framework/experiment/spec.hpp"
#include "framework/experiment/tuner.hpp"
#include "framework/store/manifest.hpp"

namespace segue {

struct PlannedTrial {
  const AlgorithmEntry* algorithm = nullptr;
  const DatasetEntry* dataset = nullptr;
  std::string fold;
  std::uint64_t seed = 0;
  Value params, non_default;        // what it is fitted with: the entry's, or those that a tuner has found
  std::string fit;                  // identity; of a row whose tuner has not finished, a stand-in without a file
  std::optional<std::size_t> tuning;  // position in plan.tunings
  bool open = false;                // its tuner has not found settings (yet)
  std::vector<std::size_t> views;   // positions in spec.views
  std::vector<std::string> tasks;   // as long as views
};

struct Plan {
  Manifest manifest;
  std::vector<PlannedTrial> trials;  // refer into the Spec that made the plan
  std::vector<Tuning> tunings;
};

// Whether an algorithm, or one that it is made of, learns from ItemSound, which is made by listening.
bool needs_sound(const Registry& algorithms, const std::string& name, const Value& params);

// UsageError where a view, a facet or a split does not fit a data set. Rows that are tuned are as far as `results` let them be.
Plan make_plan(const Spec& spec, const Registry& algorithms, DatasetStore& datasets, const TuningResults& results = {});

}  // namespace segue
