// The state of a search for settings, worked out from the trial files that are there: what was proposed, what is still
// to run, who won. Nothing else is kept, so that a search goes on after a crash where it stopped, and one that is
// finished stays so.
//
// A tuner sees settings and validation metrics. Its trials are fitted and judged on folds without test data
// (without_test()).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "framework/experiment/tune_spec.hpp"
#include "framework/param/value.hpp"
#include "framework/store/manifest.hpp"

namespace segue {

struct AlgorithmEntry;
struct DatasetEntry;

// What the trial file of a tuning trial says.
struct TuningResult {
  bool failed = false;
  std::string error;   // one line
  double value = 0;    // the metric on validation data
  int best_epoch = 0;  // that early stopping kept; 0: it did not stop
  double seconds = 0;  // of the fit
};

// By fit id; nullopt where the trial has not run.
using TuningResults = std::function<std::optional<TuningResult>(const std::string& fit)>;
// Of a results folder. Remembers what it has read.
TuningResults stored_tuning_results(const ResultsFolder& results);
// A trial file for a fit that ended badly, so that it is a row and is not tried again. `status` as in TrialOutcome.
void write_failed_tuning(const std::filesystem::path& path, std::map<std::string, std::string> attributes,
                         const std::string& status, const std::string& error, double seconds);

struct TuningTrial {
  std::string fit;
  Proposal proposal;
  Value params, non_default;  // of the fit
  std::optional<TuningResult> result;
};

// Of one row, on one fold of one data set, with the suite's first seed.
struct Tuning {
  const AlgorithmEntry* algorithm = nullptr;
  const DatasetEntry* dataset = nullptr;
  std::string fold;
  std::uint64_t seed = 0;
  std::vector<std::size_t> views;   // positions in spec.views that the row is judged by
  std::vector<TuningTrial> trials;  // proposed so far, in order; only the last round may lack results
  std::size_t planned = 0;          // trials in all
  std::size_t settings = 0;         // that are compared
  double rest = 0;                  // what is still to run, in fits of full length
  bool finished = false;
  std::optional<std::size_t> winner;  // position in trials; nullopt while it goes on, or where everything failed

  std::vector<std::size_t> missing() const;  // positions of trials to run, each fit once
  std::size_t done() const;
  std::size_t left() const { return finished ? 0 : planned - std::min(planned, done()); }  // trials to run, at most
  double share(std::size_t trial) const;  // of a fit of full length that the trial trains
  std::optional<std::size_t> best() const;             // so far, of trials with as many epochs as any
  Value winner_params(const AnySchema& schema) const;  // canonical; of a refit with the epochs that early stopping kept
  ManifestTuning manifest() const;
};

// Proposes round after round as long as every trial of the rounds before has its result. `tuning` has everything up to
// `seed` and `views`; fit_of gives the identity of a tuning trial with these parameters (those that are not defaults).
void replay(Tuning& tuning, const AnySchema& schema, const std::function<std::string(const Value& non_default)>& fit_of,
            const TuningResults& results);

}  // namespace segue
