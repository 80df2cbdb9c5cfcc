#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/experiment/strategy.hpp"

namespace segue {

std::vector<HalvingRound> halving_rounds(std::size_t trials, int epochs, int factor, int min_epochs) {
  SEGUE_CHECK(trials > 0 && epochs > 0 && factor > 1 && min_epochs > 0, "halving of {} trials over {} epochs by {}",
              trials, epochs, factor);
  const auto by = static_cast<std::size_t>(factor);
  const std::size_t most = std::min(trials, std::max<std::size_t>(1, static_cast<std::size_t>(epochs / min_epochs)));
  int rounds = 1;
  for (std::size_t power = by; power <= most; power *= by) ++rounds;
  std::vector<HalvingRound> out;
  std::size_t settings = trials;
  for (int i = 0; i < rounds; ++i) {
    out.push_back({std::max<std::size_t>(1, settings),
                   std::max(1, static_cast<int>(std::lround(epochs * std::pow(factor, i - (rounds - 1)))))});
    settings /= by;
  }
  return out;
}

namespace {

class Halving : public Strategy {
 public:
  Halving(SearchSpace space, std::vector<HalvingRound> rounds, std::uint64_t seed) : rounds_(std::move(rounds)) {
    // The space may hold fewer settings than were asked for.
    const std::unique_ptr<Strategy> random = random_search(std::move(space), rounds_.front().settings, seed);
    first_ = random->next({});
    for (HalvingRound& r : rounds_) r.settings = std::min(r.settings, first_.size());
    for (Proposal& p : first_) p.epochs = rounds_.front().epochs;
  }

  std::vector<Proposal> next(std::span<const Tried> history) const override {
    if (history.empty()) return first_;
    const std::size_t round = round_after(history.size());
    if (round == rounds_.size()) return {};
    const std::span<const Tried> last = history.last(rounds_[round - 1].settings);
    std::vector<std::size_t> order(last.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return last[a].value > last[b].value; });
    order.resize(rounds_[round].settings);
    std::sort(order.begin(), order.end());
    std::vector<Proposal> out;
    for (const std::size_t i : order) {
      out.push_back(last[i].proposal);
      out.back().epochs = rounds_[round].epochs;
    }
    return out;
  }
  std::size_t left(std::size_t made) const override {
    std::size_t all = 0;
    for (const HalvingRound& r : rounds_) all += r.settings;
    return all - std::min(made, all);
  }
  double cost(std::size_t made) const override {
    double all = 0;
    for (const HalvingRound& r : rounds_) {
      const std::size_t over = std::min(made, r.settings);
      made -= over;
      all += static_cast<double>(r.settings - over) * r.epochs / rounds_.back().epochs;
    }
    return all;
  }
  std::size_t settings() const override { return first_.size(); }
  // Of the last round: fewer epochs cannot be compared with more.
  std::optional<std::size_t> winner(std::span<const Tried> history) const override {
    const std::size_t last = std::min(history.size(), rounds_.back().settings);
    const std::optional<std::size_t> best = Strategy::winner(history.last(last));
    return best ? std::optional(history.size() - last + *best) : std::nullopt;
  }

 private:
  std::size_t round_after(std::size_t made) const {
    std::size_t round = 0;
    for (std::size_t total = 0; round < rounds_.size() && total < made; ++round) total += rounds_[round].settings;
    return round;
  }
  std::vector<HalvingRound> rounds_;
  std::vector<Proposal> first_;
};

}  // namespace

std::unique_ptr<Strategy> halving_search(SearchSpace space, std::size_t trials, int epochs, int factor, int min_epochs,
                                         std::uint64_t seed) {
  return std::make_unique<Halving>(std::move(space), halving_rounds(trials, epochs, factor, min_epochs), seed);
}

}  // namespace segue
