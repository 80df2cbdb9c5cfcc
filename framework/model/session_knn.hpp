// Nearest neighbours among sessions: what sknn, vsknn and stan share. They differ in how items of the current session
// are weighed, in the similarity, and in what a neighbour gives to its items.
//
// A query walks the lists of its items' sessions, the most recent first and all lists together, and stops when `sample`
// sessions are found, so that its cost hangs on `sample` and not on how many sessions there are (the index of
// Kersbergen, Sprangers & Schelter 2022, Serenade, SIGMOD).
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "framework/model/registry.hpp"
#include "framework/model/sessions.hpp"
#include "framework/param/schema.hpp"

namespace segue {

// Parameters of all three.
struct SessionKnnParams {
  int neighbours = 100;
  int sample = 1000;
  int max_length = 50;

  // The index takes a few operations an event and a logarithm of the events for sorting.
  double fit_flop(const DataShape& s) const { return 50 * s.events; }
  double fit_bytes(const DataShape& s) const { return 24 * s.events; }
  template <class P>
  static void fields(Schema<P>& s) {
    const auto own = [](int P::*member) { return member; };
    s.field("neighbours", own(&P::neighbours),
            "how many of the sampled sessions count: those most similar to the current one")
        .range(1, 1000000)
        .search(log_scale, 50, 1000);
    s.field("sample", own(&P::sample),
            "how many sessions are compared: the most recent that share an item with the current one")
        .range(1, 10000000)
        .search(log_scale, 500, 5000);
    s.field("max_length", own(&P::max_length), "the current session is cut to its last events").range(1, 10000);
  }
};

class SessionKnn : public Recommender {
 public:
  void fit(const TrainData& data, FitContext& ctx) final;
  void score(std::span<const Query> queries, MatRef<float> out) const final;
  std::size_t n_items() const final { return item_offsets_.size() - 1; }
  void save(ArchiveWriter& archive) const final;
  void load(const ArchiveReader& archive) final;

 protected:
  explicit SessionKnn(const SessionKnnParams& limits) : limits_(limits) {}

  // An item of the current session, and where it stands last, from 1 to `length`.
  struct Known {
    ItemIdx item{};
    std::size_t position = 0, length = 0;
    double weight = 0;  // weight_of()
    double steps_back() const { return static_cast<double>(length - position); }
    double share() const { return static_cast<double>(position) / static_cast<double>(length); }
  };
  struct Neighbour {
    std::uint32_t session = 0;
    double similarity = 0;
    const Known* latest = nullptr;  // of the common items
  };
  // An item of a training session, and where it stands last, from 0.
  struct Place {
    ItemIdx item;
    std::uint32_t position;
  };

  // What an item of the current session adds to the similarity of a session that has it; not negative.
  virtual double weight_of(const Known& item) const = 0;
  // common: the sum of these weights over the common items; distinct: the items of the current session; newest: the
  // most recent session that shares an item. Not negative.
  virtual double similarity(double common, std::size_t distinct, std::uint32_t session, std::uint32_t newest) const = 0;
  // Calls add() with what items of the neighbour gain; items: places(neighbour.session).
  virtual void vote(const Neighbour& neighbour, std::span<const Place> items, std::span<float> out) const = 0;
  // Called after fit and load.
  virtual void prepare() {}

  static void add(std::span<float> out, ItemIdx item, double value) {
    float& score = out[raw(item)];
    score = score == kCannotScore ? static_cast<float>(value) : score + static_cast<float>(value);
  }
  std::size_t n_sessions() const { return sessions_.size(); }
  // Distinct items, in the order of their last occurrence.
  std::span<const Place> places(std::size_t session) const {
    return std::span(places_).subspan(place_offsets_[session], place_offsets_[session + 1] - place_offsets_[session]);
  }
  // Sessions that have the item, the most recent first.
  std::span<const std::uint32_t> sessions_of(ItemIdx item) const {
    const std::uint64_t begin = item_offsets_[raw(item)];
    return std::span(item_sessions_).subspan(begin, item_offsets_[raw(item) + 1] - begin);
  }
  const Sessions& sessions() const { return sessions_; }

 private:
  static constexpr float kCannotScore = -std::numeric_limits<float>::infinity();
  struct Scratch;

  void index(std::size_t n_items);
  void read_current(const Query& query, Scratch& scratch) const;
  bool has_sessions(UserIdx user) const;  // in training
  bool is_own(const Query& query, std::uint32_t session, const Scratch& scratch) const;
  void find_neighbours(const Query& query, Scratch& scratch) const;

  SessionKnnParams limits_;
  Sessions sessions_;
  std::vector<std::uint64_t> place_offsets_{0}, item_offsets_{0};
  std::vector<Place> places_;
  std::vector<std::uint32_t> item_sessions_;
  std::vector<std::uint32_t> last_of_user_;  // the user's most recent session, or kNone
};

}  // namespace segue
