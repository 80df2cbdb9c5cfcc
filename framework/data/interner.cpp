#include "framework/data/interner.hpp"

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {

namespace {

std::uint32_t hash_of(std::string_view text) { return static_cast<std::uint32_t>(hash64(text) >> 32); }

}  // namespace

std::size_t Interner::slot_of(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot].number != kNone && (slots_[slot].hash != hash || (*this)[slots_[slot].number] != text))
    slot = (slot + 1) & mask;
  return slot;
}

void Interner::grow() {
  std::vector<Slot> larger(slots_.empty() ? 1024 : slots_.size() * 2);
  const std::size_t mask = larger.size() - 1;
  for (const Slot& known : slots_) {
    if (known.number == kNone) continue;
    std::size_t slot = known.hash & mask;
    while (larger[slot].number != kNone) slot = (slot + 1) & mask;
    larger[slot] = known;
  }
  slots_ = std::move(larger);
}

std::uint32_t Interner::intern(std::string_view text) {
  if (4 * size() >= 3 * slots_.size()) grow();
  const std::uint32_t hash = hash_of(text);
  const std::size_t slot = slot_of(text, hash);
  if (slots_[slot].number == kNone) {
    SEGUE_CHECK(size() < kNone, "more than {} distinct ids", kNone);
    slots_[slot] = {static_cast<std::uint32_t>(size()), hash};
    bytes_.insert(bytes_.end(), text.begin(), text.end());
    offsets_.push_back(bytes_.size());
  }
  return slots_[slot].number;
}

std::uint32_t Interner::find(std::string_view text) const {
  return slots_.empty() ? kNone : slots_[slot_of(text, hash_of(text))].number;
}

}  // namespace segue
