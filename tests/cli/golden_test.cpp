// Transcripts that a reviewer reads: what the program says, word for word.
#include <gtest/gtest.h>

#include "tests/cli/transcript.hpp"

namespace segue::test {
namespace {

struct Case {
  const char* name;
  std::vector<std::vector<std::string>> commands;
};

// Files in tests/golden/cli. Nothing here may depend on the machine; what changes with every algorithm is not here
// either.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"help_data",
       {{"data", "--help"},
        {"data", "list", "--help"},
        {"data", "info", "--help"},
        {"data", "check", "--help"},
        {"data", "describe", "--help"},
        {"data", "render", "--help"},
        {"data", "fetch", "--help"}}},
      {"help_reference",
       {{"algo", "--help"},
        {"algo", "list", "--help"},
        {"algo", "show", "--help"},
        {"metric", "--help"},
        {"metric", "list", "--help"},
        {"metric", "show", "--help"}}},
      {"help_sound", {{"audio", "index", "--help"}, {"audio", "search", "--help"}, {"audio", "recall", "--help"}}},
      {"help_models", {{"recommend", "--help"}, {"next", "--help"}, {"similar", "--help"}}},
      {"help_run", {{"run", "--help"}}},
      {"help_installation", {{"doctor", "--help"}, {"version", "--help"}, {"completion", "--help"}}},
      {"algo_show", {{"algo", "show", "implicit_als"}, {"algo", "show", "implicit_als", "--format", "md"}}},
      {"metric_show",
       {{"metric", "show", "ndcg@10"},
        {"metric", "show", "rmse", "--format", "json"},
        {"metric", "show", "serendipity@10:cold"},
        {"metric", "show", ":act1"},
        {"metric", "show", "coverage@10:cold"}}},
      {"metric_list", {{"metric", "list"}}},
      {"data_fetch_offline", {{"data", "fetch", "movielens-100k", "--offline"}}},
      {"data_info_demo", {{"data", "info", "demo", "users=50", "artists=20", "tracks=100", "days=30"}}},
      {"tags",
       {{"tags", "--help"},
        {"tags", "demo", "users=50", "artists=20", "tracks=100", "days=30", "-n", "6"},
        {"tags", "demo", "users=50", "artists=20", "tracks=100", "days=30", "--merged", "-n", "3"},
        {"tags", "demo", "users=50", "artists=20", "tracks=100", "days=30", "--cluster", "3"},
        {"tags", "demo", "users=50", "artists=20", "tracks=100", "days=30", "-n", "2", "--json"},
        {"tags", "demo", "users=50", "artists=20", "tracks=100", "days=30", "--artist", "nobody of that name"},
        {"tags", "demo", "--cluster", "0"},
        {"tags", "demo", "--cluster", "3", "--merged"}}},
      {"data_describe_demo", {{"data", "describe", "demo", "users=50", "artists=20", "tracks=100", "days=30"}}},
      {"mistakes",
       {{"data"},
        {"dta", "list"},
        {"data", "lst"},
        {"data", "list", "--formt", "csv"},
        {"data", "list", "x"},
        {"data", "info"},
        {"data", "info", "movielens-100k"},
        {"data", "info", "demo", "seeed=3"},
        {"data", "info", "demo", "3"},
        {"data", "info", "demo", "seed=1", "seed=2"},
        {"data", "list", "--format", "yaml"},
        {"data", "fetch", "movielens"},
        {"data", "render", "demo", "users=5", "artists=12", "tracks=20", "--item", "t0001", "-o", "never.wav"},
        {"data", "render", "demo", "users=5", "artists=12", "tracks=20", "--item", "Yesterday", "-o", "never.wav"},
        {"data", "render", "synthetic", "--item", "x", "-o", "never.wav"},
        {"completion", "tcsh"}}},
  };
  return all;
}

class Golden : public testing::TestWithParam<Case> {};

TEST_P(Golden, Transcript) {
  std::string text;
  for (const auto& command : GetParam().commands) text += (text.empty() ? "" : "\n") + transcript(command);
  expect_golden(GetParam().name, text);
}

INSTANTIATE_TEST_SUITE_P(Cli, Golden, testing::ValuesIn(cases()), [](const auto& c) { return c.param.name; });

}  // namespace
}  // namespace segue::test
