// Side data: immutable facts about items beside the events, each under a constant name. New kinds are new facets; no
// interface changes. All arrays are as long as the item vocabulary unless said.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/array.hpp"
#include "framework/base/errors.hpp"
#include "framework/base/ids.hpp"
#include "framework/data/string_table.hpp"
#include "framework/linalg/csr.hpp"

namespace segue {

enum class TermIdx : std::uint32_t {};  // a tag or a word

class Facet {
 public:
  virtual ~Facet() = default;
  virtual std::string_view name() const = 0;
  // Whether it follows from other facets, and so is no part of a data set's fingerprint.
  virtual bool derived() const { return false; }
};

struct ItemText : Facet {  // display titles; empty where unknown
  static constexpr std::string_view kName = "item_text";
  std::string_view name() const override { return kName; }
  StringTable titles;
};

struct ItemArtist : Facet {
  static constexpr std::string_view kName = "item_artist";
  std::string_view name() const override { return kName; }
  Array<std::uint32_t> artist_of;  // index into artists, or kNoArtist
  StringTable artists;
};

// Tags (or genres) with weights: how many people, or how strongly, attached the tag.
struct ItemTags : Facet {
  static constexpr std::string_view kName = "item_tags";
  std::string_view name() const override { return kName; }
  Csr<TermIdx> weights;  // one row an item
  StringTable tags;
  // Who gave which tag, where the data says so (else empty), sorted by (user, item, tag). A task drops the assignments of
  // its truth pairs before training, since they would leak (protocols: side data leak too).
  Array<UserIdx> by_user;
  Array<ItemIdx> by_item;
  Array<TermIdx> by_tag;
};

struct ItemWords : Facet {  // bag of words of the lyrics or description
  static constexpr std::string_view kName = "item_words";
  std::string_view name() const override { return kName; }
  Csr<TermIdx> counts;
  StringTable words;
};

struct ItemRelease : Facet {  // release time, seconds since 1970; kUnknown where not known
  static constexpr std::string_view kName = "item_release";
  static constexpr std::int64_t kUnknown = INT64_MIN;
  std::string_view name() const override { return kName; }
  Array<std::int64_t> released;
};

struct ItemAudio : Facet {  // where an item's sound is: a file path or a synthesis recipe, as text; empty where none
  static constexpr std::string_view kName = "item_audio";
  std::string_view name() const override { return kName; }
  StringTable sources;
};

// How items sound, as heard by hear_items() (item_sound.hpp), which makes it of ItemAudio where an algorithm asks for it.
struct ItemSound : Facet {
  static constexpr std::string_view kName = "item_sound";
  std::string_view name() const override { return kName; }
  bool derived() const override { return true; }
  std::string definition;            // item_sound_definition()
  Array<std::uint8_t> heard;         // one flag an item; rows of others are zero
  Array<float> fingerprints;         // items x audio::fingerprint_fields(), in their units
  Array<float> statistics;           // items x audio::statistics_fields()
  Array<float> timbre_means;         // items x MFCC
  Array<float> timbre_covariances;   // items x MFCC (MFCC + 1) / 2: lower triangles, row by row
};

// What kind each item is of (a genre, a sort of sound), and the fold in which its publisher put it. A publisher gives
// either parts of a cross-validation ("1" to "5") or a split (kTraining, perhaps kValidation, kTest).
struct ItemClass : Facet {
  static constexpr std::string_view kName = "item_class";
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::string_view kTraining = "training", kValidation = "validation", kTest = "test";
  std::string_view name() const override { return kName; }
  Array<std::uint32_t> class_of;  // index into classes, or kNone
  StringTable classes;
  Array<std::uint32_t> fold_of;  // index into folds, or kNone
  StringTable folds;             // empty where the data set has none
};

class Facets {
 public:
  void add(std::shared_ptr<const Facet> facet) { by_name_[std::string(facet->name())] = std::move(facet); }
  bool has(std::string_view name) const { return by_name_.contains(std::string(name)); }
  template <class T>
  const T* find() const {
    const auto it = by_name_.find(std::string(T::kName));
    return it == by_name_.end() ? nullptr : dynamic_cast<const T*>(it->second.get());
  }
  // The facet, or a DataError naming facet and data set.
  template <class T>
  const T& require() const {
    if (const T* facet = find<T>()) return *facet;
    throw DataError("data set '{}' has no '{}', which this algorithm needs", dataset_, T::kName);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& [name, facet] : by_name_) out.push_back(name);
    return out;
  }
  const std::map<std::string, std::shared_ptr<const Facet>>& all() const { return by_name_; }
  void set_dataset_name(std::string name) { dataset_ = std::move(name); }
  const std::string& dataset_name() const { return dataset_; }

 private:
  std::string dataset_ = "?";
  std::map<std::string, std::shared_ptr<const Facet>> by_name_;
};

}  // namespace segue
