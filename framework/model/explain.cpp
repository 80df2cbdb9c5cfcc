#include "framework/model/explain.hpp"

#include <algorithm>
#include <cmath>

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
  // A tag needs five items to speak.
  constexpr double kFewestItems = 5;
  const auto n_tags = static_cast<Eigen::Index>(tags_.tags.size());
  loadings_ = Matrix<double>::Zero(n_tags, d);
  std::vector<double> count(tags_.tags.size(), 0);
  for (std::size_t item = 0; item < tags_.weights.rows(); ++item)
    for (TermIdx tag : tags_.weights.indices(item)) {
      loadings_.row(static_cast<Eigen::Index>(tag)) += coordinates_.row(static_cast<Eigen::Index>(item));
      count[static_cast<std::size_t>(tag)] += 1;
    }
  for (Eigen::Index t = 0; t < n_tags; ++t)
    for (Eigen::Index a = 0; a < d; ++a) {
      const double n_items = count[static_cast<std::size_t>(t)];
      loadings_(t, a) = n_items < kFewestItems || axes_.variances(a) <= 0 ? 0 : loadings_(t, a) / std::sqrt(n_items * axes_.variances(a));
    }
}

LatentMatch LatentAxes::strongest(std::span<const float> query, ItemIdx item) const {
  const auto i = static_cast<Eigen::Index>(raw(item));
  std::vector<std::pair<double, std::size_t>> shares;  // minus the contribution, so that the largest sorts first
  for (Eigen::Index a = 0; a < coordinates_.cols(); ++a) {
    double on_axis = 0;
    for (Eigen::Index c = 0; c < axes_.axes.cols(); ++c) on_axis += static_cast<double>(query[static_cast<std::size_t>(c)]) * axes_.axes(a, c);
    shares.emplace_back(-on_axis * coordinates_(i, a), static_cast<std::size_t>(a));
  }
  std::sort(shares.begin(), shares.end());
  const auto match = [&](std::size_t place, const ItemIdx* own) {
    const auto [minus, axis] = shares[place];
    return LatentMatch{axis, -minus, name_side(axis, coordinates_(i, static_cast<Eigen::Index>(axis)) > 0, own)};
  };
  for (std::size_t place = 0; place < shares.size() && shares[place].first < 0; ++place)
    if (LatentMatch found = match(place, &item); !found.tags.empty()) return found;
  return match(0, nullptr);
}

std::vector<std::string> LatentAxes::name_side(std::size_t axis, bool positive, const ItemIdx* item) const {
  constexpr double kSurprise = 3;  // standard errors
  const auto a = static_cast<Eigen::Index>(axis);
  std::vector<std::pair<double, std::size_t>> scored;
  const auto consider = [&](std::size_t tag) {
    const double z = (positive ? 1 : -1) * loadings_(static_cast<Eigen::Index>(tag), a);
    if (z > kSurprise) scored.emplace_back(-z, tag);
  };
  if (item != nullptr) {
    for (TermIdx tag : tags_.weights.indices(raw(*item))) consider(static_cast<std::size_t>(tag));
  } else {
    for (std::size_t tag = 0; tag < tags_.tags.size(); ++tag) consider(tag);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string> names;
  for (std::size_t s = 0; s < std::min<std::size_t>(2, scored.size()); ++s) names.emplace_back(tags_.tags[scored[s].second]);
  return names;
}

}  // namespace segue
