#include "framework/model/item_content.hpp"

#include <cmath>

#include "framework/data/sound_directions.hpp"

namespace segue {

Csr<ItemIdx> item_content(const TrainData& data, const ItemContentSettings& settings, std::string_view model) {
  const std::size_t n = data.train.n_items();
  Csr<TermIdx> terms(0, std::vector<std::uint64_t>(n + 1, 0), {}, {});
  if (settings.text::ItemTermSettings::any()) terms = text::item_terms(data.facets, n, settings, model);
  Matrix<float> sounds;
  if (settings.sound > 0) {
    std::vector<std::uint8_t> trained(n, 0);
    for (const ItemIdx item : data.train.by_user().all_indices()) trained[raw(item)] = 1;
    sounds = fingerprint_directions(data.facets.require<ItemSound>(), trained, {1, 1, 1, 1}, true);
  }
  const auto by = static_cast<float>(std::sqrt(settings.sound));
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> indices;
  std::vector<float> values;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t e = 0; e < terms.row_size(i); ++e) {
      indices.push_back(item_at(static_cast<std::size_t>(terms.indices(i)[e])));
      values.push_back(terms.values(i)[e]);
    }
    for (Eigen::Index d = 0; d < sounds.cols(); ++d) {
      const float x = sounds(static_cast<Eigen::Index>(i), d);
      if (x == 0) continue;
      indices.push_back(item_at(terms.cols() + static_cast<std::size_t>(d)));
      values.push_back(by * x);
    }
    offsets.push_back(indices.size());
  }
  return {terms.cols() + static_cast<std::size_t>(sounds.cols()), std::move(offsets), std::move(indices),
          std::move(values)};
}

}  // namespace segue
