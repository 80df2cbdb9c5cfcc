// Files mapped into memory: opened at once however large they are, read where they are touched, and shared between
// processes by the page cache.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "framework/base/array.hpp"

namespace segue {

class MappedFile {
 public:
  // Read-only. EnvironmentError where it cannot be opened or mapped. An empty file has no bytes and is no error. What
  // is written over a mapped file is seen through the map, so files are replaced by renaming.
  explicit MappedFile(const std::filesystem::path& path);

  std::span<const std::byte> bytes() const { return bytes_; }
  // `count` values from byte `at` on, which share the map and keep it alive. LogicError where they do not lie inside
  // the file, or `at` is no multiple of alignof(T).
  template <class T>
  Array<T> array(std::size_t at, std::size_t count) const {
    check(at, count, sizeof(T), alignof(T));
    return Array<T>(owner_, {reinterpret_cast<const T*>(bytes_.data() + at), count});
  }

 private:
  void check(std::size_t at, std::size_t count, std::size_t size, std::size_t alignment) const;
  std::shared_ptr<const void> owner_;
  std::span<const std::byte> bytes_;
};

}  // namespace segue
