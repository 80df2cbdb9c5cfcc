#include "framework/audio/class_retrieval.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include "framework/base/errors.hpp"

namespace segue::audio {

namespace {

// Fills a matrix row by row.
template <class Distance>
Matrix<double> distance_matrix(std::span<const std::uint32_t> from, std::span<const std::uint32_t> to,
                               const Executor& exec, Distance distance) {
  Matrix<double> out(static_cast<Eigen::Index>(from.size()), static_cast<Eigen::Index>(to.size()));
  exec.for_blocks(from.size(), 4, [&](std::size_t begin, std::size_t end) {
    for (std::size_t r = begin; r < end; ++r)
      for (std::size_t c = 0; c < to.size(); ++c)
        out(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)) = distance(from[r], to[c]);
  });
  return out;
}

// Sums, until all are asked.
struct Tally {
  std::size_t asked = 0;
  double precision = 0, accuracy = 0, nearest = 0, chance = 0;
  void add(const Tally& one) {
    asked += one.asked;
    precision += one.precision;
    accuracy += one.accuracy;
    nearest += one.nearest;
    chance += one.chance;
  }
  RetrievalScore score() const {
    if (asked == 0) return {};
    const auto n = static_cast<double>(asked);
    return {asked, precision / n, accuracy / n, nearest / n, chance / n};
  }
};

// The class most of the neighbours are of, nearest first.
std::uint32_t voted(std::span<const std::uint32_t> neighbours, const RetrievalLabels& labels) {
  std::uint32_t best = 0;
  std::ptrdiff_t most = 0;
  for (const std::uint32_t item : neighbours) {
    const std::uint32_t kind = labels.class_of[item];
    const auto votes =
        std::ranges::count_if(neighbours, [&](std::uint32_t other) { return labels.class_of[other] == kind; });
    if (votes > most) best = kind, most = votes;
  }
  return best;
}

}  // namespace

DistanceLearner learn_fingerprint_distance(const Matrix<float>& fingerprints, const Executor& exec) {
  return [&fingerprints, &exec](std::span<const std::uint32_t> known) -> Distances {
    Matrix<float> rows(static_cast<Eigen::Index>(known.size()), fingerprints.cols());
    for (std::size_t i = 0; i < known.size(); ++i)
      std::ranges::copy(row_span(fingerprints, known[i]), row_span(rows, i).begin());
    const Standardiser scale = Standardiser::learn(rows);
    auto scaled = std::make_shared<Matrix<float>>(fingerprints);
    for (std::size_t i = 0; i < static_cast<std::size_t>(scaled->rows()); ++i) scale.apply(row_span(*scaled, i));
    return [scaled, &exec](std::span<const std::uint32_t> from, std::span<const std::uint32_t> to) {
      return distance_matrix(from, to, exec, [&](std::uint32_t a, std::uint32_t b) {
        return fingerprint_distance(row_span(std::as_const(*scaled), a), row_span(std::as_const(*scaled), b));
      });
    };
  };
}

DistanceLearner learn_timbre_distance(const std::vector<TimbreModel>& models, const Executor& exec) {
  return [&models, &exec](std::span<const std::uint32_t>) -> Distances {
    return [&models, &exec](std::span<const std::uint32_t> from, std::span<const std::uint32_t> to) {
      return distance_matrix(from, to, exec, [&](std::uint32_t a, std::uint32_t b) {
        return std::log1p(symmetric_kl(models[a], models[b]));
      });
    };
  };
}

ClassRetrieval retrieve_classes(const std::vector<RetrievalRound>& rounds, const DistanceLearner& learner,
                                const RetrievalLabels& labels, const RetrievalSettings& settings) {
  if (settings.k == 0) throw UsageError("expected at least one neighbour (k), found 0");
  Tally all;
  std::vector<Tally> by_class(labels.classes);
  ClassRetrieval out;
  const auto n = static_cast<Eigen::Index>(labels.classes);
  out.votes = Matrix<double>::Zero(n, n);
  for (const RetrievalRound& round : rounds) {
    Tally here;
    if (round.known.empty() || round.asked.empty()) {
      out.unanswered += round.asked.size();
      out.by_round.push_back({});
      continue;
    }
    const Distances distances = learner(round.known);
    Matrix<double> far = distances(round.asked, round.known);
    if (settings.mutual_proximity) {
      if (round.asked == round.known)
        mutual_proximity(far);
      else
        mutual_proximity(far, distances(round.known, round.known));
    }
    for (std::size_t q = 0; q < round.asked.size(); ++q) {
      const std::uint32_t item = round.asked[q], kind = labels.class_of[item];
      const std::uint32_t artist = labels.artist_of.empty() ? RetrievalLabels::kNone : labels.artist_of[item];
      std::vector<std::pair<double, std::uint32_t>> order;
      std::size_t akin = 0;
      for (std::size_t i = 0; i < round.known.size(); ++i) {
        const std::uint32_t other = round.known[i];
        if (other == item || (artist != RetrievalLabels::kNone && labels.artist_of[other] == artist)) continue;
        order.emplace_back(far(static_cast<Eigen::Index>(q), static_cast<Eigen::Index>(i)), other);
        akin += labels.class_of[other] == kind ? 1 : 0;
      }
      if (order.empty()) {
        ++out.unanswered;
        continue;
      }
      const std::size_t k = std::min(settings.k, order.size());
      std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end());
      Items neighbours;
      for (std::size_t i = 0; i < k; ++i) neighbours.push_back(order[i].second);
      const auto hits = std::ranges::count_if(neighbours, [&](std::uint32_t i) { return labels.class_of[i] == kind; });
      const std::uint32_t taken_for = voted(neighbours, labels);
      const Tally one{1, static_cast<double>(hits) / static_cast<double>(k), taken_for == kind ? 1.0 : 0.0,
                      labels.class_of[neighbours[0]] == kind ? 1.0 : 0.0,
                      static_cast<double>(akin) / static_cast<double>(order.size())};
      out.votes(static_cast<Eigen::Index>(kind), static_cast<Eigen::Index>(taken_for)) += 1;
      here.add(one);
      by_class[kind].add(one);
    }
    all.add(here);
    out.by_round.push_back(here.score());
  }
  if (all.asked == 0) throw UsageError("no recording has another to be held against");
  out.all = all.score();
  for (const Tally& tally : by_class) out.by_class.push_back(tally.score());
  return out;
}

}  // namespace segue::audio
