// HNSW against hnswlib itself: the same graph, so the same neighbours at the same distances.
#include <cstring>

#include <hnswlib/hnswlib.h>

#include "framework/base/errors.hpp"
#include "framework/index/index_file.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/index/oracle.hpp"

namespace segue {
namespace {

using test::clustered_rows;
using test::kDistances;
using test::search;

IndexSettings small_graph(Distance distance) {
  return {
      .kind = IndexKind::kHnsw, .distance = distance, .links = 8, .build_width = 40, .effort = {.search_width = 20}};
}

// What a person would write without this folder.
class Direct {
 public:
  Direct(const IndexSettings& s, Matrix<float> rows)
      : dims_(static_cast<std::size_t>(rows.cols())), distance_(s.distance), l2_(dims_), product_(dims_) {
    hnswlib::SpaceInterface<float>* space = &product_;
    if (distance_ == Distance::kL2) space = &l2_;
    graph_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(space, static_cast<std::size_t>(rows.rows()), s.links,
                                                               s.build_width, s.seed);
    graph_->setEf(s.effort.search_width);
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows.rows()); ++r) {
      unit_length(row_span(rows, r));
      graph_->addPoint(row_span(rows, r).data(), r);
    }
  }
  std::vector<Neighbour> search(std::span<const float> query, std::size_t k) const {
    std::vector<float> q(query.begin(), query.end());
    unit_length(q);
    std::vector<Neighbour> out;
    for (const auto& [distance, row] : graph_->searchKnnCloserFirst(q.data(), k))
      out.push_back({static_cast<std::uint32_t>(row), distance});
    return out;
  }
  void erase(std::uint32_t row) { graph_->markDelete(row); }

 private:
  void unit_length(std::span<float> v) const {
    if (distance_ != Distance::kCosine) return;
    double square = 0;
    for (const float x : v) square += double{x} * double{x};
    for (float& x : v) x = static_cast<float>(double{x} * (1 / std::sqrt(square)));
  }
  std::size_t dims_;
  Distance distance_;
  hnswlib::L2Space l2_;
  hnswlib::InnerProductSpace product_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> graph_;
};

TEST(HnswIndex, EqualsADirectCall) {
  for (const Distance distance : kDistances)
    for (const std::size_t dims : {12u, 32u, 37u}) {
      const Matrix<float> rows = clustered_rows(0, 500, {.dims = dims}),
                          queries = clustered_rows(5000, 30, {.dims = dims});
      auto index = build_index(rows, small_graph(distance), Executor(8));
      Direct direct(small_graph(distance), rows);
      for (const std::uint32_t erased : {0u, 17u, 300u}) {
        if (erased > 0) index->erase(erased), direct.erase(erased);
        for (std::size_t q = 0; q < 30; ++q)
          ASSERT_EQ(search(*index, row_span(queries, q), 10), direct.search(row_span(queries, q), 10))
              << to_text(distance) << ", " << dims << " dimensions, query " << q;
      }
    }
}

TEST(HnswIndex, FindsMoreWithAWiderSearch) {
  const Matrix<float> rows = clustered_rows(0, 1500, {.dims = 24}), queries = clustered_rows(9000, 40, {.dims = 24});
  auto index = build_index(rows, small_graph(Distance::kL2), Executor(1));
  const auto exact = build_index(rows, {.distance = Distance::kL2}, Executor(1));
  const auto hits = [&](std::uint32_t width) {
    index->set_effort({.search_width = width});
    std::size_t count = 0;
    for (std::size_t q = 0; q < 40; ++q) {
      const auto found = search(*index, row_span(queries, q), 10), truth = search(*exact, row_span(queries, q), 10);
      for (const Neighbour& n : found) count += std::ranges::find(truth, n.row, &Neighbour::row) != truth.end();
    }
    return count;
  };
  const std::size_t narrow = hits(1), wide = hits(400);
  EXPECT_LT(narrow, 400u);  // that a graph loses neighbours is what recall is printed for
  EXPECT_GT(wide, narrow);
  EXPECT_GE(wide, 398u);
}

// Rows that the graph cannot reach are found all the same: everything at one place, and far away a row whose links were
// all given to nearer ones.
TEST(HnswIndex, FindsAsManyAsThereAre) {
  Matrix<float> rows = Matrix<float>::Zero(400, 4);
  rows.bottomRows(1).setConstant(1000);
  IndexSettings settings = small_graph(Distance::kL2);
  settings.links = 2;
  settings.build_width = 2;
  settings.effort.search_width = 1;
  const auto index = build_index(rows, settings, Executor(1));
  EXPECT_LT(Direct(settings, rows).search(row_span(rows, 0), 400).size(), 400u);
  for (const std::size_t k : {1u, 50u, 400u, 500u}) {
    const auto found = search(*index, row_span(rows, 0), k);
    std::vector<bool> seen(400);
    for (std::size_t i = 0; i < std::min<std::size_t>(k, 400); ++i) {
      ASSERT_LT(found[i].row, 400u);
      EXPECT_FALSE(seen[found[i].row]);
      seen[found[i].row] = true;
      EXPECT_LE(found[i > 0 ? i - 1 : 0].distance, found[i].distance);
    }
    if (k == 500) {
      EXPECT_EQ(found[400], Neighbour{});
    }
  }
}

// A file whose checksum is right, and whose rows answer to other numbers: a search would name a row that is not there.
TEST(HnswIndex, RefusesRowsUnderOtherNumbers) {
  constexpr std::size_t kRows = 60, kAt = 41;
  const test::TempFolder folder;
  build_index(clustered_rows(0, kRows, {.dims = 8}), small_graph(Distance::kL2), Executor(1))->save(folder / "index");
  for (const bool changed : {false, true}) {
    IndexFileReader from(folder / "index");
    IndexFileWriter to(folder / "changed");
    for (const char* name : {"settings", "erased", "entry", "graph", "levels", "links"}) {
      const Array<char> bytes = from.section<char>(name);
      std::vector<char> copy(bytes.begin(), bytes.end());
      if (changed && std::string_view(name) == "graph") {
        const std::uint64_t label = kRows + 1000;  // the last eight bytes of each row
        std::memcpy(copy.data() + (kAt + 1) * copy.size() / kRows - sizeof label, &label, sizeof label);
      }
      to.section(name, std::span<const char>(copy));
    }
    to.commit();
    if (!changed) {
      EXPECT_EQ(load_index(folder / "changed")->rows(), kRows);
      continue;
    }
    const std::string why = test::message_of<DataError>([&] { load_index(folder / "changed"); });
    EXPECT_NE(why.find("is damaged at 'graph': build it anew"), std::string::npos) << why;
  }
}

}  // namespace
}  // namespace segue
