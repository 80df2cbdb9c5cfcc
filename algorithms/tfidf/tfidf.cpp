#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "algorithms/tfidf/tfidf_math.hpp"
#include "framework/base/errors.hpp"
#include "framework/model/listeners.hpp"
#include "framework/model/registry.hpp"
#include "framework/text/item_terms.hpp"

namespace segue {
namespace {

struct TfidfParams : ListenerParams, text::ItemTermSettings {
  // Some tens of terms an item, counted, weighted and turned around; a sort of each listener's events.
  double fit_flop(const DataShape& s) const { return 1000 * s.items + 20 * s.events; }
  double fit_bytes(const DataShape& s) const { return 800 * s.items + 8 * s.events; }
  static Schema<TfidfParams> schema() {
    using P = TfidfParams;
    Schema<P> s;
    text::item_term_fields(s);
    listener_fields(s);
    return s;
  }
};

class Tfidf final : public Recommender {
 public:
  explicit Tfidf(const TfidfParams& params) : params_(params) {
    if (params_.tags + params_.words + params_.artist + params_.title == 0)
      throw UsageError("tfidf compares items by tags, words, artist and title, and all four weigh 0");
  }

  void fit(const TrainData& data, FitContext&) override {
    items_ = text::item_terms(data.facets, data.train.n_items(), params_, "tfidf");
    index();
    listeners_.learn(data, params_);
  }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    ProfileSum profile(items_.cols());
    std::vector<double> sums(n_items());
    for (std::size_t q = 0; q < queries.size(); ++q) {
      add_profile(queries[q], profile);
      std::fill(sums.begin(), sums.end(), 0.0);
      for (const std::uint32_t term : profile.terms()) {
        const auto having = by_term_.indices(term);
        const auto values = by_term_.values(term);
        for (std::size_t n = 0; n < having.size(); ++n) sums[raw(having[n])] += profile[term] * double{values[n]};
      }
      const double length = profile.length();
      for (std::size_t i = 0; i < sums.size(); ++i)
        out(static_cast<Eigen::Index>(q), static_cast<Eigen::Index>(i)) = cosine(item_at(i), sums[i], length);
      profile.clear();
    }
  }

  // The sums of score(), term by term in the same order, but of an item's own terms alone: to the others it adds zeros.
  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    ProfileSum profile(items_.cols());
    add_profile(query, profile);
    const double length = profile.length();
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      const auto terms = items_.indices(raw(candidates[c]));
      const auto values = items_.values(raw(candidates[c]));
      double sum = 0;
      for (std::size_t n = 0; n < terms.size(); ++n)
        sum += profile[static_cast<std::size_t>(terms[n])] * double{values[n]};
      out[c] = cosine(candidates[c], sum, length);
    }
  }

  std::size_t n_items() const override { return items_.rows(); }

  void save(ArchiveWriter& archive) const override {
    archive.put_value("terms", static_cast<double>(items_.cols()));
    put_rows(archive, "items", items_);
    listeners_.save(archive, "listeners");
  }
  void load(const ArchiveReader& archive) override {
    items_ = get_rows<TermIdx>(archive, "items", static_cast<std::size_t>(archive.value("terms")));
    listeners_.load(archive, "listeners", items_.rows(), params_);
    index();
  }

 private:
  void index() { by_term_ = items_.transposed<ItemIdx>(); }

  // profile: empty before, and afterwards too where nothing is known.
  void add_profile(const Query& query, ProfileSum& profile) const {
    const TasteItems liked = listeners_.of(query);
    for (std::size_t n = 0; n < liked.items.size(); ++n)
      if (liked.weights[n] != 0) profile.add(items_, raw(liked.items[n]), liked.weights[n]);
  }

  float cosine(ItemIdx item, double sum, double length) const {
    if (items_.row_size(raw(item)) == 0) return -std::numeric_limits<float>::infinity();
    return length > 0 ? static_cast<float>(sum / length) : 0.0f;
  }

  TfidfParams params_;
  Csr<TermIdx> items_;      // of length 1, or empty where nothing is known of an item
  Csr<ItemIdx> by_term_;    // the same, a row a term
  Listeners listeners_;
};

}  // namespace

SEGUE_ALGORITHM(
    tfidf, Tfidf, TfidfParams,
    {.name = "tfidf",
     .summary = "items whose tags and words resemble those of what the user has heard, played by anybody or not",
     .citation = "Salton & Buckley 1988, Term-weighting approaches in automatic text retrieval, IPM 24(5); "
                 "Lops, de Gemmis & Semeraro 2011, Content-based recommender systems: state of the art and "
                 "trends, Recommender Systems Handbook",
     .family = "content"})

}  // namespace segue
