// Runs the program and keeps what it said.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace segue::test {

struct Outcome {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// `segue` with these arguments, in an environment that is the same everywhere: 80 columns, no colour, no data folders,
// a home of its own; `environment` adds to it or (with an empty value) takes away. Not a terminal.
Outcome segue(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment = {});

// "$ segue ...", then stdout, stderr and exit code, as golden files hold it. Paths of this machine become <home>,
// content hashes <hash>.
std::string transcript(const std::vector<std::string>& arguments);

// Compares with tests/golden/cli/<name>.txt, or writes it where SEGUE_UPDATE_GOLDEN is set.
void expect_golden(const std::string& name, const std::string& text);

std::string home_folder();  // $HOME of the program

}  // namespace segue::test
