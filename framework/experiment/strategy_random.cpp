#include <algorithm>
#include <set>

#include "framework/base/errors.hpp"
#include "framework/experiment/strategy.hpp"
#include "framework/param/grid.hpp"

namespace segue {

std::optional<std::size_t> Strategy::winner(std::span<const Tried> history) const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history[i].value > (best ? history[*best].value : Tried::kFailed)) best = i;
  return best;
}

namespace {

class OneRound : public Strategy {
 public:
  explicit OneRound(std::vector<Proposal> proposals) : proposals_(std::move(proposals)) {}
  std::vector<Proposal> next(std::span<const Tried> history) const override {
    return history.empty() ? proposals_ : std::vector<Proposal>{};
  }
  std::size_t left(std::size_t made) const override { return proposals_.size() - std::min(made, proposals_.size()); }
  std::size_t settings() const override { return proposals_.size(); }

 private:
  std::vector<Proposal> proposals_;
};

// Centres of the cells of a finite dimension.
double centre(std::size_t i, std::size_t n) { return (static_cast<double>(i) + 0.5) / static_cast<double>(n); }

}  // namespace

std::vector<Proposal> draw_distinct(const SearchSpace& space, std::size_t count, Rng rng,
                                    std::vector<std::string>& taken) {
  std::set<std::string> seen(taken.begin(), taken.end());
  std::vector<Proposal> out;
  // Enough that the last unseen point of a small space is found; spaces with fewer points than trials are enumerated.
  for (std::size_t attempts = 0; out.size() < count && attempts < 1000 * count; ++attempts) {
    Proposal p;
    for (std::size_t i = 0; i < space.dimensions().size(); ++i) p.point.push_back(rng.uniform());
    p.settings = space.settings(p.point);
    const std::string text = p.settings.canonical();
    if (!seen.insert(text).second) continue;
    taken.push_back(text);
    out.push_back(std::move(p));
  }
  return out;
}

std::unique_ptr<Strategy> random_search(SearchSpace space, std::size_t trials, std::uint64_t seed) {
  const std::optional<std::size_t> size = space.size();
  std::vector<Proposal> proposals;
  if (size && *size <= trials) {
    for (std::size_t n = 0; n < *size; ++n) {
      Proposal p;
      std::size_t rest = n;
      for (const Dimension& d : space.dimensions()) {
        p.point.push_back(centre(rest % *d.size(), *d.size()));
        rest /= *d.size();
      }
      p.settings = space.settings(p.point);
      proposals.push_back(std::move(p));
    }
  } else {
    std::vector<std::string> taken;
    proposals = draw_distinct(space, trials, Rng(seed).stream("random search"), taken);
  }
  return std::make_unique<OneRound>(std::move(proposals));
}

std::unique_ptr<Strategy> grid_search(const SearchSpace& space, std::size_t most, const std::string& what) {
  Value values = Value::map();
  std::string sizes;
  std::size_t points = 1;
  for (const Dimension& d : space.dimensions()) {
    std::vector<Value> of_this = d.grid(what);
    points = std::min(points * of_this.size(), std::size_t{1} << 40);
    sizes += fmt::format("{}{} {}", sizes.empty() ? "" : " x ", d.name, of_this.size());
    values.set(d.name, Value::list(std::move(of_this)));
  }
  if (most > 0 && points > most) {
    throw UsageError("the grid of {} has more points ({}) than trials: {}; give more trials, or fewer values", what,
                     sizes, most);
  }
  std::vector<Proposal> proposals;
  for (auto& [settings, label] : expand_grid(values, {})) proposals.push_back({std::move(settings), {}, 0});
  return std::make_unique<OneRound>(std::move(proposals));
}

}  // namespace segue
