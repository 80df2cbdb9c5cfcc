#include "framework/cli/session.hpp"

#include <cstdlib>
#include <sstream>

#include "framework/cli/builtin.hpp"
#include "framework/download/fetch.hpp"

namespace segue {

void open_session(Session& session) {
  register_builtin(session.algorithms, session.datasets);
  if (const char* folders = std::getenv("SEGUE_DATA_DIR"); folders != nullptr) {
    std::istringstream list(folders);
    for (std::string folder; std::getline(list, folder, ':');) {
      if (!folder.empty()) session.roots.folders.emplace_back(folder);
    }
  }
  try {
    session.roots.folders.push_back(default_data_root());
  } catch (const EnvironmentError&) {
    // Without a home folder there is no cache to look in; `segue data fetch` says so when it is asked.
  }
  session.roots.folders.emplace_back(".");  // `path: plays.csv` in the folder one works in
}

}  // namespace segue
