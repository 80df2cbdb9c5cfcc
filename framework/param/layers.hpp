// Where a configuration comes from: layers over layers (defaults, user's file, included files, suite, environment,
// command line), and for every setting which layer won and which lost.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "framework/param/value.hpp"

namespace segue {

struct Layer {
  std::string origin;  // for people: "suite.yaml", "environment"
  Value values;        // a map or null
};

// Who set a leaf (anything but a map with keys) of the merged configuration.
struct Origin {
  struct Candidate {
    std::string origin;
    std::string mark;
    std::string text;
  };
  std::string path;  // "a.b"; a dot inside a key is written "\."
  std::vector<Candidate> winner_then_losers;
};

class Layers {
 public:
  // Above all that are there. UsageError where `values` is neither map nor null.
  void add(Layer layer);
  void add(std::string origin, Value values) { add(Layer{std::move(origin), std::move(values)}); }

  const std::vector<Layer>& layers() const { return layers_; }  // lowest first
  // Maps merge key by key; anything else replaces what is beneath. A map over a list is a UsageError: one could not
  // tell which entries it means.
  Value merged() const;
  // In the order of merged().
  std::vector<Origin> origins() const;

 private:
  std::vector<Layer> layers_;
};

// SEGUE_A__B=value becomes a.b (lower case), read like the value of an override. Variables named in `reserved` are
// skipped. Sorted by name. UsageError where two collide (SEGUE_A=1 and SEGUE_A__B=2) or a name has an empty part. Marks
// say "environment SEGUE_A__B".
Value environment_layer(const char* const* envp, const std::vector<std::string>& reserved);
Value environment_layer(const char* const* envp);  // skips reserved_environment()
// What Segue, its build and its scripts use for themselves: SEGUE_DATA_DIR, SEGUE_CACHE_DIR, SEGUE_ARCH, ...
const std::vector<std::string>& reserved_environment();

// Loads a file and what it includes (`include: base.yaml`, or a list, later ones stronger; relative to the including
// file). Appends a layer a file, lowest first, the file itself last, without the `include` keys, and returns these
// merged. UsageError on a cycle (naming it), a missing file (naming the line that includes it), more than 256 files.
Value load_with_includes(const std::filesystem::path& path, std::vector<Layer>& out_layers);

}  // namespace segue
