#include "framework/model/typical_tags.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/rng.hpp"

namespace segue {
namespace {

using testing::IsEmpty;

// A row an item: weight of each tag, 0 where it lacks it.
ItemTags tags_of(const std::vector<std::vector<float>>& rows) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> columns;
  std::vector<float> weights;
  for (const std::vector<float>& row : rows) {
    for (std::size_t t = 0; t < row.size(); ++t) {
      if (row[t] == 0) continue;
      columns.push_back(static_cast<TermIdx>(t));
      weights.push_back(row[t]);
    }
    offsets.push_back(columns.size());
  }
  ItemTags out;
  out.weights = Csr<TermIdx>(rows.front().size(), std::move(offsets), std::move(columns), std::move(weights));
  std::vector<std::string> names;
  for (std::size_t t = 0; t < rows.front().size(); ++t) names.push_back("tag" + std::to_string(t));
  out.tags = StringTable(names);
  return out;
}

std::vector<std::vector<float>> random_rows(std::size_t items, std::size_t tags) {
  Rng rng(5);
  std::vector<std::vector<float>> rows(items, std::vector<float>(tags, 0));
  for (std::size_t i = 0; i < items; ++i)
    for (std::size_t t = 0; t < tags; ++t)
      if (rng.uniform() < 1.0 / static_cast<double>(2 + t)) rows[i][t] = static_cast<float>(1 + rng.below32(20));
  return rows;
}

// The measure as the header states it, from the rows themselves.
double slow_z(const std::vector<std::vector<float>>& rows, const std::vector<std::size_t>& set, std::size_t tag) {
  const auto share = [&](std::size_t i, std::size_t t) {
    const float largest = *std::ranges::max_element(rows[i]);
    return largest == 0 ? 0.0 : static_cast<double>(rows[i][t]) / static_cast<double>(largest);
  };
  double y = 0, n = 0, c = 0, all = 0;
  for (std::size_t t = 0; t < rows[0].size(); ++t) {
    for (const std::size_t i : set) (t == tag ? y : n) += share(i, t);
    for (std::size_t i = 0; i < rows.size(); ++i) (t == tag ? c : all) += share(i, t);
  }
  n += y;
  all += c;
  const double a = n * c / all;
  const double delta = std::log((y + a) / (n + n - y - a)) - std::log((c + a) / (all + n - c - a));
  return delta / std::sqrt(1 / (y + a) + 1 / (c + a));
}

TEST(TypicalTags, EqualTheirDefinition) {
  const auto rows = random_rows(80, 12);
  const ItemTags tags = tags_of(rows);
  const TagCatalogue catalogue(tags);
  Rng rng(6);
  std::size_t found = 0;
  for (int trial = 0; trial < 40; ++trial) {
    std::vector<std::size_t> set;
    std::vector<ItemIdx> items;
    const std::size_t wanted = 4 + rng.below32(8);  // most of the set have this rare tag
    for (std::size_t n = 2 + rng.below32(5); set.size() < n;) {
      const std::size_t i = rng.below32(80);
      if (rows[i][wanted] == 0 && rng.uniform() < 0.95) continue;
      set.push_back(i);
      items.push_back(item_at(i));
    }
    const std::vector<TypicalTag> typical = catalogue.typical(items, 100);
    const std::set<std::size_t> distinct(set.begin(), set.end());
    std::vector<double> expected;
    for (std::size_t t = 0; t < 12; ++t) {
      std::size_t here = 0, there = 0;
      for (const std::size_t i : distinct) here += rows[i][t] > 0;
      for (const auto& row : rows) there += row[t] > 0;
      const double z = slow_z(rows, set, t);
      if (here >= std::min<std::size_t>(2, distinct.size()) && there >= 5 && z > 1.645) expected.push_back(z);
    }
    std::ranges::sort(expected, std::greater<>());
    ASSERT_EQ(typical.size(), expected.size());
    for (std::size_t n = 0; n < typical.size(); ++n) EXPECT_NEAR(typical[n].z, expected[n], 1e-9);
    found += typical.size();
  }
  EXPECT_GT(found, 10u);
}

// 100 items: tag 0 on all of them, tag 1 on ten, tag 2 on four.
std::vector<std::vector<float>> three_tags() {
  std::vector<std::vector<float>> rows(100, {1, 0, 0});
  for (std::size_t i = 0; i < 10; ++i) rows[i][1] = 2;
  for (std::size_t i = 0; i < 4; ++i) rows[i][2] = 2;
  return rows;
}

TEST(TypicalTags, AreNotWhatEverythingHas) {
  const ItemTags tags = tags_of(three_tags());
  const TagCatalogue catalogue(tags);
  const std::vector<ItemIdx> set{item_at(5), item_at(7), item_at(9)};
  const std::vector<TypicalTag> typical = catalogue.typical(set, 5);
  ASSERT_EQ(typical.size(), 1u);
  EXPECT_EQ(typical[0].tag, TermIdx{1});
  EXPECT_EQ(typical[0].items, 3u);
  EXPECT_THAT(catalogue.typical(std::vector{item_at(50), item_at(60)}, 5), IsEmpty());
  EXPECT_THAT(catalogue.typical({}, 5), IsEmpty());
  EXPECT_THAT(catalogue.typical(set, 0), IsEmpty());
}

TEST(TypicalTags, NeedFiveItemsInTheCatalogueAndTwoInTheSet) {
  const ItemTags tags = tags_of(three_tags());
  const TagCatalogue catalogue(tags);
  for (const TypicalTag& t : catalogue.typical(std::vector{item_at(0), item_at(1), item_at(2)}, 5))
    EXPECT_NE(t.tag, TermIdx{2});
  EXPECT_THAT(catalogue.typical(std::vector{item_at(5), item_at(50), item_at(60)}, 5), IsEmpty())
      << "one is an accident";
}

TEST(TypicalTags, AnItemHeardTwiceIsOneItem) {
  const ItemTags tags = tags_of(three_tags());
  const TagCatalogue catalogue(tags);
  EXPECT_THAT(catalogue.typical(std::vector{item_at(5), item_at(5), item_at(50)}, 5), IsEmpty())
      << "only one item of the set has the tag";
  const std::vector<TypicalTag> two = catalogue.typical(std::vector{item_at(5), item_at(7), item_at(5)}, 5);
  ASSERT_EQ(two.size(), 1u);
  EXPECT_EQ(two[0].tag, TermIdx{1});
  EXPECT_EQ(two[0].items, 2u);
  const std::vector<TypicalTag> one = catalogue.typical(std::vector{item_at(5), item_at(5)}, 5);
  ASSERT_EQ(one.size(), 1u) << "where the set has no second item, none is asked for";
  EXPECT_EQ(one[0].items, 1u);
}

TEST(TypicalTags, WithoutTagsThereAreNone) {
  const ItemTags tags = tags_of({{0, 0}, {0, 0}});
  EXPECT_THAT(TagCatalogue(tags).typical(std::vector{item_at(0), item_at(1)}, 5), IsEmpty());
  std::vector<std::vector<float>> same(9, {1});  // and of a single one nothing can be said
  const ItemTags one = tags_of(same);
  EXPECT_THAT(TagCatalogue(one).typical(std::vector{item_at(0), item_at(1)}, 5), IsEmpty());
}

}  // namespace
}  // namespace segue
