// The best of another algorithm in an order that repeats itself less. See README.md.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "algorithms/diversify/diversify_math.hpp"
#include "framework/base/day.hpp"
#include "framework/base/errors.hpp"
#include "framework/model/components.hpp"
#include "framework/model/item_content.hpp"
#include "framework/model/listeners.hpp"
#include "framework/model/registry.hpp"
#include "framework/model/score_fusion.hpp"
#include "framework/model/stages.hpp"

namespace segue {

namespace {

struct DiversifyParams : ItemContentSettings {
  enum class Method { kNone, kMmr, kDpp };
  AlgorithmSpec of = "implicit_als";
  Method method = Method::kMmr;
  double lambda = 0.8;
  int depth = 100;
  int length = 20;
  int artist_gap = 0;
  double recent_days = 0;
  bool repeats = false;

  std::vector<AlgorithmSpec> components() const { return {of}; }
  double fit_flop(const DataShape& s) const { return 1000 * s.items + 10 * s.events; }
  double fit_bytes(const DataShape& s) const { return 800 * s.items; }
  static Schema<DiversifyParams> schema() {
    using P = DiversifyParams;
    Schema<P> s;
    s.field("of", &P::of, "the algorithm whose lists are put in another order");
    s.field("method", &P::method,
            "mmr: maximal marginal relevance; dpp: greedy determinantal point process; none: only artist_gap and "
            "recent_days")
        .choices({{"none", Method::kNone}, {"mmr", Method::kMmr}, {"dpp", Method::kDpp}});
    s.field("lambda", &P::lambda, "mmr, dpp: weight of relevance against variety; near 1 the order stays as it is")
        .range(0.0, 0.999)
        .search(linear, 0.3, 0.99);
    s.field("depth", &P::depth, "how many of the best are put in order").range(1, 100000).search(pow2, 32, 512);
    s.field("length", &P::length, "how many positions are chosen one by one; the rest of `depth` follows as it was")
        .range(1, 10000);
    s.field("artist_gap", &P::artist_gap, "an artist does not stand again within so many positions; 0: may")
        .range(0, 10000);
    s.field("recent_days", &P::recent_days, "what was heard within so many days is not recommended; 0: may be")
        .range(0.0, 1e6);
    s.field("repeats", &P::repeats, "whether what a user has heard before is among the best that are put in order");
    text::item_term_weights(s);
    sound_field(s);
    return s;
  }
};

class Diversify final : public Recommender, public StagedScores {
 public:
  Diversify(DiversifyParams params, std::vector<Component> components)
      : params_(std::move(params)), maker_(std::move(components.front())) {
    if (params_.method != DiversifyParams::Method::kNone && !params_.any())
      throw UsageError("diversify tells likeness by tags, words, artist, title and sound, and all five weigh 0");
  }

  void fit(const TrainData& data, FitContext& ctx) override {
    if (params_.method != DiversifyParams::Method::kNone)
      content_ = item_content(data, params_, "diversify");
    else
      content_ = Csr<ItemIdx>(0, std::vector<std::uint64_t>(data.train.n_items() + 1, 0), {}, {});
    if (params_.artist_gap > 0) {
      const ItemArtist& artists = data.facets.require<ItemArtist>();
      artist_of_.assign(artists.artist_of.begin(), artists.artist_of.end());
    }
    measure();
    model_ = fit_component(maker_, 0, data, ctx);
  }

  std::size_t n_items() const override { return content_.rows(); }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    model_->score(queries, out);
    for (std::size_t q = 0; q < queries.size(); ++q)
      reorder(queries[q], {out.data() + q * static_cast<std::size_t>(out.outerStride()), n_items()});
  }

  void score_in_stages(const Query& query, std::span<float> out, const Lap& lap) const override {
    model_->score({&query, 1}, Eigen::Map<Matrix<float>>(out.data(), 1, static_cast<Eigen::Index>(out.size())));
    lap(maker_.name);
    reorder(query, out);
    lap("reordering");
  }

  void save(ArchiveWriter& archive) const override {
    archive.put_value("features", static_cast<double>(content_.cols()));
    put_rows(archive, "content", content_);
    archive.put("artists", std::span<const std::uint32_t>(artist_of_));
    save_component(archive, 0, *model_);
  }
  void load(const ArchiveReader& archive) override {
    content_ = get_rows<ItemIdx>(archive, "content", static_cast<std::size_t>(archive.value("features")));
    artist_of_ = archive.u32("artists");
    measure();
    model_ = load_component(archive, 0, maker_);
  }

 private:
  void measure() {
    lengths_.assign(content_.rows(), 0);
    for (std::size_t i = 0; i < content_.rows(); ++i) {
      for (const float x : content_.values(i)) lengths_[i] += double{x} * double{x};
      lengths_[i] = std::sqrt(lengths_[i]);
    }
  }
  double cosine(std::size_t a, std::size_t b) const {
    if (a == b) return 1;
    if (lengths_[a] == 0 || lengths_[b] == 0) return 0;
    const auto ia = content_.indices(a), ib = content_.indices(b);
    const auto va = content_.values(a), vb = content_.values(b);
    double sum = 0;
    for (std::size_t x = 0, y = 0; x < ia.size() && y < ib.size();) {
      if (ia[x] == ib[y])
        sum += double{va[x++]} * double{vb[y++]};
      else
        ia[x] < ib[y] ? ++x : ++y;
    }
    return std::min(1.0, sum / (lengths_[a] * lengths_[b]));
  }

  // The scores stay, but are dealt out anew among the best: in the new order, the highest first.
  void reorder(const Query& query, std::span<float> scores) const {
    const std::vector<std::uint8_t> barred =
        params_.repeats ? std::vector<std::uint8_t>() : heard_flags(query, scores.size());
    for (std::size_t e = 0; e < query.history.size(); ++e) {
      const std::size_t item = raw(query.history[e]);
      if (item >= scores.size()) continue;
      if (params_.recent_days > 0 && !query.times.empty() &&
          static_cast<double>(query.now - query.times[e]) < params_.recent_days * double{kSecondsPerDay})
        scores[item] = -std::numeric_limits<float>::infinity();
    }
    const std::vector<ItemIdx> best = best_items(scores, barred, static_cast<std::size_t>(params_.depth));
    if (best.size() < 2) return;
    const float high = scores[raw(best.front())], low = scores[raw(best.back())];
    std::vector<double> relevance;
    std::vector<std::uint32_t> artists;
    for (const ItemIdx item : best) {
      relevance.push_back(high > low ? static_cast<double>((scores[raw(item)] - low) / (high - low)) : 1.0);
      artists.push_back(raw(item) < artist_of_.size() ? artist_of_[raw(item)] : kNoArtist);
    }
    const GreedyRules rules{static_cast<std::size_t>(params_.length), artists, kNoArtist,
                            static_cast<std::size_t>(params_.artist_gap)};
    const Alike alike = [&](std::size_t a, std::size_t b) { return cosine(raw(best[a]), raw(best[b])); };
    std::vector<std::size_t> order;
    switch (params_.method) {
      case DiversifyParams::Method::kNone:
        order = mmr_order(
            relevance, 1, [](std::size_t, std::size_t) { return 0.0; }, rules);
        break;
      case DiversifyParams::Method::kMmr:
        order = mmr_order(relevance, params_.lambda, alike, rules);
        break;
      case DiversifyParams::Method::kDpp:
        order = dpp_order(relevance, params_.lambda, alike, rules);
        break;
    }
    std::vector<std::uint8_t> picked(best.size(), 0);
    for (const std::size_t c : order) picked[c] = 1;
    for (std::size_t c = 0; c < best.size(); ++c)
      if (picked[c] == 0) order.push_back(c);
    std::vector<float> dealt;
    for (const ItemIdx item : best) dealt.push_back(scores[raw(item)]);
    // Equal scores would leave the order to chance; going up from the lowest, each is at least a step above the next.
    for (std::size_t p = dealt.size() - 1; p-- > 0;)
      dealt[p] = std::max(dealt[p], std::nextafter(dealt[p + 1], std::numeric_limits<float>::infinity()));
    for (std::size_t p = 0; p < order.size(); ++p) scores[raw(best[order[p]])] = dealt[p];
  }

  DiversifyParams params_;
  Component maker_;
  std::unique_ptr<Recommender> model_;
  Csr<ItemIdx> content_;
  std::vector<double> lengths_;
  std::vector<std::uint32_t> artist_of_;
};

}  // namespace

SEGUE_ALGORITHM(
    diversify, Diversify, DiversifyParams,
    {.name = "diversify",
     .summary =
         "another algorithm's best in an order with more variety: MMR, DPP, artists kept apart, nothing just heard",
     .citation =
         "Carbonell & Goldstein 1998, The use of MMR, diversity-based reranking for reordering documents and producing "
         "summaries, SIGIR; Chen, Zhang & Zhou 2018, Fast greedy MAP inference for determinantal point process to "
         "improve recommendation diversity, NeurIPS",
     .family = "hybrid",
     .version = 2})

}  // namespace segue
