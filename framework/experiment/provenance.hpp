// Where a result comes from: program, machine and libraries, stored as attributes of every trial file.
#pragma once

#include <map>
#include <string>

namespace segue {

// "git_commit", "compiler", "flags", "arch", "cpu", "segue_version", library versions ...
std::map<std::string, std::string> provenance();

}  // namespace segue
