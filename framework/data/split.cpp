#include "framework/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/split_parts.hpp"
#include "framework/data/task.hpp"

namespace segue {

void sort_histories(std::vector<Event>& events, const Dataset& dataset, std::uint64_t seed) {
  // The tie order is hashed only where user and time agree: a log of 100 million events needs no second array of keys.
  const auto tie = [&](const Event& e) {
    return tie_order(seed, dataset.users.keys()[raw(e.user)], dataset.items.keys()[raw(e.item)]);
  };
  std::sort(events.begin(), events.end(), [&](const Event& a, const Event& b) {
    if (a.user != b.user) return a.user < b.user;
    if (a.time != b.time) return a.time < b.time;
    if (a.item != b.item) {
      const std::uint64_t at_a = tie(a), at_b = tie(b);
      return at_a != at_b ? at_a < at_b : a.item < b.item;
    }
    return std::tie(a.kind, a.value, a.session) < std::tie(b.kind, b.value, b.session);
  });
}

std::vector<Ticket> shuffled_by_content(const std::vector<Event>& events, const std::vector<Part>& parts, Part wanted,
                                        const Dataset& dataset, std::uint64_t seed, bool by_user) {
  SEGUE_CHECK(events.size() < 0xffffffffu, "{} events are more than a split can number", events.size());
  std::vector<Ticket> order;
  order.reserve(static_cast<std::size_t>(std::count(parts.begin(), parts.end(), wanted)));
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (parts[i] != wanted) continue;
    const Event& e = events[i];
    const std::uint64_t pair = tie_order(seed, dataset.users.keys()[raw(e.user)], dataset.items.keys()[raw(e.item)]);
    order.push_back({mix64(pair, static_cast<std::uint64_t>(e.time) ^ (static_cast<std::uint64_t>(e.kind) << 56)),
                     static_cast<std::uint32_t>(i)});
  }
  std::sort(order.begin(), order.end(), [&](const Ticket& x, const Ticket& y) {
    const Event &a = events[x.event], &b = events[y.event];
    if (by_user && a.user != b.user) return a.user < b.user;
    return std::tie(x.key, a.user, a.item, a.time, a.kind, a.value) <
           std::tie(y.key, b.user, b.item, b.time, b.kind, b.value);
  });
  return order;
}

namespace {

// The last n events of each user; users that would keep no training event keep all. Sorts the events.
void leave_last_out(std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset,
                    const SplitSpec& split, std::vector<std::string>& warnings) {
  const auto n_test = static_cast<std::size_t>(split.test_size());
  const auto n_validation = static_cast<std::size_t>(split.validation);
  sort_histories(events, dataset, split.seed);
  bool any_order = false;
  for_each_user(events.size(), [&](std::size_t i) { return events[i].user; },
                [&](std::size_t first, std::size_t last) {
                  any_order = any_order || events[first].time != events[last - 1].time;
                  if (last - first <= n_test + n_validation) return;
                  const auto end = parts.begin() + long(last);
                  std::fill(end - long(n_test + n_validation), end - long(n_test), Part::kValidation);
                  std::fill(end - long(n_test), end, Part::kTest);
                });
  if (!any_order)
    warnings.push_back(fmt::format("data set '{}' has no times: leave_last_out takes an event by hash(seed, user, item), not the last one", dataset.name));
}

void random_ratio(const std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset,
                  const SplitSpec& split) {
  const bool per_user = split.per != "global";
  const std::vector<Ticket> order = shuffled_by_content(events, parts, Part::kTrain, dataset, split.seed, per_user);
  const auto deal = [&](std::size_t first, std::size_t last) {
    const std::size_t n_test = share_of(split.test_size(), last - first);
    const std::size_t n_validation = share_of(split.validation, last - first);
    for (std::size_t i = first; i < std::min(last, first + n_test + n_validation); ++i)
      parts[order[i].event] = i - first < n_test ? Part::kTest : Part::kValidation;
  };
  if (per_user) {
    for_each_user(order.size(), [&](std::size_t i) { return events[order[i].event].user; }, deal);
  } else {
    deal(0, order.size());
  }
}

// Events at or after a moment are the later part; equal timestamps stay on one side.
void global_time(const std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset,
                 const SplitSpec& split) {
  if (!dataset.has_times) throw UsageError("split: global_time needs timestamps, and data set '{}' has none; use leave_last_out or random_ratio", dataset.name);
  std::vector<std::int64_t> times(events.size());
  for (std::size_t i = 0; i < times.size(); ++i) times[i] = events[i].time;
  std::sort(times.begin(), times.end());
  if (times.empty()) return;
  const auto moment = [&](double later_share) {  // first second of the last `later_share` of events
    const auto later = static_cast<std::size_t>(std::ceil(static_cast<double>(times.size()) * later_share - 1e-6));  // 0.3 x 10 is 3
    return times[times.size() - std::clamp<std::size_t>(later, 1, times.size())];
  };
  const double test = split.test_size(), validation = split.validation;
  const std::int64_t test_from = split.at ? *split.at : moment(test);
  const auto tested = times.end() - std::lower_bound(times.begin(), times.end(), test_from);
  const std::int64_t validation_from =
      validation > 0 ? std::min(test_from, moment(std::min(1.0, static_cast<double>(tested) / static_cast<double>(times.size()) + validation))) : test_from;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (events[i].time >= test_from) {
      parts[i] = Part::kTest;
    } else if (events[i].time >= validation_from) {
      parts[i] = Part::kValidation;
    }
  }
  const auto count = [&](Part part) { return std::count(parts.begin(), parts.end(), part); };
  if (count(Part::kTrain) == 0 || count(Part::kTest) == 0)
    throw UsageError("split: the cut at {} leaves {} training and {} test events", test_from, count(Part::kTrain), count(Part::kTest));
}

// All events of a share of the items that have any are held out: of items or artists drawn by hash, or of the latest
// releases, those of one moment on one side.
void cold_items(const std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset,
                const SplitSpec& split) {
  struct Lot {  // what is drawn as one; ascending, the first are held out
    std::int64_t rank;
    std::uint64_t key;
    std::uint32_t of;
    auto operator<=>(const Lot&) const = default;
  };
  const std::size_t n_items = dataset.items.size();
  const bool by_release = split.cold_by == "release";
  const auto* artists = split.cold_by == "artist" ? &dataset.facets.require<ItemArtist>() : nullptr;
  const auto* releases = by_release ? &dataset.facets.require<ItemRelease>() : nullptr;
  const std::uint64_t seed = mix64(split.seed, 4);
  // Items of one artist share a lot; those of artists that nobody knows are lots of their own, after all artists'.
  const std::size_t n_artists = artists != nullptr ? artists->artists.size() : 0;
  const auto lot_of = [&](std::size_t item) {
    const bool known = artists != nullptr && artists->artist_of[item] != kNoArtist;
    return static_cast<std::uint32_t>(known ? artists->artist_of[item] : n_artists + item);
  };
  std::vector<std::uint8_t> played(n_items, 0), drawn(n_artists + n_items, 0);
  for (const Event& e : events) played[raw(e.item)] = 1;
  std::vector<Lot> lots;
  for (std::size_t i = 0; i < n_items; ++i) {
    const std::uint32_t lot = lot_of(i);
    if (played[i] == 0 || drawn[lot] != 0) continue;
    if (by_release && releases->released[i] == ItemRelease::kUnknown) continue;
    drawn[lot] = 1;
    const std::uint64_t key = lot < n_artists ? hash64(artists->artists[lot]) : dataset.items.keys()[i];
    lots.push_back({by_release ? -releases->released[i] : 0, mix64(seed, key), lot});
  }
  if (by_release && lots.empty()) throw UsageError("split: cold_by release needs release times, and no item of data set '{}' that was played has one", dataset.name);
  std::sort(lots.begin(), lots.end());
  std::vector<Part> part_of(n_artists + n_items, Part::kTrain);
  std::size_t next = 0;
  double until = 0;
  for (const auto& [part, share] : {std::pair(Part::kTest, split.test_size()), std::pair(Part::kValidation, split.validation)}) {
    const std::size_t end = share_of(until += share, lots.size());
    const std::size_t first = next;
    while (next < lots.size() && (next < end || (by_release && next > first && lots[next].rank == lots[next - 1].rank)))
      part_of[lots[next++].of] = part;
  }
  for (std::size_t i = 0; i < events.size(); ++i) parts[i] = part_of[lot_of(raw(events[i].item))];
}

// A share of the training events, by hash, moves to validation.
void take_validation(const std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset,
                     const SplitSpec& split) {
  if (split.validation <= 0) return;
  const std::vector<Ticket> order = shuffled_by_content(events, parts, Part::kTrain, dataset, mix64(split.seed, 1));
  for (std::size_t i = 0; i < share_of(split.validation, order.size()); ++i)
    parts[order[i].event] = Part::kValidation;
}

// The last event of a share of the users, those whose last event is latest (then by hash); users who would keep no training
// event keep all. Sorts the events.
void take_last_events(std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset, const SplitSpec& split) {
  if (split.validation <= 0) return;
  sort_histories(events, dataset, split.seed);
  struct Last {
    std::int64_t time;
    std::uint64_t key;
    std::size_t event;
  };
  std::vector<Last> users;
  for_each_user(events.size(), [&](std::size_t i) { return events[i].user; },
                [&](std::size_t first, std::size_t last) {
                  const std::uint64_t key = mix64(mix64(split.seed, 3), dataset.users.keys()[raw(events[first].user)]);
                  if (last - first > 1) users.push_back({events[last - 1].time, key, last - 1});
                });
  std::sort(users.begin(), users.end(), [](const Last& a, const Last& b) {
    return std::tie(b.time, a.key, a.event) < std::tie(a.time, b.key, b.event);
  });
  users.resize(share_of(split.validation, users.size()));
  for (const Last& user : users) parts[user.event] = Part::kValidation;
}

void k_fold(const std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset, const SplitSpec& split,
            const std::string& fold) {
  const std::vector<std::string> names = fold_names(dataset.name, {}, split);
  const auto which = static_cast<std::size_t>(std::find(names.begin(), names.end(), fold) - names.begin());
  const std::vector<Ticket> order = shuffled_by_content(events, parts, Part::kTrain, dataset, split.seed);
  const std::size_t begin = order.size() * which / names.size(), end = order.size() * (which + 1) / names.size();
  for (std::size_t i = begin; i < end; ++i) parts[order[i].event] = Part::kTest;
  take_validation(events, parts, dataset, split);
}

// Of the users with test events, `test_users` stay, by hash; what was held out of the others is training data after all.
void keep_test_users(const std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset,
                     const SplitSpec& split) {
  if (split.test_users == 0) return;
  std::vector<std::uint8_t> keep(dataset.users.size(), 0);
  for (std::size_t i = 0; i < events.size(); ++i)
    if (parts[i] == Part::kTest) keep[raw(events[i].user)] = 1;
  std::vector<std::pair<std::uint64_t, std::size_t>> drawn;
  for (std::size_t u = 0; u < keep.size(); ++u)
    if (keep[u] != 0) drawn.emplace_back(mix64(mix64(split.seed, 2), dataset.users.keys()[u]), u);
  std::sort(drawn.begin(), drawn.end());
  for (std::size_t i = static_cast<std::size_t>(split.test_users); i < drawn.size(); ++i) keep[drawn[i].second] = 0;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (keep[raw(events[i].user)] == 0) parts[i] = Part::kTrain;
}

}  // namespace

std::vector<std::string> fold_names(const std::string& dataset, const std::vector<std::string>& given, const SplitSpec& split) {
  std::vector<std::string> names;
  if (split.strategy == "k_fold") {
    for (int f = 1; f <= split.folds; ++f) names.push_back(fmt::format("fold{}", f));
  } else if (split.strategy == "given") {
    if (given.empty()) throw UsageError("split: data set '{}' comes without a split of its own; use leave_last_out, random_ratio, global_time, k_fold, cold_items, held_out_users or playlist_continuation", dataset);
    for (const std::string& name : split.names)
      if (std::find(given.begin(), given.end(), name) == given.end()) throw UsageError("split: data set '{}' has no split '{}'{}", dataset, name, suggestion(name, given));
    names = split.names.empty() ? given : split.names;
  } else {
    names.emplace_back("all");
  }
  return names;
}

SplitEvents split_events(std::vector<Event> events, const Dataset& dataset, const SplitSpec& split, const std::string& fold) {
  split.check();
  SplitEvents out;
  std::vector<Part> parts(events.size(), Part::kTrain);
  if (split.strategy == "leave_last_out") {
    leave_last_out(events, parts, dataset, split, out.warnings);
  } else if (split.strategy == "random_ratio") {
    random_ratio(events, parts, dataset, split);
  } else if (split.strategy == "global_time") {
    global_time(events, parts, dataset, split);
  } else if (split.strategy == "k_fold") {
    k_fold(events, parts, dataset, split, fold);
  } else if (split.strategy == "cold_items") {
    cold_items(events, parts, dataset, split);
  } else if (split.holds_out_users()) {
    hold_out_users(events, parts, dataset, split, out.warnings);
  } else {
    SEGUE_CHECK(split.strategy == "given", "unknown split strategy '{}'", split.strategy);
    split.validation_from == "events" ? take_validation(events, parts, dataset, split)
                                      : take_last_events(events, parts, dataset, split);
  }
  keep_test_users(events, parts, dataset, split);

  // What trains stays where it is, so that the log is in memory once.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (parts[i] == Part::kTrain) {
      events[kept++] = events[i];
    } else {
      (parts[i] == Part::kTest ? out.test : parts[i] == Part::kKnown ? out.known : out.validation).push_back(events[i]);
    }
  }
  events.resize(kept);
  out.train = std::move(events);
  return out;
}

}  // namespace segue
