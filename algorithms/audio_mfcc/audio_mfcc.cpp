#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "algorithms/audio_mfcc/audio_mfcc_math.hpp"
#include "framework/base/errors.hpp"
#include "framework/data/sound_directions.hpp"
#include "framework/linalg/scoring.hpp"
#include "framework/linalg/vector_math.hpp"
#include "framework/linalg/wide_math.hpp"
#include "framework/model/listeners.hpp"
#include "framework/model/registry.hpp"

namespace segue {
namespace {

struct AudioMfccParams : ListenerParams {
  enum class Distance { kFingerprint, kTimbre };
  Distance distance = Distance::kFingerprint;
  double timbre = 1, harmony = 0.5, rhythm = 1, spectrum = 2;  // README.md: measured on withheld tracks
  bool whiten = true;
  bool mutual_proximity = false;
  double temperature = 5;
  int max_history = 200;

  // A product with every item for each of some tens of items of a history is made when a list is asked for; a fit looks
  // at each item once.
  double fit_flop(const DataShape& s) const { return 2e4 * s.items + 20 * s.events; }
  double fit_bytes(const DataShape& s) const {
    return (distance == Distance::kTimbre ? 3700 : 500) * s.items + 8 * s.events;
  }
  static Schema<AudioMfccParams> schema() {
    using P = AudioMfccParams;
    Schema<P> s;
    s.field("distance", &P::distance,
            "fingerprint: cosine of standardised fingerprints; timbre: symmetric Kullback-Leibler divergence of "
            "Gaussians of MFCC")
        .choices({{"fingerprint", Distance::kFingerprint}, {"timbre", Distance::kTimbre}});
    const auto part = [&](const char* name, double P::*member, const char* doc) {
      s.field(name, member, doc).range(0.0, 1000.0).search(linear, 0, 2);
    };
    part("timbre", &P::timbre, "fingerprint: weight of MFCC");
    part("harmony", &P::harmony, "fingerprint: weight of chroma");
    part("rhythm", &P::rhythm, "fingerprint: weight of onsets, tempo and danceability");
    part("spectrum", &P::spectrum, "fingerprint: weight of brightness, contrast, noisiness and level");
    s.field("whiten", &P::whiten,
            "fingerprint: fields of a part that say the same, such as neighbouring coefficients, count as one")
        .search_choices({true, false});
    s.field(
         "mutual_proximity", &P::mutual_proximity,
         "likeness as the probability that both items find a random one less alike: no hubs that resemble everything")
        .search_choices({true, false});
    s.field("temperature", &P::temperature,
            "near 0 an item is as alike as to the closest of the history, far above 1 as to all of it on average")
        .range(0.05, 1000.0)
        .search(log_scale, 0.05, 10);
    s.field("max_history", &P::max_history, "items of a history that are compared: those that count most")
        .range(1, 100000)
        .search(pow2, 16, 1024);
    listener_fields(s);
    return s;
  }
};

class AudioMfcc final : public Recommender {
 public:
  explicit AudioMfcc(const AudioMfccParams& params) : params_(params) {
    if (!timbral() && params_.timbre + params_.harmony + params_.rhythm + params_.spectrum == 0)
      throw UsageError("audio_mfcc compares items by timbre, harmony, rhythm and spectrum, and all four weigh 0");
  }

  void fit(const TrainData& data, FitContext&) override {
    const ItemSound& sound = data.facets.require<ItemSound>();
    SEGUE_CHECK(sound.heard.size() == data.train.n_items(), "the sound of {} items for {}", sound.heard.size(),
                data.train.n_items());
    heard_.assign(sound.heard.begin(), sound.heard.end());
    std::vector<std::uint8_t> trained(heard_.size(), 0);
    for (const ItemIdx item : data.train.by_user().all_indices()) trained[raw(item)] = 1;
    if (timbral()) {
      TimbreVectors vectors = timbre_vectors(sound, trained);
      asking_ = std::move(vectors.asking);
      asked_ = std::move(vectors.asked);
    } else {
      asked_ = fingerprint_directions(
          sound, trained, {params_.timbre, params_.harmony, params_.rhythm, params_.spectrum}, params_.whiten);
    }
    packed_ = PackedRows(asked_);
    learn_scale();
    listeners_.learn(data, params_);
  }

  void score(std::span<const Query> queries, MatRef<float> out) const override {
    const auto all = [&](ConstMatRef<float> rows, MatRef<float> to) { packed_.score(rows, {}, to); };
    for (std::size_t q = 0; q < queries.size(); ++q)
      score_one(queries[q], all, [](std::size_t i) { return i; },
                {out.data() + q * static_cast<std::size_t>(out.outerStride()), n_items()});
  }

  void score_candidates(const Query& query, std::span<const ItemIdx> candidates, std::span<float> out) const override {
    std::vector<std::uint32_t> which;
    for (const ItemIdx item : candidates) which.push_back(raw(item));
    const auto some = [&](ConstMatRef<float> rows, MatRef<float> to) {
      for (Eigen::Index r = 0; r < rows.rows(); ++r)
        packed_.score_rows({rows.data() + r * rows.outerStride(), static_cast<std::size_t>(rows.cols())}, {}, which,
                           {to.data() + r * to.outerStride(), which.size()});
    };
    score_one(
        query, some, [&](std::size_t n) { return std::size_t{which[n]}; }, out);
  }

  std::size_t n_items() const override { return heard_.size(); }

  void save(ArchiveWriter& archive) const override {
    archive.put("heard", std::span<const std::uint32_t>(std::vector<std::uint32_t>(heard_.begin(), heard_.end())));
    archive.put("asked", std::span<const float>(asked_.data(), static_cast<std::size_t>(asked_.size())));
    archive.put("asking", std::span<const float>(asking_.data(), static_cast<std::size_t>(asking_.size())));
    archive.put_value("median", static_cast<double>(median_));
    archive.put("means", std::span<const float>(mean_));
    archive.put("deviations", std::span<const float>(deviation_));
    listeners_.save(archive, "listeners");
  }
  void load(const ArchiveReader& archive) override {
    const std::vector<std::uint32_t> heard = archive.u32("heard");
    heard_.assign(heard.begin(), heard.end());
    const auto matrix = [&](const std::string& name) {
      const std::vector<float> values = archive.floats(name);
      const auto rows = static_cast<Eigen::Index>(heard_.size());
      Matrix<float> out(values.empty() ? 0 : rows,
                        values.empty() ? 0 : static_cast<Eigen::Index>(values.size()) / rows);
      std::copy(values.begin(), values.end(), out.data());
      return out;
    };
    asked_ = matrix("asked");
    asking_ = matrix("asking");
    median_ = static_cast<float>(archive.value("median"));
    mean_ = archive.floats("means");
    deviation_ = archive.floats("deviations");
    packed_ = PackedRows(asked_);
    listeners_.load(archive, "listeners", heard_.size(), params_);
  }

 private:
  bool timbral() const { return params_.distance == AudioMfccParams::Distance::kTimbre; }
  const Matrix<float>& asking() const { return timbral() ? asking_ : asked_; }

  float divergence(float product) const { return timbre_divergence(product, static_cast<std::size_t>(asked_.cols())); }
  // Of inner products, in place, how alike two items are: at most 1, which is what equal ones are.
  void likeness(std::span<float> products) const {
    if (!timbral()) return;
    for (float& x : products) x = -divergence(x) / median_;
    exp_of<float>(products, products);
  }

  // The items that others are measured against: evenly over those heard, so that a fit's time grows with their number.
  std::vector<std::size_t> sample() const {
    constexpr std::size_t kMost = 1000;
    std::vector<std::size_t> heard, out;
    for (std::size_t i = 0; i < heard_.size(); ++i)
      if (heard_[i] != 0) heard.push_back(i);
    const std::size_t n = std::min(kMost, heard.size());
    for (std::size_t s = 0; s < n; ++s) out.push_back(heard[s * heard.size() / n]);
    return out;
  }

  // The median divergence of pairs, and every item's mean and deviation of likeness to others.
  void learn_scale() {
    const std::vector<std::size_t> others = sample();
    const auto n = static_cast<Eigen::Index>(n_items());
    Matrix<float> products(1, n);
    std::vector<double> sum(n_items(), 0), squares(n_items(), 0);
    if (timbral()) {
      std::vector<float> divergences;
      for (const std::size_t o : others) {
        packed_.score(asking_.row(static_cast<Eigen::Index>(o)), {}, products);
        for (const std::size_t other : others)
          if (other != o) divergences.push_back(divergence(products(0, static_cast<Eigen::Index>(other))));
      }
      if (!divergences.empty()) {
        const auto middle = divergences.begin() + static_cast<std::ptrdiff_t>(divergences.size() / 2);
        std::nth_element(divergences.begin(), middle, divergences.end());
        median_ = std::max(*middle, 1e-6f);
      }
    }
    if (!params_.mutual_proximity) return;
    std::vector<double> count(n_items(), 0);
    for (const std::size_t o : others) {
      packed_.score(asking().row(static_cast<Eigen::Index>(o)), {}, products);
      likeness({products.data(), n_items()});
      for (std::size_t i = 0; i < n_items(); ++i) {
        if (i == o) continue;
        const double x = static_cast<double>(products(0, static_cast<Eigen::Index>(i)));
        sum[i] += x, squares[i] += x * x, ++count[i];
      }
    }
    mean_.assign(n_items(), 0);
    deviation_.assign(n_items(), 1);
    for (std::size_t i = 0; i < n_items(); ++i) {
      if (count[i] < 2) continue;
      const double mean = sum[i] / count[i];
      mean_[i] = static_cast<float>(mean);
      deviation_[i] = static_cast<float>(std::max(1e-6, std::sqrt(std::max(0.0, squares[i] / count[i] - mean * mean))));
    }
  }

  // Mutual proximity (Schnitzer et al. 2012, equation 7 with independent normals), of likeness instead of distance.
  float proximity(float alike, std::size_t a, std::size_t b) const {
    const auto below = [&](std::size_t i) {  // the probability of being less alike
      return 0.5f * std::erfc((mean_[i] - alike) / (deviation_[i] * std::sqrt(2.0f)));
    };
    return below(a) * below(b);
  }

  // products(rows, to): inner products of rows with what is asked about; item_of: which item stands where in `out`.
  template <class Products, class ItemOf>
  void score_one(const Query& query, const Products& products, ItemOf item_of, std::span<float> out) const {
    const TasteItems known = listeners_.of(query);
    std::vector<std::size_t> order;  // those that count most, then by item
    for (std::size_t n = 0; n < known.items.size(); ++n)
      if (known.weights[n] != 0 && heard_[raw(known.items[n])] != 0) order.push_back(n);
    if (order.size() > static_cast<std::size_t>(params_.max_history)) {
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return std::abs(known.weights[a]) > std::abs(known.weights[b]);
      });
      order.resize(static_cast<std::size_t>(params_.max_history));
    }
    std::vector<float> liked(out.size(), 0.0f), disliked;
    double for_liked = 0, for_disliked = 0;
    for (const std::size_t n : order) (known.weights[n] > 0 ? for_liked : for_disliked) += std::abs(known.weights[n]);
    if (for_disliked > 0) disliked.assign(out.size(), 0.0f);

    constexpr std::size_t kRows = 16;  // of a history at once: their products with 100,000 items are 6 MiB
    const auto t = static_cast<float>(params_.temperature);
    Matrix<float> rows, alike;
    for (std::size_t begin = 0; begin < order.size(); begin += kRows) {
      const std::size_t count = std::min(kRows, order.size() - begin);
      rows.resize(static_cast<Eigen::Index>(count), asking().cols());
      alike.resize(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(out.size()));
      for (std::size_t r = 0; r < count; ++r)
        rows.row(static_cast<Eigen::Index>(r)) = asking().row(raw(known.items[order[begin + r]]));
      products(rows, alike);
      for (std::size_t r = 0; r < count; ++r) {
        const std::span<float> x = row_span(alike, r);
        const std::size_t own = raw(known.items[order[begin + r]]);
        likeness(x);
        if (params_.mutual_proximity)
          for (std::size_t n = 0; n < x.size(); ++n) x[n] = proximity(x[n], own, item_of(n));
        for (float& v : x) v = (v - 1) / t;
        exp_of<float>(x, x);
        const double c = known.weights[order[begin + r]];
        const auto weight = static_cast<float>(std::abs(c) / (c > 0 ? for_liked : for_disliked));
        std::vector<float>& sum = c > 0 ? liked : disliked;
        for (std::size_t n = 0; n < x.size(); ++n) sum[n] += weight * x[n];
      }
    }
    // 1 + t ln sum: the likeness itself where one item is known.
    const auto finish = [&](std::vector<float>& sums) {
      for (float& x : sums) x = std::max(x, 1e-36f);
      log_of<float>(sums, sums);
      for (float& x : sums) x = 1 + t * x;
    };
    if (for_liked > 0) finish(liked);
    if (for_disliked > 0) finish(disliked);
    const auto against = static_cast<float>(for_disliked);
    for (std::size_t n = 0; n < out.size(); ++n) {
      out[n] = liked[n] - (for_disliked > 0 ? against * disliked[n] : 0.0f);
      if (heard_[item_of(n)] == 0) out[n] = -std::numeric_limits<float>::infinity();
    }
  }

  AudioMfccParams params_;
  std::vector<std::uint8_t> heard_;
  Matrix<float> asked_, asking_;         // asking_: of timbre; directions ask and are asked alike
  PackedRows packed_;                    // asked_
  float median_ = 1;                     // divergence of two items
  std::vector<float> mean_, deviation_;  // of likeness to others, for mutual proximity
  Listeners listeners_;
};

}  // namespace

SEGUE_ALGORITHM(
    audio_mfcc, AudioMfcc, AudioMfccParams,
    {.name = "audio_mfcc",
     .summary = "items that sound like what the user has heard, played by anybody or not",
     .citation = "Mandel & Ellis 2005, Song-level features and support vector machines for music classification, "
                 "ISMIR; Pampalk 2006, Computational models of music similarity and their application in music "
                 "information retrieval; Schnitzer, Flexer, Schedl & Widmer 2012, Local and global scaling reduce hubs "
                 "in space, JMLR 13",
     .family = "content",
     .needs = {"item_sound"}})

}  // namespace segue
