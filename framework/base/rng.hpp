// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
//
// Randomness is a function of position, not of time: rng.stream("negatives", epoch, user) is the same generator
// whichever thread asks, and in whatever order. Distributions are our own, since the standard library's differ
// between vendors.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace segue {

// One Philox4x32-10 block: 128 counter bits and a 64-bit key give 128 random bits.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

class Rng {
 public:
  explicit Rng(std::uint64_t seed = 0);

  // A generator of its own for a named purpose and a position. Independent of how far this one has been drawn.
  Rng stream(std::string_view name, std::uint64_t a = 0, std::uint64_t b = 0, std::uint64_t c = 0) const;
  std::uint64_t seed() const { return key_; }

  std::uint32_t next_u32() {
    if (used_ == filled_) refill();
    return buffer_[used_++];
  }
  std::uint64_t next_u64();
  double uniform();                               // [0, 1), 53 bits
  float uniform_float();                          // [0, 1), 24 bits
  std::uint64_t below(std::uint64_t n);           // uniform on [0, n), unbiased; n > 0
  std::uint32_t below32(std::uint32_t n) {        // the same of half the bits, at half the cost
    std::uint64_t product = std::uint64_t{next_u32()} * n;
    if (static_cast<std::uint32_t>(product) < n) {  // Lemire's rejection, as in below()
      const std::uint32_t threshold = (0 - n) % n;
      while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{next_u32()} * n;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }
  double normal();                                // mean 0, variance 1 (Box-Muller)
  double exponential();                           // mean 1
  void fill_normal(std::span<float> out, float mean, float stddev);

  template <class T>
  void shuffle(std::span<T> values) {  // Fisher-Yates
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
  }
  // `count` distinct values of [0, n), in drawn order; count <= n.
  std::vector<std::uint64_t> sample_without_replacement(std::uint64_t n, std::size_t count);

 private:
  void refill();
  std::uint64_t key_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 32> buffer_{};  // one block at first, since many streams give a few numbers; then eight at once
  unsigned used_ = 0, filled_ = 0;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

}  // namespace segue
