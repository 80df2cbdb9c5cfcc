// Distinct texts and a number for each, in the order in which they came. The numbers never leave the code that builds a
// data set, since they depend on the order of the input.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace segue {

class Interner {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;

  // The text's number, a new one where it was not known.
  std::uint32_t intern(std::string_view text);
  // The text's number or kNone.
  std::uint32_t find(std::string_view text) const;
  std::size_t size() const { return offsets_.size() - 1; }
  std::string_view operator[](std::size_t number) const {
    return {bytes_.data() + offsets_[number], static_cast<std::size_t>(offsets_[number + 1] - offsets_[number])};
  }

 private:
  struct Slot {
    std::uint32_t number = kNone, hash = 0;  // the hash beside it spares most looks at texts that are others
  };
  std::size_t slot_of(std::string_view text, std::uint32_t hash) const;
  void grow();

  std::vector<char> bytes_;
  std::vector<std::uint64_t> offsets_{0};
  std::vector<Slot> slots_;  // open addressing, a power of two, at most three quarters full
};

}  // namespace segue
