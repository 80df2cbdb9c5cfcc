#include "framework/param/grid.hpp"

#include <gtest/gtest.h>

#include "framework/param/yaml.hpp"
#include "tests/unit/param/refusal.hpp"

namespace segue {
namespace {

std::vector<std::string> grid(const std::string& text, const std::vector<std::string>& list_fields = {}) {
  std::vector<std::string> out;
  for (const auto& [params, label] : expand_grid(parse_yaml(text, "suite.yaml"), list_fields))
    out.push_back(label + " -> " + params.text());
  return out;
}

TEST(Grid, TheFirstKeyIsTheSlowest) {
  EXPECT_EQ(grid("{factors: [32, 64], bias: true, reg: [0.01, 1.0]}"),
            (std::vector<std::string>{"factors=32,reg=0.01 -> {factors: 32, bias: true, reg: 0.01}",
                                      "factors=32,reg=1.0 -> {factors: 32, bias: true, reg: 1.0}",
                                      "factors=64,reg=0.01 -> {factors: 64, bias: true, reg: 0.01}",
                                      "factors=64,reg=1.0 -> {factors: 64, bias: true, reg: 1.0}"}));
}

TEST(Grid, NothingToVaryIsOneTrial) {
  EXPECT_EQ(grid("{factors: 32}"), (std::vector<std::string>{" -> {factors: 32}"}));
  const auto none = expand_grid(Value::null(), {});
  ASSERT_EQ(none.size(), 1u);
  EXPECT_TRUE(none[0].first.is_null());
  EXPECT_EQ(grid("{factors: [32]}"), (std::vector<std::string>{"factors=32 -> {factors: 32}"}));
}

TEST(Grid, ListParametersVaryOnlyAsListsOfLists) {
  EXPECT_EQ(grid("{hidden: [64, 32]}", {"hidden"}), (std::vector<std::string>{" -> {hidden: [64, 32]}"}));
  EXPECT_EQ(grid("{hidden: []}", {"hidden"}), (std::vector<std::string>{" -> {hidden: []}"}));
  EXPECT_EQ(grid("{hidden: [[64], [64, 32]]}", {"hidden"}),
            (std::vector<std::string>{"hidden=[64] -> {hidden: [64]}", "hidden=[64, 32] -> {hidden: [64, 32]}"}));
  EXPECT_EQ(refusal([] { grid("{hidden: [[64], 32]}", {"hidden"}); }),
            "suite.yaml:1:10: hidden mixes lists and single values; a grid over lists is a list of lists");
}

TEST(Grid, EmptyAndHugeGridsAreRefused) {
  EXPECT_EQ(refusal([] { grid("factors: []"); }),
            "suite.yaml:1:10: factors = [] leaves nothing to try; give at least one value");
  std::string text;
  for (int i = 0; i < 6; ++i) text += fmt::format("k{}: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n", i);
  EXPECT_EQ(refusal([&] { grid(text); }), "suite.yaml:6:5: the grid has more than 100000 combinations");
  EXPECT_EQ(refusal([] { grid("[1]"); }), "suite.yaml:1:1: expected a map of parameters, got list [1]");
}

}  // namespace
}  // namespace segue
