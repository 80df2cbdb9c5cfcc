// Samples for models that learn pair by pair whether a user has an item: every positive pair once an epoch, with fresh
// negatives, all in random order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "framework/base/executor.hpp"
#include "framework/base/ids.hpp"
#include "framework/base/rng.hpp"
#include "framework/linalg/csr.hpp"

namespace segue {

class PointwiseSamples {
 public:
  // events: pairs of positive weight are the positives. negatives: items a positive, uniform on those that the user
  // lacks; users who have every item get none.
  PointwiseSamples(const Csr<ItemIdx>& events, int negatives);

  // The samples of an epoch, a function of (rng, epoch): negatives come from a stream of each user's own, the order is
  // a uniform random permutation. The samples cost 24 bytes each, and a draw 8 bytes for every pair of 64 users and
  // 16,384 samples.
  void draw(int epoch, const Rng& rng, const Executor& exec);

  // Valid until the next draw(); label 1 for positives, 0 for negatives.
  std::span<const std::uint32_t> users() const { return users_; }
  std::span<const std::uint32_t> items() const { return items_; }
  std::span<const float> labels() const { return labels_; }
  std::size_t size() const { return users_.size(); }  // known before the first draw
  const Csr<ItemIdx>& positives() const { return positives_; }

 private:
  struct Sample {
    std::uint32_t user, item;
    float label;
  };
  template <class Visit>
  void each_sample(std::size_t user, const Rng& rng, int epoch, Visit visit) const;

  Csr<ItemIdx> positives_;
  std::size_t negatives_, buckets_;
  std::vector<std::uint64_t> first_sample_;  // of each user, users + 1
  std::vector<Sample> dealt_;
  std::vector<std::uint32_t> users_, items_;
  std::vector<float> labels_;
};

}  // namespace segue
