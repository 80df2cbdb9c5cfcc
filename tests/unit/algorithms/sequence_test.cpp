// The sequence baselines against numbers worked by hand and against their definitions, read off the papers word by
// word.
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "tests/support/heard.hpp"
#include "tests/support/memory_archive.hpp"
#include "tests/unit/algorithms/algorithm_fixture.hpp"

namespace segue {
namespace {

using test::as_items;
using test::fit_sessions;
using test::Heard;
using test::histories_of;
using test::Params;
using test::params_of;
using test::registry;
using test::scores;

constexpr float kNone = -std::numeric_limits<float>::infinity();
constexpr std::int64_t kDay = 86400;
const char* const kNames[] = {"markov", "sequential_rules", "sknn", "vsknn", "stan"};

std::unique_ptr<Recommender> fitted(const char* name, const Params& params, const std::vector<Heard>& heard,
                                    std::size_t users, std::size_t items) {
  return fit_sessions(registry(), name, params_of(params), histories_of(heard, users), items);
}

// A = 0, B = 1, C = 2; D = 3 is never heard.
const std::vector<Heard> kThree{{0, {0, 1, 2}, 0}, {1, {0, 2}, kDay}, {2, {1, 0, 1}, 2 * kDay}};

void expect_scores(const char* name, const Params& params, const std::vector<std::uint32_t>& history,
                   const std::vector<double>& expected) {
  const auto model = fitted(name, params, kThree, 3, 4);
  const std::vector<ItemIdx> items = as_items(history);
  const std::vector<float> found = scores(*model, {.history = items});
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_FLOAT_EQ(found[i], float(expected[i])) << name << " " << i;
}

TEST(Sequence, NumbersWorkedByHand) {
  const double none = double{kNone};
  expect_scores("markov", {}, {2, 0}, {none, 2. / 3, 1. / 3, none});
  expect_scores("markov", {}, {0, 2}, {none, none, none, none});  // nothing has followed C
  expect_scores("sequential_rules", {}, {2, 0}, {none, 4. / 7, 3. / 7, none});
  expect_scores("sequential_rules", {}, {1}, {0.4, 0.2, 0.4, none});  // A at 1, C at 1, B at 2
  expect_scores("sequential_rules", {{"steps", Value::integer(1)}}, {2, 0}, {none, 2. / 3, 1. / 3, none});

  // A and C are in common with the first session, 2 / sqrt(2 3), and the second, 2 / sqrt(2 2); A with the third, 1
  // / 2.
  const Params two{{"neighbours", Value::integer(2)}};
  expect_scores("sknn", two, {0, 2}, {1 + 2 / std::sqrt(6), 2 / std::sqrt(6), 1 + 2 / std::sqrt(6), none});
  // Sampled are the third, for A, and the second.
  expect_scores("sknn", {{"sample", Value::integer(2)}}, {0, 2}, {1.5, 0.5, 1, none});

  // A at position 1 of 2 weighs 1 / 2 and C 1, which makes 1.5, 1.5 and 0.5; the third session's latest common item is
  // A.
  expect_scores("vsknn", {}, {0, 2}, {1.5 + 1.5 + 0.25, 1.5 + 0.25, 3, none});
  // B and C are in two sessions of three.
  const double idf = 1 + 2 * std::log(1.5);
  expect_scores("vsknn", {{"idf", Value::real(2)}}, {0, 2}, {3.25, 1.75 * idf, 3 * idf, none});
  expect_scores("vsknn", {{"idf_similarity", Value::boolean(true)}}, {0, 2},
                {2 * std::log(1.5), std::log(1.5), 2 * std::log(1.5), none});

  // Every step, and every day, halves: similarities 1.5 / sqrt(6) / 4, 1.5 / 2 / 2 and 0.5 / 2.
  const double one = 1.5 / std::sqrt(6) / 4, half_life = 1 / std::log(2);
  expect_scores("stan",
                {{"query_decay", Value::real(half_life)},
                 {"recency_decay", Value::real(half_life)},
                 {"distance_decay", Value::real(half_life)}},
                {0, 2}, {one / 4 + 0.375 / 2 + 0.25, one / 2 + 0.125, one + 0.375, none});
}

struct World {
  std::vector<Heard> heard;
  static constexpr std::size_t kUsers = 14, kItems = 17;
};

World random_world(std::uint64_t seed) {
  World out;
  Rng rng(seed);
  for (std::uint32_t u = 0; u + 1 < World::kUsers; ++u) {
    std::int64_t time = 0;
    for (std::size_t s = 0; s < 1 + rng.below(6); ++s) {
      Heard one{u, {}, time += static_cast<std::int64_t>(1 + rng.below(4)) * kDay};  // many end at the same time
      for (std::size_t p = 0; p < 1 + rng.below(8); ++p)
        one.items.push_back(std::uint32_t(rng.below(World::kItems - 1)));
      out.heard.push_back(one);
    }
  }
  return out;
}

std::vector<std::vector<ItemIdx>> random_histories(std::uint64_t seed, std::size_t count) {
  Rng rng(seed);
  std::vector<std::vector<ItemIdx>> out(count);
  for (auto& history : out)
    for (std::size_t p = 0; p < 1 + rng.below(9); ++p) history.push_back(item_at(rng.below(World::kItems)));
  return out;
}

TEST(Sequence, RulesCountEveryPairOfEverySession) {
  const World world = random_world(3);
  for (const auto& [steps, power] : {std::pair{1, 0.0}, {3, 1.0}, {10, 0.5}}) {
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> weight;
    std::map<std::uint32_t, double> total;
    for (const Heard& one : world.heard) {
      for (std::size_t x = 0; x < one.items.size(); ++x) {
        for (std::size_t y = 0; y < x; ++y) {
          if (x - y > std::size_t(steps)) continue;
          weight[{one.items[y], one.items[x]}] += std::pow(double(x - y), -power);
          total[one.items[y]] += std::pow(double(x - y), -power);
        }
      }
    }
    const Params params{{"steps", Value::integer(steps)}, {"power", Value::real(power)}};
    const auto rules = fitted("sequential_rules", params, world.heard, World::kUsers, World::kItems);
    const auto markov = fitted("markov", {}, world.heard, World::kUsers, World::kItems);
    for (std::uint32_t i = 0; i < World::kItems; ++i) {
      const std::vector<ItemIdx> history = as_items({(i + 1) % 5, i});
      const auto found = scores(*rules, {.history = history});
      for (std::uint32_t j = 0; j < World::kItems; ++j) {
        if (const auto at = weight.find({i, j}); at == weight.end()) {
          ASSERT_EQ(found[j], kNone) << i << " " << j;
        } else {
          ASSERT_NEAR(found[j], at->second / total[i], 1e-6) << i << " " << j;
        }
      }
      if (steps == 1) {
        EXPECT_TRUE(test::same_bits(found, scores(*markov, {.history = history})));
      }
    }
  }
}

// What the three papers have in common, with their own weights: positions from 1, sessions as they were heard.
struct Oracle {
  int neighbours, sample, max_length;
  std::function<double(std::size_t position, std::size_t length, std::uint32_t item)> weight;
  std::function<double(double common, std::size_t distinct, std::size_t own, double days)> similarity;
  std::function<double(std::size_t latest, std::size_t length, std::size_t distance, std::uint32_t item)> vote;

  static std::size_t last(const std::vector<std::uint32_t>& items, std::uint32_t item) {
    std::size_t at = 0;
    for (std::size_t p = 0; p < items.size(); ++p)
      if (items[p] == item) at = p + 1;
    return at;
  }

  std::vector<double> scores(const World& world, std::vector<std::uint32_t> current) const {
    if (current.size() > std::size_t(max_length)) current.erase(current.begin(), current.end() - max_length);
    const std::set<std::uint32_t> distinct(current.begin(), current.end());
    std::vector<const Heard*> sessions;
    for (const Heard& one : world.heard) {
      const bool shares = std::any_of(one.items.begin(), one.items.end(), [&](auto i) { return distinct.contains(i); });
      if (one.items.size() > 1 && shares) sessions.push_back(&one);
    }
    // At the same end the later user is the more recent; no user has two sessions with one end.
    std::sort(sessions.begin(), sessions.end(),
              [](const Heard* a, const Heard* b) { return std::tie(a->end, a->user) > std::tie(b->end, b->user); });
    if (sessions.size() > std::size_t(sample)) sessions.resize(std::size_t(sample));
    struct Found {
      double similarity;
      std::size_t recent;
      std::uint32_t latest;
    };
    std::vector<Found> found;
    for (std::size_t s = 0; s < sessions.size(); ++s) {
      const Heard& one = *sessions[s];
      const std::set<std::uint32_t> own(one.items.begin(), one.items.end());
      Found f{0, s, 0};
      for (const std::uint32_t item : own) {
        if (!distinct.contains(item)) continue;
        f.similarity += weight(last(current, item), current.size(), item);
        if (f.latest == 0 || last(current, item) > last(current, f.latest - 1)) f.latest = item + 1;
      }
      const double days = double(sessions[0]->end - one.end) / double(kDay);
      f.similarity = similarity(f.similarity, distinct.size(), own.size(), days);
      --f.latest;
      found.push_back(f);
    }
    // Sums in another order may part what is equal by a last bit.
    std::stable_sort(found.begin(), found.end(),
                     [](const Found& a, const Found& b) { return a.similarity > b.similarity + 1e-12; });
    if (found.size() > std::size_t(neighbours)) found.resize(std::size_t(neighbours));
    std::vector<double> out(World::kItems, double{kNone});
    for (const Found& f : found) {
      const std::vector<std::uint32_t>& items = sessions[f.recent]->items;
      for (const std::uint32_t item : std::set<std::uint32_t>(items.begin(), items.end())) {
        const std::size_t a = last(items, item), b = last(items, f.latest);
        out[item] = std::max(out[item], 0.0) +
                    f.similarity * vote(last(current, f.latest), current.size(), a > b ? a - b : b - a, item);
      }
    }
    return out;
  }
};

void expect_oracle(const char* name, Params params, Oracle oracle, const World& world) {
  for (const auto& [neighbours, sample, length] : {std::tuple{100, 1000, 50}, {5, 1000, 50}, {4, 9, 50}, {6, 12, 3}}) {
    oracle.neighbours = neighbours, oracle.sample = sample, oracle.max_length = length;
    Params all = params;
    all.insert(all.end(), {{"neighbours", Value::integer(neighbours)},
                           {"sample", Value::integer(sample)},
                           {"max_length", Value::integer(length)}});
    const auto model = fitted(name, all, world.heard, World::kUsers, World::kItems);
    for (const auto& history : random_histories(17, 60)) {
      std::vector<std::uint32_t> current;
      for (const ItemIdx i : history) current.push_back(static_cast<std::uint32_t>(i));
      const auto expected = oracle.scores(world, current);
      const auto found = scores(*model, {.history = history});
      for (std::size_t i = 0; i < expected.size(); ++i) {
        if (std::isinf(expected[i])) {
          ASSERT_EQ(found[i], kNone) << name << " " << i;
        } else {
          ASSERT_NEAR(found[i], expected[i], 1e-5 * (1 + expected[i])) << name << " " << i;
        }
      }
    }
  }
}

TEST(Sequence, NeighboursAreThoseOfThePapers) {
  for (const std::uint64_t seed : {5u, 6u}) {
    const World world = random_world(seed);
    const auto cosine = [](double common, std::size_t a, std::size_t b, double) {
      return common / std::sqrt(double(a * b));
    };
    expect_oracle("sknn", {}, {0, 0, 0, [](auto...) { return 1.0; }, cosine, [](auto...) { return 1.0; }}, world);

    std::map<std::uint32_t, double> having;
    double sessions = 0;
    for (const Heard& one : world.heard) {
      if (one.items.size() < 2) continue;
      ++sessions;
      for (const std::uint32_t i : std::set<std::uint32_t>(one.items.begin(), one.items.end())) ++having[i];
    }
    const auto idf = [&](std::uint32_t i) { return std::log(sessions / having.at(i)); };
    const auto share = [](std::size_t p, std::size_t n) { return double(p) / double(n); };
    expect_oracle("vsknn",
                  {{"query_power", Value::real(2)}, {"match_power", Value::real(0.5)}, {"idf", Value::real(3)}},
                  {0, 0, 0, [&](std::size_t p, std::size_t n, auto) { return std::pow(share(p, n), 2); },
                   [](double common, auto...) { return common; },
                   [&](std::size_t p, std::size_t n, auto, std::uint32_t i) {
                     return std::sqrt(share(p, n)) * (1 + 3 * idf(i));
                   }},
                  world);
    expect_oracle("vsknn", {{"idf_similarity", Value::boolean(true)}},
                  {0, 0, 0, [&](std::size_t p, std::size_t n, std::uint32_t i) { return share(p, n) * idf(i); },
                   [](double common, auto...) { return common; },
                   [&](std::size_t p, std::size_t n, auto...) { return share(p, n); }},
                  world);
    expect_oracle(
        "stan",
        {{"query_decay", Value::real(1.5)}, {"recency_decay", Value::real(4)}, {"distance_decay", Value::real(2)}},
        {0, 0, 0, [](std::size_t p, std::size_t n, auto) { return std::exp(-double(n - p) / 1.5); },
         [&](double common, std::size_t a, std::size_t b, double days) {
           return cosine(common, a, b, 0) * std::exp(-days / 4);
         },
         [](auto, auto, std::size_t distance, auto) { return std::exp(-double(distance) / 2); }},
        world);
    expect_oracle(
        "stan",
        {{"query_decay", Value::real(0)}, {"recency_decay", Value::real(0)}, {"distance_decay", Value::real(0)}},
        {0, 0, 0, [](auto...) { return 1.0; }, cosine, [](auto...) { return 1.0; }}, world);
  }
}

TEST(Sequence, ASessionIsNoNeighbourOfItself) {
  const std::vector<Heard> heard{{0, {0, 1}, 10}, {0, {2, 3}, 20}, {1, {2, 4}, 5}};
  for (const char* name : {"sknn", "vsknn", "stan"}) {
    const auto model = fitted(name, {}, heard, 3, 6);
    const std::vector<ItemIdx> history = as_items({0, 1, 2, 3, 5});
    const auto own = scores(*model, {.user = UserIdx{0}, .history = history, .session_begin = 2});
    EXPECT_EQ(own[3], kNone) << name << ": the training part of the current session";
    EXPECT_GT(own[4], 0) << name;
    EXPECT_EQ(own[0], kNone) << name;
    const auto foreign = scores(*model, {.user = UserIdx{1}, .history = history, .session_begin = 2});
    EXPECT_GT(foreign[3], foreign[4]) << name;
    // Another session of one's own counts as anybody's.
    const std::vector<ItemIdx> back = as_items({0, 1, 2, 3, 0});
    EXPECT_GT(scores(*model, {.user = UserIdx{0}, .history = back, .session_begin = 4})[1], 0) << name;
  }
}

// Where nothing of the current session counts, the query goes on with the last events before it.
TEST(Sequence, WhatASessionWithoutPlaysGoesOnWithIsNoNeighbour) {
  const std::vector<Heard> heard{{0, {0, 1}, 10}, {0, {2, 3}, 20}, {1, {3, 4}, 5}};
  const std::vector<ItemIdx> known = as_items({0, 1, 2, 3, 5, 5});
  const std::vector<float> weights{1, 1, 1, 1, -1, -1};
  for (const char* name : {"sknn", "vsknn", "stan"}) {
    const auto model = fitted(name, {}, heard, 2, 6);
    const Query skipped{.user = UserIdx{0}, .history = known, .weights = weights, .session_begin = 4};
    const Query begins{.user = UserIdx{0}, .history = std::span(known).first(4), .session_begin = 4};
    for (const Query& query : {skipped, begins}) {
      const auto found = scores(*model, query);
      EXPECT_GT(found[4], 0) << name;
      for (const std::size_t own : {0, 1, 2}) EXPECT_EQ(found[own], kNone) << name << " " << own;
    }
    // The end of a longer session; one that shares an item with it and has another end is a neighbour.
    const std::vector<Heard> longer{{0, {3, 0}, 10}, {0, {1, 2, 3}, 20}, {1, {3, 4}, 5}};
    const std::vector<ItemIdx> all = as_items({3, 0, 1, 2, 3});
    const auto cut = fitted(name, {{"max_length", Value::integer(1)}}, longer, 2, 6);
    const auto found = scores(*cut, {.user = UserIdx{0}, .history = all, .session_begin = 5});
    EXPECT_GT(found[4], 0) << name;
    EXPECT_GT(found[0], 0) << name;
    EXPECT_EQ(found[2], kNone) << name;
  }
}

// Events withheld at random leave a training session with gaps.
TEST(Sequence, APartOfTheCurrentSessionIsNoNeighbour) {
  const std::vector<Heard> heard{{0, {2, 4, 6}, 20}, {1, {2, 1}, 5}, {2, {4, 2}, 10}};
  const std::vector<ItemIdx> history = as_items({5, 2, 3, 4, 0, 6, 5});
  for (const char* name : {"sknn", "vsknn", "stan"}) {
    const auto model = fitted(name, {}, heard, 3, 7);
    const auto own = scores(*model, {.user = UserIdx{0}, .history = history});
    EXPECT_EQ(own[6], kNone) << name;
    EXPECT_GT(own[1], 0) << name;
    // In another order it is another session.
    EXPECT_GT(scores(*model, {.user = UserIdx{2}, .history = history})[4], 0) << name;
    const std::vector<ItemIdx> backwards = as_items({6, 4, 2});
    EXPECT_GT(scores(*model, {.user = UserIdx{0}, .history = backwards})[6], 0) << name;
  }
}

TEST(Sequence, WithoutAHistoryTheUsersLastSessionIsGoneOnWith) {
  const World world = random_world(8);
  const Histories histories = histories_of(world.heard, World::kUsers);
  for (const char* name : kNames) {
    const auto model = fitted(name, {}, world.heard, World::kUsers, World::kItems);
    std::size_t asked = 0;
    for (std::uint32_t u = 0; u < World::kUsers; ++u) {
      const HistoryView known = histories[u];
      std::size_t begin = known.items.size();
      while (begin > 0 && known.sessions[begin - 1] == known.sessions.back()) --begin;
      if (known.items.size() - begin < 2) continue;
      ++asked;
      const Query whole{.user = UserIdx{u}, .history = known.items, .session_begin = begin};
      EXPECT_TRUE(test::same_bits(scores(*model, {.user = UserIdx{u}}), scores(*model, whole))) << name << " " << u;
    }
    EXPECT_GT(asked, 3u);
    for (const UserIdx nobody : {kNoUser, UserIdx{World::kUsers - 1}, UserIdx{900}}) {
      for (const float score : scores(*model, {.user = nobody})) EXPECT_EQ(score, kNone) << name;
    }
  }
}

TEST(Sequence, BatchesThreadsAndStoringChangeNoBit) {
  const World world = random_world(9);
  const auto histories = random_histories(4, 30);
  std::vector<Query> queries;
  for (const auto& history : histories) queries.push_back({.history = history, .session_begin = queries.size() % 3});
  for (const char* name : kNames) {
    const auto model = fitted(name, {}, world.heard, World::kUsers, World::kItems);
    test::expect_batches_agree(*model, queries);
    test::MemoryArchive archive;
    model->save(archive.writer());
    const auto loaded = registry().make(name, Value::map());
    loaded->load(archive.reader());
    EXPECT_TRUE(test::same_bits(test::scores_of(*loaded, queries), test::scores_of(*model, queries))) << name;
    const auto threads =
        fit_sessions(registry(), name, Value::map(), histories_of(world.heard, World::kUsers), World::kItems, 3);
    EXPECT_TRUE(test::same_bits(test::scores_of(*threads, queries), test::scores_of(*model, queries))) << name;
  }
}

}  // namespace
}  // namespace segue
