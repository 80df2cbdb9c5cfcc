// A data set as loaded: vocabularies, the event log, side data and the splits its publisher gave. Immutable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/data/events.hpp"
#include "framework/data/facets.hpp"
#include "framework/data/vocab.hpp"

namespace segue {

// A split that came with the data (u1.base / u1.test; NCF's leave-one-out with its negatives).
struct GivenSplit {
  std::string name;  // "u1"
  Events train;
  Events test;
  // What test queries know and no model is trained on: the opening of a session that nobody has seen, a playlist's seeds.
  Events known;
  // Negatives to rank the truth against, one row a user (rows = users, empty for most), or no rows at all.
  Csr<ItemIdx> negatives;
};

class Dataset {
 public:
  std::string name;             // "movielens"
  std::string title;            // for people: "MovieLens 100K"
  Vocab users;
  Vocab items;
  Events events;
  Facets facets;
  std::vector<GivenSplit> given;
  bool has_times = true;        // false: Event::time is an order, in the user's sequence or over all of them
  bool has_ratings = false;     // Event::value of kRating events is a star rating
  bool has_sessions = false;
  std::vector<std::string> notes;  // what the loader repaired or dropped, with counts; shown by `segue data info`

  // Hash of the content (ids, events, facets, given splits), not of file bytes: the same for shuffled rows, and
  // wherever the folder lies that holds all of its sound files.
  std::string fingerprint() const;
};

// Collects what a loader reads, under external ids, and puts everything into canonical order.
class DatasetBuilder {
 public:
  explicit DatasetBuilder(std::string name, std::string title = "");
  ~DatasetBuilder();

  struct Row {
    std::string_view user, item;
    std::int64_t time = 0;
    EventKind kind = EventKind::kRating;
    float value = 1;
    std::uint32_t session = 0;
  };
  void add(const Row& row);
  // Rows of a given split; fold is created on first use. They are not added to the event log by themselves.
  void add_train(std::string_view fold, const Row& row);
  void add_test(std::string_view fold, const Row& row);
  void add_known(std::string_view fold, const Row& row);
  void add_negative(std::string_view fold, std::string_view user, std::string_view item);

  // Items that exist without any event (new releases). Facts about items never declared nor seen are ignored.
  void declare_item(std::string_view item);
  void declare_user(std::string_view user);
  void set_title(std::string_view item, std::string_view title);
  void set_artist(std::string_view item, std::string_view artist);
  void add_tag(std::string_view item, std::string_view tag, float weight = 1);
  void add_tag_assignment(std::string_view user, std::string_view item, std::string_view tag);  // also adds weight 1
  void add_word(std::string_view item, std::string_view word, float count = 1);
  void set_release(std::string_view item, std::int64_t time);
  void set_audio(std::string_view item, std::string_view source);
  void set_class(std::string_view item, std::string_view name);
  void set_fold(std::string_view item, std::string_view name);

  void set_has_times(bool value);
  void set_has_ratings(bool value);
  void set_has_sessions(bool value);
  void note(std::string text);
  std::size_t n_events() const;

  Dataset build();  // leaves the builder empty

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace segue
