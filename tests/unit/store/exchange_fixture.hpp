// A task as a results folder stores it, from a small log, with the judged view that trials are held to.
#pragma once

#include <string>
#include <utility>

#include <fmt/format.h>

#include "framework/store/task_file.hpp"
#include "tests/support/logs.hpp"

namespace segue::test {

struct Judged {
  PreparedFold fold;
  JudgedView view;
  StoredTask task;
  const StoredTaskFold& stored() const { return task.folds.front(); }
};

inline Judged judge(const Log& log, const TaskSpec& spec, const ViewSpec& view) {
  Judged j{prepare_fold(dataset_of(log), spec, "all"), {}, {}};
  j.view = apply_view(j.fold, j.fold.test, view);
  j.task.id = "t1";
  j.task.dataset = "toy";
  j.task.description = fmt::format("{{\"task\":{},\"view\":{}}}", spec.canonical(), view.identity().canonical());
  j.task.item_ids = j.fold.items.table().to_vector();
  j.task.user_ids = j.fold.users.table().to_vector();
  j.task.folds.push_back(task_fold(j.fold, j.view));
  return j;
}

}  // namespace segue::test
