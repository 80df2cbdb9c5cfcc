// Fetches a public data set: downloads its archive, verifies it, unpacks it. What stands under the data root without
// the ending .part is always complete, whatever is interrupted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "framework/download/sources.hpp"

namespace segue {

struct FetchProgress {
  enum class Stage { kDownloading, kVerifying, kUnpacking };
  Stage stage;
  std::uint64_t done = 0;   // bytes, those of a resumed .part included
  std::uint64_t total = 0;  // bytes; 0 = not known
};

struct FetchOptions {
  std::filesystem::path root;  // the data root; empty = default_data_root()
  bool offline = false;        // never touch the network
  std::string mirror;          // base URL that replaces scheme and host; empty = $SEGUE_DATA_MIRROR, else the publisher
  bool force = false;          // download again and replace what is there
  // Called from the calling thread, often. May throw to cancel: what was downloaded stays for the next time.
  std::function<void(const FetchProgress&)> progress;
  int retries = 3;             // after transient errors, over the whole download
  double backoff_seconds = 1;  // before the first retry; doubles each time, at most 30
  int stall_seconds = 60;      // give an attempt up after so long below 1 byte/s
};

struct FetchResult {
  std::filesystem::path folder;
  bool already_there = false;            // nothing was done
  std::uint64_t bytes_downloaded = 0;    // over the network, in this call
  std::uint64_t bytes_resumed_from = 0;  // left by an earlier call and used
};

// Makes <root>/<folder> from the source and returns when it is complete.
//  - An archive that a person has put at <root>/<archive> is verified and unpacked instead of downloading, and kept.
//  - The download goes to <root>/<archive>.part and resumes there, unless the source has no checksum (then nothing
//    would notice two halves of different editions). A wrong checksum deletes it.
//  - Unpacking leaves out the archive's single top-level folder and refuses entries that leave the folder, and links.
//  - Several processes may fetch the same source at once: one works, the others wait and find it there.
// Throws UsageError (a mirror or URL that is not http or https; a folder in the way), DataError (the archive is wrong:
// size, checksum, damaged, unsafe, files missing), EnvironmentError (offline, network, HTTP status, full disk).
FetchResult fetch(const Source& source, const FetchOptions& options);

// Whether all required files are in <root>/<folder>.
bool is_fetched(const Source& source, const std::filesystem::path& root);

// $XDG_CACHE_HOME/segue/data, else $HOME/.cache/segue/data. EnvironmentError where neither is an absolute path.
std::filesystem::path default_data_root();

}  // namespace segue
