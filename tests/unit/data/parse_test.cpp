#include "framework/data/parse.hpp"

#include <gtest/gtest.h>

namespace segue {
namespace {

// Expected values: date -u -d '...' +%s
TEST(ParseTime, Patterns) {
  EXPECT_EQ(parse_time("01-Jan-1995", "%d-%b-%Y"), 788918400);
  EXPECT_EQ(parse_time("29 february 2000 23:59:60", "%d %b %Y %T"), 951868800);
  EXPECT_EQ(parse_time("3/5/22", "%m/%d/%y"), 1646438400);
  EXPECT_EQ(parse_time("12/31/69", "%m/%d/%y"), -86400);
  EXPECT_EQ(parse_time("2009-05-04 11:08:57 PM", "%F %I:%M:%S %p"), 1241478537);
  EXPECT_EQ(parse_time("12:30 am", "%I:%M %p"), 1800);
  EXPECT_EQ(parse_time("2009-05-04T23:08:57+02:00", "%FT%T%z"), 1241471337);
  EXPECT_EQ(parse_time("100% 2001", "100%% %Y"), 978307200);
}

TEST(ParseTime, RefusesWhatDoesNotFit) {
  for (const char* bad : {"", "1995", "32-Jan-1995", "29-Feb-1995", "01-Foo-1995", "01-Jan-1995 ", "01-Jan-95"}) {
    EXPECT_FALSE(parse_time(bad, "%d-%b-%Y")) << bad;
  }
  EXPECT_FALSE(parse_time("13:00 PM", "%I:%M %p"));
  EXPECT_FALSE(parse_time("24:00", "%H:%M"));
  EXPECT_TRUE(is_time_pattern("%d.%m.%Y"));
  EXPECT_FALSE(is_time_pattern("%d.%Q"));
  EXPECT_FALSE(is_time_pattern("%d.%"));
}

TEST(ParseTime, Iso) {
  EXPECT_EQ(parse_iso_time("2009-05-04"), 1241395200);
  for (const char* same : {"2009-05-04T23:08:57Z", "2009-05-04 23:08:57", "2009-05-04T23:08:57.999Z",
                           "2009-05-05T01:08:57+02:00", "2009-05-04T18:38:57-0430"}) {
    EXPECT_EQ(parse_iso_time(same), 1241478537) << same;
  }
  EXPECT_EQ(parse_iso_time("2009-05-04T23:08"), 1241478480);
  for (const char* bad : {"2009-5", "2009-05-04T", "2009-05-04T23", "2009-05-04T23:08:57+2", "2009-02-30", "04.05.2009",
                          "2009-05-04x23:08"}) {
    EXPECT_FALSE(parse_iso_time(bad)) << bad;
  }
}

}  // namespace
}  // namespace segue
