// Names, titles, tags and lyrics of the demo world.
#pragma once

#include <string>
#include <vector>

#include "datasets/demo/world.hpp"

namespace segue::demo {

std::string artist_name(const Genre& genre, Rng& rng);  // not yet unique
std::string place_name(Rng& rng);
std::string track_title(const Genre& genre, Rng& rng);
std::string roman(int number);

// A tag as some listener would write it: spellings, moods, decades, slips of the keyboard, and tags that say nothing.
std::string noisy_tag(const World& world, const Track& track, Rng& rng);
// The few tags that the label gives: genre as it should be written, mood, character.
std::vector<Weighted> label_tags(const World& world, const Track& track, Rng& rng);
// Lyrics, or a description where nobody sings, as a bag of words sorted by word.
std::vector<Weighted> lyrics(const World& world, const Track& track, Rng& rng);

}  // namespace segue::demo
