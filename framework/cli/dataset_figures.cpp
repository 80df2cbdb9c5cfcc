#include "framework/cli/dataset_figures.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "framework/data/user_facets.hpp"

namespace segue {

namespace {

std::size_t filled(const StringTable& table) {
  std::size_t n = 0;
  for (std::size_t i = 0; i < table.size(); ++i) n += table[i].empty() ? 0 : 1;
  return n;
}

template <class Index>
std::size_t filled_rows(const Csr<Index>& rows) {
  std::size_t n = 0;
  for (std::size_t r = 0; r < rows.rows(); ++r) n += rows.row_size(r) > 0 ? 1 : 0;
  return n;
}

}  // namespace

std::string thousands(std::size_t value) {
  std::string text = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::size_t distinct_pairs(const Events& events) {
  std::size_t pairs = 0;
  std::vector<ItemIdx> items;
  for (std::size_t begin = 0; begin < events.size();) {  // events stand in the order of users
    std::size_t end = begin;
    items.clear();
    for (; end < events.size() && events.users()[end] == events.users()[begin]; ++end)
      items.push_back(events.items()[end]);
    std::sort(items.begin(), items.end());
    pairs += static_cast<std::size_t>(std::unique(items.begin(), items.end()) - items.begin());
    begin = end;
  }
  return pairs;
}

FacetCoverage coverage_of(const Facet& facet) {
  if (const auto* text = dynamic_cast<const ItemText*>(&facet)) return {filled(text->titles), "titles"};
  if (const auto* artist = dynamic_cast<const ItemArtist*>(&facet)) {
    const auto missing = std::count(artist->artist_of.begin(), artist->artist_of.end(), kNoArtist);
    return {artist->artist_of.size() - static_cast<std::size_t>(missing),
            fmt::format("{} artists", thousands(artist->artists.size()))};
  }
  if (const auto* tags = dynamic_cast<const ItemTags*>(&facet)) {
    std::string detail = fmt::format("{} tags, {} pairs", thousands(tags->tags.size()), thousands(tags->weights.nnz()));
    if (!tags->by_user.empty()) detail += fmt::format(", {} given by known users", thousands(tags->by_user.size()));
    return {filled_rows(tags->weights), detail};
  }
  if (const auto* words = dynamic_cast<const ItemWords*>(&facet))
    return {filled_rows(words->counts),
            fmt::format("{} words, {} pairs", thousands(words->words.size()), thousands(words->counts.nnz()))};
  if (const auto* release = dynamic_cast<const ItemRelease*>(&facet)) {
    const auto missing = std::count(release->released.begin(), release->released.end(), ItemRelease::kUnknown);
    return {release->released.size() - static_cast<std::size_t>(missing), "release times"};
  }
  if (const auto* audio = dynamic_cast<const ItemAudio*>(&facet)) return {filled(audio->sources), "sound"};
  if (const auto* kind = dynamic_cast<const ItemClass*>(&facet)) {
    const auto missing = std::count(kind->class_of.begin(), kind->class_of.end(), ItemClass::kNone);
    std::string detail =
        fmt::format("{} class{}", thousands(kind->classes.size()), kind->classes.size() == 1 ? "" : "es");
    if (kind->folds.size() > 0) detail += fmt::format(", folds {}", fmt::join(kind->folds.to_vector(), ", "));
    return {kind->class_of.size() - static_cast<std::size_t>(missing), detail};
  }
  if (const auto* users = dynamic_cast<const UserText*>(&facet))
    return {filled(users->titles), "titles of users", users->titles.size()};
  return {};
}

bool has_only_items(const Dataset& data) {
  return data.events.empty() && data.users.size() == 0 && data.given.empty() && data.items.size() > 0;
}

std::string contents_of(const Dataset& data) {
  const auto count = [](std::size_t n, const char* one, const char* many) {
    return fmt::format("{} {}", thousands(n), n == 1 ? one : many);
  };
  std::string out;
  const auto* sound = data.facets.find<ItemAudio>();
  out += sound == nullptr ? count(data.items.size(), "item without sound", "items without sound")
                          : count(filled(sound->sources), "recording", "recordings");
  if (const auto* kind = data.facets.find<ItemClass>()) {
    out += ", " + count(kind->classes.size(), "class", "classes");
    if (kind->folds.size() > 0) out += ", " + count(kind->folds.size(), "fold", "folds");
  }
  return out + "; no events";
}

std::vector<double> events_per_user(const Dataset& data) {
  std::vector<double> out(data.users.size(), 0);
  for (const UserIdx user : data.events.users()) ++out[raw(user)];
  return out;
}

std::vector<double> events_per_item(const Dataset& data) {
  std::vector<double> out(data.items.size(), 0);
  for (const ItemIdx item : data.events.items()) ++out[raw(item)];
  return out;
}

std::vector<double> events_per_session(const Events& events) {
  std::vector<double> out;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const bool same =
        i > 0 && events.users()[i] == events.users()[i - 1] && events.sessions()[i] == events.sessions()[i - 1];
    if (same)
      ++out.back();
    else
      out.push_back(1);
  }
  return out;
}

double gini(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double sum = 0, weighted = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += values[i];
    weighted += static_cast<double>(i + 1) * values[i];
  }
  if (!(sum > 0)) return std::numeric_limits<double>::quiet_NaN();
  return 2 * weighted / (n * sum) - (n + 1) / n;
}

}  // namespace segue
