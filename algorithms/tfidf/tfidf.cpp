#include "framework/text/tfidf.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "algorithms/tfidf/tfidf_math.hpp"
#include "framework/base/errors.hpp"
#include "framework/model/listeners.hpp"
#include "framework/model/registry.hpp"
#include "framework/text/tags.hpp"
#include "framework/text/tokens.hpp"

namespace segue {
namespace {

struct TfidfParams : ListenerParams {
  double tags = 1, words = 0.5, artist = 1, title = 0;
  bool merge_tags = true;
  bool drop_stop_words = false;
  text::Tf tf = text::Tf::kLog;
  text::Idf idf = text::Idf::kSmooth;
  double min_df = 5, max_df = 1;

  // Some tens of terms an item, counted, weighted and turned around; a sort of each listener's events.
  double fit_flop(const DataShape& s) const { return 1000 * s.items + 20 * s.events; }
  double fit_bytes(const DataShape& s) const { return 800 * s.items + 8 * s.events; }
  static Schema<TfidfParams> schema() {
    using P = TfidfParams;
    Schema<P> s;
    s.field("tags", &P::tags, "weight of an item's tags in a similarity; 0: they are not read")
        .range(0.0, 1000.0)
        .search(linear, 0, 1);
    s.field("words", &P::words, "weight of the words of its lyrics or description, where there are any")
        .range(0.0, 1000.0)
        .search(linear, 0, 1);
    s.field("artist", &P::artist, "weight of having the same artist; one of a single item is left out")
        .range(0.0, 1000.0)
        .search(linear, 0, 1);
    s.field("title", &P::title, "weight of the words of its title").range(0.0, 1000.0);
    s.field("merge_tags", &P::merge_tags, "spellings of a tag are one: HipHop, hip-hop, Hip Hop")
        .search_choices({true, false});
    s.field("drop_stop_words", &P::drop_stop_words, "leave out English words such as 'the' of words and titles");
    s.field("tf", &P::tf, "what a weight or count x becomes: x, 1 + ln x (x below 1), or 1")
        .choices({{"raw", text::Tf::kRaw}, {"log", text::Tf::kLog}, {"binary", text::Tf::kBinary}});
    s.field("idf", &P::idf,
            "what a term of df of N items weighs: 1, ln(N / df), ln((1 + N) / (1 + df)) + 1, or ln((N - df + .5) / (df "
            "+ .5) + 1)")
        .choices({{"none", text::Idf::kNone},
                  {"plain", text::Idf::kPlain},
                  {"smooth", text::Idf::kSmooth},
                  {"probabilistic", text::Idf::kProbabilistic}});
    s.field("min_df", &P::min_df, "drop terms of fewer items: below 1 a share of them, from 1 on a number")
        .range(1e-9, 1e9);
    s.field("max_df", &P::max_df, "drop terms of more items: up to 1 a share of them, above 1 a number")
        .range(1e-9, 1e9);
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
    items_ = text::join_fields(fields(data.facets, data.train.n_items()));
    if (items_.nnz() == 0)
      throw UsageError("tfidf has no term left: min_df is {:g} and max_df {:g}; lower min_df where the data is small",
                       params_.min_df, params_.max_df);
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
  std::vector<text::Field> fields(const Facets& facets, std::size_t n_items) const {
    const text::TfIdfOptions options{params_.tf, params_.idf, params_.min_df, params_.max_df};
    std::vector<text::Field> out;
    std::vector<std::string_view> missing;
    const auto add = [&](const Csr<TermIdx>& counts, double weight, const text::TfIdfOptions& how) {
      SEGUE_CHECK(counts.rows() == n_items, "side data of {} items for {}", counts.rows(), n_items);
      out.push_back({text::tf_idf(counts, how), weight});
    };
    const auto wanted = [&]<class T>(double weight, const T* facet) {
      if (weight > 0 && facet == nullptr) missing.push_back(T::kName);
      return weight > 0 && facet != nullptr;
    };
    if (const auto* tags = facets.find<ItemTags>(); wanted(params_.tags, tags))
      add(params_.merge_tags ? text::merge_tags(*tags).tags.weights : tags->weights, params_.tags, options);
    if (const auto* words = facets.find<ItemWords>(); wanted(params_.words, words))
      add(params_.drop_stop_words ? without_stop_words(*words) : words->counts, params_.words, options);
    if (const auto* artists = facets.find<ItemArtist>(); wanted(params_.artist, artists))
      add(one_artist_each(*artists), params_.artist, {.idf = text::Idf::kNone, .min_df = 2});
    if (const auto* titles = facets.find<ItemText>(); wanted(params_.title, titles))
      add(text::count_words(titles->titles, {.drop_stop_words = params_.drop_stop_words}).counts, params_.title,
          options);
    if (out.empty())
      throw UsageError("tfidf compares items by {}, and data set '{}' has none of that; it has: {}",
                       fmt::join(missing, ", "), facets.dataset_name(), fmt::join(facets.names(), ", "));
    return out;
  }

  static Csr<TermIdx> without_stop_words(const ItemWords& words) {
    std::vector<std::uint64_t> offsets{0};
    std::vector<TermIdx> terms;
    std::vector<float> values;
    for (std::size_t r = 0; r < words.counts.rows(); ++r) {
      for (std::size_t n = 0; n < words.counts.row_size(r); ++n) {
        const TermIdx term = words.counts.indices(r)[n];
        if (text::is_stop_word(text::fold(words.words[static_cast<std::size_t>(term)]))) continue;
        terms.push_back(term);
        values.push_back(words.counts.has_values() ? words.counts.values(r)[n] : 1.0f);
      }
      offsets.push_back(terms.size());
    }
    return {words.counts.cols(), std::move(offsets), std::move(terms), std::move(values)};
  }

  static Csr<TermIdx> one_artist_each(const ItemArtist& artists) {
    std::vector<std::uint64_t> offsets{0};
    std::vector<TermIdx> terms;
    for (const std::uint32_t artist : artists.artist_of) {
      if (artist != kNoArtist) terms.push_back(TermIdx{artist});
      offsets.push_back(terms.size());
    }
    return {artists.artists.size(), std::move(offsets), std::move(terms), {}};
  }

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
