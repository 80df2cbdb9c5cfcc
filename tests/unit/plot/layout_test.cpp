#include "framework/plot/layout.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/plot/style.hpp"
#include "framework/plot/text.hpp"
#include "tests/unit/plot/cases.hpp"

namespace segue::plot {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Text, WidthsAreThoseOfTheFont) {
  // DejaVu Sans at 1000 points: "i" 278, "m" 974, digits 636, "." 318 (its hmtx table, as fc-scan and FreeType show
  // it).
  EXPECT_DOUBLE_EQ(text_width("im", 1000), 278 + 974);
  EXPECT_DOUBLE_EQ(text_width("0.1234", 7), (5 * 0.636 + 0.318) * 7);
  EXPECT_GT(text_width("0.1234", 7, true), text_width("0.1234", 7));
  EXPECT_DOUBLE_EQ(text_width("e\xCC\x81", 7), text_width("e", 7));  // a combining accent takes no room
  EXPECT_DOUBLE_EQ(text_width("", 7), 0);
}

TEST(Text, OnlyPrintableUtf8RemainsOfAnything) {
  EXPECT_EQ(printable("a\tb\nc\x7f"), "a b c ");
  EXPECT_EQ(printable("Ágætis 二 🎵"), "Ágætis 二 🎵");
  EXPECT_EQ(printable("a\xff\xc3"), "a??");
  EXPECT_EQ(printable("\xC2\x85"), " ");  // NEL, a control character beyond ASCII
}

TEST(Text, WrapsAtSpacesThenAtPunctuationThenAnywhere) {
  const double w = text_width("aaaaaaaa", 7);
  EXPECT_THAT(wrap_text("aaaa bbbb cccc", w, 7, 3), ElementsAre("aaaa", "bbbb", "cccc"));
  EXPECT_THAT(wrap_text("aaa aaa bbbb", w, 7, 3), ElementsAre("aaa aaa", "bbbb"));
  EXPECT_THAT(wrap_text("aaaaa,bbbbb", w, 7, 3), ElementsAre("aaaaa,", "bbbbb"));
  EXPECT_THAT(wrap_text("aaaaaaaaaa", w, 7, 3), ElementsAre("aaaaaaaa", "aa"));
  EXPECT_THAT(wrap_text("aaaa bbbb cccc", w, 7, 1), ElementsAre("aaaa…"));
  EXPECT_THAT(wrap_text("", w, 7, 1), ElementsAre(""));
  for (const std::string& line : wrap_text("A rather long name with-hyphens,commas=and_underscores", 60, 7, 4))
    EXPECT_LE(text_width(line, 7), 60) << line;
}

TEST(Ticks, AreRoundAndFewEnough) {
  EXPECT_THAT(linear_ticks(0, 0.2754, 6), ElementsAre(0, 0.05, 0.1, testing::DoubleEq(0.15), 0.2, 0.25));
  EXPECT_THAT(linear_ticks(0, 1, 3), ElementsAre(0, 0.5, 1));
  EXPECT_THAT(linear_ticks(1, 3, 9, true), ElementsAre(1, 2, 3));
  EXPECT_THAT(linear_ticks(-0.25, 0.25, 5), ElementsAre(-0.2, -0.1, 0, 0.1, 0.2));
  EXPECT_FALSE(std::signbit(linear_ticks(-1e-12, 1, 5).front()));
  EXPECT_THAT(tick_texts(linear_ticks(0, 0.2754, 6), false),
              ElementsAre("0.00", "0.05", "0.10", "0.15", "0.20", "0.25"));
  EXPECT_THAT(tick_texts({-1, -0.5, 0}, false), ElementsAre("−1.0", "−0.5", "0.0"));
  EXPECT_THAT(tick_texts({0, 2e6, 4e6}, false), ElementsAre("0", "2·10⁶", "4·10⁶"));
  EXPECT_THAT(tick_texts({0.0001, 0.1, 1, 100, 1e6}, true), ElementsAre("10⁻⁴", "0.1", "1", "100", "10⁶"));
  EXPECT_THROW(linear_ticks(1, 1, 5), LogicError);
}

TEST(Ticks, LogarithmicOnesAreDecadesAndTheirParts) {
  const LogTicks wide = log_ticks(2, 3000, 8);
  EXPECT_THAT(wide.major, ElementsAre(10, 100, 1000));
  EXPECT_EQ(wide.minor.size(), 8u + 8u + 8u + 2u);  // 2..9, 20..90, 200..900, 2000, 3000
  EXPECT_THAT(log_ticks(1, 1e12, 5).major, ElementsAre(1, 1e3, 1e6, 1e9, 1e12));
  EXPECT_THAT(log_ticks(3, 70, 8).major, ElementsAre(5, 10, 20, 50));
  AxisLayout narrow{41, 44, true, {}, {}};
  set_ticks(narrow, 8, false);
  EXPECT_GE(narrow.major.size(), 2u);
}

// The least-squares spread by dynamic programming over positions on a grid.
double best_spread_cost(const std::vector<double>& wanted, double height, double lo, double hi, double step) {
  const auto positions = static_cast<std::size_t>(std::round((hi - lo) / step)) + 1;
  const auto h = static_cast<std::size_t>(std::round(height / step));
  std::vector<double> before(positions, 0);
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    std::vector<double> after(positions, INFINITY);
    for (std::size_t p = 0; p < positions; ++p) {
      const double bottom = lo + step * static_cast<double>(p);
      if (bottom + height > hi + 1e-9 || (k > 0 && p < h)) continue;
      const double previous = k == 0 ? 0 : before[p - h];
      after[p] = previous + std::pow(bottom + height / 2 - wanted[k], 2);
    }
    for (std::size_t p = 1; p < positions; ++p) after[p] = std::min(after[p], after[p - 1]);
    before = after;
  }
  return before.back();
}

TEST(Spread, MovesLabelsAsLittleAsPossible) {
  EXPECT_THAT(spread({10, 30}, {8, 8}, 0, 100), ElementsAre(10, 30));
  EXPECT_THAT(spread({50, 50}, {8, 8}, 0, 100), ElementsAre(46, 54));
  EXPECT_THAT(spread({100, 100}, {8, 8}, 0, 100), ElementsAre(88, 96));
  EXPECT_THAT(spread({0, 1, 2}, {8, 8, 8}, 0, 100), ElementsAre(4, 12, 20));
  EXPECT_THAT(spread({60, 20}, {8, 16}, 0, 100), ElementsAre(60, 20));
  Rng rng(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> wanted;
    for (int i = 0; i < 5; ++i) wanted.push_back(std::floor(rng.uniform() * 60));
    std::sort(wanted.begin(), wanted.end());
    const std::vector<double> got = spread(wanted, std::vector<double>(5, 8), 0, 60);
    double cost = 0;
    for (std::size_t i = 0; i < 5; ++i) {
      cost += std::pow(got[i] - wanted[i], 2);
      if (i > 0) {
        EXPECT_GE(got[i] - got[i - 1], 8 - 1e-9);
      }
    }
    EXPECT_GE(got.front(), 4 - 1e-9);
    EXPECT_LE(got.back(), 56 + 1e-9);
    EXPECT_NEAR(cost, best_spread_cost(wanted, 8, 0, 60, 0.05), 0.2);  // the grid's step costs it a little
  }
}

TEST(Geometry, SegmentsCrossBoxes) {
  const Box box{0, 0, 10, 10};
  EXPECT_TRUE(crosses({-5, 5, 15, 5}, box));
  EXPECT_TRUE(crosses({2, 2, 3, 3}, box));
  EXPECT_TRUE(crosses({-1, 8, 3, 12}, box));
  EXPECT_FALSE(crosses({-5, 11, 15, 11}, box));
  EXPECT_FALSE(crosses({-3, 8, 1, 12}, box));
  EXPECT_FALSE(crosses({-5, 5, -1, 5}, box));
}

TEST(PlaceLabels, TwentyCrowdedPointsKeepTheirLabelsApart) {
  Rng rng(11);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<std::pair<double, double>> points;
    std::vector<LabelSize> sizes;
    for (int i = 0; i < 20; ++i) {
      points.emplace_back(60 + 100 * rng.uniform(), 40 + 60 * rng.uniform());
      sizes.push_back({20 + 20 * rng.uniform(), 8});
    }
    const Box area{20, 10, 240, 140};
    const std::vector<PlacedLabel> placed = place_labels(points, sizes, 4.5, {}, area);
    for (std::size_t i = 0; i < placed.size(); ++i) {
      EXPECT_GE(placed[i].box.x0, area.x0);
      EXPECT_LE(placed[i].box.x1, area.x1);
      EXPECT_GE(placed[i].box.y0, area.y0);
      EXPECT_LE(placed[i].box.y1, area.y1);
      for (std::size_t j = 0; j < i; ++j)
        EXPECT_FALSE(overlap(placed[i].box, placed[j].box)) << trial << ": " << i << " and " << j;
    }
  }
}

TEST(Layout, NothingIsClippedAndNoTextsOverlapInAnyCase) {
  for (const auto& [name, figure] : figure_cases()) {
    const Layout layout = lay_out(figure);
    ASSERT_FALSE(layout.texts.empty());
    for (std::size_t i = 0; i < layout.texts.size(); ++i) {
      const Text& text = layout.texts[i];
      const Box box = text.box();
      EXPECT_GE(box.x0, 0) << name << ": " << text.text;
      EXPECT_LE(box.x1, layout.width) << name << ": " << text.text;
      EXPECT_GE(box.y0, 0) << name << ": " << text.text;
      EXPECT_LE(box.y1, layout.height) << name << ": " << text.text;
      EXPECT_GE(text.size, style::kSmallSize);
      for (std::size_t j = 0; j < i; ++j)
        EXPECT_FALSE(overlap(box, layout.texts[j].box()))
            << name << ": '" << text.text << "' and '" << layout.texts[j].text << "'";
    }
    EXPECT_NEAR(layout.width, figure.size == FigureSize::kColumn ? 244.8 : 504, 1e-9);
    EXPECT_GT(layout.plot.x1 - layout.plot.x0, (figure.x.hidden ? 0.25 : 0.3) * layout.width) << name;
    if (!figure.x.hidden) {
      EXPECT_GE(layout.x.major.size() + layout.y.major.size(), 2u) << name;
    }
  }
}

TEST(Layout, LabelsOfPointsKeepOffTheMarks) {
  for (const auto& [name, figure] : figure_cases()) {
    const Layout layout = lay_out(figure);
    for (const Layer& layer : figure.layers) {
      const auto* points = std::get_if<Points>(&layer);
      if (points == nullptr) continue;
      for (const Point& p : points->points) {
        const double x = layout.x_at(p.x), y = layout.y_at(p.y), r = style::kMarker / 2;
        for (const Text& text : layout.texts) {
          const Box b = text.box();
          EXPECT_FALSE(overlap({x - r, y - r, x + r, y + r}, {b.x0, b.y0 + 1, b.x1, b.y1 - 1}))
              << name << ": " << text.text << " on " << p.label;
        }
      }
    }
  }
}

TEST(Layout, AxesMapValuesToPlaces) {
  const Figure figure = accuracy_latency(eight_latencies());
  const Layout layout = lay_out(figure);
  EXPECT_DOUBLE_EQ(layout.x_at(layout.x.lo), layout.plot.x0);
  EXPECT_DOUBLE_EQ(layout.x_at(layout.x.hi), layout.plot.x1);
  EXPECT_NEAR(layout.x_at(100) - layout.x_at(10), layout.x_at(1000) - layout.x_at(100), 1e-9);  // decades are equal
  const Layout bars = lay_out(metric_bars({eight_systems()}));
  EXPECT_EQ(bars.x.lo, 0);
  EXPECT_EQ(bars.x.hi, 0.2830);  // the longest whisker; the value stands beyond it
}

TEST(Layout, RefusesWhatCannotBeDrawn) {
  const auto message = [](const Figure& figure) -> std::string {
    try {
      lay_out(figure);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "no error";
  };
  Figure figure;
  figure.title = "empty";
  EXPECT_EQ(message(figure), "figure 'empty' shows nothing");
  figure.layers.emplace_back(Bars{{Bar{0, 1}}});
  EXPECT_THAT(message(figure), HasSubstr("have no categories"));
  figure.layers = {Points{{{1, 1, "a"}}}};
  figure.x = {"Latency", "µs", AxisScale::kLog, std::pair{0.0, 10.0}, {}};
  EXPECT_THAT(message(figure), HasSubstr("axis 'Latency' cannot span 0 to 10"));
  figure.x.range = std::pair{3.0, 3.0};
  EXPECT_THAT(message(figure), HasSubstr("cannot span"));
  figure.layers = {Line{"l", {1, 2}, {1}, {}, {}, 0, false}};
  EXPECT_THROW(lay_out(figure), LogicError);
}

}  // namespace
}  // namespace segue::plot
