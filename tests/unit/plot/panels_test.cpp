// A stack of panels as a script, and drawn.
#include "framework/plot/panels.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "framework/base/errors.hpp"
#include "framework/plot/render.hpp"
#include "framework/plot/script.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::plot {
namespace {

using testing::HasSubstr;
using testing::Not;

PanelStack stack() {
  PanelStack out{.title = "A <song> & its 'b-side'",
                 .description = "Everything",
                 .note = "small print",
                 .x_label = "time [s]",
                 .x_range = {0, 12},
                 .panels = {}};
  Panel raster{.title = "Grid", .y_label = "Hz", .y_range = {0, 2}, .y_ticks = {{0.5, "low"}, {1.5, "high"}}};
  raster.raster = Raster{3, 2, {0, 1, 2, 3, 4, 50}, 0, 4};
  raster.level = 1.5;
  Panel wave{.title = "Wave", .y_label = "amplitude", .y_range = {-1, 1}};
  wave.outline = Outline{{0, 6, 12}, {-0.5, -0.2, 0}, {0.5, 0.3, 0}};
  wave.marks = {1, 2.5};
  out.panels = {wave, raster, Panel{.title = "Nothing", .y_label = ""}};
  return out;
}

TEST(Panels, AreAScriptAndItsData) {
  const GnuplotScript script = gnuplot_script(stack(), "song");
  EXPECT_THAT(script.script, HasSubstr("set label 1 'A <song> & its ''b-side'''"));
  EXPECT_THAT(script.script, HasSubstr("'song.tsv' index 2 matrix using (0+($1+0.5)*4):(0+($2+0.5)*1):3 with image"));
  EXPECT_THAT(script.script, HasSubstr("'song.tsv' index 0 using 1:2:3 with filledcurves"));
  EXPECT_THAT(script.script, HasSubstr("'song.tsv' index 1 using 1:(-1):(0):(2) with vectors"));
  EXPECT_THAT(script.data, HasSubstr("0\t1\t2\n3\t4\t4\n"));  // cut at the end of the scale
  EXPECT_THAT(script.script, HasSubstr("&lt;song&gt; &amp;"));
  EXPECT_THROW(gnuplot_script(stack(), "../song"), UsageError);
}

TEST(Panels, AreDrawn) {
  const test::TempFolder folder;
  const RenderedFigure figure = render(stack(), folder.path() / "song");
  for (const auto& file : {figure.svg, figure.png, figure.pdf, figure.script, figure.data})
    EXPECT_GT(std::filesystem::file_size(file), 100u) << file;
  std::ifstream in(figure.svg);
  const std::string svg((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_THAT(svg, HasSubstr("<desc>Everything"));
  EXPECT_THAT(svg, HasSubstr("<image"));
  EXPECT_THAT(svg, Not(HasSubstr("Gnuplot</title>")));
  EXPECT_EQ(figure.title, stack().title);
}

}  // namespace
}  // namespace segue::plot
