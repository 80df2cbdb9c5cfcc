// Sound files that tests write without Segue.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace segue::test {

// Mono, 16 bits.
inline std::string wav_of(const std::vector<std::int16_t>& samples, std::uint32_t rate) {
  std::string out;
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * i & 0xff);
  };
  const auto bytes = static_cast<std::uint32_t>(2 * samples.size());
  out += "RIFF";
  put(36 + bytes, 4);
  out += "WAVEfmt ";
  put(16, 4), put(1, 2), put(1, 2), put(rate, 4), put(2 * rate, 4), put(2, 2), put(16, 2);
  out += "data";
  put(bytes, 4);
  for (const std::int16_t x : samples) put(static_cast<std::uint16_t>(x), 2);
  return out;
}

}  // namespace segue::test
