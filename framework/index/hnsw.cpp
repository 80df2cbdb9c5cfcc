// HNSW: the only door to hnswlib (0.6.2, headers alone, so that its loops are compiled for this machine).
//
// Rows are inserted by this thread in their order, so that a row's label and its place in the graph are the same
// number, and layers are drawn by hnswlib's own generator from the seed: the graph is the one that a direct use of
// hnswlib with the same parameters gives. A search without a filter is one call of searchKnn().
//
// What a file holds is written from hnswlib's arrays (they are public): its own loadIndex() leaves the number of
// deleted elements uninitialised and believes whatever it reads.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <new>

#include <hnswlib/hnswlib.h>

#include "framework/base/errors.hpp"
#include "framework/base/memory.hpp"
#include "framework/index/index_file.hpp"
#include "framework/index/kinds.hpp"
#include "framework/index/nearest_rows.hpp"

namespace segue {

namespace {

using Graph = hnswlib::HierarchicalNSW<float>;
using Space = hnswlib::SpaceInterface<float>;

constexpr std::size_t kProgressRows = 1024;

std::unique_ptr<Space> make_space(Distance distance, std::size_t dims) {
  if (distance == Distance::kL2) return std::make_unique<hnswlib::L2Space>(dims);
  return std::make_unique<hnswlib::InnerProductSpace>(dims);
}

// hnswlib knows one kind of error, and what it throws here is want of memory, or a broken graph.
template <class Call>
auto guarded(Call call) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    throw EnvironmentError("not enough memory for a graph of neighbours");
  } catch (const std::runtime_error& e) {
    throw EnvironmentError("hnswlib: {}", e.what());
  }
}

class HnswIndex final : public VectorIndex {
 public:
  HnswIndex(std::size_t dims, const IndexSettings& settings)
      : VectorIndex(dims, settings), space_(make_space(settings.distance, dims)) {
    make_graph(0);
  }

  IndexMemory memory() const override {
    const std::size_t room = graph_->max_elements_;
    std::size_t bytes = room * (graph_->size_data_per_element_ + sizeof(char*) + sizeof(int) + sizeof(std::mutex));
    bytes += Graph::max_update_element_locks * sizeof(std::mutex);
    for (std::size_t r = 0; r < rows(); ++r) bytes += upper_bytes(r);
    bytes += graph_->label_lookup_.size() * (sizeof(std::pair<std::size_t, unsigned>) + 2 * sizeof(void*));
    return {0, bytes, false};
  }
  void vector(std::uint32_t row, std::span<float> out) const override {
    std::memcpy(out.data(), graph_->getDataByInternalId(row), dims() * sizeof(float));
  }

 protected:
  void effort_changed() override { graph_->setEf(effort().search_width); }

  void do_add(ConstMatRef<float> vectors, const Executor&, const IndexProgress& progress) override {
    const auto count = static_cast<std::size_t>(vectors.rows()),
               stride = static_cast<std::size_t>(vectors.outerStride());
    try {
      guarded([&] {
        make_room(rows() + count);
        for (std::size_t r = 0; r < count; ++r) {
          if (progress && r % kProgressRows == 0) progress(r, count);
          graph_->addPoint(vectors.data() + r * stride, rows() + r);
        }
      });
    } catch (...) {
      if (rows() == 0) make_graph(0);  // nodes cannot be taken out
      throw;
    }
  }
  void do_erase(std::uint32_t row) override { graph_->markDeletedInternal(row); }

  std::size_t do_search(std::span<const float> query, std::span<Neighbour> out,
                        const RowFilter& filter) const override {
    if (filter.empty()) {
      auto found = graph_->searchKnn(query.data(), out.size());
      if (found.size() < out.size()) return compare(query, findable(filter), out);
      for (std::size_t i = out.size(); i-- > 0; found.pop())
        out[i] = {static_cast<std::uint32_t>(found.top().second), found.top().first};
      return out.size();
    }
    const std::size_t wanted = count_findable(filter), k = std::min(out.size(), wanted);
    if (k == 0) return 0;
    const std::size_t enough = std::max<std::size_t>(effort().search_width, k);
    for (std::size_t width = enough * size() / wanted + filter.excluded.size();; width *= 2) {
      if (width >= size() || width * settings().links * 2 >= wanted) return compare(query, findable(filter), out);
      std::size_t at = 0;
      NearestRows nearest(k);
      for (auto found = graph_->searchKnn(query.data(), width); !found.empty(); found.pop()) {
        const auto row = static_cast<std::uint32_t>(found.top().second);
        if (!filter.passes(row)) continue;
        nearest.offer({row, found.top().first});
        ++at;
      }
      if (at >= k) return nearest.sorted(out);
    }
  }

  void do_save(IndexFileWriter& file) const override {
    const std::array<std::uint64_t, 2> head = {graph_->enterpoint_node_,
                                               static_cast<std::uint64_t>(graph_->maxlevel_ + 1)};
    file.section("entry", std::span<const std::uint64_t>(head));
    const char* level0 = graph_->data_level0_memory_;
    file.section("graph", std::span<const char>(level0, rows() * graph_->size_data_per_element_));
    file.section("levels", std::span<const int>(graph_->element_levels_).first(rows()));
    std::size_t bytes = 0;
    for (std::size_t r = 0; r < rows(); ++r) bytes += upper_bytes(r);
    file.begin("links", bytes);
    for (std::size_t r = 0; r < rows(); ++r)
      if (upper_bytes(r) > 0) file.write(graph_->linkLists_[r], upper_bytes(r));
  }

  void do_load(IndexFileReader& file, bool) override {
    const Array<std::uint64_t> head = file.section<std::uint64_t>("entry");
    const Array<char> level0 = file.section<char>("graph");
    const Array<int> levels = file.section<int>("levels");
    const Array<char> links = file.section<char>("links");
    guarded([&] { make_graph(rows()); });
    Graph& g = *graph_;
    if (head.size() != 2 || levels.size() != rows() || level0.size() != rows() * g.size_data_per_element_)
      file.fail("graph");
    if (rows() == 0) return;
    if (head[0] >= rows() || head[1] != static_cast<std::uint64_t>(levels[head[0]]) + 1) file.fail("entry");
    std::memcpy(g.data_level0_memory_, level0.data(), level0.size());
    std::size_t at = 0;
    for (std::size_t r = 0; r < rows(); ++r) {  // cur_element_count says how far the destructor has lists to free
      if (levels[r] < 0 || static_cast<std::size_t>(levels[r]) >= head[1] ||
          static_cast<std::size_t>(levels[r]) * g.size_links_per_element_ > links.size() - at)
        file.fail("levels");
      g.element_levels_[r] = levels[r];
      if (const std::size_t bytes = upper_bytes(r); bytes > 0) {
        g.linkLists_[r] = static_cast<char*>(std::malloc(bytes + 1));  // as hnswlib allocates, and frees, them
        if (g.linkLists_[r] == nullptr) throw EnvironmentError("not enough memory for a graph of neighbours");
        std::memcpy(g.linkLists_[r], links.data() + at, bytes);
        at += bytes;
      }
      g.cur_element_count = r + 1;
    }
    if (at != links.size()) file.fail("links");
    check_links(file);
    g.enterpoint_node_ = static_cast<hnswlib::tableint>(head[0]);
    g.maxlevel_ = static_cast<int>(head[1]) - 1;
    for (std::uint32_t r = 0; r < rows(); ++r) {
      if (g.getExternalLabel(r) != r) file.fail("graph");  // searches answer with labels
      if (erased(r) != g.isMarkedDeleted(r)) file.fail("erased");
      if (erased(r)) ++g.num_deleted_;
      g.getRandomLevel(1);  // what is added next gets the layers that it would have got without the file
    }
  }

 private:
  void make_graph(std::size_t room) {
    graph_ = std::make_unique<Graph>(space_.get(), std::max<std::size_t>(room, 1), settings().links,
                                     settings().build_width, settings().seed);
    large_pages();
    effort_changed();
  }
  void make_room(std::size_t wanted) {
    if (wanted <= graph_->max_elements_) return;
    if (rows() == 0) return make_graph(wanted);
    graph_->resizeIndex(std::max(wanted, rows() + rows() / 8));
    large_pages();
  }
  void large_pages() const {
    prefer_large_pages(graph_->data_level0_memory_, graph_->max_elements_ * graph_->size_data_per_element_);
  }

  std::size_t upper_bytes(std::size_t row) const {
    return static_cast<std::size_t>(graph_->element_levels_[row]) * graph_->size_links_per_element_;
  }
  // Whoever follows a link lands in the graph, on a layer that the row has.
  void check_links(const IndexFileReader& file) const {
    for (std::uint32_t r = 0; r < rows(); ++r)
      for (int level = 0; level <= graph_->element_levels_[r]; ++level) {
        const unsigned* list = graph_->get_linklist_at_level(r, level);
        std::uint16_t count = 0;
        std::memcpy(&count, list, sizeof count);
        if (count > (level == 0 ? graph_->maxM0_ : graph_->maxM_)) file.fail("links");
        for (std::size_t i = 1; i <= count; ++i)
          if (list[i] >= rows() || graph_->element_levels_[list[i]] < level) file.fail("links");
      }
  }

  // Everything that passes, by hnswlib's own distances.
  std::size_t compare(std::span<const float> query, const std::vector<std::uint32_t>& which,
                      std::span<Neighbour> out) const {
    NearestRows nearest(out.size());
    for (const std::uint32_t row : which)
      nearest.offer(
          {row, graph_->fstdistfunc_(query.data(), graph_->getDataByInternalId(row), graph_->dist_func_param_)});
    return nearest.sorted(out);
  }

  std::unique_ptr<Space> space_;  // outlives the graph, which points into it
  std::unique_ptr<Graph> graph_;
};

}  // namespace

std::unique_ptr<VectorIndex> make_hnsw_index(std::size_t dims, const IndexSettings& settings) {
  return std::make_unique<HnswIndex>(dims, settings);
}

}  // namespace segue
