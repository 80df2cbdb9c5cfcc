#include "framework/data/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/rng.hpp"
#include "framework/param/value.hpp"
#include "tests/support/messages.hpp"

namespace segue::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Token = JsonReader::Token;

std::string error_of(std::string_view text) {
  return message_of<DataError>([&] {
    JsonReader json("f", text);
    while (json.next() != Token::kEnd) {
    }
  });
}

// The value whose first token was read, as nlohmann-json (behind Value) would have it.
Value value_of(JsonReader& json, Token first) {
  switch (first) {
    case Token::kBeginObject: {
      Value out = Value::map();
      for (std::string_view key; json.next_key(key);) {
        const std::string name(key);
        out.set(name, value_of(json, json.next()));
      }
      return out;
    }
    case Token::kBeginArray: {
      Value out = Value::list();
      for (Token t; (t = json.next()) != Token::kEndArray;) out.push_back(value_of(json, t));
      return out;
    }
    case Token::kString:
      return Value::string(std::string(json.text()));
    case Token::kNumber:
      return Value::from_json(std::string(json.text()));
    case Token::kTrue:
      return Value::boolean(true);
    case Token::kFalse:
      return Value::boolean(false);
    case Token::kNull:
      return Value();
    default:
      ADD_FAILURE() << "no value";
      return {};
  }
}

TEST(JsonReader, TokensOfEveryKind) {
  JsonReader json("f", "\xEF\xBB\xBF {\"a\" : [1, -0.5e+3, true, false, null],\n \"b\": {}, \"\": \"x\\\"y\"}\n ");
  EXPECT_EQ(json.next(), Token::kBeginObject);
  std::string_view key;
  ASSERT_TRUE(json.next_key(key));
  EXPECT_EQ(key, "a");
  EXPECT_EQ(json.next(), Token::kBeginArray);
  EXPECT_EQ(json.next(), Token::kNumber);
  EXPECT_EQ(json.text(), "1");
  EXPECT_EQ(json.next(), Token::kNumber);
  EXPECT_EQ(json.text(), "-0.5e+3");
  EXPECT_EQ(json.next(), Token::kTrue);
  EXPECT_EQ(json.next(), Token::kFalse);
  EXPECT_EQ(json.next(), Token::kNull);
  EXPECT_EQ(json.next(), Token::kEndArray);
  EXPECT_EQ(json.line_number(), 1u);
  ASSERT_TRUE(json.next_key(key));
  EXPECT_EQ(key, "b");
  EXPECT_EQ(json.line_number(), 2u);
  EXPECT_EQ(json.next(), Token::kBeginObject);
  EXPECT_EQ(json.next(), Token::kEndObject);
  ASSERT_TRUE(json.next_key(key));
  EXPECT_EQ(key, "");
  EXPECT_EQ(json.next(), Token::kString);
  EXPECT_EQ(json.text(), "x\"y");
  EXPECT_FALSE(json.next_key(key));
  EXPECT_EQ(json.next(), Token::kEnd);
}

TEST(JsonReader, AKeyWithEscapesOutlivesItsValue) {
  JsonReader json("f", R"({"a\u0041": "b\u0042"})");
  EXPECT_EQ(json.next(), Token::kBeginObject);
  std::string_view key;
  ASSERT_TRUE(json.next_key(key));
  EXPECT_EQ(json.next(), Token::kString);
  EXPECT_EQ(key, "aA");
  EXPECT_EQ(json.text(), "bB");
}

TEST(JsonReader, SkipsWholeValuesAndReadsSeveral) {
  JsonReader json("f", R"({"a": [[1, {"b": "]}"}], 2], "c": 3} {"d": 4})");
  EXPECT_EQ(json.next(), Token::kBeginObject);
  std::string_view key;
  ASSERT_TRUE(json.next_key(key));
  json.skip();
  ASSERT_TRUE(json.next_key(key));
  EXPECT_EQ(key, "c");
  json.skip();
  EXPECT_FALSE(json.next_key(key));
  json.skip();
  EXPECT_EQ(json.next(), Token::kEnd);
}

TEST(JsonReader, HalfAPairOfSurrogatesIsNoCharacter) {
  JsonReader json("f", R"(["\ud83d\ude00", "\ud83d", "\ud83d\u0041", "\ude00"])");
  std::vector<std::string> texts;
  for (Token t; (t = json.next()) != Token::kEnd;)
    if (t == Token::kString) texts.emplace_back(json.text());
  EXPECT_THAT(texts, ElementsAre("\U0001F600", "\uFFFD", "\uFFFDA", "\uFFFD"));
}

TEST(JsonReader, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(error_of("{\"a\": 1,\n\"b\" 2}"), "f:2: expected ':', found '2}'");
  EXPECT_THAT(error_of("{\"a\": 1 \"b\": 2}"), "f:1: expected ',' or '}', found '\"b\": 2}'");
  EXPECT_THAT(error_of("[1 2]"), "f:1: expected ',' or ']', found '2]'");
  EXPECT_THAT(error_of("[1,]"), "f:1: expected a value, found ']'");
  EXPECT_THAT(error_of("{\"a\": 1,}"), "f:1: expected a key, found '}'");
  EXPECT_THAT(error_of("{a: 1}"), "f:1: expected a key or '}', found 'a: 1}'");
  EXPECT_THAT(error_of("[1"), "f:1: expected ',' or ']', found the end of the text");
  EXPECT_THAT(error_of("{\"a\":"), "f:1: expected a value, found the end of the text");
  EXPECT_THAT(error_of("[\"a"), "f:1: expected the closing quote of a string, found the end of the text");
  EXPECT_THAT(error_of("[\"a\nb\"]"), HasSubstr("expected no control character in a string"));
  EXPECT_THAT(error_of("[\"\\x\"]"), HasSubstr("expected an escape (\\n, \\u00e9, ...), found 'x\"]'"));
  EXPECT_THAT(error_of("[\"\\u00g0\"]"), HasSubstr("expected four hexadecimal digits after \\u, found 'g0\"]'"));
  EXPECT_THAT(error_of("[01]"), HasSubstr("expected a number without leading zeros"));
  EXPECT_THAT(error_of("[1.]"), HasSubstr("expected a digit, found ']'"));
  EXPECT_THAT(error_of("[-]"), HasSubstr("expected a digit, found ']'"));
  EXPECT_THAT(error_of("[1e]"), HasSubstr("expected a digit, found ']'"));
  EXPECT_THAT(error_of("[nul]"), HasSubstr("expected a value, found 'nul]'"));
  EXPECT_THAT(error_of("]"), HasSubstr("expected a value, found ']'"));
  EXPECT_THAT(error_of("[}"), HasSubstr("expected a value, found '}'"));
  EXPECT_THAT(error_of(std::string(65, '[')), HasSubstr("expected values nested at most 64 deep"));
}

std::string random_string(Rng& rng) {
  static const char* const kPieces[] = {"a", "é", "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83c\\udfb5",
                                        "}", "[", ",",   ":",    " "};
  std::string out = "\"";
  for (std::uint64_t n = rng.below(6); n > 0; --n) out += kPieces[rng.below(std::size(kPieces))];
  return out + "\"";
}

std::string random_json(Rng& rng, int depth) {
  static const char* const kNumbers[] = {"0", "-7", "12.5", "1e3", "-0.25E-2", "9007199254740993"};
  const auto blank = [&] { return std::string(rng.below(3), rng.below(2) == 0 ? ' ' : '\n'); };
  const std::uint64_t kind = rng.below(depth > 4 ? 5 : 8);
  if (kind == 0) return "true";
  if (kind == 1) return "null";
  if (kind == 2) return kNumbers[rng.below(std::size(kNumbers))];
  if (kind < 5) return random_string(rng);
  const bool object = kind == 5;
  std::string out = object ? "{" : "[";
  for (std::uint64_t i = 0, n = rng.below(4); i < n; ++i) {
    out += (i > 0 ? "," : "") + blank();
    if (object) out += fmt::format("\"{}\"{}:", i, blank());
    out += blank() + random_json(rng, depth + 1) + blank();
  }
  return out + (object ? "}" : "]");
}

// A thousand texts against the JSON library, then the same with a character taken away: both must agree on whether that
// still is JSON.
TEST(JsonReader, AgreesWithTheLibrary) {
  Rng rng(7);
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string text = "[" + random_json(rng, 0) + "]";
    JsonReader json("f", text);
    ASSERT_EQ(value_of(json, json.next()).canonical(), Value::from_json(text).canonical()) << text;
    ASSERT_EQ(json.next(), Token::kEnd);
    std::size_t gone = rng.below(text.size());
    while ((text[gone] & 0x80) != 0) --gone;  // not half of an é: the library checks that strings are UTF-8
    text.erase(gone, 1);
    bool library = true, ours = true;
    try {
      Value::from_json(text);
    } catch (const UsageError&) {
      library = false;
    }
    try {
      JsonReader again("f", text);
      value_of(again, again.next());
      ours = again.next() == Token::kEnd;
    } catch (const DataError&) {
      ours = false;
    }
    if (text.find("\\ud83c") == std::string::npos &&
        text.find("\\udfb5") == std::string::npos) {  // half pairs: ours reads on
      ASSERT_EQ(ours, library) << text;
      refused += library ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace segue::test
