#include "tests/cli/transcript.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/temp_folder.hpp"

namespace segue::test {

namespace {

const TempFolder& home() {
  static const TempFolder folder;
  return folder;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
}

[[noreturn]] void become_segue(const std::vector<std::string>& arguments,
                               const std::map<std::string, std::string>& environment, const TempFolder& folder) {
  for (const auto& [number, name] : {std::pair{1, "out"}, std::pair{2, "err"}}) {
    const int fd = ::open((folder / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ::dup2(fd, number);
  }
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  std::map<std::string, std::string> all{
      {"PATH", std::getenv("PATH")}, {"HOME", home().path().string()}, {"COLUMNS", "80"}, {"LANG", "C.UTF-8"}};
  // What sanitizers are told must reach the program too.
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) all[name] = value;
  }
  for (const auto& [name, value] : environment) all[name] = value;
  std::vector<std::string> lines;
  for (const auto& [name, value] : all) {
    if (!value.empty()) lines.push_back(name + "=" + value);
  }
  std::vector<std::string> words{"segue"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv, envp;
  for (std::string& word : words) argv.push_back(word.data());
  for (std::string& line : lines) envp.push_back(line.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  ::execve(SEGUE_BINARY, argv.data(), envp.data());
  ::_exit(127);
}

}  // namespace

std::string home_folder() { return home().path().string(); }

Running start(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment) {
  Running program{-1, std::make_shared<TempFolder>()};
  home();
  program.pid = ::fork();
  if (program.pid == 0) become_segue(arguments, environment, *program.streams);
  return program;
}

Outcome finish(const Running& program) {
  int status = 0;
  rusage usage{};
  ::wait4(program.pid, &status, 0, &usage);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, read(*program.streams / "out"), read(*program.streams / "err"), 1024 * usage.ru_maxrss};
}

Outcome segue(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment) {
  return finish(start(arguments, environment));
}

std::string transcript(const std::vector<std::string>& arguments) {
  const Outcome outcome = segue(arguments);
  std::string text = "$ segue";
  for (const std::string& word : arguments) text += " " + word;
  text += "\n" + outcome.out;
  if (!outcome.err.empty()) text += "--- stderr\n" + outcome.err;
  if (outcome.exit_code != 0) text += fmt::format("--- exit {}\n", outcome.exit_code);
  replace_all(text, home_folder(), "<home>");
  return std::regex_replace(text, std::regex("\\b[0-9a-f]{32}\\b"), "<hash>");
}

void expect_golden(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(SEGUE_SOURCE_DIR) / "tests/golden/cli" / (name + ".txt");
  if (const char* update = std::getenv("SEGUE_UPDATE_GOLDEN"); update != nullptr && *update != '\0') {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  ASSERT_TRUE(std::filesystem::exists(path)) << path << " is missing; scripts/update-golden writes it";
  EXPECT_EQ(read(path), text) << "if this change is meant, run scripts/update-golden and review the difference";
}

}  // namespace segue::test
