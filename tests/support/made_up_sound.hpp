// How items would sound, without listening: for tests of what is done with it.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "framework/audio/fingerprint.hpp"
#include "framework/base/hash.hpp"
#include "framework/base/rng.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/item_sound.hpp"

namespace segue::test {

// Items whose audio recipes share everything up to the first ';' (the genre of a demo recipe) share a centre, from
// which each strays by chance; both follow from the recipe alone. Items without a source are not heard.
inline std::shared_ptr<const ItemSound> made_up_sound(const Facets& facets) {
  constexpr std::size_t kMfcc = 20;
  const StringTable& sources = facets.require<ItemAudio>().sources;
  const std::size_t n = sources.size(), width = audio::fingerprint_fields().size();
  const std::size_t more = audio::statistics_fields().size();
  std::vector<std::uint8_t> heard(n, 0);
  std::vector<float> fingerprints(n * width, 0), statistics(n * more, 0), means(n * kMfcc, 0),
      covariances(n * kMfcc * (kMfcc + 1) / 2, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::string_view source = sources[i];
    if (source.empty()) continue;
    heard[i] = 1;
    Rng kind(hash64(source.substr(0, source.find(';')))), own(hash64(source));
    const auto stray = [&](double by) { return static_cast<float>(3 * kind.normal() + by * own.normal()); };
    for (std::size_t f = 0; f < width; ++f) fingerprints[i * width + f] = stray(1);
    for (std::size_t f = 0; f < more; ++f) statistics[i * more + f] = stray(1);
    for (std::size_t c = 0; c < kMfcc; ++c) means[i * kMfcc + c] = stray(1);
    // L L' of a lower triangle with a diagonal above 1
    std::vector<std::vector<double>> l(kMfcc, std::vector<double>(kMfcc, 0));
    for (std::size_t a = 0; a < kMfcc; ++a)
      for (std::size_t b = 0; b <= a; ++b) l[a][b] = a == b ? 1 + own.uniform() : 0.2 * own.normal();
    std::size_t at = i * kMfcc * (kMfcc + 1) / 2;
    for (std::size_t a = 0; a < kMfcc; ++a) {
      for (std::size_t b = 0; b <= a; ++b, ++at) {
        double sum = 0;
        for (std::size_t k = 0; k <= b; ++k) sum += l[a][k] * l[b][k];
        covariances[at] = static_cast<float>(sum);
      }
    }
  }
  auto out = std::make_shared<ItemSound>();
  out->definition = "made up";
  out->heard = std::move(heard);
  out->fingerprints = std::move(fingerprints);
  out->statistics = std::move(statistics);
  out->timbre_means = std::move(means);
  out->timbre_covariances = std::move(covariances);
  return out;
}

}  // namespace segue::test
