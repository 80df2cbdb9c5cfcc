// Lists and codes: the only door to faiss (1.7.3), whose Debian build is for any x86-64: its loops take one number
// after the other. So what takes most of the time is done here by linalg's
// kernels instead: the nearest centroids of a query, of a row, and of a training row in k-means (centroids.hpp), for
// faiss lets others provide the index that answers such questions (Quantiser), and the exact distances of the
// candidates that codes name. What remains are faiss's tables of a query and its scan of codes: a table look-up a byte
// for PQ, which AVX would not make faster, and for SQ8 the decoding, which it would (tests/bench/PEERS.md has figures).
//
// faiss starts OpenMP's threads where it finds more than one; OneThread keeps it from that, on whichever thread it is
// called. Parallel work here is Segue's own, cut by size, and lists are filled in the order of rows.
#include <algorithm>
#include <cmath>
#include <cstring>

#include <faiss/IndexIVFPQ.h>
#include <faiss/IndexScalarQuantizer.h>
#include <faiss/impl/FaissException.h>
#include <omp.h>

#include "framework/base/errors.hpp"
#include "framework/index/centroids.hpp"
#include "framework/index/index_file.hpp"
#include "framework/index/kinds.hpp"
#include "framework/index/row_store.hpp"

namespace segue {

namespace {

using idx_t = faiss::Index::idx_t;

constexpr std::size_t kCodes = 256;                // of each byte of a product quantiser
constexpr int kTrainingRows = 64;                  // for each centroid: more than that costs time and gains little
constexpr int kListRounds = 10, kCodeRounds = 20;  // of k-means
constexpr std::size_t kEncodeBlock = 256;

class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Calls faiss on one thread; what it throws becomes one of Segue's errors.
template <class Call>
void guarded(Call call) {
  const OneThread one;
  try {
    call();
  } catch (const std::bad_alloc&) {
    throw EnvironmentError("not enough memory for an index of lists and codes");
  } catch (const faiss::FaissException& e) {
    throw EnvironmentError("faiss: {}", e.what());
  }
}

// Centroids as faiss asks for its quantiser.
class Quantiser final : public faiss::Index {
 public:
  Quantiser(std::size_t dims, faiss::MetricType metric)
      : Index(static_cast<idx_t>(dims), metric), centroids_(dims, metric == faiss::METRIC_L2) {}

  void work_with(const Executor* exec) { exec_ = exec; }  // null: on the caller's thread
  const Matrix<float>& rows() const { return centroids_.rows(); }

  void reset() override {
    centroids_.clear();
    ntotal = 0;
  }
  void add(idx_t n, const float* x) override {
    centroids_.add(static_cast<std::size_t>(n), x);
    ntotal += n;
  }
  void reconstruct(idx_t key, float* out) const override { std::copy_n(rows().data() + key * d, d, out); }
  void search(idx_t n, const float* x, idx_t k, float* distances, idx_t* labels,
              const faiss::SearchParameters* = nullptr) const override {
    centroids_.search(static_cast<std::size_t>(n), x, static_cast<std::size_t>(k), distances, labels, exec_);
  }

 private:
  Centroids centroids_;
  const Executor* exec_ = nullptr;
};

// While it lives, these centroids are looked for by these threads.
class WorkWith {
 public:
  WorkWith(Quantiser& centroids, const Executor& exec) : centroids_(centroids) { centroids_.work_with(&exec); }
  ~WorkWith() { centroids_.work_with(nullptr); }
  WorkWith(const WorkWith&) = delete;
  WorkWith& operator=(const WorkWith&) = delete;

 private:
  Quantiser& centroids_;
};

class Allowed final : public faiss::IDSelector {
 public:
  Allowed(const VectorIndex& index, const RowFilter& filter) : index_(index), filter_(filter) {}
  bool is_member(idx_t id) const override {
    const auto row = static_cast<std::uint32_t>(id);
    return !index_.erased(row) && filter_.passes(row);
  }

 private:
  const VectorIndex& index_;
  const RowFilter& filter_;
};

class IvfIndex final : public VectorIndex {
 public:
  IvfIndex(std::size_t dims, const IndexSettings& settings)
      : VectorIndex(dims, settings), centroids_(dims, metric()), store_(dims) {}

  IndexMemory memory() const override {
    std::size_t bytes = centroids_.rows().size() * static_cast<Eigen::Index>(2 * sizeof(float));  // rows and panels
    if (ivf_ != nullptr) bytes += rows() * (ivf_->code_size + sizeof(idx_t));
    if (pq_ != nullptr) bytes += (pq_->precomputed_table.size() + pq_->pq.centroids.size()) * sizeof(float);
    return {store_.bytes(), bytes, store_.mapped()};
  }
  void vector(std::uint32_t row, std::span<float> out) const override {
    std::ranges::copy(store_.row(row), out.begin());
  }

 protected:
  void do_add(ConstMatRef<float> vectors, const Executor& exec, const IndexProgress& progress) override {
    const auto count = static_cast<std::size_t>(vectors.rows());
    if (count == 0) return;
    SEGUE_CHECK(static_cast<std::size_t>(vectors.outerStride()) == dims(), "vectors of an index lie together");
    const bool first_add = ivf_ == nullptr;
    const std::uint32_t lists_asked_for = settings().lists;
    try {
      train_and_fill(vectors, exec, progress);
    } catch (...) {
      if (first_add) forget_training(lists_asked_for);
      throw;
    }
  }
  void do_erase(std::uint32_t) override {}  // Allowed passes over it

  std::size_t do_search(std::span<const float> query, std::span<Neighbour> out,
                        const RowFilter& filter) const override {
    const bool all = filter.empty() && size() == rows();
    const std::size_t findable_rows = all ? rows() : count_findable(filter), k = std::min(out.size(), findable_rows);
    if (k == 0) return 0;
    const std::size_t wanted = k * effort().rerank;
    std::vector<std::uint32_t> candidates;
    const std::size_t lists = ivf_->nlist;
    for (std::size_t probes = std::min<std::size_t>(effort().probes, lists); wanted < findable_rows; probes *= 2) {
      probes = std::min(probes, lists);
      candidates = scan(query, wanted, probes, all ? nullptr : &filter);
      if (candidates.size() >= k || probes == lists) break;
    }
    if (candidates.size() < k) candidates = findable(filter);
    return nearest_of(settings().distance, query, store_, candidates, out.first(k));
  }

  void do_save(IndexFileWriter& file) const override {
    file.section("vectors", store_.all());
    if (ivf_ == nullptr) return;
    file.section("centroids", std::span<const float>(centroids_.rows().data(), ivf_->nlist * dims()));
    file.section("codebook", std::span<const float>(codebook()));
    std::vector<std::uint32_t> list(rows());
    std::vector<std::uint8_t> codes(rows() * ivf_->code_size);
    for (std::size_t l = 0; l < ivf_->nlist; ++l) {
      const faiss::InvertedLists::ScopedIds ids(ivf_->invlists, l);
      faiss::InvertedLists::ScopedCodes own(ivf_->invlists, l);
      for (std::size_t i = 0; i < ivf_->invlists->list_size(l); ++i) {
        const auto row = static_cast<std::size_t>(ids[i]);
        list[row] = static_cast<std::uint32_t>(l);
        std::memcpy(codes.data() + row * ivf_->code_size, own.get() + i * ivf_->code_size, ivf_->code_size);
      }
    }
    file.section("lists", std::span<const std::uint32_t>(list));
    file.section("codes", std::span<const std::uint8_t>(codes));
  }

  void do_load(IndexFileReader& file, bool map) override {
    store_.load(file.section<float>("vectors"), map);
    if (store_.all().size() != rows() * dims()) file.fail("vectors");
    if (rows() == 0) return;
    const Array<float> centroids = file.section<float>("centroids"), book = file.section<float>("codebook");
    const Array<std::uint32_t> lists = file.section<std::uint32_t>("lists");
    const Array<std::uint8_t> codes = file.section<std::uint8_t>("codes");
    if (settings().lists == 0 || centroids.size() != settings().lists * dims()) file.fail("centroids");
    guarded([&] {
      centroids_.add(settings().lists, centroids.data());
      make_ivf();
      if (book.size() != codebook().size()) file.fail("codebook");
      std::ranges::copy(book, codebook().begin());
      finish_training();
      if (lists.size() != rows() || codes.size() != rows() * ivf_->code_size) file.fail("codes");
      std::vector<idx_t> list(lists.begin(), lists.end());
      if (std::ranges::any_of(list, [&](idx_t l) { return l >= static_cast<idx_t>(settings().lists); }))
        file.fail("lists");
      fill_lists(0, list, codes);
    });
  }

 private:
  // Of unit vectors the nearest by inner product are those by angle.
  faiss::MetricType metric() const {
    return settings().distance == Distance::kL2 ? faiss::METRIC_L2 : faiss::METRIC_INNER_PRODUCT;
  }
  // What training finds beside the centroids.
  std::vector<float>& codebook() const { return pq_ != nullptr ? pq_->pq.centroids : sq_->sq.trained; }

  void make_ivf() {
    const std::size_t lists = settings().lists;
    if (settings().kind == IndexKind::kIvfPq) {
      auto made = std::make_unique<faiss::IndexIVFPQ>(&centroids_, dims(), lists, settings().code_bytes, 8, metric());
      pq_ = made.get();
      ivf_ = std::move(made);
    } else {
      auto made = std::make_unique<faiss::IndexIVFScalarQuantizer>(&centroids_, dims(), lists,
                                                                   faiss::ScalarQuantizer::QT_8bit, metric());
      sq_ = made.get();
      sq_->sq.trained.resize(2 * dims());  // the least value and the range of each dimension
      ivf_ = std::move(made);
    }
    ivf_->own_fields = false;
  }
  void finish_training() {
    ivf_->is_trained = true;
    if (pq_ != nullptr) pq_->precompute_table();
  }

  void train_and_fill(ConstMatRef<float> vectors, const Executor& exec, const IndexProgress& progress) {
    const auto count = static_cast<std::size_t>(vectors.rows());
    guarded([&] {
      if (ivf_ == nullptr) train(vectors, exec);
      std::vector<idx_t> list(count);
      std::vector<float> ignored(count);
      {
        const WorkWith parallel(centroids_, exec);
        centroids_.search(static_cast<idx_t>(count), vectors.data(), 1, ignored.data(), list.data());
      }
      std::vector<std::uint8_t> codes(count * ivf_->code_size);
      const std::vector<Centroids> words = code_words();
      std::size_t done = 0;
      constexpr std::size_t kStep = 64 * kEncodeBlock;  // between two words of progress
      for (std::size_t first = 0; first < count; first = done) {
        done = std::min(first + kStep, count);
        exec.for_blocks(done - first, kEncodeBlock, [&](std::size_t begin, std::size_t end) {
          encode(vectors.middleRows(static_cast<Eigen::Index>(first + begin), static_cast<Eigen::Index>(end - begin)),
                 list.data() + first + begin, words, codes.data() + (first + begin) * ivf_->code_size);
        });
        if (progress && done < count) progress(done, count);
      }
      fill_lists(rows(), list, codes);
      store_.append(vectors);
    });
  }

  // What was learned from rows that were then refused.
  void forget_training(std::uint32_t lists_asked_for) {
    ivf_.reset();
    pq_ = nullptr;
    sq_ = nullptr;
    centroids_.reset();
    choose_lists(lists_asked_for);
  }

  void train(ConstMatRef<float> vectors, const Executor& exec) {
    const auto count = static_cast<std::size_t>(vectors.rows());
    std::uint32_t lists = settings().lists;
    if (lists == 0)
      lists = static_cast<std::uint32_t>(std::max(1.0, std::round(4 * std::sqrt(static_cast<double>(count)))));
    const std::size_t least = std::max<std::size_t>(lists, settings().kind == IndexKind::kIvfPq ? kCodes : 1);
    if (count < least)
      throw DataError("{} rows cannot train an index of {} lists{}; it takes {}, all of them in the first add()", count,
                      lists, least == lists ? "" : " and 256 codes", least);
    choose_lists(lists);
    make_ivf();
    const WorkWith parallel(centroids_, exec);
    ivf_->cp.niter = kListRounds;
    const auto n = static_cast<idx_t>(count);
    Quantiser code_centroids(pq_ != nullptr ? pq_->pq.dsub : 1, faiss::METRIC_L2);
    const WorkWith codes_parallel(code_centroids, exec);
    const auto prepare = [&](faiss::ClusteringParameters& cp) {
      cp.seed = static_cast<int>(settings().seed);
      cp.min_points_per_centroid = 1;  // below, faiss would print a warning
      cp.max_points_per_centroid = kTrainingRows;
    };
    prepare(ivf_->cp);
    ivf_->train_q1(static_cast<std::size_t>(n), vectors.data(), false, metric());
    if (pq_ != nullptr) {
      prepare(pq_->pq.cp);
      pq_->pq.cp.niter = kCodeRounds;
      pq_->pq.assign_index = &code_centroids;
    }
    ivf_->train_residual(n, vectors.data());
    if (pq_ != nullptr) pq_->pq.assign_index = nullptr;
    ivf_->is_trained = true;
  }

  // The words of each byte of a product-quantised code.
  std::vector<Centroids> code_words() const {
    std::vector<Centroids> out;
    for (std::size_t m = 0; pq_ != nullptr && m < pq_->pq.M; ++m)
      out.emplace_back(pq_->pq.dsub, true).add(kCodes, pq_->pq.get_centroids(m, 0));
    return out;
  }

  // What ivf_->encode_vectors() does; for PQ it would compare one number after the other.
  void encode(ConstMatRef<float> vectors, const idx_t* list, const std::vector<Centroids>& words,
              std::uint8_t* codes) const {
    if (words.empty()) {
      const OneThread one;
      return ivf_->encode_vectors(vectors.rows(), vectors.data(), list, codes);
    }
    Matrix<float> rest = vectors;
    for (Eigen::Index r = 0; r < rest.rows(); ++r) rest.row(r) -= centroids_.rows().row(list[r]);
    const auto width = static_cast<Eigen::Index>(pq_->pq.dsub);
    std::vector<idx_t> nearest(static_cast<std::size_t>(rest.rows()));
    std::vector<float> ignored(nearest.size());
    for (std::size_t m = 0; m < words.size(); ++m) {
      const Matrix<float> part = rest.middleCols(static_cast<Eigen::Index>(m) * width, width);
      words[m].search(nearest.size(), part.data(), 1, ignored.data(), nearest.data(), nullptr);
      for (std::size_t r = 0; r < nearest.size(); ++r)
        codes[r * words.size() + m] = static_cast<std::uint8_t>(nearest[r]);
    }
  }

  void fill_lists(std::size_t first, const std::vector<idx_t>& list, std::span<const std::uint8_t> codes) {
    for (std::size_t i = 0; i < list.size(); ++i)
      ivf_->invlists->add_entry(static_cast<std::size_t>(list[i]), static_cast<idx_t>(first + i),
                                codes.data() + i * ivf_->code_size);
    ivf_->ntotal += static_cast<idx_t>(list.size());
  }

  // The rows whose codes are nearest.
  std::vector<std::uint32_t> scan(std::span<const float> query, std::size_t wanted, std::size_t probes,
                                  const RowFilter* filter) const {
    std::vector<idx_t> lists(probes), labels(wanted);
    std::vector<float> to_lists(probes), distances(wanted);
    guarded([&] {
      centroids_.search(1, query.data(), static_cast<idx_t>(probes), to_lists.data(), lists.data());
      const RowFilter none;
      Allowed allowed(*this, filter != nullptr ? *filter : none);
      faiss::SearchParametersIVF how;
      how.nprobe = probes;
      how.sel = filter != nullptr ? &allowed : nullptr;
      ivf_->search_preassigned(1, query.data(), static_cast<idx_t>(wanted), lists.data(), to_lists.data(),
                               distances.data(), labels.data(), false, &how, nullptr);
    });
    std::vector<std::uint32_t> out;
    for (const idx_t label : labels)
      if (label >= 0) out.push_back(static_cast<std::uint32_t>(label));
    return out;
  }

  Quantiser centroids_;  // outlives what points to it
  std::unique_ptr<faiss::IndexIVF> ivf_;
  faiss::IndexIVFPQ* pq_ = nullptr;               // ivf_, as what it is
  faiss::IndexIVFScalarQuantizer* sq_ = nullptr;  // likewise
  RowStore store_;
};

}  // namespace

std::unique_ptr<VectorIndex> make_ivf_index(std::size_t dims, const IndexSettings& settings) {
  return std::make_unique<IvfIndex>(dims, settings);
}

}  // namespace segue
