// Interactions of any size with the two properties that decide how fast and how hungry a recommender is, a long tail and
// a long-tailed activity, and with latent tastes that a model can find. Built straight into columns: 25 bytes an event.
#include "datasets/synthetic/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/base/rng.hpp"
#include "framework/data/loader.hpp"

namespace segue::synthetic {

Schema<Params> Params::schema() {
  using P = Params;
  Schema<P> s;
  s.field("seed", &P::seed, "everything follows from it");
  s.field("users", &P::users, "users, each with at least one event").range(1, 100'000'000);
  s.field("items", &P::items, "items; some of the tail may stay without an event").range(8, 100'000'000);
  s.field("interactions", &P::interactions, "events, each another pair of user and item").range(1, 4'000'000'000);
  s.field("zipf", &P::zipf, "popularity of the r-th item: (r + 20)^-zipf").range(0.0, 3.0);
  s.field("activity", &P::activity, "standard deviation of the logarithm of a user's number of events").range(0.0, 3.0);
  s.field("factors", &P::factors, "dimensions of taste; 0: none, popularity alone").range(0, 64);
  s.field("taste", &P::taste, "standard deviation of the log-odds that a taste puts on an item").range(0.0, 20.0);
  s.field("ratings", &P::ratings, "stars from 1 to 5 instead of plays");
  s.field("days", &P::days, "length of the period, which begins on 2024-01-01").range(1, 3650);
  return s;
}

namespace {

constexpr std::int64_t kBegin = 1'704'067'200, kDay = 86'400;

// Walker's alias table: a draw costs one column and one comparison.
class Alias {
 public:
  explicit Alias(const std::vector<double>& weights) : keep_(weights.size()), other_(weights.size()) {
    const double scale = static_cast<double>(weights.size()) / std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<std::uint32_t> small, large;
    std::vector<double> height(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      height[i] = weights[i] * scale;
      (height[i] < 1 ? small : large).push_back(static_cast<std::uint32_t>(i));
    }
    std::fill(keep_.begin(), keep_.end(), 1.0);
    while (!small.empty() && !large.empty()) {
      const std::uint32_t s = small.back(), l = large.back();
      small.pop_back();
      keep_[s] = height[s];
      other_[s] = l;
      height[l] -= 1 - height[s];
      if (height[l] < 1) large.pop_back(), small.push_back(l);
    }
  }
  std::uint32_t draw(Rng& rng) const {
    const auto column = static_cast<std::uint32_t>(rng.below(keep_.size()));
    return rng.uniform() < keep_[column] ? column : other_[column];
  }

 private:
  std::vector<double> keep_;
  std::vector<std::uint32_t> other_;
};

// Item weights by rank, and which item has which rank: neighbours in the catalogue are no neighbours in popularity.
std::vector<double> popularity(const Params& p) {
  std::vector<std::uint32_t> rank(static_cast<std::size_t>(p.items));
  std::iota(rank.begin(), rank.end(), 0u);
  Rng(p.seed).stream("ranks").shuffle(std::span(rank));
  std::vector<double> weight(rank.size());
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = std::pow(static_cast<double>(rank[i]) + 20, -p.zipf);
  return weight;
}

// Events a user: one and a log-normal share of the rest, up to the cap; the shares grow until the sum is what was asked for.
std::vector<std::uint32_t> activity(const Params& p) {
  const auto n = static_cast<std::size_t>(p.users);
  const auto most = static_cast<double>(most_events(p));
  std::vector<double> share(n);
  for (std::size_t u = 0; u < n; ++u) share[u] = std::exp(p.activity * Rng(p.seed).stream("activity", u).normal());
  const auto events = [&](std::size_t u, double scale) { return std::min(1 + scale * share[u], most); };
  double low = 0, high = most / *std::min_element(share.begin(), share.end());
  for (int step = 0; step < 100; ++step) {
    const double middle = (low + high) / 2;
    double sum = 0;
    for (std::size_t u = 0; u < n; ++u) sum += events(u, middle);
    (sum < static_cast<double>(p.interactions) ? low : high) = middle;
  }
  std::vector<std::uint32_t> out(n);
  double before = 0;  // whole numbers that add up: differences of a rounded running sum
  for (std::size_t u = 0; u < n; ++u) {
    const double until = before + events(u, high);
    out[u] = static_cast<std::uint32_t>(std::min(std::llround(until) - std::llround(before), static_cast<long long>(most)));
    before = until;
  }
  return out;
}

std::vector<float> vectors(const Params& p, std::string_view name, std::uint64_t n) {
  std::vector<float> out(n * static_cast<std::size_t>(p.factors));
  Rng(p.seed).stream(name).fill_normal(out, 0, 1);
  return out;
}

StringTable numbers(std::int64_t n) {
  std::vector<std::string> ids;
  ids.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 1; i <= n; ++i) ids.push_back(std::to_string(i));
  return StringTable(ids);
}

}  // namespace

std::int64_t most_events(const Params& p) { return std::max<std::int64_t>(1, p.items / 8); }

Dataset make(const Params& p) {
  if (p.interactions < p.users)
    throw UsageError("data set 'synthetic': interactions = {} is less than users = {}; every user has an event", p.interactions, p.users);
  if (p.interactions > p.users * most_events(p) / 2)
    throw UsageError("data set 'synthetic': {} interactions are more than {} users can have, each with at most an eighth of {} items; "
                     "ask for more users, more items or at most {}", p.interactions, p.users, p.items, p.users * most_events(p) / 2);
  const auto n_users = static_cast<std::size_t>(p.users), n_items = static_cast<std::size_t>(p.items);
  const auto d = static_cast<std::size_t>(p.factors);
  const Alias popular(popularity(p));
  const std::vector<std::uint32_t> events = activity(p);
  const std::vector<float> item_taste = vectors(p, "items", n_items), item_bias = [&] {
    std::vector<float> out(n_items);
    Rng(p.seed).stream("quality").fill_normal(out, 0, 1);
    return out;
  }();
  const float unit = d == 0 ? 0.f : 1 / std::sqrt(static_cast<float>(d));  // <taste, taste> * unit has variance 1

  const std::size_t n = std::accumulate(events.begin(), events.end(), std::size_t{0});
  std::vector<UserIdx> users;
  std::vector<ItemIdx> items;
  std::vector<std::int64_t> times;
  std::vector<float> values;
  users.reserve(n), items.reserve(n), times.reserve(n), values.reserve(n);
  std::vector<std::uint32_t> had_by(n_items, 0);  // the last user who drew the item, plus one
  std::vector<float> taste(d);
  struct Drawn {
    std::int64_t time;
    std::uint32_t item;
    float stars;
    auto operator<=>(const Drawn&) const = default;
  };
  std::vector<Drawn> drawn;
  for (std::size_t u = 0; u < n_users; ++u) {
    Rng rng = Rng(p.seed).stream("user", u);
    rng.fill_normal(taste, 0, 1);
    const auto generosity = static_cast<float>(rng.normal());
    drawn.clear();
    // Taste decides by rejection; whoever finds nothing new to his taste takes what is popular, and then stops.
    const std::size_t patience = 32 * std::size_t{events[u]} + 256;
    for (std::size_t tries = 0; drawn.size() < events[u] && tries < patience; ++tries) {
      const std::uint32_t item = popular.draw(rng);
      if (had_by[item] == u + 1) continue;
      float liking = 0;
      for (std::size_t k = 0; k < d; ++k) liking += taste[k] * item_taste[item * d + k];
      liking *= unit;
      const double odds = static_cast<double>(liking) * p.taste;
      if (d > 0 && tries < patience / 2 && rng.uniform() * (1 + std::exp(-odds)) > 1) continue;
      had_by[item] = static_cast<std::uint32_t>(u + 1);
      const auto time = kBegin + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(p.days * kDay)));
      float stars = 1;
      if (p.ratings) {
        const float noise = static_cast<float>(rng.normal());
        stars = std::clamp(std::round(3.6f + 0.4f * generosity + 0.4f * item_bias[item] + 0.6f * liking + 0.7f * noise), 1.f, 5.f);
      }
      drawn.push_back({time, item, stars});
    }
    std::sort(drawn.begin(), drawn.end());  // by time, then item: the canonical order of a log
    for (const Drawn& e : drawn) {
      users.push_back(user_at(u));
      items.push_back(item_at(e.item));
      times.push_back(e.time);
      values.push_back(e.stars);
    }
  }

  Dataset out;
  out.name = "synthetic";
  out.title = "Synthetic interactions";
  out.facets.set_dataset_name(out.name);
  out.has_times = true;
  out.has_ratings = p.ratings;
  out.users = Vocab(numbers(p.users));
  out.items = Vocab(numbers(p.items));
  const std::size_t made = users.size();
  out.events = Events(std::move(users), std::move(items), std::move(times),
                      std::vector<EventKind>(made, p.ratings ? EventKind::kRating : EventKind::kPlay), std::move(values),
                      std::vector<std::uint32_t>(made, 0));
  out.notes.push_back(fmt::format("generated from seed {}; not evidence about real listeners", p.seed));
  if (made < static_cast<std::size_t>(p.interactions))
    out.notes.push_back(fmt::format("{} events fewer than asked for: users who found nothing new in many tries",
                                    static_cast<std::size_t>(p.interactions) - made));
  return out;
}

class Loader final : public DatasetLoader {
 public:
  std::vector<std::filesystem::path> files(const Value&, const DataRoots&) const override { return {}; }
  Dataset load(const Value& given, const DataRoots&) const override {
    return make(Params::schema().parse(given, "data set 'synthetic'"));
  }
};

}  // namespace segue::synthetic

SEGUE_DATASET(synthetic, segue::synthetic::Params, segue::synthetic::Loader,
              {"synthetic",
               "generated interactions of any size, with a long tail and latent tastes; for speed and memory; needs no files",
               "generated by Segue; free of rights",
               "datasets/synthetic, from a seed",
               {}})
