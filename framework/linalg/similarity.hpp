// Nearest rows of a sparse matrix: the mathematics of neighbourhood models. Rows are what is compared (items or users),
// columns are what they have in common (users or items).
//
// A pair of rows is met once for each shared column (Sarwar et al. 2001, "Item-based collaborative filtering
// recommendation algorithms", section 3.3.1): sum over columns of (entries of the column)^2 additions, many at a time
// where rows have many columns in common (lane_product.hpp). Memory: what one block of rows adds up, never rows x rows.
// Sums are over ascending columns, in double, or in float where the values make them exact (ratings in halves), which
// is the same; so similarities do not depend on blocks or threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/linalg/csr.hpp"

namespace segue {

// x, y: values of two rows; C: their common columns; n = |C|.
enum class Similarity {
  kCosine,          // sum_C xy / (|x| |y|), norms over whole rows
  kAdjustedCosine,  // x, y less their column's mean; sum_C xy / sqrt(sum_C xx sum_C yy) (Sarwar et al. 2001)
  kPearson,         // correlation over C, means over C; 0 for n < 2 (Resnick et al. 1994)
  kCommonCosine,    // sum_C xy / sqrt(sum_C xx sum_C yy); of baseline residuals: Koren 2010, "Factor in the neighbors",
                    // eq. 2
  kJaccard,         // n / (|x| + |y| - n), |.| counting entries
};

// Applied to the values before a cosine. Rows are the documents, columns the terms; a negative value keeps its sign.
enum class Weighting {
  kNone,
  kTfIdf,  // sqrt(x) (ln((1 + rows) / (1 + df)) + 1), df = rows that have the column
  kBm25,   // x (k1 + 1) / (x + k1 (1 - b + b len / mean len)) ln(1 + (rows - df + 1/2) / (df + 1/2)), len = sum of the
           // row
};

struct SimilarityOptions {
  Similarity kind = Similarity::kCosine;
  Weighting weighting = Weighting::kNone;
  double bm25_k1 = 1.2, bm25_b = 0.75;
  double shrinkage = 0;       // s n / (n + shrinkage): few common columns are weak evidence (Koren 2008, section 2.2)
  double min_similarity = 0;  // kept: s > min_similarity; at least 0
};

// Lists of other rows, best first: similarity descending, then the larger n, then a hash of the row, never its
// position.
struct NeighbourLists {
  std::vector<std::uint64_t> offsets{0};  // lists + 1
  std::vector<std::uint32_t> rows;
  std::vector<float> similarities;  // as long as rows, each in (0, 1] up to rounding
  std::size_t size() const { return offsets.size() - 1; }
  std::span<const std::uint32_t> rows_of(std::size_t i) const {
    return {rows.data() + offsets[i], rows.data() + offsets[i + 1]};
  }
  std::span<const float> similarities_of(std::size_t i) const {
    return {similarities.data() + offsets[i], similarities.data() + offsets[i + 1]};
  }
};

// Column: the strong type of a column, UserIdx or ItemIdx.
template <class Column>
class RowSimilarity {
 public:
  RowSimilarity() = default;
  RowSimilarity(const Csr<Column>& rows, const SimilarityOptions& options);

  // The `count` nearest other rows of every row.
  NeighbourLists nearest(std::size_t count, const Executor& exec) const;
  // The `count` nearest rows of a row that is not in the matrix, as one list. columns: ascending, each < rows.cols();
  // values: as long. The same bits as nearest() gives for a row of the matrix, but for that row itself, which is found
  // too.
  NeighbourLists nearest_to(std::span<const Column> columns, std::span<const float> values, std::size_t count) const;

 private:
  template <Similarity kKind, bool kOnes>
  class Finder;
  template <Similarity kKind, bool kOnes, class T>
  class BlockFinder;
  // Calls body.template operator()<kind, whether all values are 1>().
  template <class Body>
  void dispatch(Body body) const;

  void arrange();  // order_ and columns_ from rows_
  // Values of a row after centring or weighting.
  std::vector<float> prepared(std::span<const Column> columns, std::span<const float> values) const;
  bool ones() const { return rows_.all_values().empty(); }
  std::span<const float> values(std::size_t row) const { return ones() ? std::span<const float>() : rows_.values(row); }
  // Whether every sum of products of values, at most `length` of them, is exact in float.
  bool exact_in_float(std::size_t length) const;

  SimilarityOptions options_;
  Csr<Column> rows_;                  // prepared values; none where all are 1
  std::vector<std::uint32_t> order_;  // rows by size, largest first; a row's position there is its place
  Csr<std::uint32_t> columns_;        // the places of the rows that have a column, ascending
  std::vector<double> norms_;         // of prepared rows
  std::vector<double> column_means_;  // kAdjustedCosine
  std::vector<double> idf_;           // with a weighting
  double mean_length_ = 0;
};

extern template class RowSimilarity<UserIdx>;
extern template class RowSimilarity<ItemIdx>;

}  // namespace segue
