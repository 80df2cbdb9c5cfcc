#include "framework/linalg/similarity.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

#include "framework/base/hash.hpp"
#include "tests/support/triplets.hpp"

namespace segue {
namespace {

using test::by_user;
using test::random_ratings;
using test::Triplet;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// The definitions written down once more over dense rows of doubles, one pair of rows at a time.
class Oracle {
 public:
  Oracle(const Csr<ItemIdx>& rows, const SimilarityOptions& options) : options_(options) {
    x_.setConstant(Eigen::Index(rows.rows()), Eigen::Index(rows.cols()), kMissing);
    for (std::size_t r = 0; r < rows.rows(); ++r) {
      for (std::size_t p = 0; p < rows.row_size(r); ++p) {
        x_(Eigen::Index(r), Eigen::Index(raw(rows.indices(r)[p]))) =
            rows.has_values() ? double{rows.values(r)[p]} : 1.0;
      }
    }
    transform();
  }

  double operator()(Eigen::Index i, Eigen::Index j) const {
    std::vector<double> a, b;
    double size_i = 0, size_j = 0, norm_i = 0, norm_j = 0;
    for (Eigen::Index c = 0; c < x_.cols(); ++c) {
      const double u = x_(i, c), v = x_(j, c);
      if (!std::isnan(u)) size_i += 1, norm_i += u * u;
      if (!std::isnan(v)) size_j += 1, norm_j += v * v;
      if (!std::isnan(u) && !std::isnan(v)) a.push_back(u), b.push_back(v);
    }
    const double n = double(a.size());
    if (a.empty()) return 0;
    double mean_a = 0, mean_b = 0;
    if (options_.kind == Similarity::kPearson) {
      mean_a = std::accumulate(a.begin(), a.end(), 0.0) / n;
      mean_b = std::accumulate(b.begin(), b.end(), 0.0) / n;
    }
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t p = 0; p < a.size(); ++p) {
      ab += (a[p] - mean_a) * (b[p] - mean_b);
      aa += (a[p] - mean_a) * (a[p] - mean_a);
      bb += (b[p] - mean_b) * (b[p] - mean_b);
    }
    double s = 0;
    switch (options_.kind) {
      case Similarity::kCosine:
        s = ab / std::sqrt(norm_i * norm_j);
        break;
      case Similarity::kJaccard:
        s = n / (size_i + size_j - n);
        break;
      default:
        s = aa < 1e-9 || bb < 1e-9 ? 0 : ab / std::sqrt(aa * bb);
    }
    return s * n / (n + options_.shrinkage);
  }

 private:
  void transform() {
    const double rows = double(x_.rows());
    double total = 0;
    for (Eigen::Index r = 0; r < x_.rows(); ++r) total += length(r);
    std::vector<double> lengths;
    for (Eigen::Index r = 0; r < x_.rows(); ++r) lengths.push_back(length(r));
    for (Eigen::Index c = 0; c < x_.cols(); ++c) {
      double df = 0, sum = 0;
      for (Eigen::Index r = 0; r < x_.rows(); ++r) {
        if (!std::isnan(x_(r, c))) df += 1, sum += x_(r, c);
      }
      for (Eigen::Index r = 0; r < x_.rows(); ++r) {
        double& x = x_(r, c);
        const double k1 = options_.bm25_k1, b = options_.bm25_b;
        if (options_.kind == Similarity::kAdjustedCosine) x -= sum / df;
        if (options_.weighting == Weighting::kTfIdf) x = std::sqrt(x) * (std::log((1 + rows) / (1 + df)) + 1);
        if (options_.weighting == Weighting::kBm25) {
          const double saturated = x * (k1 + 1) / (x + k1 * (1 - b + b * lengths[std::size_t(r)] / (total / rows)));
          x = saturated * std::log(1 + (rows - df + 0.5) / (df + 0.5));
        }
      }
    }
  }
  double length(Eigen::Index row) const {
    double sum = 0;
    for (Eigen::Index c = 0; c < x_.cols(); ++c) sum += std::isnan(x_(row, c)) ? 0 : x_(row, c);
    return sum;
  }

  SimilarityOptions options_;
  Matrix<double> x_;
};

std::vector<SimilarityOptions> all_options() {
  std::vector<SimilarityOptions> out;
  for (double shrinkage : {0.0, 7.5}) {
    for (Similarity kind : {Similarity::kCosine, Similarity::kAdjustedCosine, Similarity::kPearson,
                            Similarity::kCommonCosine, Similarity::kJaccard}) {
      out.push_back({.kind = kind, .shrinkage = shrinkage});
    }
    out.push_back({.weighting = Weighting::kTfIdf, .shrinkage = shrinkage});
    out.push_back({.weighting = Weighting::kBm25, .bm25_k1 = 1.7, .bm25_b = 0.6, .shrinkage = shrinkage});
  }
  return out;
}

bool same(const NeighbourLists& a, const NeighbourLists& b) {
  return a.offsets == b.offsets && a.rows == b.rows && a.similarities == b.similarities;
}

TEST(RowSimilarity, AgreesWithTheDenseDefinitions) {
  const Csr<ItemIdx> rows = by_user(random_ratings(90, 40, 0.25, 3), 90, 40);
  const Executor exec(2);
  for (const SimilarityOptions& options : all_options()) {
    SCOPED_TRACE(fmt::format("similarity {} weighting {} shrinkage {}", int(options.kind), int(options.weighting),
                             options.shrinkage));
    const Oracle oracle(rows, options);
    const NeighbourLists lists = RowSimilarity<ItemIdx>(rows, options).nearest(1000, exec);
    ASSERT_EQ(lists.size(), 90u);
    for (std::size_t i = 0; i < 90; ++i) {
      std::map<std::size_t, float> found;
      for (std::size_t n = 0; n < lists.rows_of(i).size(); ++n)
        found[lists.rows_of(i)[n]] = lists.similarities_of(i)[n];
      for (std::size_t j = 0; j < 90; ++j) {
        const double expected = i == j ? 0 : oracle(Eigen::Index(i), Eigen::Index(j));
        if (expected > 1e-6) {
          ASSERT_TRUE(found.contains(j)) << i << " " << j << " " << expected;
          ASSERT_NEAR(double{found[j]}, expected, 1e-6) << i << " " << j;
        } else {
          ASSERT_TRUE(!found.contains(j) || found[j] < 1e-6f) << i << " " << j << " " << found[j];
        }
      }
    }
  }
}

// Every bit: one pair of rows at a time in double over ascending columns, and a sort of all rows.
NeighbourLists obvious_lists(const Csr<ItemIdx>& rows, const SimilarityOptions& options, std::size_t count) {
  struct Found {
    float s;
    std::uint32_t n, row;
  };
  const auto value = [&](std::size_t p) { return rows.has_values() ? double{rows.all_values()[p]} : 1.0; };
  const Csr<std::uint32_t> columns = rows.transposed<std::uint32_t>();
  std::vector<double> norms;
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    double sum = 0;
    for (std::size_t p = rows.offsets()[r]; p < rows.offsets()[r + 1]; ++p) sum += value(p) * value(p);
    norms.push_back(std::sqrt(sum));
  }
  NeighbourLists out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    struct Sums {
      double n = 0, xy = 0, xx = 0, yy = 0, x = 0, y = 0;
    };
    std::map<std::uint32_t, Sums> with;
    for (std::size_t p = rows.offsets()[i]; p < rows.offsets()[i + 1]; ++p) {
      const std::size_t c = raw(rows.all_indices()[p]);
      for (std::size_t q = columns.offsets()[c]; q < columns.offsets()[c + 1]; ++q) {
        const double x = value(p), y = columns.has_values() ? double{columns.all_values()[q]} : 1.0;
        Sums& s = with[columns.all_indices()[q]];
        s.n += 1, s.xy += x * y, s.xx += x * x, s.yy += y * y, s.x += x, s.y += y;
      }
    }
    std::vector<Found> found;
    for (const auto& [j, t] : with) {
      double s = 0;
      if (options.kind == Similarity::kCosine) {
        s = norms[i] * norms[j] > 0 ? t.xy / (norms[i] * norms[j]) : 0;
      } else if (options.kind == Similarity::kJaccard) {
        s = t.n / (double(rows.row_size(i)) + double(rows.row_size(j)) - t.n);
      } else if (options.kind == Similarity::kCommonCosine) {
        s = t.xx * t.yy > 0 ? t.xy / std::sqrt(t.xx * t.yy) : 0;
      } else {
        const double vx = t.n * t.xx - t.x * t.x, vy = t.n * t.yy - t.y * t.y;
        const bool constant = t.n < 2 || vx <= 1e-12 * t.n * t.xx || vy <= 1e-12 * t.n * t.yy;
        s = constant ? 0 : (t.n * t.xy - t.x * t.y) / std::sqrt(vx * vy);
      }
      const auto shrunk = static_cast<float>(s * t.n / (t.n + options.shrinkage));
      if (j != i && double{shrunk} > options.min_similarity)
        found.push_back({shrunk, static_cast<std::uint32_t>(t.n), j});
    }
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
      if (a.s != b.s) return a.s > b.s;
      return a.n != b.n ? a.n > b.n : mix64(a.row) < mix64(b.row);
    });
    for (std::size_t k = 0; k < std::min(count, found.size()); ++k)
      out.rows.push_back(found[k].row), out.similarities.push_back(found[k].s);
    out.offsets.push_back(out.rows.size());
  }
  return out;
}

// Few rows have much and many have little, as items do. kind: 0 ones, 1 half stars, 2 normal numbers.
Csr<ItemIdx> skewed(std::size_t rows, std::size_t columns, double entries, int kind, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<Triplet> out;
  for (std::uint32_t r = 0; r < rows; ++r) {
    const double density = std::min(0.9, entries / double(columns) * 40 / (double(r) + 10));
    for (std::uint32_t c = 0; c < columns; ++c) {
      if (rng.uniform() >= density) continue;
      const float half = 0.5f * static_cast<float>(1 + rng.below(10));
      out.push_back({r, c, kind == 0 ? 1.0f : kind == 1 ? half : static_cast<float>(rng.normal())});
    }
  }
  return by_user(std::move(out), rows, columns, kind != 0);
}

TEST(RowSimilarity, HasTheBitsOfTheObviousLoop) {
  const Executor exec(2);
  for (int kind : {0, 1, 2}) {
    const Csr<ItemIdx> rows = skewed(700, 200, 20, kind, 31 + static_cast<std::uint64_t>(kind));
    for (Similarity similarity :
         {Similarity::kCosine, Similarity::kJaccard, Similarity::kCommonCosine, Similarity::kPearson}) {
      for (const SimilarityOptions& options :
           {SimilarityOptions{.kind = similarity},
            SimilarityOptions{.kind = similarity, .shrinkage = 3, .min_similarity = 0.2}}) {
        SCOPED_TRACE(fmt::format("values {} similarity {} shrinkage {}", kind, int(similarity), options.shrinkage));
        for (std::size_t count : {1u, 20u, 1000u})
          EXPECT_TRUE(
              same(RowSimilarity<ItemIdx>(rows, options).nearest(count, exec), obvious_lists(rows, options, count)));
      }
    }
  }
}

// More rows than one tile of sums, and rows so small that they are looked up one by one.
TEST(RowSimilarity, HasTheBitsOfTheObviousLoopForManyRows) {
  const Executor exec(2);
  for (int kind : {0, 2}) {
    const Csr<ItemIdx> rows = skewed(9000, 300, 60, kind, 41);
    for (Similarity similarity : {Similarity::kCosine, Similarity::kPearson}) {
      const SimilarityOptions options{.kind = similarity};
      EXPECT_TRUE(same(RowSimilarity<ItemIdx>(rows, options).nearest(10, exec), obvious_lists(rows, options, 10)));
    }
  }
}

TEST(RowSimilarity, CutsListsToTheBestAndLeavesOutTheDissimilar) {
  const Csr<ItemIdx> rows = by_user(random_ratings(90, 40, 0.25, 4), 90, 40);
  const Executor exec(1);
  const NeighbourLists all = RowSimilarity<ItemIdx>(rows, {}).nearest(1000, exec);
  const NeighbourLists cut = RowSimilarity<ItemIdx>(rows, {}).nearest(5, exec);
  const NeighbourLists similar = RowSimilarity<ItemIdx>(rows, {.min_similarity = 0.3}).nearest(1000, exec);
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto long_list = all.rows_of(i);
    const auto s = all.similarities_of(i);
    ASSERT_TRUE(std::is_sorted(s.begin(), s.end(), std::greater<>()));
    ASSERT_EQ(cut.rows_of(i).size(), std::min<std::size_t>(5, long_list.size()));
    ASSERT_TRUE(std::equal(cut.rows_of(i).begin(), cut.rows_of(i).end(), long_list.begin()));
    ASSERT_EQ(similar.rows_of(i).size(),
              std::size_t(std::count_if(s.begin(), s.end(), [](float x) { return x > 0.3f; })));
  }
  EXPECT_TRUE(all.rows_of(89).empty());  // without entries, without neighbours
}

TEST(RowSimilarity, HasTheSameBitsForAnyNumberOfThreads) {
  const Csr<ItemIdx> rows = by_user(random_ratings(300, 50, 0.2, 5), 300, 50);
  for (const SimilarityOptions& options : all_options()) {
    const RowSimilarity<ItemIdx> similarity(rows, options);
    const NeighbourLists one = similarity.nearest(20, Executor(1));
    for (int threads : {2, 3, 8}) EXPECT_TRUE(same(one, similarity.nearest(20, Executor(threads))));
  }
}

TEST(RowSimilarity, ComparesAForeignRowAsItComparesItsOwn) {
  const Csr<ItemIdx> rows = by_user(random_ratings(80, 40, 0.3, 6), 80, 40);
  for (const SimilarityOptions& options : all_options()) {
    const RowSimilarity<ItemIdx> similarity(rows, options);
    const NeighbourLists own = similarity.nearest(100, Executor(1));
    for (std::size_t r : {0u, 17u, 79u}) {
      NeighbourLists foreign = similarity.nearest_to(rows.indices(r), rows.values(r), 100);
      const auto self = std::find(foreign.rows.begin(), foreign.rows.end(), r) - foreign.rows.begin();
      ASSERT_EQ(std::size_t(self) == foreign.rows.size(), rows.row_size(r) == 0);  // it resembles itself
      if (std::size_t(self) < foreign.rows.size()) {
        foreign.rows.erase(foreign.rows.begin() + self);
        foreign.similarities.erase(foreign.similarities.begin() + self);
      }
      EXPECT_TRUE(std::equal(foreign.rows.begin(), foreign.rows.end(), own.rows_of(r).begin(), own.rows_of(r).end()));
      EXPECT_TRUE(std::equal(foreign.similarities.begin(), foreign.similarities.end(), own.similarities_of(r).begin(),
                             own.similarities_of(r).end()));
    }
  }
}

TEST(RowSimilarity, DoesNotDependOnHowColumnsAreNumbered) {
  std::vector<Triplet> triplets = random_ratings(60, 30, 0.3, 7);
  const Csr<ItemIdx> rows = by_user(triplets, 60, 30);
  std::vector<std::uint32_t> to(30);
  std::iota(to.begin(), to.end(), 0u);
  Rng(8).shuffle(std::span(to));
  for (Triplet& t : triplets) t.item = to[t.item];
  const Csr<ItemIdx> renumbered = by_user(triplets, 60, 30);
  for (const SimilarityOptions& options : all_options()) {
    const NeighbourLists a = RowSimilarity<ItemIdx>(rows, options).nearest(1000, Executor(1));
    const NeighbourLists b = RowSimilarity<ItemIdx>(renumbered, options).nearest(1000, Executor(1));
    for (std::size_t i = 0; i < 60; ++i) {
      std::map<std::uint32_t, float> found;
      for (std::size_t n = 0; n < b.rows_of(i).size(); ++n) found[b.rows_of(i)[n]] = b.similarities_of(i)[n];
      for (std::size_t n = 0; n < a.rows_of(i).size(); ++n) {
        if (a.similarities_of(i)[n] <= 1e-6f) continue;  // rounding decides on which side of 0 they fall
        ASSERT_NEAR(found[a.rows_of(i)[n]], a.similarities_of(i)[n], 1e-6f);
      }
    }
  }
}

// Eighty rows with the same one item, then a row with three items in common against two with one.
TEST(RowSimilarity, PrefersMoreEvidenceAmongEqualsAndNeverLowPositions) {
  std::vector<Triplet> triplets;
  for (std::uint32_t r = 1; r <= 40; ++r) triplets.push_back({r, 0, 1}), triplets.push_back({r + 50, 0, 1});
  const NeighbourLists equal = RowSimilarity<ItemIdx>(by_user(triplets, 100, 1), {}).nearest(10, Executor(1));
  std::size_t low = 0, lists = 0;
  for (std::size_t i = 0; i < 100; ++i) {
    if (equal.rows_of(i).empty()) continue;
    ++lists;
    low += std::size_t(
        std::count_if(equal.rows_of(i).begin(), equal.rows_of(i).end(), [](std::uint32_t r) { return r <= 10; }));
  }
  EXPECT_EQ(lists, 80u);
  EXPECT_LT(low, 80u * 10 / 2);  // by position it would be nearly all of them

  const Csr<ItemIdx> rows =
      by_user({{0, 0, 1}, {0, 1, 1}, {0, 2, 1}, {1, 0, 2}, {1, 1, 2}, {1, 2, 2}, {2, 0, 5}, {3, 1, 5}}, 4, 3);
  const SimilarityOptions common{.kind = Similarity::kCommonCosine};
  const NeighbourLists lists_of_0 = RowSimilarity<ItemIdx>(rows, common).nearest(3, Executor(1));
  ASSERT_EQ(lists_of_0.rows_of(0).size(), 3u);
  EXPECT_EQ(lists_of_0.similarities_of(0)[0], lists_of_0.similarities_of(0)[2]);
  EXPECT_EQ(lists_of_0.rows_of(0)[0], 1u);
}

TEST(RowSimilarity, KeepsTheSignOfNegativeFeedbackAndTakesEmptyMatrices) {
  const Csr<ItemIdx> rows = by_user({{0, 0, 4}, {0, 1, -1}, {1, 0, 2}, {1, 1, -3}, {2, 0, -4}, {2, 1, 1}}, 3, 2);
  for (Weighting weighting : {Weighting::kNone, Weighting::kTfIdf, Weighting::kBm25}) {
    const NeighbourLists lists = RowSimilarity<ItemIdx>(rows, {.weighting = weighting}).nearest(5, Executor(1));
    ASSERT_EQ(lists.rows_of(0).size(), 1u);  // row 2 is the opposite of row 0
    EXPECT_EQ(lists.rows_of(0)[0], 1u);
    EXPECT_TRUE(lists.rows_of(2).empty());
    EXPECT_EQ(RowSimilarity<ItemIdx>(by_user({}, 3, 2), {.weighting = weighting}).nearest(5, Executor(1)).rows.size(),
              0u);
    EXPECT_EQ(RowSimilarity<UserIdx>(Csr<UserIdx>(), {.weighting = weighting}).nearest(5, Executor(1)).size(), 0u);
  }
}

}  // namespace
}  // namespace segue
