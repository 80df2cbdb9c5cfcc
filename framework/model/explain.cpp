#include "framework/model/explain.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segue {

LatentAxes::LatentAxes(const EmbeddingSpace& space, const ItemTags& tags)
    : space_(space), tags_(tags), axes_(principal_axes(space.item_vectors())) {
  const Matrix<float>& items = space_.item_vectors();
  const Eigen::Index n = items.rows(), d = items.cols();
  coordinates_.resize(n, d);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index a = 0; a < d; ++a) {
      double sum = 0;
      for (Eigen::Index c = 0; c < d; ++c) sum += (static_cast<double>(items(i, c)) - axes_.mean(c)) * axes_.axes(a, c);
      coordinates_(i, a) = sum;
    }
}

LatentMatch LatentAxes::strongest(std::span<const float> query, ItemIdx item) const {
  LatentMatch best;
  best.contribution = -std::numeric_limits<double>::infinity();
  const auto i = static_cast<Eigen::Index>(raw(item));
  for (Eigen::Index a = 0; a < coordinates_.cols(); ++a) {
    double on_axis = 0;
    for (Eigen::Index c = 0; c < axes_.axes.cols(); ++c) on_axis += static_cast<double>(query[static_cast<std::size_t>(c)]) * axes_.axes(a, c);
    const double contribution = on_axis * coordinates_(i, a);
    if (contribution > best.contribution) {
      best.axis = static_cast<std::size_t>(a);
      best.contribution = contribution;
    }
  }
  best.tags = name_side(best.axis, coordinates_(i, static_cast<Eigen::Index>(best.axis)) > 0);
  return best;
}

// Tags whose items stand furthest out on this side: the mean coordinate in standard errors. A tag needs five items to speak.
std::vector<std::string> LatentAxes::name_side(std::size_t axis, bool positive) const {
  constexpr double kFewestItems = 5, kSurprise = 3;
  const auto a = static_cast<Eigen::Index>(axis);
  std::vector<double> sum(tags_.tags.size(), 0), count(tags_.tags.size(), 0);
  for (std::size_t item = 0; item < tags_.weights.rows(); ++item)
    for (TermIdx tag : tags_.weights.indices(item)) {
      sum[static_cast<std::size_t>(tag)] += coordinates_(static_cast<Eigen::Index>(item), a);
      count[static_cast<std::size_t>(tag)] += 1;
    }
  std::vector<std::pair<double, std::size_t>> scored;
  for (std::size_t t = 0; t < sum.size(); ++t) {
    if (count[t] < kFewestItems) continue;
    const double z = (positive ? 1 : -1) * sum[t] / std::sqrt(count[t] * axes_.variances(a));
    if (z > kSurprise) scored.emplace_back(-z, t);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> names;
  for (std::size_t s = 0; s < std::min<std::size_t>(2, scored.size()); ++s) names.emplace_back(tags_.tags[scored[s].second]);
  return names;
}

}  // namespace segue
