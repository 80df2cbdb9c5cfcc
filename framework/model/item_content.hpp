// What is known of items beside who heard them, as one row of numbers an item: words and sound. What models learn from
// that place an item nobody has heard.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "framework/data/facets.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/model/recommender.hpp"
#include "framework/text/item_terms.hpp"

namespace segue {

// A model's parameters derive from these and call sound_field() beside item_term_weights() or item_term_fields().
struct ItemContentSettings : text::ItemTermSettings {
  double sound = 0;

  bool any() const { return text::ItemTermSettings::any() || sound > 0; }
  // Facets without which a fit cannot be.
  std::vector<std::string> needs() const {
    return sound > 0 ? std::vector<std::string>{std::string(ItemSound::kName)} : std::vector<std::string>{};
  }
};

template <class P>
void sound_field(Schema<P>& s) {
  s.field("sound", static_cast<double P::*>(&ItemContentSettings::sound),
          "weight of how an item sounds in a similarity; above 0 the data set must have sounds")
      .range(0.0, 1000.0);
}

// One row an item: its terms (text::item_terms(), of length 1 together), and behind them how it sounds
// (fingerprint_directions(), of length 1, scaled by the items that have training events) times the root of its weight.
// Rows of items of which nothing is known are empty. `model` begins an error.
Csr<ItemIdx> item_content(const TrainData& data, const ItemContentSettings& settings, std::string_view model);

}  // namespace segue
