// segue tags
#include "framework/text/tags.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "framework/base/rng.hpp"
#include "framework/cli/commands.hpp"
#include "framework/cli/dataset_figures.hpp"
#include "framework/model/typical_tags.hpp"
#include "framework/text/clusters.hpp"
#include "framework/text/tfidf.hpp"
#include "framework/text/unicode.hpp"

namespace segue {

namespace {

constexpr std::size_t kTagsOfACluster = 6, kExamples = 3;
constexpr std::uint64_t kMostClusters = 1000;
constexpr int kFewestArtists = 2;  // a tag of one artist is mostly their own name

struct Options {
  std::string name;
  std::vector<std::string> settings;
  bool merged = false, json = false;
  std::uint64_t clusters = 0, seed = 1;
  std::string artist;
  std::size_t n = 20;
  TableFormat format = TableFormat::kText;
};

std::string_view name_of(const StringTable& tags, TermIdx tag) { return tags[static_cast<std::size_t>(tag)]; }

std::string joined(const StringTable& tags, const std::vector<TypicalTag>& typical) {
  std::string out;
  for (const TypicalTag& t : typical) out += fmt::format("{}{}", out.empty() ? "" : ", ", name_of(tags, t.tag));
  return out;
}

std::string title_of(const Dataset& data, std::size_t item) {
  const auto* text = data.facets.find<ItemText>();
  std::string out(text != nullptr && !text->titles[item].empty() ? text->titles[item] : data.items[item]);
  const auto* artists = data.facets.find<ItemArtist>();
  if (artists == nullptr || artists->artist_of[item] == kNoArtist) return out;
  const std::string_view artist = artists->artists[artists->artist_of[item]];
  return artist == out ? out : fmt::format("{} - {}", out, artist);
}

// Tags in order of their weight, the largest first; equal ones by their order in the table.
Table most_used(const text::MergedTags& all, std::size_t n) {
  const std::vector<double> weight = text::column_sums(all.tags.weights);
  const std::vector<std::size_t> items = text::document_frequencies(all.tags.weights);
  std::vector<std::size_t> spellings(weight.size(), 0), order(weight.size());
  for (const TermIdx tag : all.table.merged) ++spellings[static_cast<std::size_t>(tag)];
  for (std::size_t t = 0; t < order.size(); ++t) order[t] = t;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return weight[a] > weight[b]; });
  order.resize(std::min(order.size(), n));
  Table table{.columns = {{"tag", Align::kLeft, Wrap::kYes},
                          {"weight", Align::kRight},
                          {"items", Align::kRight},
                          {"spellings", Align::kRight}}};
  for (const std::size_t t : order)
    table.add({all.tags.tags[t], Cell::general(weight[t], 6), Cell(thousands(items[t]), items[t]), Cell(spellings[t])});
  return table;
}

Table merges(const text::TagTable& merged, std::size_t n) {
  Table table{.columns = {{"tag"}, {"weight", Align::kRight}, {"spellings", Align::kLeft, Wrap::kYes}}};
  for (std::size_t m = 0; m < std::min(n, merged.merges.size()); ++m) {
    const text::TagMerge& merge = merged.merges[m];
    std::string variants;
    for (const text::TagVariant& v : merge.variants)
      variants += fmt::format("{}{} ({:.6g})", variants.empty() ? "" : ", ", v.spelling, v.count);
    table.add({merge.name, Cell::general(merge.count, 6), variants});
  }
  return table;
}

Table clusters(const Dataset& data, const ItemTags& tags, const Options& o) {
  const Csr<TermIdx> vectors = text::tf_idf(tags.weights, {});
  const text::Clusters found =
      text::spherical_kmeans(vectors, {.clusters = o.clusters}, Rng(o.seed).stream("tags"), Executor(0));
  const TagCatalogue catalogue(tags);
  Table table{.columns = {{"#", Align::kRight},
                          {"items", Align::kRight},
                          {"cosine", Align::kRight},
                          {"tags", Align::kLeft, Wrap::kYes},
                          {"examples", Align::kLeft, Wrap::kYes}}};
  for (std::size_t c = 0; c < found.sizes.size(); ++c) {
    std::vector<ItemIdx> members;
    double cosine = 0;
    for (std::size_t i = 0; i < found.of.size(); ++i) {
      if (found.of[i] != c) continue;
      members.push_back(item_at(i));
      cosine += found.cosine[i];
    }
    const std::string typical = joined(tags.tags, catalogue.typical(members, kTagsOfACluster));
    std::stable_sort(members.begin(), members.end(),
                     [&](ItemIdx a, ItemIdx b) { return found.cosine[raw(a)] > found.cosine[raw(b)]; });
    std::string examples;
    for (std::size_t n = 0; n < std::min(kExamples, members.size()); ++n)
      examples += (examples.empty() ? "" : "; ") + title_of(data, raw(members[n]));
    table.add({Cell(c + 1), Cell(thousands(members.size()), members.size()),
               Cell::fixed(cosine / static_cast<double>(members.size()), 3), typical, examples});
  }
  return table;
}

// By name as people write it: case, blanks and punctuation do not matter. Several spellings of an artist are all meant.
std::set<std::uint32_t> find_artist(const Dataset& data, const std::string& wanted) {
  const StringTable& artists = data.facets.require<ItemArtist>().artists;
  const std::string key = text::tag_key(wanted);
  std::set<std::uint32_t> out;
  for (std::size_t a = 0; a < artists.size(); ++a)
    if (text::tag_key(artists[a]) == key) out.insert(static_cast<std::uint32_t>(a));
  if (!out.empty()) return out;
  const std::string near = nearest_name(wanted, artists.to_vector());
  throw UsageError("no artist '{}' in data set '{}'{}", wanted, data.name,
                   near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

// Artists as documents: what one has much of and few others have, by TF-IDF.
Table of_artist(const Dataset& data, const ItemTags& tags, const Options& o) {
  const std::set<std::uint32_t> wanted = find_artist(data, o.artist);
  const auto& artists = data.facets.require<ItemArtist>();
  std::vector<std::map<TermIdx, double>> sums(artists.artists.size());
  std::map<TermIdx, std::size_t> items;  // of the wanted, that have the tag
  std::size_t all = 0;
  for (std::size_t i = 0; i < artists.artist_of.size(); ++i) {
    const std::uint32_t artist = artists.artist_of[i];
    if (artist == kNoArtist) continue;
    const bool is_wanted = wanted.contains(artist);
    all += is_wanted;
    for (std::size_t n = 0; n < tags.weights.row_size(i); ++n) {
      const TermIdx tag = tags.weights.indices(i)[n];
      sums[is_wanted ? *wanted.begin() : artist][tag] += double{tags.weights.values(i)[n]};
      if (is_wanted) ++items[tag];
    }
  }
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  std::vector<float> values;
  for (const auto& row : sums) {
    for (const auto& [tag, sum] : row) {
      terms.push_back(tag);
      values.push_back(static_cast<float>(sum));
    }
    offsets.push_back(terms.size());
  }
  const Csr<TermIdx> vectors = text::tf_idf({tags.tags.size(), std::move(offsets), std::move(terms), std::move(values)},
                                            {.min_df = kFewestArtists});
  Table table{.columns = {{"tag", Align::kLeft, Wrap::kYes}, {"items", Align::kRight}, {"weight", Align::kRight}}};
  // With itself: the terms by their squares.
  for (const text::SharedTerm& t : text::shared_terms(vectors, *wanted.begin(), *wanted.begin(), o.n))
    table.add({name_of(tags.tags, t.term), Cell(fmt::format("{} of {}", items[t.term], all), items[t.term]),
               Cell::fixed(std::sqrt(t.share), 3)});
  return table;
}

ExitCode show_tags(const Options& o, const Session& session) {
  const Dataset data = find_dataset(session, o.name).make()->load(parse_settings(o.settings), session.roots);
  const auto* given = data.facets.find<ItemTags>();
  if (given == nullptr)
    throw UsageError("data set '{}' has no tags; it has: {}", data.name, fmt::join(data.facets.names(), ", "));
  const text::MergedTags all = text::merge_tags(*given);
  const TableFormat format = o.json ? TableFormat::kJson : o.format;
  const bool people = format == TableFormat::kText;
  if (o.merged) {
    show(merges(all.table, o.n), format);
    if (people)
      fmt::print("{} spellings are {} tags; {} tags have several\n", thousands(given->tags.size()),
                 thousands(all.tags.tags.size()), thousands(all.table.merges.size()));
  } else if (o.clusters > 0) {
    show(clusters(data, all.tags, o), format);
    if (people) fmt::print("cosine: of an item with the mean direction of its cluster, on average\n");
  } else if (!o.artist.empty()) {
    show(of_artist(data, all.tags, o), format);
    if (people) fmt::print("weight: TF-IDF among artists, of tags that {} or more of them have\n", kFewestArtists);
  } else {
    show(most_used(all, o.n), format);
    if (people)
      fmt::print("the first {} of {} tags, from {} spellings\n", std::min(o.n, all.tags.tags.size()),
                 thousands(all.tags.tags.size()), thousands(given->tags.size()));
  }
  return ExitCode::kOk;
}

}  // namespace

void add_tags(CLI::App& app, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd =
      add_command(app, "tags", "the tags of a data set, with their spellings merged",
                  {{"segue tags demo", "the most used, with the number of items that have them"},
                   {"segue tags hetrec_lastfm --merged -n 50", "which spellings are one tag"},
                   {"segue tags demo --cluster 8", "groups of items with like tags"},
                   {"segue tags hetrec_lastfm --artist radiohead --json", "what sets an artist apart"}});
  add_dataset(cmd, o->name, o->settings);
  CLI::Option* merged = cmd.add_flag("--merged", o->merged, "print which spellings were merged");
  CLI::Option* cluster = cmd.add_option("--cluster", o->clusters, "group the items by their tags into so many clusters")
                             ->check(between(1, kMostClusters))
                             ->type_name("K")
                             ->excludes(merged);
  cmd.add_option("--artist", o->artist, "an artist's distinctive tags")
      ->type_name("NAME")
      ->excludes(merged)
      ->excludes(cluster);
  cmd.add_option("--seed", o->seed, "where the clusters begin")->type_name("N")->default_str("1");
  cmd.add_option("-n", o->n, "how many")->check(between(1, 1e6))->type_name("N")->default_str("20");
  cmd.add_flag("--json", o->json, "the same as --format json");
  add_format(cmd, o->format);
  on_run(cmd, session, [o, &session] { return show_tags(*o, session); });
}

}  // namespace segue
