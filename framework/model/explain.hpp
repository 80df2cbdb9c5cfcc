// Why a factor model recommends an item: the latent axis on which user and item agree most, named by the tags that load on it.
//
// Factors are only determined up to a rotation, so single coordinates mean nothing. The axes here are the principal components of
// the item vectors, which do not change under rotation. On axis f, item i stands c_if = <y_i - mean, a_f> from the average item, and
// the user's share of the score that sets i apart from the average item is <x_u, a_f> c_if. The match is the largest of these on an
// axis that tags of the item itself load on, on the item's side; where no tag of the item does, the largest of all.
#pragma once

#include <string>
#include <vector>

#include "framework/data/facets.hpp"
#include "framework/linalg/spectral.hpp"
#include "framework/model/recommender.hpp"

namespace segue {

struct LatentMatch {
  std::size_t axis = 0;
  double contribution = 0;          // to the score, against that of the average item
  std::vector<std::string> tags;    // at most two, most typical first; empty where no tag loads on this side of the axis
};

class LatentAxes {
 public:
  // Both must outlive this object.
  LatentAxes(const EmbeddingSpace& space, const ItemTags& tags);
  LatentMatch strongest(std::span<const float> query_vector, ItemIdx item) const;

 private:
  // Tags that load on a side of an axis, most typical first; of the item's own only, or of all.
  std::vector<std::string> name_side(std::size_t axis, bool positive, const ItemIdx* item) const;
  const EmbeddingSpace& space_;
  const ItemTags& tags_;
  PrincipalAxes axes_;
  Matrix<double> coordinates_;  // items x axes
  Matrix<double> loadings_;     // tags x axes: mean coordinate of the tag's items, in standard errors
};

}  // namespace segue
