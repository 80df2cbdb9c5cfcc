// The work behind lay_out(), shared by layout.cpp (ranges, margins, heights, grid) and layout_names.cpp (names of rows,
// lines and points). Nobody else includes it.
#pragma once

#include <string>
#include <vector>

#include "framework/plot/layout.hpp"
#include "framework/plot/style.hpp"

namespace segue::plot::detail {

inline constexpr double kLine = style::kTextSize * style::kLeading;
inline constexpr double kSmallLine = style::kSmallSize * style::kLeading;
inline constexpr double kSampleLength = 14;  // of a line in the legend
inline constexpr double kLeaderRoom = 8;     // between plot and names, for the lines that lead to moved labels

inline constexpr double kLabelWidth = 0.28;  // of the figure that a free label beside the plot may take

// A piece of text in lines, the later of which may be small.
struct Lines {
  std::vector<std::string> text;
  std::size_t small_from = 1000;  // lines from here on are small and faint
  double size(std::size_t line) const { return line < small_from ? style::kTextSize : style::kSmallSize; }
  double leading(std::size_t line) const { return size(line) * style::kLeading; }
  double width(bool bold = false) const;
  double height() const;
};

class Builder {
 public:
  explicit Builder(const Figure& figure) : f_(figure) {}
  Layout build();
  bool crowded() const { return crowded_; }  // names along lines do not fit between them

 private:
  // The frame.
  void fit_ranges();
  void check_layers() const;
  void measure_left();
  void measure_right();
  void measure_free_labels();
  double row_height() const;
  double plot_height() const;
  void stack_vertically();
  double stack_x_ticks(double y);
  std::vector<Lines> own_x_ticks(double span);
  double stack_key(double y);
  void grid();
  void row_grid();
  void rules();

  // What stands in it.
  void numeric_y_ticks();
  void row_names();
  void bar_texts();
  void row_point_names(const Points& points);
  void cell_texts(const Cells& cells);
  void line_names();
  void line_names_at_right(const std::vector<const Line*>& lines);
  void line_names_along(const std::vector<const Line*>& lines);
  void point_names();
  void free_labels();

  void add(const std::string& text, double x, double y, Align align, double size = style::kTextSize, bool bold = false,
           const char* color = style::kText);
  // Lines of text about the middle height y.
  void add(const Lines& lines, double x, double y, Align align, const char* color, bool bold = false);
  double free_x(double value) const;
  double free_y(double value) const;

  const Figure& f_;
  Layout out_;
  bool rows_ = false, bars_ = false, scatter_ = false, crowded_ = false;
  double left_ = 0, right_ = 0, label_room_ = 0;  // label_room_: above the plot, for labels at its upper edge
  std::vector<Lines> row_lines_, line_lines_;
};

// At most `most_lines` lines; "als factors=32" is its name, then its parameters in smaller lines, where that fits.
Lines name_lines(const std::string& name, double most, bool bold = false, std::size_t most_lines = 2);

template <class Kind, class Visit>
void for_each_layer(const Figure& figure, Visit visit) {
  for (const Layer& layer : figure.layers) {
    if (const auto* kind = std::get_if<Kind>(&layer)) visit(*kind);
  }
}

}  // namespace segue::plot::detail
