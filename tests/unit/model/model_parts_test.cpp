// The registry, models in HDF5 files, and explanations.
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/model/explain.hpp"
#include "framework/model/h5_archive.hpp"
#include "framework/model/registry.hpp"
#include "tests/support/fake_recommender.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::IsEmpty;

struct NoParams {
  int factors = 3;
  static Schema<NoParams> schema() {
    Schema<NoParams> s;
    s.field("factors", &NoParams::factors, "d").range(1, 10);
    return s;
  }
};
struct Fixed : test::FakeRecommender {
  explicit Fixed(const NoParams& p)
      : FakeRecommender(static_cast<std::size_t>(p.factors), [](std::size_t, std::size_t) { return 1.f; }) {}
};
Registry::Entry entry(const std::string& name) {
  return detail::algorithm_entry<Fixed, NoParams>({.name = name, .summary = "", .citation = "", .family = "baseline"});
}

TEST(Registry, FindsByNameAndSuggests) {
  Registry r;
  r.add(entry("popular"));
  r.add(entry("item_knn"));
  EXPECT_THAT(r.names(), ElementsAre("item_knn", "popular"));
  EXPECT_TRUE(r.has("popular"));
  EXPECT_EQ(r.find("popular").origin, "built in");
  EXPECT_EQ(message_of<UsageError>([&] { r.find("itemknn"); }),
            "unknown algorithm 'itemknn'; did you mean 'item_knn'? known: item_knn, popular");
  Value params = Value::map();
  EXPECT_EQ(r.make("popular", params)->n_items(), 3u);
  params.set("factors", Value::integer(11, {"s.yaml", 3, 9}));
  EXPECT_EQ(message_of<UsageError>([&] { r.make("popular", params); }),
            "s.yaml:3:9: factors = 11 is out of range [1, 10] in algorithm 'popular'");
}

TEST(Registry, ATakenNameNamesBothClaimants) {
  Registry r;
  r.add(entry("popular"));
  r.set_origin("/tmp/mine.so", "abc");
  r.add(entry("mine"));
  EXPECT_EQ(r.find("mine").origin, "/tmp/mine.so");
  EXPECT_EQ(r.find("mine").origin_hash, "abc");
  EXPECT_EQ(message_of<UsageError>([&] { r.add(entry("popular")); }),
            "algorithm 'popular' of /tmp/mine.so has the name of the one of built in; rename one of them");
}

struct PairParams {
  std::vector<AlgorithmSpec> of{"popular", "item_knn"};
  bool heard = false;
  std::vector<AlgorithmSpec> components() const { return of; }
  std::vector<std::string> needs() const {
    return heard ? std::vector<std::string>{"item_sound"} : std::vector<std::string>{};
  }
  static Schema<PairParams> schema() {
    Schema<PairParams> s;
    s.field("of", &PairParams::of, "two");
    s.field("heard", &PairParams::heard, "whether");
    return s;
  }
};
// As many items as its components have together.
struct Together : test::FakeRecommender {
  Together(const PairParams&, const std::vector<Component>& parts)
      : FakeRecommender(
            [&] {
              std::size_t items = 0;
              for (const Component& part : parts) items += part.make()->n_items();
              return items;
            }(),
            [](std::size_t, std::size_t) { return 1.f; }) {}
};

TEST(Registry, MakesAndChecksWhatAHybridIsMadeOf) {
  Registry r;
  r.add(entry("popular"));
  r.add(entry("item_knn"));
  Registry::Entry tagger = entry("tagger");
  tagger.info.needs = {"item_tags"};
  r.add(tagger);
  r.add(detail::algorithm_entry<Together, PairParams>(
      {.name = "pair", .summary = "", .citation = "", .family = "hybrid"}));
  EXPECT_EQ(r.make("pair", Value::map())->n_items(), 6u);
  const Value given =
      Value::from_json(R"({"of": [{"popular": {"factors": 5}}, {"pair": {"of": ["tagger"], "heard": true}}]})");
  EXPECT_EQ(r.make("pair", given)->n_items(), 8u);
  std::vector<std::string> names;
  for (const Registry::Part& part : r.parts("pair", given)) names.push_back(part.entry->info.name);
  EXPECT_THAT(names, ElementsAre("pair", "popular", "pair", "tagger"));
  EXPECT_THAT(r.needs("pair", given), ElementsAre("item_sound", "item_tags"));
  EXPECT_THAT(r.needs("pair", Value::map()), IsEmpty());

  const auto wrong = [&](const char* json) {
    return message_of<UsageError>([&] { r.parts("pair", Value::from_json(json)); });
  };
  EXPECT_EQ(wrong(R"({"of": ["populer"]})"),
            "'populer' in 'pair' is no algorithm; did you mean 'popular'? known: item_knn, pair, popular, tagger");
  EXPECT_EQ(wrong(R"({"of": [{"popular": {"factors": 11}}]})"),
            "factors = 11 is out of range [1, 10] in 'popular' of algorithm 'pair'");
  EXPECT_EQ(wrong(R"({"of": [{"popular": {}, "item_knn": {}}]})"),
            "of needs an algorithm, such as implicit_als or {implicit_als: {factors: 32}}, got a map of 2 keys");
  EXPECT_EQ(wrong(R"({"of": [{"popular": 3}]})"),
            "parameters of 'popular' are a map, such as {factors: 32}, not integer 3");
}

TEST(H5Archive, GivesBackWhatWasPut) {
  const auto folder = test::temp_folder();
  const std::vector<float> floats{1.5f, -0.f, std::numeric_limits<float>::infinity()};
  const std::vector<double> doubles{1e-300};
  const std::vector<std::uint32_t> u32{4000000000u};
  const std::vector<std::uint64_t> u64{1ull << 63};
  const Matrix<float> matrix = (Matrix<float>(2, 3) << 1, 2, 3, 4, 5, 6).finished();
  std::size_t bytes = 0;
  {
    H5Writer file(folder / "model.h5");
    H5ArchiveWriter out(file, "/model");
    out.put("floats", std::span<const float>(floats));
    out.put("deep/doubles", std::span<const double>(doubles));
    out.put("u32", std::span<const std::uint32_t>(u32));
    out.put("u64", std::span<const std::uint64_t>(u64));
    out.put("none", std::span<const float>());
    out.put_matrix("matrix", matrix);
    out.put_matrix("no rows", Matrix<float>(0, 4));
    out.put_value("mean", 3.25);
    bytes = out.bytes();
    file.commit();
  }
  EXPECT_EQ(bytes, 12u + 8 + 4 + 8 + 24 + 8);
  const H5Reader file(folder / "model.h5");
  const H5ArchiveReader in(file, "/model");
  EXPECT_EQ(in.floats("floats"), floats);
  EXPECT_TRUE(std::signbit(in.floats("floats")[1]));
  EXPECT_EQ(in.doubles("deep/doubles"), doubles);
  EXPECT_EQ(in.u32("u32"), u32);
  EXPECT_EQ(in.u64("u64"), u64);
  EXPECT_THAT(in.floats("none"), IsEmpty());
  EXPECT_EQ(in.matrix("matrix"), matrix);
  EXPECT_EQ(in.matrix("no rows").rows(), 0);
  EXPECT_EQ(in.matrix("no rows").cols(), 4);
  EXPECT_EQ(in.value("mean"), 3.25);
  EXPECT_TRUE(in.has("mean"));
  EXPECT_TRUE(in.has("floats"));
  EXPECT_FALSE(in.has("other"));
  EXPECT_THROW(in.matrix("floats"), LogicError);
  EXPECT_THROW(in.floats("u32"), DataError);
}

// Items on two axes: the first 20 stand far out on one, the next 20 on the other; tags follow the axes' sides.
struct Plane : EmbeddingSpace {
  Matrix<float> items = Matrix<float>::Zero(40, 2);
  ItemTags tags;
  Plane() {
    tags.tags = StringTable(std::vector<std::string>{"east", "west", "north", "rare"});
    std::vector<std::uint64_t> offsets{0};
    std::vector<TermIdx> terms;
    std::vector<float> weights;
    for (int i = 0; i < 40; ++i) {
      const float side = i % 2 == 0 ? 1.f : -1.f;
      items(i, i < 20 ? 0 : 1) = side * (i < 20 ? 5.f : 2.f);
      if (i < 20) terms.push_back(TermIdx{i % 2 == 0 ? 0u : 1u});
      if (i >= 20 && i % 2 == 0) terms.push_back(TermIdx{2});
      if (i == 0) terms.push_back(TermIdx{3});
      weights.resize(terms.size(), 1);
      offsets.push_back(terms.size());
    }
    tags.weights = Csr<TermIdx>(4, std::move(offsets), std::move(terms), std::move(weights));
  }
  const Matrix<float>& item_vectors() const override { return items; }
  void query_vector(const Query&, std::span<float>) const override {}
};

TEST(LatentAxes, NameTheSideOnWhichUserAndItemAgree) {
  const Plane plane;
  const LatentAxes axes(plane, plane.tags);
  const auto match = [&](std::vector<float> user, std::size_t item) { return axes.strongest(user, item_at(item)); };
  const LatentMatch east = match({1, 0.5f}, 0);
  EXPECT_NEAR(east.contribution, 5, 1e-6);
  EXPECT_THAT(east.tags, ElementsAre("east"));  // "rare" is on one item only
  EXPECT_THAT(match({-1, 0}, 1).tags, ElementsAre("west"));
  EXPECT_EQ(match({-1, 0}, 1).axis, east.axis);
  const LatentMatch north = match({0.5f, 3}, 20);
  EXPECT_NE(north.axis, east.axis);
  EXPECT_NEAR(north.contribution, 6, 1e-6);
  EXPECT_THAT(north.tags, ElementsAre("north"));
  EXPECT_THAT(match({0, -3}, 21).tags, IsEmpty());  // no tag loads on the south
}

TEST(LatentAxes, AllSharesMayBeNegative) {
  const Plane plane;
  struct Line : EmbeddingSpace {
    Matrix<float> items;
    const Matrix<float>& item_vectors() const override { return items; }
    void query_vector(const Query&, std::span<float>) const override {}
  } line;
  line.items = plane.items.leftCols(1);
  const LatentAxes axes(line, plane.tags);
  const std::vector<float> user{-2};
  EXPECT_NEAR(axes.strongest(user, ItemIdx{0}).contribution, -10, 1e-6);
}

}  // namespace
}  // namespace segue
