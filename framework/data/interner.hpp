// Distinct texts and a number for each, in the order in which they came. The numbers never leave the code that builds a
// data set, since they depend on the order of the input.
#pragma once

#include <cstdint>
#include <string_view>

#include "framework/data/page_vector.hpp"

namespace segue {

class Interner {
 public:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;

  // The text's number, a new one where it was not known.
  std::uint32_t intern(std::string_view text) { return intern(text, hash_of(text)); }
  // The text's number or kNone.
  std::uint32_t find(std::string_view text) const;

  // For those who know some time before which text they will ask for: where it is looked for is far apart in memory,
  // and fetching it takes longer than all else. First the one, a while later the other, then intern().
  static std::uint32_t hash_of(std::string_view text);
  void fetch_slot(std::uint32_t hash) const;
  void fetch_text(std::uint32_t hash) const;
  std::uint32_t intern(std::string_view text, std::uint32_t hash);

  // Lets go of what finding takes: texts can be asked for by number only.
  void seal() { slots_.clear(); }
  std::size_t size() const { return records_.size(); }
  std::string_view operator[](std::size_t number) const { return text_at(records_[number]); }

 private:
  // words_[record] is the number, the next word the size, and what follows the text: one place in memory for each text.
  struct Slot {
    std::uint32_t record, hash;  // the hash beside it spares most looks at texts that are others
  };
  std::string_view text_at(std::uint32_t record) const {
    return {reinterpret_cast<const char*>(words_.data() + record + 2), words_[record + 1]};
  }
  std::size_t slot_of(std::string_view text, std::uint32_t hash) const;
  void grow();

  PageVector<std::uint32_t> words_, records_;
  PageVector<Slot> slots_;  // open addressing, a power of two, at most three quarters full
};

}  // namespace segue
