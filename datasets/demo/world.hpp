// The demo music world as plain data: what datasets/demo feeds into a DatasetBuilder. A function of DemoParams alone.
// Everything drawn comes from a stream keyed by what is drawn ("artist", a), ("listener", u), so that more listeners
// leave the others as they are, and no thread count matters.
//
// Generated; says nothing about real listeners.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "datasets/demo/genres.hpp"
#include "datasets/demo/recipe.hpp"
#include "framework/base/rng.hpp"
#include "framework/data/events.hpp"

namespace segue {
class Dataset;
template <class P>
class Schema;
}  // namespace segue

namespace segue::demo {

inline constexpr std::int64_t kDay = 86400;
inline constexpr std::int64_t kPeriodStart = 1704067200;  // 2024-01-01T00:00:00Z, a Monday

struct DemoParams {
  std::uint64_t seed = 1;
  int users = 800;       // at least 1
  int artists = 320;     // at least kGenres, so that every genre has one
  int tracks = 3600;     // at least artists
  int days = 180;        // at least 14
  double sessions = 14;  // mean sessions a user, about; 1 or more
  // Negative controls. Off: the content is dealt out anew among all tracks, after everything has been listened to.
  bool taste_sound = true;  // a track's recipe belongs to it
  bool taste_tags = true;   // its label tags, words and listeners' tags belong to it

  static Schema<DemoParams> schema();
  std::int64_t period_end() const { return kPeriodStart + days * kDay; }
};

struct Artist {
  std::string name;  // unique
  std::string home;  // a made-up place that only this artist sings about
  std::size_t genre = 0, side_genre = 0;
  double popularity = 1;  // > 0, Zipf
  int first_year = 1990, last_year = 2024;
  Style style{};
  std::vector<std::uint32_t> tracks;  // in album order
};

struct Weighted {
  std::string text;
  float weight = 1;
};

struct Track {
  std::string title;
  std::uint32_t artist = 0;
  std::uint32_t position = 0;  // in the artist's tracks
  std::size_t genre = 0;       // the artist's main or side genre
  std::int64_t released = 0;   // seconds since 1970
  bool unheard = false;        // released in the last days of the period; nobody has played it
  double popularity = 1;       // > 0, the artist's times the track's own
  Style style{};               // the artist's, with a little noise
  AudioRecipe recipe;          // tempo, key, energy, duration ...
  std::vector<Weighted> label_tags;
  std::vector<Weighted> words;         // counts, by word
  std::vector<std::uint32_t> follows;  // tracks that mix well after this one, best first
};

struct Listener {
  std::array<double, kGenres> taste_before{}, taste_after{};  // shares; sum to one
  double turn_day = 0;                                        // half-way between the two
  Style style{};
  double repeat = 0.2, explore = 0.1;  // probabilities, a choice
  double impatience = 0;               // added to the log-odds of a skip
  double tagging = 0;                  // probability of tagging a track when it is played first
  double sessions = 1;
  int joined_day = 0;
  std::array<double, 4> hours{};  // weights of morning, midday, evening and night
};

struct Listen {
  std::uint32_t user = 0, track = 0;
  std::int64_t time = 0;  // start of the play
  EventKind kind = EventKind::kPlay;
  std::uint32_t session = 0;  // of the user, from 0
};

struct TagGiven {
  std::uint32_t user = 0, track = 0;
  std::string tag;
};

struct World {
  DemoParams params;
  std::vector<Artist> artists;
  std::vector<Track> tracks;
  std::vector<Listener> listeners;
  std::vector<Listen> events;  // by user, then time
  std::vector<TagGiven> tags;  // by user, then time

  std::string fingerprint() const;
};

// SEGUE_CHECKs that the parameters keep the bounds above.
World make_world(const DemoParams& params);
// The same under external ids, with the facets item_text, item_artist, item_tags, item_words, item_release, item_audio.
Dataset to_dataset(const World& world);

std::string user_id(std::size_t user);    // "u0001"
std::string track_id(std::size_t track);  // "t00001"

// The parts of make_world(), in order.
void make_artists(World& world, const Rng& rng);  // names.cpp draws their names
void make_tracks(World& world, const Rng& rng);
void make_listeners(World& world, const Rng& rng);
void make_events(World& world, const Rng& rng);
void uncouple_sound(World& world, const Rng& rng);  // recipes, by a permutation of the tracks
void uncouple_tags(World& world, const Rng& rng);   // label tags, words and listeners' tags, by another
std::array<double, kGenres> taste_at(const Listener& listener, double day);

// Weighted draws by binary search. An empty table, or one without weight, must not be drawn from.
class Cumulative {
 public:
  void add(double weight) { sums_.push_back((sums_.empty() ? 0 : sums_.back()) + weight); }
  bool empty() const { return sums_.empty() || sums_.back() <= 0; }
  std::size_t size() const { return sums_.size(); }
  std::size_t pick(Rng& rng) const;

 private:
  std::vector<double> sums_;
};

}  // namespace segue::demo
