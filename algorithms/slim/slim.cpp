// Sparse linear methods (Ning & Karypis 2011). See README.md.
#include <vector>

#include "algorithms/slim/slim_math.hpp"
#include "framework/linalg/sparse_gram.hpp"
#include "framework/model/linear_items.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

struct SlimParams {
  float l1 = 1.0f;
  float reg = 300.0f;
  int neighbours = 0;
  int epochs = 100;
  float tolerance = 1e-4f;
  EventWeights weights = EventWeights::kBinary;
  double memory_limit = 16;

  // The Gram matrix, then for every item some ten gradients of a hundred rows.
  double fit_flop(const DataShape& s) const { return 2000 * s.items * s.items + 20 * s.events * s.events / s.users; }
  double fit_bytes(const DataShape& s) const { return sizeof(float) * s.items * s.items; }
  static Schema<SlimParams> schema() {
    using P = SlimParams;
    Schema<P> s;
    s.field("l1", &P::l1, "L1 penalty on the item weights: larger, sparser")
        .range(0.0f, 1e9f)
        .search(log_scale, 0.1, 50);
    s.field("reg", &P::reg, "L2 penalty on the item weights").above(0.0f).search(log_scale, 1, 5000);
    s.field("neighbours", &P::neighbours,
            "only so many of the most similar items may have a weight for an item (fsSLIM); 0: all")
        .range(0, 1000000);
    s.field("epochs", &P::epochs, "sweeps over an item's weights at most, each time that items have joined")
        .range(1, 1000000);
    s.field("tolerance", &P::tolerance, "descent stops where no weight changes by more").range(1e-12f, 1.0f);
    event_weights_field(s);
    s.field("memory_limit", &P::memory_limit,
            "GiB; a catalogue that takes more while fitting, 4 bytes a pair of items, is refused")
        .above(0.0);
    return s;
  }
};

class Slim final : public SparseLinearItems {
 public:
  explicit Slim(SlimParams params) : SparseLinearItems(params.weights, true), params_(params) {}

 protected:
  void learn(const Csr<ItemIdx>& x, FitContext& ctx) override {
    const std::size_t n = x.cols();
    check_dense_fits("slim", n, sizeof(float), params_.memory_limit);
    Matrix<float> gram(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n));
    sparse_gram(x, ctx.exec, [&](std::size_t i, std::span<const double> row) {
      for (std::size_t j = i; j < n; ++j) gram.data()[i * n + j] = static_cast<float>(row[j]);
    });
    mirror_upper(gram, ctx.exec);

    SlimSettings settings;
    settings.l1 = static_cast<double>(params_.l1);
    settings.reg = static_cast<double>(params_.reg);
    settings.tolerance = static_cast<double>(params_.tolerance);
    settings.sweeps = params_.epochs;
    settings.candidates = static_cast<std::size_t>(params_.neighbours);
    std::vector<std::vector<std::uint32_t>> items(n);
    std::vector<std::vector<float>> weights(n);
    ctx.exec.for_blocks(n, 16, [&](std::size_t begin, std::size_t end) {
      SlimSolver solver(gram, settings);
      for (std::size_t j = begin; j < end; ++j) {
        solver.solve(j);
        items[j].assign(solver.items().begin(), solver.items().end());
        weights[j].assign(solver.weights().begin(), solver.weights().end());
      }
    });
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::uint32_t> rows;
    std::vector<float> values;
    for (std::size_t j = 0; j < n; ++j) {
      rows.insert(rows.end(), items[j].begin(), items[j].end());
      values.insert(values.end(), weights[j].begin(), weights[j].end());
      offsets.push_back(rows.size());
    }
    const Csr<std::uint32_t> by_column(n, std::move(offsets), std::move(rows), std::move(values));
    set_weights(by_column.transposed<std::uint32_t>());
  }

 private:
  SlimParams params_;
};

}  // namespace

SEGUE_ALGORITHM(slim, Slim, SlimParams,
                {.name = "slim",
                 .summary = "sparse linear weights of items for each other: a non-negative elastic net an item",
                 .citation = "Ning & Karypis 2011, SLIM: sparse linear methods for top-N recommender systems, ICDM",
                 .family = "linear"})

}  // namespace segue
