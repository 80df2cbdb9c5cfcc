#include "framework/text/item_terms.hpp"

#include <string>
#include <vector>

#include "framework/base/errors.hpp"
#include "framework/text/tags.hpp"
#include "framework/text/tokens.hpp"

namespace segue::text {

namespace {

Csr<TermIdx> without_stop_words(const ItemWords& words) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  std::vector<float> values;
  for (std::size_t r = 0; r < words.counts.rows(); ++r) {
    for (std::size_t n = 0; n < words.counts.row_size(r); ++n) {
      const TermIdx term = words.counts.indices(r)[n];
      if (is_stop_word(fold(words.words[static_cast<std::size_t>(term)]))) continue;
      terms.push_back(term);
      values.push_back(words.counts.has_values() ? words.counts.values(r)[n] : 1.0f);
    }
    offsets.push_back(terms.size());
  }
  return {words.counts.cols(), std::move(offsets), std::move(terms), std::move(values)};
}

Csr<TermIdx> one_artist_each(const ItemArtist& artists) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  for (const std::uint32_t artist : artists.artist_of) {
    if (artist != kNoArtist) terms.push_back(TermIdx{artist});
    offsets.push_back(terms.size());
  }
  return {artists.artists.size(), std::move(offsets), std::move(terms), {}};
}

}  // namespace

Csr<TermIdx> item_terms(const Facets& facets, std::size_t n_items, const ItemTermSettings& settings,
                        std::string_view model) {
  const TfIdfOptions options{settings.tf, settings.idf, settings.min_df, settings.max_df};
  std::vector<Field> fields;
  std::vector<std::string_view> missing;
  const auto add = [&](const Csr<TermIdx>& counts, double weight, const TfIdfOptions& how) {
    SEGUE_CHECK(counts.rows() == n_items, "side data of {} items for {}", counts.rows(), n_items);
    fields.push_back({tf_idf(counts, how), weight});
  };
  const auto wanted = [&]<class T>(double weight, const T* facet) {
    if (weight > 0 && facet == nullptr) missing.push_back(T::kName);
    return weight > 0 && facet != nullptr;
  };
  if (const auto* tags = facets.find<ItemTags>(); wanted(settings.tags, tags))
    add(settings.merge_tags ? merge_tags(*tags).tags.weights : tags->weights, settings.tags, options);
  if (const auto* words = facets.find<ItemWords>(); wanted(settings.words, words))
    add(settings.drop_stop_words ? without_stop_words(*words) : words->counts, settings.words, options);
  if (const auto* artists = facets.find<ItemArtist>(); wanted(settings.artist, artists))
    add(one_artist_each(*artists), settings.artist, {.idf = Idf::kNone, .min_df = 2});
  if (const auto* titles = facets.find<ItemText>(); wanted(settings.title, titles))
    add(count_words(titles->titles, {.drop_stop_words = settings.drop_stop_words}).counts, settings.title, options);
  if (fields.empty())
    throw UsageError("{} compares items by {}, and data set '{}' has none of that; it has: {}", model,
                     fmt::join(missing, ", "), facets.dataset_name(), fmt::join(facets.names(), ", "));
  Csr<TermIdx> out = join_fields(fields);
  if (out.nnz() == 0)
    throw UsageError("{} has no term left: min_df is {:g} and max_df {:g}; lower min_df where the data is small", model,
                     settings.min_df, settings.max_df);
  return out;
}

}  // namespace segue::text
