#include "tests/run/bench.hpp"

#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/data_dir.hpp"

namespace segue::test {

namespace fs = std::filesystem;

Bench::Bench(const std::string& suite) {
  environment_ = {{"XDG_CACHE_HOME", (folder_ / "cache").string()}, {"XDG_CONFIG_HOME", (folder_ / "config").string()}};
  std::string roots;
  for (const fs::path& root : data_folders()) roots += (roots.empty() ? "" : ":") + fs::absolute(root).string();
  environment_["SEGUE_DATA_DIR"] = roots;
  if (!suite.empty()) write_suite(suite);
}

void Bench::write_suite(const std::string& text) const { folder_.write("suite.yaml", text); }

Running Bench::start_run(const std::vector<std::string>& arguments) const {
  std::vector<std::string> words{"run", suite().string(), "-o", results().string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return start(words, environment_);
}

Outcome Bench::run(const std::vector<std::string>& arguments) const { return finish(start_run(arguments)); }

Outcome Bench::segue(const std::vector<std::string>& arguments) const { return test::segue(arguments, environment_); }

std::string Bench::hash() const {
  const Outcome outcome = segue({"hash", results().string()});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.size(), 33u) << outcome.out;
  return outcome.out;
}

Json Bench::leaderboard(const std::vector<std::string>& arguments) const {
  std::vector<std::string> words{"leaderboard", results().string(), "--format", "json"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const Outcome outcome = segue(words);
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return Json::parse(outcome.out);
}

Json Bench::row(const std::string& label) const {
  for (const Json board = leaderboard(); const Json& row : board["rows"])
    if (row["label"] == label) return row;
  ADD_FAILURE() << "no row '" << label << "'";
  return {};
}

std::vector<Json> Bench::journal() const {
  std::vector<Json> out;
  std::ifstream in(results() / "journal.jsonl");
  for (std::string line; std::getline(in, line);) {
    if (Json entry = Json::parse(line, nullptr, false); !entry.is_discarded()) out.push_back(std::move(entry));
  }
  return out;
}

std::size_t Bench::count(const std::string& event, const std::string& label) const {
  std::size_t n = 0;
  for (const Json& entry : journal()) n += entry["event"] == event && entry["label"] == label;
  return n;
}

std::map<std::string, fs::file_time_type> Bench::trial_files() const {
  std::map<std::string, fs::file_time_type> out;
  if (!fs::exists(results() / "trials")) return out;
  for (const auto& file : fs::directory_iterator(results() / "trials"))
    out[file.path().filename().string()] = file.last_write_time();
  return out;
}

bool wait_until(const std::function<bool()>& condition, double seconds) {
  for (int i = 0; i < static_cast<int>(seconds * 200); ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

std::string small_suite(const std::string& algorithms, const std::string& rest) {
  return "version: 1\nname: small\n" + kSmallDemo +
         "feedback: {transform: log_confidence}\nsplit: {strategy: random_ratio, test: 0.2, per: user}\nalgorithms: " +
         algorithms + "\n" +
         (rest.find("evaluate:") == std::string::npos ? "evaluate: [{candidates: full, metrics: [ndcg@10]}]\n" : "") +
         rest;
}

}  // namespace segue::test
