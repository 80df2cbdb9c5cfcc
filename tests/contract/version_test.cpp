// Defaults and version of every built-in algorithm, as reviewable text. A fit's identity holds the version and what differs from
// the defaults; so a default that changes while the version stays would let old results pass for new ones.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "framework/cli/builtin.hpp"

namespace segue {
namespace {

const char* const kFile = SEGUE_SOURCE_DIR "/tests/golden/algorithms.txt";

// "name version {canonical defaults}", a line each.
std::map<std::string, std::pair<int, std::string>> read_golden() {
  std::map<std::string, std::pair<int, std::string>> out;
  std::ifstream in(kFile);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string name, defaults;
    int version = 0;
    fields >> name >> version >> std::ws;
    std::getline(fields, defaults);
    out[name] = {version, defaults};
  }
  return out;
}

TEST(Version, IsBumpedWhenADefaultChanges) {
  Registry registry;
  DatasetRegistry datasets;
  register_builtin(registry, datasets);
  std::map<std::string, std::pair<int, std::string>> now;
  for (const std::string& name : registry.names()) {
    const Registry::Entry& entry = registry.find(name);
    now[name] = {entry.info.version, entry.schema.canonicalise(Value::map(), name).canonical()};
  }
  if (std::getenv("SEGUE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream out(kFile);
    for (const auto& [name, entry] : now) out << name << ' ' << entry.first << ' ' << entry.second << '\n';
    return;
  }
  const auto golden = read_golden();
  for (const auto& [name, entry] : now) {
    const auto it = golden.find(name);
    ASSERT_NE(it, golden.end()) << name << " is new; scripts/update-golden adds it to tests/golden/algorithms.txt";
    if (it->second.second != entry.second) {
      EXPECT_GT(entry.first, it->second.first) << "a default of " << name << " has changed: bump AlgorithmInfo::version, then run scripts/update-golden";
    }
    EXPECT_EQ(it->second, entry) << "if this change is meant, run scripts/update-golden";
  }
}

}  // namespace
}  // namespace segue
