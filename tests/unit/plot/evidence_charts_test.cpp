#include <algorithm>
#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/plot/layout.hpp"
#include "framework/plot/script.hpp"
#include "tests/unit/plot/cases.hpp"

namespace segue::plot {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string usage_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

template <class Kind>
std::vector<Kind> layers(const Figure& figure) {
  std::vector<Kind> out;
  for (const Layer& layer : figure.layers) {
    if (const auto* kind = std::get_if<Kind>(&layer)) out.push_back(*kind);
  }
  return out;
}

bool prints(const Figure& figure, const std::string& text) {
  const Layout layout = lay_out(figure);
  return std::any_of(layout.texts.begin(), layout.texts.end(), [&](const Text& t) { return t.text == text; });
}

TEST(Words, NumbersAreWrittenForPaper) {
  EXPECT_EQ(p_text(0.0004, 3), "<.001");
  EXPECT_EQ(p_text(0.001, 3), ".001");
  EXPECT_EQ(p_text(0.0321, 3), ".032");
  EXPECT_EQ(p_text(0.0321, 2), ".03");
  EXPECT_EQ(p_text(0.9999, 3), "1");
  EXPECT_EQ(p_text(1, 2), "1");
  EXPECT_EQ(p_text(0, 2), "<.01");
  EXPECT_EQ(p_text(kNotANumber, 3), "–");
  EXPECT_EQ(duration_text(0.25), "250 ns");
  EXPECT_EQ(duration_text(20), "20 µs");
  EXPECT_EQ(duration_text(999.6), "1 ms");
  EXPECT_EQ(duration_text(1500), "1.5 ms");
  EXPECT_EQ(duration_text(2.5e6), "2.5 s");
  EXPECT_EQ(bytes_text(512), "512 B");
  EXPECT_EQ(bytes_text(1.25e6), "1.25 MB");
  EXPECT_EQ(bytes_text(3e12), "3 TB");
  EXPECT_EQ(share_text(0), "0 %");
  EXPECT_EQ(share_text(0.004), "<1 %");
  EXPECT_EQ(share_text(0.625), "62 %");
  EXPECT_EQ(share_text(0.999), ">99 %");
  EXPECT_EQ(share_text(1), "100 %");
  // numpy.quantile([1, 2, 4, 8], [0, .25, .5, .9, 1])
  const std::vector<double> sorted = {1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(quantile_of_sorted(sorted, 0), 1);
  EXPECT_DOUBLE_EQ(quantile_of_sorted(sorted, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile_of_sorted(sorted, 0.5), 3);
  EXPECT_DOUBLE_EQ(quantile_of_sorted(sorted, 0.9), 6.8);
  EXPECT_DOUBLE_EQ(quantile_of_sorted(sorted, 1), 8);
  EXPECT_TRUE(std::isnan(quantile_of_sorted({}, 0.5)));
}

TEST(Figures, EveryOneSaysWhatItShowsAndIsTheSameEachTime) {
  const auto once = figure_cases(), again = figure_cases();
  for (std::size_t i = 0; i < once.size(); ++i) {
    const auto& [name, figure] = once[i];
    EXPECT_GT(figure.description.size(), 20u) << name;
    EXPECT_EQ(figure.description.back(), '.') << name;
    EXPECT_THAT(figure.description, Not(HasSubstr(" ;"))) << name;
    EXPECT_FALSE(figure.x.label.empty() && figure.y.label.empty()) << name;
    const GnuplotScript a = gnuplot_script(figure, "a"), b = gnuplot_script(again[i].second, "a");
    EXPECT_TRUE(a.script == b.script && a.data == b.data) << name;
    EXPECT_THAT(a.data, HasSubstr("\n# ")) << name << " has no data";
  }
}

TEST(MetricBars, TiedWithTheBestIsMarkedAndExplained) {
  MetricBarGroup group{"m", Direction::kHigherIsBetter, {{"a", 0.3}, {"b", 0.29}, {"c", 0.1}}, "", "", ""};
  group.bars[0].tied = group.bars[1].tied = true;  // the best is trivially tied with itself and needs no mark
  group.tied = "paired t-test, 5 %";
  const Figure figure = metric_bars({group});
  const std::vector<Bar> bars = layers<Bars>(figure).front().bars;
  EXPECT_EQ(bars[0].text, "0.3000");
  EXPECT_EQ(bars[1].text, "0.2900 ○");
  EXPECT_EQ(bars[2].text, "0.1000");
  EXPECT_EQ(figure.note, "○ Not distinguishable from the best: paired t-test, 5 %.");
  EXPECT_THAT(figure.description, HasSubstr("b 0.2900, not distinguishable from the best;"));
  group.bars[1].tied = false;
  EXPECT_EQ(metric_bars({group}).note, "");
}

TEST(MetricAgainstCutoff, EveryCutoffIsATickAndAMark) {
  const Figure figure = metric_against_cutoff(cutoffs({"a", "b"}, true));
  EXPECT_EQ(figure.x.scale, AxisScale::kLog);
  EXPECT_EQ(figure.x.unit, "items");
  EXPECT_EQ(figure.y.label, "nDCG@k, higher is better");
  const Layout layout = lay_out(figure);
  EXPECT_THAT(layout.x.major, ElementsAre(1, 2, 5, 10, 20, 50, 100));
  EXPECT_EQ(layers<Line>(figure)[0].marks, Marks::kAll);
  EXPECT_EQ(layers<Line>(figure)[0].lo.size(), 7u);
  EXPECT_EQ(figure.note, "Bands: 95 % bootstrap interval over users.");
  const Figure many = metric_against_cutoff(cutoffs({"a", "b", "c", "d", "e", "f", "g"}, true));
  EXPECT_TRUE(layers<Line>(many)[0].lo.empty());
  EXPECT_EQ(many.note, "Intervals of 7 systems would hide each other and are left out.");
  EXPECT_EQ(many.names, Names::kInLegend);
  EXPECT_EQ(metric_against_cutoff({"m", Direction::kHigherIsBetter, {5, 10, 20}, {{"a", {1, 2, 3}}}}).x.scale,
            AxisScale::kLinear);
}

TEST(MetricAgainstCutoff, RefusesWhatWouldMislead) {
  MetricAgainstCutoff data = cutoffs({"a"}, false);
  data.cutoffs[1] = 1;
  EXPECT_EQ(usage_error([&] { metric_against_cutoff(data); }), "cutoffs of nDCG@k must ascend from above zero");
  data = cutoffs({"a"}, false);
  data.curves[0].values.pop_back();
  EXPECT_EQ(usage_error([&] { metric_against_cutoff(data); }),
            "'a' has 6 values and intervals of 0 and 0 at 7 cutoffs");
  data.curves[0].values.assign(7, kNotANumber);
  EXPECT_EQ(usage_error([&] { metric_against_cutoff(data); }), "no system has a value of nDCG@k");
}

TEST(ParameterSensitivity, SortsValuesAndMarksTheDefault) {
  ParameterSensitivity data{
      "factors", "m", Direction::kHigherIsBetter, {{"a", {{64, 0.3}, {8, 0.1}, {16, 0.2}}, 16, {}}}};
  const Figure figure = parameter_sensitivity(data);
  EXPECT_THAT(layers<Line>(figure)[0].x, ElementsAre(8, 16, 64));
  EXPECT_THAT(layers<Line>(figure)[0].y, ElementsAre(0.1, 0.2, 0.3));
  EXPECT_EQ(figure.x.scale, AxisScale::kLinear);
  EXPECT_EQ(layers<Rules>(figure)[0].rules[0].x0, 16);
  EXPECT_TRUE(prints(figure, "default 16"));
  EXPECT_EQ(figure.description,
            "m (higher is better) against factors. The default 16. a: 0.1000 at 8, 0.2000 at 16, 0.3000 at 64.");
  data.curves[0].settings.push_back({256, 0.2});
  EXPECT_EQ(parameter_sensitivity(data).x.scale, AxisScale::kLog);
  data.scale = AxisScale::kLinear;
  EXPECT_EQ(parameter_sensitivity(data).x.scale, AxisScale::kLinear);

  data.curves.push_back({"b", {{8, 0.1}, {64, 0.2}}, 100, {}});  // another default, and one that was not tried
  const Figure two = parameter_sensitivity(data);
  EXPECT_TRUE(layers<Rules>(two).empty());
  const std::vector<Point> rings = layers<Points>(two)[0].points;
  ASSERT_EQ(rings.size(), 1u);
  EXPECT_TRUE(rings[0].ring);
  EXPECT_EQ(rings[0].x, 16);
  EXPECT_EQ(two.note, "Rings: defaults. Defaults that were not tried: 100 (b).");
}

TEST(ParameterSensitivity, NamesStandBesideEachOtherWithoutALine) {
  const auto named = [](const std::string& name, double mean) {
    Setting s;
    s.name = name, s.mean = mean;
    return s;
  };
  const Figure figure = parameter_sensitivity({"similarity",
                                               "m",
                                               Direction::kHigherIsBetter,
                                               {{"a", {named("cosine", 0.3), named("jaccard", 0.2)}, {}, "jaccard"},
                                                {"b", {named("jaccard", 0.1)}, {}, "jaccard"}}});
  EXPECT_FALSE(layers<Line>(figure)[0].connected);
  EXPECT_LT(layers<Line>(figure)[0].x[1], layers<Line>(figure)[1].x[0]);
  EXPECT_EQ(layers<Rules>(figure)[0].rules[0].x0, 1);
  EXPECT_THAT(figure.description, HasSubstr("The default is jaccard."));
  EXPECT_TRUE(prints(figure, "cosine"));
}

TEST(ParameterSensitivity, RefusesWhatWouldMislead) {
  const auto error = [](std::vector<SensitivityCurve> curves, std::optional<AxisScale> scale = {}) {
    return usage_error([&] {
      parameter_sensitivity({"p", "m", Direction::kHigherIsBetter, std::move(curves), "", "", "", scale});
    });
  };
  Setting named;
  named.name = "x", named.mean = 1;
  EXPECT_EQ(error({}), "no value of p has a value of m");
  EXPECT_EQ(error({{"a", {{1, 1}, named}}}), "'p' has both names and numbers as values");
  EXPECT_EQ(error({{"a", {{1, 1}, {1, 2}}}}), "'a' has two results at the same value of p");
  EXPECT_EQ(error({{"a", {{kNotANumber, 1}}}}), "'a' has a result at no value of p");
  EXPECT_EQ(error({{"a", {{0, 1}, {1, 2}}}}, AxisScale::kLog),
            "p has the value 0, which has no place on a logarithmic axis");
}

TEST(LatencyCdf, IsTheEmpiricalDistribution) {
  const Figure figure = latency_cdf({{"a", {30, 10, 20, 40}}, {"none", {}}, {"b", {50, -1, kNotANumber}}});
  const Line a = layers<Line>(figure)[0];
  EXPECT_THAT(a.x, ElementsAre(10, 10, 10, 20, 20, 30, 30, 40, 40));
  EXPECT_THAT(a.y, ElementsAre(0, 0, 25, 25, 50, 50, 75, 75, 100));
  const std::vector<Point> dots = layers<Points>(figure)[0].points;
  EXPECT_DOUBLE_EQ(dots[0].x, 25);  // p50 by linear interpolation, as the latency table has it
  EXPECT_DOUBLE_EQ(dots[1].x, 39.7);
  EXPECT_EQ(figure.note, "2 samples are not positive numbers and are left out. Without samples: none.");
  EXPECT_THAT(figure.description, HasSubstr("a: p50 25 µs, p99 39.7 µs;"));
  EXPECT_EQ(usage_error([] { latency_cdf({{"a", {}}}); }), "no system has latency samples");
  std::vector<double> many;
  for (int i = 1; i <= 5000; ++i) many.push_back(i);
  const Line thin = layers<Line>(latency_cdf({{"a", many}}))[0];
  EXPECT_LT(thin.x.size(), 1000u);
  for (std::size_t i = 2; i < thin.x.size(); i += 2) EXPECT_NEAR(thin.y[i], thin.x[i] / 50, 1e-9);
  EXPECT_EQ(thin.y.back(), 100);
}

TEST(LatencyCdf, NamesStandAtTheCurvesWhereThereIsRoomElseInALegend) {
  for (const auto& [name, figure] : figure_cases()) {
    if (name == "cdf-three") {
      EXPECT_EQ(lay_out(figure).samples.size(), 0u);
    }
    if (name == "cdf") {
      EXPECT_EQ(lay_out(figure).samples.size(), 6u);
    }
  }
}

TEST(PerBin, RowsAreBinsWithTheirShares) {
  PerBin data{"m",
              Direction::kHigherIsBetter,
              {{"cold", 0.25}, {"warm", 0.75}},
              {{"a", {{0.1, 0.05, 0.15}, {0.3}}}, {"b", {{}, {0.2}}}},
              "95 % interval"};
  const Figure figure = per_bin(data);
  EXPECT_EQ(figure.y.categories[0].text, "cold");
  EXPECT_EQ(figure.y.categories[0].detail, "25 % of queries");
  const std::vector<Point> dots = layers<Points>(figure)[0].points;
  ASSERT_EQ(dots.size(), 4u);
  EXPECT_LT(dots[0].y, dots[1].y);
  EXPECT_LT(std::abs(dots[0].y), 0.5);
  EXPECT_NEAR(dots[2].y - dots[0].y, 1, 1e-12);
  EXPECT_EQ(dots[0].lo, 0.05);
  EXPECT_TRUE(std::isnan(dots[3].lo));
  EXPECT_TRUE(prints(figure, "b: no value"));
  EXPECT_TRUE(prints(figure, "25 % of queries"));
  EXPECT_EQ(figure.note, "Whiskers: 95 % interval.");
  EXPECT_EQ(figure.description,
            "m (higher is better) by bin. cold (25 % of queries): a 0.1000, b no value; warm (75 % of queries): a "
            "0.3000, b 0.2000.");
  const Figure many = per_bin(bins(kLongNames));
  EXPECT_EQ(many.key.size(), 12u);
  EXPECT_FALSE(layers<Points>(many)[0].named);
  data.systems[0].bins.pop_back();
  EXPECT_EQ(usage_error([&] { per_bin(data); }), "'a' has values for 1 of 2 bins");
  data.systems = {{"a", {{}, {}}}};
  EXPECT_EQ(usage_error([&] { per_bin(data); }), "no system has a value of m in any bin");
  data.bins.clear();
  EXPECT_EQ(usage_error([&] { per_bin(data); }), "m has no bins to show");
}

TEST(ScoreDistributions, StripsHaveTheQuantilesAndZerosAreSaid) {
  const Figure figure = score_distributions(
      {"m",
       Direction::kHigherIsBetter,
       {{"low", {0, 0, 0.2, 0.4, 0.4}}, {"high", {0, 0.5, 1, 0.75, 0.25, kNotANumber}}, {"gone", {}}}});
  const std::vector<Strip> strips = layers<Strips>(figure)[0].strips;
  EXPECT_EQ(figure.y.categories[0].text, "high");
  EXPECT_DOUBLE_EQ(strips[0].p25, 0.25);
  EXPECT_DOUBLE_EQ(strips[0].p50, 0.5);
  EXPECT_DOUBLE_EQ(strips[0].p75, 0.75);
  EXPECT_DOUBLE_EQ(strips[0].p95, 0.95);
  EXPECT_DOUBLE_EQ(strips[0].mean, 0.5);
  EXPECT_EQ(strips[0].text, "20 % zeros");
  EXPECT_EQ(strips[1].text, "40 % zeros");
  EXPECT_THAT(figure.note, HasSubstr("Without values: gone."));
  const Figure none = score_distributions({"m", Direction::kLowerIsBetter, {{"a", {0.5, 0.7}}, {"b", {0.1, 0.2}}}});
  EXPECT_EQ(none.y.categories[0].text, "b");
  EXPECT_EQ(layers<Strips>(none)[0].strips[0].text, "");
  EXPECT_EQ(usage_error([] {
              score_distributions({"m", Direction::kHigherIsBetter, {{"a", {kNotANumber}}}});
            }),
            "no system has values of m");
}

TEST(ScoreDistributions, ZerosAndOnesAreSharesNotQuantiles) {
  const Figure figure = score_distributions({"Hit@10", Direction::kHigherIsBetter, {{"a", {0, 1, 1, 1}}}});
  EXPECT_TRUE(layers<Strips>(figure).empty());
  const Bar bar = layers<Bars>(figure)[0].bars[0];
  EXPECT_EQ(bar.value, 0.75);
  EXPECT_EQ(bar.text, "0.7500, 25 % zeros");
  EXPECT_EQ(figure.x.label, "Share of users with Hit@10 = 1");
  EXPECT_THAT(figure.note, HasSubstr("Every value is 0 or 1"));
}

TEST(AccuracyCost, TheFrontOfThreeIsThatOfATextbookComparison) {
  Rng rng(9);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<AccuracyCostPoint> points;
    for (int i = 0; i < 12; ++i)
      points.push_back({"p", 1 + std::floor(rng.uniform() * 4), std::floor(rng.uniform() * 4) / 4,
                        1 + std::floor(rng.uniform() * 4)});
    const std::vector<bool> front = pareto_front(points, Direction::kHigherIsBetter);
    for (std::size_t i = 0; i < points.size(); ++i) {
      bool beaten = false;
      for (const AccuracyCostPoint& q : points) {
        const double gain[3] = {points[i].latency_us - q.latency_us, points[i].memory - q.memory,
                                q.mean - points[i].mean};
        beaten = beaten || (*std::min_element(gain, gain + 3) >= 0 && *std::max_element(gain, gain + 3) > 0);
      }
      EXPECT_EQ(front[i], !beaten);
    }
  }
}

TEST(AccuracyCost, MarksGrowWithMemoryAndTheKeySaysHow) {
  const Figure figure =
      accuracy_cost({"m",
                     Direction::kHigherIsBetter,
                     {{"small", 1, 0.1, 1e6}, {"large", 10, 0.3, 1e9}, {"beaten", 10, 0.2, 1e9}, {"gone", 1, 0.1}},
                     ""});
  const std::vector<Points> points = layers<Points>(figure);
  EXPECT_TRUE(points[0].points[0].ring);  // dominated, so hollow
  EXPECT_EQ(points[0].points[0].label, "beaten");
  EXPECT_EQ(points[1].points[0].detail, "1 MB");
  EXPECT_LT(points[1].points[0].diameter, points[1].points[1].diameter);
  ASSERT_EQ(figure.key.size(), 5u);
  EXPECT_EQ(figure.key[0].text, "Peak memory:");
  EXPECT_EQ(figure.key[4].text, "1 GB");
  EXPECT_DOUBLE_EQ(figure.key[4].diameter, points[1].points[1].diameter);
  EXPECT_THAT(figure.note, HasSubstr("Not shown, for want of a value: gone."));
  EXPECT_EQ(usage_error([] {
              accuracy_cost({"m", Direction::kHigherIsBetter, {{"a", 1, 1}}, ""});
            }),
            "no system has all of m, a latency and memory");
}

}  // namespace
}  // namespace segue::plot
