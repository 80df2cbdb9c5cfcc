// What a task lets be recommended to whom, from its task file alone: what imported lists are checked against.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/store/task_file.hpp"

namespace segue {

class TaskRules {
 public:
  // DataError where the description of the task is damaged.
  explicit TaskRules(const StoredTask& task, const StoredTaskFold& fold);

  enum class Verdict {
    kAllowed,
    kExcluded,   // the user knows it, and the task recommends only what is new
    kNotKnown,   // the user does not know it, and the task recommends only what is known
    kOutside,    // never seen in training, and the task's catalogue is what was
    kNotSampled  // not among the candidates sampled for this user
  };
  // The rules for one query; judge() is about this one from then on.
  void select(std::size_t query);
  Verdict judge(std::uint32_t item) const;

  // The candidates of the selected query, ascending, where each query has its own; empty where all of the catalogue
  // competes, or where the lists came with the data set.
  const std::vector<ItemIdx>& candidates() const { return candidates_; }
  bool has_candidates() const { return sampled_ > 0 || repeats_ == "only"; }
  bool given() const { return given_; }  // the task file does not hold those lists, so they are not checked
  std::uint64_t catalogue() const { return catalogue_size_; }  // how many items can be recommended

  // Position of an item among equal scores: ascending, as recommend() orders them.
  std::uint64_t tie(std::size_t query, std::uint32_t item) const;

 private:
  const StoredTask& task_;
  const StoredTaskFold& fold_;
  std::uint64_t seed_ = 0;
  std::string repeats_;
  bool excludes_ = false;  // all of the history
  bool given_ = false;
  std::size_t sampled_ = 0;
  std::vector<std::uint8_t> catalogue_;  // one flag an item
  std::uint64_t catalogue_size_ = 0;
  std::vector<ItemIdx> known_, candidates_;  // of the selected query, ascending
};

}  // namespace segue
