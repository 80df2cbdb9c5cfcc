// The rating baseline mu + b_u + b_i: how high everybody rates, how generous a user is, how well liked an item is.
// Koren 2010, "Factor in the neighbors: scalable and accurate collaborative filtering", TKDD 4(1), section 2.1.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/ids.hpp"
#include "framework/linalg/csr.hpp"

namespace segue {

struct RatingBias {
  double mean = 0;          // mu, the mean of all ratings; 0 without any
  std::vector<float> user;  // b_u, one a user
  std::vector<float> item;  // b_i, one an item

  // 0 for users and items that the fit did not see, kNoUser and kNoItem included.
  double user_bias(UserIdx u) const { return raw(u) < user.size() ? double{user[raw(u)]} : 0; }
  double item_bias(ItemIdx i) const { return raw(i) < item.size() ? double{item[raw(i)]} : 0; }
  double predict(UserIdx u, ItemIdx i) const { return mean + user_bias(u) + item_bias(i); }
  // b_u of somebody who is not in the data: sum(r - mu - b_i) / (reg_user + n); 0 without ratings.
  double bias_of(std::span<const ItemIdx> items, std::span<const float> ratings, double reg_user) const;
};

// Lowers sum (r - mu - b_u - b_i)^2 + reg_user sum b_u^2 + reg_item sum b_i^2 by alternating least squares from zero,
// items before users. One sweep gives Koren's decoupled estimates, many sweeps the minimum. Regularisations >= 0,
// sweeps >= 0.
RatingBias fit_rating_bias(const Csr<ItemIdx>& by_user, double reg_user, double reg_item, int sweeps,
                           const Executor& exec);

}  // namespace segue
