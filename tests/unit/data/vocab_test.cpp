#include "framework/data/vocab.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {
namespace {

TEST(Vocab, NumbersComeFirstByValueThenTextByBytes) {
  const Vocab vocab({"b", "10", "9", "07", "a", "100", "B", "0", "", "-3", "1.5"});
  EXPECT_THAT(vocab.table().to_vector(),
              testing::ElementsAre("0", "9", "10", "100", "", "-3", "07", "1.5", "B", "a", "b"));
}

TEST(Vocab, NumbersLongerThanAnyIntegerKeepTheirOrder) {
  EXPECT_TRUE(canonical_less("99999999999999999999", "100000000000000000000"));
  EXPECT_FALSE(canonical_less("100000000000000000000", "99999999999999999999"));
  EXPECT_FALSE(canonical_less("7", "7"));
}

TEST(Vocab, FindsEveryIdAndNoOther) {
  std::vector<std::string> ids;
  for (int i = 0; i < 500; ++i) ids.push_back(i % 3 == 0 ? fmt::format("x{}", i) : fmt::format("{}", i * 7));
  const Vocab vocab(ids);
  ASSERT_EQ(vocab.size(), ids.size());
  for (const std::string& id : ids) {
    const auto at = vocab.find(id);
    ASSERT_TRUE(at.has_value()) << id;
    EXPECT_EQ(vocab[*at], id);
    EXPECT_EQ(vocab.keys()[*at], hash64(id));
  }
  for (const char* absent : {"2", "x1", "", "zz", "99999"}) EXPECT_FALSE(vocab.find(absent).has_value()) << absent;
  EXPECT_FALSE(Vocab().find("a").has_value());
}

TEST(Vocab, ATwinIsABug) { EXPECT_THROW(Vocab({"a", "b", "a"}), LogicError); }

}  // namespace
}  // namespace segue
