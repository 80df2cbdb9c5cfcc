// A fit between two of its epochs, as one HDF5 file: what a later process needs to go on with the same bits. Layout:
// framework/store/README.md.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "framework/model/checkpoints.hpp"
#include "framework/store/manifest.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

inline constexpr int kCheckpointSchemaVersion = 1;

// Everything that must be the same for a fit to go on with the same bits: names and values, such as "params".
using FitIdentity = std::map<std::string, std::string>;

// Written under a temporary name, synced and renamed. Of the record: curves, epoch_seconds, fit_seconds, and the
// attribute "resumed" where there is one. EnvironmentError where it cannot be written: then nothing is left of it.
// LogicError where the name of a curve has a '/'.
void write_checkpoint(const std::filesystem::path& path, const FitIdentity& identity, const FitState& fit,
                      const TrialRecord& record);

// The opposite: fills `fit`, writing to the spans of fit.training, and the same parts of the record. DataError that
// says why, and neither is changed, where the file is damaged, or was written for another identity or another shape of
// state; EnvironmentError where it cannot be read at all.
void read_checkpoint(const std::filesystem::path& path, const FitIdentity& identity, FitState& fit,
                     TrialRecord& record);

// The file, and what is left of writes that were cut short.
void remove_checkpoint(const std::filesystem::path& path);
// The latter alone; what a process that is alive has begun stays.
void remove_unfinished_checkpoints(const std::filesystem::path& path);
// Those of trials whose file is there; then the folder, where nothing is left in it.
void sweep_checkpoints(const ResultsFolder& results);

}  // namespace segue
