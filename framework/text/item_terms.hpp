// What is known of items in words: tags, lyrics, artist and title, as one row of weighted terms an item. Every model of
// content reads items through it, so that its parameters have one name and one meaning.
#pragma once

#include <cstddef>
#include <string_view>

#include "framework/data/facets.hpp"
#include "framework/linalg/csr.hpp"
#include "framework/param/schema.hpp"
#include "framework/text/tfidf.hpp"

namespace segue::text {

// A model's parameters derive from these and call item_term_fields() in their schema().
struct ItemTermSettings {
  double tags = 1, words = 0.5, artist = 1, title = 0;
  bool merge_tags = true;
  bool drop_stop_words = false;
  Tf tf = Tf::kLog;
  Idf idf = Idf::kSmooth;
  double min_df = 5, max_df = 1;

  bool any() const { return tags + words + artist + title > 0; }
};

// The four weights alone, for models that leave the rest as it is. searched: a tuner may try them, which it should
// where a model does without those that the data set has nothing for.
template <class P>
void item_term_weights(Schema<P>& s, bool searched = false) {
  using T = ItemTermSettings;
  const auto weight = [&](const char* name, double T::*member, bool worth_a_search, const char* meaning) {
    auto& field = s.field(name, static_cast<double P::*>(member), meaning).range(0.0, 1000.0);
    if (searched && worth_a_search) field.search(linear, 0, 1);
  };
  weight("tags", &T::tags, true, "weight of an item's tags in a similarity; 0: they are not read");
  weight("words", &T::words, true, "weight of the words of its lyrics or description, where there are any");
  weight("artist", &T::artist, true, "weight of having the same artist; one of a single item is left out");
  weight("title", &T::title, false, "weight of the words of its title");
}

template <class P>
void item_term_fields(Schema<P>& s) {
  using T = ItemTermSettings;
  item_term_weights(s, true);
  s.field("merge_tags", static_cast<bool P::*>(&T::merge_tags), "spellings of a tag are one: HipHop, hip-hop, Hip Hop")
      .search_choices({true, false});
  s.field("drop_stop_words", static_cast<bool P::*>(&T::drop_stop_words),
          "leave out English words such as 'the' of words and titles");
  s.field("tf", static_cast<Tf P::*>(&T::tf), "what a weight or count x becomes: x, 1 + ln x (x below 1), or 1")
      .choices({{"raw", Tf::kRaw}, {"log", Tf::kLog}, {"binary", Tf::kBinary}});
  s.field("idf", static_cast<Idf P::*>(&T::idf),
          "what a term of df of N items weighs: 1, ln(N / df), ln((1 + N) / (1 + df)) + 1, or ln((N - df + .5) / (df "
          "+ .5) + 1)")
      .choices({{"none", Idf::kNone},
                {"plain", Idf::kPlain},
                {"smooth", Idf::kSmooth},
                {"probabilistic", Idf::kProbabilistic}});
  s.field("min_df", static_cast<double P::*>(&T::min_df),
          "drop terms of fewer items: below 1 a share of them, from 1 on a number")
      .range(1e-9, 1e9);
  s.field("max_df", static_cast<double P::*>(&T::max_df),
          "drop terms of more items: up to 1 a share of them, above 1 a number")
      .range(1e-9, 1e9);
}

// One row an item, of length 1, or empty where nothing is known of it: tf_idf() of each field whose weight is above 0
// and which the data set has, put together by join_fields(). `model` begins an error: UsageError where the data set has
// none of the fields, or no term is left.
Csr<TermIdx> item_terms(const Facets& facets, std::size_t n_items, const ItemTermSettings& settings,
                        std::string_view model);

}  // namespace segue::text
