// The two diagrams of many comparisons.
#include <algorithm>
#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/plot/layout.hpp"
#include "framework/plot/style.hpp"
#include "tests/unit/plot/cases.hpp"

namespace segue::plot {
namespace {

using testing::HasSubstr;

std::string usage_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

template <class Kind>
const Kind& layer(const Figure& figure) {
  for (const Layer& l : figure.layers) {
    if (const auto* kind = std::get_if<Kind>(&l)) return *kind;
  }
  throw UsageError("no such layer");
}

std::vector<Rule> heavy_bars(const Figure& figure) {
  std::vector<Rule> out;
  for (const Rule& rule : layer<Rules>(figure).rules) {
    if (rule.weight == Weight::kHeavy) out.push_back(rule);
  }
  return out;
}

CriticalDifference with_ranks(const std::vector<double>& ranks, double difference) {
  CriticalDifference data{{}, difference, "14 data sets", "Nemenyi, 5 %"};
  for (const double r : ranks) data.systems.push_back({fmt::format("s{:g}", r), r});
  return data;
}

// The example of Demšar (2006), section 3.2.2: at 5 % (CD 1.25) nothing is told apart; at 10 % (CD 1.12) C4.5 is worse
// than two others, and C4.5+cf belongs to both groups.
TEST(CriticalDifference, JoinsWhatLiesWithinTheDifference) {
  EXPECT_EQ(heavy_bars(critical_difference(with_ranks({3.143, 2.000, 2.893, 1.964}, 1.25))).size(), 1u);
  const std::vector<Rule> two = heavy_bars(critical_difference(with_ranks({3.143, 2.000, 2.893, 1.964}, 1.12)));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_NEAR(two[0].x0, 1.964, 0.05);
  EXPECT_NEAR(two[0].x1, 2.893, 0.05);
  EXPECT_NEAR(two[1].x0, 2.893, 0.05);
  EXPECT_NEAR(two[1].x1, 3.143, 0.05);
  EXPECT_NE(two[0].y0, two[1].y0) << "bars that overlap lie on different heights";
  const Figure none = critical_difference(with_ranks({3.143, 2.000, 2.893, 1.964}, 0.01));
  EXPECT_TRUE(heavy_bars(none).empty());
  EXPECT_EQ(none.note, "All systems differ (Nemenyi, 5 %).");
}

// Against all pairs: two systems share a bar exactly where their ranks differ by at most the critical difference, and
// no bar lies within another.
TEST(CriticalDifference, BarsSayWhatAllPairsSay) {
  Rng rng(21);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> ranks;
    for (int i = 0; i < 8; ++i) ranks.push_back(1 + std::floor(rng.uniform() * 29) / 4);
    const double cd = 0.3 + 3 * rng.uniform();
    const std::vector<Rule> bars = heavy_bars(critical_difference(with_ranks(ranks, cd)));
    const auto joined = [&](double a, double b) {
      return std::any_of(bars.begin(), bars.end(),
                         [&](const Rule& bar) { return bar.x0 <= std::min(a, b) && std::max(a, b) <= bar.x1; });
    };
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(joined(ranks[i], ranks[j]), std::abs(ranks[i] - ranks[j]) <= cd);
    }
    for (std::size_t i = 0; i < bars.size(); ++i) {
      for (std::size_t j = 0; j < bars.size(); ++j) {
        if (i == j) continue;
        EXPECT_FALSE(bars[i].x0 >= bars[j].x0 && bars[i].x1 <= bars[j].x1) << "a bar within another";
        EXPECT_TRUE(bars[i].y0 != bars[j].y0 || bars[i].x1 < bars[j].x0 || bars[j].x1 < bars[i].x0) << "bars touch";
      }
    }
  }
}

TEST(CriticalDifference, DrawsTheDifferenceToScaleWithItsValue) {
  const Figure figure = critical_difference(ranks(kSystems, 0.9));
  const Layout layout = lay_out(figure);
  const auto as_long = [&](const Stroke& s) {
    return s.line.y0 == s.line.y1 && std::abs((s.line.x1 - s.line.x0) - (layout.x_at(1.9) - layout.x_at(1))) < 1e-9;
  };
  EXPECT_EQ(std::count_if(layout.strokes.begin(), layout.strokes.end(), as_long), 1);
  EXPECT_TRUE(
      std::any_of(layout.texts.begin(), layout.texts.end(), [](const Text& t) { return t.text == "CD = 0.9"; }));
  EXPECT_THAT(figure.description, HasSubstr("CD = 0.9. implicit_als 1.65;"));
  EXPECT_EQ(figure.y.label, "Mean rank over 943 users, 1 is best");
}

// No leader may strike a name or a rank out.
TEST(CriticalDifference, LeadersKeepOffTheTexts) {
  for (const auto& [name, figure] : figure_cases()) {
    if (!name.starts_with("ranks")) continue;
    const Layout layout = lay_out(figure);
    for (const Stroke& stroke : layout.strokes) {
      for (const Text& text : layout.texts) {
        const Box box = text.box();
        EXPECT_FALSE(crosses(stroke.line, {box.x0, box.y0 + 1, box.x1, box.y1 - 1})) << name << ": " << text.text;
      }
    }
  }
}

TEST(CriticalDifference, TakesGroupsFromAnotherTestAndRefusesWhatABarCannotSay) {
  CriticalDifference data = with_ranks({1.5, 3.5, 2.5, 2.6}, kNotANumber);
  data.cliques = {{2, 0}, {3}};
  const Figure figure = critical_difference(data);
  ASSERT_EQ(heavy_bars(figure).size(), 1u);
  EXPECT_NEAR(heavy_bars(figure)[0].x1, 2.5, 0.05);
  EXPECT_THAT(figure.description, HasSubstr("Not different: s1.5, s2.5."));
  data.cliques = {{0, 1}};
  EXPECT_EQ(usage_error([&] { critical_difference(data); }),
            "a group of 2 systems is not consecutive in mean rank, so no bar can join it");
  data.cliques = {{0, 9}};
  EXPECT_THAT(usage_error([&] { critical_difference(data); }), HasSubstr("not consecutive"));
  EXPECT_EQ(usage_error([] {
              critical_difference(with_ranks({1, kNotANumber}, 1));
            }),
            "a diagram of mean ranks needs at least two systems with ranks");
  EXPECT_EQ(usage_error([] {
              critical_difference(with_ranks({1, 2.5}, 1));
            }),
            "'s2.5' has the mean rank 2.5, but 2 systems rank from 1 to 2");
}

TEST(PValueHeatmap, RowsAreBestFirstAndArrowsPointToTheBetter) {
  PValueHeatmap data{"m",
                     Direction::kHigherIsBetter,
                     {{"low", 0.1}, {"failed", 0.9, kNotANumber, kNotANumber, true}, {"high", 0.3}, {"middle", 0.2}},
                     {},
                     0.05,
                     "t-test"};
  data.pairs = {{0, 2, 0.0001, -0.2}, {0, 3, 0.03, -0.1}, {3, 2, 0.2, -0.1}, {1, 0, 0.01, 0.8}};
  const Figure figure = p_value_heatmap(data);
  const std::vector<Cell>& cells = layer<Cells>(figure).cells;
  ASSERT_EQ(cells.size(), 3u);  // the failed system's pair is not shown
  EXPECT_THAT(figure.y.categories[1].text, HasSubstr("high"));
  EXPECT_THAT(figure.y.categories[3].text, HasSubstr("low"));
  EXPECT_EQ(cells[0].category, 1u);  // high against low, whatever the order in the pair
  EXPECT_EQ(cells[0].column, 1u);
  EXPECT_EQ(cells[0].shade, 3u);
  EXPECT_EQ(cells[0].mark, "◀");
  EXPECT_EQ(cells[0].text, "<.001");
  EXPECT_EQ(cells[1].shade, 1u);
  EXPECT_EQ(cells[1].mark, "◀");
  EXPECT_EQ(cells[2].shade, 0u);
  EXPECT_EQ(cells[2].mark, "◁");
  EXPECT_EQ(figure.note, "◀ row better, ▲ column better; filled where p < .05. t-test. Without values: failed.");
  EXPECT_THAT(figure.description, HasSubstr("high above low: p <.001;"));

  data.pairs = {{0, 2, 0.001, 0.2}};  // the test's difference contradicts the means: the arrow follows the test
  EXPECT_EQ(layer<Cells>(p_value_heatmap(data)).cells[0].mark, "▲");
  data.direction = Direction::kLowerIsBetter;
  const Figure lower = p_value_heatmap(data);
  EXPECT_THAT(lower.y.categories[1].text, HasSubstr("low"));
  EXPECT_EQ(layer<Cells>(lower).cells[0].mark, "▲");  // low - high = +0.2, and less would be better
  data.pairs = {{0, 2, 1, 0}};
  EXPECT_EQ(layer<Cells>(p_value_heatmap(data)).cells[0].mark, "=");
}

TEST(PValueHeatmap, TheKeyFollowsTheLevel) {
  PValueHeatmap data = p_values({"a", "b"});
  data.alpha = 0.01;
  data.pairs[0].p = 0.02;
  const Figure figure = p_value_heatmap(data);
  EXPECT_EQ(layer<Cells>(figure).cells[0].shade, 0u);
  ASSERT_EQ(figure.key.size(), 3u);
  EXPECT_EQ(figure.key[1].text, "p < .01");
  EXPECT_EQ(figure.key[2].text, "p < .001");
  EXPECT_EQ(usage_error([&] { data.alpha = 1, p_value_heatmap(data); }),
            "a significance level of 1 is not between 0 and 1");
  data = p_values({"a", "b"});
  data.pairs[0].b = 7;
  EXPECT_THAT(usage_error([&] { p_value_heatmap(data); }), HasSubstr("of 2"));
  data.pairs.clear();
  EXPECT_EQ(usage_error([&] { p_value_heatmap(data); }), "no p-value belongs to two systems with values of nDCG@10");
  data.systems.resize(1);
  EXPECT_EQ(usage_error([&] { p_value_heatmap(data); }), "p-values of nDCG@10 need at least two systems with values");
}

// Grey: the shades must differ in lightness, and black text must read on each (WCAG contrast of 4.5).
TEST(Style, ShadesWorkWithoutColour) {
  const auto channel = [](const char* color, int i) {
    return std::stoi(std::string(color).substr(1 + 2 * static_cast<std::size_t>(i), 2), nullptr, 16) / 255.0;
  };
  const auto luminance = [&](const char* color) {
    const double weight[3] = {0.2126, 0.7152, 0.0722};
    double sum = 0;
    for (int i = 0; i < 3; ++i) {
      const double c = channel(color, i);
      sum += weight[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
  };
  for (std::size_t i = 0; i < style::kShades.size(); ++i) {
    EXPECT_GT((luminance(style::kShades[i]) + 0.05) / (luminance(style::kText) + 0.05), 4.5);
    if (i > 0) {
      EXPECT_LT(luminance(style::kShades[i]), 0.88 * luminance(style::kShades[i - 1]));
    }
  }
  for (const char* color : style::kTextPalette) EXPECT_GT(1.05 / (luminance(color) + 0.05), 4.5) << color;
}

TEST(CellTexts, FitTheirCellsOrAreLeftOut) {
  for (const auto& [name, figure] : figure_cases()) {
    if (!name.starts_with("pvalues")) continue;
    const Layout layout = lay_out(figure);
    const double room = layout.x_at(1) - layout.x_at(0);
    for (const Text& text : layout.texts) {
      if (text.align != Align::kCenter || text.y < layout.plot.y0 || text.y > layout.plot.y1) continue;
      EXPECT_LT(text.box().x1 - text.box().x0, room) << name << ": " << text.text;
    }
  }
}

}  // namespace
}  // namespace segue::plot
