#include "framework/plot/render.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "framework/plot/script.hpp"
#include "framework/plot/text.hpp"
#include "tests/unit/plot/cases.hpp"

namespace segue::plot {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class Render : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("gnuplot --version >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "no gnuplot (apt-get install gnuplot-nox)";
    std::string pattern = (fs::temp_directory_path() / "segue-plot-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    if (!folder_.empty()) fs::remove_all(folder_);
  }
  fs::path folder_;
};

// Width and height in pixels from the PNG's header chunk.
std::pair<unsigned, unsigned> png_size(const std::string& bytes) {
  const auto big_endian = [&](std::size_t at) {
    unsigned v = 0;
    for (std::size_t i = at; i < at + 4; ++i) v = v << 8 | static_cast<unsigned char>(bytes[i]);
    return v;
  };
  return {big_endian(16), big_endian(20)};
}

TEST_F(Render, DrawsEveryCaseWithoutAWordFromGnuplot) {
  const char* gallery = std::getenv("SEGUE_PLOT_GALLERY");
  const fs::path folder = gallery != nullptr ? fs::path(gallery) : folder_ / "not" / "there yet's";
  for (const auto& [name, figure] : figure_cases()) {
    testing::internal::CaptureStderr();
    const RenderedFigure drawn = render(figure, folder / name);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << name;
    EXPECT_EQ(drawn.svg, folder / (name + ".svg"));
    EXPECT_EQ(png_size(bytes_of(drawn.png)).first, figure.size == FigureSize::kPage ? 2100u : 1020u)
        << name;  // 300 dpi
    EXPECT_THAT(bytes_of(drawn.pdf), testing::StartsWith("%PDF")) << name;
    EXPECT_TRUE(fs::exists(drawn.script) && fs::exists(drawn.data));
  }
  for (const auto& entry : fs::directory_iterator(folder))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("tmp"))) << "left behind";
}

std::string run(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string text;
  for (int c = 0; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  ::pclose(pipe);
  return text;
}

std::string xml_escaped(const std::string& text) {
  std::string out;
  for (char c : printable(text))
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);  // gnuplot leaves '>' alone
  return out;
}

TEST_F(Render, PrintsNastyLabelsLiterally) {
  for (const std::string name : {"bars-nasty", "curves-nasty", "latency-nasty"}) {
    for (const auto& [other, figure] : figure_cases()) {
      if (other != name) continue;
      const std::string svg = bytes_of(render(figure, folder_ / name).svg);
      std::size_t found = 0;
      for (const std::string& label : kNasty)
        found += svg.find("<text>" + xml_escaped(label) + "</text>") != std::string::npos ? 1 : 0;
      EXPECT_EQ(found, name[0] == 'b' ? 10u : name[0] == 'c' ? 5u : 8u) << name;
    }
  }
}

TEST_F(Render, TheSvgIsWellFormedTextWithTitleDescriptionAndFallbackFonts) {
  Figure figure = metric_bars({eight_systems()}, "Tom & Jerry's <best> of 100%");
  figure.description += " Ágætis & <more>.";
  const RenderedFigure drawn = render(figure, folder_ / "a");
  EXPECT_EQ(drawn.title, figure.title);
  EXPECT_EQ(drawn.description, figure.description);
  const std::string svg = bytes_of(drawn.svg);
  EXPECT_THAT(svg, HasSubstr("<title>Tom &amp; Jerry's &lt;best&gt; of 100%</title>"));
  EXPECT_THAT(svg, HasSubstr("Ágætis &amp; &lt;more&gt;.</desc>"));
  EXPECT_THAT(svg, HasSubstr("role=\"img\""));
  EXPECT_THAT(svg, HasSubstr("font-family=\"DejaVu Sans, Verdana, sans-serif\" font-weight=\"bold\""));
  EXPECT_THAT(svg, Not(HasSubstr("DejaVu Sans:Bold")));
  EXPECT_THAT(svg, Not(HasSubstr("font-family=\"DejaVu Sans\"")));
  EXPECT_THAT(svg, HasSubstr("<text>implicit_als</text>"));
  if (run("/usr/bin/python3 -c 'import xml.dom.minidom'") != "") GTEST_SKIP() << "no python3 to parse the svg";
  EXPECT_EQ(run("/usr/bin/python3 -c 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.argv[1])' " +
                drawn.svg.string()),
            "");
}

// The polygons of the svg, measured against the values: 0.2 is twice as long as 0.1, and both begin at the same place.
TEST_F(Render, BarsHaveTheLengthsOfTheirValues) {
  const Figure figure =
      metric_bars({{"m", Direction::kHigherIsBetter, {{"a", 0.2}, {"b", 0.1}, {"c", 0.05}}, "", "", ""}});
  const std::string svg = bytes_of(render(figure, folder_ / "a").svg);
  std::vector<double> left, right;
  for (std::size_t at = 0; (at = svg.find("points = '", at)) != std::string::npos; ++at) {
    double x0 = 0, y0 = 0, x1 = 0;
    ASSERT_EQ(std::sscanf(svg.c_str() + at, "points = '%lf,%lf %lf,", &x0, &y0, &x1), 3);
    left.push_back(std::min(x0, x1)), right.push_back(std::max(x0, x1));
  }
  ASSERT_EQ(left.size(), 3u);
  std::sort(right.begin(), right.end());
  EXPECT_NEAR(left[0], left[1], 0.02);
  EXPECT_NEAR((right[2] - left[0]) / (right[1] - left[0]), 2, 0.002);
  EXPECT_NEAR((right[2] - left[0]) / (right[0] - left[0]), 4, 0.005);
}

TEST_F(Render, EqualFiguresAreEqualBytesAndTheScriptStandsAlone) {
  // Whatever a person keeps in ~/.gnuplot must not matter.
  std::ofstream(folder_ / ".gnuplot") << "set key on box\nset title 'mine'\nset xrange [5:6]\n";
  const std::string home = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
  for (const auto& [name, figure] : figure_cases()) {
    if (name != "bars" && name != "curves-band" && name != "latency-nasty") continue;
    ::setenv("HOME", home.c_str(), 1);
    const RenderedFigure a = render(figure, folder_ / "a" / name);
    if (name == "bars") ::sleep(1);  // PDF dates count seconds
    ::setenv("HOME", folder_.c_str(), 1);
    const RenderedFigure b = render(figure, folder_ / "b" / name);
    for (const auto member : {&RenderedFigure::svg, &RenderedFigure::png, &RenderedFigure::pdf, &RenderedFigure::script,
                              &RenderedFigure::data}) {
      EXPECT_TRUE(bytes_of(a.*member) == bytes_of(b.*member)) << a.*member;
    }
    fs::create_directories(folder_ / "c");
    fs::copy_file(a.script, folder_ / "c" / (name + ".gp"));
    fs::copy_file(a.data, folder_ / "c" / (name + ".tsv"));
    EXPECT_EQ(run("cd " + (folder_ / "c").string() + " && HOME=/nonexistent gnuplot " + name + ".gp"), "");
    EXPECT_TRUE(bytes_of(a.svg) == bytes_of(folder_ / "c" / (name + ".svg")));
    EXPECT_TRUE(bytes_of(a.png) == bytes_of(folder_ / "c" / (name + ".png")));
    EXPECT_EQ(fs::file_size(a.pdf), fs::file_size(folder_ / "c" / (name + ".pdf")));
    EXPECT_THAT(bytes_of(a.script), Not(HasSubstr(folder_.string())));
  }
  ::setenv("HOME", home.c_str(), 1);
}

TEST_F(Render, WritesTheDataBesideThePicture) {
  const Figure figure = metric_bars(
      {{"m", Direction::kHigherIsBetter, {{"a\tb", 0.1234567890123, 0.1, 0.2}, {"#c", kNotANumber}}, "", "", ""}}, "T");
  EXPECT_EQ(bytes_of(render(figure, folder_ / "a").data),
            "# T\n# value\tlo\thi\trow\ttone\ttext\tname\n"
            "0.1234567890123\t0.1\t0.2\t1\t1\t0.1235\ta b\n"
            "NaN\tNaN\tNaN\t0\t3\tno value\t#c\n");
}

std::string environment_error(const Figure& figure, const fs::path& stem) {
  try {
    render(figure, stem);
  } catch (const EnvironmentError& error) {
    return error.what();
  }
  return "no error";
}

class FakeGnuplot : public Render {
 protected:
  void SetUp() override {
    Render::SetUp();
    path_ = std::getenv("PATH");
  }
  void TearDown() override {
    ::setenv("PATH", path_.c_str(), 1);
    Render::TearDown();
  }
  void install(const std::string& body) {
    fs::create_directories(folder_ / "bin");
    std::ofstream(folder_ / "bin" / "gnuplot") << "#!/bin/sh\n" << body << "\n";
    fs::permissions(folder_ / "bin" / "gnuplot", fs::perms::owner_all);
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
  }
  std::string path_;
};

TEST_F(FakeGnuplot, FailuresAreToldAndLeaveOldPicturesAlone) {
  const Figure figure = metric_bars({eight_systems()});
  const RenderedFigure good = render(figure, folder_ / "out" / "a");
  const std::string before = bytes_of(good.png);
  install("cat >/dev/null; echo 'out of ink' >&2; exit 3");
  EXPECT_EQ(environment_error(figure, folder_ / "out" / "a"), "gnuplot failed (status 3): out of ink\n");
  install("exit 1");  // without reading its script: no SIGPIPE may kill us
  Figure large = learning_curves({curve("a", 10, 1, 1)});
  large.note = std::string(300000, 'x');
  for (int i = 0; i < 3000; ++i) large.layers.emplace_back(Line{"", {1, 2}, {1, 2}, {}, {}, 0, false});
  EXPECT_THAT(environment_error(large, folder_ / "out" / "a"), HasSubstr("status 1"));
  install("cat >/dev/null; exit 0");  // as with a full disk
  EXPECT_EQ(environment_error(figure, folder_ / "out" / "a"), "gnuplot left 'a.svg' incomplete (0 bytes)");
  install("cat >/dev/null; kill -9 $$");
  EXPECT_THAT(environment_error(figure, folder_ / "out" / "a"), HasSubstr("status 137"));
  EXPECT_TRUE(bytes_of(good.png) == before);
  for (const auto& entry : fs::directory_iterator(folder_ / "out"))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("tmp")));
}

TEST_F(FakeGnuplot, AMissingGnuplotIsNamedWithItsPackage) {
  ::setenv("PATH", folder_.c_str(), 1);
  EXPECT_THAT(environment_error(metric_bars({eight_systems()}), folder_ / "a"),
              HasSubstr("apt-get install gnuplot-nox"));
}

TEST_F(Render, AFolderThatCannotBeMadeIsAnError) {
  std::ofstream(folder_ / "file");
  EXPECT_THAT(environment_error(metric_bars({eight_systems()}), folder_ / "file" / "a"),
              HasSubstr("cannot create folder"));
}

TEST(GnuplotScript, RefusesNamesThatNeedQuoting) {
  for (const std::string name : {"", "it's", "a b", "-x", ".hidden", "a/b", "a\"b", "a\nb", "é"})
    EXPECT_THROW(gnuplot_script(metric_bars({eight_systems()}), name), UsageError) << name;
  EXPECT_NO_THROW(gnuplot_script(metric_bars({eight_systems()}), "ndcg@10_full+1.v2"));
}

}  // namespace
}  // namespace segue::plot
