// Named arrays, texts and attributes in HDF5 files: the only door to HDF5.
//
// A file is written under a temporary name, synced and renamed, so a file that exists is complete. Object times are off
// and nothing depends on the clock or the process: equal calls give equal bytes. Files use the 1.8 format or, where
// a feature needs it, the 1.10 one; h5py and every HDF5 since 1.10 read them.
//
// Paths are absolute inside the file ("/views/abc/topk/items"). Element types T: std::uint8_t, std::uint32_t,
// std::uint64_t, std::int32_t, std::int64_t, float, double; others do not link. Numbers are stored little-endian.
// HDF5 is not thread-safe as Debian builds it, so all calls of a process take one lock: any thread may call.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {

// Whether large arrays are deflated: slower to write than what a disk takes.
enum class H5Packing { kDeflate, kNone };

class H5Writer {
 public:
  // Creates "<path>.tmp-<process id>" and the folders above it. EnvironmentError where that cannot be done.
  explicit H5Writer(const std::filesystem::path& path, H5Packing packing = H5Packing::kDeflate);
  // Without commit() the temporary file is removed and an older file at `path` stays as it was.
  ~H5Writer();
  H5Writer(const H5Writer&) = delete;
  H5Writer& operator=(const H5Writer&) = delete;

  // Flushes, syncs file and folder, renames to `path` (replacing an older file). Once, and last.
  // EnvironmentError where the disk is full or the folder is gone.
  void commit();

  // Row-major values of this shape; an empty shape means one dimension of values.size(). Missing groups are created.
  // Chunked, shuffled and deflated above 4 KiB, contiguous below and where nothing is packed. LogicError where the path is
  // taken.
  template <class T>
  void array(const std::string& path, std::span<const T> values, std::vector<std::size_t> shape = {});
  template <class T>
  void array(const std::string& path, const std::vector<T>& values, std::vector<std::size_t> shape = {}) {
    array(path, std::span<const T>(values), std::move(shape));
  }

  // One dimension of variable-length UTF-8 strings. DataError where a string holds a NUL byte, which HDF5 would cut at.
  void strings(const std::string& path, const std::vector<std::string>& values);

  // A scalar attribute of "/", of a group (created when absent) or of a dataset. LogicError where the name is taken.
  void attribute(const std::string& object_path, const std::string& name, const std::string& value);
  template <std::integral T>
  void attribute(const std::string& object_path, const std::string& name, T value) {
    if constexpr (!std::same_as<T, bool>)
      SEGUE_CHECK(std::in_range<std::int64_t>(value), "attribute '{}' exceeds i64", name);
    attribute_int(object_path, name, static_cast<std::int64_t>(value));
  }
  template <std::floating_point T>
  void attribute(const std::string& object_path, const std::string& name, T value) {
    attribute_real(object_path, name, static_cast<double>(value));
  }

 private:
  struct Impl;
  void attribute_int(const std::string& object_path, const std::string& name, std::int64_t value);
  void attribute_real(const std::string& object_path, const std::string& name, double value);
  std::unique_ptr<Impl> impl_;
};

class H5Reader {
 public:
  // Opens read-only and without locks, so any number of readers may hold the file. EnvironmentError where it is missing
  // or unreadable, DataError where it is truncated or not HDF5. Every message names the file.
  explicit H5Reader(const std::filesystem::path& path);
  ~H5Reader();
  H5Reader(H5Reader&&) noexcept;
  H5Reader& operator=(H5Reader&&) noexcept;

  const std::filesystem::path& path() const;
  bool has(const std::string& path) const;
  bool is_group(const std::string& path) const;                       // false where the path does not exist
  std::vector<std::string> children(const std::string& group) const;  // names (not paths), ascending by bytes

  // All values, row-major. DataError where the path is missing or the stored element type is not exactly T.
  template <class T>
  std::vector<T> array(const std::string& path) const;
  std::vector<std::size_t> shape(const std::string& path) const;
  std::vector<std::string> strings(const std::string& path) const;

  // nullopt where the attribute or its object is absent; DataError where it is not a text.
  std::optional<std::string> attribute_text(const std::string& object_path, const std::string& name) const;
  // DataError where the attribute is absent or of another type.
  std::int64_t attribute_int(const std::string& object_path, const std::string& name) const;
  double attribute_real(const std::string& object_path, const std::string& name) const;
  bool has_attribute(const std::string& object_path, const std::string& name) const;
  std::vector<std::string> attribute_names(const std::string& object_path) const;  // ascending by bytes

 private:
  friend void hash_h5_group(const H5Reader&, const std::string&, const std::vector<std::string>&, Hasher&);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Adds the group's content to `hasher`: its attributes and, below it in name order, every dataset, group and attribute,
// each as (name, type, shape, values). Chunking and compression do not matter, nor does the group's own name.
// `skip` lists absolute paths of objects, or of attributes as "/object@name", that are left out.
void hash_h5_group(const H5Reader& file, const std::string& group, const std::vector<std::string>& skip,
                   Hasher& hasher);

}  // namespace segue
