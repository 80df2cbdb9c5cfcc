// What every kind of index promises: filters, erasure, additions, files, and the same bits.
#include <cstring>
#include <fstream>
#include <iterator>

#include "framework/base/errors.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/index/oracle.hpp"

namespace segue {
namespace {

using test::clustered_rows;
using test::search;

constexpr std::size_t kRows = 480, kDims = 16, kQueries = 12, kMany = 8;

struct EveryKind : testing::TestWithParam<std::tuple<IndexKind, Distance>> {
  IndexSettings settings() const {
    return {.kind = std::get<0>(GetParam()),
            .distance = std::get<1>(GetParam()),
            .links = 8,
            .build_width = 40,
            .lists = 10,
            .code_bytes = 4,
            .effort = {.search_width = 50, .probes = 6, .rerank = 8}};
  }
  bool exact() const { return settings().kind == IndexKind::kExact; }
  Matrix<float> rows = clustered_rows(0, kRows, {.dims = kDims});
  Matrix<float> queries = clustered_rows(7000, kQueries, {.dims = kDims});

  // Nothing that may not be found, nothing twice, distances as the oracle has them, in order, and at least `share` of
  // the true neighbours; all of them from an exact search.
  template <class Passes>
  void expect_good(const VectorIndex& index, const Matrix<float>& all, Passes passes, const RowFilter& filter,
                   double share) const {
    std::size_t hits = 0, wanted = 0;
    for (std::size_t q = 0; q < kQueries; ++q) {
      const auto truth = test::true_neighbours(settings().distance, row_span(queries, q), all, passes);
      const auto found = search(index, row_span(queries, q), kMany, filter);
      const std::size_t count = std::min(kMany, truth.size());
      if (exact()) test::expect_neighbours(found, truth);
      for (std::size_t i = 0; i < kMany; ++i) {
        if (i >= count) {
          EXPECT_EQ(found[i], Neighbour{}) << i;
          continue;
        }
        ASSERT_TRUE(found[i].row < index.rows() && passes(found[i].row)) << found[i].row;
        const auto own = std::ranges::find(truth, found[i].row, &test::TrueNeighbour::row);
        EXPECT_NEAR(double{found[i].distance}, own->distance, 2e-5 * (1 + std::abs(own->distance)));
        if (i > 0) {
          EXPECT_LT(found[i - 1], found[i]);
        }
        hits += own - truth.begin() < static_cast<std::ptrdiff_t>(count);
        ++wanted;
      }
    }
    EXPECT_GE(static_cast<double>(hits), share * static_cast<double>(wanted));
  }
};

TEST_P(EveryKind, FindsNeighbours) {
  const auto index = build_index(rows, settings(), Executor(1));
  EXPECT_EQ(index->rows(), kRows);
  EXPECT_EQ(index->size(), kRows);
  EXPECT_EQ(index->dims(), kDims);
  expect_good(
      *index, rows, [](auto) { return true; }, {}, 0.9);
}

TEST_P(EveryKind, OfNoRowsNothingIsFound) {
  const auto index = make_index(kDims, settings());
  EXPECT_EQ(search(*index, row_span(queries, 0), 3), std::vector<Neighbour>(3));
  std::vector<Neighbour> none;
  EXPECT_EQ(index->search(row_span(queries, 0), none), 0u);
}

// From a filter that lets nearly everything through to one that leaves a handful, a single row, or none.
TEST_P(EveryKind, Filters) {
  const auto index = build_index(rows, settings(), Executor(1));
  const auto check = [&](auto allows, std::vector<std::uint32_t> excluded, double share) {
    const auto words = test::bits_of(kRows, allows);
    const auto outside = [&](std::uint32_t r) { return !std::ranges::binary_search(excluded, r); };
    expect_good(
        *index, rows, [&](auto r) { return allows(r) && outside(r); }, {words, excluded}, share);
  };
  const auto all = [](std::uint32_t) { return true; };
  check([](std::uint32_t r) { return r % 2 == 0; }, {}, 0.85);
  check([](std::uint32_t r) { return r % 60 == 5; }, {}, 0.999);
  check([](std::uint32_t r) { return r == 479; }, {}, 1);
  check([](std::uint32_t) { return false; }, {}, 1);
  check([](std::uint32_t r) { return r % 60 == 5; }, {5, 65}, 0.999);
  // The nearest of query 0 were heard already.
  std::vector<std::uint32_t> heard;
  for (const auto& n : test::true_neighbours(settings().distance, row_span(queries, 0), rows, all))
    if (heard.size() < 50) heard.push_back(n.row);
  std::ranges::sort(heard);
  check(all, heard, 0.85);
  expect_good(
      *index, rows, [&](auto r) { return !std::ranges::binary_search(heard, r); }, {{}, heard}, 0.85);
}

TEST_P(EveryKind, ErasedRowsAreNotFound) {
  const auto index = build_index(rows, settings(), Executor(1));
  const auto stays = [](std::uint32_t r) { return r % 5 != 0 && r != 1; };
  for (std::uint32_t r = 0; r < kRows; ++r)
    if (!stays(r)) index->erase(r);
  EXPECT_EQ(index->rows(), kRows);
  EXPECT_EQ(index->size(), kRows - 97);
  EXPECT_TRUE(index->erased(5));
  EXPECT_FALSE(index->erased(6));
  expect_good(*index, rows, stays, {}, 0.85);
  const auto words = test::bits_of(kRows, [](std::uint32_t r) { return r % 3 == 0; });
  expect_good(
      *index, rows, [&](auto r) { return stays(r) && r % 3 == 0; }, {words, {}}, 0.85);
  EXPECT_EQ(test::message_of<UsageError>([&] { index->erase(5); }), "row 5 of the index is erased already");
  EXPECT_EQ(test::message_of<UsageError>([&] { index->erase(480); }), "an index of 480 rows has no row 480");
  // What is added afterwards is found, under new numbers.
  index->add(clustered_rows(kRows, 40, {.dims = kDims}), Executor(1));
  const Matrix<float> more = clustered_rows(0, kRows + 40, {.dims = kDims});
  expect_good(
      *index, more, [&](auto r) { return r >= kRows || stays(r); }, {}, 0.85);
}

TEST_P(EveryKind, AllRowsErased) {
  const auto index = build_index(rows, settings(), Executor(1));
  for (std::uint32_t r = 0; r < kRows; ++r) index->erase(r);
  EXPECT_EQ(search(*index, row_span(queries, 0), 3), std::vector<Neighbour>(3));
}

TEST_P(EveryKind, RowsAddedLaterAreFound) {
  const auto index = build_index(rows.topRows(300), settings(), Executor(1));
  index->add(rows.middleRows(300, 1), Executor(1));
  index->add(rows.middleRows(301, 179), Executor(1));
  EXPECT_EQ(index->rows(), kRows);
  expect_good(
      *index, rows, [](auto) { return true; }, {}, 0.85);
}

TEST_P(EveryKind, GivesBackItsVectors) {
  const auto index = build_index(rows, settings(), Executor(1));
  std::vector<float> out(kDims);
  index->vector(221, out);
  const double length = settings().distance == Distance::kCosine ? double{rows.row(221).norm()} : 1;
  for (std::size_t j = 0; j < kDims; ++j)
    EXPECT_NEAR(double{out[j]} * length, double{rows(221, static_cast<Eigen::Index>(j))}, 1e-6);
}

TEST_P(EveryKind, SameBitsForAnyNumberOfThreads) {
  std::vector<Neighbour> alone(kQueries * kMany), found(alone.size());
  const auto words = test::bits_of(kRows, [](std::uint32_t r) { return r % 2 == 0; });
  const RowFilter filters[] = {{words, {}}};
  const auto first = build_index(rows, settings(), Executor(1));
  for (const int threads : {1, 2, 8}) {
    const Executor exec(threads);
    const auto index = build_index(rows, settings(), exec);
    for (const bool filtered : {false, true}) {
      for (std::size_t q = 0; q < kQueries; ++q)
        first->search(row_span(queries, q), std::span(alone).subspan(q * kMany, kMany),
                      filtered ? filters[0] : RowFilter{});
      std::ranges::fill(found, Neighbour{});
      index->search(queries, kMany, found, exec, std::span(filters).first(filtered ? 1 : 0));
      EXPECT_EQ(std::memcmp(alone.data(), found.data(), alone.size() * sizeof(Neighbour)), 0) << threads;
    }
  }
}

TEST_P(EveryKind, RefusesWhatHasNoDistance) {
  const auto index = build_index(rows, settings(), Executor(1));
  std::vector<float> query(kDims, 1);
  query[3] = std::nanf("");
  EXPECT_EQ(test::message_of<DataError>([&] { search(*index, query, 3); }),
            "a vector of an index has a value that is not finite, or is longer than 1e+18");
  Matrix<float> more = rows.topRows(3);
  more(2, 5) = std::numeric_limits<float>::infinity();
  EXPECT_EQ(test::message_of<DataError>([&] { index->add(more, Executor(1)); }),
            "row 482: a vector of an index has a value that is not finite, or is longer than 1e+18");
  EXPECT_EQ(index->rows(), kRows);
}

TEST_P(EveryKind, SaysHowFarItIs) {
  std::vector<std::pair<std::size_t, std::size_t>> calls;
  build_index(rows, settings(), Executor(2),
              [&](std::size_t done, std::size_t total) { calls.emplace_back(done, total); });
  ASSERT_FALSE(calls.empty());
  EXPECT_EQ(calls.back(), std::pair(kRows, kRows));
  EXPECT_EQ(std::ranges::count(calls, std::pair(kRows, kRows)), 1);
  EXPECT_TRUE(std::ranges::is_sorted(calls));
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What was saved finds the same, bit for bit, and so does what is added to it afterwards; saved again, the same bytes.
TEST_P(EveryKind, SurvivesAFile) {
  const test::TempFolder folder;
  const auto index = build_index(rows.topRows(400), settings(), Executor(1));
  index->erase(33);
  index->save(folder / "some/index");
  for (const bool map : {true, false}) {
    const auto loaded = load_index(folder / "some/index", map);
    EXPECT_EQ(loaded->settings(), index->settings());
    EXPECT_EQ(loaded->size(), 399u);
    EXPECT_EQ(loaded->memory().rows_mapped, map && settings().kind != IndexKind::kHnsw);
    for (std::size_t q = 0; q < kQueries; ++q)
      EXPECT_EQ(search(*loaded, row_span(queries, q), kMany), search(*index, row_span(queries, q), kMany));
    loaded->save(folder / "again");
    EXPECT_EQ(bytes_of(folder / "again"), bytes_of(folder / "some/index"));
    const auto whole = build_index(rows.topRows(400), settings(), Executor(1));
    whole->erase(33);
    for (VectorIndex* i : {loaded.get(), whole.get()}) i->add(rows.bottomRows(80), Executor(1));
    for (std::size_t q = 0; q < kQueries; ++q)
      EXPECT_EQ(search(*loaded, row_span(queries, q), kMany), search(*whole, row_span(queries, q), kMany));
    loaded->save(folder / "more");
    whole->save(folder / "whole");
    EXPECT_EQ(bytes_of(folder / "more"), bytes_of(folder / "whole"));
  }
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "some"), {}), 1);  // nothing temporary is left
}

TEST_P(EveryKind, AnEmptyIndexSurvivesAFile) {
  const test::TempFolder folder;
  make_index(kDims, settings())->save(folder / "index");
  const auto loaded = load_index(folder / "index");
  EXPECT_EQ(loaded->rows(), 0u);
  loaded->add(rows, Executor(1));
  EXPECT_EQ(search(*loaded, row_span(queries, 0), 3),
            search(*build_index(rows, settings(), Executor(1)), row_span(queries, 0), 3));
}

// Every byte is covered: of the header, the sections and the end; and every shorter file is refused.
TEST_P(EveryKind, RefusesABrokenFile) {
  const test::TempFolder folder;
  build_index(rows, settings(), Executor(1))->save(folder / "index");
  const std::string whole = bytes_of(folder / "index");
  const auto refusal = [&](const std::string& bytes) {
    folder.write("broken", bytes);
    std::string text = test::message_of<DataError>([&] { load_index(folder / "broken"); });
    const std::string name = (folder / "broken").string();
    return text.find(name) == std::string::npos ? text : text.replace(text.find(name), name.size(), "FILE");
  };
  const std::string foreign = "'FILE' is not an index of Segue", cut = "index 'FILE' is truncated: build it anew",
                    damaged = "index 'FILE' is damaged, its checksum differs: build it anew";
  EXPECT_EQ(refusal(""), foreign);
  EXPECT_EQ(refusal("something else that is long enough to hold a header of sixty-four bytes, and more"), foreign);
  for (const std::size_t size : {std::size_t{64}, std::size_t{65}, whole.size() / 2, whole.size() / 128 * 64,
                                 whole.size() - 1, whole.size() - 64})
    EXPECT_EQ(refusal(whole.substr(0, size)), cut) << size;
  for (std::size_t at = 36; at < whole.size() - 64; at += whole.size() / 19) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    EXPECT_EQ(refusal(bytes), damaged) << at;
  }
  std::string newer = whole;
  newer[32] = 9;
  EXPECT_EQ(refusal(newer), "'FILE' has version 9 of the layout of an index, and this program reads 1: build it anew");
  EXPECT_EQ(test::message_of<EnvironmentError>([&] { load_index(folder / "none"); }),
            "cannot open " + (folder / "none").string() + ": No such file or directory");
}

std::string case_name(const testing::TestParamInfo<EveryKind::ParamType>& param) {
  return std::string(to_text(std::get<0>(param.param))) + "_" + to_text(std::get<1>(param.param));
}
INSTANTIATE_TEST_SUITE_P(Kinds, EveryKind,
                         testing::Combine(testing::Values(IndexKind::kExact, IndexKind::kHnsw, IndexKind::kIvfPq,
                                                          IndexKind::kSq8),
                                          testing::ValuesIn(test::kDistances)),
                         case_name);

}  // namespace
}  // namespace segue
