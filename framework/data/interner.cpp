#include "framework/data/interner.hpp"

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {

std::size_t Interner::slot_of(std::string_view text, std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != kNone && (hashes_[slots_[slot]] != hash || (*this)[slots_[slot]] != text)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

void Interner::grow() {
  slots_.assign(slots_.empty() ? 1024 : slots_.size() * 2, kNone);
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t i = 0; i < hashes_.size(); ++i) {
    std::size_t slot = hashes_[i] & mask;
    while (slots_[slot] != kNone) slot = (slot + 1) & mask;
    slots_[slot] = i;
  }
}

std::uint32_t Interner::intern(std::string_view text) {
  if (2 * size() >= slots_.size()) grow();
  const std::uint64_t hash = hash64(text);
  const std::size_t slot = slot_of(text, hash);
  if (slots_[slot] == kNone) {
    SEGUE_CHECK(size() < kNone, "more than {} distinct ids", kNone);
    slots_[slot] = static_cast<std::uint32_t>(size());
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    offsets_.push_back(bytes_.size());
    hashes_.push_back(hash);
  }
  return slots_[slot];
}

std::uint32_t Interner::find(std::string_view text) const {
  return slots_.empty() ? kNone : slots_[slot_of(text, hash64(text))];
}

}  // namespace segue
