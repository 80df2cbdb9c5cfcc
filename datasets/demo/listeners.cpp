// Who listens: tastes that drift, habits, temperament.
#include <algorithm>
#include <cmath>

#include "datasets/demo/world.hpp"

namespace segue::demo {
namespace {

using Taste = std::array<double, kGenres>;

std::size_t pick_kin(std::size_t genre, Rng& rng) {
  Cumulative table;
  for (const double share : genre_kinship()[genre]) table.add(share);
  return table.pick(rng);
}

void blend(Taste& taste, std::size_t anchor, double share) {
  // Most of a liking is for the genre itself, the rest spreads over its kin.
  for (std::size_t g = 0; g < kGenres; ++g) taste[g] += 0.35 * share * genre_kinship()[anchor][g];
  taste[anchor] += 0.65 * share;
}

Taste background() {
  Taste out{};
  double sum = 0;
  for (std::size_t g = 0; g < kGenres; ++g) sum += out[g] = genres()[g].weight;
  for (double& share : out) share /= sum;
  return out;
}

}  // namespace

void make_listeners(World& world, const Rng& rng) {
  const Taste everyone = background();
  Cumulative by_weight;
  for (const double share : everyone) by_weight.add(share);
  for (std::size_t u = 0; u < static_cast<std::size_t>(world.params.users); ++u) {
    Rng draw = rng.stream("listener", u);
    Listener l;
    const std::size_t home = by_weight.pick(draw);
    const std::size_t second = draw.uniform() < 0.5 ? pick_kin(home, draw) : by_weight.pick(draw);
    const std::size_t discovery = draw.uniform() < 0.7 ? pick_kin(second, draw) : by_weight.pick(draw);
    const double breadth = 0.04 + 0.14 * draw.uniform();
    const double main = 0.45 + 0.3 * draw.uniform();
    const double turn = draw.uniform();  // how much of the taste moves on; nothing for some, half for others
    const double moved = turn < 0.25 ? 0 : 0.55 * turn;
    Taste before{};
    blend(before, home, main);
    blend(before, second, 1 - main);
    Taste after{};
    blend(after, discovery, 1);
    for (std::size_t g = 0; g < kGenres; ++g) {
      l.taste_before[g] = (1 - breadth) * before[g] + breadth * everyone[g];
      l.taste_after[g] = (1 - moved) * l.taste_before[g] + moved * after[g];
    }
    l.turn_day = (0.3 + 0.5 * draw.uniform()) * world.params.days;
    for (double& x : l.style) x = draw.normal();
    l.repeat = std::clamp(0.16 + 0.08 * draw.normal(), 0.03, 0.6);
    l.explore = std::clamp(0.06 * std::exp(0.5 * draw.normal()), 0.01, 0.4);
    l.impatience = 0.6 * draw.normal();
    l.tagging = draw.uniform() < 0.3 ? 0.4 * draw.uniform() : 0;
    l.sessions =
        std::max(2.0, world.params.sessions * std::exp(0.8 * draw.normal() - 0.32));  // mean of exp(.8z) is exp(.32)
    l.joined_day = draw.uniform() < 0.7 ? 0 : static_cast<int>(draw.uniform() * 0.8 * world.params.days);
    for (double& weight : l.hours) weight = draw.exponential();
    world.listeners.push_back(l);
  }
}

std::array<double, kGenres> taste_at(const Listener& listener, double day) {
  constexpr double kPace = 10;  // days in which most of the change takes place, to either side
  const double after = 1 / (1 + std::exp(-(day - listener.turn_day) / kPace));
  Taste out{};
  for (std::size_t g = 0; g < kGenres; ++g)
    out[g] = (1 - after) * listener.taste_before[g] + after * listener.taste_after[g];
  return out;
}

}  // namespace segue::demo
