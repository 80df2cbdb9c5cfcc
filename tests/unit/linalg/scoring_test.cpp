#include "framework/linalg/scoring.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"

namespace segue {
namespace {

Matrix<float> random_matrix(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix<float> out(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
  Rng(seed).fill_normal({out.data(), static_cast<std::size_t>(out.size())}, 0, 1);
  return out;
}

std::vector<float> random_bias(std::size_t n) {
  std::vector<float> out(n);
  Rng(99).fill_normal(out, 0, 1);
  return out;
}

Matrix<float> scores(const PackedRows& packed, const Matrix<float>& queries, std::span<const float> bias) {
  Matrix<float> out = Matrix<float>::Constant(queries.rows(), static_cast<Eigen::Index>(packed.rows()), std::nanf(""));
  packed.score(queries, bias, out);
  return out;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

// Sizes around the panel of 32 rows and the group of 12 queries.
TEST(PackedRows, AgreesWithDouble) {
  for (const std::size_t n : {1u, 31u, 32u, 33u, 70u}) {
    for (const std::size_t d : {1u, 7u, 64u, 129u}) {
      const Matrix<float> rows = random_matrix(n, d, n + d), queries = random_matrix(14, d, 1000 + d);
      const std::vector<float> bias = random_bias(n);
      const Matrix<float> out = scores(PackedRows(rows), queries, bias);
      for (Eigen::Index q = 0; q < 14; ++q) {
        for (Eigen::Index r = 0; r < rows.rows(); ++r) {
          double sum = 0, size = 0;
          for (Eigen::Index c = 0; c < rows.cols(); ++c) {
            const double product = double{queries(q, c)} * double{rows(r, c)};
            sum += product;
            size += std::abs(product);
          }
          const double b = double{bias[static_cast<std::size_t>(r)]};
          // One rounding a step, relative to the largest partial sum.
          EXPECT_NEAR(double{out(q, r)}, sum + b, (size + std::abs(b)) * static_cast<double>(d + 1) * 6e-8);
        }
      }
    }
  }
}

// Also as dot_in_order() and score_rows() give it, in any order and with repeats.
TEST(PackedRows, AQuerysBitsDoNotDependOnItsBatch) {
  const Matrix<float> rows = random_matrix(77, 45, 1), queries = random_matrix(17, 45, 2);
  const PackedRows packed(rows);
  const std::vector<float> bias = random_bias(77);
  std::vector<std::uint32_t> some(40);
  for (std::size_t i = 0; i < some.size(); ++i) some[i] = static_cast<std::uint32_t>(i * 31 % 77);
  some.push_back(some[3]);
  for (const bool biased : {false, true}) {
    const std::span<const float> b = biased ? std::span<const float>(bias) : std::span<const float>();
    const Matrix<float> all = scores(packed, queries, b);
    EXPECT_FALSE(all.hasNaN());
    for (Eigen::Index batch = 1; batch <= 17; ++batch)
      for (Eigen::Index first = 0; first + batch <= 17; first += 1 + (17 - batch) / 3) {
        const Matrix<float> part = scores(packed, queries.middleRows(first, batch), b);
        for (Eigen::Index q = 0; q < batch; ++q)
          EXPECT_TRUE(same_bits(row_span(part, static_cast<std::size_t>(q)),
                                row_span(all, static_cast<std::size_t>(first + q))))
              << "query " << first + q << " in a batch of " << batch;
      }
    for (std::size_t q = 0; q < 17; ++q) {
      std::vector<float> few(some.size());
      packed.score_rows(row_span(queries, q), b, some, few);
      for (std::size_t i = 0; i < some.size(); ++i) {
        const float expected = row_span(all, q)[some[i]];
        EXPECT_TRUE(same_bits({&few[i], 1}, {&expected, 1}));
        const float dot = dot_in_order(row_span(queries, q), row_span(rows, some[i]));
        EXPECT_EQ(biased ? dot + bias[some[i]] : dot, expected);
      }
    }
  }
}

// However many panels are asked for at once, against one pair of vectors at a time.
TEST(PackedRows, TilesHaveTheSameBits) {
  const Matrix<float> rows = random_matrix(333, 45, 1);
  const PackedRows packed(rows);
  const std::vector<float> bias = random_bias(333);
  ASSERT_EQ(packed.panels(), 11u);
  for (std::size_t n = 1; n <= 26; ++n) {
    const Matrix<float> queries = random_matrix(n, 45, 2);
    const PackedQueries grouped(queries);
    ASSERT_EQ(grouped.size(), n);
    ASSERT_EQ(grouped.groups(), (n + 11) / 12);
    for (const std::size_t at_once : {1u, 4u, 6u, 11u}) {
      const bool biased = (n + at_once) % 2 == 0;
      Matrix<float> all(static_cast<Eigen::Index>(n), 333);
      std::vector<PackedRows::Tile> tiles(at_once);
      for (std::size_t g = 0; g < grouped.groups(); ++g) {
        for (std::size_t p = 0; p < 11; p += at_once) {
          const std::size_t count = std::min(at_once, 11 - p);
          packed.score_tiles(grouped, g, biased ? std::span<const float>(bias) : std::span<const float>(), p,
                             std::span(tiles).first(count));
          for (std::size_t q = 0; q < grouped.count(g); ++q)
            for (std::size_t r = 32 * p; r < std::min<std::size_t>(333, 32 * (p + count)); ++r)
              row_span(all, 12 * g + q)[r] = tiles[r / 32 - p][q][r % 32];
        }
      }
      for (std::size_t q = 0; q < n; ++q) {
        for (std::size_t r = 0; r < 333; ++r) {
          const float dot = dot_in_order(row_span(queries, q), row_span(rows, r));
          ASSERT_EQ(row_span(all, q)[r], biased ? dot + bias[r] : dot) << n << " " << at_once << " " << q << " " << r;
        }
      }
    }
  }
}

TEST(PackedRows, BoundTheScores) {
  Matrix<float> rows = random_matrix(50, 7, 1);
  const Matrix<float> queries = random_matrix(20, 7, 2);
  const Matrix<float> out = scores(PackedRows(rows), queries, {});
  for (std::size_t q = 0; q < 20; ++q) {
    double exact = 0;
    for (Eigen::Index d = 0; d < 7; ++d)
      exact += std::abs(double{queries(static_cast<Eigen::Index>(q), d)}) * double{rows.col(d).cwiseAbs().maxCoeff()};
    const double bound = PackedRows(rows).bound(row_span(queries, q));
    EXPECT_NEAR(bound, exact, 1e-12 * exact);
    EXPECT_LE(double{out.row(static_cast<Eigen::Index>(q)).cwiseAbs().maxCoeff()}, bound * (1 + 1e-6));
  }
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const float bad : {std::nanf(""), kInf, -kInf}) {
    for (const Eigen::Index row : {0, 25, 49}) {
      rows = random_matrix(50, 7, 1);
      rows(row, 3) = bad;
      EXPECT_FALSE(std::isfinite(PackedRows(rows).bound(row_span(queries, 0))));
    }
    std::vector<float> query(7, 0.0f);
    query[6] = bad;
    EXPECT_FALSE(std::isfinite(PackedRows(random_matrix(50, 7, 1)).bound(query)));
  }
}

TEST(PackedRows, WritesIntoPartsOfAMatrixAndNowhereElse) {
  const Matrix<float> rows = random_matrix(35, 5, 1), queries = random_matrix(3, 9, 2);
  Matrix<float> wide = Matrix<float>::Constant(3, 40, 7);
  PackedRows(rows).score(queries.middleCols(2, 5), {}, wide.middleCols(1, 35));
  const Matrix<float> narrow = scores(PackedRows(rows), queries.middleCols(2, 5), {});
  EXPECT_EQ(wide.middleCols(1, 35), narrow);
  EXPECT_EQ(wide.col(0), Vector<float>::Constant(3, 7));
  EXPECT_EQ(wide.rightCols(4), Matrix<float>::Constant(3, 4, 7));
}

TEST(PackedRows, OfNothing) {
  EXPECT_EQ(scores(PackedRows(Matrix<float>(0, 4)), random_matrix(2, 4, 1), {}).size(), 0);
  EXPECT_EQ(scores(PackedRows(random_matrix(3, 4, 1)), Matrix<float>(0, 4), {}).size(), 0);
  const std::vector<float> bias{1, 2, 3};
  EXPECT_EQ(scores(PackedRows(Matrix<float>(3, 0)), Matrix<float>(1, 0), bias),
            (Matrix<float>(1, 3) << 1, 2, 3).finished());
}

TEST(PackedRows, ShapesThatDoNotFitAreRefused) {
  const PackedRows packed(random_matrix(3, 4, 1));
  Matrix<float> out(2, 3), narrow(2, 2);
  const std::vector<float> bias(2);
  EXPECT_THROW(packed.score(random_matrix(2, 5, 1), {}, out), LogicError);
  EXPECT_THROW(packed.score(random_matrix(2, 4, 1), {}, narrow), LogicError);
  EXPECT_THROW(packed.score(random_matrix(1, 4, 1), {}, out), LogicError);
  EXPECT_THROW(packed.score(random_matrix(2, 4, 1), bias, out), LogicError);
}

}  // namespace
}  // namespace segue
