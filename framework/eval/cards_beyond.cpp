#include <cmath>
#include <limits>

#include "framework/eval/definitions.hpp"

// Metrics of what is recommended, whether or not it is right. Definitions in the literature differ more than for
// accuracy; each card says what happens to short lists and to items of which nothing is known.

namespace segue {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr const char* kUnion = "not averaged: the union of the lists of queries with truth";
constexpr const char* kLists =
    "queries with truth, like the other metrics; a short list is judged by what it holds, an "
    "empty one counts 0";

MetricCard union_card(MetricCard card) {
  card.averaged = kUnion;
  card.kind = MetricKind::kUnion;
  card.reads_truth = false;
  return card;
}

MetricCard list_card(MetricCard card) {
  if (card.averaged.empty()) card.averaged = kLists;
  card.kind = MetricKind::kList;
  return card;
}

std::vector<MetricCard> union_cards() {
  std::vector<MetricCard> cards;
  cards.push_back(union_card(
      {.name = "coverage",
       .title = "Catalogue coverage",
       .formula = "different items in the first k places of all lists / items that could be recommended",
       .citation =
           "Ge, Delgado-Battenfeld & Jannach 2010, Beyond accuracy: evaluating recommender systems by coverage and "
           "serendipity, RecSys",
       .variants = "RecBole 'itemcoverage' has the same numerator, and counts its padding item in the denominator. "
                   "Cannot be merged from shards by averaging.",
       .function = &metric::coverage}));
  cards.push_back(union_card(
      {.name = "gini",
       .title = "Gini coefficient of recommendations",
       .formula =
           "sum over items i = 1..n, ascending by their places c(i) in the first k of all lists, of (2i - n - 1) "
           "c(i), / (n sum c); n is the catalogue, items never recommended included; 1 where nothing is "
           "recommended",
       .citation =
           "Fleder & Hosanagar 2009, Blockbuster culture's next rise or fall, Management Science 55(5); Shani & "
           "Gunawardana 2011, Evaluating recommendation systems, Recommender Systems Handbook",
       .higher_is_better = false,
       .variants =
           "LensKit 'ListGini' agrees; its 'ExposureGini' weighs places by 0.85^(rank - 1). RecBole 'giniindex' "
           "counts its padding item in n. Some papers report 1 - gini, or leave out items never recommended.",
       .function = &metric::gini}));
  cards.push_back(union_card(
      {.name = "entropy",
       .title = "Shannon entropy of recommendations",
       .formula = "- sum over items of p log2 p, in bits, where p is the item's share of all places in the first k of "
                  "all lists; not normalised: at most log2 of the catalogue; 0 where nothing is recommended",
       .citation = "Shani & Gunawardana 2011, Evaluating recommendation systems, Recommender Systems Handbook",
       .high = kInfinity,
       .variants = "RecBole 'shannonentropy' uses the natural logarithm and divides by the number of different items. "
                   "LensKit 'Entropy' is another thing: of categories within one list.",
       .function = &metric::entropy}));
  return cards;
}

std::vector<MetricCard> popularity_cards() {
  std::vector<MetricCard> cards;
  cards.push_back(list_card(
      {.name = "novelty",
       .title = "Novelty, mean self-information",
       .formula = "mean over the list of -log2(training users of the item / all training users), in bits; an item "
                  "without training users counts as one with a single user",
       .citation = "Zhou et al. 2010, Solving the apparent diversity-accuracy dilemma of recommender systems, PNAS "
                   "107(10); Vargas & Castells 2011, Rank and relevance in novelty and diversity metrics, RecSys",
       .high = kInfinity,
       .reads_truth = false,
       .needs = {Fact::kTrainCounts},
       .variants = "'Mean self-information', 'surprisal'. Elsewhere p is the share of events instead of users, or the "
                   "places are discounted. LensKit 'MeanPopRank' takes the rank of an item's popularity instead.",
       .function = &metric::novelty}));
  cards.push_back(list_card(
      {.name = "popularity",
       .title = "Average recommendation popularity",
       .formula = "mean over the list of the item's training users",
       .citation = "Yin, Cui, Li, Yao & Chen 2012, Challenging the long tail recommendation, PVLDB 5(9)",
       .high = kInfinity,
       .higher_is_better = false,
       .reads_truth = false,
       .needs = {Fact::kTrainCounts},
       .variants = "'ARP'. RecBole 'averagepopularity' counts training events instead of users, and divides by k also "
                   "where the list is shorter. Not comparable between data sets; an empty list is no merit here.",
       .function = &metric::popularity}));
  cards.push_back(list_card(
      {.name = "tail_share",
       .title = "Share of the long tail",
       .formula = "items of the long tail / items of the list; the short head are the most popular items that together "
                  "have 80 % of the training (user, item) pairs, with all items as popular as the last of them, and "
                  "everything else is tail",
       .citation = "Abdollahpouri, Burke & Mobasher 2019, Managing popularity bias in recommender systems with "
                   "personalized re-ranking, FLAIRS (APLT)",
       .reads_truth = false,
       .needs = {Fact::kTrainCounts},
       .variants = "RecBole 'tailpercentage' calls the least popular 10 % of the training items tail, which are far "
                   "fewer. Others take the least popular 80 % of the items.",
       .function = &metric::tail_share}));
  cards.push_back(list_card(
      {.name = "serendipity",
       .title = "Serendipity",
       .formula = "unexpected hits in the first k places / k; expected are the items of the query's history and the k "
                  "most popular items outside it, with all items as popular as the last of them",
       .citation =
           "Ge, Delgado-Battenfeld & Jannach 2010, Beyond accuracy, RecSys; Kaminskas & Bridge 2016, Diversity, "
           "serendipity, novelty, and coverage, ACM TiiS 7(1)",
       .averaged = "queries with truth; an empty list counts 0",
       .needs = {Fact::kTrainCounts, Fact::kHistory},
       .variants = "Ge et al. divide by the unexpected items instead of by k, so that one lucky surprise counts 1. "
                   "Others subtract a probability that the user knows the item, or use distances between items.",
       .function = &metric::serendipity}));
  cards.push_back(list_card(
      {.name = "repeat_share",
       .title = "Share of repeats",
       .formula = "items of the list that stand in the query's history / items of the list",
       .citation = "Anderson, Kumar, Tomkins & Vassilvitskii 2014, The dynamics of repeat consumption, WWW",
       .descriptive = true,
       .reads_truth = false,
       .needs = {Fact::kHistory},
       .variants = "0 for every model where the task excludes what was heard. How good the repeats are: hr@k:repeat, "
                   "and hr@k:explore for the rest.",
       .function = &metric::repeat_share}));
  return cards;
}

std::vector<MetricCard> content_cards() {
  std::vector<MetricCard> cards;
  cards.push_back(list_card(
      {.name = "ild_tags",
       .title = "Intra-list diversity by tags",
       .formula =
           "mean over pairs of items of the list of 1 - cosine of their tag weights; items without tags are left "
           "out, and fewer than two items with tags count 0",
       .citation = "Smyth & McClave 2001, Similarity vs. diversity, ICCBR; Ziegler, McNee, Konstan & Lausen 2005, "
                   "Improving recommendation lists through topic diversification, WWW",
       .reads_truth = false,
       .needs = {Fact::kTags},
       .variants =
           "LensKit 'ILS' is the mean cosine itself, and takes items without tags as unlike everything. Ziegler "
           "et al. sum instead of averaging.",
       .function = &metric::ild_tags}));
  cards.push_back(list_card(
      {.name = "ild_vectors",
       .title = "Intra-list diversity by item vectors",
       .formula = "mean over pairs of items of the list of 1 - cosine of their vectors (of sound or text, as the data "
                  "set has them); items whose vector is zero are left out, and fewer than two others count 0",
       .citation = "Smyth & McClave 2001, Similarity vs. diversity, ICCBR; Ziegler, McNee, Konstan & Lausen 2005, "
                   "Improving recommendation lists through topic diversification, WWW",
       .high = 2,
       .reads_truth = false,
       .needs = {Fact::kVectors},
       .variants = "As ild_tags. Not comparable between different vectors.",
       .function = &metric::ild_vectors}));
  cards.push_back(list_card(
      {.name = "artist_diversity",
       .title = "Artist diversity",
       .formula = "different artists / items of the list whose artist is known; 0 where none is known",
       .citation = "Bonnin & Jannach 2014, Automated generation of music playlists: survey and experiments, ACM "
                   "Computing Surveys 47(2)",
       .reads_truth = false,
       .needs = {Fact::kArtists},
       .variants = "Elsewhere the number of different artists, or divided by k.",
       .function = &metric::artist_diversity}));
  cards.push_back(list_card(
      {.name = "artist_coherence",
       .title = "Artist coherence",
       .formula = "items of the list by an artist of the query's history / items of the list; an item whose artist is "
                  "unknown is by none of them",
       .citation = "Bonnin & Jannach 2014, Automated generation of music playlists: survey and experiments, ACM "
                   "Computing Surveys 47(2)",
       .descriptive = true,
       .averaged = "queries with truth whose history has a known artist; an empty list counts 0",
       .reads_truth = false,
       .needs = {Fact::kArtists, Fact::kHistory},
       .variants = "How well a list goes on with the artists heard so far. Elsewhere the overlap of two sets of "
                   "artists, or the cosine of mean tag vectors.",
       .function = &metric::artist_coherence}));
  cards.push_back(list_card(
      {.name = "calibration",
       .title = "Miscalibration by tags",
       .formula = "sum over tags of p log2(p / (0.99 q + 0.01 p)), in bits, where p is the tag's share of the history "
                  "and q of the list; an item's tags share its weight of 1, and items without tags are left out",
       .citation = "Steck 2018, Calibrated recommendations, RecSys (alpha 0.01)",
       .high = std::log2(100.0),
       .higher_is_better = false,
       .averaged = "queries with truth whose history has tags; a list without tags, also an empty one, counts log2 100",
       .reads_truth = false,
       .needs = {Fact::kTags, Fact::kHistory},
       .variants = "0 is perfect. With the natural logarithm the figure is 0.693 of this one. Steck weighs items by "
                   "how recent they are and by their place in the list; here all weigh the same.",
       .function = &metric::calibration}));
  return cards;
}

}  // namespace

std::vector<MetricCard> beyond_accuracy_cards() {
  std::vector<MetricCard> cards;
  for (const auto& part : {union_cards(), popularity_cards(), content_cards()})
    cards.insert(cards.end(), part.begin(), part.end());
  return cards;
}

}  // namespace segue
