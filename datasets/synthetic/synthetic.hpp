// Generated interactions of any size: Zipf popularity, log-normal activity, latent tastes.
#pragma once

#include <cstdint>

#include "framework/data/dataset.hpp"
#include "framework/param/schema.hpp"

namespace segue::synthetic {

struct Params {
  std::uint64_t seed = 1;
  std::int64_t users = 10'000, items = 5'000, interactions = 1'000'000;
  double zipf = 0.8;
  double activity = 1;
  int factors = 8;
  double taste = 3;
  bool ratings = false;
  int days = 365;
  static Schema<Params> schema();
};

// A user's events are distinct items, drawn from the popularities and kept with probability 1 / (1 + exp(-taste s)), s the
// product of two normal vectors scaled to variance 1. UsageError where the numbers do not fit each other.
Dataset make(const Params& params);

// No user has more: an eighth of the catalogue.
std::int64_t most_events(const Params& params);

}  // namespace segue::synthetic
