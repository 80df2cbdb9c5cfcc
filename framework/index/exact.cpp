// Exact search: blocks of rows that stay in cache, for blocks of queries, four by four.
#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/index/index_file.hpp"
#include "framework/index/kinds.hpp"
#include "framework/index/nearest_rows.hpp"
#include "framework/index/row_store.hpp"

namespace segue {

namespace {

constexpr std::size_t kBlockFloats = std::size_t{1} << 16;  // of rows that all queries of a block read: 256 KB, in L2

class ExactIndex final : public VectorIndex {
 public:
  ExactIndex(std::size_t dims, const IndexSettings& settings) : VectorIndex(dims, settings), store_(dims) {}

  IndexMemory memory() const override { return {store_.bytes(), 0, store_.mapped()}; }
  void vector(std::uint32_t row, std::span<float> out) const override {
    std::ranges::copy(store_.row(row), out.begin());
  }

 protected:
  void do_add(ConstMatRef<float> vectors, const Executor&, const IndexProgress&) override { store_.append(vectors); }
  void do_erase(std::uint32_t) override {}

  std::size_t do_search(std::span<const float> query, std::span<Neighbour> out,
                        const RowFilter& filter) const override {
    if (filter.empty() && size() == rows()) return nearest_of_all(settings().distance, query, store_, out);
    return nearest_of(settings().distance, query, store_, findable(filter), out);
  }

  void do_search_block(ConstMatRef<float> queries, std::size_t k, std::span<Neighbour> out,
                       std::span<const RowFilter> filters) const override {
    constexpr std::size_t kStep = 4;
    const auto count = static_cast<std::size_t>(queries.rows());
    const auto stride = static_cast<std::size_t>(queries.outerStride());
    std::vector<NearestRows> nearest(count, NearestRows(std::min(k, size())));
    const std::size_t block = std::max(kStep, kBlockFloats / dims() / kStep * kStep);
    for (std::size_t first = 0; first < rows(); first += block) {
      const std::size_t last = std::min(first + block, rows());
      for (std::size_t q = 0; q < count; q += kStep) {
        const float* at[kStep];
        for (std::size_t i = 0; i < kStep; ++i) at[i] = queries.data() + std::min(q + i, count - 1) * stride;
        for (std::size_t r = first; r < last; r += kStep) {
          const float* row[kStep];
          for (std::size_t i = 0; i < kStep; ++i) row[i] = store_.row(std::min(r + i, last - 1)).data();
          float found[kStep * kStep];
          distances_4x4(settings().distance, at, row, dims(), found);
          for (std::size_t i = 0; i < std::min(kStep, count - q); ++i) {
            NearestRows& own = nearest[q + i];
            for (std::size_t j = 0; j < std::min(kStep, last - r); ++j) {
              if (found[i * kStep + j] > own.bar()) continue;
              const auto at_row = static_cast<std::uint32_t>(r + j);
              if (may_find(at_row, filters.empty() ? RowFilter{} : filters[filters.size() == 1 ? 0 : q + i]))
                own.offer({at_row, found[i * kStep + j]});
            }
          }
        }
      }
    }
    for (std::size_t q = 0; q < count; ++q) nearest[q].sorted(out.subspan(q * k, std::min(k, size())));
  }

  void do_save(IndexFileWriter& file) const override { file.section("vectors", store_.all()); }
  void do_load(IndexFileReader& file, bool map) override {
    store_.load(file.section<float>("vectors"), map);
    if (store_.rows() != rows() || store_.all().size() != rows() * dims()) file.fail("vectors");
  }

 private:
  RowStore store_;
};

}  // namespace

std::unique_ptr<VectorIndex> make_exact_index(std::size_t dims, const IndexSettings& settings) {
  return std::make_unique<ExactIndex>(dims, settings);
}

}  // namespace segue
