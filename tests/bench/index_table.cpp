// index_table [ROWS [DIMS [QUERIES]]]: what each kind of index costs and finds on one set of vectors, as a Markdown
// table. Default: 100,000 x 512 and 1,000 queries, rows of a mixture of 500 Gaussians (tests/support/clustered.hpp says
// which).
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "framework/base/clock.hpp"
#include "framework/index/recall.hpp"
#include "tests/support/clustered.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue::bench {
namespace {

constexpr std::size_t kMany = 10;

// Resident memory of this process, in bytes.
double resident() {
  std::ifstream in("/proc/self/statm");
  double pages = 0;
  in >> pages >> pages;
  return pages * 4096;
}

struct Case {
  const char* name;
  IndexSettings settings;
  std::vector<SearchEffort> efforts;
};

int run(std::size_t rows, std::size_t dims, std::size_t count) {
  const test::ClusteredShape shape{dims, 500};
  const Executor all, one(1);
  const test::TempFolder folder;
  const Matrix<float> queries = test::clustered_rows(rows, count, shape);
  std::unique_ptr<VectorIndex> exact;
  {
    const Matrix<float> vectors = test::clustered_rows(0, rows, shape);
    exact = build_index(vectors, {.distance = Distance::kCosine}, one);
    exact->save(folder / "vectors");
  }
  fmt::print("{} x {}, cosine, {} queries, top {}; {} threads build\n\n", rows, dims, count, kMany, all.threads());
  fmt::print(
      "| index | build | file | without vectors | structure | resident | search | recall@10 | p50 | p95 | p99 |\n");
  fmt::print("|---|---|---|---|---|---|---|---|---|---|---|\n");
  const std::vector<Case> cases = {
      {"exact", {.kind = IndexKind::kExact}, {{}}},
      {"HNSW, M 16, efConstruction 200",
       {.kind = IndexKind::kHnsw},
       {{.search_width = 20}, {.search_width = 40}, {.search_width = 80}, {.search_width = 160}}},
      {"IVF-PQ, 64 bytes",
       {.kind = IndexKind::kIvfPq, .code_bytes = 64},
       {{.probes = 16, .rerank = 8},
        {.probes = 32, .rerank = 8},
        {.probes = 32, .rerank = 16},
        {.probes = 64, .rerank = 16}}},
      {"IVF-PQ, 32 bytes",
       {.kind = IndexKind::kIvfPq, .code_bytes = 32},
       {{.probes = 32, .rerank = 16}, {.probes = 32, .rerank = 32}}},
      {"IVF-SQ8", {.kind = IndexKind::kSq8}, {{.probes = 16, .rerank = 2}, {.probes = 32, .rerank = 2}}}};
  for (const Case& c : cases) {
    IndexSettings settings = c.settings;
    settings.distance = Distance::kCosine;
    double seconds = 0;
    {
      const Matrix<float> vectors = test::clustered_rows(0, rows, shape);
      const Stopwatch watch;
      build_index(vectors, settings, all)->save(folder / "index");
      seconds = watch.seconds();
    }
    const double before = resident();
    const auto index = load_index(folder / "index");
    const double file = static_cast<double>(std::filesystem::file_size(folder / "index"));
    const double vectors = static_cast<double>(rows * dims * sizeof(float));
    const IndexMemory memory = index->memory();
    for (const SearchEffort& effort : c.efforts) {
      index->set_effort(effort);
      const IndexQuality q = measure_index(*index, *exact, queries, kMany, all);
      const std::string how = settings.kind == IndexKind::kExact ? ""
                              : settings.kind == IndexKind::kHnsw
                                  ? fmt::format("width {}", effort.search_width)
                                  : fmt::format("{} of {} lists, {} candidates", effort.probes, index->settings().lists,
                                                effort.rerank * kMany);
      fmt::print("| {} | {} | {} | {} | {} | {} | {} | {:.4f} | {:.0f} us | {:.0f} us | {:.0f} us |\n", c.name,
                 format_seconds(seconds), format_bytes(file), format_bytes(file - vectors),
                 format_bytes(static_cast<double>(memory.structure)), format_bytes(resident() - before), how, q.recall,
                 q.p50, q.p95, q.p99);
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) {
  const auto number = [&](int at, std::size_t otherwise) {
    return argc > at ? static_cast<std::size_t>(std::strtoull(argv[at], nullptr, 10)) : otherwise;
  };
  return segue::bench::run(number(1, 100000), number(2, 512), number(3, 1000));
}
