// Lists and codes against faiss used directly, and what their settings do.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <faiss/IndexFlat.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/utils/distances.h>
#include <omp.h>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/index/oracle.hpp"

namespace segue {
namespace {

using test::clustered_rows;
using test::search;

constexpr std::size_t kRows = 1500, kDims = 16, kQueries = 40, kMany = 10;

IndexSettings lists(IndexKind kind, Distance distance) {
  return {.kind = kind,
          .distance = distance,
          .lists = 20,
          .code_bytes = 4,
          .effort = {.search_width = 64, .probes = 5, .rerank = 1}};
}

struct Ivf : testing::Test {
  Matrix<float> rows = clustered_rows(0, kRows, {.dims = kDims});
  Matrix<float> queries = clustered_rows(9000, kQueries, {.dims = kDims});

  std::size_t hits(Distance distance, std::size_t q, std::span<const std::uint32_t> found) const {
    const auto truth = test::true_neighbours(distance, row_span(queries, q), rows, [](auto) { return true; });
    std::size_t count = 0;
    for (std::size_t i = 0; i < kMany; ++i) count += std::ranges::find(found, truth[i].row) != found.end();
    return count;
  }
  double recall(const VectorIndex& index) const {
    std::size_t count = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
      std::vector<std::uint32_t> found;
      for (const Neighbour& n : search(index, row_span(queries, q), kMany)) found.push_back(n.row);
      count += hits(index.settings().distance, q, found);
    }
    return static_cast<double>(count) / (kQueries * kMany);
  }
  double recall(const faiss::Index& index, Distance distance) const {
    std::size_t count = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
      std::vector<faiss::Index::idx_t> labels(kMany);
      std::vector<float> distances(kMany);
      index.search(1, row_span(queries, q).data(), kMany, distances.data(), labels.data());
      count += hits(distance, q, std::vector<std::uint32_t>(labels.begin(), labels.end()));
    }
    return static_cast<double>(count) / (kQueries * kMany);
  }
};

// Trained by faiss alone, with its own centroids and code books, the same settings find as much.
TEST_F(Ivf, FindsWhatFaissFinds) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  faiss::distance_compute_blas_threshold = 1 << 30;  // for so few rows threads, OpenMP's and BLAS's, cost seconds
  for (const Distance distance : {Distance::kL2, Distance::kInnerProduct}) {
    const faiss::MetricType metric = distance == Distance::kL2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
    faiss::IndexFlat coarse(kDims, metric), coarse_sq(kDims, metric);
    faiss::IndexIVFPQ pq(&coarse, kDims, 20, 4, 8, metric);
    faiss::IndexIVFScalarQuantizer sq(&coarse_sq, kDims, 20, faiss::ScalarQuantizer::QT_8bit, metric);
    for (faiss::IndexIVF* direct : {static_cast<faiss::IndexIVF*>(&pq), static_cast<faiss::IndexIVF*>(&sq)}) {
      direct->cp.min_points_per_centroid = pq.pq.cp.min_points_per_centroid = 1;  // or faiss prints warnings
      direct->train(kRows, rows.data());
      direct->add(kRows, rows.data());
      direct->nprobe = 5;
    }
    EXPECT_NEAR(recall(*build_index(rows, lists(IndexKind::kIvfPq, distance), Executor(1))), recall(pq, distance),
                0.05);
    EXPECT_NEAR(recall(*build_index(rows, lists(IndexKind::kSq8, distance), Executor(1))), recall(sq, distance), 0.03);
  }
  omp_set_num_threads(before);
}

TEST_F(Ivf, MoreProbesAndMoreCandidatesFindMore) {
  for (const IndexKind kind : {IndexKind::kIvfPq, IndexKind::kSq8}) {
    const auto index = build_index(rows, lists(kind, Distance::kCosine), Executor(2));
    const auto with = [&](std::uint32_t probes, std::uint32_t rerank) {
      index->set_effort({.search_width = 1, .probes = probes, .rerank = rerank});
      return recall(*index);
    };
    EXPECT_LT(with(1, 16), with(4, 16));
    EXPECT_LE(with(4, 16), with(20, 16));
    EXPECT_LE(with(20, 1), with(20, 4));
    EXPECT_GT(with(20, 16), 0.98);
    EXPECT_EQ(with(1000, 300), 1.0);  // everything is compared
  }
}

TEST_F(Ivf, ListsFollowTheRowsUnlessTheyAreGiven) {
  IndexSettings settings = lists(IndexKind::kSq8, Distance::kL2);
  settings.lists = 0;
  EXPECT_EQ(build_index(rows.topRows(400), settings, Executor(1))->settings().lists, 80u);
}

TEST_F(Ivf, TakesLessMemoryThanItsRows) {
  const auto pq = build_index(rows, lists(IndexKind::kIvfPq, Distance::kInnerProduct), Executor(1));
  EXPECT_EQ(pq->memory().rows, kRows * kDims * 4);
  // Codes of 4 bytes and numbers of 8 a row, 20 centroids twice, 256 words for each of 4 parts.
  EXPECT_EQ(pq->memory().structure, kRows * 12 + 20 * kDims * 8 + 256 * kDims * 4);
}

TEST_F(Ivf, RefusesTooFewRowsToTrainOn) {
  const auto refusal = [&](IndexKind kind, Eigen::Index count) {
    return test::message_of<DataError>(
        [&] { build_index(rows.topRows(count), lists(kind, Distance::kL2), Executor(1)); });
  };
  EXPECT_EQ(refusal(IndexKind::kIvfPq, 255),
            "255 rows cannot train an index of 20 lists and 256 codes; it takes 256, all of them in the first add()");
  EXPECT_EQ(refusal(IndexKind::kSq8, 19),
            "19 rows cannot train an index of 20 lists; it takes 20, all of them in the first add()");
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What was refused, before training or after it, leaves nothing: neither a number of lists nor what was trained.
TEST_F(Ivf, ARefusedFirstAddLeavesNothing) {
  const test::TempFolder folder;
  const Matrix<float> many = clustered_rows(5000, 16400, {.dims = kDims});  // as many as are said to be done on the way
  for (const IndexKind kind : {IndexKind::kIvfPq, IndexKind::kSq8}) {
    IndexSettings settings = lists(kind, Distance::kL2);
    settings.lists = 0;
    build_index(rows, settings, Executor(1))->save(folder / "fresh");
    const auto index = make_index(kDims, settings);
    const auto stays_empty = [&] {
      EXPECT_EQ(index->rows(), 0u);
      EXPECT_EQ(index->settings(), settings);
      EXPECT_EQ(index->memory().structure, 0u);
      EXPECT_EQ(search(*index, row_span(queries, 0), 3), std::vector<Neighbour>(3));
    };
    if (kind == IndexKind::kIvfPq) {
      EXPECT_THROW(index->add(rows.topRows(100), Executor(1)), DataError);
      stays_empty();
    }
    const IndexProgress stop = [](std::size_t, std::size_t) { throw std::domain_error("stop"); };
    EXPECT_THROW(index->add(many, Executor(2), stop), std::domain_error);
    stays_empty();
    index->add(rows, Executor(1));
    EXPECT_EQ(index->settings().lists, 155u);
    index->save(folder / "added");
    EXPECT_EQ(bytes_of(folder / "added"), bytes_of(folder / "fresh"));
  }
}

// faiss would start a thread for each core: this process has as many afterwards as before.
TEST_F(Ivf, StartsNoThreads) {
  const auto threads = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}); };
  const Executor exec(1);
  exec.for_blocks(10, 1, [](std::size_t, std::size_t) {});  // whatever threads this needs are there
  const auto before = threads();
  const auto index = build_index(rows, lists(IndexKind::kIvfPq, Distance::kL2), exec);
  recall(*index);
  EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace segue
