// Sessions written out, as the histories that models of sequences learn from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "framework/data/interactions.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/triplets.hpp"

namespace segue::test {

// Its events lie one time unit apart and end at `end`.
struct Heard {
  std::uint32_t user;
  std::vector<std::uint32_t> items;
  std::int64_t end = 0;
};

inline std::vector<ItemIdx> as_items(const std::vector<std::uint32_t>& items) {
  std::vector<ItemIdx> out;
  for (const std::uint32_t i : items) out.push_back(ItemIdx{i});
  return out;
}

// Sessions of a user must not overlap; they are numbered as they follow each other.
inline Histories histories_of(std::vector<Heard> heard, std::size_t users) {
  std::stable_sort(heard.begin(), heard.end(),
                   [](const Heard& a, const Heard& b) { return std::tie(a.user, a.end) < std::tie(b.user, b.end); });
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  std::vector<std::int64_t> times;
  std::vector<std::uint32_t> sessions;
  std::size_t next = 0;
  for (std::size_t u = 0; u < users; ++u) {
    for (std::uint32_t number = 0; next < heard.size() && heard[next].user == u; ++next, ++number) {
      const Heard& one = heard[next];
      for (std::size_t p = 0; p < one.items.size(); ++p) {
        items.push_back(ItemIdx{one.items[p]});
        times.push_back(one.end - static_cast<std::int64_t>(one.items.size() - 1 - p));
        sessions.push_back(number);
      }
    }
    offsets.push_back(items.size());
  }
  std::vector<float> weights(items.size(), 1.0f);
  std::vector<EventKind> kinds(items.size(), EventKind::kPlay);
  return Histories(std::move(offsets), std::move(items), std::move(times), std::move(weights), std::move(kinds),
                   std::move(sessions));
}

// The same events as users x items.
inline Interactions interactions_of(const Histories& histories, std::size_t items) {
  std::vector<Triplet> pairs;
  for (std::size_t u = 0; u < histories.size(); ++u)
    for (const ItemIdx i : histories[u].items)
      pairs.push_back({static_cast<std::uint32_t>(u), static_cast<std::uint32_t>(i), 1});
  std::sort(pairs.begin(), pairs.end(),
            [](const Triplet& a, const Triplet& b) { return std::tie(a.user, a.item) < std::tie(b.user, b.item); });
  const auto same = [](const Triplet& a, const Triplet& b) { return a.user == b.user && a.item == b.item; };
  pairs.erase(std::unique(pairs.begin(), pairs.end(), same), pairs.end());
  return Interactions(by_user(pairs, histories.size(), items, false));
}

inline std::unique_ptr<Recommender> fit_sessions(const Registry& registry, const std::string& name, const Value& params,
                                                 const Histories& histories, std::size_t items, int threads = 1) {
  const Executor exec(threads);
  const Interactions train = interactions_of(histories, items);
  const Facets facets;
  Curve curve;
  std::unique_ptr<Recommender> model = registry.make(name, params);
  FitContext ctx{exec, Rng(1), curve};
  model->fit({train, histories, facets}, ctx);
  return model;
}

}  // namespace segue::test
