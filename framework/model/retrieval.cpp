#include "framework/model/retrieval.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/model/ranking.hpp"

namespace segue {

namespace {

constexpr std::size_t kMultiple = 16;  // of dimensions: hnswlib's loops have no remainder then
constexpr std::size_t kLargestCode = 64;

// The power of two that brings `length` into [0.5, 1); 1 for 0.
float scale_of(double length) {
  int exponent = 0;
  if (!(length > 0) || !std::isfinite(length)) return 1;
  std::frexp(length, &exponent);
  return std::ldexp(1.0f, std::clamp(-exponent, -120, 120));
}

double length_of(std::span<const float> vector) {
  double square = 0;
  for (const float x : vector) square += double{x} * double{x};
  return std::sqrt(square);
}

bool has_equal_lengths(IndexKind kind) { return kind == IndexKind::kIvfPq || kind == IndexKind::kSq8; }

IndexSettings settings_of(const RetrievalSpec& how, std::size_t dims) {
  IndexSettings s;
  s.kind = index_kind_of(how.kind);
  s.distance = has_equal_lengths(s.kind) ? Distance::kL2 : Distance::kInnerProduct;
  s.links = static_cast<std::uint32_t>(how.links);
  s.build_width = static_cast<std::uint32_t>(how.build_width);
  s.lists = static_cast<std::uint32_t>(how.lists);
  s.effort = {static_cast<std::uint32_t>(how.search_width), static_cast<std::uint32_t>(how.probes),
              static_cast<std::uint32_t>(how.rerank)};
  std::size_t bytes = static_cast<std::size_t>(how.code_bytes);
  if (bytes == 0)
    for (bytes = std::min(kLargestCode, dims / 2); dims % bytes != 0;) --bytes;
  s.code_bytes = static_cast<std::uint32_t>(bytes);
  return s;
}

}  // namespace

ItemIndex::ItemIndex(const Recommender& model, const RetrievalSpec& how, const Executor& exec) : model_(model) {
  const EmbeddingSpace* space = model.embeddings();
  if (space == nullptr)
    throw UsageError("retrieval '{}' needs a model whose scores are inner products of vectors", how.kind);
  const Matrix<float>& items = space->item_vectors();
  const std::span<const float> biases = space->item_biases();
  const auto d = static_cast<std::size_t>(items.cols());
  const bool equal_lengths = has_equal_lengths(index_kind_of(how.kind));
  const std::size_t used = d + (biases.empty() ? 0 : 1) + (equal_lengths ? 1 : 0);
  const std::size_t dims = (used + kMultiple - 1) / kMultiple * kMultiple;
  Matrix<float> rows = Matrix<float>::Zero(items.rows(), static_cast<Eigen::Index>(dims));
  rows.leftCols(items.cols()) = items;
  double longest = 0;
  for (std::size_t r = 0; r < static_cast<std::size_t>(rows.rows()); ++r) {
    if (!biases.empty()) rows(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(d)) = biases[r];
    longest = std::max(longest, length_of(row_span(std::as_const(rows), r)));
  }
  const float scale = scale_of(longest);
  rows *= scale;
  longest *= double{scale};
  for (std::size_t r = 0; equal_lengths && r < static_cast<std::size_t>(rows.rows()); ++r) {
    const double length = length_of(row_span(std::as_const(rows), r));
    rows(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(used - 1)) =
        static_cast<float>(std::sqrt(std::max(0.0, longest * longest - length * length)));
  }
  index_ = build_index(rows, settings_of(how, dims), exec);
}

void ItemIndex::query_vector(const Query& query, std::span<float> out) const {
  const EmbeddingSpace& space = *model_.embeddings();
  const auto d = static_cast<std::size_t>(space.item_vectors().cols());
  std::ranges::fill(out, 0.0f);
  space.query_vector(query, out.first(d));
  if (!space.item_biases().empty()) out[d] = 1;
  const float scale = scale_of(length_of(out));
  for (float& x : out) x *= scale;
}

TopK ItemIndex::recommend(std::span<const Query> queries, const CandidatePolicy& policy, std::size_t k,
                          const Executor& exec) const {
  Matrix<float> vectors(static_cast<Eigen::Index>(queries.size()), static_cast<Eigen::Index>(index_->dims()));
  std::vector<std::vector<std::uint32_t>> excluded(policy.excluded.empty() ? 0 : queries.size());
  exec.for_blocks(queries.size(), 64, [&](std::size_t begin, std::size_t end) {
    for (std::size_t q = begin; q < end; ++q) {
      query_vector(queries[q], row_span(vectors, q));
      if (excluded.empty()) continue;
      for (const ItemIdx item : policy.excluded[q])
        if (raw(item) < index_->rows()) excluded[q].push_back(static_cast<std::uint32_t>(raw(item)));
      std::ranges::sort(excluded[q]);
    }
  });
  const CandidateBits catalogue(index_->rows(), policy.catalogue);
  std::vector<RowFilter> filters(queries.size());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    if (!policy.catalogue.empty()) filters[q].allowed = catalogue.words();
    if (!excluded.empty()) filters[q].excluded = excluded[q];
  }
  std::vector<Neighbour> found(queries.size() * k);
  index_->search(vectors, k, found, exec, filters);
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    for (std::size_t i = q * k; i < (q + 1) * k && found[i].row != kNoRow; ++i) items.push_back(item_at(found[i].row));
    offsets.push_back(items.size());
  }
  CandidatePolicy of_found = policy;
  of_found.candidates = {offsets, items};
  of_found.excluded = {};
  return segue::recommend(model_, queries, of_found, k, exec);
}

double recall_of_lists(const TopK& found, const TopK& exact) {
  SEGUE_CHECK(found.k == exact.k && found.queries() == exact.queries(), "lists of other queries");
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t q = 0; q < exact.queries(); ++q) {
    std::size_t hits = 0, wanted = 0;
    for (const ItemIdx item : exact.row(q)) {
      if (item == kNoItem) break;
      ++wanted;
      hits += std::ranges::find(found.row(q), item) != found.row(q).end() ? 1 : 0;
    }
    if (wanted == 0) continue;
    sum += static_cast<double>(hits) / static_cast<double>(wanted);
    ++count;
  }
  return count == 0 ? 1 : sum / static_cast<double>(count);
}

}  // namespace segue
