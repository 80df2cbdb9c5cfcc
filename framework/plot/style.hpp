// The only owner of how figures look. Lengths are points (1/72 inch) on paper.
//
// Colours: Okabe & Ito, "Color Universal Design" (2008): distinguishable with every common colour-vision deficiency.
// Its yellow is left out because thin yellow lines vanish on white paper.
#pragma once

#include <array>
#include <cstddef>

#include "framework/plot/figure.hpp"

namespace segue::plot::style {

inline constexpr std::array<const char*, 7> kPalette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                        "#000000", "#E69F00", "#56B4E9"};
// The same hues, darkened for names in the colour of their curve: at least 4.5:1 on white.
inline constexpr std::array<const char*, 7> kTextPalette = {"#0072B2", "#B04E00", "#007A59", "#A0527F",
                                                            "#000000", "#8F6200", "#2A73A0"};
// After the palette is used up, its colours return with the next dash pattern (gnuplot's "on,off" lengths; "" is
// solid).
inline constexpr std::array<const char*, 3> kDashes = {"", "(8,4)", "(2,3)"};

// One a position of the palette, as gnuplot's point types: filled circle, square, triangle, diamond, triangle down,
// pentagon, then the same hollow. Twelve series stay apart in a black-and-white print.
inline constexpr std::array<int, 12> kMarks = {7, 5, 9, 13, 11, 15, 6, 4, 8, 12, 10, 14};
inline constexpr int kRoundMark = 7, kRing = 6, kMeanMark = 13;
// Cells, from empty to dark; kText reads at 4.5:1 or better on each, and each is 15 % or more darker than the last.
inline constexpr std::array<const char*, 4> kShades = {"#EDEDED", "#CFE3F0", "#9CC5E0", "#5FA3CC"};

inline constexpr const char* kText = "#1A1A1A";
inline constexpr const char* kFaintText = "#595959";  // 7:1 on white
inline constexpr const char* kAxis = "#4D4D4D";
inline constexpr const char* kGrid = "#E3E3E3";
inline constexpr const char* kGuide = "#8C8C8C";
inline constexpr const char* kBackground = "#FFFFFF";

constexpr const char* mark_color(Tone tone) {
  switch (tone) {
    case Tone::kBest:
      return "#0072B2";
    case Tone::kFaint:
      return "#B8BEC4";
    case Tone::kFailed:
      return "#D55E00";
    case Tone::kPlain:
      break;
  }
  return "#9DC3DC";  // the blue of kBest at 40 %
}
constexpr const char* text_color(Tone tone) {
  return tone == Tone::kFailed ? "#B34700" : tone == Tone::kFaint ? kFaintText : kText;
}

// DejaVu Sans comes with gnuplot's fontconfig, so every machine draws the same; it is also among the widest
// sans-serifs, so a viewer who lacks it sees a narrower font and no clipped text. Verdana has its proportions.
inline constexpr const char* kFont = "DejaVu Sans";
inline constexpr const char* kSvgFallback = "Verdana, sans-serif";
inline constexpr double kTextSize = 7, kTitleSize = 8, kSmallSize = 6;
inline constexpr double kLeading = 1.25;  // line distance / text size

constexpr int mark(std::size_t series) { return kMarks[series % kMarks.size()]; }
constexpr double width(FigureSize size) { return size == FigureSize::kColumn ? 3.4 * 72 : 7.0 * 72; }
constexpr double plot_height(FigureSize size) { return size == FigureSize::kColumn ? 128 : 200; }  // except bars
inline constexpr double kPngDotsPerInch = 300;

inline constexpr double kPad = 3;          // between the figure's edge and anything
inline constexpr double kGap = 4;          // between axis and text
inline constexpr double kBarShare = 0.66;  // of a row
inline constexpr double kAxisWidth = 0.5, kGridWidth = 0.4, kLineWidth = 1.1, kGuideWidth = 0.7, kIntervalWidth = 0.7;
inline constexpr double kHeavyWidth = 2.6;  // bars that join what does not differ
inline constexpr double kMarker = 4.5;      // diameter
inline constexpr double kSlot = 5.5;        // between marks above each other in a row
inline constexpr double kCellGap = 0.8;     // between cells
constexpr double rule_width(Weight weight) {
  return weight == Weight::kHeavy ? kHeavyWidth : weight == Weight::kAxis ? kAxisWidth : kGridWidth;
}
inline constexpr double kBandOpacity = 0.18;
inline constexpr double kLabelShare = 0.38;  // of the width that names beside the plot may take

}  // namespace segue::plot::style
