#include "datasets/demo/recipe.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "datasets/demo/genres.hpp"
#include "framework/base/errors.hpp"

namespace segue::demo {
namespace {

constexpr std::string_view kScheme = "demo:";
constexpr std::array<std::string_view, 12> kKeys{"C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"};

template <class T>
T number(std::string_view field, std::string_view text, T low, T high) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= low && value <= high)) {
    throw DataError("audio recipe: {}={} is not a number between {} and {}", field, text, low, high);
  }
  return value;
}

bool flag(std::string_view field, std::string_view text, std::string_view yes, std::string_view no) {
  if (text != yes && text != no) throw DataError("audio recipe: {}={} is neither {} nor {}", field, text, yes, no);
  return text == yes;
}

void set(AudioRecipe& out, std::string_view field, std::string_view text) {
  if (field == "genre") {
    const bool known = std::ranges::any_of(genres(), [&](const Genre& g) { return g.slug == text; });
    if (!known) throw DataError("audio recipe: unknown genre '{}'", text);
    out.genre = text;
  } else if (field == "bpm") {
    out.bpm = number(field, text, 20.0, 400.0);
  } else if (field == "key") {
    const auto at = std::ranges::find(kKeys, text);
    if (at == kKeys.end()) throw DataError("audio recipe: unknown key '{}'", text);
    out.key = static_cast<int>(at - kKeys.begin());
  } else if (field == "mode") {
    out.minor = flag(field, text, "minor", "major");
  } else if (field == "swing") {
    out.swing = number(field, text, 0.0, 1.0);
  } else if (field == "energy") {
    out.energy = number(field, text, 0.0, 1.0);
  } else if (field == "brightness") {
    out.brightness = number(field, text, 0.0, 1.0);
  } else if (field == "noise") {
    out.noise = number(field, text, 0.0, 1.0);
  } else if (field == "drums") {
    const bool known = std::ranges::any_of(genres(), [&](const Genre& g) { return g.drums == text; });
    if (!known) throw DataError("audio recipe: unknown drum pattern '{}'", text);
    out.drums = text;
  } else if (field == "structure") {
    const bool letters = !text.empty() && std::ranges::all_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!letters) throw DataError("audio recipe: structure '{}' is not a run of capital letters", text);
    out.structure = text;
  } else if (field == "duration") {
    out.duration = number(field, text, 1, 3600);
  } else if (field == "vocal") {
    out.vocal = flag(field, text, "yes", "no");
  } else {
    out.seed = number<std::uint64_t>(field, text, 0, UINT64_MAX);
  }
}

}  // namespace

bool is_recipe(std::string_view text) { return text.starts_with(kScheme); }

std::string to_text(const AudioRecipe& r) {
  return fmt::format(
      "{}genre={};bpm={:.1f};key={};mode={};swing={:.3f};energy={:.3f};brightness={:.3f};noise={:.3f};drums={};"
      "structure={};"
      "duration={};vocal={};seed={}",
      kScheme, r.genre, r.bpm, kKeys[static_cast<std::size_t>(r.key)], r.minor ? "minor" : "major", r.swing, r.energy,
      r.brightness, r.noise, r.drums, r.structure, r.duration, r.vocal ? "yes" : "no", r.seed);
}

AudioRecipe parse_recipe(std::string_view text) {
  if (!is_recipe(text)) throw DataError("audio recipe '{}' does not begin with '{}'", text, kScheme);
  static const std::vector<std::string> kFields{"genre",    "bpm",        "key",   "mode",  "swing",
                                                "energy",   "brightness", "noise", "drums", "structure",
                                                "duration", "vocal",      "seed"};
  AudioRecipe out;
  std::vector<bool> seen(kFields.size());
  for (const std::string_view part : split(text.substr(kScheme.size()), ';')) {
    const std::size_t equals = part.find('=');
    const std::string_view field = part.substr(0, equals);
    const auto at = std::ranges::find(kFields, field);
    if (equals == std::string_view::npos || at == kFields.end()) {
      throw DataError("audio recipe: unknown field '{}'{}", field, suggestion(field, kFields));
    }
    const auto position = static_cast<std::size_t>(at - kFields.begin());
    if (seen[position]) throw DataError("audio recipe: field '{}' stands twice", field);
    seen[position] = true;
    set(out, field, part.substr(equals + 1));
  }
  const auto missing = std::ranges::find(seen, false);
  if (missing != seen.end()) {
    throw DataError("audio recipe: field '{}' is missing", kFields[static_cast<std::size_t>(missing - seen.begin())]);
  }
  return out;
}

}  // namespace segue::demo
