// What judges the trials of a task, stored once: queries under their external ids, truth, what was seen, training counts.
//
//   /                     attributes: id, description (JSON), dataset, one for each line of the leak meter and fold
//   /items/ids, /items/titles, /users/ids
//   /folds/<fold>/users   external ids, one a query
//   /folds/<fold>/truth/{offsets,items,gains}
//   /folds/<fold>/history/{offsets,items}       what the model knew of the user
//   /folds/<fold>/train_counts                  training users of an item
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "framework/base/hash.hpp"
#include "framework/data/task.hpp"

namespace segue {

// One fold of a task file in memory. Task files are written once all folds are known; folds with other item
// vocabularies (a filter on all events is the same for all folds) do not occur.
struct StoredTaskFold {
  std::string name;
  std::vector<std::string> users;
  std::vector<std::uint64_t> truth_offsets, history_offsets;
  std::vector<std::uint32_t> truth_items, history_items;
  std::vector<float> truth_gains;
  std::vector<std::uint64_t> train_counts;
  LeakMeter leaks;
  FilterReport filter;
  std::uint64_t truth_removed = 0, queries_without_truth = 0;
  std::vector<std::string> warnings;
};

struct StoredTask {
  std::string id, description, dataset;
  std::vector<std::string> item_ids, titles;
  std::vector<std::string> user_ids;  // every user, in canonical order; the users of stored ratings are positions here
  std::vector<StoredTaskFold> folds;
};

StoredTaskFold task_fold(const PreparedFold& fold, const JudgedView& view);
void write_task(const std::filesystem::path& path, const StoredTask& task);
StoredTask read_task(const std::filesystem::path& path);
void hash_task(const std::filesystem::path& path, Hasher& hasher);

}  // namespace segue
