#include "framework/param/yaml.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "framework/base/rng.hpp"
#include "tests/unit/param/refusal.hpp"

namespace segue {
namespace {

Value parse(const std::string& text) { return parse_yaml(text, "suite.yaml"); }
std::string refused(const std::string& text) {
  return refusal([&] { parse(text); });
}
const Value& at(const Value& map, const std::string& key) {
  const Value* found = map.find(key);
  if (!found) throw std::runtime_error("no key " + key);
  return *found;
}

TEST(Yaml, ReadsATreeWithMarksOnKeysAndValues) {
  const Value suite = parse(
      "# a suite\n"
      "name: quick start\n"
      "algorithms:\n"
      "  - popular\n"
      "  - implicit_als: {factors: [32, 64], reg: 0.01}\n"
      "    label: als\n");
  EXPECT_EQ(suite.text(),
            "{name: quick start, algorithms: [popular, {implicit_als: {factors: [32, 64], reg: 0.01}, label: als}]}");
  EXPECT_EQ(at(suite, "name").mark().str(), "suite.yaml:2:7");
  EXPECT_EQ(suite.entries()[1].key_mark.str(), "suite.yaml:3:1");
  const Value& als = at(suite, "algorithms").items()[1];
  EXPECT_EQ(als.mark().str(), "suite.yaml:5:5");
  EXPECT_EQ(at(at(als, "implicit_als"), "factors").items()[1].mark().str(), "suite.yaml:5:34");
  EXPECT_EQ(at(als, "implicit_als").entries()[1].key_mark.str(), "suite.yaml:5:39");
}

TEST(Yaml, ColumnsCountCharactersAndABomCountsNothing) {
  EXPECT_EQ(at(parse("\xEF\xBB\xBFname: 3\n"), "name").mark().str(), "suite.yaml:1:7");
  EXPECT_EQ(at(parse("été: 3\r\nb: 4\r\n"), "été").mark().str(), "suite.yaml:1:6");
  EXPECT_EQ(at(parse("été: 3\r\nb: 4\r\n"), "b").mark().str(), "suite.yaml:2:4");
}

TEST(Yaml, ScalarsAreTypedByTheCoreSchemaAndQuotesMakeStrings) {
  const Value v = parse(
      "a: 010\nb: yes\nc: '12'\nd: \"true\"\ne: .inf\nf: 1e3\ng: |\n  12\nh: !!str 12\ni: !!float 3\nj: ! 7\nk: "
      "'null'\n");
  EXPECT_EQ(v.text(),
            "{a: 10, b: yes, c: \"12\", d: \"true\", e: .inf, f: 1000.0, g: \"12\\n\", h: \"12\", i: 3.0, j: \"7\", k: "
            "\"null\"}");
  EXPECT_EQ(refused("a: !!int x\n"), "suite.yaml:1:4: 'x' is not what its tag !!int says");
  EXPECT_EQ(refused("a: !secret x\n"), "suite.yaml:1:4: the tag '!secret' is not supported here");
  EXPECT_EQ(refused("a: !secret {}\n"), "suite.yaml:1:4: the tag '!secret' is not supported here");
  EXPECT_EQ(refused("seed: 99999999999999999999\n"),
            "suite.yaml:1:7: 99999999999999999999 does not fit in a 64-bit integer");
}

TEST(Yaml, ANullHasTheMarkOfItsKeyOrDash) {
  const Value v = parse("a: 1\nb:\n\n# note\nc: ~\nd:\n  - 1\n  -\n  # note\n  - 2\n  -\n");
  EXPECT_EQ(at(v, "b").mark().str(), "suite.yaml:2:1");
  EXPECT_EQ(at(v, "c").mark().str(), "suite.yaml:5:4");
  EXPECT_EQ(at(v, "d").items()[1].mark().str(), "suite.yaml:8:3");
  EXPECT_EQ(at(v, "d").items()[3].mark().str(), "suite.yaml:11:3");
  EXPECT_TRUE(at(v, "d").items()[3].is_null());
  EXPECT_EQ(at(parse("last:\n"), "last").mark().str(), "suite.yaml:1:1");
}

TEST(Yaml, AliasesExpandAndHaveTheirOwnMark) {
  const Value v = parse("base: &x {factors: 8}\nuse: *x\nlist: [&y 3, *y]\n&k key: 1\nname: *k\n");
  EXPECT_EQ(at(v, "use"), at(v, "base"));
  EXPECT_EQ(at(v, "use").mark().str(), "suite.yaml:2:6");
  EXPECT_EQ(at(at(v, "use"), "factors").mark().str(), "suite.yaml:1:20");
  EXPECT_EQ(at(v, "list").text(), "[3, 3]");
  EXPECT_EQ(at(v, "name").text(), "key");
  EXPECT_EQ(refused("a: *nope\n"), "suite.yaml:1:4: this alias names an anchor (&name) that does not exist before it");
  EXPECT_EQ(refused("a: &x\n  b: *x\n"), "suite.yaml:2:6: this alias stands inside the value that it names");
  EXPECT_EQ(refused("a: &x 1\n*x : 2\n"), "suite.yaml:2:1: an alias cannot be a key; keys are words or quoted text");
}

TEST(Yaml, MergeKeysYieldToExplicitOnesAndToEarlierMaps) {
  const Value v = parse(
      "a: &a {x: 1, y: 1}\n"
      "b: &b {y: 2, z: 2}\n"
      "one: {first: 0, <<: *a, y: 9}\n"
      "two: {<<: [*a, *b], last: 3}\n"
      "three: {\"<<\": 1}\n");
  EXPECT_EQ(at(v, "one").text(), "{first: 0, x: 1, y: 9}");
  EXPECT_EQ(at(v, "two").text(), "{x: 1, y: 1, z: 2, last: 3}");
  EXPECT_EQ(at(v, "three").text(), "{\"<<\": 1}");
  EXPECT_EQ(at(at(v, "two"), "z").mark().str(), "suite.yaml:2:17");
  EXPECT_EQ(refused("a:\n  <<: 3\n"), "suite.yaml:2:7: '<<' merges a map or a list of maps, not integer 3");
  EXPECT_EQ(refused("a:\n  <<: [{}, x]\n"), "suite.yaml:2:12: '<<' merges a map or a list of maps, not string 'x'");
  EXPECT_EQ(refused("<<: {a: 1}\n<<: {b: 1}\n"),
            "suite.yaml:2:1: key '<<' appears twice in one map; it is first given at suite.yaml:1:1");
}

TEST(Yaml, DuplicateKeysNameBothPlaces) {
  EXPECT_EQ(refused("als:\n  factors: 1\n  reg: 2\n  factors: 3\n"),
            "suite.yaml:4:3: key 'factors' appears twice in one map; it is first given at suite.yaml:2:3");
  EXPECT_EQ(refused("{a: 1, 'a': 2}"),
            "suite.yaml:1:8: key 'a' appears twice in one map; it is first given at suite.yaml:1:2");
}

TEST(Yaml, KeysMustBeScalars) {
  EXPECT_EQ(refused("? [1, 2]\n: 3\n"), "suite.yaml:1:3: a list cannot be a key; keys are words or quoted text");
  EXPECT_EQ(refused("{a: 1}: 2\n"), "suite.yaml:1:1: a map cannot be a key; keys are words or quoted text");
  EXPECT_EQ(refused("a:\n  ~: 2\n"), "suite.yaml:2:3: a key is missing; null cannot be a key");
  EXPECT_EQ(refused("{: 2}\n"), "suite.yaml:1:2: a key is missing; null cannot be a key");
  EXPECT_EQ(parse("1: x\n").entries()[0].key, "1");
}

TEST(Yaml, TabsInIndentationAreCalledByTheirName) {
  EXPECT_EQ(refused("a:\n  b: 1\n\tc: 2\n"), "suite.yaml:3:1: a tab is used for indentation; YAML needs spaces");
  EXPECT_EQ(refused("a:\n\tb: 1\n"), "suite.yaml:2:1: a tab is used for indentation; YAML needs spaces");
  EXPECT_EQ(refused("a: 1\n  \tb: 1\n"), "suite.yaml:2:3: a tab is used for indentation; YAML needs spaces");
  EXPECT_EQ(refused("a: |\n\tx\n"), "suite.yaml:2:1: a tab is used for indentation; YAML needs spaces");
  EXPECT_EQ(parse("a: {\n\tb: 1}\nc:\t2\n").text(), "{a: {b: 1}, c: 2}");  // allowed: between tokens
}

TEST(Yaml, SyntaxErrorsAreSentences) {
  const std::string map_value =
      "this ':' does not fit here; check the indentation, look for an earlier ':' without a space after it, or quote "
      "the text";
  EXPECT_EQ(refused("a: b: c\n"), "suite.yaml:1:5: " + map_value);
  EXPECT_EQ(refused("a:1\nb: 2\n"), "suite.yaml:2:2: " + map_value);
  EXPECT_EQ(refused("a: 1\n b: 2\n"), "suite.yaml:2:3: " + map_value);
  EXPECT_EQ(refused("a:\n  b: 1\n c: 2\n"),
            "suite.yaml:3:2: this does not fit the map above it; check the indentation, and that each key has a ':'");
  EXPECT_EQ(refused("\"a\": 1\n\"b\" 2\n"),
            "suite.yaml:2:5: this does not fit the map above it; check the indentation, and that each key has a ':'");
  EXPECT_EQ(refused("- a\n- b: 1\n c: 2\n"),
            "suite.yaml:3:2: this does not fit the list above it; check the indentation, and that each item has a '-'");
  EXPECT_EQ(refused("- a\nb: 1\n"),
            "suite.yaml:2:1: this does not continue what stands above it; check the indentation");
  EXPECT_EQ(refused("a: [1, 2\n"), "suite.yaml:1:4: the '[' opened here is never closed");
  EXPECT_EQ(refused("- [1, 2\n"), "suite.yaml:1:3: the '[' opened here is never closed");
  EXPECT_EQ(refused("a: {x: 1\n"), "suite.yaml:1:4: the '{' opened here is never closed");
  EXPECT_EQ(refused("a: [1, 2\nb: 3\n"), "suite.yaml:2:2: expected ',' or ']' to go on with the list opened at 1:4");
  EXPECT_EQ(refused("a: ]\n"), "suite.yaml:1:4: this bracket closes nothing");
  EXPECT_EQ(refused("a: - b\n"),
            "suite.yaml:1:4: a list item '-' cannot start here; put it on its own line, or quote the text");
  EXPECT_EQ(refused("a: @b\n"), "suite.yaml:1:4: text cannot start with this character; put it in quotes");
  EXPECT_EQ(refused("a: *\n"),
            "suite.yaml:1:5: a '*' needs the name of an anchor after it; put it in quotes if it is text");
  EXPECT_EQ(refused("a: & b\n"), "suite.yaml:1:5: an '&' needs a name after it; put it in quotes if it is text");
  EXPECT_EQ(refused("a: \"C:\\data\"\n"),
            "suite.yaml:1:7: '\\d' is not an escape of YAML; write '\\\\' for a backslash, or use single quotes");
  EXPECT_EQ(refused("a: |5x\n"), "suite.yaml:1:6: this character cannot follow '|' or '>'; put the text in quotes");
  EXPECT_EQ(refused("%YAML x\n---\na: 1\n"), "suite.yaml:1:1: this is no YAML version; leave the %YAML line out");
  EXPECT_EQ(refused("%TAG x\n---\na: 1\n"), "suite.yaml:1:1: a %TAG line has two parts; leave the line out");
  EXPECT_EQ(refused("a: \"\\uD800\"\n").substr(17), "this escape is not a Unicode character");
  EXPECT_EQ(refused("%YAML 3.0\n---\na: 1\n"),
            "suite.yaml:1:1: this YAML version is not supported; leave the %YAML line out");
}

// yaml-cpp takes the end of the file for the missing quote.
TEST(Yaml, AnOpenQuoteIsRefusedWhereItOpens) {
  EXPECT_EQ(refused("a: 'abc\n"), "suite.yaml:1:4: the quote opened here is never closed");
  EXPECT_EQ(refused("a: \"it\\\"\n"), "suite.yaml:1:4: the quote opened here is never closed");
  EXPECT_EQ(refused("a: !!str 'abc''\n"), "suite.yaml:1:4: the quote opened here is never closed");
  EXPECT_EQ(refused("a: 1\n'b"), "suite.yaml:2:1: the quote opened here is never closed");
  EXPECT_EQ(parse("a: 'it''s'\nb: \"\\\"\"\nc: don't\n").text(), "{a: \"it's\", b: \"\\\"\", c: \"don't\"}");
}

TEST(Yaml, OneDocumentAFile) {
  EXPECT_EQ(refused("a: 1\n---\nb: 2\n"), "suite.yaml:2:1: a second document starts here; a file holds one");
  EXPECT_EQ(refused("a: 1\n...\n\njunk\n"), "suite.yaml:4:1: a second document starts here; a file holds one");
  EXPECT_EQ(parse("---\na: 1\n...\n").text(), "{a: 1}");
  for (const char* text : {"", "\n\n", "# only\n# comments\n", "---\n", "\t\n"}) {
    EXPECT_EQ(refused(text), "suite.yaml: there is nothing in it (it is empty or has only comments)") << text;
  }
}

TEST(Yaml, BytesThatYamlCppWouldMisreadAreRefused) {
  EXPECT_EQ(refused("a: caf\xE9\n"), "suite.yaml:1:7: the byte 0xE9 is not valid UTF-8; save the file as UTF-8");
  EXPECT_EQ(refused("a: \xC0\x80\n"), "suite.yaml:1:4: the byte 0xC0 is not valid UTF-8; save the file as UTF-8");
  EXPECT_EQ(refused("a: \xED\xA0\x80\n"), "suite.yaml:1:4: the byte 0xED is not valid UTF-8; save the file as UTF-8");
  EXPECT_EQ(refused(std::string("a: \xFF\xFE", 5)).substr(0, 28), "suite.yaml:1:4: the byte 0xF");
  // yaml-cpp takes U+0004 for the end of its input and would drop the rest without a word.
  EXPECT_EQ(refused("a: 1\nb: \x04\nc: 3\n"), "suite.yaml:2:4: the control character U+0004 is not allowed in YAML");
  EXPECT_EQ(refused(std::string("a\0b", 3)), "suite.yaml:1:2: the control character U+0000 is not allowed in YAML");
  EXPECT_EQ(parse("a: \xF0\x9F\x8E\xB5\n").find("a")->as_string(), "\xF0\x9F\x8E\xB5");
}

// yaml-cpp 0.7 gives the lone byte.
TEST(Yaml, EscapesGiveWholeCharacters) {
  EXPECT_EQ(parse("a: \"x\\_y\\N\\L\\u00e9\\x41\\0\"\n").find("a")->as_string(),
            std::string("x\xC2\xA0y\xC2\x85\xE2\x80\xA8\xC3\xA9"
                        "A\0",
                        13));
}

TEST(Yaml, HugeExpansionsAndDeepNestingAreRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format("a{}: &a{} [", i, i);
    for (int j = 0; j < 10; ++j) bomb += fmt::format("{}*a{}", j ? ", " : "", i - 1);
    bomb += "]\n";
  }
  EXPECT_NE(refused(bomb).find("more than 1000000 values once aliases are expanded"), std::string::npos)
      << refused(bomb);
  // A long text repeated counts by its length.
  std::string wide = "a: &a " + std::string(1 << 20, 'x') + "\nb: [*a";
  for (int i = 0; i < 200; ++i) wide += ", *a";
  EXPECT_NE(refused(wide + "]\n").find("more than 1000000 values"), std::string::npos);

  EXPECT_EQ(refused(std::string(101, '[') + std::string(101, ']')),
            "suite.yaml:1:101: more than 100 levels of nesting");
  EXPECT_EQ(refused(std::string(100, '[') + std::string(100, ']')), "(accepted)");
  EXPECT_EQ(refused("a: " + std::string(100000, '[')), "suite.yaml:1:5: the '[' opened here is never closed");
  EXPECT_EQ(refused(std::string(100000, '[')), "suite.yaml:1:1: the '[' opened here is never closed");
  std::string chain = "a0: &a0 [1]\n";
  for (int i = 1; i < 200; ++i) chain += fmt::format("a{}: &a{} [*a{}]\n", i, i, i - 1);
  EXPECT_EQ(refused(chain), "suite.yaml:100:12: more than 100 levels of nesting once this alias is expanded");
  EXPECT_EQ(refused(std::string((16 << 20) + 1, ' ')),
            "suite.yaml: 16777217 bytes are more than a configuration may have (16 MiB)");
}

class YamlFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / ("segue_yaml_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }
  std::filesystem::path folder_;
};

TEST_F(YamlFile, MissingFilesAndFoldersAreNamed) {
  const std::string missing = (folder_ / "nope.yaml").string();
  EXPECT_EQ(refusal([&] { load_yaml(missing); }), missing + ": no such file");
  EXPECT_EQ(refusal([&] { load_yaml(folder_); }), folder_.string() + ": this is a directory, not a YAML file");
  const std::string empty = write("empty.yaml", "");
  EXPECT_EQ(refusal([&] { load_yaml(empty); }), empty + ": there is nothing in it (it is empty or has only comments)");
  const std::string good = write("good.yaml", "a: 1\n");
  EXPECT_EQ(load_yaml(good).find("a")->mark().str(), good + ":1:4");
}

TEST(ScalarOrFlow, ReadsTheCommandLineWithOneMark) {
  const Mark mark{"command line 'x'", 0, 0};
  const auto read = [&](const std::string& text) { return parse_yaml_scalar_or_flow(text, mark); };
  EXPECT_EQ(read("64"), Value::integer(64));
  EXPECT_EQ(read(" true "), Value::boolean(true));
  EXPECT_EQ(read("null"), Value::null());
  EXPECT_EQ(read(""), Value::string(""));
  EXPECT_EQ(read("'64'"), Value::string("64"));
  EXPECT_EQ(read("[32, 64]").text(), "[32, 64]");
  EXPECT_EQ(read("{a: 1}").text(), "{a: 1}");
  EXPECT_EQ(read("[32, 64]").items()[1].mark().str(), "command line 'x'");
  for (const char* text : {"/tmp/#x", "a: b", "*x", "@home", "%", "- a", "a #b"})
    EXPECT_EQ(read(text), Value::string(text)) << text;
  EXPECT_EQ(refusal([&] { read("[1, 2"); }), "command line 'x': the '[' opened here is never closed");
  EXPECT_EQ(refusal([&] { read("['x' 1]"); }),
            "command line 'x': expected ',' or ']' to go on with the list opened before");
  EXPECT_EQ(refusal([&] { read("{a: 1, a: 2}"); }), "command line 'x': key 'a' appears twice in one map");
  EXPECT_EQ(refusal([&] { read("'x"); }), "command line 'x': the quote opened here is never closed");
  EXPECT_EQ(refusal([&] { read("[1] x"); }).substr(0, 17), "command line 'x':");
}

TEST(EmitYaml, IsReadable) {
  EXPECT_EQ(emit_yaml(parse("{name: quick, seeds: [1, 2], algorithms: [popular, {als: {factors: 8, reg: 1.0}, label: "
                            "x}], e: {}, n: , g: [[1], []]}")),
            "name: quick\n"
            "seeds: [1, 2]\n"
            "algorithms:\n"
            "  - popular\n"
            "  - als:\n"
            "      factors: 8\n"
            "      reg: 1.0\n"
            "    label: x\n"
            "e: {}\n"
            "n: null\n"
            "g:\n"
            "  - [1]\n"
            "  - []\n");
}

Value random_value(Rng& rng, int depth) {
  static const std::vector<std::string> kTexts = {
      "",     "a",    "yes",  "null", "~",           "1",   "0x1",   "1e5", "99999999999999999999",
      "a: b", "a #b", "- x",  "x ",   " x",          "<<",  "é",     "\n",  "a\nb\n",
      "\t",   "'",    "\"",   "\\",   "---",         "...", "..",    "&a",  "*a",
      "!t",   "{",    "[1",   "a, b", "?",           "? a", "%x",    "@",   "`",
      "\x01", "\x7f", "true", ".Inf", "-",           "=",   "don't", "a:",  ":",
      "|",    ">",    ".5.",  "\r",   "\xE2\x80\xA8"};
  switch (rng.below(depth > 3 ? 5 : 7)) {
    case 0:
      return Value::null();
    case 1:
      return Value::boolean(rng.below(2) == 0);
    case 2:
      return Value::integer(static_cast<std::int64_t>(rng.next_u64()));
    case 3:
      return Value::real(rng.below(4) == 0 ? static_cast<double>(rng.below(100))
                                           : rng.normal() * std::exp(40 * rng.normal()));
    case 4:
      return Value::string(kTexts[rng.below(kTexts.size())]);
    case 5: {
      Value list = Value::list();
      for (std::uint64_t n = rng.below(4); n > 0; --n) list.push_back(random_value(rng, depth + 1));
      return list;
    }
    default:
      break;
  }
  Value map = Value::map();
  for (std::uint64_t n = rng.below(4); n > 0; --n)
    map.set(kTexts[rng.below(kTexts.size())], random_value(rng, depth + 1));
  return map;
}

TEST(EmitYaml, RandomTreesRoundTrip) {
  Rng rng(11);
  for (int i = 0; i < 3000; ++i) {
    const Value value = random_value(rng, 0);
    const std::string text = emit_yaml(value);
    ASSERT_EQ(parse_yaml(text, "x"), value) << text;
    ASSERT_EQ(parse_yaml_scalar_or_flow(value.is_string() ? "'x'" : value.text(), {}),
              value.is_string() ? Value::string("x") : value)
        << value.text();
    ASSERT_EQ(Value::from_json(value.to_json()).canonical(), value.canonical());
  }
  Value long_key = Value::map();
  long_key.set(std::string(3000, 'k'), Value::list({Value::integer(1)}));
  EXPECT_EQ(parse_yaml(emit_yaml(long_key), "x"), long_key);
}

// Whatever the bytes, the answer is a Value or a UsageError.
TEST(YamlFuzz, GarbageGivesAValueOrAUsageError) {
  const std::string seed_text =
      "name: quick   # comment\n"
      "base: &base {seed: 1, reg: [0.1, 1e-3], nested: {a: ~}}\n"
      "task:\n  <<: *base\n  data: \"ml\\t100k\"\n  text: |\n    line\n    two\n"
      "algorithms:\n  - popular\n  - implicit_als: {factors: [32, 64]}\n    label: 'a''b'\n  - !!str 12\n...\n";
  const std::string alphabet = "abc019:-,[]{}&*!|>'\"%@`#?\n\n\n    \t~.<\\\r\x04\xC3\xA9\xFF";
  const std::vector<std::string> pieces = {"- ",    ": ",     "? ",  "&base ", "*base", "<<: ",      "---\n",
                                           "...\n", "!!int ", "{",   "}",      "[",     "]",         "\n  ",
                                           "\t",    "''",     "\\x", "|2\n",   "!<",    "%TAG ! x\n"};
  Rng rng(2024);
  int accepted = 0;
  for (int round = 0; round < 8000; ++round) {
    std::string text;
    if (round % 4 == 0) {
      for (std::uint64_t n = rng.below(60); n > 0; --n) text += alphabet[rng.below(alphabet.size())];
    } else {
      text = seed_text;
      for (std::uint64_t n = 1 + rng.below(5); n > 0; --n) {
        const std::size_t where = rng.below(text.size() + 1);
        switch (rng.below(5)) {
          case 0:
            text.insert(where, 1, alphabet[rng.below(alphabet.size())]);
            break;
          case 1:
            text.insert(where, pieces[rng.below(pieces.size())]);
            break;
          case 2:
            text.erase(where, 1 + rng.below(8));
            break;
          case 3:
            text.resize(where);
            break;
          default:
            text.insert(where, text.substr(rng.below(text.size() + 1), rng.below(40)));
            break;
        }
      }
    }
    try {
      const Value value = parse_yaml(text, "fuzz.yaml");
      ++accepted;
      ASSERT_EQ(parse_yaml(emit_yaml(value), "again.yaml"), value) << text;
    } catch (const UsageError& error) {
      ASSERT_EQ(std::string(error.what()).rfind("fuzz.yaml:", 0), 0u) << error.what() << "\n" << text;
      ASSERT_EQ(std::string(error.what()).find("not valid YAML"), std::string::npos) << error.what() << "\n" << text;
    }
  }
  EXPECT_GT(accepted, 400);   // the mutations are not all fatal,
  EXPECT_LT(accepted, 7600);  // nor all harmless
}

}  // namespace
}  // namespace segue
