// A linear autoencoder in closed form (Steck 2019). See README.md.
#include "framework/base/errors.hpp"
#include "framework/linalg/sparse_gram.hpp"
#include "framework/linalg/spd_inverse.hpp"
#include "framework/model/linear_items.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

constexpr double kBytesPerPair = 8 + 4;  // the inverse in double and the weights made from it

struct EaseParams {
  float reg = 500;
  EventWeights weights = EventWeights::kBinary;
  double memory_limit = 16;

  double fit_flop(const DataShape& s) const { return s.items * s.items * s.items + 2 * s.events * s.events / s.users; }
  double fit_bytes(const DataShape& s) const { return kBytesPerPair * s.items * s.items; }
  static Schema<EaseParams> schema() {
    using P = EaseParams;
    Schema<P> s;
    s.field("reg", &P::reg, "L2 penalty on the item weights").above(0.0f).search(log_scale, 10, 5000);
    event_weights_field(s);
    s.field("memory_limit", &P::memory_limit,
            "GiB; a catalogue that takes more while fitting, 12 bytes a pair of items, is refused")
        .above(0.0);
    return s;
  }
};

class Ease final : public LinearItems {
 public:
  explicit Ease(EaseParams params) : LinearItems(params.weights, false), params_(params) {}

 protected:
  void learn(const Csr<ItemIdx>& x, FitContext& ctx) override {
    const std::size_t n = x.cols();
    check_dense_fits("ease", n, kBytesPerPair, params_.memory_limit);
    Matrix<double> p(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(n));
    sparse_gram(x, ctx.exec, [&](std::size_t i, std::span<const double> row) {
      std::copy(row.begin() + static_cast<std::ptrdiff_t>(i), row.end(), p.data() + i * n + i);
      p.data()[i * n + i] += static_cast<double>(params_.reg);
    });
    if (!invert_spd(p, ctx.exec)) {
      throw UsageError("ease: X^T X + reg I is singular to double precision; raise reg (now {})", params_.reg);
    }
    b_ = PackedSquare(n);
    std::vector<double> scale(n);  // -1 / P_jj
    for (std::size_t j = 0; j < n; ++j) scale[j] = -1 / p.data()[j * n + j];
    ctx.exec.for_blocks(n, 64, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i)
        for (std::size_t j = 0; j < n; ++j)
          b_.at(i, j) = i == j ? 0.0f : static_cast<float>(p.data()[i * n + j] * scale[j]);
    });
  }

  void product(std::span<const WeightedItems> rows, MatRef<float> out) const override { b_.multiply(rows, out); }
  void product_of(const WeightedItems& row, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    b_.multiply_columns(row, candidates, out);
  }
  void save_weights(ArchiveWriter& archive) const override { archive.put_matrix("item_weights", b_.unpacked()); }
  void load_weights(const ArchiveReader& archive) override { b_ = PackedSquare(archive.matrix("item_weights")); }

 private:
  EaseParams params_;
  PackedSquare b_;  // items x items, zero diagonal
};

}  // namespace

SEGUE_ALGORITHM(ease, Ease, EaseParams,
                {.name = "ease",
                 .summary = "a linear autoencoder over items in closed form: weights of every item for every other",
                 .citation = "Steck 2019, Embarrassingly shallow autoencoders for sparse data, WWW",
                 .family = "linear"})

}  // namespace segue
