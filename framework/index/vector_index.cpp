#include "framework/index/vector_index.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/index/index_file.hpp"
#include "framework/index/kinds.hpp"

namespace segue {

namespace {

constexpr std::array kKinds = {"exact", "hnsw", "ivfpq", "sq8"};
constexpr std::array kDistances = {"inner_product", "cosine", "l2"};
constexpr std::size_t kMostRows = std::size_t{1} << 31;  // hnswlib counts in int
constexpr std::size_t kQueryBlock = 32;                  // of a search of many, whatever the number of threads
constexpr double kLargestSquare = 1e36;  // of a length: products and differences stay below the largest float

std::size_t index_in(const auto& names, const std::string& name, const char* what) {
  const auto it = std::ranges::find(names, name);
  if (it == names.end())
    throw UsageError("unknown {} '{}'{}", what, name,
                     suggestion(name, std::vector<std::string>(names.begin(), names.end())));
  return static_cast<std::size_t>(it - names.begin());
}

void check_range(const char* name, std::uint64_t value, std::uint64_t low, std::uint64_t high) {
  if (value < low || value > high)
    throw UsageError("'{}' of an index is {}; it may be {} to {}", name, value, low, high);
}

// Each setting beside its place in the file.
template <class Settings, class Visit>
void each_setting(Settings& s, Visit visit) {
  visit(0, s.kind);
  visit(1, s.distance);
  visit(2, s.links);
  visit(3, s.build_width);
  visit(4, s.lists);
  visit(5, s.code_bytes);
  visit(6, s.seed);
  visit(7, s.effort.search_width);
  visit(8, s.effort.probes);
  visit(9, s.effort.rerank);
}
constexpr std::size_t kSettings = 10, kHead = kSettings + 2;  // then dimensions and rows

void check_effort(const SearchEffort& e) {
  check_range("search_width", e.search_width, 1, 1u << 20);
  check_range("probes", e.probes, 1, 1u << 20);
  check_range("rerank", e.rerank, 1, 1u << 16);
}

std::unique_ptr<VectorIndex> make_kind(std::size_t dims, const IndexSettings& settings) {
  switch (settings.kind) {
    case IndexKind::kExact:
      return make_exact_index(dims, settings);
    case IndexKind::kHnsw:
      return make_hnsw_index(dims, settings);
    case IndexKind::kIvfPq:
    case IndexKind::kSq8:
      return make_ivf_index(dims, settings);
  }
  SEGUE_CHECK(false, "index kind {}", static_cast<std::uint32_t>(settings.kind));
}

}  // namespace

const char* to_text(IndexKind kind) { return kKinds.at(static_cast<std::size_t>(kind)); }
const char* to_text(Distance distance) { return kDistances.at(static_cast<std::size_t>(distance)); }
IndexKind index_kind_of(const std::string& name) {
  return static_cast<IndexKind>(index_in(kKinds, name, "kind of index"));
}
Distance distance_of(const std::string& name) { return static_cast<Distance>(index_in(kDistances, name, "distance")); }

void IndexSettings::check(std::size_t dims) const {
  check_range("dimensions", dims, 1, 1u << 16);
  check_range("links", links, 2, 512);
  check_range("build_width", build_width, 1, 1u << 20);
  check_range("lists", lists, 0, 1u << 20);
  check_range("seed", seed, 0, (std::uint64_t{1} << 31) - 1);
  check_effort(effort);
  if (kind != IndexKind::kIvfPq) return;
  check_range("code_bytes", code_bytes, 1, dims);
  if (dims % code_bytes == 0) return;
  std::size_t below = code_bytes;
  while (dims % below != 0) --below;
  throw UsageError("'code_bytes' of an index is {}, which must divide the {} dimensions; {} would", code_bytes, dims,
                   below);
}

bool RowFilter::passes(std::uint32_t row) const {
  if (!allowed.empty() && (allowed[row / 32] >> row % 32 & 1) == 0) return false;
  return excluded.empty() || !std::ranges::binary_search(excluded, row);
}

VectorIndex::VectorIndex(std::size_t dims, const IndexSettings& settings) : settings_(settings), dims_(dims) {
  settings.check(dims);
}
VectorIndex::~VectorIndex() = default;

void VectorIndex::set_effort(const SearchEffort& effort) {
  check_effort(effort);
  settings_.effort = effort;
  effort_changed();
}

// Refuses what no distance can be computed of, and gives unit length where that is wanted.
void VectorIndex::prepare(std::span<float> vector) const {
  double square = 0;
  for (const float x : vector) square += double{x} * double{x};
  if (!(square <= kLargestSquare))
    throw DataError("a vector of an index has a value that is not finite, or is longer than {:g}",
                    std::sqrt(kLargestSquare));
  if (settings_.distance != Distance::kCosine || square == 0) return;
  const double scale = 1 / std::sqrt(square);
  for (float& x : vector) x = static_cast<float>(double{x} * scale);
}

std::size_t VectorIndex::search(std::span<const float> query, std::span<Neighbour> out, const RowFilter& filter) const {
  SEGUE_CHECK(query.size() == dims_, "a query of {} dimensions for an index of {}", query.size(), dims_);
  SEGUE_CHECK(filter.allowed.empty() || filter.allowed.size() == (rows_ + 31) / 32,
              "{} words of allowed rows for an index of {}", filter.allowed.size(), rows_);
  std::vector<float> prepared(query.begin(), query.end());
  prepare(prepared);
  if (out.empty()) return 0;
  const std::size_t found = do_search(prepared, out.first(std::min(out.size(), size())), filter);
  std::ranges::fill(out.subspan(found), Neighbour{});
  return found;
}

void VectorIndex::search(ConstMatRef<float> queries, std::size_t k, std::span<Neighbour> out, const Executor& exec,
                         std::span<const RowFilter> filters) const {
  const auto count = static_cast<std::size_t>(queries.rows());
  SEGUE_CHECK(static_cast<std::size_t>(queries.cols()) == dims_ && out.size() == count * k,
              "{} queries of {} dimensions for an index of {}, and room for {} neighbours of {}", count, queries.cols(),
              dims_, out.size(), count * k);
  SEGUE_CHECK(filters.size() <= 1 || filters.size() == count, "{} filters for {} queries", filters.size(), count);
  for (const RowFilter& f : filters)
    SEGUE_CHECK(f.allowed.empty() || f.allowed.size() == (rows_ + 31) / 32,
                "{} words of allowed rows for an index of {}", f.allowed.size(), rows_);
  if (k == 0) return;
  exec.for_blocks(count, kQueryBlock, [&](std::size_t begin, std::size_t end) {
    Matrix<float> prepared =
        queries.middleRows(static_cast<Eigen::Index>(begin), static_cast<Eigen::Index>(end - begin));
    for (std::size_t q = 0; q < end - begin; ++q) prepare(row_span(prepared, q));
    const std::span<Neighbour> own = out.subspan(begin * k, (end - begin) * k);
    std::ranges::fill(own, Neighbour{});
    do_search_block(prepared, k, own, filters.size() <= 1 ? filters : filters.subspan(begin, end - begin));
  });
}

void VectorIndex::do_search_block(ConstMatRef<float> queries, std::size_t k, std::span<Neighbour> out,
                                  std::span<const RowFilter> filters) const {
  const auto stride = static_cast<std::size_t>(queries.outerStride());
  for (std::size_t q = 0; q < static_cast<std::size_t>(queries.rows()); ++q)
    do_search({queries.data() + q * stride, dims_}, out.subspan(q * k, std::min(k, size())),
              filters.empty() ? RowFilter{} : filters[filters.size() == 1 ? 0 : q]);
}

void VectorIndex::add(ConstMatRef<float> vectors, const Executor& exec, const IndexProgress& progress) {
  const auto count = static_cast<std::size_t>(vectors.rows());
  SEGUE_CHECK(static_cast<std::size_t>(vectors.cols()) == dims_, "vectors of {} dimensions for an index of {}",
              vectors.cols(), dims_);
  if (count > kMostRows - rows_)
    throw UsageError("{} more vectors for an index of {}; it holds {} at most", count, rows_, kMostRows);
  Matrix<float> prepared = vectors;
  for (std::size_t r = 0; r < count; ++r) {
    try {
      prepare(row_span(prepared, r));
    } catch (const DataError& e) {
      throw DataError("row {}: {}", rows_ + r, e.what());
    }
  }
  do_add(prepared, exec, progress);
  rows_ += count;
  if (!erased_.empty()) erased_.resize((rows_ + 31) / 32);
  if (progress) progress(count, count);
}

void VectorIndex::erase(std::uint32_t row) {
  if (row >= rows_) throw UsageError("an index of {} rows has no row {}", rows_, row);
  if (erased(row)) throw UsageError("row {} of the index is erased already", row);
  do_erase(row);
  if (erased_.empty()) erased_.resize((rows_ + 31) / 32);
  erased_[row / 32] |= std::uint32_t{1} << row % 32;
  ++erased_count_;
}

std::vector<std::uint32_t> VectorIndex::findable(const RowFilter& filter) const {
  std::vector<std::uint32_t> out;
  auto excluded = filter.excluded.begin();
  for (std::size_t word = 0; word * 32 < rows_; ++word) {
    const std::size_t left = rows_ - word * 32;
    std::uint32_t bits = left < 32 ? (std::uint32_t{1} << left) - 1 : ~std::uint32_t{0};
    if (!filter.allowed.empty()) bits &= filter.allowed[word];
    if (!erased_.empty()) bits &= ~erased_[word];
    for (; bits != 0; bits &= bits - 1) {
      const auto row = static_cast<std::uint32_t>(word * 32) + static_cast<std::uint32_t>(std::countr_zero(bits));
      while (excluded != filter.excluded.end() && *excluded < row) ++excluded;
      if (excluded == filter.excluded.end() || *excluded != row) out.push_back(row);
    }
  }
  return out;
}

std::size_t VectorIndex::count_findable(const RowFilter& filter) const {
  std::size_t count = size();
  if (!filter.allowed.empty()) {
    count = 0;
    for (std::size_t word = 0; word * 32 < rows_; ++word) {
      const std::size_t left = rows_ - word * 32;
      std::uint32_t bits = filter.allowed[word] & (left < 32 ? (std::uint32_t{1} << left) - 1 : ~std::uint32_t{0});
      if (!erased_.empty()) bits &= ~erased_[word];
      count += static_cast<std::size_t>(std::popcount(bits));
    }
  }
  const RowFilter others{filter.allowed, {}};
  for (std::size_t i = 0; i < filter.excluded.size(); ++i) {
    const std::uint32_t row = filter.excluded[i];
    if (row < rows_ && (i == 0 || filter.excluded[i - 1] != row) && may_find(row, others)) --count;
  }
  return count;
}

void VectorIndex::save(const std::filesystem::path& path) const {
  IndexFileWriter file(path);
  std::array<std::uint64_t, kHead> head{};
  each_setting(settings_, [&](std::size_t at, const auto& value) { head[at] = static_cast<std::uint64_t>(value); });
  head[kSettings] = dims_;
  head[kSettings + 1] = rows_;
  file.section("settings", std::span<const std::uint64_t>(head));
  file.section("erased", std::span<const std::uint32_t>(erased_));
  do_save(file);
  file.commit();
}

std::unique_ptr<VectorIndex> make_index(std::size_t dims, const IndexSettings& settings) {
  settings.check(dims);
  return make_kind(dims, settings);
}

std::unique_ptr<VectorIndex> build_index(ConstMatRef<float> vectors, const IndexSettings& settings,
                                         const Executor& exec, const IndexProgress& progress) {
  auto index = make_index(static_cast<std::size_t>(vectors.cols()), settings);
  index->add(vectors, exec, progress);
  return index;
}

std::unique_ptr<VectorIndex> load_index(const std::filesystem::path& path, bool map) {
  IndexFileReader file(path);
  const Array<std::uint64_t> head = file.section<std::uint64_t>("settings");
  if (head.size() != kHead || head[0] >= kKinds.size() || head[1] >= kDistances.size()) file.fail("settings");
  IndexSettings settings;
  each_setting(settings, [&](std::size_t at, auto& value) {
    value = static_cast<std::remove_reference_t<decltype(value)>>(head[at]);
  });
  try {
    settings.check(head[kSettings]);
  } catch (const UsageError& e) {
    file.fail(std::string("settings: ") + e.what());
  }
  if (head[kSettings + 1] > kMostRows) file.fail("settings");
  auto index = make_kind(head[kSettings], settings);
  index->rows_ = head[kSettings + 1];
  const Array<std::uint32_t> erased = file.section<std::uint32_t>("erased");
  if (!erased.empty() && erased.size() != (index->rows_ + 31) / 32) file.fail("erased");
  index->erased_.assign(erased.begin(), erased.end());
  for (const std::uint32_t word : erased) index->erased_count_ += static_cast<std::size_t>(std::popcount(word));
  index->do_load(file, map);
  return index;
}

}  // namespace segue
