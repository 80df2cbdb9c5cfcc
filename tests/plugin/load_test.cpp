// A plugin's algorithm is as good as a built-in one: types, exceptions and errors cross the border.
#include <gmock/gmock.h>
#include <unistd.h>

#include "framework/base/hash.hpp"
#include "framework/model/iterative.hpp"
#include "framework/model/recommend.hpp"
#include "tests/plugin/support.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Registry registry_with(const std::string& plugin) {
  Registry registry;
  load_plugin(plugin_file(plugin), registry);
  return registry;
}

std::unique_ptr<Recommender> make(const Registry& registry, const std::string& name, const std::string& key = "",
                                  const Value& value = {}) {
  Value params = Value::map();
  if (!key.empty()) params.set(key, value);
  return registry.make(name, params);
}

// Two users, three items.
struct World {
  Interactions train{Csr<ItemIdx>(3, std::vector<std::uint64_t>{0, 2, 3},
                                  std::vector<ItemIdx>{item_at(0), item_at(1), item_at(2)}, {})};
  Histories histories;
  Facets facets;
  Executor exec{1};

  struct Recorder : Progress {
    std::vector<double> losses;
    void record(std::string_view series, int, double value) override {
      if (series == "loss") losses.push_back(value);
    }
  } progress;

  void fit(Recommender& model) {
    FitContext ctx{exec, Rng(1), progress};
    model.fit({train, histories, facets}, ctx);
  }
};

// The taken name of a built-in algorithm.
void add_built_in(Registry& registry, const std::string& name) {
  registry.add({.info = {.name = name, .summary = "", .citation = "", .family = "baseline"}, .schema = {}, .make = {}});
}

TEST(LoadPlugin, RegistersItsAlgorithmWithPathAndHash) {
  const Registry registry = registry_with("plugin_good");
  EXPECT_THAT(registry.names(), ElementsAre("plugin_good"));
  const Registry::Entry& entry = registry.find("plugin_good");
  EXPECT_EQ(entry.origin, fs::canonical(plugin_file("plugin_good")).string());
  const std::string bytes = read_bytes(plugin_file("plugin_good"));
  EXPECT_EQ(entry.origin_hash, Hasher().bytes(bytes.data(), bytes.size()).hex());
  EXPECT_EQ(entry.info.summary, "a plugin that works");
  EXPECT_TRUE(entry.info.iterative);
  EXPECT_THAT(entry.schema.names(), ElementsAre("epochs", "need_tags"));
}

TEST(LoadPlugin, FitsAndRecommends) {
  const Registry registry = registry_with("plugin_good");
  World world;
  const auto model = make(registry, "plugin_good", "epochs", Value::integer(2));
  world.fit(*model);
  EXPECT_THAT(world.progress.losses, ElementsAre(1.0, 0.5));
  const Query query{.user = user_at(0)};
  const TopK top = recommend(*model, {&query, 1}, {}, 2, world.exec);
  EXPECT_THAT(top.items, ElementsAre(item_at(2), item_at(1)));
  EXPECT_THAT(top.scores, ElementsAre(4.f, 2.f));  // 2 epochs * item
}

TEST(LoadPlugin, TypesAreTheSameOnBothSides) {
  const Registry registry = registry_with("plugin_good");
  const auto model = make(registry, "plugin_good");
  EXPECT_NE(dynamic_cast<IterativeRecommender*>(model.get()), nullptr);
  const auto* ratings = dynamic_cast<const RatingPredictor*>(model.get());  // a cross cast within the plugin's class
  ASSERT_NE(ratings, nullptr);
  EXPECT_EQ(ratings, model->ratings());
  EXPECT_EQ(dynamic_cast<const EmbeddingSpace*>(model.get()), nullptr);

  // And inside the plugin: a facet that the host made is found by its type.
  World world;
  const auto choosy = make(registry, "plugin_good", "need_tags", Value::boolean(true));
  EXPECT_THROW(world.fit(*choosy), DataError);
  world.facets.add(std::make_shared<ItemTags>());
  EXPECT_NO_THROW(world.fit(*make(registry, "plugin_good", "need_tags", Value::boolean(true))));
}

TEST(LoadPlugin, ErrorsOfItsParametersAreUsageErrors) {
  const Registry registry = registry_with("plugin_good");
  EXPECT_THAT(refusal([&] { make(registry, "plugin_good", "epochs", Value::integer(0)); }),
              AllOf(HasSubstr("epochs"), HasSubstr("plugin_good")));
  EXPECT_THAT(refusal([&] { make(registry, "plugin_good", "epoch", Value::integer(1)); }),
              HasSubstr("did you mean 'epochs'?"));
}

TEST(LoadPlugin, ExceptionsOfFitAreCaughtByType) {
  const Registry registry = registry_with("plugin_throws");
  World world;
  EXPECT_EQ(refusal([&] { world.fit(*make(registry, "plugin_throws")); }), "thrown by a plugin: 7 users");
  try {
    world.fit(*make(registry, "plugin_throws", "kind", Value::string("data")));
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "u.data:3: thrown by a plugin");
    EXPECT_EQ(e.code(), ExitCode::kData);
    EXPECT_NE(dynamic_cast<const DataError*>(&e), nullptr);
  }
  try {
    world.fit(*make(registry, "plugin_throws", "kind", Value::string("own")));
    FAIL();
  } catch (const std::runtime_error& e) {  // a type that the host has never heard of
    EXPECT_STREQ(e.what(), "a type that only the plugin knows");
  }
}

TEST(LoadPlugin, TheSameFileAgainDoesNothing) {
  Registry registry = registry_with("plugin_good");
  const TempFolder folder;
  fs::create_symlink(plugin_file("plugin_good"), folder / "link.so");
  EXPECT_NO_THROW(load_plugin(plugin_file("plugin_good"), registry));
  EXPECT_NO_THROW(load_plugin(folder / "link.so", registry));
  EXPECT_NO_THROW(load_plugin(fs::relative(plugin_file("plugin_good")), registry));
  EXPECT_THAT(registry.names(), ElementsAre("plugin_good"));
  // Another registry of the same process gets it too.
  EXPECT_TRUE(registry_with("plugin_good").has("plugin_good"));
}

TEST(LoadPlugin, ATakenNameNamesBothClaimants) {
  const std::string good = fs::canonical(plugin_file("plugin_good")).string(),
                    taken = fs::canonical(plugin_file("plugin_taken")).string();
  Registry registry = registry_with("plugin_good");
  EXPECT_EQ(
      refusal([&] { load_plugin(plugin_file("plugin_taken"), registry); }),
      fmt::format("algorithm 'plugin_good' of {} has the name of the one of {}; rename one of them", taken, good));
  EXPECT_EQ(registry.find("plugin_good").origin, good);

  Registry other;
  add_built_in(other, "plugin_good");
  EXPECT_THAT(refusal([&] { load_plugin(plugin_file("plugin_good"), other); }),
              AllOf(HasSubstr(good), HasSubstr("built in")));

  // A copy is another file, and its algorithm another claimant.
  const TempFolder folder;
  fs::copy_file(good, folder / "copy.so");
  EXPECT_THAT(refusal([&] { load_plugin(folder / "copy.so", registry); }),
              AllOf(HasSubstr((folder / "copy.so").string()), HasSubstr(good)));
}

TEST(LoadPlugin, OnlyThePluginIsMarkedWithItsOrigin) {
  Registry registry = registry_with("plugin_good");
  add_built_in(registry, "after");
  EXPECT_EQ(registry.find("after").origin, "built in");
  EXPECT_EQ(registry.find("after").origin_hash, "");
  refusal([&] { load_plugin(plugin_file("plugin_taken"), registry); });
  add_built_in(registry, "after_an_error");
  EXPECT_EQ(registry.find("after_an_error").origin, "built in");
}

TEST(LoadPlugin, AFileThatChangedSinceIsRefused) {
  const TempFolder folder;
  const fs::path file = folder / "p.so";
  fs::copy_file(plugin_file("plugin_throws"), file);
  Registry first;
  load_plugin(file, first);
  fs::remove(file);
  fs::copy_file(plugin_file("plugin_aborts"), file);
  const std::string sentence = fmt::format(
      "plugin '{}' has changed since this process loaded it; start the program again", fs::canonical(file).string());
  EXPECT_EQ(load_refusal(file), sentence);
  EXPECT_EQ(refusal([&] { load_plugin(file, first); }), sentence);
}

TEST(LoadPlugin, AMistakeInTheDeclarationNamesThePlugin) {
  EXPECT_THAT(load_refusal(plugin_file("plugin_badly_declared")),
              AllOf(HasSubstr("plugin_badly_declared.so' cannot register its algorithm: "), HasSubstr("factors")));
}

TEST(LoadPlugin, AMissingSymbolIsNamed) {
  EXPECT_THAT(load_refusal(plugin_file("plugin_unresolved")),
              AllOf(HasSubstr("plugin_unresolved.so' cannot be loaded: "), HasSubstr("segue_nobody_defines_this"),
                    HasSubstr("; rebuild the plugin against this Segue: ")));
}

using LoadPluginDeathTest = testing::Test;
TEST(LoadPluginDeathTest, AbortEndsTheProcessThatFits) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const Registry registry = registry_with("plugin_aborts");
        World world;
        world.fit(*make(registry, "plugin_aborts"));
      },
      testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace segue::test
