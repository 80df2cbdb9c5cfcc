#include "framework/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/task.hpp"

namespace segue {

void sort_histories(std::vector<Event>& events, const Dataset& dataset, std::uint64_t seed) {
  std::vector<std::pair<std::uint64_t, Event>> keyed(events.size());
  for (std::size_t i = 0; i < events.size(); ++i)
    keyed[i] = {tie_order(seed, dataset.users.keys()[raw(events[i].user)], dataset.items.keys()[raw(events[i].item)]), events[i]};
  std::sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) {
    return std::tie(a.second.user, a.second.time, a.first, a.second.item, a.second.kind, a.second.value) <
           std::tie(b.second.user, b.second.time, b.first, b.second.item, b.second.kind, b.second.value);
  });
  for (std::size_t i = 0; i < events.size(); ++i) events[i] = keyed[i].second;
}

namespace {

// Random order of events as a function of their content: (hash, event), so that input order does not matter.
std::vector<Event> shuffled_by_content(const std::vector<Event>& events, const Dataset& dataset, std::uint64_t seed) {
  std::vector<std::pair<std::uint64_t, Event>> keyed(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event& e = events[i];
    const std::uint64_t pair = tie_order(seed, dataset.users.keys()[raw(e.user)], dataset.items.keys()[raw(e.item)]);
    keyed[i] = {mix64(pair, static_cast<std::uint64_t>(e.time) ^ (static_cast<std::uint64_t>(e.kind) << 56)), e};
  }
  std::sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second.user, a.second.item, a.second.time, a.second.kind, a.second.value) <
           std::tie(b.first, b.second.user, b.second.item, b.second.time, b.second.kind, b.second.value);
  });
  std::vector<Event> out(events.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = keyed[i].second;
  return out;
}

// The last n events of each user of a sorted log; users that would keep no training event keep all.
SplitEvents leave_last_out(std::vector<Event> events, const Dataset& dataset, const SplitSpec& split) {
  const auto n_test = static_cast<std::size_t>(split.test_size()), n_validation = static_cast<std::size_t>(split.validation);
  sort_histories(events, dataset, split.seed);
  SplitEvents out;
  bool any_order = false;
  for (std::size_t first = 0; first < events.size();) {
    std::size_t last = first;
    while (last < events.size() && events[last].user == events[first].user) ++last;
    any_order = any_order || events[first].time != events[last - 1].time;
    const std::size_t n = last - first;
    const bool enough = n > n_test + n_validation;
    const std::size_t test_from = enough ? last - n_test : last, validation_from = enough ? test_from - n_validation : last;
    out.train.insert(out.train.end(), events.begin() + long(first), events.begin() + long(validation_from));
    out.validation.insert(out.validation.end(), events.begin() + long(validation_from), events.begin() + long(test_from));
    out.test.insert(out.test.end(), events.begin() + long(test_from), events.begin() + long(last));
    first = last;
  }
  if (!any_order)
    out.warnings.push_back(fmt::format("data set '{}' has no times: leave_last_out takes an event by hash(seed, user, item), not the last one", dataset.name));
  return out;
}

SplitEvents random_ratio(const std::vector<Event>& events, const Dataset& dataset, const SplitSpec& split) {
  const double test = split.test_size(), validation = split.validation;
  std::vector<Event> order = shuffled_by_content(events, dataset, split.seed);
  SplitEvents out;
  const auto deal = [&](std::size_t first, std::size_t last) {
    const auto n = static_cast<double>(last - first);
    const auto n_test = static_cast<std::size_t>(std::llround(n * test)), n_validation = static_cast<std::size_t>(std::llround(n * validation));
    for (std::size_t i = first; i < last; ++i) {
      const std::size_t place = i - first;
      (place < n_test ? out.test : place < n_test + n_validation ? out.validation : out.train).push_back(order[i]);
    }
  };
  if (split.per == "global") {
    deal(0, order.size());
  } else {
    std::stable_sort(order.begin(), order.end(), [](const Event& a, const Event& b) { return a.user < b.user; });
    for (std::size_t first = 0; first < order.size();) {
      std::size_t last = first;
      while (last < order.size() && order[last].user == order[first].user) ++last;
      deal(first, last);
      first = last;
    }
  }
  return out;
}

// Events at or after a moment are the later part; equal timestamps stay on one side.
SplitEvents global_time(const std::vector<Event>& events, const Dataset& dataset, const SplitSpec& split) {
  if (!dataset.has_times) throw UsageError("split: global_time needs timestamps, and data set '{}' has none; use leave_last_out or random_ratio", dataset.name);
  std::vector<std::int64_t> times(events.size());
  for (std::size_t i = 0; i < times.size(); ++i) times[i] = events[i].time;
  std::sort(times.begin(), times.end());
  if (times.empty()) return {};
  const auto moment = [&](double later_share) {  // first second of the last `later_share` of events
    const auto later = static_cast<std::size_t>(std::ceil(static_cast<double>(times.size()) * later_share - 1e-6));  // 0.3 x 10 is 3
    return times[times.size() - std::clamp<std::size_t>(later, 1, times.size())];
  };
  const double test = split.test_size(), validation = split.validation;
  const std::int64_t test_from = split.at ? *split.at : moment(test);
  const auto tested = times.end() - std::lower_bound(times.begin(), times.end(), test_from);
  const std::int64_t validation_from =
      validation > 0 ? std::min(test_from, moment(std::min(1.0, static_cast<double>(tested) / static_cast<double>(times.size()) + validation))) : test_from;
  SplitEvents out;
  for (const Event& e : events) (e.time >= test_from ? out.test : e.time >= validation_from ? out.validation : out.train).push_back(e);
  if (out.train.empty() || out.test.empty()) throw UsageError("split: the cut at {} leaves {} training and {} test events", test_from, out.train.size(), out.test.size());
  return out;
}

// A share of the events, by hash, moves to validation.
void take_validation(SplitEvents& out, const Dataset& dataset, const SplitSpec& split) {
  if (split.validation <= 0) return;
  const std::vector<Event> order = shuffled_by_content(out.train, dataset, mix64(split.seed, 1));
  const auto n = static_cast<std::size_t>(std::llround(static_cast<double>(order.size()) * split.validation));
  out.validation.assign(order.begin(), order.begin() + long(n));
  out.train.assign(order.begin() + long(n), order.end());
}

SplitEvents k_fold(const std::vector<Event>& events, const Dataset& dataset, const SplitSpec& split, const std::string& fold) {
  const std::vector<std::string> names = fold_names(dataset.name, {}, split);
  const auto which = static_cast<std::size_t>(std::find(names.begin(), names.end(), fold) - names.begin());
  const std::vector<Event> order = shuffled_by_content(events, dataset, split.seed);
  const std::size_t begin = order.size() * which / names.size(), end = order.size() * (which + 1) / names.size();
  SplitEvents out;
  for (std::size_t i = 0; i < order.size(); ++i) (i >= begin && i < end ? out.test : out.train).push_back(order[i]);
  take_validation(out, dataset, split);
  return out;
}

}  // namespace

std::vector<std::string> fold_names(const std::string& dataset, const std::vector<std::string>& given, const SplitSpec& split) {
  std::vector<std::string> names;
  if (split.strategy == "k_fold") {
    for (int f = 1; f <= split.folds; ++f) names.push_back(fmt::format("fold{}", f));
  } else if (split.strategy == "given") {
    if (given.empty()) throw UsageError("split: data set '{}' comes without a split of its own; use leave_last_out, random_ratio, global_time or k_fold", dataset);
    for (const std::string& name : split.names)
      if (std::find(given.begin(), given.end(), name) == given.end()) throw UsageError("split: data set '{}' has no split '{}'{}", dataset, name, suggestion(name, given));
    names = split.names.empty() ? given : split.names;
  } else {
    names.emplace_back("all");
  }
  return names;
}

SplitEvents split_events(const std::vector<Event>& events, const Dataset& dataset, const SplitSpec& split, const std::string& fold) {
  split.check();
  if (split.strategy == "leave_last_out") return leave_last_out(events, dataset, split);
  if (split.strategy == "random_ratio") return random_ratio(events, dataset, split);
  if (split.strategy == "global_time") return global_time(events, dataset, split);
  if (split.strategy == "k_fold") return k_fold(events, dataset, split, fold);
  SEGUE_CHECK(split.strategy == "given", "unknown split strategy '{}'", split.strategy);
  SplitEvents out;
  out.train = events;
  take_validation(out, dataset, split);
  return out;
}

}  // namespace segue
