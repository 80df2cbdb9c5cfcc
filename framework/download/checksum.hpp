// Checksums of files as publishers state them. Internal to the module; the only door to OpenSSL.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace segue {

struct Checksums {
  std::string md5, sha256;  // lower-case hexadecimal
  std::uint64_t bytes = 0;
};

// Reads the file once. progress(bytes read so far) may throw. EnvironmentError when the file cannot be read.
Checksums file_checksums(const std::filesystem::path& path, const std::function<void(std::uint64_t)>& progress = {});

}  // namespace segue
