// Whether what sounds alike is of a kind: each recording asks for its nearest among known ones of known classes. The
// share of its own class among the k nearest is the usual measure of music similarity where nobody has judged it
// (Pampalk 2006, "Computational models of music similarity"); their vote is the k-nearest-neighbour classifier.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/audio/fingerprint.hpp"
#include "framework/base/executor.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue::audio {

using Items = std::vector<std::uint32_t>;

// The asked are held against the known: no item of both, or the same ones, where none is its own neighbour.
struct RetrievalRound {
  std::string name;
  Items known, asked;
};

// Rows: from, columns: to; 0 and above.
using Distances = std::function<Matrix<double>(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to)>;
// Distances, with what must be learned learned from the known ones.
using DistanceLearner = std::function<Distances(std::span<const std::uint32_t> known)>;

// fingerprint_distance() of rows standardised by the known ones. `fingerprints` and `exec` must outlive it.
DistanceLearner learn_fingerprint_distance(const Matrix<float>& fingerprints, const Executor& exec);
// log(1 + symmetric_kl()), in the same order as the divergence; nothing is learned. Divergences spread over decades,
// while mutual proximity takes distances for normally distributed.
DistanceLearner learn_timbre_distance(const std::vector<TimbreModel>& models, const Executor& exec);

struct RetrievalLabels {
  static constexpr std::uint32_t kNone = UINT32_MAX;
  std::size_t classes = 0;
  Items class_of;   // of every item, below `classes`
  Items artist_of;  // or kNone; empty: no artist filter
};

struct RetrievalSettings {
  std::size_t k = 5;
  bool mutual_proximity = false;  // mutual_proximity() of the distances
};

struct RetrievalScore {
  std::size_t asked = 0;
  double precision = 0;  // share of the own class among the k nearest, mean over the asked
  double accuracy = 0;   // share whose k nearest vote for its class; of classes with equal votes the nearest wins
  double nearest = 0;    // share whose nearest is of its class
  double chance = 0;     // the precision of an order at random
};

struct ClassRetrieval {
  RetrievalScore all;
  std::size_t unanswered = 0;            // that have no known recording left, and count nowhere
  std::vector<RetrievalScore> by_class;  // of the asked
  std::vector<RetrievalScore> by_round;
  Matrix<double> votes;  // classes x classes: how many of the row's class were taken for the column's
};

// With artist_of, known recordings by the artist of the asked one do not count (Pampalk, Flexer & Widmer 2005,
// "Improvements of audio-based music similarity and genre classification"). Fewer than k neighbours are all there are.
// UsageError where nothing is asked or k is 0.
ClassRetrieval retrieve_classes(const std::vector<RetrievalRound>& rounds, const DistanceLearner& learner,
                                const RetrievalLabels& labels, const RetrievalSettings& settings);

}  // namespace segue::audio
