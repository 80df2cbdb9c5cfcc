// A folder with a suite, its results, a cache and settings of its own, and the program run in it.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/cli/transcript.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::test {

using Json = nlohmann::ordered_json;

class Bench {
 public:
  // The text becomes suite.yaml.
  explicit Bench(const std::string& suite = "");

  void write_suite(const std::string& text) const;
  std::filesystem::path suite() const { return folder_ / "suite.yaml"; }
  std::filesystem::path results() const { return folder_ / "results"; }
  const TempFolder& folder() const { return folder_; }
  void set_environment(const std::string& name, const std::string& value) { environment_[name] = value; }

  // `segue run suite.yaml -o results ARGUMENTS`
  Outcome run(const std::vector<std::string>& arguments = {}) const;
  Running start_run(const std::vector<std::string>& arguments = {}) const;
  Outcome segue(const std::vector<std::string>& arguments) const;  // any command, in the same environment

  std::string hash() const;  // of the results
  Json leaderboard(const std::vector<std::string>& arguments = {}) const;
  Json row(const std::string& label) const;  // of the first task; null where there is none
  // Lines of the journal that are whole.
  std::vector<Json> journal() const;
  std::size_t count(const std::string& event, const std::string& label) const;
  std::map<std::string, std::filesystem::file_time_type> trial_files() const;

 private:
  TempFolder folder_;
  std::map<std::string, std::string> environment_;
};

// Asks every few milliseconds; false after `seconds`.
bool wait_until(const std::function<bool()>& condition, double seconds = 60);

// A demo world in which a fit takes milliseconds.
inline const std::string kSmallDemo = "dataset: {name: demo, users: 60, artists: 30, tracks: 200, days: 60}\n";
// version, name, kSmallDemo, feedback and a split that leaves most listeners a truth.
std::string small_suite(const std::string& algorithms, const std::string& rest = "");

}  // namespace segue::test
