#include "framework/audio/degrade.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "framework/audio/sound_file.hpp"
#include "framework/base/errors.hpp"

namespace segue::audio {

std::vector<float> with_gain(std::vector<float> samples, double decibels) {
  const auto factor = static_cast<float>(std::pow(10, decibels / 20));
  for (float& x : samples) x *= factor;
  return samples;
}

std::vector<float> with_noise(std::vector<float> samples, double snr, Rng rng) {
  double power = 0;
  for (const float x : samples) power += static_cast<double>(x) * static_cast<double>(x);
  if (power <= 0) return samples;
  const double deviation = std::sqrt(power / static_cast<double>(samples.size()) * std::pow(10, -snr / 10));
  std::vector<float> noise(samples.size());
  rng.fill_normal(noise, 0, static_cast<float>(deviation));
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] += noise[i];
  return samples;
}

std::vector<float> middle(std::span<const float> samples, int sample_rate, double seconds) {
  const std::size_t n =
      std::min(samples.size(), static_cast<std::size_t>(std::llround(seconds * static_cast<double>(sample_rate))));
  const std::span<const float> part = samples.subspan((samples.size() - n) / 2, n);
  return {part.begin(), part.end()};
}

const std::vector<DegradationCard>& degradation_cards() {
  static const std::vector<DegradationCard> cards = {
      {DegradationKind::kGain, "gain", "dB", -96, 96, "louder, or (below 0) quieter"},
      {DegradationKind::kNoise, "noise", "dB SNR", -60, 120, "white Gaussian noise, that far below the signal's power"},
      {DegradationKind::kMp3, "mp3", "kbit/s", 8, 320, "as MP3 of a constant bit rate, mono, and back"},
      {DegradationKind::kCrop, "crop", "s", 0.1, 3600, "the middle seconds of the excerpt only"}};
  return cards;
}

namespace {

const DegradationCard& card_of(DegradationKind kind) {
  return *std::ranges::find(degradation_cards(), kind, &DegradationCard::kind);
}

std::string all_cards() {
  std::string out;
  for (const DegradationCard& c : degradation_cards())
    out += fmt::format("{}{}:<{}>", out.empty() ? "" : ", ", c.name, c.unit);
  return out;
}

Degradation parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const auto card = std::ranges::find_if(degradation_cards(), [&](const DegradationCard& c) { return c.name == name; });
  if (card == degradation_cards().end() || colon == std::string_view::npos)
    throw UsageError("'{}' is no degradation; there are {}", text, all_cards());
  const std::string_view number = text.substr(colon + 1);
  double amount = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), amount);
  if (error != std::errc() || end != number.data() + number.size() || !(amount >= card->low && amount <= card->high))
    throw UsageError("'{}': {} to {} {} can be asked for", text, card->low, card->high, card->unit);
  if (card->kind == DegradationKind::kMp3 && amount != std::floor(amount))
    throw UsageError("'{}': kbit/s are whole numbers", text);
  return {card->kind, amount};
}

}  // namespace

std::string Degradation::text() const { return fmt::format("{}:{}", card_of(kind).name, amount); }

std::vector<Degradation> parse_degradations(std::string_view list) {
  std::vector<Degradation> out;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    out.push_back(parse(list.substr(begin, end - begin)));
    begin = end + 1;
  }
  return out;
}

std::vector<float> degraded(std::span<const float> samples, int sample_rate, const Degradation& how, const Rng& rng) {
  switch (how.kind) {
    case DegradationKind::kGain:
      return with_gain({samples.begin(), samples.end()}, how.amount);
    case DegradationKind::kNoise:
      return with_noise({samples.begin(), samples.end()}, how.amount, rng);
    case DegradationKind::kMp3:
      return through_mp3(samples, sample_rate, static_cast<int>(how.amount)).samples;
    case DegradationKind::kCrop:
      return middle(samples, sample_rate, how.amount);
  }
  SEGUE_CHECK(false, "a degradation of kind {}", static_cast<int>(how.kind));
}

}  // namespace segue::audio
