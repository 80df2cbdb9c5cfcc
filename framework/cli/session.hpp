// What a command works with: the registries, where data is, and how the program was asked to behave.
#pragma once

#include "framework/base/errors.hpp"
#include "framework/data/loader.hpp"
#include "framework/model/registry.hpp"

namespace segue {

struct Session {
  Registry algorithms;
  DatasetRegistry datasets;
  DataRoots roots;                     // $SEGUE_DATA_DIR, then the folder of `segue data fetch`
  bool quiet = false;                  // -q: no progress
  bool verbose = false;                // -v
  ExitCode exit_code = ExitCode::kOk;  // of the command that ran
};

// Everything built in is registered, and data is looked for where the environment says.
void open_session(Session& session);

}  // namespace segue
