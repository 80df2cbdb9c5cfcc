#include "framework/data/interner.hpp"

#include <cstring>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"

namespace segue {

std::uint32_t Interner::hash_of(std::string_view text) { return static_cast<std::uint32_t>(hash64(text) >> 32); }

void Interner::fetch_slot(std::uint32_t hash) const {
  if (slots_.size() > 0) __builtin_prefetch(slots_.data() + (hash & (slots_.size() - 1)));
}

void Interner::fetch_text(std::uint32_t hash) const {
  if (slots_.size() == 0) return;
  const Slot& slot = slots_[hash & (slots_.size() - 1)];
  if (slot.record != kNone) __builtin_prefetch(words_.data() + slot.record);
}

std::size_t Interner::slot_of(std::string_view text, std::uint32_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot].record != kNone && (slots_[slot].hash != hash || text_at(slots_[slot].record) != text))
    slot = (slot + 1) & mask;
  return slot;
}

void Interner::grow() {
  const std::size_t n_slots = slots_.size() == 0 ? 1024 : slots_.size() * 2;
  PageVector<Slot> larger;
  std::memset(static_cast<void*>(larger.extend(n_slots)), 0xFF, n_slots * sizeof(Slot));  // every record kNone
  const std::size_t mask = n_slots - 1;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot known = slots_[i];
    if (known.record == kNone) continue;
    std::size_t slot = known.hash & mask;
    while (larger[slot].record != kNone) slot = (slot + 1) & mask;
    larger[slot] = known;
  }
  slots_ = std::move(larger);
}

std::uint32_t Interner::intern(std::string_view text, std::uint32_t hash) {
  if (4 * size() >= 3 * slots_.size()) grow();
  const std::size_t slot = slot_of(text, hash);
  if (slots_[slot].record != kNone) return words_[slots_[slot].record];
  const std::size_t record = words_.size(), n_words = 2 + (text.size() + 3) / 4;
  SEGUE_CHECK(record + n_words < kNone && text.size() < kNone, "more than 16 GB of distinct texts");
  std::uint32_t* const words = words_.extend(n_words);
  words[0] = static_cast<std::uint32_t>(size());
  words[1] = static_cast<std::uint32_t>(text.size());
  std::memcpy(words + 2, text.data(), text.size());
  slots_[slot] = {static_cast<std::uint32_t>(record), hash};
  records_.push_back(static_cast<std::uint32_t>(record));
  return words[0];
}

std::uint32_t Interner::find(std::string_view text) const {
  if (slots_.size() == 0) return kNone;
  const std::uint32_t record = slots_[slot_of(text, hash_of(text))].record;
  return record == kNone ? kNone : words_[record];
}

}  // namespace segue
