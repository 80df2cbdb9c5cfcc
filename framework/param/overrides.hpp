// Changes to a configuration from the command line: the subset of Hydra's syntax that people know.
//
//   a.b=1     changes what exists        +a.b=1     adds what does not        ~a.b     removes
//
// A segment addresses a key of a map, a position in a list (algorithms.0.factors), or an entry of a list by its name
// (algorithms.implicit_als.factors): its label, then its `name`, its main key ({implicit_als: {...}, label: x}; the
// first key but label, tune and name) or itself, where it is a string (popular). Below an entry, keys of the entry come
// first, then its parameters: the map under its main key or under `params`, else the entry itself. Since parameters
// have defaults, a new one below an entry needs no '+'; the schema refuses it later if it is wrong. A string entry
// becomes a map when something is put beneath it. `\.` is a dot inside a segment.
//
// Values are read by parse_yaml_scalar_or_flow(); a comma list is a list (factors=32,64), and nothing is an empty
// string.
#pragma once

#include <string>
#include <vector>

#include "framework/param/value.hpp"

namespace segue {

// UsageError, leaving `root` as it was, for a malformed text and for a path that does not exist (exists already, for
// '+'): "command line 'modle.x=1': there is no 'modle'; did you mean 'model'? known: ...; use +modle.x=1 to add it".
// What is set has the mark "command line 'modle.x=1'".
void apply_override(Value& root, const std::string& text);

// The value of `a=VALUE`; also for environment variables.
Value parse_override_value(const std::string& text, const Mark& mark);

}  // namespace segue
