// Whom the contract binds: every algorithm of the registry under its default parameters and, where one choice of one
// parameter makes it predict ratings or stop doing so, under that choice too; further configurations that a list in
// subjects.cpp names; and a plugin.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/data/loader.hpp"
#include "framework/data/task.hpp"
#include "framework/model/registry.hpp"
#include "tests/support/fitted.hpp"

namespace segue::test {

struct Subject {
  std::string algorithm;
  Value params;      // what differs from the defaults
  std::string name;  // "item_knn", "item_knn_target_ratings"
  friend void PrintTo(const Subject& s, std::ostream* out) { *out << s.name; }
};

inline std::string name_of(const testing::TestParamInfo<Subject>& info) { return info.param.name; }

const Registry& all_algorithms();
const DatasetRegistry& all_datasets();
std::vector<Subject> subjects();
std::vector<Subject> subjects_that(const std::function<bool(const Subject&)>& can);
std::vector<std::string> algorithm_names();

inline const Registry::Entry& entry_of(const Subject& s) { return all_algorithms().find(s.algorithm); }
inline std::unique_ptr<Recommender> make(const Subject& s) { return all_algorithms().make(s.algorithm, s.params); }
// Whether this configuration learns from stars: then a world of ratings is what fits it.
inline bool learns_ratings(const Subject& s) { return make(s)->ratings() != nullptr; }
// Whether it says what comes next rather than what a listener likes.
inline bool learns_sequences(const Subject& s) { return entry_of(s).info.family == "sequence"; }
// Whether it learns from how items sound.
inline bool learns_sounds(const Subject& s) {
  const std::vector<std::string>& needs = entry_of(s).info.needs;
  return std::find(needs.begin(), needs.end(), ItemSound::kName) != needs.end();
}
// Why nothing is asked about what the subject has learned of pairs of users and items; empty where it is. By its
// declared capabilities.
std::string learns_nothing_because(const Subject& subject);

Fitted fit(const Subject& subject, const PreparedFold& fold, int threads = 1, std::uint64_t seed = 1);

}  // namespace segue::test
