#include <algorithm>
#include <optional>

#include "framework/model/neighbourhood.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

class UserKnn final : public NeighbourhoodModel {
 public:
  using NeighbourhoodModel::NeighbourhoodModel;

 protected:
  NeighbourLists find_neighbours(const Csr<ItemIdx>& by_user, const Executor& exec) override {
    similarity_.emplace(by_user, similarity_options());
    return similarity_->nearest(list_length(), exec);
  }

  // Users who were not in the training data are compared when they ask.
  void prepare() override {
    if (!similarity_) similarity_.emplace(compared(), similarity_options());
  }

  void add_scores(const Profile& profile, std::span<float> out) const override {
    if (profile.trained) {
      add_from(lists().rows_of(raw(profile.user)), lists().similarities_of(raw(profile.user)), out);
    } else if (!profile.items.empty()) {
      const auto& values = compares_deviations() ? profile.deviations : profile.weights;
      const NeighbourLists found = similarity_->nearest_to(profile.items, values, list_length());
      add_from(found.rows, found.similarities, out);
    }
  }

 private:
  void add_from(std::span<const std::uint32_t> users, std::span<const float> similarities, std::span<float> out) const {
    return rates() ? add_deviations(users, similarities, out) : add_weights(users, similarities, out);
  }

  // Each score adds its terms best neighbour first.
  void add_weights(std::span<const std::uint32_t> users, std::span<const float> similarities,
                   std::span<float> out) const {
    double sum = 0;
    for (float s : similarities) sum += double{s};
    for (std::size_t n = 0; n < users.size(); ++n) {
      if (n + kRowsAhead < users.size()) prefetch_row(train(), users[n + kRowsAhead]);
      const float s = params().normalise ? static_cast<float>(double{similarities[n]} / sum) : similarities[n];
      const auto items = train().indices(users[n]);
      if (!train().has_values()) {
        for (ItemIdx item : items) out[raw(item)] += s;
        continue;
      }
      const float* weights = train().values(users[n]).data();
      for (std::size_t p = 0; p < items.size(); ++p) out[raw(items[p])] += s * weights[p];
    }
  }

  // For every item the mean deviation of the nearest users who rated it.
  void add_deviations(std::span<const std::uint32_t> users, std::span<const float> similarities,
                      std::span<float> out) const {
    struct Sums {
      double deviations = 0, similarities = 0;
      int used = 0;
    };
    std::vector<Sums> sums(out.size());
    for (std::size_t n = 0; n < users.size(); ++n) {
      const auto items = deviations().indices(users[n]);
      const auto values = deviations().values(users[n]);
      for (std::size_t p = 0; p < items.size(); ++p) {
        Sums& of = sums[raw(items[p])];
        if (of.used == params().neighbours) continue;
        of.deviations += double{similarities[n]} * double{values[p]};
        of.similarities += double{similarities[n]};
        ++of.used;
      }
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (sums[i].used > 0) out[i] = static_cast<float>(sums[i].deviations / sums[i].similarities);
    }
  }

  std::optional<RowSimilarity<ItemIdx>> similarity_;  // set by find_neighbours() or prepare()
};

}  // namespace

SEGUE_ALGORITHM(
    user_knn, UserKnn, NeighbourhoodParams,
    {.name = "user_knn",
     .summary = "what similar users have: nearest neighbours among users",
     .citation = "Resnick et al. 1994, GroupLens: an open architecture for collaborative filtering of netnews, CSCW; "
                 "ratings: Koren 2010, Factor in the neighbors, TKDD 4(1)",
     .family = "neighbourhood",
     .predicts_ratings = true})

}  // namespace segue
