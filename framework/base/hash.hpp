// Content hashes (XXH3, 128 bits) for fingerprints and identities, and the 64-bit mixing used to break ties.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace segue {

// Streams bytes into a 128-bit XXH3 hash. Every add() of a string or array also adds its length, so that
// {"ab","c"} and {"a","bc"} differ.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;

  Hasher& add(std::string_view text);
  Hasher& add(const char* text) { return add(std::string_view(text)); }
  Hasher& add(const std::string& text) { return add(std::string_view(text)); }
  template <class T>
    requires(std::is_arithmetic_v<T> || std::is_enum_v<T>)
  Hasher& add(T value) {
    return bytes(&value, sizeof value);
  }
  template <class T>
    requires std::has_unique_object_representations_v<T> || std::is_floating_point_v<T>
  Hasher& add(std::span<const T> values) {
    add(static_cast<std::uint64_t>(values.size()));
    return bytes(values.data(), values.size_bytes());
  }
  Hasher& bytes(const void* data, std::size_t size);

  std::string hex() const;      // 32 hexadecimal digits
  std::uint64_t low64() const;  // the low half, for seeds

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// XXH3 of a byte string, 64 bits.
std::uint64_t hash64(std::string_view text);

// A bijective finaliser (SplitMix64, Steele et al. 2014): nearby inputs give unrelated outputs.
constexpr std::uint64_t mix64(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}
constexpr std::uint64_t mix64(std::uint64_t a, std::uint64_t b) { return mix64(mix64(a) ^ b); }

// The order in which tied scores and tied timestamps stand: a function of the task's seed and of external ids only
// (their hash64), never of item order, thread or input order. Smaller comes first.
constexpr std::uint64_t tie_order(std::uint64_t task_seed, std::uint64_t user_key, std::uint64_t item_key) {
  return mix64(mix64(task_seed, user_key), item_key);
}

}  // namespace segue
