#include "framework/linalg/similarity.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "framework/base/hash.hpp"

namespace segue {
namespace {

constexpr std::size_t kRowBlock = 64;  // rows that share one scratch row of sums

double euclidean_norm(std::span<const float> values) {
  double sum = 0;
  for (float v : values) sum += double{v} * double{v};
  return std::sqrt(sum);
}

double length_of(std::span<const float> values) {
  double sum = 0;
  for (float v : values) sum += std::fabs(double{v});
  return sum;
}

// Of a quotient whose denominator is a product of sums of squares: what is left of a constant row is rounding.
double ratio(double dot, double xx, double yy) {
  const double product = xx * yy;
  return product > 0 ? dot / std::sqrt(product) : 0;
}

}  // namespace

template <class Column>
struct RowSimilarity<Column>::Candidate {
  std::uint32_t row;
  float similarity;
  std::uint32_t common;

  bool operator<(const Candidate& other) const {
    if (similarity != other.similarity) return similarity > other.similarity;
    if (common != other.common) return common > other.common;
    return mix64(row) < mix64(other.row);
  }
};

// What is added up over the common columns of two rows; only what the similarity needs.
template <class Column>
template <Similarity kKind>
struct RowSimilarity<Column>::Sums {
  static constexpr bool kSquares = kKind != Similarity::kCosine && kKind != Similarity::kJaccard;
  static constexpr bool kMeans = kKind == Similarity::kPearson;
  struct None {};

  double xy = 0;
  std::conditional_t<kSquares, double, None> xx{}, yy{};
  std::conditional_t<kMeans, double, None> x{}, y{};
  std::uint32_t n = 0;

  void add(double a, double b) {
    xy += a * b;
    if constexpr (kSquares) xx += a * a, yy += b * b;
    if constexpr (kMeans) x += a, y += b;
    ++n;
  }

  double similarity(double norm_x, double norm_y, std::size_t size_x, std::size_t size_y) const {
    if constexpr (kKind == Similarity::kCosine) {
      const double product = norm_x * norm_y;
      return product > 0 ? xy / product : 0;
    } else if constexpr (kKind == Similarity::kJaccard) {
      return double(n) / double(size_x + size_y - n);
    } else if constexpr (kKind == Similarity::kPearson) {
      // n times the sums of squares about the means: exact for whole and half stars.
      const double vx = n * xx - x * x, vy = n * yy - y * y;
      if (n < 2 || vx <= 1e-12 * n * xx || vy <= 1e-12 * n * yy) return 0;
      return ratio(n * xy - x * y, vx, vy);
    } else {
      return ratio(xy, xx, yy);
    }
  }
};

// Scratch for one row of similarities after another.
template <class Column>
template <Similarity kKind>
class RowSimilarity<Column>::Finder {
 public:
  explicit Finder(const RowSimilarity& owner) : owner_(owner), sums_(owner.rows_.rows()) {}

  // The best `count`, best first; row `self` is left out. Valid until the next call.
  std::span<const Candidate> find(std::span<const Column> columns, std::span<const float> values, double norm,
                                  std::size_t count, std::size_t self) {
    for (std::size_t p = 0; p < columns.size(); ++p) {
      const auto c = static_cast<std::size_t>(columns[p]);
      const std::span<const std::uint32_t> others = owner_.columns_.indices(c);
      const std::span<const float> other_values = owner_.columns_.values(c);
      const double value = values[p];
      for (std::size_t o = 0; o < others.size(); ++o) {
        Sums<kKind>& sums = sums_[others[o]];
        if (sums.n == 0) touched_.push_back(others[o]);
        sums.add(value, double{other_values[o]});
      }
    }
    found_.clear();
    const SimilarityOptions& options = owner_.options_;
    for (std::uint32_t j : touched_) {
      const Sums<kKind> sums = sums_[j];
      sums_[j] = {};
      if (j == self) continue;
      const double s = sums.similarity(norm, owner_.norms_[j], columns.size(), owner_.rows_.row_size(j));
      const float shrunk = static_cast<float>(s * sums.n / (sums.n + options.shrinkage));
      if (shrunk > options.min_similarity) found_.push_back({j, shrunk, sums.n});
    }
    touched_.clear();
    count = std::min(count, found_.size());
    const auto cut = found_.begin() + static_cast<std::ptrdiff_t>(count);
    if (cut != found_.end()) std::nth_element(found_.begin(), cut, found_.end());
    std::sort(found_.begin(), cut);
    return {found_.data(), count};
  }

 private:
  const RowSimilarity& owner_;
  std::vector<Sums<kKind>> sums_;
  std::vector<std::uint32_t> touched_;
  std::vector<Candidate> found_;
};

template <class Column>
template <class Body>
void RowSimilarity<Column>::dispatch(Similarity kind, Body body) {
  switch (kind) {
    case Similarity::kCosine:
      return body(std::integral_constant<Similarity, Similarity::kCosine>());
    case Similarity::kPearson:
      return body(std::integral_constant<Similarity, Similarity::kPearson>());
    case Similarity::kJaccard:
      return body(std::integral_constant<Similarity, Similarity::kJaccard>());
    case Similarity::kAdjustedCosine:  // values are centred already
    case Similarity::kCommonCosine:
      return body(std::integral_constant<Similarity, Similarity::kCommonCosine>());
  }
}

template <class Column>
RowSimilarity<Column>::RowSimilarity(const Csr<Column>& rows, const SimilarityOptions& options) : options_(options) {
  const std::size_t n = rows.rows();
  std::vector<float> values(rows.all_values().begin(), rows.all_values().end());
  if (!rows.has_values()) values.assign(rows.nnz(), 1.0f);
  const auto row_values = [&](std::size_t r) { return std::span(values).subspan(rows.offsets()[r], rows.row_size(r)); };

  std::vector<double> sums(rows.cols(), 0), counts(rows.cols(), 0);
  for (std::size_t p = 0; p < rows.nnz(); ++p) {
    sums[static_cast<std::size_t>(rows.all_indices()[p])] += double{values[p]};
    counts[static_cast<std::size_t>(rows.all_indices()[p])] += 1;
  }
  if (options.kind == Similarity::kAdjustedCosine) {
    column_means_ = std::move(sums);
    for (std::size_t c = 0; c < counts.size(); ++c) column_means_[c] /= std::max(1.0, counts[c]);
  }
  if (options.weighting != Weighting::kNone) {
    for (std::size_t r = 0; r < n; ++r) mean_length_ += length_of(row_values(r));
    mean_length_ /= std::max<double>(1, double(n));
    for (double df : counts) {
      idf_.push_back(options.weighting == Weighting::kTfIdf ? std::log((1 + double(n)) / (1 + df)) + 1
                                                            : std::log1p((double(n) - df + 0.5) / (df + 0.5)));
    }
  }
  norms_.resize(n);
  for (std::size_t r = 0; r < n; ++r) {
    const std::vector<float> row = prepared(rows.indices(r), row_values(r));
    std::copy(row.begin(), row.end(), row_values(r).begin());
    norms_[r] = euclidean_norm(row);
  }
  rows_ = Csr<Column>(rows.cols(), rows.offsets(), rows.all_indices(), std::move(values));
  columns_ = rows_.template transposed<std::uint32_t>();
}

template <class Column>
std::vector<float> RowSimilarity<Column>::prepared(std::span<const Column> columns,
                                                   std::span<const float> values) const {
  std::vector<float> out(values.begin(), values.end());
  const double k1 = options_.bm25_k1, b = options_.bm25_b;
  const double length = mean_length_ > 0 ? length_of(values) / mean_length_ : 1;
  for (std::size_t p = 0; p < out.size(); ++p) {
    const auto c = static_cast<std::size_t>(columns[p]);
    const double x = std::fabs(double{out[p]});
    double weight = 0;
    if (!column_means_.empty()) {
      out[p] = static_cast<float>(double{out[p]} - column_means_[c]);
    } else if (options_.weighting == Weighting::kTfIdf) {
      weight = std::sqrt(x) * idf_[c];
    } else if (options_.weighting == Weighting::kBm25 && x > 0) {
      weight = x * (k1 + 1) / (x + k1 * (1 - b + b * length)) * idf_[c];
    }
    if (options_.weighting != Weighting::kNone) out[p] = std::copysign(static_cast<float>(weight), out[p]);
  }
  return out;
}

template <class Column>
NeighbourLists RowSimilarity<Column>::nearest(std::size_t count, const Executor& exec) const {
  const std::size_t n = rows_.rows();
  std::vector<std::vector<Candidate>> found(n);
  dispatch(options_.kind, [&]<Similarity kKind>(std::integral_constant<Similarity, kKind>) {
    exec.for_blocks(n, kRowBlock, [&](std::size_t begin, std::size_t end) {
      Finder<kKind> finder(*this);
      for (std::size_t r = begin; r < end; ++r) {
        const auto best = finder.find(rows_.indices(r), rows_.values(r), norms_[r], count, r);
        found[r].assign(best.begin(), best.end());
      }
    });
  });
  NeighbourLists lists;
  for (const auto& list : found) lists.offsets.push_back(lists.offsets.back() + list.size());
  lists.rows.reserve(lists.offsets.back());
  lists.similarities.reserve(lists.offsets.back());
  for (const auto& list : found) {
    for (const Candidate& c : list) lists.rows.push_back(c.row), lists.similarities.push_back(c.similarity);
  }
  return lists;
}

template <class Column>
NeighbourLists RowSimilarity<Column>::nearest_to(std::span<const Column> columns, std::span<const float> values,
                                                 std::size_t count) const {
  NeighbourLists list;
  dispatch(options_.kind, [&]<Similarity kKind>(std::integral_constant<Similarity, kKind>) {
    Finder<kKind> finder(*this);
    const std::vector<float> row = prepared(columns, values);
    const auto best = finder.find(columns, row, euclidean_norm(row), count, rows_.rows());
    for (const Candidate& c : best) list.rows.push_back(c.row), list.similarities.push_back(c.similarity);
  });
  list.offsets.push_back(list.rows.size());
  return list;
}

template class RowSimilarity<UserIdx>;
template class RowSimilarity<ItemIdx>;

}  // namespace segue
