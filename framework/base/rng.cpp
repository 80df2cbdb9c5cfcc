#include "framework/base/rng.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_map>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/rng_block.hpp"

namespace segue {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c, std::array<std::uint32_t, 2> k) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57u} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  return c;
}

Rng::Rng(std::uint64_t seed) : key_(mix64(seed)) {}

Rng Rng::stream(std::string_view name, std::uint64_t a, std::uint64_t b, std::uint64_t c) const {
  return Rng(mix64(mix64(mix64(mix64(key_, hash64(name)), a), b), c));
}

namespace {

// Eight lanes of 64 bits: GCC 12 unrolls a loop over arrays into scalar code instead.
using EightWords = std::uint64_t __attribute__((vector_size(64)));

// Eight blocks for each of kGroups from counter `first` on, each as philox4x32() has it, side by side in wide registers.
// Rounds wait for their products: four groups at once keep the multiplier busy.
template <int kGroups>
void eight_blocks(std::uint64_t first, std::array<std::uint32_t, 2> k, std::uint32_t* out) {
  constexpr std::uint64_t kLow = 0xffffffffu;
  EightWords c0[kGroups], c1[kGroups], c2[kGroups], c3[kGroups];  // 32 bits each
#pragma GCC unroll 4
  for (int g = 0; g < kGroups; ++g) {
    const EightWords counter = first + static_cast<std::uint64_t>(8 * g) + EightWords{0, 1, 2, 3, 4, 5, 6, 7};
    c0[g] = counter & kLow, c1[g] = counter >> 32, c2[g] = EightWords{}, c3[g] = EightWords{};
  }
  for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 4
    for (int g = 0; g < kGroups; ++g) {
      const EightWords p0 = c0[g] * std::uint64_t{0xD2511F53u}, p1 = c2[g] * std::uint64_t{0xCD9E8D57u};
      c0[g] = (p1 >> 32) ^ c1[g] ^ std::uint64_t{k[0]};
      c1[g] = p1 & kLow;
      c2[g] = (p0 >> 32) ^ c3[g] ^ std::uint64_t{k[1]};
      c3[g] = p0 & kLow;
    }
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  for (int g = 0; g < kGroups; ++g)
    for (int b = 0; b < 8; ++b, out += 4) {
      out[0] = static_cast<std::uint32_t>(c0[g][b]);
      out[1] = static_cast<std::uint32_t>(c1[g][b]);
      out[2] = static_cast<std::uint32_t>(c2[g][b]);
      out[3] = static_cast<std::uint32_t>(c3[g][b]);
    }
}

}  // namespace

void Rng::refill() {
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(key_), static_cast<std::uint32_t>(key_ >> 32)};
  if (block_ == 0) {
    const std::array<std::uint32_t, 4> block = philox4x32({0, 0, 0, 0}, key);
    std::copy(block.begin(), block.end(), buffer_.begin());
    filled_ = 4;
  } else {
    eight_blocks<1>(block_, key, buffer_.data());
    filled_ = 32;
  }
  block_ += filled_ / 4;
  used_ = 0;
}

void draws_of(const Rng& rng, std::uint64_t first, std::span<std::uint32_t> out) {
  SEGUE_CHECK(first % 4 == 0, "draws from number {} on", first);
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(rng.seed()),
                                         static_cast<std::uint32_t>(rng.seed() >> 32)};
  std::uint64_t block = first / 4;
  std::size_t n = 0;
  for (; n + 128 <= out.size(); n += 128, block += 32) eight_blocks<4>(block, key, &out[n]);
  for (; n < out.size(); n += 32, block += 8) {
    std::uint32_t some[32];
    eight_blocks<1>(block, key, some);
    std::copy_n(some, std::min<std::size_t>(32, out.size() - n), &out[n]);
  }
}

std::uint64_t Rng::next_u64() {
  const std::uint64_t low = next_u32();
  return low | (std::uint64_t{next_u32()} << 32);
}

double Rng::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }
float Rng::uniform_float() { return static_cast<float>(next_u32() >> 8) * 0x1.0p-24f; }

namespace {
__extension__ using Wide = unsigned __int128;
}

std::uint64_t Rng::below(std::uint64_t n) {
  SEGUE_CHECK(n > 0, "below(0)");
  // Lemire 2019, "Fast random integer generation in an interval": multiply, reject the biased sliver.
  auto product = static_cast<Wide>(next_u64()) * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t threshold = (0 - n) % n;
    while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<Wide>(next_u64()) * n;
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double Rng::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 - u is in (0, 1]
  const double angle = 2.0 * std::numbers::pi * uniform();
  spare_normal_ = radius * std::sin(angle);
  has_spare_ = true;
  return radius * std::cos(angle);
}

double Rng::exponential() { return -std::log(1.0 - uniform()); }

void Rng::fill_normal(std::span<float> out, float mean, float stddev) {
  for (float& x : out) x = mean + stddev * static_cast<float>(normal());
}

std::vector<std::uint64_t> Rng::sample_without_replacement(std::uint64_t n, std::size_t count) {
  SEGUE_CHECK(count <= n, "cannot draw {} distinct values of {}", count, n);
  // Fisher-Yates on a sparse permutation: only displaced positions are stored (looked up by key, never iterated).
  std::unordered_map<std::uint64_t, std::uint64_t> moved;
  std::vector<std::uint64_t> out;
  out.reserve(count);
  const auto at = [&](std::uint64_t i) { auto it = moved.find(i); return it == moved.end() ? i : it->second; };
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t j = i + below(n - i);
    out.push_back(at(j));
    moved[j] = at(i);
  }
  return out;
}

}  // namespace segue
