// Runs the program and keeps what it said.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "tests/support/temp_folder.hpp"

namespace segue::test {

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
  long peak_bytes = 0;  // the most memory that it, or a program that it ran, held at once
};

// `segue` with these arguments, in an environment that is the same everywhere: 80 columns, no colour, no data folders,
// a home of its own; `environment` adds to it or (with an empty value) takes away. Not a terminal.
Outcome segue(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {});

// The same in two steps, for tests that send signals in between.
struct Running {
  pid_t pid = -1;
  std::shared_ptr<TempFolder> streams;
};
Running start(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {});
Outcome finish(const Running& program);  // waits; ended by signal n: exit code 128 + n

// "$ segue ...", then stdout, stderr and exit code, as golden files hold it. Paths of this machine become <home>,
// content hashes <hash>.
std::string transcript(const std::vector<std::string>& arguments);

// Compares with tests/golden/cli/<name>.txt, or writes it where SEGUE_UPDATE_GOLDEN is set.
void expect_golden(const std::string& name, const std::string& text);

std::string home_folder();  // $HOME of the program

}  // namespace segue::test
