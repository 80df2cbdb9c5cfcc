#include "framework/data/dataset.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/hash.hpp"
#include "framework/data/user_facets.hpp"

namespace segue {

namespace {

void add(Hasher& hasher, const StringTable& table) { hasher.add(table.bytes().span()).add(table.offsets().span()); }

template <class Index>
void add(Hasher& hasher, const Csr<Index>& matrix) {
  hasher.add(std::uint64_t{matrix.rows()}).add(std::uint64_t{matrix.cols()});
  hasher.add(matrix.offsets().span()).add(matrix.all_indices().span()).add(matrix.all_values().span());
}

void add(Hasher& hasher, const Events& events) {
  hasher.add(events.users().span()).add(events.items().span()).add(events.times().span());
  hasher.add(events.kinds().span()).add(events.values().span()).add(events.sessions().span());
}

// Absolute paths without the deepest folder that holds them all: where that lies on a machine is no content. Sources
// that are not all absolute paths stay as they are.
StringTable below_common_folder(const StringTable& sources) {
  std::optional<std::string_view> common;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::string_view source = sources[i];
    if (source.empty()) continue;
    if (source.front() != '/') return sources;
    if (!common) {
      common = source.substr(0, source.rfind('/') + 1);
      continue;
    }
    const auto parted = std::mismatch(common->begin(), common->end(), source.begin(), source.end()).first;
    *common = common->substr(0, static_cast<std::size_t>(parted - common->begin()));
    *common = common->substr(0, common->rfind('/') + 1);
  }
  if (!common) return sources;
  std::vector<std::string> out;
  for (std::size_t i = 0; i < sources.size(); ++i)
    out.emplace_back(sources[i].empty() ? sources[i] : sources[i].substr(common->size()));
  return StringTable(out);
}

void add(Hasher& hasher, const Facet& facet) {
  hasher.add(facet.name());
  if (const auto* text = dynamic_cast<const ItemText*>(&facet)) {
    add(hasher, text->titles);
  } else if (const auto* artist = dynamic_cast<const ItemArtist*>(&facet)) {
    hasher.add(artist->artist_of.span());
    add(hasher, artist->artists);
  } else if (const auto* tags = dynamic_cast<const ItemTags*>(&facet)) {
    add(hasher, tags->weights);
    add(hasher, tags->tags);
    hasher.add(tags->by_user.span()).add(tags->by_item.span()).add(tags->by_tag.span());
  } else if (const auto* words = dynamic_cast<const ItemWords*>(&facet)) {
    add(hasher, words->counts);
    add(hasher, words->words);
  } else if (const auto* release = dynamic_cast<const ItemRelease*>(&facet)) {
    hasher.add(release->released.span());
  } else if (const auto* audio = dynamic_cast<const ItemAudio*>(&facet)) {
    add(hasher, below_common_folder(audio->sources));
  } else if (const auto* kind = dynamic_cast<const ItemClass*>(&facet)) {
    hasher.add(kind->class_of.span()).add(kind->fold_of.span());
    add(hasher, kind->classes);
    add(hasher, kind->folds);
  } else if (const auto* users = dynamic_cast<const UserText*>(&facet)) {
    add(hasher, users->titles);
  } else {
    // A facet left out would let two different data sets share an identity.
    SEGUE_CHECK(false, "facet '{}' has no part in Dataset::fingerprint()", facet.name());
  }
}

}  // namespace

std::string Dataset::fingerprint() const {
  Hasher hasher;
  hasher.add("segue dataset 1");
  add(hasher, users.table());
  add(hasher, items.table());
  add(hasher, events);
  hasher.add(has_times).add(has_ratings).add(has_sessions);
  std::vector<const Facet*> given_facets;
  for (const auto& [facet_name, facet] : facets.all())
    if (!facet->derived()) given_facets.push_back(facet.get());
  hasher.add(std::uint64_t{given_facets.size()});
  for (const Facet* facet : given_facets) add(hasher, *facet);
  hasher.add(std::uint64_t{given.size()});
  for (const GivenSplit& split : given) {
    hasher.add(split.name);
    add(hasher, split.train);
    add(hasher, split.test);
    add(hasher, split.negatives);
    if (!split.known.empty()) add(hasher, split.known);  // few splits have any: the others keep their fingerprints
  }
  return hasher.hex();
}

}  // namespace segue
