#include "framework/store/task_file.hpp"

#include <algorithm>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/h5/file.hpp"

namespace segue {

namespace {

constexpr int kTaskSchemaVersion = 3;

// Every counter of a fold under its attribute name, for writing and reading alike.
std::vector<std::pair<const char*, std::uint64_t*>> counters(StoredTaskFold& f) {
  return {{"test_events", &f.leaks.test_events}, {"truth_items", &f.leaks.truth_items},
          {"truth_unreachable", &f.leaks.truth_unreachable}, {"users_without_truth", &f.leaks.users_without_truth},
          {"cold_users", &f.leaks.cold_users}, {"side_data_overlap", &f.leaks.side_data_overlap},
          {"untagged_truth", &f.leaks.untagged_truth}, {"truth_removed", &f.truth_removed},
          {"queries_without_truth", &f.queries_without_truth}, {"train_users", &f.train_users}, {"filter_users_before", &f.filter.users_before},
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
    if (fold.has_times) out.times.push_back(fold.test.now[q]);
  }
  out.train_counts.assign(fold.items.size(), 0);
  for (ItemIdx item : fold.train.by_user().all_indices()) ++out.train_counts[raw(item)];
  for (std::size_t u = 0; u < fold.users.size(); ++u) out.train_users += !fold.train.by_user().indices(u).empty();
  return out;
}

void describe_items(const PreparedFold& fold, StoredTask& task) {
  task.item_ids = fold.items.table().to_vector();
  task.user_ids = fold.users.table().to_vector();
  if (const auto* text = fold.facets.find<ItemText>()) task.titles = text->titles.to_vector();
  if (const auto* artist = fold.facets.find<ItemArtist>()) {
    task.artists = artist->artists.to_vector();
    task.item_artist.assign(artist->artist_of.begin(), artist->artist_of.end());
  }
  if (const auto* tags = fold.facets.find<ItemTags>()) {
    task.tags = tags->tags.to_vector();
    task.tag_offsets = {0};
    for (std::size_t item = 0; item < fold.items.size(); ++item) {
      for (const TermIdx tag : tags->weights.indices(item)) task.tag_ids.push_back(static_cast<std::uint32_t>(tag));
      task.tag_offsets.push_back(task.tag_ids.size());
    }
    task.tag_weights.assign(task.tag_ids.size(), 1);  // tags without weights count alike
    if (!tags->weights.all_values().empty()) std::copy_n(tags->weights.all_values().begin(), task.tag_ids.size(), task.tag_weights.begin());
  }
}

ItemFacts item_facts(const StoredTask& task, const StoredTaskFold& fold) {
  ItemFacts facts;
  facts.items = fold.train_counts.size();
  facts.train_counts = fold.train_counts;
  facts.train_users = fold.train_users;
  facts.tag_offsets = task.tag_offsets;
  facts.tags = task.tag_ids;
  facts.tag_weights = task.tag_weights;
  facts.tag_count = task.tags.size();
  facts.artists = task.item_artist;
  return facts;
}

QueryFacts query_facts(const StoredTaskFold& fold) { return {fold.history_offsets, fold.history_items, fold.times}; }

const StoredTaskFold* StoredTask::find_fold(const std::string& name) const {
  const auto it = std::find_if(folds.begin(), folds.end(), [&](const StoredTaskFold& f) { return f.name == name; });
  return it == folds.end() ? nullptr : &*it;
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
  if (!task.item_artist.empty()) {
    file.strings("/items/artists/names", task.artists);
    file.array("/items/artists/of", task.item_artist);
  }
  if (!task.tag_offsets.empty()) {
    file.strings("/items/tags/names", task.tags);
    file.array("/items/tags/offsets", task.tag_offsets);
    file.array("/items/tags/ids", task.tag_ids);
    file.array("/items/tags/weights", task.tag_weights);
  }
  std::size_t position = 0;
  for (StoredTaskFold fold : task.folds) {
    const std::string group = "/folds/" + fold.name;
    file.attribute(group, "position", position++);
    file.strings(group + "/users", fold.users);
    file.array(group + "/truth/offsets", fold.truth_offsets);
    file.array(group + "/truth/items", fold.truth_items);
    file.array(group + "/truth/gains", fold.truth_gains);
    file.array(group + "/history/offsets", fold.history_offsets);
    file.array(group + "/history/items", fold.history_items);
    if (!fold.times.empty()) file.array(group + "/times", fold.times);
    file.array(group + "/train_counts", fold.train_counts);
    file.strings(group + "/warnings", fold.warnings);
    file.attribute(group, "future_share", fold.leaks.future_share);
    file.attribute(group, "tied_time_share", fold.leaks.tied_time_share);
    file.attribute(group, "filter_passes", fold.filter.passes);
    for (const auto& [name, value] : counters(fold)) file.attribute(group, name, *value);
  }
  file.commit();
}

StoredTask read_task(const std::filesystem::path& path, TaskParts parts) {
  const H5Reader file(path);
  if (!file.has_attribute("/", "segue_task")) throw DataError("{} is not a task file of Segue", path.string());
  if (const auto version = file.attribute_int("/", "segue_task"); version != kTaskSchemaVersion)
    throw DataError("{} has layout version {}, this program reads {}; remove it and run the suite again, which makes it anew and trains nothing again",
                    path.string(), version, kTaskSchemaVersion);
  StoredTask task;
  task.id = file.attribute_text("/", "id").value_or("");
  task.description = file.attribute_text("/", "description").value_or("");
  task.dataset = file.attribute_text("/", "dataset").value_or("");
  const bool all = parts == TaskParts::kAll;
  if (all) {
    task.item_ids = file.strings("/items/ids");
    task.titles = file.strings("/items/titles");
    task.user_ids = file.strings("/users/ids");
    if (file.is_group("/items/artists")) {
      task.artists = file.strings("/items/artists/names");
      task.item_artist = file.array<std::uint32_t>("/items/artists/of");
    }
    if (file.is_group("/items/tags")) {
      task.tags = file.strings("/items/tags/names");
      task.tag_offsets = file.array<std::uint64_t>("/items/tags/offsets");
      task.tag_ids = file.array<std::uint32_t>("/items/tags/ids");
      task.tag_weights = file.array<float>("/items/tags/weights");
    }
  }
  std::vector<std::string> names = file.children("/folds");
  const auto position = [&](const std::string& name) { return file.attribute_int("/folds/" + name, "position"); };
  std::sort(names.begin(), names.end(), [&](const auto& a, const auto& b) { return position(a) < position(b); });
  for (const std::string& name : names) {
    const std::string group = "/folds/" + name;
    StoredTaskFold fold;
    fold.name = name;
    fold.users = file.strings(group + "/users");
    fold.truth_items = file.array<std::uint32_t>(group + "/truth/items");
    if (all) {
      fold.truth_offsets = file.array<std::uint64_t>(group + "/truth/offsets");
      fold.truth_gains = file.array<float>(group + "/truth/gains");
      fold.history_offsets = file.array<std::uint64_t>(group + "/history/offsets");
      fold.history_items = file.array<std::uint32_t>(group + "/history/items");
      fold.train_counts = file.array<std::uint64_t>(group + "/train_counts");
      if (file.has(group + "/times")) fold.times = file.array<std::int64_t>(group + "/times");  // not in files before it was known
    }
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
