// A suite from the command line: file, includes, environment, the person's own settings and overrides, merged and checked.
#pragma once

#include <string>
#include <vector>

#include "framework/cli/session.hpp"
#include "framework/experiment/dataset_store.hpp"
#include "framework/experiment/spec.hpp"
#include "framework/param/layers.hpp"

namespace segue {

struct LoadedSuite {
  Layers layers;      // lowest first, for `config show --origin`
  Value merged;       // after overrides
  Spec spec;          // checked
};

// overrides: "a.b=1", "+a.b=1", "~a.b". Loads the plugins that the suite and `plugins` name into session.algorithms.
LoadedSuite load_suite(Session& session, const std::string& file, const std::vector<std::string>& overrides,
                       const std::vector<std::string>& plugins);
// Without checking what it means; for `config show`.
Layers load_layers(const std::string& file, const std::vector<std::string>& overrides, Value& merged);

// The spec that a results folder was made with, checked against this program. Loads its plugins.
Spec spec_of_results(Session& session, const std::string& spec_json);

DatasetStore open_datasets(const Session& session);

}  // namespace segue
