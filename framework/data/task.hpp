// From a data set and a description to what a fit sees and what judges it.
//
// prepare_fold() is the only place where training and test data part; its result is one snapshot that trial processes map.
// apply_view() derives queries, masks, candidates and truth for one way of judging; supervisor and trial both call it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/data/dataset.hpp"
#include "framework/data/interactions.hpp"
#include "framework/data/task_spec.hpp"

namespace segue {

// Queries with their truth: one row a user that has test (or validation) events.
struct EvalSet {
  Array<UserIdx> users;
  Histories histories;                 // one row a query: all the model may know
  Array<std::int64_t> now;             // time of the first truth event
  Array<std::uint64_t> truth_offsets;  // queries + 1
  Array<ItemIdx> truth_items;          // distinct, ascending
  Array<float> truth_values;           // the pair's weight under the feedback transform
  // Every single test rating, for rating prediction.
  Array<UserIdx> rating_users;
  Array<ItemIdx> rating_items;
  Array<float> rating_values;
  std::size_t size() const { return users.size(); }
};

// What the split costs in honesty; printed with every run and stored. Shares of times are NaN where the data has none.
struct LeakMeter {
  double future_share = 0;         // mean over test events: share of training events later than the event
  double tied_time_share = 0;      // share of test events whose user has another event at the same time
  std::uint64_t test_events = 0;
  std::uint64_t truth_items = 0;
  std::uint64_t truth_unreachable = 0;   // truth items without training events
  std::uint64_t users_without_truth = 0;
  std::uint64_t cold_users = 0;          // queries whose user has no training event
  std::uint64_t side_data_overlap = 0;   // truth pairs tagged by their own user; those assignments are dropped
  std::uint64_t untagged_truth = 0;      // truth items without any tag (where the data set has tags)
};

struct FilterReport {
  int passes = 0;
  std::uint64_t users_before = 0, users_after = 0, items_before = 0, items_after = 0, events_before = 0, events_after = 0;
};

// One fold, ready to fit and to judge.
struct PreparedFold {
  std::string name;              // "u1", "fold 1", or "all"
  std::string dataset_name, dataset_title, dataset_fingerprint;
  Vocab users, items;
  Facets facets;                 // without what would leak
  Interactions train;
  Histories train_histories;
  EvalSet validation, test;
  Csr<ItemIdx> given_negatives;  // rows = users, or no rows
  float min_weight = 0, max_weight = 0;  // of the training weights
  bool has_ratings = false, has_times = true;
  std::uint64_t task_seed = 0;
  LeakMeter leaks;
  FilterReport filter;
  std::vector<std::string> warnings;
};

// Names of the folds of a split; given: the names of the data set's own splits. UsageError where the strategy does not fit.
std::vector<std::string> fold_names(const std::string& dataset, const std::vector<std::string>& given, const SplitSpec& split);
PreparedFold prepare_fold(const Dataset& dataset, const TaskSpec& spec, const std::string& fold);
// The same fold with its validation events (those of users and with weights as in prepare_fold()) in the training data; its own
// validation set is empty, its test set the same.
PreparedFold prepare_refit(const Dataset& dataset, const TaskSpec& spec, const std::string& fold);
// What a tuner may see: nothing of the test set, given negatives or leak meter is left.
PreparedFold without_test(PreparedFold fold);

// How one view judges a fold. Spans of owned vectors; queries without truth are gone.
struct JudgedView {
  std::vector<std::size_t> query;              // row of the EvalSet
  std::vector<std::uint64_t> truth_offsets;    // queries + 1
  std::vector<ItemIdx> truth_items;
  std::vector<float> truth_gains;
  std::vector<std::uint64_t> excluded_offsets; // empty: nothing is excluded
  std::vector<ItemIdx> excluded_items;
  std::vector<std::uint64_t> candidate_offsets;  // empty: the catalogue
  std::vector<ItemIdx> candidate_items;
  std::vector<std::uint8_t> catalogue;         // one flag an item
  std::vector<std::uint64_t> user_keys;        // one a query
  std::uint64_t truth_removed = 0;             // truth items that were excluded
  std::uint64_t queries_without_truth = 0;     // queries that lost all their truth that way
  std::uint64_t catalogue_size = 0;
};
JudgedView apply_view(const PreparedFold& fold, const EvalSet& set, const ViewSpec& view);

// The sampled candidates of one query besides its truth: uniform over the catalogue (one flag an item) without the
// `positives` (ascending) and, where given, only `among` (ascending). A function of the task's seed and the user's key.
std::vector<ItemIdx> sample_negatives(std::span<const std::uint8_t> catalogue, const std::vector<ItemIdx>& positives, const std::vector<ItemIdx>* among,
                                      std::size_t count, std::uint64_t task_seed, std::uint64_t user_key);

// Identity of (data set, feedback, filters, split family, view): one leaderboard.
std::string task_id(const std::string& dataset_fingerprint, const TaskSpec& spec, const ViewSpec& view);

}  // namespace segue
