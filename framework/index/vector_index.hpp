// One interface over indexes of vectors: exact search, which is the oracle, and what trades some of its neighbours for
// time or memory.
//
//   kExact   every row is compared (blocked, exact.cpp)
//   kHnsw    a graph of neighbours (Malkov & Yashunin 2020) through hnswlib, compiled for this machine (hnsw.cpp)
//   kIvfPq   lists around centroids, rows as product-quantised codes (Jegou et al. 2011) through faiss (ivf.cpp)
//   kSq8     the same lists, rows as one byte a dimension
//
// Rows are numbered from 0 in the order in which they came, and keep their number for good; an erased row's is not
// given again. All distances are "smaller is nearer":
//
//   kInnerProduct   1 - <q, x>, which may be negative. As in hnswlib: a product far below 1 loses digits, so scale rows
//                   (a power of two changes no bit of a product) where their products are tiny.
//   kCosine         1 - <q, x> / (|q| |x|), in [0, 2] but for rounding. Rows are kept with unit length; a vector of
//                   zeros is at distance 1 from everything.
//   kL2             the squared Euclidean distance
//
// Neighbours are ordered by distance, then row: a total order. search() always finds min(k, rows that may be found):
// where a graph or the lists that were looked through do not hold enough, more is looked through, at last everything.
//
// Deterministic: the same rows, settings and seed give the same index and the same neighbours, for any number of
// threads. Graphs are therefore built by one thread in row order (in hnswlib the graph depends on which of several
// threads came first), and faiss is kept to one thread. Searches may run side by side; add() and erase() may not, and
// not beside a search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/linalg/matrix.hpp"

namespace segue {

enum class IndexKind : std::uint32_t { kExact = 0, kHnsw = 1, kIvfPq = 2, kSq8 = 3 };
enum class Distance : std::uint32_t { kInnerProduct = 0, kCosine = 1, kL2 = 2 };

const char* to_text(IndexKind kind);     // "exact", "hnsw", "ivfpq", "sq8"
const char* to_text(Distance distance);  // "inner_product", "cosine", "l2"
// UsageError, with the names there are, for another one.
IndexKind index_kind_of(const std::string& name);
Distance distance_of(const std::string& name);

// How much a search may look at; may be changed at any time. What a kind does not know it ignores.
struct SearchEffort {
  std::uint32_t search_width = 64;  // HNSW: candidates kept while walking (ef), at least k; 1 to 2^20
  std::uint32_t probes = 32;        // IVF: lists looked through, 1 to `lists`; more than there are is all of them
  std::uint32_t rerank =
      16;  // IVF: codes taken for each neighbour asked for, which are then compared exactly; 1 to 2^16
  bool operator==(const SearchEffort&) const = default;
};

struct IndexSettings {
  IndexKind kind = IndexKind::kExact;
  Distance distance = Distance::kInnerProduct;
  std::uint32_t links = 16;         // HNSW: links a row and layer (M), twice that on the lowest; 2 to 512
  std::uint32_t build_width = 200;  // HNSW: candidates for the links of a new row (efConstruction), 1 to 2^20
  std::uint32_t lists = 0;          // IVF: 0 takes about 4 sqrt(rows) of the first add(); at most 2^20
  std::uint32_t code_bytes = 64;    // PQ: bytes a row, a divisor of the dimensions
  std::uint64_t seed = 100;         // of HNSW's layers and of k-means; below 2^31
  SearchEffort effort{};
  bool operator==(const IndexSettings&) const = default;
  // UsageError naming the field and its range, or a width of codes that would fit `dims`.
  void check(std::size_t dims) const;
};

inline constexpr std::uint32_t kNoRow = std::numeric_limits<std::uint32_t>::max();

struct Neighbour {
  std::uint32_t row = kNoRow;
  float distance = std::numeric_limits<float>::infinity();
  bool operator==(const Neighbour&) const = default;
  friend bool operator<(const Neighbour& a, const Neighbour& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.row < b.row;
  }
};

// Which rows a search may return; both conditions hold. Refers to arrays of the caller.
//
// Exact search passes over the others, and IVF when it reads a list. HNSW cannot (hnswlib 0.6.2 has no filter): it
// looks for more candidates by as many as are excluded and by the share that is allowed, twice as many again while too
// few were found; once that would cost more than comparing all allowed rows, those are compared, which is exact.
struct RowFilter {
  std::span<const std::uint32_t> allowed{};   // bit r % 32 of word r / 32, (rows() + 31) / 32 words; empty: every row
  std::span<const std::uint32_t> excluded{};  // rows, ascending
  bool empty() const { return allowed.empty() && excluded.empty(); }
  bool passes(std::uint32_t row) const;
};

// Called by add() on its own thread, now and then, and at the end, when the rows are in. What it throws passes through
// add(); of an index that had rows before, only its destruction is certain then.
using IndexProgress = std::function<void(std::size_t done, std::size_t total)>;

struct IndexMemory {
  std::size_t rows = 0;       // bytes of vectors, where they are apart from the structure
  std::size_t structure = 0;  // graph (with its vectors), lists and codes
  bool rows_mapped = false;   // rows lie in the file, of which the system keeps in memory what is read
};

class VectorIndex {
 public:
  virtual ~VectorIndex();
  VectorIndex(const VectorIndex&) = delete;
  VectorIndex& operator=(const VectorIndex&) = delete;

  const IndexSettings& settings() const { return settings_; }
  std::size_t dims() const { return dims_; }
  std::size_t rows() const { return rows_; }                  // ever added: row numbers are below
  std::size_t size() const { return rows_ - erased_count_; }  // that can be found
  bool erased(std::uint32_t row) const { return !erased_.empty() && (erased_[row / 32] >> row % 32 & 1) != 0; }
  virtual IndexMemory memory() const = 0;
  // UsageError outside the ranges above.
  void set_effort(const SearchEffort& effort);

  // The nearest out.size() rows that pass, nearest first; returns how many there are, and makes the rest Neighbour{}.
  // DataError where the query is not finite; SEGUE_CHECK on shapes.
  std::size_t search(std::span<const float> query, std::span<Neighbour> out, const RowFilter& filter = {}) const;
  // The same for each query (a row of `queries`), bit for bit: those of query q are out[q k, (q + 1) k). filters: none,
  // one for all, or one a query.
  void search(ConstMatRef<float> queries, std::size_t k, std::span<Neighbour> out, const Executor& exec,
              std::span<const RowFilter> filters = {}) const;

  // Appends rows. The first rows of an IVF index also train it: give it enough of what it is for. DataError where a
  // value is not finite, and for an IVF index with fewer rows than lists or, with kIvfPq, than 256.
  void add(ConstMatRef<float> vectors, const Executor& exec, const IndexProgress& progress = {});
  // The row is found no more; its place in the structure stays. UsageError where there is no such row, or no more.
  void erase(std::uint32_t row);

  // The stored vector, of unit length for kCosine.
  virtual void vector(std::uint32_t row, std::span<float> out) const = 0;

  // Writes a temporary file, then renames it. EnvironmentError where that fails. Same index, same bytes.
  void save(const std::filesystem::path& path) const;

 protected:
  VectorIndex(std::size_t dims, const IndexSettings& settings);

  // What a kind brings. Queries are finite and, for kCosine, of unit length. add() itself says that all is done.
  virtual void do_add(ConstMatRef<float> vectors, const Executor& exec, const IndexProgress& progress) = 0;
  virtual void do_erase(std::uint32_t row) = 0;
  // Writes the nearest, sorted; returns how many. `out` is not longer than size().
  virtual std::size_t do_search(std::span<const float> query, std::span<Neighbour> out,
                                const RowFilter& filter) const = 0;
  // A block of queries by one thread, as do_search() one after the other unless a kind is faster on several.
  virtual void do_search_block(ConstMatRef<float> queries, std::size_t k, std::span<Neighbour> out,
                               std::span<const RowFilter> filters) const;
  virtual void do_save(class IndexFileWriter& file) const = 0;
  // rows, erased rows and settings are known; the structure is not.
  virtual void do_load(class IndexFileReader& file, bool map) = 0;

  virtual void effort_changed() {}

  bool may_find(std::uint32_t row, const RowFilter& filter) const { return !erased(row) && filter.passes(row); }
  // All rows that may be found, ascending.
  std::vector<std::uint32_t> findable(const RowFilter& filter) const;
  std::size_t count_findable(const RowFilter& filter) const;
  const SearchEffort& effort() const { return settings_.effort; }
  void choose_lists(std::uint32_t lists) { settings_.lists = lists; }

 private:
  friend std::unique_ptr<VectorIndex> load_index(const std::filesystem::path& path, bool map);
  void prepare(std::span<float> vector) const;

  IndexSettings settings_;
  std::size_t dims_, rows_ = 0, erased_count_ = 0;
  std::vector<std::uint32_t> erased_;  // bits; empty while there are none
};

// An index without rows.
std::unique_ptr<VectorIndex> make_index(std::size_t dims, const IndexSettings& settings);
// make_index() and add().
std::unique_ptr<VectorIndex> build_index(ConstMatRef<float> vectors, const IndexSettings& settings,
                                         const Executor& exec, const IndexProgress& progress = {});
// What save() wrote. map: rows of kExact and the IVF kinds stay in the file, which must not change meanwhile (hnswlib
// cannot: its graph is always read). DataError where the file is truncated, damaged (its checksum is always compared),
// of another version, or none of these files.
std::unique_ptr<VectorIndex> load_index(const std::filesystem::path& path, bool map = true);

}  // namespace segue
