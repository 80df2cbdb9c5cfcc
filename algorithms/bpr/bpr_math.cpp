#include "algorithms/bpr/bpr_math.hpp"

#include <algorithm>
#include <cmath>

namespace segue {

double bpr_steps(FactorModel& model, std::span<const BprTriple> triples, const PairStep& step) {
  constexpr std::size_t kAhead = 6;
  const auto d = static_cast<std::size_t>(model.users.cols());
  float *users = model.users.data(), *items = model.items.data(), *bias = model.item_bias.data();
  LogisticLoss loss;
  for (std::size_t n = 0; n < triples.size(); ++n) {
    if (n + kAhead < triples.size()) {
      const BprTriple& next = triples[n + kAhead];
      prefetch_to_write(users + next.user * d, d);
      prefetch_to_write(items + next.item * d, d);
      prefetch_to_write(items + next.negative * d, d);
    }
    const auto [u, i, j] = triples[n];
    bpr_step(users + u * d, items + i * d, items + j * d, bias[i], bias[j], d, step, loss);
  }
  return loss.sum();
}

NegativeSampler::NegativeSampler(NegativeSampling kind, const Csr<ItemIdx>& positives, float tail)
    : kind_(kind), tail_(tail), count_(positives.cols(), 1) {
  for (ItemIdx item : positives.all_indices()) ++count_[raw(item)];
}

void NegativeSampler::prepare(const PairwiseBlocks& blocks, const FactorModel& model, const Executor& exec) {
  const auto dims = static_cast<std::size_t>(model.items.cols());
  if (kind_ == NegativeSampling::kAdaptive) {
    deviation_.resize(dims);
    exec.for_blocks(dims, 8, [&](std::size_t begin, std::size_t end) {
      for (std::size_t f = begin; f < end; ++f) {
        const auto column = model.items.col(static_cast<Eigen::Index>(f)).cast<double>();
        const double mean = column.mean();
        deviation_[f] = static_cast<float>(std::sqrt((column.array() - mean).square().mean()));
      }
    });
  }
  groups_.resize(blocks.groups());
  exec.for_blocks(groups_.size(), 1, [&](std::size_t h, std::size_t) {
    Group& group = groups_[h];
    group.items = blocks.items(h);
    if (kind_ == NegativeSampling::kPopularity) {
      std::uint64_t total = 0;
      group.cumulative.clear();
      for (std::uint32_t item : group.items) group.cumulative.push_back(total += count_[item]);
    } else if (kind_ == NegativeSampling::kAdaptive) {
      group.ranked.clear();
      std::vector<std::pair<float, std::uint32_t>> order(group.items.size());
      for (std::size_t f = 0; f < dims; ++f) {
        for (std::size_t n = 0; n < order.size(); ++n)
          order[n] = {-model.items.data()[group.items[n] * dims + f], group.items[n]};
        std::sort(order.begin(), order.end());
        for (const auto& [value, item] : order) group.ranked.push_back(item);
      }
    }
  });
}

std::uint32_t NegativeSampler::draw(std::size_t h, std::span<const float> user, Rng& rng) const {
  const Group& group = groups_[h];
  if (kind_ == NegativeSampling::kAdaptive) return draw_adaptive(h, user, rng);
  if (kind_ == NegativeSampling::kPopularity) {
    const std::uint64_t ticket = rng.below(group.cumulative.back());
    const auto at = std::upper_bound(group.cumulative.begin(), group.cumulative.end(), ticket);
    return group.items[static_cast<std::size_t>(at - group.cumulative.begin())];
  }
  return group.items[rng.below32(static_cast<std::uint32_t>(group.items.size()))];
}

std::uint32_t NegativeSampler::draw_adaptive(std::size_t h, std::span<const float> user, Rng& rng) const {
  const Group& group = groups_[h];
  float total = 0;
  for (std::size_t f = 0; f < user.size(); ++f) total += std::abs(user[f]) * deviation_[f];
  float left = rng.uniform_float() * total;
  std::size_t f = 0;
  for (; f + 1 < user.size(); ++f)
    if ((left -= std::abs(user[f]) * deviation_[f]) < 0) break;
  const std::size_t n = group.items.size();
  const auto mean = static_cast<double>(tail_) * static_cast<double>(n);
  // Inverse of the exponential distribution function, cut off at n.
  const double u = rng.uniform();
  const double r = -mean * std::log1p(u * std::expm1(-static_cast<double>(n) / mean));
  const std::size_t rank = std::min(static_cast<std::size_t>(r), n - 1);
  return group.ranked[f * n + (user[f] > 0 ? rank : n - 1 - rank)];
}

}  // namespace segue
