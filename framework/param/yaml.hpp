// YAML in and out. The only door to yaml-cpp, of which only the scanner is used: the tree is built here, so that marks,
// duplicate keys, types and limits are ours.
//
// One document a file, YAML 1.2 core schema, anchors, aliases and `<<` merges expanded (an explicit key wins, then the
// earlier map of a list). An alias has the mark of the alias, what is beneath it its own. A null left out has its key's
// mark. Refused, each with file:line:column and a sentence: syntax errors, tabs as indentation, duplicate keys, keys
// that are not scalars, tags other than the core ones, several documents, an empty file, text that is not UTF-8,
// control characters, nesting beyond 100 levels, aliases within themselves, more than 1,000,000 values after expansion,
// files over 16 MiB. All errors are UsageError.
#pragma once

#include <filesystem>
#include <string>

#include "framework/param/value.hpp"

namespace segue {

Value parse_yaml(const std::string& text, const std::string& file_name);

// UsageError naming the file where it is missing, a directory, or unreadable. Marks carry the path as given.
Value load_yaml(const std::filesystem::path& path);

// For command lines and the environment: `64`, `true`, `[32, 64]`, `{a: 1}`, `"quoted"`; any other text is a string,
// whatever its characters. Every node has `mark`. Empty text is an empty string.
Value parse_yaml_scalar_or_flow(const std::string& text, const Mark& mark);

// Block style, lists of scalars in one line; reads back as an equal Value.
std::string emit_yaml(const Value& value);

}  // namespace segue
