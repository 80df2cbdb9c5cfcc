#include "framework/model/linear_items.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/errors.hpp"

namespace segue {

void LinearItems::fit(const TrainData& data, FitContext& ctx) {
  const Csr<ItemIdx>& by_user = data.train.by_user();
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  std::vector<float> values;
  items.reserve(by_user.nnz());
  for (std::size_t u = 0; u < by_user.rows(); ++u) {
    const auto row = by_user.indices(u);
    for (std::size_t p = 0; p < row.size(); ++p) {
      const float weight = by_user.all_values().empty() ? 1.0f : by_user.values(u)[p];
      if (!counts(weight)) continue;
      items.push_back(row[p]);
      if (weights_ == EventWeights::kGiven) values.push_back(weight);
    }
    offsets.push_back(items.size());
  }
  x_ = Csr<ItemIdx>(by_user.cols(), std::move(offsets), std::move(items), std::move(values));
  learn(x_, ctx);
}

WeightedItems LinearItems::row_of(const Query& query) const {
  WeightedItems row;
  const auto add = [&](ItemIdx item, float weight) {
    if (!counts(weight)) return;
    row.items.push_back(item);
    row.weights.push_back(weights_ == EventWeights::kBinary ? 1.0f : weight);
  };
  if (query.history.empty()) {
    if (raw(query.user) >= x_.rows()) return row;
    const auto items = x_.indices(raw(query.user));
    for (std::size_t p = 0; p < items.size(); ++p)
      add(items[p], x_.all_values().empty() ? 1.0f : x_.values(raw(query.user))[p]);
    return row;
  }
  std::vector<std::size_t> order(query.history.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return query.history[a] < query.history[b]; });
  for (std::size_t p = 0; p < order.size(); ++p) {
    const ItemIdx item = query.history[order[p]];
    if (raw(item) >= n_items() || (p + 1 < order.size() && query.history[order[p + 1]] == item)) continue;
    add(item, query.weights.empty() ? 1.0f : query.weights[order[p]]);
  }
  return row;
}

void LinearItems::score(std::span<const Query> queries, MatRef<float> out) const {
  std::vector<WeightedItems> rows;
  rows.reserve(queries.size());
  for (const Query& query : queries) rows.push_back(row_of(query));
  product(rows, out);
}

void LinearItems::score_candidates(const Query& query, std::span<const ItemIdx> candidates,
                                   std::span<float> out) const {
  product_of(row_of(query), candidates, out);
}

void LinearItems::product_of(const WeightedItems& row, std::span<const ItemIdx> candidates,
                             std::span<float> out) const {
  Matrix<float> all(1, static_cast<Eigen::Index>(n_items()));
  product({&row, 1}, all);
  for (std::size_t c = 0; c < candidates.size(); ++c) out[c] = all.data()[raw(candidates[c])];
}

void LinearItems::save(ArchiveWriter& archive) const {
  std::vector<std::uint32_t> items;
  items.reserve(x_.nnz());
  for (ItemIdx i : x_.all_indices()) items.push_back(static_cast<std::uint32_t>(i));
  archive.put_value("items", static_cast<double>(x_.cols()));
  archive.put("train/offsets", x_.offsets().span());
  archive.put("train/items", std::span<const std::uint32_t>(items));
  archive.put("train/weights", x_.all_values().span());
  save_weights(archive);
}

void LinearItems::load(const ArchiveReader& archive) {
  std::vector<ItemIdx> items;
  for (std::uint32_t i : archive.u32("train/items")) items.push_back(ItemIdx{i});
  x_ = Csr<ItemIdx>(static_cast<std::size_t>(archive.value("items")), archive.u64("train/offsets"), std::move(items),
                    archive.floats("train/weights"));
  load_weights(archive);
}

void SparseLinearItems::product(std::span<const WeightedItems> rows, MatRef<float> out) const {
  for (std::size_t q = 0; q < rows.size(); ++q) {
    float* scores = out.data() + q * static_cast<std::size_t>(out.outerStride());
    std::fill_n(scores, b_.cols(), 0.0f);
    for (std::size_t p = 0; p < rows[q].items.size(); ++p) {
      const auto items = b_.indices(raw(rows[q].items[p]));
      const auto weights = b_.values(raw(rows[q].items[p]));
      const float x = rows[q].weights[p];
      for (std::size_t n = 0; n < items.size(); ++n) scores[items[n]] = std::fma(x, weights[n], scores[items[n]]);
    }
  }
}

void SparseLinearItems::save_weights(ArchiveWriter& archive) const {
  archive.put("weights/offsets", b_.offsets().span());
  archive.put("weights/items", b_.all_indices().span());
  archive.put("weights/values", b_.all_values().span());
}

void SparseLinearItems::load_weights(const ArchiveReader& archive) {
  b_ = Csr<std::uint32_t>(n_items(), archive.u64("weights/offsets"), archive.u32("weights/items"),
                          archive.floats("weights/values"));
}

void check_dense_fits(std::string_view algorithm, std::size_t items, double bytes, double limit_gib) {
  const double n = static_cast<double>(items), gib = n * n * bytes / (1 << 30);
  if (gib <= limit_gib) return;
  throw UsageError(
      "{} holds a number for every pair of items: {} items take {:.1f} GiB, and memory_limit is {:g}; keep fewer items "
      "(filters: "
      "in the suite; up to {} fit), or raise memory_limit",
      algorithm, items, gib, limit_gib, static_cast<std::size_t>(std::sqrt(limit_gib * (1 << 30) / bytes)));
}

}  // namespace segue
