#include "framework/data/feedback.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"

namespace segue {

namespace {

double merged_value(std::span<const Event> events, const FeedbackSpec& feedback) {
  // A rating repeated is replaced, never added up: five stars twice are not ten.
  const std::string& duplicates = feedback.transform == "rating" && feedback.duplicates == "sum" ? "last" : feedback.duplicates;
  if (duplicates == "first") return static_cast<double>(events.front().value);
  if (duplicates == "last") return static_cast<double>(events.back().value);
  double value = static_cast<double>(events.front().value);
  for (const Event& e : events.subspan(1)) {
    const auto v = static_cast<double>(e.value);
    value = duplicates == "max" ? std::max(value, v) : value + v;
  }
  return value;
}

double signal(EventKind kind, const FeedbackSpec& f) {
  switch (kind) {
    case EventKind::kPlay: return f.play;
    case EventKind::kRepeat: return f.repeat;
    case EventKind::kLike: return f.like;
    case EventKind::kPlaylistAdd: return f.playlist_add;
    case EventKind::kSkip: return f.skip;
    case EventKind::kRating: break;
  }
  return 1;
}

// Calls body(first, last) for each run of equal (user, item).
template <class Body>
void for_each_pair(const std::vector<Event>& events, Body body) {
  for (std::size_t first = 0; first < events.size();) {
    std::size_t last = first + 1;
    while (last < events.size() && events[last].user == events[first].user && events[last].item == events[first].item) ++last;
    body(first, last);
    first = last;
  }
}

}  // namespace

void sort_by_pair(std::vector<Event>& events) {
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return std::tie(a.user, a.item, a.time, a.kind, a.value) < std::tie(b.user, b.item, b.time, b.kind, b.value);
  });
}

std::vector<Event> select_events(const Events& events, const FeedbackSpec& feedback, const Dataset& dataset) {
  feedback.check();
  if (feedback.transform == "rating" && !dataset.has_ratings)
    throw UsageError("feedback 'rating' needs star ratings, and data set '{}' has none; known for it: binary, linear_confidence, log_confidence, bm25, signals", dataset.name);
  std::vector<Event> out;
  out.reserve(events.size());
  const bool signals = feedback.transform == "signals";
  for (std::size_t i = 0; i < events.size(); ++i) {
    const Event e = events[i];
    if (!signals && e.kind == EventKind::kSkip) continue;
    if (feedback.transform == "rating" && e.kind != EventKind::kRating) continue;
    if (feedback.min_value && static_cast<double>(e.value) < *feedback.min_value) continue;
    out.push_back(e);
  }
  if (signals && feedback.shuffle_kinds) {
    std::vector<EventKind> kinds;
    for (const Event& e : out) kinds.push_back(e.kind);
    Rng(1).stream("kinds").shuffle(std::span(kinds));
    for (std::size_t i = 0; i < out.size(); ++i) out[i].kind = kinds[i];
  }
  if (feedback.aggregate_before_split) {
    sort_by_pair(out);
    std::vector<Event> merged;
    for_each_pair(out, [&](std::size_t first, std::size_t last) {
      Event e = feedback.duplicates == "first" ? out[first] : out[last - 1];
      e.value = static_cast<float>(merged_value({out.data() + first, last - first}, feedback));
      merged.push_back(e);
    });
    out = std::move(merged);
  }
  return out;
}

float pair_weight(std::span<const Event> events, const FeedbackSpec& f) {
  if (f.transform == "binary") return 1;
  if (f.transform == "signals") {
    double sum = 0;
    for (const Event& e : events) sum += signal(e.kind, f) * (e.kind == EventKind::kPlay ? static_cast<double>(e.value) : 1.0);
    return static_cast<float>(sum);
  }
  const double r = merged_value(events, f);
  if (f.transform == "log_confidence") return static_cast<float>(f.alpha * std::log1p(std::max(0.0, r) / f.epsilon));
  if (f.transform == "linear_confidence") return static_cast<float>(f.alpha * r);
  return static_cast<float>(r);  // a rating as it is; bm25 starts from the raw value
}

Interactions weigh_pairs(const std::vector<Event>& events, const FeedbackSpec& feedback, std::size_t n_users, std::size_t n_items) {
  std::vector<std::uint64_t> offsets(n_users + 1, 0);
  std::vector<ItemIdx> items;
  std::vector<float> weights;
  items.reserve(events.size()), weights.reserve(events.size());
  for_each_pair(events, [&](std::size_t first, std::size_t last) {
    ++offsets[raw(events[first].user) + 1];
    items.push_back(events[first].item);
    weights.push_back(pair_weight({events.data() + first, last - first}, feedback));
  });
  for (std::size_t u = 0; u < n_users; ++u) offsets[u + 1] += offsets[u];
  if (feedback.transform == "bm25" && !items.empty()) {
    // Users are documents, items are terms (Robertson & Zaragoza 2009): frequent items and long histories count less.
    std::vector<double> length(n_users, 0), users_of(n_items, 0);
    double total = 0, active = 0;
    for (std::size_t u = 0; u < n_users; ++u) {
      for (std::uint64_t p = offsets[u]; p < offsets[u + 1]; ++p) {
        length[u] += std::max(0.0, static_cast<double>(weights[p]));
        users_of[raw(items[p])] += 1;
      }
      total += length[u];
      active += offsets[u + 1] > offsets[u];
    }
    const double average = total / active;
    for (std::size_t u = 0; u < n_users; ++u) {
      for (std::uint64_t p = offsets[u]; p < offsets[u + 1]; ++p) {
        const auto tf = static_cast<double>(weights[p]);
        if (!(tf > 0)) {  // as if the term did not stand in the document
          weights[p] = 0;
          continue;
        }
        const double idf = std::log1p((active - users_of[raw(items[p])] + 0.5) / (users_of[raw(items[p])] + 0.5));
        const double norm = feedback.bm25_k1 * (1 - feedback.bm25_b + feedback.bm25_b * length[u] / average);
        weights[p] = static_cast<float>(idf * tf * (feedback.bm25_k1 + 1) / (tf + norm));
      }
    }
  }
  return Interactions(Csr<ItemIdx>(n_items, std::move(offsets), std::move(items), std::move(weights)));
}

}  // namespace segue
