#include "framework/plot/charts.hpp"

#include <algorithm>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "tests/unit/plot/cases.hpp"

namespace segue::plot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> names(const Figure& figure) {
  std::vector<std::string> out;
  for (const Category& category : figure.y.categories) out.push_back(category.text);
  return out;
}

std::vector<std::string> values(const Figure& figure) {
  std::vector<std::string> out;
  for (const Bar& bar : std::get<Bars>(figure.layers.front()).bars) out.push_back(bar.text);
  return out;
}

template <class F>
std::string usage_error(F f) {
  try {
    f();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

TEST(MetricBars, BestFirstFailedLastTiesInTheOrderGiven) {
  const MetricBarGroup group{"nDCG@10",
                             Direction::kHigherIsBetter,
                             {{"failed", 0.9, kNotANumber, kNotANumber, true},
                              {"low", 0.1},
                              {"nan", kNotANumber},
                              {"tie_a", 0.3},
                              {"tie_b", 0.3},
                              {"zero", 0}},
                             "",
                             "",
                             ""};
  const Figure figure = metric_bars({group});
  EXPECT_THAT(names(figure), ElementsAre("tie_a", "tie_b", "low", "zero", "failed", "nan"));
  EXPECT_THAT(values(figure), ElementsAre("0.3000", "0.3000", "0.1000", "0.0000", "failed", "no value"));
  const std::vector<Bar>& bars = std::get<Bars>(figure.layers.front()).bars;
  EXPECT_EQ(bars[0].tone, Tone::kBest);
  EXPECT_EQ(bars[1].tone, Tone::kBest);
  EXPECT_EQ(bars[2].tone, Tone::kPlain);
  EXPECT_EQ(bars[4].tone, Tone::kFailed);
  EXPECT_TRUE(std::isnan(bars[4].value));  // whatever a failed trial left is not drawn
  EXPECT_EQ(figure.x.label, "nDCG@10, higher is better");
  EXPECT_EQ(figure.description,
            "Bar chart of nDCG@10 (higher is better). tie_a 0.3000; tie_b 0.3000; low 0.1000; zero 0.0000; failed "
            "failed; nan no value.");

  MetricBarGroup rmse = group;
  rmse.direction = Direction::kLowerIsBetter;
  EXPECT_THAT(names(metric_bars({rmse})), ElementsAre("zero", "low", "tie_a", "tie_b", "failed", "nan"));
}

TEST(MetricBars, DecimalsSuitTheSize) {
  const auto text = [](double v) {
    return values(metric_bars({{"m", Direction::kHigherIsBetter, {{"a", v}}, "", "", ""}})).front();
  };
  EXPECT_EQ(text(0.27191), "0.2719");
  EXPECT_EQ(text(0.0123456), "0.0123");
  EXPECT_EQ(text(0.000123456), "0.000123");
  EXPECT_EQ(text(1.23456), "1.235");
  EXPECT_EQ(text(123.456), "123.5");
  EXPECT_EQ(text(123456.7), "123457");
  EXPECT_EQ(text(-0.5), "−0.5000");
}

TEST(MetricBars, SaysWhatItsWhiskersAre) {
  EXPECT_EQ(metric_bars({eight_systems()}).note, "Whiskers: 95 % bootstrap interval over users.");
  MetricBarGroup half = eight_systems();
  for (MetricBar& bar : half.bars) bar.hi = kNotANumber;
  EXPECT_EQ(metric_bars({half}).note, "");
  EXPECT_TRUE(std::isnan(std::get<Bars>(metric_bars({half}).layers.front()).bars.front().lo));
}

TEST(MetricBars, GroupsStandUnderHeadingsAndShareTheMetric) {
  MetricBarGroup a = eight_systems(), b = eight_systems();
  a.bars.resize(1), b.bars.resize(2);
  a.heading = "first", b.heading = "second";
  const Figure figure = metric_bars({a, b});
  EXPECT_THAT(names(figure), ElementsAre("first", "popular", "second", "popular", "random"));
  EXPECT_TRUE(figure.y.categories[2].heading);
  EXPECT_EQ(std::get<Bars>(figure.layers.front()).bars[1].category, 3u);
  b.metric = "Recall@10";
  EXPECT_EQ(usage_error([&] { metric_bars({a, b}); }), "one bar chart cannot show both 'nDCG@10' and 'Recall@10'");
  EXPECT_THAT(usage_error([] { metric_bars({}); }), HasSubstr("at least one group"));
  a.bars.clear();
  EXPECT_EQ(usage_error([&] { metric_bars({a}); }), "'nDCG@10' has no bars under 'first'");
}

TEST(LearningCurves, NamesSeriesAndUnits) {
  const Figure one = learning_curves({curve("a", 3, 1, 1), curve("b", 5, 1, 1)});
  EXPECT_EQ(one.y.label, "nDCG@10 on validation");
  EXPECT_EQ(std::get<Line>(one.layers[1]).label, "b");
  EXPECT_THAT(one.description, HasSubstr(" b ends at "));
  EXPECT_THAT(one.description, HasSubstr("in epoch 5."));
  const Figure two = learning_curves({curve("a", 3, 1, 1, "loss"), curve("a", 3, 1, 1, "validation loss")});
  EXPECT_EQ(two.y.label, "loss, validation loss");
  EXPECT_EQ(std::get<Line>(two.layers[1]).label, "a, validation loss");
  std::vector<LearningCurve> curves;
  for (int i = 0; i < 6; ++i) curves.push_back(curve("c" + std::to_string(i), 3, 1, 1));
  EXPECT_EQ(learning_curves(curves).names, Names::kAtEnds);
  curves.push_back(curve("seventh", 3, 1, 1));
  EXPECT_EQ(learning_curves(curves).names, Names::kInLegend);
}

TEST(LearningCurves, RefusesWhatWouldMislead) {
  LearningCurve short_one = curve("a", 3, 1, 1);
  short_one.values.pop_back();
  EXPECT_EQ(usage_error([&] { learning_curves({short_one}); }),
            "learning curve 'a' has 3 epochs but 2 values and bands of 0 and 0");
  LearningCurve other = curve("b", 3, 1, 1);
  other.unit = "s";
  EXPECT_THAT(usage_error([&] { learning_curves({curve("a", 3, 1, 1), other}); }), HasSubstr("cannot share an axis"));
  EXPECT_THAT(usage_error([] { learning_curves({}); }), HasSubstr("at least one curve"));
  EXPECT_THAT(usage_error([] {
                learning_curves({{"a", "loss", "", {1}, {kNotANumber}, {}, {}}});
              }),
              HasSubstr("no learning curve has a value"));
  EXPECT_EQ(
      learning_curves({curve("a", 3, 1, 1), {"gone", "nDCG@10 on validation", "", {1}, {kNotANumber}, {}, {}}}).note,
      "Without values: gone.");
}

// The textbook sweep: by latency, a point is on the front where it beats all that are faster (equal points share).
std::vector<bool> front_by_sweep(const std::vector<AccuracyLatencyPoint>& points, double sign) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(points[a].latency_us, -sign * points[a].mean) <
           std::pair(points[b].latency_us, -sign * points[b].mean);
  });
  std::vector<bool> front(points.size());
  double best = -1e300, best_latency = -1;
  for (const std::size_t i : order) {
    const double mean = sign * points[i].mean;
    if (mean > best)
      best = mean, best_latency = points[i].latency_us, front[i] = true;
    else
      front[i] = mean == best && points[i].latency_us == best_latency;
  }
  return front;
}

TEST(AccuracyLatency, TheFrontIsTheSweepsFront) {
  Rng rng(5);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<AccuracyLatencyPoint> points;
    for (int i = 0; i < 12; ++i)
      points.push_back({"p", std::floor(rng.uniform() * 8) + 1, std::floor(rng.uniform() * 8) / 8});  // many ties
    EXPECT_EQ(pareto_front(points, Direction::kHigherIsBetter), front_by_sweep(points, 1));
    EXPECT_EQ(pareto_front(points, Direction::kLowerIsBetter), front_by_sweep(points, -1));
  }
}

TEST(AccuracyLatency, DrawsFrontAsStepsAndNamesWhatIsMissing) {
  AccuracyLatency data{
      "nDCG@10",
      Direction::kHigherIsBetter,
      {{"slow", 100, 0.3}, {"fast", 10, 0.1}, {"beaten", 50, 0.05}, {"nan", kNotANumber, 0.2}, {"zero", 0, 0.2}},
      "",
      "Latency"};
  const Figure figure = accuracy_latency(data);
  const Line& line = std::get<Line>(figure.layers[0]);
  EXPECT_THAT(line.x, ElementsAre(10, 100, 100));
  EXPECT_THAT(line.y, ElementsAre(0.1, 0.1, 0.3));
  EXPECT_EQ(std::get<Points>(figure.layers[1]).points.front().label, "beaten");
  EXPECT_EQ(std::get<Points>(figure.layers[1]).points.front().tone, Tone::kFaint);
  EXPECT_EQ(std::get<Points>(figure.layers[2]).points.size(), 2u);
  EXPECT_THAT(figure.note, HasSubstr("Not shown, for want of a value: nan, zero."));
  EXPECT_EQ(figure.x.unit, "µs");
  data.points.resize(0);
  EXPECT_THAT(usage_error([&] { accuracy_latency(data); }), HasSubstr("no system has both nDCG@10 and a latency"));
}

}  // namespace
}  // namespace segue::plot
