#include "framework/text/clusters.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/errors.hpp"

namespace segue::text {

namespace {

constexpr std::size_t kBlock = 256;  // documents a piece of work
constexpr double kSame = 1 - 1e-6;   // two documents in float with a larger cosine are the same one

struct Start {
  std::vector<std::uint32_t> of;
  std::vector<double> cosine;
  double sum = 0;
  int rounds = 0;
};

class Problem {
 public:
  Problem(const Csr<TermIdx>& rows, std::size_t k, const Executor& exec) : rows_(rows), k_(k), exec_(exec) {
    for (std::size_t r = 0; r < rows.rows(); ++r)
      if (rows.row_size(r) > 0) documents_.push_back(r);
  }
  std::size_t size() const { return documents_.size(); }

  Start solve(Rng rng, int max_rounds) const {
    std::vector<double> centres = draw_centres(rng);
    Start out;
    out.of.assign(rows_.rows(), kNoCluster);
    out.cosine.assign(rows_.rows(), 0);
    for (out.rounds = 1; out.rounds <= max_rounds; ++out.rounds) {
      const bool changed = assign(centres, out);
      if (!changed && out.rounds > 1) break;
      fill_empty(out);
      centres = means(out.of);
    }
    out.rounds = std::min(out.rounds, max_rounds);
    for (const std::size_t d : documents_) out.sum += out.cosine[d];
    return out;
  }

 private:
  // Terms are the slow index, so that one document's products with all centres lie side by side.
  std::vector<double> cosines(std::size_t document, const std::vector<double>& centres) const {
    std::vector<double> out(k_, 0);
    const auto terms = rows_.indices(document);
    const auto values = rows_.values(document);
    for (std::size_t n = 0; n < terms.size(); ++n) {
      const double* centre = centres.data() + static_cast<std::size_t>(terms[n]) * k_;
      for (std::size_t c = 0; c < k_; ++c) out[c] += double{values[n]} * centre[c];
    }
    return out;
  }

  void put(std::vector<double>& centres, std::size_t c, std::size_t document) const {
    for (std::size_t n = 0; n < rows_.row_size(document); ++n)
      centres[static_cast<std::size_t>(rows_.indices(document)[n]) * k_ + c] = double{rows_.values(document)[n]};
  }

  std::vector<double> draw_centres(Rng& rng) const {
    std::vector<double> centres(rows_.cols() * k_, 0), gap(documents_.size(), 1);
    for (std::size_t c = 0; c < k_; ++c) {
      const double total = std::accumulate(gap.begin(), gap.end(), 0.0);
      if (!(total > 0)) throw UsageError("there are {} different documents, too few for {} clusters", c, k_);
      double left = rng.uniform() * total;
      std::size_t drawn = 0;
      for (std::size_t d = 0; d < gap.size(); ++d) {
        if (!(gap[d] > 0)) continue;
        drawn = d;  // where rounding leaves a rest, the last that may be drawn
        if ((left -= gap[d]) < 0) break;
      }
      put(centres, c, documents_[drawn]);
      exec_.for_blocks(documents_.size(), kBlock, [&](std::size_t begin, std::size_t end) {
        for (std::size_t d = begin; d < end; ++d) {
          const auto values = rows_.values(documents_[d]);
          double cosine = 0;
          for (std::size_t n = 0; n < values.size(); ++n)
            cosine += double{values[n]} * centres[static_cast<std::size_t>(rows_.indices(documents_[d])[n]) * k_ + c];
          gap[d] = cosine > kSame ? 0 : std::min(gap[d], 1 - cosine);
        }
      });
      gap[drawn] = 0;
    }
    return centres;
  }

  // Each document to its nearest centre, of equally near ones the first. Whether any has changed its group.
  bool assign(const std::vector<double>& centres, Start& out) const {
    std::vector<std::uint8_t> changed(documents_.size(), 0);
    exec_.for_blocks(documents_.size(), kBlock, [&](std::size_t begin, std::size_t end) {
      for (std::size_t d = begin; d < end; ++d) {
        const std::vector<double> all = cosines(documents_[d], centres);
        const auto best = std::max_element(all.begin(), all.end());
        const auto c = static_cast<std::uint32_t>(best - all.begin());
        changed[d] = out.of[documents_[d]] != c;
        out.of[documents_[d]] = c;
        out.cosine[documents_[d]] = *best;
      }
    });
    return std::any_of(changed.begin(), changed.end(), [](std::uint8_t c) { return c != 0; });
  }

  void fill_empty(Start& out) const {
    std::vector<std::size_t> sizes(k_, 0);
    for (const std::size_t d : documents_) ++sizes[out.of[d]];
    for (std::size_t c = 0; c < k_; ++c) {
      if (sizes[c] > 0) continue;
      std::size_t worst = documents_.front();
      for (const std::size_t d : documents_)
        if (sizes[out.of[d]] > 1 && (sizes[out.of[worst]] < 2 || out.cosine[d] < out.cosine[worst])) worst = d;
      --sizes[out.of[worst]];
      out.of[worst] = static_cast<std::uint32_t>(c);
      out.cosine[worst] = 1;
      sizes[c] = 1;
    }
  }

  std::vector<double> means(const std::vector<std::uint32_t>& of) const {
    std::vector<double> centres(rows_.cols() * k_, 0), squares(k_, 0);
    for (const std::size_t d : documents_)
      for (std::size_t n = 0; n < rows_.row_size(d); ++n)
        centres[static_cast<std::size_t>(rows_.indices(d)[n]) * k_ + of[d]] += double{rows_.values(d)[n]};
    for (std::size_t p = 0; p < centres.size(); ++p) squares[p % k_] += centres[p] * centres[p];
    for (std::size_t p = 0; p < centres.size(); ++p)
      if (squares[p % k_] > 0) centres[p] /= std::sqrt(squares[p % k_]);
    return centres;
  }

  const Csr<TermIdx>& rows_;
  std::size_t k_;
  const Executor& exec_;
  std::vector<std::size_t> documents_;  // rows that are not empty
};

// The largest first; of equally large ones that of the earliest document.
void order_by_size(Clusters& out, std::size_t k) {
  std::vector<std::size_t> sizes(k, 0), first(k, out.of.size()), order(k);
  for (std::size_t d = out.of.size(); d-- > 0;) {
    if (out.of[d] == kNoCluster) continue;
    ++sizes[out.of[d]];
    first[out.of[d]] = d;
  }
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return sizes[a] != sizes[b] ? sizes[a] > sizes[b] : first[a] < first[b];
  });
  std::vector<std::uint32_t> place(k);
  for (std::size_t c = 0; c < k; ++c) {
    place[order[c]] = static_cast<std::uint32_t>(c);
    out.sizes.push_back(sizes[order[c]]);
  }
  for (std::uint32_t& c : out.of)
    if (c != kNoCluster) c = place[c];
}

}  // namespace

Clusters spherical_kmeans(const Csr<TermIdx>& rows, const ClusterOptions& options, const Rng& rng,
                          const Executor& exec) {
  if (options.clusters == 0) throw UsageError("0 clusters; ask for one or more");
  const Problem problem(rows, options.clusters, exec);
  if (problem.size() < options.clusters)
    throw UsageError("there are {} documents with terms, too few for {} clusters", problem.size(), options.clusters);
  Start best;
  for (int start = 0; start < std::max(1, options.starts); ++start) {
    Start one = problem.solve(rng.stream("clusters", static_cast<std::uint64_t>(start)), options.max_rounds);
    if (start == 0 || one.sum > best.sum) best = std::move(one);
  }
  Clusters out;
  out.of = std::move(best.of);
  out.cosine = std::move(best.cosine);
  out.mean_cosine = best.sum / static_cast<double>(problem.size());
  out.rounds = best.rounds;
  order_by_size(out, options.clusters);
  return out;
}

}  // namespace segue::text
