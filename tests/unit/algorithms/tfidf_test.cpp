// tfidf against whole vectors in double, on a small collection made by hand or at random.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>

#include <gmock/gmock.h>

#include "framework/base/errors.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/task.hpp"
#include "framework/model/registry.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/memory_archive.hpp"
#include "tests/support/messages.hpp"

extern "C" void segue_register_algorithm_tfidf(segue::Registry& registry);

namespace segue {
namespace {

using test::message_of;
using test::params_of;
using testing::ElementsAre;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr std::int64_t kDay = 86400;

using Params = std::vector<std::pair<std::string, Value>>;
using Tags = std::vector<std::map<std::string, float>>;  // of each item

std::unique_ptr<Recommender> make(const Params& params) {
  Registry registry;
  segue_register_algorithm_tfidf(registry);
  return registry.make("tfidf", params_of(params));
}

Csr<TermIdx> weights_of(const Tags& items, const StringTable& names) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  std::vector<float> values;
  for (const auto& item : items) {
    for (std::size_t t = 0; t < names.size(); ++t) {
      const auto it = item.find(std::string(names[t]));
      if (it == item.end()) continue;
      terms.push_back(TermIdx{static_cast<std::uint32_t>(t)});
      values.push_back(it->second);
    }
    offsets.push_back(terms.size());
  }
  return {names.size(), std::move(offsets), std::move(terms), std::move(values)};
}

StringTable names_in(const Tags& items) {
  std::set<std::string> names;
  for (const auto& item : items)
    for (const auto& [name, weight] : item) names.insert(name);
  return StringTable(std::vector<std::string>(names.begin(), names.end()));
}

struct World {
  Facets facets;
  Csr<ItemIdx> events;
  explicit World(const Tags& items) : World(items, std::vector<std::uint64_t>{0}, {}, {}) {}
  World(const Tags& items, std::vector<std::uint64_t> offsets, std::vector<ItemIdx> heard, std::vector<float> weights)
      : events(items.size(), std::move(offsets), std::move(heard), std::move(weights)) {
    auto facet = std::make_shared<ItemTags>();
    facet->tags = names_in(items);
    facet->weights = weights_of(items, facet->tags);
    facets.add(facet);
    facets.set_dataset_name("toy");
  }
  std::unique_ptr<Recommender> fitted(const Params& params) const {
    auto model = make(params);
    const Executor exec(1);
    const Interactions train(events);
    const Histories none;
    test::Curve curve;
    FitContext ctx{exec, Rng(1), curve};
    model->fit({train, none, facets}, ctx);
    return model;
  }
};

std::vector<float> ask(const Recommender& model, const Query& query) {
  const Matrix<float> out = test::scores_of(model, {&query, 1});
  return {out.data(), out.data() + out.size()};
}

Value text(const char* value) { return Value::string(value); }
const Params kAll{{"min_df", Value::integer(1)}};  // no term is too rare for these collections
Value number(double value) { return Value::real(value); }
// Nothing but the tags as they are: cosines can be done in the head.
Params plain(Params more = {}) {
  Params out{
      {"tf", text("raw")}, {"idf", text("none")}, {"words", number(0)}, {"artist", number(0)}, {"min_df", number(1)}};
  std::erase_if(out, [&](const auto& one) {
    return std::any_of(more.begin(), more.end(), [&](const auto& m) { return m.first == one.first; });
  });
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

TEST(Tfidf, ScoresAreCosinesWithTheProfile) {
  const World world({{{"a", 3}, {"b", 4}}, {{"a", 1}}, {{"b", 2}}, {{"c", 1}}, {}});
  const auto model = world.fitted(plain());
  const std::vector<ItemIdx> first{item_at(0)}, two{item_at(1), item_at(2)};
  EXPECT_THAT(ask(*model, {.history = first}),
              ElementsAre(testing::FloatEq(1), testing::FloatEq(0.6f), testing::FloatEq(0.8f), 0, -kInf));
  const float half = std::sqrt(0.5f);
  EXPECT_THAT(ask(*model, {.history = two}),
              ElementsAre(testing::FloatEq(1.4f * half), testing::FloatEq(half), testing::FloatEq(half), 0, -kInf));
}

TEST(Tfidf, ScoresItemsThatNobodyHasPlayed) {
  const World world({{{"folk", 1}}, {{"folk", 1}, {"calm", 1}}, {{"techno", 1}}}, {0, 1}, {item_at(0)}, {1});
  const std::vector<float> scores = ask(*world.fitted(kAll), {.user = user_at(0)});
  EXPECT_GT(scores[1], scores[2]);
  EXPECT_EQ(scores[2], 0);
}

TEST(Tfidf, WhoHasNoProfileGetsZeros) {
  const World world({{{"a", 1}}, {}});
  const auto model = world.fitted(kAll);
  const std::vector<ItemIdx> empty{item_at(1)};
  for (const Query& query : {Query{}, Query{.user = user_at(9)}, Query{.history = empty}})
    EXPECT_THAT(ask(*model, query), ElementsAre(0, -kInf));
}

TEST(Tfidf, SpellingsOfATagAreOneUnlessToldOtherwise) {
  const World world({{{"HipHop", 1}}, {{"hip-hop", 1}}, {{"jazz", 1}}});
  const std::vector<ItemIdx> first{item_at(0)};
  EXPECT_THAT(ask(*world.fitted(plain()), {.history = first}), ElementsAre(1, 1, 0));
  EXPECT_THAT(ask(*world.fitted(plain({{"merge_tags", Value::boolean(false)}})), {.history = first}),
              ElementsAre(1, 0, 0));
}

TEST(Tfidf, PlaysCountByTheirLogarithmOrAsTheyAre) {
  const World world({{{"a", 1}}, {{"b", 1}}});
  const std::vector<ItemIdx> both{item_at(0), item_at(1), item_at(0)};
  const std::vector<float> plays{2, 1, 1};
  const Query query{.history = both, .weights = plays};
  const auto ratio = [&](const char* how) {
    const std::vector<float> scores = ask(*world.fitted(plain({{"weights", text(how)}})), query);
    return scores[0] / scores[1];
  };
  EXPECT_FLOAT_EQ(ratio("raw"), 3);
  EXPECT_FLOAT_EQ(ratio("log"), 2) << "ln 4 / ln 2";
  EXPECT_FLOAT_EQ(ratio("none"), 1);
}

TEST(Tfidf, WhatWasHeardLongAgoFades) {
  const World world({{{"a", 1}}, {{"b", 1}}});
  const std::vector<ItemIdx> both{item_at(0), item_at(1)};
  const std::vector<std::int64_t> times{1'700'000'000, 1'700'000'000 + 20 * kDay};
  const auto model = world.fitted(plain({{"half_life", number(10)}}));
  const std::vector<float> soon = ask(*model, {.history = both, .times = times, .now = times[1]});
  EXPECT_FLOAT_EQ(soon[1] / soon[0], 4);
  EXPECT_EQ(ask(*model, {.history = both, .times = times, .now = times[1] + 900 * kDay}), soon)
      << "a profile is a direction";
  EXPECT_EQ(ask(*model, {.history = both})[0], ask(*model, {.history = both})[1]) << "no times";
  const std::vector<float> never = ask(*world.fitted(plain()), {.history = both, .times = times, .now = times[1]});
  EXPECT_EQ(never[0], never[1]);
}

TEST(Tfidf, WhatWasSkippedCountsAgainstItsLike) {
  const World world({{{"a", 1}}, {{"b", 1}}, {{"c", 1}}, {{"b", 1}, {"c", 1}}});
  const std::vector<ItemIdx> three{item_at(0), item_at(1), item_at(2)};
  const std::vector<float> weights{4, -1, -3};
  const std::vector<float> scores = ask(*world.fitted(plain({{"weights", text("raw")}, {"dislike", number(0.5)}})),
                                        {.history = three, .weights = weights});
  // a 1, b -0.5 / 4, c -1.5 / 4
  const float length = std::sqrt(1 + 0.125f * 0.125f + 0.375f * 0.375f);
  EXPECT_FLOAT_EQ(scores[0], 1 / length);
  EXPECT_FLOAT_EQ(scores[1], -0.125f / length);
  EXPECT_FLOAT_EQ(scores[2], -0.375f / length);
  EXPECT_FLOAT_EQ(scores[3], -0.5f * std::sqrt(0.5f) / length);
  EXPECT_FLOAT_EQ(ask(*world.fitted(plain({{"dislike", number(0)}})), {.history = three, .weights = weights})[1], 0);
}

TEST(Tfidf, FieldsWeighWhatTheyAreGiven) {
  World world({{{"a", 1}}, {{"a", 1}}, {{"b", 1}}});
  auto artists = std::make_shared<ItemArtist>();
  artists->artists = StringTable({"X", "Y"});
  artists->artist_of = std::vector<std::uint32_t>{0, kNoArtist, 0};
  world.facets.add(artists);
  auto titles = std::make_shared<ItemText>();
  titles->titles = StringTable({"The Sea", "the SEA", "The Lake"});
  world.facets.add(titles);
  auto words = std::make_shared<ItemWords>();
  words->words = StringTable({"The", "wave"});
  words->counts = weights_of({{{"The", 1}}, {{"wave", 1}}, {{"The", 1}}}, words->words);
  world.facets.add(words);
  const std::vector<ItemIdx> first{item_at(0)};
  const auto scores = [&](Params more) { return ask(*world.fitted(plain(std::move(more))), {.history = first}); };
  EXPECT_FLOAT_EQ(scores({{"artist", number(3)}})[2], 0.75f);
  EXPECT_FLOAT_EQ(scores({{"artist", number(3)}})[1], std::sqrt(0.25f)) << "without an artist, its tags are all it is";
  EXPECT_FLOAT_EQ(scores({{"tags", number(0)}, {"title", number(1)}})[1], 1);
  EXPECT_FLOAT_EQ(scores({{"tags", number(0)}, {"title", number(1)}})[2], 0.5f);
  EXPECT_FLOAT_EQ(scores({{"tags", number(0)}, {"title", number(1)}, {"drop_stop_words", Value::boolean(true)}})[2], 0);
  EXPECT_FLOAT_EQ(scores({{"tags", number(0)}, {"words", number(1)}})[2], 1);
  EXPECT_FLOAT_EQ(scores({{"tags", number(0)}, {"words", number(1)}, {"drop_stop_words", Value::boolean(true)}})[0],
                  -kInf);
}

TEST(Tfidf, SaysWhatIsMissing) {
  World world({{{"a", 1}}});
  EXPECT_EQ(message_of<UsageError>([&] {
              make({{"tags", number(0)}, {"words", number(0)}, {"artist", number(0)}});
            }),
            "tfidf compares items by tags, words, artist and title, and all four weigh 0");
  EXPECT_EQ(message_of<UsageError>([&] {
              world.fitted({{"tags", number(0)}, {"artist", number(1)}});
            }),
            "tfidf compares items by item_words, item_artist, and data set 'toy' has none of that; it has: item_tags");
  EXPECT_EQ(message_of<UsageError>([&] { world.fitted({}); }),
            "tfidf has no term left: min_df is 5 and max_df 1; lower min_df where the data is small");
}

// Random collection and histories: whole vectors in double, and the same bits in every way of asking.
TEST(Tfidf, AgreesWithAnOracle) {
  Rng rng(4);
  constexpr std::size_t kItems = 60, kTags = 25;
  Tags items(kItems);
  for (std::size_t i = 1; i < kItems; ++i)
    for (std::uint64_t n = 1 + rng.below(6); n > 0; --n)
      items[i]["t" + std::to_string(10 + rng.below(kTags))] = static_cast<float>(1 + rng.below(20));
  const World world(items);
  const auto model = world.fitted(kAll);

  const StringTable names = names_in(items);
  std::vector<std::vector<double>> vectors(kItems, std::vector<double>(names.size(), 0));
  for (std::size_t t = 0; t < names.size(); ++t) {
    double df = 0;
    for (const auto& item : items) df += item.contains(std::string(names[t]));
    for (std::size_t i = 0; i < kItems; ++i)
      if (const auto it = items[i].find(std::string(names[t])); it != items[i].end())
        vectors[i][t] = (1 + std::log(double{it->second})) * (std::log(61 / (1 + df)) + 1);
  }
  const auto dot = [](const auto& a, const auto& b) {
    double sum = 0;
    for (std::size_t t = 0; t < a.size(); ++t) sum += a[t] * b[t];
    return sum;
  };
  for (auto& v : vectors)
    if (const double length = std::sqrt(dot(v, v)); length > 0)
      for (double& x : v) x /= length;

  std::vector<std::vector<ItemIdx>> histories(20);
  std::vector<std::vector<float>> weights(20);
  std::vector<Query> queries(20);
  for (std::size_t q = 0; q < 20; ++q) {
    std::map<std::size_t, double> sums;
    for (std::uint64_t n = rng.below(9); n > 0; --n) {
      histories[q].push_back(item_at(rng.below(kItems)));
      weights[q].push_back(static_cast<float>(1 + rng.below(30)));
      sums[raw(histories[q].back())] += double{weights[q].back()};
    }
    queries[q].history = histories[q];
    queries[q].weights = weights[q];
    std::vector<double> profile(names.size(), 0);
    for (const auto& [item, weight] : sums)
      for (std::size_t t = 0; t < names.size(); ++t) profile[t] += std::log(1 + weight) * vectors[item][t];
    const double length = std::sqrt(dot(profile, profile));
    const std::vector<float> scores = ask(*model, queries[q]);
    EXPECT_EQ(scores[0], -kInf);
    for (std::size_t i = 1; i < kItems; ++i)
      EXPECT_NEAR(double{scores[i]}, length > 0 ? dot(profile, vectors[i]) / length : 0, 1e-6) << q << ", " << i;
  }
  test::expect_batches_agree(*model, queries);
  test::MemoryArchive archive;
  model->save(archive.writer());
  const auto loaded = make(kAll);
  loaded->load(archive.reader());
  EXPECT_TRUE(test::same_bits(test::scores_of(*loaded, queries), test::scores_of(*model, queries)));
}

}  // namespace
}  // namespace segue
