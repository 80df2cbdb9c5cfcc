// What models of sequences learn from: windows of each user's events (or of each session's), and items drawn as
// negatives. Everything random is a function of position.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/model/recommender.hpp"

namespace segue {

enum class SequencesOf { kUsers, kSessions };

// The training events of positive weight, oldest first, cut into windows.
class TrainingSequences {
 public:
  struct Settings {
    SequencesOf of = SequencesOf::kUsers;  // kSessions: a sequence ends where the session's number changes
    std::size_t longest = 51;              // events of a window, at least 2
    // A sequence of more events has windows that end with its last event and `stride`, 2 stride ... events earlier,
    // until one begins with the first event; 0: the last window alone.
    std::size_t stride = 0;
  };

  TrainingSequences() = default;
  TrainingSequences(const TrainData& data, const Settings& settings);

  std::size_t size() const { return windows_.size(); }
  // The events of a window, 2 to `longest`, oldest first.
  std::span<const std::uint32_t> events(std::size_t window) const {
    return {items_.data() + windows_[window].begin, windows_[window].size};
  }
  std::uint32_t user(std::size_t window) const { return windows_[window].user; }
  // How many of the kept events an item has.
  std::span<const std::uint64_t> counts() const { return counts_; }

 private:
  struct Window {
    std::uint64_t begin;
    std::uint32_t size, user;
  };
  void cut(std::uint64_t begin, std::uint64_t end, std::uint32_t user, const Settings& settings);
  std::vector<std::uint32_t> items_;
  std::vector<Window> windows_;
  std::vector<std::uint64_t> counts_;
};

// Draws items with probability proportional to (events of the item)^power: power 0 is uniform on the catalogue.
// Walker's alias method (Vose 1991), one draw of 64 bits an item.
class ItemSampler {
 public:
  ItemSampler() = default;
  // Where no item has an event, uniform.
  ItemSampler(std::span<const std::uint64_t> counts, double power);

  std::uint32_t draw(Rng& rng) const {
    const std::uint32_t item = rng.below32(n_);
    if (keep_.empty() || rng.next_u32() < keep_[item]) return item;
    return other_[item];
  }
  // log of the probability; -inf for what is never drawn.
  float log_probability(std::uint32_t item) const { return keep_.empty() ? uniform_ : log_[item]; }

 private:
  std::uint32_t n_ = 0;
  float uniform_ = 0;
  std::vector<std::uint32_t> keep_, other_;  // an item is kept with probability keep_ / 2^32, else it gives other_
  std::vector<float> log_;
};

// Whether an ascending row has an item.
bool row_has(std::span<const ItemIdx> row, std::uint32_t item);

}  // namespace segue
