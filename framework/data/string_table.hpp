// Many strings in two shared arrays, so that a table maps straight from a snapshot file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/array.hpp"

namespace segue {

class StringTable {
 public:
  StringTable() : offsets_(std::vector<std::uint64_t>{0}) {}
  explicit StringTable(const std::vector<std::string>& strings) {
    std::vector<char> bytes;
    std::vector<std::uint64_t> offsets{0};
    offsets.reserve(strings.size() + 1);
    for (const std::string& s : strings) {
      bytes.insert(bytes.end(), s.begin(), s.end());
      offsets.push_back(bytes.size());
    }
    bytes_ = std::move(bytes);
    offsets_ = std::move(offsets);
  }
  StringTable(Array<char> bytes, Array<std::uint64_t> offsets) : bytes_(std::move(bytes)), offsets_(std::move(offsets)) {}

  std::size_t size() const { return offsets_.size() - 1; }
  std::string_view operator[](std::size_t i) const {
    return {bytes_.data() + offsets_[i], static_cast<std::size_t>(offsets_[i + 1] - offsets_[i])};
  }
  const Array<char>& bytes() const { return bytes_; }
  const Array<std::uint64_t>& offsets() const { return offsets_; }
  std::vector<std::string> to_vector() const {
    std::vector<std::string> out;
    out.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) out.emplace_back((*this)[i]);
    return out;
  }

 private:
  Array<char> bytes_;
  Array<std::uint64_t> offsets_;
};

}  // namespace segue
