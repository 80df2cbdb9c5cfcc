// What a query's scores say to a person: probabilities where the model has any (Recommender::score_meaning), else where
// a score stands between the candidates' lowest and highest.
#pragma once

#include <span>

#include "framework/model/recommender.hpp"

namespace segue {

class ScoreScale {
 public:
  // excluded: items of the catalogue that are no candidates, ascending.
  ScoreScale(const Recommender& model, const Query& query, std::span<const ItemIdx> excluded);

  bool is_probability() const { return kind_ != Kind::kRelative; }
  // In [0, 1], for the score of a candidate; 0 for -inf.
  double operator()(float score) const;

 private:
  enum class Kind { kLogit, kSoftmax, kRelative };
  Kind kind_ = Kind::kRelative;
  double shift_ = 0;           // kLogit: what is added; kSoftmax: minus the log of the sum of the exponentials
  double low_ = 0, high_ = 0;  // kRelative
};

}  // namespace segue
