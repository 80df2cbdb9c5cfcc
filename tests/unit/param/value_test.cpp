#include "framework/param/value.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "framework/param/scalar.hpp"
#include "tests/unit/param/refusal.hpp"

namespace segue {
namespace {

const Mark kMark{"suite.yaml", 12, 7};

TEST(Mark, PrintsFileLineAndColumn) {
  EXPECT_EQ(kMark.str(), "suite.yaml:12:7");
  EXPECT_EQ((Mark{"command line", 0, 0}).str(), "command line");
  EXPECT_EQ(Mark{}.prefix(), "");
}

TEST(Value, WrongKindsAreNamedWithPlaceAndText) {
  EXPECT_EQ(refusal([] { Value::string("abc", kMark).as_real(); }),
            "suite.yaml:12:7: expected a number, got string 'abc'");
  EXPECT_EQ(refusal([] { Value::real(64, kMark).as_int(); }), "suite.yaml:12:7: expected an integer, got real 64.0");
  EXPECT_EQ(refusal([] { Value::integer(1).as_bool(); }), "expected true or false, got integer 1");
  EXPECT_EQ(refusal([] { Value::null().as_string(); }), "expected a string, got null");
  EXPECT_EQ(refusal([] {
              Value::list({Value::integer(1), Value::string("1")}).as_string();
            }),
            "expected a string, got list [1, \"1\"]");
  EXPECT_EQ(Value::integer(3).as_real(), 3.0);
  // A long text is cut, and never inside a character.
  const std::string shown = Value::string("x" + std::string(2000, '\xC3')).describe();
  EXPECT_LT(shown.size(), 80u);
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ü";
  EXPECT_EQ(Value::string("ab" + umlauts).describe().find("\xC3..."), std::string::npos);
}

TEST(Value, MapsKeepTheirOrderAndReplaceInPlace) {
  Value map = Value::map();
  map.set("b", Value::integer(1), kMark);
  map.set("a", Value::integer(2));
  map.set("b", Value::string("x"));
  ASSERT_EQ(map.entries().size(), 2u);
  EXPECT_EQ(map.entries()[0].key, "b");
  EXPECT_EQ(map.entries()[0].key_mark.str(), "suite.yaml:12:7");
  EXPECT_EQ(map.text(), "{b: x, a: 2}");
  EXPECT_EQ(map.find("c"), nullptr);
  EXPECT_TRUE(map.erase("b"));
  EXPECT_FALSE(map.erase("b"));
  EXPECT_EQ(map.text(), "{a: 2}");
  EXPECT_TRUE(Value::integer(1).items().empty());
  EXPECT_EQ(Value::integer(1).find("a"), nullptr);
  EXPECT_FALSE(Value::null().is_scalar());
  EXPECT_THROW(Value::integer(1).push_back({}), LogicError);
  Value null;
  null.push_back(Value::integer(1));
  EXPECT_EQ(null.text(), "[1]");
}

TEST(Value, CanonicalTextIsOneLineSortedAndTellsKindsApart) {
  Value map = Value::map();
  map.set("b", Value::list({Value::real(1), Value::real(0.1), Value::integer(1), Value::boolean(true), Value::null()}));
  map.set("a", Value::string("1\n\"x\""));
  EXPECT_EQ(map.canonical(), R"({"a":"1\n\"x\"","b":[1,0.1,1,true,null]})");
  EXPECT_EQ(Value::real(-0.0).canonical(), "0");
  EXPECT_EQ(Value::real(1e18).canonical(), Value::integer(1000000000000000000).canonical());
  EXPECT_EQ(Value::real(1e300).canonical(), "1e+300");
  EXPECT_EQ(Value::real(std::numeric_limits<double>::infinity()).canonical(), "inf");
  EXPECT_NE(Value::string("inf").canonical(), "inf");
  EXPECT_EQ(Value::real(9223372036854775808.0).canonical(), "9.223372036854776e+18");
}

TEST(Value, EqualityIgnoresMarksAndKeyOrderButNotKinds) {
  Value a = Value::map(kMark), b = Value::map();
  a.set("x", Value::integer(1), kMark);
  a.set("y", Value::real(std::nan("")));
  b.set("y", Value::real(std::nan("")));
  b.set("x", Value::integer(1, kMark));
  EXPECT_EQ(a, b);
  b.set("x", Value::real(1));
  EXPECT_FALSE(a == b);
  EXPECT_FALSE(Value::string("1") == Value::integer(1));
  EXPECT_FALSE(Value::list({Value()}) == Value::list());
}

TEST(Value, JsonRoundTrips) {
  Value map = Value::map();
  map.set("z", Value::integer(std::numeric_limits<std::int64_t>::min()));
  map.set("a",
          Value::list({Value::real(1), Value::real(0.1), Value::real(std::numeric_limits<double>::infinity()),
                       Value::real(std::nan("")), Value::null(), Value::boolean(false), Value::string("é\n\x01")}));
  map.set("m", Value::map());
  EXPECT_EQ(map.to_json(),
            "{\"z\":-9223372036854775808,\"a\":[1.0,0.1,\".inf\",\".nan\",null,false,\"é\\n\\u0001\"],\"m\":{}}");
  EXPECT_EQ(Value::from_json(map.to_json()), map);
  EXPECT_EQ(Value::from_json(map.to_json(2)), map);
  EXPECT_EQ(refusal([] { Value::from_json("[9223372036854775808]"); }),
            "JSON: 9223372036854775808 does not fit in a 64-bit integer");
  EXPECT_EQ(refusal([] { Value::from_json("{"); }).substr(0, 16), "not valid JSON: ");
  EXPECT_EQ(refusal([] { Value::from_json(std::string(5000, '[') + std::string(5000, ']')); }),
            "JSON: more than 100 levels of nesting");
}

TEST(CheckKeys, NamesPlaceOwnerAndNearestKey) {
  Value map = Value::map();
  map.set("reg", Value::real(0.1));
  EXPECT_EQ(refusal([&] { check_keys(map, "x", {"reg"}); }), "(accepted)");
  map.set("factor", Value::integer(3), kMark);
  EXPECT_EQ(refusal([&] {
              check_keys(map, "algorithm 'implicit_als'", {"alpha", "factors", "reg"});
            }),
            "suite.yaml:12:7: unknown key 'factor' in algorithm 'implicit_als'; did you mean 'factors'? known: alpha, "
            "factors, reg");
  EXPECT_EQ(refusal([&] { check_keys(map, "algorithm 'popular'", {}); }),
            "unknown key 'reg' in algorithm 'popular'; it takes no keys");
  EXPECT_EQ(refusal([&] { check_keys(Value::null(), "x", {}); }), "(accepted)");
  EXPECT_EQ(refusal([&] { check_keys(Value::integer(5, kMark), "data", {}); }),
            "suite.yaml:12:7: expected a map in data, got integer 5");
}

// YAML 1.2.2, section 10.3.2: the core schema.
TEST(ResolvePlain, FollowsTheCoreSchema) {
  const auto kind = [](const char* text) { return resolve_plain(text, {}).kind_name(); };
  for (const char* text : {"", "~", "null", "Null", "NULL"}) EXPECT_EQ(kind(text), "null") << text;
  for (const char* text : {"true", "True", "FALSE", "false"}) EXPECT_EQ(kind(text), "boolean") << text;
  for (const char* text : {"0", "010", "-5", "+7", "0x1F", "0o17", "9223372036854775807", "-9223372036854775808"}) {
    EXPECT_EQ(kind(text), "integer") << text;
  }
  for (const char* text : {"1.", ".5", "-1.5e3", "1e5", "+1E-2", ".inf", "-.INF", "+.Inf", ".nan", ".NaN"}) {
    EXPECT_EQ(kind(text), "real") << text;
  }
  for (const char* text :
       {"yes", "no", "on", "off",  "y",   "1_000", "1:30",  "0b1", "-0x1", "0x",  "0xG",  "0o8",  "e5",  "1e",
        ".",   "-",  "+",  "tRUE", "nan", "inf",   "1.2.3", "1 2", "--1",  "+-1", "0o-7", "0x-1", "nULL"}) {
    EXPECT_EQ(kind(text), "string") << text;
  }
  EXPECT_EQ(resolve_plain("010", {}).as_int(), 10);
  EXPECT_EQ(resolve_plain("0o17", {}).as_int(), 15);
  EXPECT_EQ(resolve_plain("0xfF", {}).as_int(), 255);
  EXPECT_EQ(resolve_plain("+7", {}).as_int(), 7);
  EXPECT_EQ(resolve_plain("+1E-2", {}).as_real(), 0.01);
  EXPECT_EQ(resolve_plain("-.inf", {}).as_real(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(refusal([] { resolve_plain("9223372036854775808", kMark); }),
            "suite.yaml:12:7: 9223372036854775808 does not fit in a 64-bit integer");
  EXPECT_EQ(refusal([] { resolve_plain("0xFFFFFFFFFFFFFFFF", kMark); }),
            "suite.yaml:12:7: 0xFFFFFFFFFFFFFFFF does not fit in a 64-bit integer");
  EXPECT_EQ(refusal([] { resolve_plain("1e999", kMark); }),
            "suite.yaml:12:7: 1e999 is beyond the range of a 64-bit real");
}

TEST(Numbers, PrintInTheirShortestForm) {
  EXPECT_EQ(format_real(0.1), "0.1");
  EXPECT_EQ(format_real(64), "64.0");
  EXPECT_EQ(format_real(1e22), "1e+22");
  EXPECT_EQ(widen(0.1f), 0.1);
  EXPECT_EQ(static_cast<float>(widen(1.0f / 3)), 1.0f / 3);
  const float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(static_cast<float>(widen(largest)), largest);
}

}  // namespace
}  // namespace segue
