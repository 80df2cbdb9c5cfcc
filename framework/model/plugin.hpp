// Algorithms from shared libraries that were built apart from the program (scripts/plugin-template).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "framework/model/registry.hpp"

namespace segue {

// Registers the plugin's algorithm, marked with the file's absolute path and content hash. The file is checked before
// any of its code runs: it must exist, be a whole shared library for this machine, be a Segue plugin, and carry this
// library's ABI mark (abi.hpp). UsageError otherwise, in one sentence with the remedy; also where its algorithm's name
// is taken, naming both claimants.
//
// Loading the same file again into the same registry does nothing. The code stays loaded until the process ends, since
// models, and exceptions that they threw, may live as long. Call it from one thread, before trials begin: loading runs
// the plugin's static initialisers with the program's rights.
void load_plugin(const std::filesystem::path& path, Registry& registry);

// The first half of load_plugin(), which runs nothing: the ABI mark inside the plugin's bytes. `name` is for the
// messages.
std::string plugin_abi_mark(std::string_view bytes, const std::string& name);

}  // namespace segue
