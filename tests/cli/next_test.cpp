// segue next, word for word, on a small collection that a reader can check by eye.
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cli/transcript.hpp"

namespace segue::test {
namespace {

// Sixteen tracks: even ones are folk, odd ones techno, every fourth is instrumental. Two titles have commas, one with a
// blank behind it, one without, and two tracks have one title.
std::string items_csv() {
  const char* titles[] = {"Amber Road",  "Bassline",  "Copper Hill", "Drum Code", "Evening, Again", "Flicker",
                          "Green Water", "Hard Loop", "Ivy Wall",    "Junction",  "10,000 Days",    "Low Pass",
                          "Meadow",      "Night Bus", "Pulse",       "Pulse"};
  std::string out = "id,title,artist,tags\n";
  for (int i = 0; i < 16; ++i)
    out += fmt::format("t{:02},\"{}\",{},{}{}\n", i, titles[i], i % 2 == 0 ? "The Hollow" : "Grid",
                       i % 2 == 0 ? "folk" : "techno", i % 4 == 0 ? "|instrumental" : "");
  return out;
}

// Twenty-four listeners of one kind each, with a few tracks of the other.
std::string plays_csv() {
  std::string out = "user,item\n";
  for (int u = 0; u < 24; ++u)
    for (int i = 0; i < 16; ++i)
      if ((u % 2 == i % 2) ? (u + 3 * i) % 4 != 0 : (5 * u + i) % 7 == 0) out += fmt::format("u{:02},t{:02}\n", u, i);
  return out;
}

const std::string kSuite = R"(version: 1
name: two_kinds
dataset:
  name: delimited
  path: plays.csv
  user: user
  item: item
  items: items.csv
  items_item: id
  items_title: title
  items_artist: artist
  items_tags: tags
  tag_separator: "|"
algorithms: [item_knn, popular]
evaluate: [{metrics: [hr@3]}]
)";

TEST(Golden, Next) {
  const std::string home = home_folder(), results = home + "/results";
  std::ofstream(home + "/items.csv") << items_csv();
  std::ofstream(home + "/plays.csv") << plays_csv();
  std::ofstream(home + "/suite.yaml") << kSuite;
  const Outcome run = segue({"run", home + "/suite.yaml", "-o", results, "-q"});
  ASSERT_EQ(run.exit_code, 0) << run.err;
  std::string text;
  for (const std::vector<std::string>& asked : std::vector<std::vector<std::string>>{
           {"next", "--trial", "item_knn", "--history", "Bassline, hard loop, t09", "-n", "3"},
           {"next", "--trial", "item_knn", "--history", "Evening, Again, \"Meadow\"", "-n", "2", "--format", "md"},
           {"next", "--trial", "item_knn", "--item", "Evening, Again", "--item", "Meadow", "-n", "2", "--repeats"},
           {"next", "--trial", "item_knn", "--history", "Evening, Again", "-n", "2"},
           {"next", "--trial", "item_knn", "--history", "Bassline, hard loop, t09", "-n", "3", "--format", "csv"},
           {"next", "--trial", "item_knn", "--history", "10,000 days,Evening,Again", "-n", "2"},
           {"next", "--trial", "item_knn", "--history", "10, Meadow"},
           {"next", "--trial", "item_knn", "--history", "Meadow, Pulse"},
           {"next", "--trial", "item_knn", "--history", "\"Mead\"", "-n", "100"},
           {"next", "--trial", "popular", "--history", "Meadow", "-n", "2"},
           {"next", "--trial", "popular", "--history", "Meadow", "-n", "1", "--json"},
           {"next", "--trial", "item_knn", "--history", "Amber Raod, Meadow"},
           {"next", "--trial", "item_knn", "--history", "\"Amber Road, Meadow"},
           {"next", "--trial", "item_knn"},
           {"next", "--trial", "item_kn", "--item", "Meadow"}}) {
    std::vector<std::string> words = asked;
    words.insert(words.begin() + 1, {"--results", results});
    text += (text.empty() ? "" : "\n") + transcript(words);
  }
  expect_golden("next", text);
}

}  // namespace
}  // namespace segue::test
