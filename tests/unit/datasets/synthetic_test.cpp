#include "datasets/synthetic/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "tests/unit/datasets/loading.hpp"

namespace segue::test {
namespace {

using testing::HasSubstr;

synthetic::Params small() {
  synthetic::Params p;
  p.users = 400, p.items = 1'200, p.interactions = 20'000;
  return p;
}

TEST(Synthetic, HasAsManyDistinctPairsAsAskedFor) {
  const Dataset data = synthetic::make(small());
  EXPECT_EQ(data.users.size(), 400u);
  EXPECT_EQ(data.items.size(), 1'200u);
  EXPECT_EQ(data.events.size(), 20'000u) << (data.notes.size() > 1 ? data.notes[1] : "");
  std::set<std::pair<UserIdx, ItemIdx>> pairs;
  std::set<UserIdx> users;
  for (std::size_t i = 0; i < data.events.size(); ++i) {
    pairs.emplace(data.events[i].user, data.events[i].item);
    users.insert(data.events[i].user);
  }
  EXPECT_EQ(pairs.size(), data.events.size());
  EXPECT_EQ(users.size(), 400u);
}

TEST(Synthetic, ColumnsAreInCanonicalOrder) {
  const Dataset data = synthetic::make(small());
  const Events sorted(data.events.rows());
  EXPECT_TRUE(std::ranges::equal(sorted.users().span(), data.events.users().span()));
  EXPECT_TRUE(std::ranges::equal(sorted.items().span(), data.events.items().span()));
  EXPECT_TRUE(std::ranges::equal(sorted.times().span(), data.events.times().span()));
  const Vocab ids(data.items.table().to_vector());
  EXPECT_EQ(ids[10], data.items[10]);
}

TEST(Synthetic, EqualParametersGiveEqualContentAndAnotherSeedAnother) {
  synthetic::Params other = small();
  other.seed = 2;
  EXPECT_EQ(synthetic::make(small()).fingerprint(), synthetic::make(small()).fingerprint());
  EXPECT_NE(synthetic::make(small()).fingerprint(), synthetic::make(other).fingerprint());
}

// Without taste, and far from the cap, the count of every item follows its weight. The most popular item has rank 0.
TEST(Synthetic, PopularityIsZipf) {
  synthetic::Params p;
  p.users = 20'000, p.items = 4'000, p.interactions = 60'000, p.factors = 0, p.zipf = 1.2, p.activity = 0;
  const Dataset data = synthetic::make(p);
  std::vector<double> counts(4'000, 0);
  for (const ItemIdx item : data.events.items()) ++counts[raw(item)];
  std::sort(counts.rbegin(), counts.rend());
  double sum = 0;
  for (std::size_t r = 0; r < counts.size(); ++r) sum += std::pow(static_cast<double>(r) + 20, -1.2);
  double head = 0, expected = 0;
  for (std::size_t r = 0; r < 200; ++r) head += counts[r], expected += 60'000 * std::pow(static_cast<double>(r) + 20, -1.2) / sum;
  // Six standard deviations of a binomial; a user's events are distinct, which takes a little of the head away.
  EXPECT_NEAR(head, expected, 6 * std::sqrt(expected) + 0.01 * expected);
}

// What a user hears is to his taste: the items of a user go together, which they do not where taste is off.
TEST(Synthetic, UsersHaveTastes) {
  // Squares of the numbers of users who share a pair of items, over all pairs: clusters make them larger.
  const auto clustering = [](double taste) {
    synthetic::Params p = small();
    p.taste = taste, p.factors = 2, p.zipf = 0, p.users = 4'000, p.items = 160, p.interactions = 40'000, p.activity = 0;
    const Dataset data = synthetic::make(p);
    std::vector<double> together(160 * 160, 0);
    for (std::size_t first = 0; first < data.events.size();) {
      std::size_t last = first;
      while (last < data.events.size() && data.events[last].user == data.events[first].user) ++last;
      for (std::size_t i = first; i < last; ++i)
        for (std::size_t j = first; j < last; ++j)
          if (i != j) ++together[raw(data.events[i].item) * 160 + raw(data.events[j].item)];
      first = last;
    }
    double squares = 0;
    for (const double t : together) squares += t * t;
    return squares;
  };
  EXPECT_GT(clustering(20), 1.2 * clustering(0));
}

TEST(Synthetic, RatingsAreStars) {
  synthetic::Params p = small();
  p.ratings = true;
  const Dataset data = synthetic::make(p);
  EXPECT_TRUE(data.has_ratings);
  std::set<float> stars(data.events.values().begin(), data.events.values().end());
  EXPECT_EQ(stars, (std::set<float>{1, 2, 3, 4, 5}));
  EXPECT_EQ(data.events.kinds()[0], EventKind::kRating);
}

TEST(Synthetic, RefusesNumbersThatDoNotFit) {
  const auto folder = temp_folder();
  EXPECT_THAT(error_of("synthetic", {{"users", Value::integer(100)}, {"interactions", Value::integer(50)}}, folder, ExitCode::kUsage),
              HasSubstr("interactions = 50 is less than users = 100"));
  EXPECT_THAT(error_of("synthetic", {{"users", Value::integer(10)}, {"items", Value::integer(80)}, {"interactions", Value::integer(60)}}, folder, ExitCode::kUsage),
              HasSubstr("at most 50"));
}

}  // namespace
}  // namespace segue::test
