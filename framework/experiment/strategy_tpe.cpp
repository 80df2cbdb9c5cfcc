#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "framework/experiment/strategy.hpp"

namespace segue {

namespace {

constexpr double kGood = 0.15;  // gamma of Bergstra et al. 2011
constexpr std::size_t kCandidates = 24;

// A density on [0, 1]: the mean of a wide Gaussian (the prior) and one around each point, all cut at the ends. A
// Gaussian is as wide as the greater of the distances to its neighbours, the prior's mean among them, within bounds
// that narrow with the number of points.
class Parzen {
 public:
  explicit Parzen(const std::vector<double>& points) {
    constexpr double kPriorMean = 0.5;
    const double narrowest = 1.0 / std::min(100.0, 1.0 + static_cast<double>(points.size()));
    std::vector<double> sorted = points;
    sorted.push_back(kPriorMean);
    std::sort(sorted.begin(), sorted.end());
    kernels_.push_back({kPriorMean, 1.0});
    bool prior = true;  // still to come
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (prior && sorted[i] == kPriorMean) {
        prior = false;
        continue;
      }
      const double left = i > 0 ? sorted[i] - sorted[i - 1] : 0;
      const double right = i + 1 < sorted.size() ? sorted[i + 1] - sorted[i] : 0;
      kernels_.push_back({sorted[i], std::clamp(std::max(left, right), narrowest, 1.0)});
    }
  }
  double density(double x) const {
    double sum = 0;
    for (const Kernel& k : kernels_) {
      const double z = (x - k.mean) / k.width;
      sum += std::exp(-0.5 * z * z) / (k.width * std::sqrt(2 * M_PI) * k.mass());
    }
    return sum / static_cast<double>(kernels_.size());
  }
  double draw(Rng& rng) const {
    const Kernel& k = kernels_[rng.below(kernels_.size())];
    for (int i = 0; i < 100; ++i) {
      const double x = k.mean + k.width * rng.normal();
      if (x >= 0 && x < 1) return x;
    }
    return k.mean;
  }

 private:
  struct Kernel {
    double mean, width;
    double mass() const {  // of [0, 1]
      const auto below = [&](double x) { return 0.5 * std::erfc(-(x - mean) / (width * std::sqrt(2.0))); };
      return below(1) - below(0);
    }
  };
  std::vector<Kernel> kernels_;
};

// Of choices: how often each occurs, and once more.
class Counts {
 public:
  Counts(const std::vector<double>& points, std::size_t n) : counts_(n, 1.0) {
    for (const double p : points) counts_[cell(p)] += 1;
    total_ = std::accumulate(counts_.begin(), counts_.end(), 0.0);
  }
  double density(double x) const { return counts_[cell(x)] / total_; }
  double draw(Rng& rng) const {
    double rest = rng.uniform() * total_;
    std::size_t i = 0;
    for (; i + 1 < counts_.size() && rest >= counts_[i]; ++i) rest -= counts_[i];
    return (static_cast<double>(i) + 0.5) / static_cast<double>(counts_.size());
  }

 private:
  std::size_t cell(double u) const {
    return std::min(counts_.size() - 1, static_cast<std::size_t>(u * static_cast<double>(counts_.size())));
  }
  std::vector<double> counts_;
  double total_ = 0;
};

class Tpe : public Strategy {
 public:
  Tpe(SearchSpace space, const TpeOptions& options) : space_(std::move(space)), options_(options) {
    const std::optional<std::size_t> size = space_.size();
    options_.trials = std::min(options_.trials, size.value_or(options_.trials));
    options_.startup = std::min(options_.startup, options_.trials);
  }

  std::vector<Proposal> next(std::span<const Tried> history) const override {
    if (history.size() >= options_.trials) return {};
    const std::size_t count =
        history.empty() ? options_.startup : std::min(options_.round, options_.trials - history.size());
    const Rng rng = Rng(options_.seed).stream("tpe", history.size());
    std::vector<std::string> taken;
    for (const Tried& t : history) taken.push_back(t.proposal.settings.canonical());
    if (history.empty()) return draw_distinct(space_, count, Rng(options_.seed).stream("random search"), taken);
    const auto [good, bad] = parted(history);
    std::vector<Proposal> out;
    for (std::size_t i = 0; i < count; ++i) {
      Rng own = rng.stream("proposal", i);
      std::optional<Proposal> found;
      for (int attempt = 0; attempt < 20 && !found; ++attempt) {
        Proposal p = propose(good, bad, own);
        const std::string text = p.settings.canonical();
        if (std::find(taken.begin(), taken.end(), text) != taken.end()) continue;
        taken.push_back(text);
        found = std::move(p);
      }
      // Where the densities insist on what was tried already, anything new is worth more.
      if (!found)
        for (Proposal& p : draw_distinct(space_, 1, own.stream("elsewhere"), taken)) found = std::move(p);
      if (found) out.push_back(std::move(*found));
    }
    return out;
  }
  std::size_t left(std::size_t made) const override { return options_.trials - std::min(made, options_.trials); }
  std::size_t settings() const override { return options_.trials; }

 private:
  using Points = std::vector<const std::vector<double>*>;

  // The best share of what was tried, and the rest.
  static std::pair<Points, Points> parted(std::span<const Tried> history) {
    std::vector<std::size_t> order(history.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return history[a].value > history[b].value; });
    const auto n_good = static_cast<std::size_t>(std::ceil(kGood * static_cast<double>(history.size())));
    std::pair<Points, Points> out;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const bool good = i < n_good && history[order[i]].value > Tried::kFailed;
      (good ? out.first : out.second).push_back(&history[order[i]].proposal.point);
    }
    return out;
  }

  // Coordinates of candidates along one dimension, and how much likelier each is among the good.
  template <class Density>
  static void draw(const Density& good, const Density& bad, Rng& rng, std::vector<double>& points,
                   std::vector<double>& scores) {
    for (std::size_t c = 0; c < kCandidates; ++c) {
      points[c] = good.draw(rng);
      scores[c] += std::log(good.density(points[c])) - std::log(bad.density(points[c]));
    }
  }

  Proposal propose(const Points& good, const Points& bad, Rng& rng) const {
    const std::size_t n_dimensions = space_.dimensions().size();
    std::vector<double> scores(kCandidates, 0.0);
    std::vector<std::vector<double>> points(n_dimensions, std::vector<double>(kCandidates));
    for (std::size_t d = 0; d < n_dimensions; ++d) {
      const auto along = [&](const Points& all) {
        std::vector<double> out;
        for (const std::vector<double>* point : all) out.push_back((*point)[d]);
        return out;
      };
      if (const std::size_t n = space_.dimensions()[d].choices.size(); n > 0)
        draw(Counts(along(good), n), Counts(along(bad), n), rng, points[d], scores);
      else
        draw(Parzen(along(good)), Parzen(along(bad)), rng, points[d], scores);
    }
    const auto best = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    Proposal p;
    for (std::size_t d = 0; d < n_dimensions; ++d) p.point.push_back(points[d][best]);
    p.settings = space_.settings(p.point);
    return p;
  }

  SearchSpace space_;
  TpeOptions options_;
};

}  // namespace

std::unique_ptr<Strategy> tpe_search(SearchSpace space, const TpeOptions& options) {
  return std::make_unique<Tpe>(std::move(space), options);
}

}  // namespace segue
