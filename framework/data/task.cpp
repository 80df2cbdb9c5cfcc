#include "framework/data/task.hpp"

#include <algorithm>
#include <tuple>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/feedback.hpp"
#include "framework/data/filters.hpp"
#include "framework/data/leak_meter.hpp"
#include "framework/data/split.hpp"

namespace segue {

namespace {

struct HistoryColumns {
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  std::vector<std::int64_t> times;
  std::vector<float> weights;
  std::vector<EventKind> kinds;
  std::vector<std::uint32_t> sessions;

  void append(const Event& e, const FeedbackSpec& feedback) {
    items.push_back(e.item);
    times.push_back(e.time);
    weights.push_back(pair_weight({&e, 1}, feedback));
    kinds.push_back(e.kind);
    sessions.push_back(e.session);
  }
  void end_row() { offsets.push_back(items.size()); }
  void reserve(std::size_t rows, std::size_t events) {
    offsets.reserve(rows + 1);
    items.reserve(events), times.reserve(events), weights.reserve(events), kinds.reserve(events), sessions.reserve(events);
  }
  Histories finish() {
    return Histories(std::move(offsets), std::move(items), std::move(times), std::move(weights), std::move(kinds), std::move(sessions));
  }
};

// Sorted as sort_histories() leaves them: the range of one user.
std::pair<std::size_t, std::size_t> user_range(const std::vector<Event>& events, UserIdx user) {
  const auto less = [](const Event& e, UserIdx u) { return e.user < u; };
  const auto first = std::lower_bound(events.begin(), events.end(), user, less);
  auto last = first;
  while (last != events.end() && last->user == user) ++last;
  return {static_cast<std::size_t>(first - events.begin()), static_cast<std::size_t>(last - events.begin())};
}

Histories make_histories(const std::vector<Event>& sorted, const FeedbackSpec& feedback, std::size_t n_users) {
  HistoryColumns columns;
  columns.reserve(n_users, sorted.size());
  std::size_t i = 0;
  for (std::size_t u = 0; u < n_users; ++u) {
    for (; i < sorted.size() && raw(sorted[i].user) == u; ++i) columns.append(sorted[i], feedback);
    columns.end_row();
  }
  return columns.finish();
}

// known: everything the model may know (sorted), with the weights it learns from; judged: the events to predict.
EvalSet make_eval_set(const std::vector<Event>& known, std::vector<Event> judged, const FeedbackSpec& feedback, const FeedbackSpec& learned) {
  sort_by_pair(judged);
  EvalSet set;
  std::vector<UserIdx> users, rating_users;
  std::vector<std::int64_t> now;
  std::vector<std::uint64_t> truth_offsets{0};
  std::vector<ItemIdx> truth_items, rating_items;
  std::vector<float> truth_values, rating_values;
  HistoryColumns histories;
  for (std::size_t first = 0; first < judged.size();) {
    const UserIdx user = judged[first].user;
    std::size_t last = first;
    std::int64_t earliest = judged[first].time;
    for (; last < judged.size() && judged[last].user == user; ++last) {
      rating_users.push_back(user);
      rating_items.push_back(judged[last].item);
      rating_values.push_back(judged[last].value);
      earliest = std::min(earliest, judged[last].time);
    }
    const std::size_t truth_before = truth_items.size();
    for (std::size_t pair = first; pair < last;) {
      std::size_t end = pair;
      while (end < last && judged[end].item == judged[pair].item) ++end;
      const float weight = pair_weight({judged.data() + pair, end - pair}, feedback);
      if (weight > 0) {
        truth_items.push_back(judged[pair].item);
        truth_values.push_back(weight);
      }
      pair = end;
    }
    if (truth_items.size() > truth_before) {
      users.push_back(user);
      now.push_back(earliest);
      truth_offsets.push_back(truth_items.size());
      const auto [begin, end] = user_range(known, user);
      for (std::size_t i = begin; i < end; ++i) histories.append(known[i], learned);
      histories.end_row();
    }
    first = last;
  }
  set.users = std::move(users);
  set.now = std::move(now);
  set.truth_offsets = std::move(truth_offsets);
  set.truth_items = std::move(truth_items);
  set.truth_values = std::move(truth_values);
  set.histories = histories.finish();
  set.rating_users = std::move(rating_users);
  set.rating_items = std::move(rating_items);
  set.rating_values = std::move(rating_values);
  return set;
}

// Drops the tag assignments that the users of truth pairs gave to those very items, and counts tags anew.
void drop_leaking_tags(PreparedFold& fold) {
  const ItemTags* tags = fold.facets.find<ItemTags>();
  if (tags == nullptr || tags->by_user.empty()) return;
  std::vector<std::pair<UserIdx, ItemIdx>> truth;
  for (const EvalSet* set : {&fold.validation, &fold.test})
    for (std::size_t q = 0; q < set->size(); ++q)
      for (std::uint64_t t = set->truth_offsets[q]; t < set->truth_offsets[q + 1]; ++t) truth.emplace_back(set->users[q], set->truth_items[t]);
  std::sort(truth.begin(), truth.end());
  auto out = std::make_shared<ItemTags>();
  out->tags = tags->tags;
  std::vector<UserIdx> by_user;
  std::vector<ItemIdx> by_item;
  std::vector<TermIdx> by_tag;
  std::vector<std::tuple<ItemIdx, TermIdx>> dropped;
  for (std::size_t i = 0; i < tags->by_user.size(); ++i) {
    const std::pair pair(tags->by_user[i], tags->by_item[i]);
    if (std::binary_search(truth.begin(), truth.end(), pair)) {
      dropped.emplace_back(tags->by_item[i], tags->by_tag[i]);
      continue;
    }
    by_user.push_back(tags->by_user[i]);
    by_item.push_back(tags->by_item[i]);
    by_tag.push_back(tags->by_tag[i]);
  }
  // An assignment added weight 1 to its (item, tag).
  std::sort(dropped.begin(), dropped.end());
  const Csr<TermIdx>& old = tags->weights;
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> indices;
  std::vector<float> values;
  for (std::size_t item = 0; item < old.rows(); ++item) {
    for (std::size_t j = 0; j < old.row_size(item); ++j) {
      const std::tuple key(item_at(item), old.indices(item)[j]);
      const auto [low, high] = std::equal_range(dropped.begin(), dropped.end(), key);
      const float weight = old.values(item)[j] - static_cast<float>(high - low);
      if (weight <= 0) continue;
      indices.push_back(old.indices(item)[j]);
      values.push_back(weight);
    }
    offsets.push_back(indices.size());
  }
  out->weights = Csr<TermIdx>(old.cols(), std::move(offsets), std::move(indices), std::move(values));
  out->by_user = std::move(by_user);
  out->by_item = std::move(by_item);
  out->by_tag = std::move(by_tag);
  fold.facets.add(std::move(out));
}

}  // namespace

namespace {

PreparedFold prepare(const Dataset& source, const TaskSpec& spec, const std::string& fold_name, bool refit) {
  PreparedFold fold;
  const Dataset* dataset = &source;
  Dataset restricted;
  std::size_t filtered_test = 0;  // test events whose user the filter dropped
  if (spec.filter.active() && spec.filter.scope == "all") {
    const std::vector<Event> kept = k_core(select_events(source.events, spec.feedback, source), spec.filter, source.users.size(), source.items.size(), fold.filter);
    // A threshold of 0 asks for nothing: a new release without any event stays in the catalogue.
    std::vector<std::uint8_t> keep_user(source.users.size(), spec.filter.min_user_events == 0), keep_item(source.items.size(), spec.filter.min_item_events == 0);
    for (const Event& e : kept) keep_user[raw(e.user)] = 1, keep_item[raw(e.item)] = 1;
    restricted = restrict_dataset(source, keep_user, keep_item);
    dataset = &restricted;
    for (const GivenSplit& g : source.given)
      if (spec.split.strategy == "given" && g.name == fold_name)
        filtered_test = static_cast<std::size_t>(std::ranges::count_if(g.test.users(), [&](UserIdx u) { return keep_user[raw(u)] == 0; }));
  }

  const GivenSplit* given = nullptr;
  if (spec.split.strategy == "given") {
    for (const GivenSplit& g : dataset->given)
      if (g.name == fold_name) given = &g;
    SEGUE_CHECK(given != nullptr, "no given split '{}'", fold_name);
  }
  SplitEvents parts = split_events(select_events(given != nullptr ? given->train : dataset->events, spec.feedback, *dataset), *dataset, spec.split, fold_name);
  if (given != nullptr) {
    parts.test = select_events(given->test, spec.feedback, *dataset);
    fold.given_negatives = given->negatives;
  }
  if (spec.filter.active() && spec.filter.scope == "train") {
    parts.train = k_core(std::move(parts.train), spec.filter, dataset->users.size(), dataset->items.size(), fold.filter);
    // Users that the filter dropped are not part of the task (where it asks nothing of users, cold ones are); items stay in
    // the truth, as unreachable.
    std::vector<std::uint8_t> kept(dataset->users.size(), spec.filter.min_user_events == 0);
    for (const std::vector<Event>* part : {&parts.train, &parts.known})  // who is held out has no training events, and stays
      for (const Event& e : *part) kept[raw(e.user)] = 1;
    if (spec.split.holds_out_users())
      for (const std::vector<Event>* part : {&parts.validation, &parts.test})
        for (const Event& e : *part) kept[raw(e.user)] = 1;
    const auto gone = [&](const Event& e) { return kept[raw(e.user)] == 0; };
    std::erase_if(parts.validation, gone);
    filtered_test = std::erase_if(parts.test, gone);
  }
  if (parts.train.empty()) throw UsageError("data set '{}': no training event is left after feedback, filters and split", source.name);
  if (parts.validation.empty() && spec.split.validation > 0)
    throw UsageError("data set '{}': no validation event is left after feedback, filters and split; ask for a larger 'validation', or for none", source.name);
  if (parts.test.empty() && filtered_test > 0)
    throw UsageError("data set '{}': no test event is left: {} are of users who have no {} training events after the filter, and whom it therefore drops; "
                     "set its 'min_user_events' to 0, which keeps users without training events",
                     source.name, filtered_test, spec.filter.min_user_events);
  if (parts.test.empty()) throw UsageError("data set '{}': no test event is left after feedback, filters and split", source.name);

  // Only of users who are asked about: with few of them among many, the log is not in memory twice.
  std::vector<std::uint8_t> asked(dataset->users.size(), 0);
  for (const Event& e : parts.test) asked[raw(e.user)] = 1;
  if (refit) {
    parts.train.insert(parts.train.end(), parts.validation.begin(), parts.validation.end());
    parts.validation.clear();
    const auto of_validation = std::stable_partition(parts.known.begin(), parts.known.end(), [&](const Event& e) { return asked[raw(e.user)] != 0; });
    parts.train.insert(parts.train.end(), of_validation, parts.known.end());
    parts.known.erase(of_validation, parts.known.end());
  }
  fold.name = fold_name;
  fold.dataset_name = source.name;
  fold.dataset_title = source.title;
  fold.dataset_fingerprint = source.fingerprint();
  fold.users = dataset->users;
  fold.items = dataset->items;
  fold.facets = dataset->facets;
  fold.has_ratings = dataset->has_ratings && spec.feedback.transform == "rating";
  fold.has_times = dataset->has_times;
  fold.task_seed = spec.split.seed;
  fold.warnings = parts.warnings;

  sort_histories(parts.train, *dataset, spec.split.seed);
  fold.train_histories = make_histories(parts.train, spec.learned_feedback(), dataset->users.size());
  sort_histories(parts.known, *dataset, spec.split.seed);
  // The validation queries of held-out users know what is theirs alone.
  fold.validation = make_eval_set(spec.split.holds_out_users() ? parts.known : parts.train, parts.validation, spec.feedback, spec.learned_feedback());
  if (given != nullptr) parts.known = select_events(given->known, spec.feedback, *dataset);
  std::vector<Event> known;
  for (const std::vector<Event>* part : {&parts.train, &parts.validation, &parts.known})
    for (const Event& e : *part)
      if (asked[raw(e.user)] != 0) known.push_back(e);
  sort_histories(known, *dataset, spec.split.seed);
  fold.test = make_eval_set(known, parts.test, spec.feedback, spec.learned_feedback());
  known = {};

  sort_by_pair(parts.train);
  fold.train = weigh_pairs(parts.train, spec.learned_feedback(), dataset->users.size(), dataset->items.size());
  const Array<float>& weights = fold.train.by_user().all_values();
  fold.min_weight = *std::min_element(weights.begin(), weights.end());
  fold.max_weight = *std::max_element(weights.begin(), weights.end());
  fold.leaks = measure_leaks(fold, parts);
  drop_leaking_tags(fold);
  return fold;
}

}  // namespace

PreparedFold prepare_fold(const Dataset& dataset, const TaskSpec& spec, const std::string& fold) { return prepare(dataset, spec, fold, false); }
PreparedFold prepare_refit(const Dataset& dataset, const TaskSpec& spec, const std::string& fold) { return prepare(dataset, spec, fold, true); }

PreparedFold without_test(PreparedFold fold) {
  fold.test = {};
  fold.test.truth_offsets = std::vector<std::uint64_t>{0};
  fold.given_negatives = {};
  fold.leaks = {};
  return fold;
}

std::string task_id(const std::string& dataset_fingerprint, const TaskSpec& spec, const ViewSpec& view) {
  return Hasher().add("task 1").add(dataset_fingerprint).add(spec.canonical()).add(view.identity().canonical()).hex().substr(0, 12);
}

}  // namespace segue
