// The user's side of models of content: what listeners have heard, and what each item of it counts. A profile made of it
// is only a direction, so that weights matter among each other alone.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/linalg/csr.hpp"
#include "framework/model/recommender.hpp"
#include "framework/param/schema.hpp"

namespace segue {

enum class PlayWeights { kLog, kRaw, kNone };

// A model's parameters derive from these and call listener_fields() in their schema().
struct ListenerParams {
  PlayWeights weights = PlayWeights::kLog;
  double half_life = 0;  // days
  double dislike = 0.2;  // 0.15 / 0.75: Manning, Raghavan & Schütze 2008, Introduction to IR, section 9.1.1
};

template <class P>
void listener_fields(Schema<P>& s) {
  using L = ListenerParams;
  s.field("weights", static_cast<PlayWeights P::*>(&L::weights),
          "what an item of the history counts: ln(1 + w) of its summed event weights w, w, or 1")
      .choices({{"log", PlayWeights::kLog}, {"raw", PlayWeights::kRaw}, {"none", PlayWeights::kNone}});
  s.field("half_life", static_cast<double P::*>(&L::half_life),
          "days after which an item of the history counts half; 0: all alike")
      .range(0.0, 1e6)
      .search(log_scale, 1, 1000);
  s.field("dislike", static_cast<double P::*>(&L::dislike),
          "what all items of negative weight count, taken together, against the liked ones")
      .range(0.0, 100.0)
      .search(linear, 0, 1);
}

// One item that a listener has met, each item once.
struct Heard {
  ItemIdx item{};
  double weight = 0;      // sum of the events' weights: plays, or what the feedback transform makes of them
  std::int64_t last = 0;  // time of the latest event
};

// What each item counts for, as long as `heard`: sign(w) ln(1 + |w|), w or sign(w), times 2^(-(latest - last) /
// half_life), latest being that of the listener's latest event: the same direction as counting back from any later
// moment.
std::vector<double> item_weights(std::span<const Heard> heard, const ListenerParams& params);

// In place: the part of an item's weight in a profile by Rocchio's formula (Rocchio 1971, "Relevance feedback in
// information retrieval"): of c > 0, c / (sum of all c > 0); of c < 0, dislike c / (sum of all |c| with c < 0).
void balance(std::span<double> weights, double dislike);

// A profile's items, ascending, each once, with what balance() gives them.
struct TasteItems {
  std::vector<ItemIdx> items;
  std::vector<double> weights;
};

class Listeners {
 public:
  // Keeps what every user heard in training.
  void learn(const TrainData& data, const ListenerParams& params);
  // Of the query's history, or where it has none, of what its user heard in training; empty where nothing is known.
  TasteItems of(const Query& query) const;

  void save(ArchiveWriter& archive, const std::string& name) const;
  void load(const ArchiveReader& archive, const std::string& name, std::size_t n_items, const ListenerParams& params);

 private:
  std::vector<Heard> gather(std::span<const ItemIdx> items, std::span<const float> weights,
                            std::span<const std::int64_t> times) const;

  ListenerParams params_;
  std::size_t n_items_ = 0;
  Csr<ItemIdx> weights_;  // what each user counts each item for, before balance()
};

// Rows of numbers in a model file.
template <class Index>
void put_rows(ArchiveWriter& archive, const std::string& name, const Csr<Index>& rows) {
  archive.put(name + "/offsets", rows.offsets().span());
  std::vector<std::uint32_t> indices;
  for (const Index i : rows.all_indices()) indices.push_back(static_cast<std::uint32_t>(i));
  archive.put(name + "/indices", std::span<const std::uint32_t>(indices));
  archive.put(name + "/values", rows.all_values().span());
}
template <class Index>
Csr<Index> get_rows(const ArchiveReader& archive, const std::string& name, std::size_t cols) {
  std::vector<Index> indices;
  for (const std::uint32_t i : archive.u32(name + "/indices")) indices.push_back(Index{i});
  return {cols, archive.u64(name + "/offsets"), std::move(indices), archive.floats(name + "/values")};
}

}  // namespace segue
