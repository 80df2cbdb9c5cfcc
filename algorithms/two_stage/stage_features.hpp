// What a ranker is told about each candidate of a query: what the retrievers say, and what the data says beside them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/linalg/csr.hpp"
#include "framework/linalg/matrix.hpp"
#include "framework/model/recommender.hpp"

namespace segue {

// Candidates of one query, items ascending, with a row of features each.
struct Candidates {
  std::vector<ItemIdx> items;
  Matrix<float> rows;              // candidates x features
  std::vector<std::uint8_t> from;  // candidates x retrievers: whether it was among the retriever's best
};

class StageFeatures {
 public:
  // retrievers: their names. best: how many candidates each proposes. repeats: whether what a user has heard may be
  // one.
  StageFeatures(std::vector<std::string> retrievers, std::size_t best, bool repeats)
      : retrievers_(std::move(retrievers)), best_(best), repeats_(repeats) {}

  // Popularity, artists and releases, and what every user has heard.
  void learn(const TrainData& data);
  // One a column: for each retriever its standardised score among the candidates and 1 - ln(1 + rank) / ln(2 + best)
  // where it is among the best, else 0; ln(1 + training users); whether nobody has heard it; the share of the
  // listener's history, and of the current session, that is by its artist; ln(1 + times heard); ln(1 + days since
  // release), -1 where not known.
  std::vector<std::string> names() const;
  // scores: retrievers x items, what each says about all items to this query.
  Candidates of(const Query& query, ConstMatRef<float> scores) const;

  void save(ArchiveWriter& archive) const;
  void load(const ArchiveReader& archive);

 private:
  std::vector<std::string> retrievers_;
  std::size_t best_;
  bool repeats_;
  std::vector<float> listeners_;          // training users of each item
  std::vector<std::uint32_t> artist_of_;  // empty where not known
  std::vector<double> released_;          // days since 1970, or NaN; empty where not known
  Csr<ItemIdx> heard_;                    // of each training user
};

}  // namespace segue
