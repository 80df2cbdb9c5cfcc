#include "framework/model/ranking.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace segue {

namespace {

// Kept beyond what is wanted, so that cuts are few and need not be exact.
std::size_t slack(std::size_t wanted) { return wanted / 4 + 16; }

constexpr int kBisections = 32;
constexpr std::size_t kCounted = 2048;  // up to here, counting who is better beats sorting

}  // namespace

CandidateBits::CandidateBits(std::size_t items, std::span<const std::uint8_t> flags)
    : words_((items + 31) / 32, ~std::uint32_t{0}), count_(items) {
  if (items % 32 != 0) words_.back() >>= 32 - items % 32;
  if (flags.empty()) return;
  count_ = 0;
  for (std::size_t w = 0; w < words_.size(); ++w) {
    std::uint32_t word = 0;
    const std::size_t n = std::min<std::size_t>(32, items - w * 32);
    for (std::size_t l = 0; l < n; l += 8) {  // eight flags in one number: what is not zero becomes 1, then one bit
      std::uint64_t eight = 0;
      std::memcpy(&eight, flags.data() + w * 32 + l, std::min<std::size_t>(8, n - l));
      constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
      eight = ((((eight & kLow) + kLow) | eight) & ~kLow) >> 7;
      word |= static_cast<std::uint32_t>(eight * 0x0102040810204080 >> 56) << l;
    }
    words_[w] = word;
    count_ += static_cast<std::size_t>(std::popcount(word));
  }
}

void QueryRanker::begin(std::size_t k, const TieKeys& ties, std::size_t places, std::span<const ItemIdx> items) {
  ties_ = ties;
  items_ = items;
  wanted_ = std::min(k, places) + 1;
  size_ = 0;
  bar_ = std::numeric_limits<float>::lowest();  // anything but -inf
  scores_.resize(std::min(wanted_ + slack(wanted_), places) + 2 * kRoom);
  places_.resize(scores_.size());
  truth_.clear();
}

bool QueryRanker::better(std::size_t a, std::size_t b) const {
  if (scores_[a] != scores_[b]) return scores_[a] > scores_[b];
  const ItemIdx item_a = item(places_[a]), item_b = item(places_[b]);
  const std::uint64_t tie_a = ties_(item_a), tie_b = ties_(item_b);
  return tie_a != tie_b ? tie_a < tie_b : item_a < item_b;
}

// What vectors read behind the kept is in no list.
void QueryRanker::pad() {
  std::fill_n(scores_.begin() + static_cast<std::ptrdiff_t>(size_), Lanes::kCount, kCannotScore);
}

std::size_t QueryRanker::count_at_least(float bar) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size_; i += Lanes::kCount)
    count += static_cast<std::size_t>(std::popcount(at_least(Lanes::load(&scores_[i]), Lanes::all(bar))));
  return count;
}

// Raises the bar to where enough pass and few more, by bisection: no branch but the last of it depends on a score.
void QueryRanker::cut() {
  const std::size_t enough = wanted_ + slack(wanted_) / 2;
  if (size_ <= enough) return;
  pad();
  float low = bar_, high = bar_;
  if (low == std::numeric_limits<float>::lowest())
    low = *std::min_element(scores_.begin(), scores_.begin() + static_cast<std::ptrdiff_t>(size_));
  for (std::size_t i = 0; i < size_; ++i) high = scores_[i] > high ? scores_[i] : high;
  std::size_t passing = size_;  // those at `low` or above
  for (int step = 0; step < kBisections && passing > enough; ++step) {
    const float middle = low / 2 + high / 2;
    const std::size_t count = count_at_least(middle);
    if (count < wanted_) {
      high = middle;
    } else {
      low = middle;
      passing = count;
    }
  }
  bar_ = low;
  std::size_t left = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    scores_[left] = scores_[i];
    places_[left] = places_[i];
    left += scores_[i] >= low;
  }
  size_ = left;
  if (size_ > enough) cut_ties();
}

// Exactly those wanted: many scores are equal.
void QueryRanker::cut_ties() {
  std::vector<std::size_t> order(size_);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto last = order.begin() + static_cast<std::ptrdiff_t>(wanted_ - 1);
  std::nth_element(order.begin(), last, order.end(), [this](std::size_t a, std::size_t b) { return better(a, b); });
  bar_ = scores_[*last];
  std::sort(order.begin(), last + 1);
  for (std::size_t i = 0; i < wanted_; ++i) {
    scores_[i] = scores_[order[i]];
    places_[i] = places_[order[i]];
  }
  size_ = wanted_;
}

void QueryRanker::best(std::vector<Scored>& out) {
  cut();
  pad();
  out.resize(size_);
  if (size_ > kCounted) {
    std::vector<std::size_t> order(size_);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) { return better(a, b); });
    for (std::size_t i = 0; i < size_; ++i) out[i] = {scores_[order[i]], item(places_[order[i]])};
  } else {
    for (std::size_t i = 0; i < size_; ++i) {
      const Lanes own = Lanes::all(scores_[i]);
      std::size_t before = 0, equal = 0;
      for (std::size_t j = 0; j < size_; j += Lanes::kCount) {
        const Lanes others = Lanes::load(&scores_[j]);
        before += static_cast<std::size_t>(std::popcount(above(others, own)));
        equal += static_cast<std::size_t>(std::popcount(at_least(others, own)));
      }
      if (equal > before + 1)
        for (std::size_t j = 0; j < size_; ++j) before += scores_[j] == scores_[i] && j != i && better(j, i);
      out[before] = {scores_[i], item(places_[i])};
    }
  }
  out.resize(std::min(size_, wanted_));
}

void QueryRanker::count_ties(Truth& t, std::size_t first, std::uint32_t equal) const {
  for (; equal != 0; equal &= equal - 1) {
    const ItemIdx other = item(first + static_cast<std::size_t>(std::countr_zero(equal)));
    if (other == t.item) continue;
    ++t.tied;
    if (t.score == kCannotScore) continue;  // has no rank
    const std::uint64_t tie = ties_(other);
    t.tied_before += tie != t.tie ? tie < t.tie : other < t.item;
  }
}

}  // namespace segue
