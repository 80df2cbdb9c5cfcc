#include "framework/linalg/history_product.hpp"

#include <gtest/gtest.h>

#include "framework/base/rng.hpp"

namespace segue {
namespace {

TEST(PackedSquare, MultipliesHistoriesOfAnyLengthWithTheSameBits) {
  for (std::size_t n : {1u, 15u, 64u, 65u, 200u}) {
    const auto size = static_cast<Eigen::Index>(n);
    Matrix<float> b(size, size);
    Rng rng(n);
    rng.fill_normal({b.data(), n * n}, 0, 1);
    const PackedSquare packed(b);
    EXPECT_EQ(packed.unpacked(), b);
    std::vector<WeightedItems> rows(4);
    Matrix<double> x = Matrix<double>::Zero(4, size);
    for (std::size_t q = 1; q < rows.size(); ++q) {  // the first is empty
      for (std::size_t i = 0; i < n; i += q) {
        rows[q].items.push_back(item_at(i));
        rows[q].weights.push_back(static_cast<float>(rng.normal()));
        x(Eigen::Index(q), Eigen::Index(i)) = double{rows[q].weights.back()};
      }
    }
    Matrix<float> got(4, size);
    packed.multiply(rows, got);
    EXPECT_LE((got.cast<double>() - x * b.cast<double>()).cwiseAbs().maxCoeff(), 1e-4) << n;
    EXPECT_TRUE(got.row(0).isZero(0));
    std::vector<ItemIdx> columns{item_at(n - 1), item_at(n / 2), item_at(0), item_at(n / 2)};
    std::vector<float> few(columns.size());
    for (Eigen::Index q = 0; q < 4; ++q) {
      packed.multiply_columns(rows[std::size_t(q)], columns, few);
      for (std::size_t c = 0; c < few.size(); ++c) EXPECT_EQ(few[c], got(q, Eigen::Index(raw(columns[c]))));
    }
  }
}

}  // namespace
}  // namespace segue
