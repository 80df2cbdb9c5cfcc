#include "datasets/demo/synth_score.hpp"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "datasets/demo/synth_bands.hpp"
#include "framework/base/errors.hpp"

namespace segue::demo {

namespace {

constexpr std::array<int, 7> kMajor{0, 2, 4, 5, 7, 9, 11}, kMinor{0, 2, 3, 5, 7, 8, 10};

// Degrees of the scale, a chord a bar; all begin on the tonic.
constexpr std::array<std::array<int, 4>, 6> kMajorTurns{
    {{0, 4, 5, 3}, {0, 3, 4, 0}, {0, 5, 3, 4}, {0, 3, 0, 4}, {0, 1, 4, 0}, {0, 0, 3, 4}}};
constexpr std::array<std::array<int, 4>, 6> kMinorTurns{
    {{0, 5, 3, 4}, {0, 3, 4, 0}, {0, 6, 5, 4}, {0, 0, 5, 6}, {0, 3, 0, 4}, {0, 5, 0, 4}}};

std::uint64_t key(char letter) { return static_cast<std::uint64_t>(letter); }

}  // namespace

Score::Score(const AudioRecipe& recipe) : recipe_(recipe), rng_(Rng(recipe.seed).stream("demo sound")) {
  const auto found = std::ranges::find(bands(), recipe.genre, &Band::genre);
  if (found == bands().end()) throw UsageError("no music of genre '{}' can be played", recipe.genre);
  band_ = &*found;
  bars_ = std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(recipe.duration / bar_seconds())));
  // Sections are of about equal length, in whole phrases of four bars where there are enough.
  const std::size_t sections = recipe.structure.size(), phrase = bars_ >= 6 * sections ? 4 : 1;
  for (std::size_t s = 0; s < sections; ++s) {
    const double at = static_cast<double>(bars_ * s) / static_cast<double>(sections * phrase);
    starts_.push_back(static_cast<std::size_t>(at + 0.5) * phrase);
  }
  starts_.push_back(bars_);

  Rng draw = rng_.stream("band");
  const auto one_of = [&draw](const auto& two) { return two[draw.uniform() < 0.67 ? 0 : 1]; };
  const auto mix = [&draw](float level) { return level * static_cast<float>(std::exp(0.2 * draw.normal())); };
  const auto set = [this](Part part, Kind kind, float level) {
    kinds_[static_cast<std::size_t>(part)] = kind, levels_[static_cast<std::size_t>(part)] = level;
  };
  set(Part::kBass, one_of(band_->bass), mix(band_->bass_mix));
  set(Part::kChords, one_of(band_->chords), mix(band_->chord_mix));
  set(Part::kTexture, one_of(band_->texture), mix(band_->texture_mix));
  Kind lead = one_of(band_->lead);
  const bool sings = lead == Kind::kVoice || lead == Kind::kShout;
  if (recipe.vocal && !sings) lead = Kind::kVoice;
  if (!recipe.vocal && sings)
    lead = recipe.genre == "nu_metal" ? Kind::kSaw : draw.uniform() < 0.5 ? Kind::kReed : Kind::kFlute;
  set(Part::kLead, lead, mix(band_->lead_mix));
  set(Part::kHiss, Kind::kHiss,
      mix(static_cast<float>(0.25 * (0.3 + recipe.noise) * band_->hiss + 0.1 * recipe.noise)));
  drum_level_ = mix(band_->drum_mix);
  drive_ = band_->drive * std::exp(2 * (recipe.noise - 0.4)) + std::max(0.0, 2 * (recipe.noise - 0.35));
  softness_ = band_->softness;
  comp_ = one_of(band_->comp), bassline_ = one_of(band_->bassline), texture_ = one_of(band_->textures);
}

Score::Place Score::place(std::size_t bar) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end() - 1, bar);
  const auto s = static_cast<std::size_t>(after - starts_.begin()) - 1;
  return {s, bar - starts_[s], starts_[s + 1] - starts_[s], recipe_.structure[s]};
}

char Score::letter(std::size_t bar) const { return place(bar).letter; }

bool Score::full(char letter) { return letter != 'I' && letter != 'O'; }

Score::Plan Score::plan(const Place& at) const {
  const bool second_half = 2 * at.bar >= at.bars, lively = recipe_.energy > 0.45;
  const bool drops = recipe_.structure.find('D') != std::string::npos;
  switch (at.letter) {
    case 'I':
      return {second_half, true, !lively, false, second_half, 0.25};
    case 'A':  // where a drop is to come, it only builds up
      return {
          true, true, recipe_.energy < 0.3, recipe_.vocal || !drops, true, drops ? 0.4 : 0.5 + 0.4 * recipe_.energy};
    case 'B':
      return {true, true, true, true, true, 0.7 + 0.4 * recipe_.energy};
    case 'C':
      return {true, !lively || second_half, true, true, !lively || second_half, 0.4};
    case 'D':
      return {true, true, true, true, true, 1.1};
    case 'O':
      return {!second_half, true, true, false, !second_half, 0.3};
    default:
      return {true, true, true, false, true, 0.6};
  }
}

double Score::swung(double step) const {
  const bool eighths = recipe_.drums == "swing_ride" || recipe_.drums == "brushed";
  const double pair = eighths ? 4 : 2, half = pair / 2;
  const double at = std::fmod(step, pair), middle = half * (1 + recipe_.swing / 3);
  return step - at + (at < half ? at / half * middle : middle + (at - half) / half * (pair - middle));
}

int Score::scale_pitch(int degree, int low) const {
  const int octave = degree >= 0 ? degree / 7 : -((6 - degree) / 7);
  const auto step = static_cast<std::size_t>(degree - 7 * octave);
  const int tonic = low + (recipe_.key - low % 12 + 12) % 12;
  return tonic + 12 * octave + (recipe_.minor ? kMinor : kMajor)[step];
}

int Score::root_degree(char letter, std::size_t bar) const {
  const auto& turns = recipe_.minor ? kMinorTurns : kMajorTurns;
  // Ambient music changes half as often.
  const std::size_t at = recipe_.genre == "ambient" ? bar / 2 : bar;
  return turns[rng_.stream("harmony", key(letter)).below(turns.size())][at % 4];
}

std::vector<int> Score::chord(char letter, std::size_t bar, int low, int voices) const {
  const int root = root_degree(letter, bar);
  std::vector<int> out;
  for (int v = 0; v < std::max(voices, 3); ++v) {
    if (voices == 2 && v == 1) continue;
    int pitch = scale_pitch(root + 2 * v, 0);
    if (recipe_.minor && root == 4 && v == 1) ++pitch;  // the leading note
    // Close position above `low`; power chords keep root and fifth in order.
    out.push_back(low + (pitch - low % 12 + 24) % 12);
  }
  if (voices == 2) {
    if (out[1] < out[0]) out[1] += 12;
    out.push_back(out[0] + 12);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void Score::add_bass(const Place& at, std::vector<Note>& out) const {
  const int root = root_degree(at.letter, at.bar), next = root_degree(at.letter, at.bar + 1);
  const int low = band_->bass_low, ground = low + (scale_pitch(root, 0) - low % 12 + 24) % 12;
  const std::string_view line = bassline_;
  Rng walk = rng_.stream("bass", key(at.letter), at.bar % 4);
  int walked = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '.') continue;
    int pitch = ground;
    double steps = 1.6;
    if (line[i] == '5') pitch += scale_pitch(root + 4, 0) - scale_pitch(root, 0);
    if (line[i] == '8') pitch += 12;
    if (line[i] == '_') steps = 6;
    if (line[i] == 'H') steps = 15;
    if (line[i] == 'w') {  // towards the next chord's root, through chord notes
      const int target = scale_pitch(next, 0) > scale_pitch(root, 0) ? 1 : -1;
      const int degree =
          walked == 0 ? root : root + (walked == 3 ? next - root - target : 2 * static_cast<int>(walk.below(3)));
      pitch = low + (scale_pitch(degree, 0) - low % 12 + 24) % 12;
      steps = 3.6, ++walked;
    }
    std::size_t gap = 1;
    while (i + gap < line.size() && line[i + gap] == '.') ++gap;
    if (line[i] != '_' && line[i] != 'H' && line[i] != 'w') steps = std::min(0.85 * static_cast<double>(gap), 3.0);
    out.push_back({Part::kBass, static_cast<double>(i), steps, static_cast<double>(pitch), i == 0 ? 1.f : 0.85f});
  }
}

void Score::add_chords(Part part, const char* pattern, const Place& at, int low, int voices,
                       std::vector<Note>& out) const {
  const std::vector<int> notes = chord(at.letter, at.bar, low, voices);
  Rng draw = rng_.stream(part == Part::kChords ? "comp" : "texture", key(at.letter), at.bar % 4);
  const auto share = static_cast<float>(1 / std::sqrt(static_cast<double>(notes.size())));
  std::size_t next = draw.below(2);
  const double strum = band_->chords[0] == Kind::kGuitar || band_->chords[0] == Kind::kNylon ? 0.08 : 0;
  for (int step = 0; step < 16; ++step) {
    const char sign = pattern[step];
    const double u = draw.uniform();
    if (sign == '.') continue;
    if (sign == 'a' || sign == 'b') {
      if (sign == 'b' && u > 0.55) continue;
      const std::size_t n = sign == 'a' ? next++ % (notes.size() + 1) : draw.below(notes.size());
      const int pitch = n < notes.size() ? notes[n] : notes[0] + 12;
      out.push_back({part, static_cast<double>(step), std::max(band_->hold, 2.0), static_cast<double>(pitch), 0.8f});
      continue;
    }
    double lag = 0;
    for (const int pitch : notes) {
      const double steps = sign == 'P' ? 15.5 : band_->hold;
      const float velocity = share * (sign == '-' ? 0.5f : 0.95f);
      out.push_back({part, step + lag, steps, static_cast<double>(pitch), velocity});
      lag += strum;
    }
  }
}

void Score::add_lead(const Place& at, std::vector<Note>& out) const {
  // A phrase of four bars whose third repeats the first; a bar rests now and then.
  const std::size_t bar = at.bar % 4 == 2 ? 0 : at.bar % 4;
  Rng draw = rng_.stream("melody", key(at.letter), bar);
  if (bar > 0 && draw.uniform() < 0.15) return;
  const bool rap = recipe_.genre == "hip_hop" && recipe_.vocal;
  const int root = root_degree(at.letter, at.bar), low = band_->lead_low;
  const double busy = band_->lead_notes * (0.7 + 0.6 * recipe_.energy) * (at.letter == 'C' ? 1.3 : 1);
  int degree = root + 2 * static_cast<int>(draw.below(3));
  std::vector<Note> line;
  for (int step = 0; step < 16; step += band_->lead_grid) {
    const bool strong = step % 8 == 0;
    const double u = draw.uniform();
    const int move = static_cast<int>(draw.below(rap ? 3 : 5)) - (rap ? 1 : 2);
    const bool last = bar == 3 && step >= 12;
    if (u > busy * (strong ? 1.6 : 1)) continue;
    degree += move;
    if (degree > 9 || degree < -1) degree -= 7 * (degree > 9 ? 1 : -1);
    if (strong && (degree - root) % 2 != 0) ++degree;  // a third or fifth of the chord, or its seventh
    if (last) degree = 7 * ((degree + 3) / 7);         // home at the end of the phrase
    const double lean = strong ? 1 : 0.8;
    line.push_back({Part::kLead, static_cast<double>(step), 4, static_cast<double>(scale_pitch(degree, low)),
                    static_cast<float>(lean)});
  }
  for (std::size_t i = 0; i < line.size(); ++i) {
    const double end = i + 1 < line.size() ? line[i + 1].step : 16;
    line[i].steps = 0.92 * std::min(end - line[i].step, rap ? 2.0 : 8.0);
    out.push_back(line[i]);
  }
}

std::vector<Note> Score::notes(std::size_t bar) const {
  const Place at = place(bar);
  const Plan who = plan(at);
  std::vector<Note> out;
  if (who.bass) add_bass(at, out);
  if (who.chords) add_chords(Part::kChords, comp_, at, band_->chord_low, band_->voices, out);
  if (who.texture) add_chords(Part::kTexture, texture_, at, band_->chord_low + 7, 3, out);
  if (who.lead) add_lead(at, out);
  // No two notes are struck alike, though they are the same notes.
  Rng touch = rng_.stream("touch", bar);
  const auto loudness = static_cast<float>(0.75 + 0.25 * std::min(who.density, 1.0));
  for (Note& note : out) {
    note.velocity *= loudness * static_cast<float>(std::clamp(1 + 0.08 * touch.normal(), 0.7, 1.3));
  }
  if (level(Part::kHiss) > 0.02f) out.push_back({Part::kHiss, 0, 16, 60, 1});
  return out;
}

std::vector<Hit> Score::hits(std::size_t bar) const {
  const Place at = place(bar);
  const Plan who = plan(at);
  if (!who.drums || drum_level_ <= 0) return {};
  const bool fill = at.bar + 1 == at.bars && at.bars > 1;
  return drum_hits(recipe_.drums, who.density, fill, rng_.stream("drums", bar));
}

}  // namespace segue::demo
