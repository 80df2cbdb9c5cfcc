#include "framework/model/score_scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace segue {

ScoreScale::ScoreScale(const Recommender& model, const Query& query, std::span<const ItemIdx> excluded) {
  const ScoreMeaning* meaning = model.score_meaning();
  if (meaning != nullptr && meaning->kind() == ScoreMeaning::Kind::kLogit) {
    kind_ = Kind::kLogit;
    shift_ = static_cast<double>(meaning->shift(query));
    return;
  }
  Matrix<float> row(1, static_cast<Eigen::Index>(model.n_items()));
  model.score({&query, 1}, row);
  std::vector<double> scores;  // of the candidates that have one
  for (std::size_t i = 0; i < model.n_items(); ++i) {
    const float score = row(0, static_cast<Eigen::Index>(i));
    if (std::isfinite(score) && !std::binary_search(excluded.begin(), excluded.end(), item_at(i)))
      scores.push_back(static_cast<double>(score));
  }
  if (scores.empty()) return;
  low_ = *std::ranges::min_element(scores);
  high_ = *std::ranges::max_element(scores);
  if (meaning == nullptr) return;
  kind_ = Kind::kSoftmax;
  double sum = 0;
  for (const double score : scores) sum += std::exp(score - high_);
  shift_ = -(high_ + std::log(sum));
}

double ScoreScale::operator()(float score) const {
  const double s = static_cast<double>(score);
  if (s == -std::numeric_limits<double>::infinity()) return 0;
  switch (kind_) {
    case Kind::kLogit:
      return 1 / (1 + std::exp(-(s + shift_)));
    case Kind::kSoftmax:
      return std::exp(s + shift_);
    case Kind::kRelative:
      break;
  }
  return high_ > low_ ? (s - low_) / (high_ - low_) : 1;
}

}  // namespace segue
