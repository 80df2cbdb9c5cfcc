#include "framework/linalg/row_sums.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "framework/base/rng.hpp"

namespace segue {
namespace {

// Small whole numbers, so that sums are exact in any order; beside each row and behind the sum, what must not be read
// or written.
template <class T>
void expect_exact_sums() {
  constexpr std::size_t kRows = 23;
  Rng rng(1);
  for (const std::size_t cols : {1u, 15u, 16u, 17u, 33u, 64u, 79u, 128u, 200u, 257u}) {
    const std::size_t stride = cols + 3;
    std::vector<T> table(kRows * stride, T(1e30));
    for (std::size_t r = 0; r < kRows; ++r)
      for (std::size_t c = 0; c < cols; ++c) table[r * stride + c] = static_cast<T>(rng.below32(1000)) - 500;
    for (const std::size_t count : {0u, 1u, 2u, 3u, 4u, 5u, 31u}) {
      std::vector<std::uint32_t> which(count);
      for (std::uint32_t& row : which) row = rng.below32(kRows);
      std::vector<T> sum(cols + 1, T(7));
      std::vector<double> expected(cols, 7);
      for (const std::uint32_t row : which)
        for (std::size_t c = 0; c < cols; ++c) expected[c] += static_cast<double>(table[row * stride + c]);
      add_rows(ConstView<T>(table.data(), kRows, cols, stride), which, sum.data());
      for (std::size_t c = 0; c < cols; ++c)
        ASSERT_EQ(static_cast<double>(sum[c]), expected[c]) << count << " rows of " << cols << ", column " << c;
      EXPECT_EQ(sum[cols], T(7)) << count << " rows of " << cols;
    }
  }
}

template <class T>
void expect_exact_additions() {
  constexpr std::size_t kRows = 11;
  Rng rng(2);
  for (const std::size_t cols : {1u, 16u, 31u, 64u, 100u}) {
    const std::size_t stride = cols + 2;
    std::vector<T> table(kRows * stride), row(cols);
    for (T& x : table) x = static_cast<T>(rng.below32(1000));
    for (T& x : row) x = static_cast<T>(rng.below32(1000));
    const std::vector<std::uint32_t> which{3, 10, 0, 3};  // one twice
    std::vector<T> expected = table;
    for (const std::uint32_t w : which)
      for (std::size_t c = 0; c < cols; ++c) expected[w * stride + c] += row[c];
    add_to_rows(row.data(), which, View<T>(table.data(), kRows, cols, stride));
    EXPECT_EQ(table, expected) << cols << " columns";
  }
}

TEST(RowSums, AreAddedToTheNamedRows) {
  expect_exact_additions<float>();
  expect_exact_additions<double>();
}

TEST(RowSums, AreThoseOfTheNamedRows) {
  expect_exact_sums<float>();
  expect_exact_sums<double>();
}

}  // namespace
}  // namespace segue
