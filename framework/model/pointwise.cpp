#include "framework/model/pointwise.hpp"

#include <algorithm>
#include <bit>

#include "framework/model/pairwise.hpp"

namespace segue {

namespace {

constexpr std::size_t kUserBlock = 64;
constexpr std::size_t kBucket = 1 << 14;  // samples that are shuffled together, in cache

// The item of that rank, from 0, among those that an ascending row lacks: behind the first k with row[k] - k > rank, of
// which each is the number of lacking items before row[k].
std::uint32_t lacking_item(std::span<const ItemIdx> row, std::uint32_t rank) {
  std::uint32_t low = 0, high = static_cast<std::uint32_t>(row.size());
  while (low < high) {
    const std::uint32_t middle = (low + high) / 2;
    if (raw(row[middle]) - middle > rank)
      high = middle;
    else
      low = middle + 1;
  }
  return rank + low;
}

}  // namespace

PointwiseSamples::PointwiseSamples(const Csr<ItemIdx>& events, int negatives)
    : positives_(positive_pairs(events)), negatives_(static_cast<std::size_t>(negatives)), first_sample_{0} {
  for (std::size_t u = 0; u < positives_.rows(); ++u) {
    const std::size_t n = positives_.row_size(u);
    first_sample_.push_back(first_sample_.back() + (n == positives_.cols() ? n : n * (1 + negatives_)));
  }
  const std::size_t n = first_sample_.back();
  buckets_ = std::bit_ceil(n / kBucket + 1);
  users_.resize(n);
  items_.resize(n);
  labels_.resize(n);
}

template <class Visit>
void PointwiseSamples::each_sample(std::size_t user, const Rng& rng, int epoch, Visit visit) const {
  const std::span<const ItemIdx> row = positives_.indices(user);
  if (row.empty()) return;
  Rng draws = rng.stream("negatives", static_cast<std::uint64_t>(epoch), user);
  const auto n_items = static_cast<std::uint32_t>(positives_.cols());
  for (const ItemIdx item : row) {
    visit(raw(item), 1.0f);
    if (row.size() == n_items) continue;
    for (std::size_t n = 0; n < negatives_; ++n) {
      if (row.size() > n_items / 2) {  // rejection would go on for long
        visit(lacking_item(row, draws.below32(n_items - static_cast<std::uint32_t>(row.size()))), 0.0f);
        continue;
      }
      std::uint32_t other = draws.below32(n_items);
      while (has_item(row, other)) other = draws.below32(n_items);
      visit(other, 0.0f);
    }
  }
}

// Rao 1961 and Sandelius 1962: samples are dealt to buckets at random, then each bucket is shuffled. That is a uniform
// permutation, and its random accesses stay in cache.
void PointwiseSamples::draw(int epoch, const Rng& rng, const Executor& exec) {
  const std::size_t n_users = positives_.rows(), blocks = (n_users + kUserBlock - 1) / kUserBlock;
  const auto e = static_cast<std::uint64_t>(epoch);
  dealt_.resize(size());
  const auto each_of_block = [&](std::size_t block, auto visit) {
    Rng deal = rng.stream("deal", e, block);
    for (std::size_t u = block * kUserBlock; u < std::min(n_users, (block + 1) * kUserBlock); ++u)
      each_sample(u, rng, epoch, [&](std::uint32_t item, float label) {
        visit(deal.next_u32() & (buckets_ - 1), Sample{static_cast<std::uint32_t>(u), item, label});
      });
  };
  // Where the samples of each block begin in each bucket: their number is counted without drawing the items.
  std::vector<std::uint64_t> places(blocks * buckets_, 0), starts(buckets_ + 1, 0);
  exec.for_blocks(blocks, 1, [&](std::size_t block, std::size_t) {
    Rng deal = rng.stream("deal", e, block);
    const std::size_t end = std::min(n_users, (block + 1) * kUserBlock);
    for (std::uint64_t s = first_sample_[block * kUserBlock]; s < first_sample_[end]; ++s)
      ++places[block * buckets_ + (deal.next_u32() & (buckets_ - 1))];
  });
  std::uint64_t next = 0;
  for (std::size_t bucket = 0; bucket < buckets_; ++bucket) {
    starts[bucket] = next;
    for (std::size_t block = 0; block < blocks; ++block) next += std::exchange(places[block * buckets_ + bucket], next);
  }
  starts[buckets_] = next;
  exec.for_blocks(blocks, 1, [&](std::size_t block, std::size_t) {
    each_of_block(block, [&](std::size_t bucket, const Sample& s) { dealt_[places[block * buckets_ + bucket]++] = s; });
  });
  exec.for_blocks(buckets_, 1, [&](std::size_t bucket, std::size_t) {
    const std::size_t begin = starts[bucket], end = starts[bucket + 1];
    rng.stream("shuffle", e, bucket).shuffle(std::span(dealt_).subspan(begin, end - begin));
    for (std::size_t s = begin; s < end; ++s) {
      users_[s] = dealt_[s].user;
      items_[s] = dealt_[s].item;
      labels_[s] = dealt_[s].label;
    }
  });
}

}  // namespace segue
