// When items are heard, against shares counted by hand, and what that does to another algorithm's order.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "algorithms/time_of_day/time_of_day_math.hpp"
#include "framework/data/task.hpp"
#include "tests/support/fitted.hpp"
#include "tests/support/logs.hpp"

extern "C" {
void segue_register_algorithm_popular(segue::Registry&);
void segue_register_algorithm_time_of_day(segue::Registry&);
}

namespace segue::test {
namespace {

constexpr std::int64_t kHour = 3600;

Histories plays_of(const std::vector<std::pair<std::size_t, std::int64_t>>& plays) {
  std::vector<ItemIdx> items;
  std::vector<std::int64_t> times;
  for (const auto& [item, time] : plays) items.push_back(item_at(item)), times.push_back(time);
  const std::size_t n = items.size();
  return Histories(std::vector<std::uint64_t>{0, n}, std::move(items), std::move(times), std::vector<float>(n, 1.0f),
                   std::vector<EventKind>(n, EventKind::kPlay), std::vector<std::uint32_t>(n, 0));
}

ItemTags tags_of(std::size_t tags, const std::vector<std::vector<std::pair<std::size_t, float>>>& rows) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> ids;
  std::vector<float> weights;
  for (const auto& row : rows) {
    for (const auto& [tag, weight] : row) ids.push_back(static_cast<TermIdx>(tag)), weights.push_back(weight);
    offsets.push_back(ids.size());
  }
  ItemTags out;
  out.weights = Csr<TermIdx>(tags, std::move(offsets), std::move(ids), std::move(weights));
  std::vector<std::string> names;
  for (std::size_t t = 0; t < tags; ++t) names.push_back(fmt::format("tag {}", t));
  out.tags = StringTable(names);
  return out;
}

TEST(TimeOfDay, HoursAreOfTheClock) {
  EXPECT_EQ(hour_of(0), 0);
  EXPECT_EQ(hour_of(kHour - 1), 0);
  EXPECT_EQ(hour_of(kHour), 1);
  EXPECT_EQ(hour_of(20000 * 24 * kHour + 23 * kHour), 23);
  EXPECT_EQ(hour_of(-1), 23);
}

TEST(TimeOfDay, LiftsByHand) {
  // Item 0: three plays at 8 h, one at 20 h. Item 1: four plays at 20 h. Item 2: none.
  const Histories plays = plays_of({{0, 8 * kHour},
                                    {0, 8 * kHour + 1},
                                    {0, 32 * kHour},
                                    {0, 20 * kHour},
                                    {1, 20 * kHour},
                                    {1, 20 * kHour},
                                    {1, 44 * kHour},
                                    {1, 20 * kHour}});
  const Matrix<float> lifts = hour_lifts(plays, 3, nullptr, {.bandwidth = 0, .prior = 2});
  ASSERT_EQ(lifts.rows(), 3);
  ASSERT_EQ(lifts.cols(), kHoursOfDay);
  const double at8 = 3.0 / 8, at20 = 5.0 / 8;
  EXPECT_FLOAT_EQ(lifts(0, 8), static_cast<float>(std::log((3 + 2 * at8) / 6 / at8)));
  EXPECT_FLOAT_EQ(lifts(0, 20), static_cast<float>(std::log((1 + 2 * at20) / 6 / at20)));
  EXPECT_FLOAT_EQ(lifts(1, 8), static_cast<float>(std::log((0 + 2 * at8) / 6 / at8)));
  EXPECT_EQ(lifts(2, 8), 0);
  EXPECT_EQ(lifts(0, 3), 0);  // nobody plays anything then
  // Shares of an item add up to 1 over the hours.
  for (const int item : {0, 1, 2})
    EXPECT_NEAR(std::exp(lifts(item, 8)) * at8 + std::exp(lifts(item, 20)) * at20, 1, 1e-6);
}

TEST(TimeOfDay, ASkipIsNoPlay) {
  const Histories plays(std::vector<std::uint64_t>{0, 3}, std::vector<ItemIdx>{ItemIdx{0}, ItemIdx{1}, ItemIdx{1}},
                        std::vector<std::int64_t>{8 * kHour, 8 * kHour, 20 * kHour}, std::vector<float>(3, 1.0f),
                        std::vector<EventKind>{EventKind::kPlay, EventKind::kSkip, EventKind::kPlay},
                        std::vector<std::uint32_t>(3, 0));
  EXPECT_TRUE(same_bits(hour_lifts(plays, 2, nullptr, {}),
                        hour_lifts(plays_of({{0, 8 * kHour}, {1, 20 * kHour}}), 2, nullptr, {})));
}

TEST(TimeOfDay, TagsSpeakForItemsWithoutPlays) {
  const Histories plays = plays_of({{0, 8 * kHour}, {0, 8 * kHour}, {1, 20 * kHour}, {1, 20 * kHour}});
  const ItemTags tags = tags_of(2, {{{0, 1}}, {{1, 1}}, {{0, 3}, {1, 1}}, {}});
  const Matrix<float> lifts = hour_lifts(plays, 4, &tags, {.bandwidth = 0, .prior = 2});
  const double of0 = (2 + 2 * 0.5) / 4, of1 = (0 + 2 * 0.5) / 4;  // each tag's share of plays at 8 h
  EXPECT_FLOAT_EQ(lifts(2, 8), static_cast<float>(std::log((0.75 * of0 + 0.25 * of1) / 0.5)));
  EXPECT_FLOAT_EQ(lifts(0, 8), static_cast<float>(std::log((2 + 2 * of0) / 4 / 0.5)));
  EXPECT_EQ(lifts(3, 8), 0);
}

TEST(TimeOfDay, ABellReachesAroundMidnight) {
  const Histories plays = plays_of({{0, 23 * kHour}, {1, 12 * kHour}});
  const Matrix<float> lifts = hour_lifts(plays, 2, nullptr, {.bandwidth = 2, .prior = 1});
  EXPECT_GT(lifts(0, 1), 0);
  const auto share = [](int hour, int centre) {  // of a play at `centre`
    const auto bell = [](int away) { return std::exp(-away * away / 8.0); };
    double sum = 0;
    for (int h = -11; h <= 12; ++h) sum += bell(h);
    const int away = std::abs(hour - centre);
    return bell(std::min(away, 24 - away)) / sum;
  };
  for (int h = 0; h < kHoursOfDay; ++h) {
    const double all = (share(h, 23) + share(h, 12)) / 2;
    EXPECT_NEAR(lifts(0, h), std::log((share(h, 23) + all) / 2 / all), 1e-6) << h;
    EXPECT_NEAR(lifts(1, h), std::log((share(h, 12) + all) / 2 / all), 1e-6) << h;
  }
  EXPECT_LT(lifts(1, 1), 0);
}

TEST(TimeOfDay, RaisesWhatIsHeardNow) {
  Registry registry;
  segue_register_algorithm_popular(registry);
  segue_register_algorithm_time_of_day(registry);
  Log log;  // "everyday" is heard most; "breakfast" and "night" by as many, at their hours
  for (int u = 0; u < 12; ++u) {
    log.push_back({fmt::format("u{}", u), "everyday", (u * 5 % 24) * kHour + 24 * kHour * u});
    if (u % 2 == 0) log.push_back({fmt::format("u{}", u), "breakfast", 8 * kHour + 24 * kHour * u + 7});
    if (u % 2 == 1) log.push_back({fmt::format("u{}", u), "nightcap", 22 * kHour + 24 * kHour * u + 7});
  }
  const Dataset data = dataset_of(log);
  TaskSpec task;
  task.split.strategy = "random_ratio";
  task.split.test = 0.05;
  const PreparedFold fold = prepare_fold(data, task, "all");
  const Executor exec(1);
  Curve curve;
  const auto scores = [&](std::vector<std::pair<std::string, Value>> params, std::int64_t now) {
    params.emplace_back("of", Value::string("popular"));
    const auto model = registry.make("time_of_day", params_of(std::move(params)));
    FitContext ctx{exec, Rng(1), curve};
    model->fit({fold.train, fold.train_histories, fold.facets}, ctx);
    Query query;
    query.now = now;
    return scores_of(*model, {&query, 1});
  };
  const auto item = [&](const char* name) { return static_cast<Eigen::Index>(*fold.items.find(name)); };
  const Value strong = Value::real(3), little = Value::real(1);
  const Matrix<float> morning = scores({{"weight", strong}, {"prior", little}}, 8 * kHour),
                      evening = scores({{"weight", strong}, {"prior", little}}, 22 * kHour);
  EXPECT_GT(morning(0, item("breakfast")), morning(0, item("nightcap")));
  EXPECT_LT(evening(0, item("breakfast")), evening(0, item("nightcap")));
  const Matrix<float> alone = scores({{"weight", Value::real(0)}}, 8 * kHour),
                      later = scores({{"weight", Value::real(0)}}, 22 * kHour);
  EXPECT_TRUE(same_bits(alone, later));
  EXPECT_GT(alone(0, item("everyday")), alone(0, item("breakfast")));
}

}  // namespace
}  // namespace segue::test
