#include "framework/linalg/similarity.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <type_traits>

#include "framework/linalg/best_rows.hpp"
#include "framework/linalg/lane_product.hpp"
#include "framework/linalg/pair_sums.hpp"

namespace segue {
namespace {

constexpr std::size_t kRowBlock = 64;  // rows that share scratch; a multiple of every number of lanes

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

}  // namespace

// One row after another, with scattered additions: for foreign rows, and rows that have little in common with others.
template <class Column>
template <Similarity kKind, bool kOnes>
class RowSimilarity<Column>::Finder {
 public:
  explicit Finder(const RowSimilarity& owner) : owner_(owner), sums_(owner.rows_.rows()) {}

  // The best `count`, best first; row `self` is left out. values: empty for ones. Valid until the next call.
  std::span<const SimilarRow> find(std::span<const Column> columns, std::span<const float> values, double norm,
                                   std::size_t count, std::size_t self) {
    for (std::size_t p = 0; p < columns.size(); ++p) {
      const auto c = static_cast<std::size_t>(columns[p]);
      const std::span<const std::uint32_t> others = owner_.columns_.indices(c);
      const float* other_values = owner_.ones() ? nullptr : owner_.columns_.values(c).data();
      const double value = values.empty() ? 1.0 : double{values[p]};
      for (std::size_t o = 0; o < others.size(); ++o) {
        PairSums<kKind, kOnes>& sums = sums_[others[o]];
        if (sums.n == 0) touched_.push_back(others[o]);
        sums.add(value, other_values == nullptr ? 1.0 : double{other_values[o]});
      }
    }
    best_.reset(std::min(count, sums_.size()));
    const SimilarityOptions& options = owner_.options_;
    for (std::uint32_t place : touched_) {
      const std::uint32_t j = owner_.order_[place];
      const float s =
          sums_[place].shrunk(norm, owner_.norms_[j], columns.size(), owner_.rows_.row_size(j), options.shrinkage);
      if (j != self && double{s} > options.min_similarity) best_.offer(j, s, sums_[place].n);
      sums_[place] = {};
    }
    touched_.clear();
    return best_.sorted();
  }

 private:
  const RowSimilarity& owner_;
  std::vector<PairSums<kKind, kOnes>> sums_;  // by place
  std::vector<std::uint32_t> touched_;
  BestRows best_;
};

// As many as fit a register, in double.
template <class T>
Doubles widened(const T* p) {
  if constexpr (!std::is_same_v<T, std::uint16_t>) return Doubles::load(p);
  double wide[Doubles::kCount];
  for (std::size_t l = 0; l < Doubles::kCount; ++l) wide[l] = double(p[l]);
  return Doubles::load(wide);
}

// Several rows at once. T: double, or a narrower type where that is exact.
template <class Column>
template <Similarity kKind, bool kOnes, class T>
class RowSimilarity<Column>::BlockFinder {
 public:
  using Pair = PairSums<kKind, kOnes>;
  using Product = LaneProduct<T, Pair::kCount>;
  static constexpr std::size_t kLanes = Product::kLanes;

  explicit BlockFinder(const RowSimilarity& owner) : owner_(owner), product_(owner.columns_) {}

  // Packs the rows in places [first, first + count); false where scattered additions would be cheaper.
  bool pack(std::size_t first, std::size_t count) {
    first_ = first, count_ = count;
    product_.template pack<Column>(
        count, [&](std::size_t l) { return owner_.rows_.indices(owner_.order_[first + l]); },
        [&](std::size_t l) { return owner_.values(owner_.order_[first + l]); });
    // In cycles, measured. A visit is a load and a store a sum, and each tile interrupts each column once.
    const std::size_t lanes = product_.visits() * (1 + Pair::kCount) + product_.used_columns() * product_.tiles() * 20 +
                              owner_.order_.size() * 6;
    return lanes < product_.separate_visits() * 6;
  }

  // The best `count` of each packed row: take(row, best).
  template <class Take>
  void find(std::size_t count, Take take) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      const std::size_t row = owner_.order_[first_ + std::min(l, count_ - 1)];
      best_[l].reset(std::min(count, owner_.order_.size()));
      norm_[l] = owner_.norms_[row];
      size_[l] = static_cast<double>(owner_.rows_.row_size(row));
      set_bar(l, static_cast<float>(owner_.options_.min_similarity));
    }
    product_.run([&](std::size_t place, const T* sums) {
      const std::uint32_t j = owner_.order_[place];
      for (unsigned lanes = promising(sums, j); lanes != 0; lanes &= lanes - 1) {
        const auto l = static_cast<std::size_t>(std::countr_zero(lanes));
        if (l < count_ && first_ + l != place) offer(l, j, Pair::of_lane(sums + l, kLanes));
      }
    });
    for (std::size_t l = 0; l < count_; ++l) take(owner_.order_[first_ + l], best_[l].sorted());
  }

 private:
  void set_bar(std::size_t l, float similarity) {
    // A little lower, since promising() rounds otherwise than PairSums::shrunk().
    const double bar = double{similarity} * (1 - 1e-5);
    bar_[l] = kKind == Similarity::kCosine ? bar * norm_[l] : kKind == Similarity::kJaccard ? bar : bar * bar;
  }

  void offer(std::size_t l, std::uint32_t j, const Pair& sums) {
    const SimilarityOptions& options = owner_.options_;
    const float s = sums.shrunk(norm_[l], owner_.norms_[j], static_cast<std::size_t>(size_[l]),
                                owner_.rows_.row_size(j), options.shrinkage);
    if (double{s} > options.min_similarity && best_[l].offer(j, s, sums.n)) set_bar(l, best_[l].bar());
  }

  // The lanes whose similarity to row j may be above their bar, without a division or a root.
  unsigned promising(const T* sums, std::uint32_t j) const {
    using D = Doubles;
    unsigned out = 0;
    for (std::size_t l = 0; l < kLanes; l += D::kCount) {
      const auto sum = [&](LaneSum which) { return widened(sums + static_cast<std::size_t>(which) * kLanes + l); };
      const D n = sum(LaneSum::kCount), bar = D::load(bar_ + l);
      const D shrunk = n + D::all(owner_.options_.shrinkage);
      unsigned above_bar = 0;
      if constexpr (kKind == Similarity::kCosine) {
        const D xy = Pair::kProducts ? sum(LaneSum::kProduct) : n;
        above_bar = above(xy * n, bar * D::all(owner_.norms_[j]) * shrunk);
      } else if constexpr (kKind == Similarity::kJaccard) {
        const D either = D::load(size_ + l) + D::all(static_cast<double>(owner_.rows_.row_size(j))) - n;
        above_bar = above(n * n, bar * either * shrunk);
      } else {
        D xy = sum(LaneSum::kProduct), xx = sum(LaneSum::kLeftSquare), yy = sum(LaneSum::kRightSquare);
        if constexpr (kKind == Similarity::kPearson) {
          const D x = sum(LaneSum::kLeft), y = sum(LaneSum::kRight);
          xy = n * xy - x * y, xx = n * xx - x * x, yy = n * yy - y * y;
        }
        const D dot = xy * n;
        above_bar = above(dot, D::all(0)) & above(dot * dot, bar * xx * yy * (shrunk * shrunk));
      }
      out |= above_bar << l;
    }
    return out;
  }

  const RowSimilarity& owner_;
  Product product_;
  std::size_t first_ = 0, count_ = 0;
  BestRows best_[kLanes];
  double norm_[kLanes], size_[kLanes], bar_[kLanes];  // bar_: squared where similarities are compared squared
};

template <class Column>
template <class Body>
void RowSimilarity<Column>::dispatch(Body body) const {
  switch (options_.kind) {
    case Similarity::kCosine:
      return ones() ? body.template operator()<Similarity::kCosine, true>()
                    : body.template operator()<Similarity::kCosine, false>();
    case Similarity::kPearson:
      return body.template operator()<Similarity::kPearson, false>();
    case Similarity::kJaccard:  // counts entries, whatever their values
      return body.template operator()<Similarity::kJaccard, true>();
    case Similarity::kAdjustedCosine:  // values are centred already
    case Similarity::kCommonCosine:
      return body.template operator()<Similarity::kCommonCosine, false>();
  }
}

template <class Column>
RowSimilarity<Column>::RowSimilarity(const Csr<Column>& rows, const SimilarityOptions& options) : options_(options) {
  const std::size_t n = rows.rows();
  const bool changes = options.kind == Similarity::kAdjustedCosine || options.weighting != Weighting::kNone;
  const bool all_ones = std::all_of(rows.all_values().begin(), rows.all_values().end(), [](float v) { return v == 1; });
  rows_ = rows;
  if (options.kind == Similarity::kJaccard || (options.kind == Similarity::kCosine && !changes && all_ones)) {
    rows_ = Csr<Column>(rows.cols(), rows.offsets(), rows.all_indices(), {});
  } else if (changes || !rows.has_values()) {
    std::vector<float> all(rows.all_values().begin(), rows.all_values().end());
    if (!rows.has_values()) all.assign(rows.nnz(), 1.0f);
    const auto row_values = [&](std::size_t r) { return std::span(all).subspan(rows.offsets()[r], rows.row_size(r)); };
    std::vector<double> sums(rows.cols(), 0), entries(rows.cols(), 0);
    for (std::size_t p = 0; p < rows.nnz(); ++p) {
      sums[static_cast<std::size_t>(rows.all_indices()[p])] += double{all[p]};
      entries[static_cast<std::size_t>(rows.all_indices()[p])] += 1;
    }
    if (options.kind == Similarity::kAdjustedCosine) {
      column_means_ = std::move(sums);
      for (std::size_t c = 0; c < entries.size(); ++c) column_means_[c] /= std::max(1.0, entries[c]);
    }
    if (options.weighting != Weighting::kNone) {
      for (std::size_t r = 0; r < n; ++r) mean_length_ += length_of(row_values(r));
      mean_length_ /= std::max<double>(1, double(n));
      for (double df : entries) {
        idf_.push_back(options.weighting == Weighting::kTfIdf ? std::log((1 + double(n)) / (1 + df)) + 1
                                                              : std::log1p((double(n) - df + 0.5) / (df + 0.5)));
      }
    }
    for (std::size_t r = 0; r < n; ++r) {
      const std::vector<float> row = prepared(rows.indices(r), row_values(r));
      std::copy(row.begin(), row.end(), row_values(r).begin());
    }
    rows_ = Csr<Column>(rows.cols(), rows.offsets(), rows.all_indices(), std::move(all));
  }
  norms_.resize(n);
  for (std::size_t r = 0; r < n; ++r)
    norms_[r] = ones() ? std::sqrt(double(rows.row_size(r))) : euclidean_norm(rows_.values(r));
  arrange();
}

template <class Column>
void RowSimilarity<Column>::arrange() {
  const std::size_t n = rows_.rows();
  order_.resize(n);
  std::iota(order_.begin(), order_.end(), 0u);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return rows_.row_size(a) > rows_.row_size(b); });
  std::vector<std::uint64_t> offsets(rows_.cols() + 1, 0);
  for (Column c : rows_.all_indices()) ++offsets[static_cast<std::size_t>(c) + 1];
  for (std::size_t c = 0; c < rows_.cols(); ++c) offsets[c + 1] += offsets[c];
  std::vector<std::uint64_t> next(offsets.begin(), offsets.end() - 1);
  std::vector<std::uint32_t> places(rows_.nnz());
  std::vector<float> column_values(rows_.all_values().size());
  for (std::size_t place = 0; place < n; ++place) {
    const std::span<const Column> columns = rows_.indices(order_[place]);
    const std::span<const float> x = values(order_[place]);
    for (std::size_t p = 0; p < columns.size(); ++p) {
      const std::uint64_t to = next[static_cast<std::size_t>(columns[p])]++;
      places[to] = static_cast<std::uint32_t>(place);
      if (!x.empty()) column_values[to] = x[p];
    }
  }
  columns_ = Csr<std::uint32_t>(n, std::move(offsets), std::move(places), std::move(column_values));
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
bool RowSimilarity<Column>::exact_in_float(std::size_t length) const {
  double scale = 1, largest = 1;  // the values are whole multiples of 1 / scale
  for (float v : rows_.all_values()) {
    while (double{v} * scale != std::floor(double{v} * scale)) {
      if (scale > 8) return false;
      scale *= 2;
    }
    largest = std::max(largest, std::fabs(double{v}));
  }
  return largest * scale * largest * scale * double(length) <= double(1 << std::numeric_limits<float>::digits);
}

template <class Column>
NeighbourLists RowSimilarity<Column>::nearest(std::size_t count, const Executor& exec) const {
  const std::size_t n = rows_.rows();
  std::vector<std::vector<SimilarRow>> found(n);
  const auto keep = [&](std::size_t row, std::span<const SimilarRow> best) {
    found[row].assign(best.begin(), best.end());
  };
  const auto search = [&]<Similarity kKind, bool kOnes, class T>() {
    exec.for_blocks(n, kRowBlock, [&](std::size_t begin, std::size_t end) {
      using Block = BlockFinder<kKind, kOnes, T>;
      Block block(*this);
      std::optional<Finder<kKind, kOnes>> single;
      for (std::size_t first = begin; first < end; first += Block::kLanes) {
        const std::size_t lanes = std::min(Block::kLanes, end - first);
        if (rows_.row_size(order_[first]) == 0) break;  // and so are all that follow
        if (block.pack(first, lanes)) {
          block.find(count, keep);
          continue;
        }
        if (!single) single.emplace(*this);
        for (std::size_t place = first; place < first + lanes; ++place) {
          const std::size_t r = order_[place];
          keep(r, single->find(rows_.indices(r), values(r), norms_[r], count, r));
        }
      }
    });
  };
  dispatch([&]<Similarity kKind, bool kOnes>() {
    const std::size_t length = n == 0 ? 0 : rows_.row_size(order_[0]);
    if constexpr (PairSums<kKind, kOnes>::kCount == 1) {
      length <= std::numeric_limits<std::uint16_t>::max() ? search.template operator()<kKind, kOnes, std::uint16_t>()
                                                          : search.template operator()<kKind, kOnes, double>();
    } else {
      exact_in_float(length) ? search.template operator()<kKind, kOnes, float>()
                             : search.template operator()<kKind, kOnes, double>();
    }
  });
  NeighbourLists lists;
  for (const auto& list : found) lists.offsets.push_back(lists.offsets.back() + list.size());
  lists.rows.reserve(lists.offsets.back());
  lists.similarities.reserve(lists.offsets.back());
  for (const auto& list : found) {
    for (const SimilarRow& c : list) lists.rows.push_back(c.row), lists.similarities.push_back(c.similarity());
  }
  return lists;
}

template <class Column>
NeighbourLists RowSimilarity<Column>::nearest_to(std::span<const Column> columns, std::span<const float> values,
                                                 std::size_t count) const {
  NeighbourLists list;
  const std::vector<float> row = prepared(columns, values);
  const auto search = [&]<Similarity kKind, bool kOnes>() {
    Finder<kKind, kOnes> finder(*this);
    const auto best = finder.find(columns, row, euclidean_norm(row), count, rows_.rows());
    for (const SimilarRow& c : best) list.rows.push_back(c.row), list.similarities.push_back(c.similarity());
  };
  dispatch([&]<Similarity kKind, bool kOnes>() {
    // A foreign row may have other values than ones.
    search.template operator()<kKind, kOnes && kKind == Similarity::kJaccard>();
  });
  list.offsets.push_back(list.rows.size());
  return list;
}

template class RowSimilarity<UserIdx>;
template class RowSimilarity<ItemIdx>;

}  // namespace segue
