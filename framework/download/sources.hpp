// The public data sets that Segue can fetch: where they are published, how to tell that they arrived whole.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

struct Source {
  std::string name;                         // "movielens-100k"
  std::string folder;                       // what it unpacks to under the data root and loaders look for: "ml-100k"
  std::string url;                          // http or https; its last component names the archive
  std::string md5;                          // of the archive, lower-case hexadecimal; empty = not known
  std::string sha256;                       // likewise
  std::uint64_t bytes = 0;                  // size of the archive; 0 = not known
  std::string licence;                      // one line
  std::vector<std::string> required_files;  // relative to the folder; the data set is there when all of them are

  std::string archive() const;  // "ml-100k.zip"
};

const std::vector<Source>& sources();

// By name, or by folder. UsageError with the nearest name otherwise.
const Source& find_source(std::string_view name);

}  // namespace segue
