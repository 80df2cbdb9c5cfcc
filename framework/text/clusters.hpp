// Groups of documents that use the same terms: spherical k-means (Dhillon & Modha 2001, "Concept decompositions for
// large sparse text data using clustering", Machine Learning 42), which maximises the sum of the documents' cosines
// with the mean direction of their group.
//
// It begins with k documents drawn one after another, each with a probability that grows with 1 - its largest cosine
// with those drawn before: k-means++ (Arthur & Vassilvitskii 2007, SODA) for unit vectors, whose squared distance is
// 2 (1 - cosine). A group that loses all of its documents takes the one that is worst off where it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/rng.hpp"
#include "framework/data/facets.hpp"
#include "framework/linalg/csr.hpp"

namespace segue::text {

inline constexpr std::uint32_t kNoCluster = UINT32_MAX;

struct ClusterOptions {
  std::size_t clusters = 8;
  int starts = 4;       // the best of so many, by the sum of cosines
  int max_rounds = 50;  // it ends before where no document changes its group
};

struct Clusters {
  std::vector<std::uint32_t> of;   // cluster of each document, kNoCluster where its row is empty
  std::vector<double> cosine;      // of each document with its cluster's mean direction
  std::vector<std::size_t> sizes;  // of each cluster, the largest first
  double mean_cosine = 0;          // over documents
  int rounds = 0;                  // of the best start
};

// rows: of length 1 or empty, no value negative. The same bits for any number of threads. UsageError where there are
// fewer different documents than clusters, or no cluster is asked for.
Clusters spherical_kmeans(const Csr<TermIdx>& rows, const ClusterOptions& options, const Rng& rng,
                          const Executor& exec);

}  // namespace segue::text
