#include "framework/data/collect.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <tuple>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

// A number that ascends with the canonical order as far as its 64 bits go: decimal numbers before texts, by length and
// first digits; texts by their first bytes.
std::uint64_t order_key(std::string_view text) {
  const bool number = canonical_less(text, "");  // which is no number: only numbers stand before it
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = (key << 8) | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
  if (number) return (std::uint64_t{std::min<std::size_t>(text.size(), 127)} << 56) | (key >> 8);
  return (std::uint64_t{1} << 63) | (key >> 1);
}

}  // namespace

std::vector<std::uint32_t> canonical_order(const Interner& texts, std::vector<std::uint32_t> numbers) {
  struct Keyed {
    std::uint64_t key;
    std::uint32_t number;
  };
  std::vector<Keyed> keyed;
  keyed.reserve(numbers.size());
  for (const std::uint32_t n : numbers) keyed.push_back({order_key(texts[n]), n});
  std::sort(keyed.begin(), keyed.end(), [&](const Keyed& a, const Keyed& b) {
    return a.key != b.key ? a.key < b.key : canonical_less(texts[a.number], texts[b.number]);
  });
  for (std::size_t i = 0; i < keyed.size(); ++i) numbers[i] = keyed[i].number;
  return numbers;
}

StringTable table_of(const Interner& texts, const std::vector<std::uint32_t>& numbers) {
  std::size_t n_bytes = 0;
  for (const std::uint32_t n : numbers) n_bytes += texts[n].size();
  std::vector<char> bytes;
  std::vector<std::uint64_t> offsets{0};
  bytes.reserve(n_bytes);
  offsets.reserve(numbers.size() + 1);
  for (const std::uint32_t n : numbers) {
    bytes.insert(bytes.end(), texts[n].begin(), texts[n].end());
    offsets.push_back(bytes.size());
  }
  return {std::move(bytes), std::move(offsets)};
}

std::uint32_t Ids::mention(std::string_view id) {
  if (last_ != kAbsent && texts_[last_] == id) return last_;
  SEGUE_CHECK(!id.empty(), "an empty id");
  return last_ = known(texts_.intern(id));
}

Vocab Ids::place(std::vector<std::uint32_t>& order) {
  texts_.seal();
  order.clear();
  for (std::uint32_t i = 0; i < present_.size(); ++i)
    if (present_[i]) order.push_back(i);
  order = canonical_order(texts_, std::move(order));
  places_.assign(present_.size(), kAbsent);
  for (std::size_t i = 0; i < order.size(); ++i) places_[order[i]] = static_cast<std::uint32_t>(i);
  StringTable table = table_of(texts_, order);
  texts_ = {};
  last_ = kAbsent;
  return Vocab(std::move(table));
}

void ItemTexts::set(std::uint32_t item, std::string_view text) {
  if (text.empty()) return;
  SEGUE_CHECK(text.size() < (1u << kSizeBits), "a text of {} bytes", text.size());
  if (item >= at_.size()) at_.resize(item + 1, 0);
  if (at_[item] != 0 && of(item) <= text) return;
  at_[item] = (std::uint64_t{bytes_.size()} << kSizeBits) | text.size();
  std::memcpy(bytes_.extend(text.size()), text.data(), text.size());
}

bool ItemTexts::any_of(const std::vector<std::uint32_t>& order) const {
  return std::any_of(order.begin(), order.end(), [&](std::uint32_t item) { return !of(item).empty(); });
}

StringTable ItemTexts::placed(const std::vector<std::uint32_t>& order) const {
  std::size_t n_bytes = 0;
  for (const std::uint32_t item : order) n_bytes += of(item).size();
  std::vector<char> bytes;
  std::vector<std::uint64_t> offsets{0};
  bytes.reserve(n_bytes);
  offsets.reserve(order.size() + 1);
  for (const std::uint32_t item : order) {
    bytes.insert(bytes.end(), of(item).begin(), of(item).end());
    offsets.push_back(bytes.size());
  }
  return {std::move(bytes), std::move(offsets)};
}

void ItemNames::set(std::uint32_t item, std::string_view name) {
  if (name.empty()) return;
  if (item >= of_.size()) of_.resize(item + 1, Interner::kNone);
  if (of_[item] != Interner::kNone && names_[of_[item]] <= name) return;
  of_[item] = names_.intern(name);
}

bool ItemNames::any_of(const std::vector<std::uint32_t>& order) const {
  return std::any_of(order.begin(), order.end(), [&](std::uint32_t item) { return of(item) != Interner::kNone; });
}

std::pair<Array<std::uint32_t>, StringTable> ItemNames::placed(const std::vector<std::uint32_t>& order,
                                                               std::uint32_t none) const {
  std::vector<std::uint32_t> place(names_.size(), none);
  std::vector<std::uint32_t> used;
  for (const std::uint32_t item : order) {
    const std::uint32_t name = of(item);
    if (name == Interner::kNone || place[name] != none) continue;
    place[name] = 0;  // is used
    used.push_back(name);
  }
  used = canonical_order(names_, std::move(used));
  for (std::size_t i = 0; i < used.size(); ++i) place[used[i]] = static_cast<std::uint32_t>(i);
  std::vector<std::uint32_t> number_of;
  number_of.reserve(order.size());
  for (const std::uint32_t item : order) number_of.push_back(of(item) == Interner::kNone ? none : place[of(item)]);
  return {std::move(number_of), table_of(names_, used)};
}

void add_item_names(Dataset& dataset, const NamesOfId& of) {
  ItemTexts titles;
  ItemNames artists;
  std::vector<std::uint32_t> order(dataset.items.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    const auto [title, artist] = of(dataset.items[i]);
    titles.set(i, title);
    artists.set(i, artist);
  }
  if (titles.any_of(order)) {
    auto facet = std::make_shared<ItemText>();
    facet->titles = titles.placed(order);
    dataset.facets.add(std::move(facet));
  }
  if (artists.any_of(order)) {
    auto facet = std::make_shared<ItemArtist>();
    std::tie(facet->artist_of, facet->artists) = artists.placed(order, kNoArtist);
    dataset.facets.add(std::move(facet));
  }
}

}  // namespace segue
