// Three steps of a random walk from a user, popular items held back (Paudel et al. 2017). See README.md.
#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/base/hash.hpp"
#include "framework/model/linear_items.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

struct Rp3betaParams {
  int neighbours = 300;
  float alpha = 1.0f;
  float beta = 0.7f;
  EventWeights weights = EventWeights::kBinary;

  double fit_flop(const DataShape& s) const { return 20 * s.events * s.events / s.users; }
  static Schema<Rp3betaParams> schema() {
    using P = Rp3betaParams;
    Schema<P> s;
    s.field("neighbours", &P::neighbours, "length of each item's list").range(1, 1000000).search(log_scale, 10, 1000);
    s.field("alpha", &P::alpha, "power of every step's probability: above 1, rare steps count for less")
        .range(0.0f, 10.0f)
        .search(linear, 0.3, 2);
    s.field("beta", &P::beta, "items are divided by their number of users to this power")
        .range(0.0f, 10.0f)
        .search(linear, 0, 1.2);
    event_weights_field(s);
    return s;
  }
};

struct Step {
  double weight;
  std::uint32_t item;
  bool operator<(const Step& other) const {  // better comes first; equals in an order that no catalogue decides
    if (weight != other.weight) return weight > other.weight;
    const std::uint64_t mine = mix64(item), its = mix64(other.item);
    return mine != its ? mine < its : item < other.item;
  }
};

class Rp3beta final : public SparseLinearItems {
 public:
  explicit Rp3beta(Rp3betaParams params) : SparseLinearItems(params.weights, true), params_(params) {}

 protected:
  void learn(const Csr<ItemIdx>& x, FitContext& ctx) override {
    const std::size_t n = x.cols();
    const Csr<std::uint32_t> by_item = x.transposed<std::uint32_t>();
    const double alpha = static_cast<double>(params_.alpha);
    // A step's probability: the entry's share of its row (user to item) or of its column (item to user).
    const std::vector<double> from_user = steps(x, alpha), from_item = steps(by_item, alpha);
    std::vector<double> held_back(n);
    for (std::size_t j = 0; j < n; ++j)
      held_back[j] = std::pow(static_cast<double>(by_item.row_size(j)), -static_cast<double>(params_.beta));

    std::vector<std::vector<Step>> lists(n);
    ctx.exec.for_blocks(n, 32, [&](std::size_t begin, std::size_t end) {
      std::vector<double> sums(n, 0.0);
      std::vector<std::uint32_t> touched;
      std::vector<Step> found;
      for (std::size_t i = begin; i < end; ++i) {
        for (std::uint64_t e = by_item.offsets()[i]; e < by_item.offsets()[i + 1]; ++e) {
          const std::size_t u = by_item.all_indices()[e];
          const double first = from_item[e];
          for (std::uint64_t p = x.offsets()[u]; p < x.offsets()[u + 1]; ++p) {
            const std::size_t j = raw(x.all_indices()[p]);
            if (sums[j] == 0) touched.push_back(static_cast<std::uint32_t>(j));
            sums[j] += first * from_user[p];
          }
        }
        found.clear();
        for (std::uint32_t j : touched) {
          if (j != i && sums[j] > 0) found.push_back({sums[j] * held_back[j], j});
          sums[j] = 0;
        }
        touched.clear();
        const std::size_t count = std::min(found.size(), static_cast<std::size_t>(params_.neighbours));
        const auto cut = found.begin() + static_cast<std::ptrdiff_t>(count);
        if (cut != found.end()) std::nth_element(found.begin(), cut, found.end());
        std::sort(found.begin(), cut, [](const Step& a, const Step& b) { return a.item < b.item; });
        lists[i].assign(found.begin(), cut);
      }
    });
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::uint32_t> items;
    std::vector<float> values;
    for (const std::vector<Step>& list : lists) {
      for (const Step& step : list) items.push_back(step.item), values.push_back(static_cast<float>(step.weight));
      offsets.push_back(items.size());
    }
    set_weights(Csr<std::uint32_t>(n, std::move(offsets), std::move(items), std::move(values)));
  }

 private:
  // (entry / sum of its row)^alpha for every entry.
  template <class Index>
  static std::vector<double> steps(const Csr<Index>& rows, double alpha) {
    std::vector<double> out(rows.nnz(), 1.0);
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      double sum = 0;
      for (std::uint64_t p = rows.offsets()[r]; p < rows.offsets()[r + 1]; ++p) {
        if (!rows.all_values().empty()) out[p] = double{rows.all_values()[p]};
        sum += out[p];
      }
      for (std::uint64_t p = rows.offsets()[r]; p < rows.offsets()[r + 1]; ++p) out[p] = std::pow(out[p] / sum, alpha);
    }
    return out;
  }

  Rp3betaParams params_;
};

}  // namespace

SEGUE_ALGORITHM(rp3beta, Rp3beta, Rp3betaParams,
                {.name = "rp3beta",
                 .summary = "three steps of a random walk from the user, popular items held back",
                 .citation = "Paudel, Christoffel, Newell & Bernstein 2017, Updatable, accurate, diverse, and scalable "
                             "recommendations for interactive applications, TiiS 7(1)",
                 .family = "neighbourhood"})

}  // namespace segue
