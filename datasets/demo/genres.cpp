#include "datasets/demo/genres.hpp"

#include <cmath>

namespace segue::demo {

const std::array<Genre, kGenres>& genres() {
  static constexpr std::array<Genre, kGenres> kAll{{
      {"indie_rock",
       "indie rock",
       "Indie Rock|indie-rock|indierock|indie|Indie|alternative",
       1982,
       1.3,
       124,
       16,
       0.35,
       0.62,
       0.55,
       0.35,
       0.03,
       222,
       0.04,
       "backbeat",
       "IABABCBO|IAABBO|ABABCBB",
       "bbbbp",
       {0.15, 0.5, 0.2},
       "bedroom suburb guitar winter polaroid coastline bicycle static basement letters parade kitchen daylight "
       "sweater "
       "telephone harbour teenage ceiling"},
      {"hip_hop",
       "hip-hop",
       "Hip-Hop|HipHop|hiphop|Hip Hop|hip hop|rap|Rap",
       1983,
       1.3,
       92,
       10,
       0.6,
       0.6,
       0.5,
       0.25,
       0.18,
       205,
       0.03,
       "boom_bap",
       "IABABAB|IABABCB|IAABAAB",
       "mmmpa",
       {0.5, 0.5, 0.95},
       "hustle block corner cypher hood crown chains verse mic paper cash legacy street loyalty rhyme project concrete "
       "homie"},
      {"techno",
       "techno",
       "Techno|TECHNO|tekno|techno music|minimal techno|electronic",
       1988,
       1.1,
       130,
       5,
       0.7,
       0.82,
       0.6,
       0.4,
       0.02,
       372,
       0.8,
       "four_floor",
       "IADADO|IAADDADO",
       "aaap",
       {1.0, 0.6, 0.45},
       "machine warehouse signal circuit strobe sequence reactor frequency sector voltage pulse grid acid concrete "
       "modular dawn "
       "network relay"},
      {"jazz",
       "jazz",
       "Jazz|JAZZ|jazzz|bebop|cool jazz|jazz music",
       1958,
       0.9,
       138,
       34,
       0.45,
       0.4,
       0.45,
       0.12,
       0.62,
       330,
       0.7,
       "swing_ride",
       "ABCCCA|AABACCA",
       "peep",
       {0.05, 0.15, 0.65},
       "blue midnight autumn minor smoke saxophone avenue stroll waltz monk brass cocktail velvet standards lullaby "
       "basin "
       "bourbon taxi"},
      {"nu_metal",
       "nu metal",
       "Nu Metal|nu-metal|numetal|Nu-Metal|nü metal|metal",
       1994,
       0.9,
       108,
       14,
       0.9,
       0.9,
       0.62,
       0.75,
       0.02,
       228,
       0.02,
       "half_time",
       "IABABCBB|IABABCB",
       "bbbb",
       {0.35, 1.0, 0.5},
       "rage scar broken inside hatred numb fracture wound enemy scream bleed crawl poison betray hollow rust chainsaw "
       "victim"},
      {"folk",
       "folk",
       "Folk|folk music|folk-|singer-songwriter|acoustic|americana",
       1962,
       1.0,
       104,
       18,
       0.3,
       0.3,
       0.4,
       0.1,
       0.08,
       218,
       0.08,
       "brushed",
       "ABABAB|AABA|ABACAB",
       "pppb",
       {0.0, 0.2, 0.1},
       "river mountain meadow cabin harvest willow sparrow valley railroad mother lantern orchard whiskey furrow "
       "fiddle pine "
       "creek wagon"},
      {"classical",
       "classical",
       "Classical|classical music|Klassik|classic|orchestral|clasical",
       1955,
       0.7,
       92,
       30,
       0.5,
       0.25,
       0.38,
       0.04,
       0.0,
       395,
       0.95,
       "none",
       "ABACA|ABA|AABBA",
       "eeep",
       {0.0, 0.05, 0.0},
       "sonata nocturne prelude adagio allegro string quartet variations winter elegy serenade fugue romance theme "
       "chorale "
       "etude minuet requiem"},
      {"ambient",
       "ambient",
       "Ambient|AMBIENT|ambient music|drone|chillout|atmospheric",
       1976,
       0.8,
       74,
       12,
       0.5,
       0.12,
       0.35,
       0.3,
       0.0,
       340,
       0.93,
       "none",
       "AAA|ABA|AAB",
       "aaap",
       {0.7, 0.0, 0.05},
       "drift horizon glacier vapour stillness lichen tide aurora haze distance orbit breath snowfall glass field mist "
       "slow "
       "shoreline"},
      {"pop",
       "pop",
       "Pop|POP|pop music|Pop Music|popular|dance pop",
       1963,
       1.5,
       117,
       12,
       0.4,
       0.7,
       0.68,
       0.1,
       0.03,
       203,
       0.01,
       "backbeat",
       "IABABCBB|ABABCB|IABABCBO",
       "pppab",
       {0.55, 0.35, 0.5},
       "party sugar kiss summer crush glitter mirror weekend dancefloor perfect lipstick heartbeat diamond selfie neon "
       "sunshine crazy champagne"},
      {"rnb",
       "r&b",
       "R&B|rnb|RnB|r and b|R'n'B|soul|rhythm and blues",
       1966,
       1.0,
       88,
       14,
       0.55,
       0.48,
       0.5,
       0.08,
       0.12,
       226,
       0.02,
       "backbeat",
       "IABABCBO|ABABCBB",
       "pppp",
       {0.4, 0.2, 0.85},
       "baby body slow satin tonight honey touch whisper candle sheets tender promise faithful mistress desire pillow "
       "grown "
       "silk"},
      {"drum_and_bass",
       "drum and bass",
       "Drum and Bass|drum n bass|dnb|DnB|D&B|drum & bass|jungle",
       1992,
       0.8,
       174,
       3,
       0.75,
       0.85,
       0.6,
       0.38,
       0.04,
       305,
       0.6,
       "breakbeat",
       "IADADO|IADCADO",
       "aaam",
       {0.95, 0.75, 0.65},
       "bassline jungle rewind junglist rinse amen rollers subsonic tunnel voltage pirate speaker dubplate siren "
       "velocity "
       "shadow darkside reload"},
      {"afrobeat",
       "afrobeat",
       "Afrobeat|afro-beat|afrobeats|Afrobeats|afro beat|african",
       1970,
       0.8,
       108,
       8,
       0.5,
       0.68,
       0.56,
       0.1,
       0.1,
       262,
       0.1,
       "afro_clave",
       "IABABCBAB|IAABBCB",
       "ppeb",
       {0.25, 0.3, 1.0},
       "lagos market people wahala mama sunlight shuffle highlife drumming dancer palmwine money government brother "
       "joy "
       "village accra trumpet"},
  }};
  return kAll;
}

const Pole& pole(std::size_t trait, std::size_t side) {
  static constexpr std::array<std::array<Pole, 2>, kTraits> kPoles{{
      {{{"gritty|lo-fi|raw|Lo-Fi", "dirt fist bones engine sweat gravel iron teeth"},
        {"dreamy|ethereal|Dreamy|dream", "clouds moon floating stars lavender feather drowsy cosmos"}}},
      {{{"introspective|melancholy|sad|melancholic", "lonely alone tears memory empty regret rain grey"},
        {"danceable|dance|upbeat|Dance", "dance move rhythm shake jump floor hands bounce"}}},
      {{{"organic|live|warm|analog", "wood bread hands garden earth porch soil stone"},
        {"synthetic|synth|electronic sounds|futuristic", "robot chrome laser plastic screen android pixel satellite"}}},
      {{{"romantic|love|love songs|Romantic", "darling forever wedding lover roses sweetheart yours embrace"},
        {"political|protest|conscious|Political", "power war freedom justice nation march riot system"}}},
  }};
  return kPoles[trait][side];
}

const std::array<std::array<double, kGenres>, kGenres>& genre_kinship() {
  static const auto kKinship = [] {
    constexpr double kReach = 0.3;  // neighbours at this distance are about 0.6 times as likely as the genre itself
    std::array<std::array<double, kGenres>, kGenres> out{};
    for (std::size_t g = 0; g < kGenres; ++g) {
      double sum = 0;
      for (std::size_t h = 0; h < kGenres; ++h) {
        double squared = 0;
        for (std::size_t d = 0; d < 3; ++d) {
          const double gap = genres()[g].place[d] - genres()[h].place[d];
          squared += gap * gap;
        }
        out[g][h] = std::exp(-squared / (2 * kReach * kReach));
        sum += out[g][h];
      }
      for (double& share : out[g]) share /= sum;
    }
    return out;
  }();
  return kKinship;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find(by);
    if (end != 0) out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace segue::demo
