// What judges the trials of a task, stored once: queries under their external ids, truth, what was seen, training counts.
//
//   /                     attributes: id, description (JSON), dataset, one for each line of the leak meter and fold
//   /items/ids, /items/titles, /users/ids
//   /items/tags/{names,offsets,ids,weights}, /items/artists/{names,of}   where the data set has them
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
#include "framework/eval/outcome.hpp"

namespace segue {

// One fold of a task file in memory. Task files are written once all folds are known; folds with other item
// vocabularies (a filter on all events is the same for all folds) do not occur.
struct StoredTaskFold {
  std::string name;
  std::vector<std::string> users;
  std::vector<std::uint64_t> truth_offsets, history_offsets;
  std::vector<std::uint32_t> truth_items, history_items;
  std::vector<float> truth_gains;
  std::vector<std::int64_t> times;  // one a query, when its first truth event happened; empty where the data has no times
  std::vector<std::uint64_t> train_counts;
  std::uint64_t train_users = 0;  // with training events
  LeakMeter leaks;
  FilterReport filter;
  std::uint64_t truth_removed = 0, queries_without_truth = 0;
  std::vector<std::string> warnings;
};

struct StoredTask {
  std::string id, description, dataset;
  std::vector<std::string> item_ids, titles;
  std::vector<std::string> user_ids;  // every user, in canonical order; the users of stored ratings are positions here
  std::vector<std::string> artists;        // empty: the data set names none
  std::vector<std::uint32_t> item_artist;  // one an item, kNoArtist where unknown
  std::vector<std::string> tags;           // empty: the data set has none
  std::vector<std::uint64_t> tag_offsets;  // items + 1
  std::vector<std::uint32_t> tag_ids;      // ascending within an item
  std::vector<float> tag_weights;
  std::vector<StoredTaskFold> folds;       // in the order of the split

  const StoredTaskFold* find_fold(const std::string& name) const;  // nullptr where there is none
};

StoredTaskFold task_fold(const PreparedFold& fold, const JudgedView& view);
// Titles, artists, tags and ids of a fold's catalogue; tags as a fit of this fold sees them, without what would leak.
void describe_items(const PreparedFold& fold, StoredTask& task);

// What metrics beyond accuracy read, as spans into the two.
ItemFacts item_facts(const StoredTask& task, const StoredTaskFold& fold);
QueryFacts query_facts(const StoredTaskFold& fold);

void write_task(const std::filesystem::path& path, const StoredTask& task);
// kCounters: of the arrays only the folds' `users` and `truth_items`, which is what a leak line needs.
enum class TaskParts { kCounters, kAll };
StoredTask read_task(const std::filesystem::path& path, TaskParts parts = TaskParts::kAll);
void hash_task(const std::filesystem::path& path, Hasher& hasher);

}  // namespace segue
