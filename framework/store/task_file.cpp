#include "framework/store/task_file.hpp"

#include <utility>

#include "framework/base/errors.hpp"
#include "framework/h5/file.hpp"

namespace segue {

namespace {

constexpr int kTaskSchemaVersion = 2;

// Every counter of a fold under its attribute name, for writing and reading alike.
std::vector<std::pair<const char*, std::uint64_t*>> counters(StoredTaskFold& f) {
  return {{"test_events", &f.leaks.test_events}, {"truth_items", &f.leaks.truth_items},
          {"truth_unreachable", &f.leaks.truth_unreachable}, {"users_without_truth", &f.leaks.users_without_truth},
          {"cold_users", &f.leaks.cold_users}, {"side_data_overlap", &f.leaks.side_data_overlap},
          {"untagged_truth", &f.leaks.untagged_truth}, {"truth_removed", &f.truth_removed},
          {"queries_without_truth", &f.queries_without_truth}, {"filter_users_before", &f.filter.users_before},
          {"filter_users_after", &f.filter.users_after}, {"filter_items_before", &f.filter.items_before},
          {"filter_items_after", &f.filter.items_after}, {"filter_events_before", &f.filter.events_before},
          {"filter_events_after", &f.filter.events_after}};
}

}  // namespace

StoredTaskFold task_fold(const PreparedFold& fold, const JudgedView& view) {
  StoredTaskFold out;
  out.name = fold.name;
  out.leaks = fold.leaks;
  out.filter = fold.filter;
  out.truth_removed = view.truth_removed;
  out.queries_without_truth = view.queries_without_truth;
  out.warnings = fold.warnings;
  out.truth_offsets = view.truth_offsets;
  for (ItemIdx item : view.truth_items) out.truth_items.push_back(static_cast<std::uint32_t>(item));
  out.truth_gains = view.truth_gains;
  out.history_offsets.push_back(0);
  for (std::size_t q : view.query) {
    out.users.emplace_back(fold.users[raw(fold.test.users[q])]);
    for (ItemIdx item : fold.test.histories[q].items) out.history_items.push_back(static_cast<std::uint32_t>(item));
    out.history_offsets.push_back(out.history_items.size());
  }
  out.train_counts.assign(fold.items.size(), 0);
  for (ItemIdx item : fold.train.by_user().all_indices()) ++out.train_counts[raw(item)];
  return out;
}

void write_task(const std::filesystem::path& path, const StoredTask& task) {
  H5Writer file(path);
  file.attribute("/", "segue_task", kTaskSchemaVersion);
  file.attribute("/", "id", task.id);
  file.attribute("/", "description", task.description);
  file.attribute("/", "dataset", task.dataset);
  file.strings("/items/ids", task.item_ids);
  file.strings("/items/titles", task.titles);
  file.strings("/users/ids", task.user_ids);
  for (StoredTaskFold fold : task.folds) {
    const std::string group = "/folds/" + fold.name;
    file.strings(group + "/users", fold.users);
    file.array(group + "/truth/offsets", fold.truth_offsets);
    file.array(group + "/truth/items", fold.truth_items);
    file.array(group + "/truth/gains", fold.truth_gains);
    file.array(group + "/history/offsets", fold.history_offsets);
    file.array(group + "/history/items", fold.history_items);
    file.array(group + "/train_counts", fold.train_counts);
    file.strings(group + "/warnings", fold.warnings);
    file.attribute(group, "future_share", fold.leaks.future_share);
    file.attribute(group, "tied_time_share", fold.leaks.tied_time_share);
    file.attribute(group, "filter_passes", fold.filter.passes);
    for (const auto& [name, value] : counters(fold)) file.attribute(group, name, *value);
  }
  file.commit();
}

StoredTask read_task(const std::filesystem::path& path) {
  const H5Reader file(path);
  if (!file.has_attribute("/", "segue_task") || file.attribute_int("/", "segue_task") != kTaskSchemaVersion)
    throw DataError("{} is not a task file of this version of Segue; run the suite again with --fresh", path.string());
  StoredTask task;
  task.id = file.attribute_text("/", "id").value_or("");
  task.description = file.attribute_text("/", "description").value_or("");
  task.dataset = file.attribute_text("/", "dataset").value_or("");
  task.item_ids = file.strings("/items/ids");
  task.titles = file.strings("/items/titles");
  task.user_ids = file.strings("/users/ids");
  for (const std::string& name : file.children("/folds")) {
    const std::string group = "/folds/" + name;
    StoredTaskFold fold;
    fold.name = name;
    fold.users = file.strings(group + "/users");
    fold.truth_offsets = file.array<std::uint64_t>(group + "/truth/offsets");
    fold.truth_items = file.array<std::uint32_t>(group + "/truth/items");
    fold.truth_gains = file.array<float>(group + "/truth/gains");
    fold.history_offsets = file.array<std::uint64_t>(group + "/history/offsets");
    fold.history_items = file.array<std::uint32_t>(group + "/history/items");
    fold.train_counts = file.array<std::uint64_t>(group + "/train_counts");
    fold.warnings = file.strings(group + "/warnings");
    fold.leaks.future_share = file.attribute_real(group, "future_share");
    fold.leaks.tied_time_share = file.attribute_real(group, "tied_time_share");
    fold.filter.passes = static_cast<int>(file.attribute_int(group, "filter_passes"));
    for (const auto& [counter, value] : counters(fold)) *value = static_cast<std::uint64_t>(file.attribute_int(group, counter));
    task.folds.push_back(std::move(fold));
  }
  return task;
}

void hash_task(const std::filesystem::path& path, Hasher& hasher) {
  hash_h5_group(H5Reader(path), "/", {}, hasher);
}

}  // namespace segue
