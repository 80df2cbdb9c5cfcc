// Recommendations and predicted ratings of other systems, checked against a task and brought into the form in which
// trials store theirs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "framework/store/import_file.hpp"
#include "framework/store/task_file.hpp"
#include "framework/store/trial_file.hpp"

namespace segue {

struct ImportOptions {
  ListFormat format = ListFormat::kAuto;
  bool drop_unknown = false;   // leave out lines with users or items that the task does not know; else they are errors
  bool drop_excluded = false;  // leave out items that the task does not let be recommended to their user; else errors
};

// What a person should hear about an import.
struct ImportCounts {
  std::uint64_t rows = 0;          // of the file
  std::uint64_t kept = 0;          // of them, now in the lists (predictions: used)
  std::uint64_t queries = 0;       // of the task
  std::uint64_t without_list = 0;  // queries for whom the file has nothing: they count, with 0
  std::uint64_t not_asked =
      0;                      // rows of users of the data set whom this task does not ask, or of pairs it does not hold
  std::uint64_t unknown = 0;  // rows left out
  std::uint64_t excluded = 0;          // rows left out
  std::uint64_t tied = 0;              // items with the score of the one above them
  std::uint64_t ranks_contradict = 0;  // users whose ranks in the file are not the order of their scores
};

struct ImportedLists {
  StoredView view;
  ImportCounts counts;
};

// Lists as the scores order them, equal scores in the task's own order; ranks of the file do not count, as in
// trec_eval. The view is `lists_only`, its k the longest list. DataError, naming file, line and remedy, for lines that
// are no rows, unknown ids, items that the task excludes, items that stand twice in a list, and a file that leaves
// every query without a list.
ImportedLists import_lists(const std::filesystem::path& file, const StoredTask& task, const StoredTaskFold& fold,
                           const ImportOptions& options);

struct ImportedRatings {
  StoredRatings ratings;
  ImportCounts counts;
};

// Predictions for the test ratings of `reference`, which some trial of the same task and fold has stored. DataError as
// above, and where a test rating has no prediction. Pairs that are no test ratings are left out.
ImportedRatings import_ratings(const std::filesystem::path& file, const StoredTask& task,
                               const StoredRatings& reference, const ImportOptions& options);

// Computes those of the metrics that the lists can answer into view.means, under the names that trials use; returns the
// others: cut-offs beyond the lists, and what needs scores of all candidates.
std::vector<std::string> add_means(StoredView& view, const std::vector<std::string>& metrics, const StoredTask& task,
                                   const StoredTaskFold& fold);
void add_means(StoredRatings& ratings, const std::vector<std::string>& metrics);

}  // namespace segue
