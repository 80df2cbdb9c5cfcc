// The file of an index: named sections between a header that says what they are and a checksum of everything before it.
// Internal to framework/index.
//
//   64 bytes   "segue-index", version u32, zeros
//   sections   name char[48], bytes u64, zeros to 64; then the bytes, zeros to a multiple of 64
//   64 bytes   "segue-index-end", zeros to 32, XXH3 of everything before as 32 hexadecimal digits
//
// Numbers are those of the machine (little-endian wherever Segue is built).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "framework/base/array.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/mapped_file.hpp"

namespace segue {

inline constexpr std::uint32_t kIndexFileVersion = 1;

class IndexFileWriter {
 public:
  // A temporary file beside `path`, which commit() renames. EnvironmentError where it cannot be written.
  explicit IndexFileWriter(const std::filesystem::path& path);
  ~IndexFileWriter();
  IndexFileWriter(const IndexFileWriter&) = delete;
  IndexFileWriter& operator=(const IndexFileWriter&) = delete;

  template <class T>
  requires std::is_trivially_copyable_v<T>
  void section(const std::string& name, std::span<const T> values) {
    begin(name, values.size_bytes());
    write(values.data(), values.size_bytes());
  }
  // The same piece by piece: begin(), then write() until `bytes` were given.
  void begin(const std::string& name, std::size_t bytes);
  void write(const void* data, std::size_t bytes);
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class IndexFileReader {
 public:
  // Maps the file. EnvironmentError where it cannot be opened; DataError where it is truncated, damaged, of another
  // version, or no such file.
  explicit IndexFileReader(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  // The next section, which must have this name and hold whole elements: a view of the mapped file.
  template <class T>
  Array<T> section(const std::string& name) {
    std::size_t bytes = 0;
    const std::size_t from = next(name, bytes);
    if (bytes % sizeof(T) != 0) fail(name);
    return file_.array<T>(from, bytes / sizeof(T));
  }
  // DataError: the file says what cannot be, though its checksum is right.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  // Where its bytes begin, and how many they are.
  std::size_t next(const std::string& name, std::size_t& bytes);

  std::filesystem::path path_;
  MappedFile file_;
  std::size_t at_ = 0, end_ = 0;  // what is still to be read
};

}  // namespace segue
