// What is listened to: sessions, and in them one choice after another.
#include <algorithm>
#include <cmath>

#include "datasets/demo/words.hpp"
#include "datasets/demo/world.hpp"

namespace segue::demo {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFFu;

enum class Choice { kAlbum, kMix, kRepeat, kExplore, kTaste };

// What all listeners share: who plays which genre, and the charts.
struct Shelves {
  explicit Shelves(const World& world) {
    for (std::size_t a = 0; a < world.artists.size(); ++a) {
      for (std::size_t g = 0; g < kGenres; ++g) {
        const Artist& artist = world.artists[a];
        if (g == artist.genre || g == artist.side_genre) artists[g].push_back(static_cast<std::uint32_t>(a));
      }
    }
    for (const Track& track : world.tracks) charts.add(track.unheard ? 0 : track.popularity);
  }
  std::array<std::vector<std::uint32_t>, kGenres> artists;
  Cumulative charts;
};

class Player {
 public:
  Player(World& world, const Shelves& shelves, std::uint32_t user, Rng rng)
      : world_(world),
        shelves_(shelves),
        user_(user),
        self_(world.listeners[user]),
        rng_(std::move(rng)),
        played_(world.tracks.size()),
        marked_(world.tracks.size()) {
    for (std::size_t g = 0; g < kGenres; ++g) {
      for (const std::uint32_t a : shelves.artists[g]) {
        const Artist& artist = world.artists[a];
        // The last factor is a fondness that nothing explains.
        const double fond = rng_.stream("fond", a).normal();
        by_genre_[g].add(artist.popularity * std::exp(1.8 * liking(artist.style) + 0.4 * fond) *
                         (g == artist.genre ? 1 : 0.3));
      }
    }
  }

  void run() {
    std::int64_t free_from = kPeriodStart;
    for (const std::int64_t start : session_starts()) {
      free_from = session(std::max(start, free_from)) + 1800;
    }
  }

 private:
  double liking(const Style& style) const {  // about standard normal over artists
    double dot = 0;
    for (std::size_t d = 0; d < kTraits; ++d) dot += self_.style[d] * style[d];
    return dot / std::sqrt(static_cast<double>(kTraits));
  }

  std::vector<std::int64_t> session_starts() {
    static constexpr std::array<double, 4> kPeaks{7.8, 12.5, 18.5, 22.3};
    Cumulative habit;
    for (const double weight : self_.hours) habit.add(weight);
    const auto days = static_cast<std::uint64_t>(world_.params.days - self_.joined_day);
    std::vector<std::int64_t> out;
    const auto count = static_cast<std::size_t>(self_.sessions);
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t day = self_.joined_day + static_cast<std::int64_t>(rng_.below(days));
      const bool weekend = day % 7 >= 5;
      const double peak = kPeaks[habit.pick(rng_)] + (weekend ? 1.8 : 0);
      const double hour = peak + 0.9 * rng_.normal();
      out.push_back(kPeriodStart + day * kDay + static_cast<std::int64_t>(std::clamp(hour, 0.0, 26.0) * 3600));
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  // Plays until the listener has enough; returns when that is. Sessions that would begin after the period are dropped.
  std::int64_t session(std::int64_t start) {
    if (start >= world_.params.period_end()) return start;
    now_ = start;
    session_ = sessions_++;
    recent_.clear();
    begin_mood();
    std::uint32_t current = kNone;  // the last track heard to its end
    const auto length = static_cast<std::size_t>(std::clamp(std::exp(2.15 + 0.65 * rng_.normal()), 2.0, 80.0));
    for (std::size_t i = 0; i < length && now_ < world_.params.period_end(); ++i) {
      Choice how = Choice::kTaste;
      const std::uint32_t next = choose(current, how);
      recent_.push_back(next);
      if (rng_.uniform() < skip_chance(next, current, how)) {
        record(next, EventKind::kSkip);
        now_ += 4 + static_cast<std::int64_t>(rng_.below(25));
      } else {
        play(next);
        current = next;
      }
    }
    return now_;
  }

  void begin_mood() {
    const double hour = static_cast<double>(now_ % kDay) / 3600;
    const double usual = hour < 10 ? 0.5 : hour < 17 ? 0.45 : hour < 21 ? 0.7 : 0.5;
    mood_ = std::clamp(usual + 0.22 * rng_.normal(), 0.05, 0.95);
    taste_ = taste_at(self_, static_cast<double>(now_ - kPeriodStart) / static_cast<double>(kDay));
    top_taste_ = *std::max_element(taste_.begin(), taste_.end());
    genre_ = Cumulative();
    for (std::size_t g = 0; g < kGenres; ++g) {
      const double gap = (genres()[g].energy - mood_) / 0.35;
      genre_.add(taste_[g] * std::exp(-gap * gap));
    }
  }

  bool playable(std::uint32_t t) const {
    const Track& track = world_.tracks[t];
    constexpr std::size_t kPause = 8;  // a track just heard is not chosen again
    const std::size_t from = recent_.size() > kPause ? recent_.size() - kPause : 0;
    return !track.unheard && track.released <= now_ &&
           std::find(recent_.begin() + static_cast<std::ptrdiff_t>(from), recent_.end(), t) == recent_.end();
  }

  std::uint32_t choose(std::uint32_t current, Choice& how) {
    for (int attempt = 0; attempt < 12; ++attempt) {
      const std::uint32_t t = propose(current, how);
      if (t != kNone && playable(t)) return t;
    }
    how = Choice::kExplore;  // in a very small world: anything that may be played
    std::uint32_t t = 0;
    do t = static_cast<std::uint32_t>(shelves_.charts.pick(rng_));
    while (world_.tracks[t].released > now_);
    return t;
  }

  std::uint32_t propose(std::uint32_t current, Choice& how) {
    double u = rng_.uniform();
    const auto below = [&u](double share) { return (u -= share) < 0; };
    if (current != kNone) {
      if (below(0.10)) return how = Choice::kAlbum, album_next(current);
      if (below(0.20)) return how = Choice::kMix, mix_next(current);
    }
    if (below(self_.repeat)) return how = Choice::kRepeat, old_favourite();
    if (below(self_.explore)) return how = Choice::kExplore, static_cast<std::uint32_t>(shelves_.charts.pick(rng_));
    return how = Choice::kTaste, by_taste(current);
  }

  std::uint32_t album_next(std::uint32_t current) const {
    const Track& track = world_.tracks[current];
    const std::vector<std::uint32_t>& album = world_.artists[track.artist].tracks;
    return track.position + 1 < album.size() ? album[track.position + 1] : kNone;
  }

  std::uint32_t mix_next(std::uint32_t current) {
    const std::vector<std::uint32_t>& follows = world_.tracks[current].follows;
    for (const std::uint32_t t : follows) {
      if (rng_.uniform() < 0.5) return t;
    }
    return kNone;
  }

  std::uint32_t old_favourite() {
    if (log_.empty()) return kNone;
    if (rng_.uniform() < 0.5) return log_[rng_.below(log_.size())];  // by how often it was played
    const auto back = static_cast<std::size_t>(25 * rng_.exponential());
    return back < log_.size() ? log_[log_.size() - 1 - back] : kNone;
  }

  std::uint32_t by_taste(std::uint32_t current) {
    // Staying in the genre of the moment is easier than leaving it.
    const std::size_t g = current != kNone && rng_.uniform() < 0.3 ? world_.tracks[current].genre : genre_.pick(rng_);
    const Artist& artist = world_.artists[shelves_.artists[g][by_genre_[g].pick(rng_)]];
    Cumulative table;
    for (const std::uint32_t t : artist.tracks) {
      const Track& track = world_.tracks[t];
      const double gap = (track.recipe.energy - mood_) / 0.3;
      const double days = static_cast<double>(now_ - track.released) / static_cast<double>(kDay);
      const double novelty = days >= 0 && days < 60 ? 1 + 4 * std::exp(-days / 20) : 1;
      table.add(track.unheard || days < 0 ? 0
                                          : track.popularity * (track.genre == g ? 1 : 0.2) * novelty *
                                                std::exp(-gap * gap + 0.5 * liking(track.style)));
    }
    return table.empty() ? kNone : artist.tracks[table.pick(rng_)];
  }

  double skip_chance(std::uint32_t next, std::uint32_t current, Choice how) const {
    const Track& track = world_.tracks[next];
    double odds = -1.55 + self_.impatience;
    odds += 1.2 * (0.4 - taste_[track.genre] / top_taste_);
    odds += 1.5 * (std::abs(track.recipe.energy - mood_) - 0.2);
    odds -= 0.5 * liking(track.style);
    if (played_[next] > 0) odds -= how == Choice::kRepeat ? 1.0 : 0.4;
    if (played_[next] > 12) odds += 1.0;  // worn out
    if (how == Choice::kExplore) odds += 0.7;
    if (current != kNone && how == Choice::kTaste) {
      odds += 0.6 * std::abs(std::log2(track.recipe.bpm / world_.tracks[current].recipe.bpm));
    }
    return 1 / (1 + std::exp(-odds));
  }

  void record(std::uint32_t track, EventKind kind, std::int64_t after = 0) {
    world_.events.push_back({user_, track, now_ + after, kind, session_});
  }

  void play(std::uint32_t t) {
    const Track& track = world_.tracks[t];
    record(t, EventKind::kPlay);
    const auto seconds = static_cast<std::uint64_t>(track.recipe.duration);
    const double fond = std::exp(0.5 * liking(track.style)) * (played_[t] == 0 ? 0.7 : 1.5);
    // A like or a playlist add comes while the track plays, once a track, so that events stay in order of time.
    const auto moment = static_cast<std::int64_t>(10 + rng_.below(seconds - 10));
    const bool unmarked = marked_[t] == 0;
    if (unmarked && rng_.uniform() < 0.05 * fond) record(t, EventKind::kLike, moment), marked_[t] = 1;
    if (unmarked && rng_.uniform() < 0.025 * fond) record(t, EventKind::kPlaylistAdd, moment), marked_[t] = 1;
    if (played_[t] == 0 && rng_.uniform() < self_.tagging) give_tags(t);
    ++played_[t];
    log_.push_back(t);
    now_ += track.recipe.duration;
    if (rng_.uniform() < 0.02 * fond) {
      record(t, EventKind::kRepeat);
      now_ += track.recipe.duration;
    }
  }

  void give_tags(std::uint32_t t) {
    const std::size_t count = 1 + rng_.below(3);
    std::vector<std::string> given;
    for (std::size_t i = 0; i < count; ++i) {
      std::string tag = noisy_tag(world_, world_.tracks[t], rng_);
      if (std::find(given.begin(), given.end(), tag) != given.end()) continue;
      world_.tags.push_back({user_, t, tag});
      given.push_back(std::move(tag));
    }
  }

  World& world_;
  const Shelves& shelves_;
  std::uint32_t user_;
  const Listener self_;
  Rng rng_;
  std::array<Cumulative, kGenres> by_genre_;  // over shelves_.artists[g], for this listener
  std::vector<std::uint32_t> played_;
  std::vector<std::uint8_t> marked_;
  std::vector<std::uint32_t> log_;  // every track played to the end, oldest first

  std::int64_t now_ = 0;
  std::uint32_t sessions_ = 0, session_ = 0;
  double mood_ = 0.5, top_taste_ = 1;  // mood: the energy wanted
  std::array<double, kGenres> taste_{};
  Cumulative genre_;
  std::vector<std::uint32_t> recent_;  // of this session
};

}  // namespace

void make_events(World& world, const Rng& rng) {
  const Shelves shelves(world);
  for (std::size_t u = 0; u < world.listeners.size(); ++u) {
    Player(world, shelves, static_cast<std::uint32_t>(u), rng.stream("listen", u)).run();
  }
}

}  // namespace segue::demo
