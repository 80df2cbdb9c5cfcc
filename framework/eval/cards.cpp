#include <algorithm>
#include <limits>

#include "framework/eval/definitions.hpp"

// What other libraries do was read from their sources in 2026: trec_eval (usnistgov), RecBole 1, LensKit, implicit.

namespace segue {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr const char* kQueries = "queries with truth; an empty list counts 0";

}  // namespace

std::vector<MetricCard> accuracy_cards() {
  std::vector<MetricCard> cards;
  cards.push_back({.name = "hr",
                   .title = "Hit rate",
                   .formula = "1 if any truth item stands in the first k places, else 0",
                   .citation = "Deshpande & Karypis 2004, Item-based top-N recommendation algorithms, ACM TOIS 22(1)",
                   .averaged = kQueries,
                   .variants = "RecBole 'hit' and LensKit 'Hit' agree. With one truth item a query, recall is the same "
                               "number. In papers on "
                               "sampled negatives HR@k is counted among the sample, and cannot be compared.",
                   .function = &metric::hr});
  cards.push_back(
      {.name = "ndcg",
       .title = "Normalised discounted cumulative gain",
       .formula = "sum over hits of gain / log2(rank + 1), over the same sum for the best min(k, truth) items in the "
                  "best order",
       .citation = "Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques, ACM TOIS 20(4)",
       .averaged = kQueries,
       .variants =
           "trec_eval 'ndcg_cut' (with -c, which keeps queries without a list), RecBole and implicit agree, the latter "
           "two "
           "with every gain 1. LensKit does not discount rank 2 (it divides by max(1, log2 rank)). Exponential gain: "
           "ndcg_exp. Ideal list not cut at k: ndcg_full_ideal. An ideal made of the model's own hits is an error.",
       .function = &metric::ndcg});
  cards.push_back({.name = "ndcg_exp",
                   .title = "Normalised discounted cumulative gain, exponential",
                   .formula = "ndcg with 2^gain - 1 in place of the gain",
                   .citation = "Burges et al. 2005, Learning to rank using gradient descent, ICML",
                   .averaged = kQueries,
                   .variants = "The usual form in learning to rank. The same as ndcg where every gain is 1.",
                   .function = &metric::ndcg_exp});
  cards.push_back(
      {.name = "ndcg_full_ideal",
       .title = "Normalised discounted cumulative gain, ideal list not cut",
       .formula = "sum over hits in the first k places of gain / log2(rank + 1), over the same sum for all truth items "
                  "in the best order",
       .citation = "Järvelin & Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques, ACM TOIS 20(4)",
       .averaged = kQueries,
       .variants = "Below 1 for a perfect list where there are more than k truth items. trec_eval 'ndcg' on lists of k "
                   "items; LensKit "
                   "0.x does this with its own discount.",
       .function = &metric::ndcg_full_ideal});
  cards.push_back({.name = "recall",
                   .title = "Recall",
                   .formula = "hits in the first k places / truth items",
                   .citation = "Herlocker, Konstan, Terveen & Riedl 2004, Evaluating collaborative filtering "
                               "recommender systems, ACM TOIS 22(1)",
                   .averaged = kQueries,
                   .variants = "trec_eval 'recall' and RecBole agree. Divided by min(k, truth), as in LensKit and the "
                               "Mult-VAE line: recall_min.",
                   .function = &metric::recall});
  cards.push_back(
      {.name = "recall_min",
       .title = "Recall, at most k items asked for",
       .formula = "hits in the first k places / min(k, truth items)",
       .citation = "Liang, Krishnan, Hoffman & Jebara 2018, Variational autoencoders for collaborative filtering, WWW",
       .averaged = kQueries,
       .variants = "LensKit 'Recall'. implicit calls a pooled form 'precision': all hits over the sum of min(k, "
                   "truth), so that queries "
                   "with more truth weigh more.",
       .function = &metric::recall_min});
  cards.push_back({.name = "precision",
                   .title = "Precision",
                   .formula = "hits in the first k places / k, also where the list is shorter",
                   .citation = "Herlocker, Konstan, Terveen & Riedl 2004, Evaluating collaborative filtering "
                               "recommender systems, ACM TOIS 22(1)",
                   .averaged = kQueries,
                   .variants = "trec_eval 'P' and RecBole agree. LensKit divides by the length of a short list. "
                               "implicit's 'precision' is a pooled "
                               "recall_min.",
                   .function = &metric::precision});
  cards.push_back(
      {.name = "map",
       .title = "Mean average precision",
       .formula = "sum over hits in the first k places of the precision at their rank, / truth items",
       .citation = "Voorhees & Harman 2005, TREC: Experiment and evaluation in information retrieval, MIT Press",
       .averaged = kQueries,
       .variants = "trec_eval 'map_cut'. RecBole and implicit divide by min(k, truth): map_min. LensKit divides by "
                   "min(truth, length of "
                   "the list).",
       .function = &metric::map});
  cards.push_back(
      {.name = "map_min",
       .title = "Mean average precision, at most k items asked for",
       .formula = "sum over hits in the first k places of the precision at their rank, / min(k, truth items)",
       .citation = "Voorhees & Harman 2005, TREC: Experiment and evaluation in information retrieval, MIT Press; the "
                   "divisor as in "
                   "RecBole and implicit",
       .averaged = kQueries,
       .variants = "RecBole 'map' and implicit 'map'.",
       .function = &metric::map_min});
  cards.push_back(
      {.name = "mrr",
       .title = "Mean reciprocal rank",
       .formula = "1 / rank of the first hit in the first k places, else 0",
       .citation = "Voorhees 1999, The TREC-8 question answering track report, TREC-8",
       .averaged = kQueries,
       .variants =
           "RecBole, LensKit and trec_eval 'recip_rank' on lists of k items agree. The sum over all hits is an error.",
       .function = &metric::mrr});
  cards.push_back({.name = "auc",
                   .title = "Area under the ROC curve",
                   .formula = "share of (truth item, other candidate) pairs in which the truth item has the higher "
                              "score; equal scores count one half",
                   .citation = "Rendle, Freudenthaler, Gantner & Schmidt-Thieme 2009, BPR, UAI; ties: Hanley & McNeil "
                               "1982, Radiology 143(1)",
                   .averaged =
                       "queries with truth; a truth item that is no candidate loses every pair, candidates that "
                       "the model cannot score are tied behind all others; without any other candidate truth "
                       "items among the candidates count 1",
                   .version = 2,
                   .has_cutoff = false,
                   .needs = {Fact::kTieCounts},
                   .variants = "RecBole 'gauc' weighs queries by their truth and leaves out those without other "
                               "candidates; its 'auc' pools all "
                               "pairs over users. implicit's 'auc' sees only the first k places and assumes the rest.",
                   .function = &metric::auc});
  cards.push_back(
      {.name = "r_precision",
       .title = "R-precision",
       .formula = "hits in the first R places / R, where R is the query's number of truth items",
       .citation =
           "Chen, Lamere, Schedl & Zamani 2018, RecSys Challenge 2018: automatic music playlist continuation, RecSys",
       .averaged = kQueries,
       .has_cutoff = false,
       .depth =
           [](const RankingOutcome& outcome) {
             std::size_t largest = 0;
             for (std::size_t q = 0; q < outcome.queries; ++q)
               largest = std::max<std::size_t>(largest, outcome.truth_offsets[q + 1] - outcome.truth_offsets[q]);
             return largest;
           },
       .variants = "trec_eval 'Rprec' agrees on lists that are long enough. The challenge's final score adds 0.25 for "
                   "each right artist of a missed "
                   "track, which needs "
                   "artists and is not counted here.",
       .function = &metric::r_precision});
  cards.push_back(
      {.name = "clicks",
       .title = "Recommended songs clicks",
       .formula = "pages of 10 to turn before the first hit: floor((rank of the first hit - 1) / 10); 51 where none "
                  "stands in the first 500 places",
       .citation =
           "Chen, Lamere, Schedl & Zamani 2018, RecSys Challenge 2018: automatic music playlist continuation, RecSys",
       .high = 51,
       .higher_is_better = false,
       .averaged = "queries with truth; an empty list counts 51",
       .has_cutoff = false,
       .depth = [](const RankingOutcome&) { return kClicksDepth; },
       .variants = "The challenge's own measure, on lists of 500; no other library has it.",
       .function = &metric::clicks});
  return cards;
}

std::vector<MetricCard> rating_cards() {
  std::vector<MetricCard> cards;
  cards.push_back(
      {.name = "rmse", 
       .title = "Root mean squared error",
       .formula = "square root of the mean of (prediction - rating)^2, predictions clipped where the task says so",
       .citation = "Bennett & Lanning 2007, The Netflix Prize, KDD Cup and Workshop",
       .high = kInfinity,
       .higher_is_better = false,
       .averaged = "ratings",
       .has_cutoff = false,
       .root_of_mean = true,
       .kind = MetricKind::kRating,
       .variants =
           "RecBole agrees. Averaged user by user: rmse_user. Clipping is not universal and changes the figure.",
       .function = &metric::rmse});
  cards.push_back({.name = "mae",
                   .title = "Mean absolute error",
                   .formula = "mean of |prediction - rating|, predictions clipped where the task says so",
                   .citation = "Herlocker, Konstan, Terveen & Riedl 2004, Evaluating collaborative filtering "
                               "recommender systems, ACM TOIS 22(1)",
                   .high = kInfinity,
                   .higher_is_better = false,
                   .averaged = "ratings",
                   .has_cutoff = false,
                   .kind = MetricKind::kRating,
                   .variants = "RecBole agrees.",
                   .function = &metric::mae});
  cards.push_back(
      {.name = "rmse_user",
       .title = "Root mean squared error, user by user",
       .formula = "mean over users of the square root of the user's mean (prediction - rating)^2",
       .citation =
           "Ekstrand 2020, LensKit for Python: next-generation software for recommender systems experiments, CIKM",
       .high = kInfinity,
       .higher_is_better = false,
       .averaged = "users with ratings, each the same weight",
       .has_cutoff = false,
       .by_user = true,
       .kind = MetricKind::kRating,
       .variants = "LensKit's RMSE when averaged over users.",
       .function = &metric::rmse_user});
  return cards;
}

const std::vector<MetricCard>& metric_cards() {
  static const std::vector<MetricCard> cards = [] {
    std::vector<MetricCard> all;
    for (const auto& part : {accuracy_cards(), beyond_accuracy_cards(), rating_cards()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return cards;
}

}  // namespace segue
