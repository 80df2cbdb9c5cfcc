// Which results of other systems a folder holds. They stand in a file of their own, imports.json, since `segue run`
// writes plan.json anew; ResultsFolder::read_manifest() shows them as rows beside those of the suite.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "framework/store/manifest.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

inline constexpr const char* kImported = "imported";  // their algorithm

struct ImportEntry {
  std::string label, task, fold;   // task: its id. One entry for each of the three.
  std::vector<std::string> folds;  // of the task: those that nobody has imported are shown as not run
  std::string fit;                 // set by store_import()
  std::string file, content;       // name of the source file, and hash of its bytes
  std::string date, command;
};

// Those of the folder, in the order in which they came; none where there is no imports.json. DataError where it is
// damaged.
std::vector<ImportEntry> read_imports(const ResultsFolder& results);

// UsageError where the label is a row of the suite, or an import for this task and fold and not `force`.
void check_import(const ResultsFolder& results, const ImportEntry& entry, bool force);
// Writes the trial file, then notes it; replaces an import of the same label, task and fold. The record holds one view
// or one set of ratings; its attributes `fit`, `label`, `algorithm`, `fold` are set here. The fit's id is a hash of
// label, task, fold and lists. Nothing is left behind where either cannot be written. Returns the fit.
std::string store_import(const ResultsFolder& results, ImportEntry entry, TrialRecord record, bool force);
// Forgets a label's imports, of one task (by id) or of all, and deletes their trial files. UsageError where there is
// none.
std::vector<ImportEntry> remove_imports(const ResultsFolder& results, const std::string& label,
                                        const std::string& task = "");

// Adds rows and trials for what was imported. A label that the suite has come to use since is shown as "label
// (imported)"; imports for tasks that the suite no longer has wait until it has them again.
void merge_imports(const ResultsFolder& results, Manifest& manifest);

}  // namespace segue
