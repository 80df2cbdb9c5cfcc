#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/model/neighbourhood.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

class ItemKnn final : public NeighbourhoodModel {
 public:
  using NeighbourhoodModel::NeighbourhoodModel;

 protected:
  NeighbourLists find_neighbours(const Csr<ItemIdx>& by_user, const Executor& exec) override {
    return RowSimilarity<UserIdx>(by_user.transposed<UserIdx>(), similarity_options()).nearest(list_length(), exec);
  }

  void prepare() override {
    if (rates()) return;
    std::vector<float> similarities = lists().similarities;
    if (params().normalise) {
      for (std::size_t i = 0; i < lists().size(); ++i) {
        const auto begin = similarities.begin() + std::ptrdiff_t(lists().offsets[i]);
        const auto end = similarities.begin() + std::ptrdiff_t(lists().offsets[i + 1]);
        double sum = 0;
        for (auto s = begin; s != end; ++s) sum += double{*s};
        for (auto s = begin; s != end; ++s) *s = static_cast<float>(double{*s} / sum);
      }
    }
    const Csr<std::uint32_t> lists_of_items(n_items(), std::vector<std::uint64_t>(lists().offsets),
                                            std::vector<std::uint32_t>(lists().rows), std::move(similarities));
    listed_by_ = lists_of_items.transposed<std::uint32_t>();
  }

  void add_scores(const Profile& profile, std::span<float> out) const override {
    if (rates()) {
      const std::vector<float> rated = dense(profile);
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = deviation(i, rated);
      return;
    }
    // Each score adds its terms over ascending history items, whatever else is asked.
    for (std::size_t p = 0; p < profile.items.size(); ++p) {
      if (p + kRowsAhead < profile.items.size()) prefetch_row(listed_by_, raw(profile.items[p + kRowsAhead]));
      const auto items = listed_by_.indices(raw(profile.items[p]));
      const auto similarities = listed_by_.values(raw(profile.items[p]));
      const float weight = profile.weights[p];
      for (std::size_t n = 0; n < items.size(); ++n) out[items[n]] += similarities[n] * weight;
    }
  }

  void scores_of(const Profile& profile, std::span<const ItemIdx> items, std::span<float> out) const override {
    if (!rates()) return NeighbourhoodModel::scores_of(profile, items, out);
    const std::vector<float> rated = dense(profile);
    for (std::size_t p = 0; p < items.size(); ++p) out[p] = deviation(raw(items[p]), rated);
  }

 private:
  std::vector<float> dense(const Profile& profile) const {
    std::vector<float> rated(n_items(), std::numeric_limits<float>::quiet_NaN());
    for (std::size_t p = 0; p < profile.items.size(); ++p) rated[raw(profile.items[p])] = profile.deviations[p];
    return rated;
  }

  // Mean deviation of the nearest items that the user has rated; rated: NaN where not.
  float deviation(std::size_t item, const std::vector<float>& rated) const {
    const auto rows = lists().rows_of(item);
    const auto similarities = lists().similarities_of(item);
    double sum = 0, total = 0;
    int used = 0;
    for (std::size_t n = 0; n < rows.size() && used < params().neighbours; ++n) {
      const float r = rated[rows[n]];
      if (std::isnan(r)) continue;
      sum += double{similarities[n]} * double{r};
      total += double{similarities[n]};
      ++used;
    }
    return used == 0 ? 0.0f : static_cast<float>(sum / total);
  }

  Csr<std::uint32_t> listed_by_;  // row j: the items whose lists hold j, ascending, with their similarities
};

}  // namespace

SEGUE_ALGORITHM(item_knn, ItemKnn, NeighbourhoodParams,
                {.name = "item_knn",
                 .summary = "items like those the user has: nearest neighbours among items",
                 .citation = "Sarwar, Karypis, Konstan & Riedl 2001, Item-based collaborative filtering recommendation "
                             "algorithms, WWW; ratings: Koren 2010, Factor in the neighbors, TKDD 4(1)",
                 .family = "neighbourhood",
                 .predicts_ratings = true})

}  // namespace segue
