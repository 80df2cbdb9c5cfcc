// Spellings of one tag as one tag. People who tag music agree on the name and not on how it is written: "HipHop",
// "hip-hop", "Hip Hop", "HIP_HOP" and "hiphop" are one tag, and so are "R&B", "r'n'b" and "r and b".
//
// tag_key() decides. Two spellings are one tag where their keys have equal bytes:
//   1. Compatible characters become one (normalisation form KC), so that fullwidth letters and single accents match.
//   2. White space, hyphens, underscores, punctuation and humps of camel case part words. The symbols # % @ + < $ and
//      emoji are letters here: "<3" is not "3".
//   3. Words lose their case (fold() in unicode.hpp). Accents count: who writes "musica" does not say "música".
//   4. "&", and "n" between two words, are "and"; "rnb" is "r and b". No other abbreviation is resolved ("dnb"), and no
//      other language's word for and. What is a synonym is a matter of opinion, what is a spelling hardly.
//   5. Words are joined without a blank, since half of the people write "post rock" and half "postrock"; but between
//      two digits one blank stays, since "2 1" is not "21".
// A tag that has no word by rule 2, such as "!!!", is its own key. Keys are for comparing, not for reading, and the key
// of a key is that key.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/facets.hpp"

namespace segue::text {

std::string tag_key(std::string_view tag);

struct TagVariant {
  std::string spelling;
  double count = 0;
};

// Several spellings of one tag.
struct TagMerge {
  std::string name;                  // the spelling that stands for all
  double count = 0;                  // sum over variants
  std::vector<TagVariant> variants;  // at least two, the most frequent first, equal ones by bytes
};

struct TagTable {
  StringTable names;             // the merged tags, by the lowest index that any of their spellings had
  std::vector<TermIdx> merged;   // old index -> new index
  std::vector<TagMerge> merges;  // what was merged, the most frequent first, equal ones by the bytes of their names
  std::size_t not_utf8 = 0;      // spellings that had to be read as Latin-1
};

// counts: how often each spelling is used, one a tag. The name of a merged tag is its most frequent spelling, of equal
// ones the first by bytes. LogicError where counts and tags differ in length.
TagTable merge_spellings(const StringTable& tags, std::span<const double> counts);

// Sum of each column, over ascending rows.
std::vector<double> column_sums(const Csr<TermIdx>& rows);

// The same rows with each column under its new index, ascending; entries that meet are added up in double in the order
// of their old indices.
Csr<TermIdx> merge_columns(const Csr<TermIdx>& rows, const TagTable& table);

// Tags of items with their spellings merged. Who gave which tag is left out.
struct MergedTags {
  ItemTags tags;
  TagTable table;
};
MergedTags merge_tags(const ItemTags& tags);

}  // namespace segue::text
