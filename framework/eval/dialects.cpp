#include "framework/eval/dialects.hpp"

#include <charconv>
#include <map>

#include "framework/base/errors.hpp"
#include "framework/eval/dialect_functions.hpp"

namespace segue {

namespace {

using namespace dialects;
using Rows = std::vector<DialectMetric>;

DialectMetric row(const char* name, const char* mine, bool same, const char* definition, DialectFunction function,
                  std::vector<Fact> needs = {}) {
  return {.name = name,
          .definition = definition,
          .ours = mine,
          .same = same,
          .needs = std::move(needs),
          .function = function};
}

DialectMetric impossible(const char* name, const char* mine, const char* definition, const char* reason) {
  return {.name = name, .definition = definition, .ours = mine, .impossible = reason};
}

// trec_eval reads integer gains of at least 1 as relevant, which all gains here are taken to be.
Rows trec() {
  return {
      row("ndcg_cut_{k}", "ndcg", true, "linear gain over log2(rank + 1), the ideal list cut at k too",
          [](const RankingOutcome& o, std::size_t k) { return ours("ndcg", o, k); }),
      row("ndcg", "ndcg_full_ideal", false, "ndcg over the whole list, the ideal list not cut",
          [](const RankingOutcome& o, std::size_t) { return ours("ndcg_full_ideal", o, 0); }),
      row("map_cut_{k}", "map", true, "average precision in the first k places, over all relevant items",
          [](const RankingOutcome& o, std::size_t k) { return ours("map", o, k); }),
      row("map", "map", false, "average precision over the whole list",
          [](const RankingOutcome& o, std::size_t) { return ours("map", o, 0); }),
      row("P_{k}", "precision", true, "hits / k, also where the list is shorter",
          [](const RankingOutcome& o, std::size_t k) { return ours("precision", o, k); }),
      row("recall_{k}", "recall", true, "hits / relevant items",
          [](const RankingOutcome& o, std::size_t k) { return ours("recall", o, k); }),
      row("recip_rank", "mrr", false, "1 / rank of the first hit in the whole list",
          [](const RankingOutcome& o, std::size_t) { return ours("mrr", o, 0); }),
      row("success_{k}", "hr", true, "1 if there is any hit in the first k places",
          [](const RankingOutcome& o, std::size_t k) { return ours("hr", o, k); }),
      row("Rprec", "r_precision", false, "hits in the first R places of the list / R, R the relevant items",
          trec_r_precision),
  };
}

Rows recbole() {
  return {
      row("recall@{k}", "recall", true, "hits / relevant items",
          [](const RankingOutcome& o, std::size_t k) { return ours("recall", o, k); }),
      row("mrr@{k}", "mrr", true, "1 / rank of the first hit in the first k places",
          [](const RankingOutcome& o, std::size_t k) { return ours("mrr", o, k); }),
      row("ndcg@{k}", "ndcg", false, "our ndcg with every gain 1",
          [](const RankingOutcome& o, std::size_t k) { return ours_binary("ndcg", o, k); }),
      row("hit@{k}", "hr", true, "1 if there is any hit in the first k places",
          [](const RankingOutcome& o, std::size_t k) { return ours("hr", o, k); }),
      row("precision@{k}", "precision", true, "hits / k",
          [](const RankingOutcome& o, std::size_t k) { return ours("precision", o, k); }),
      row("map@{k}", "map_min", true, "average precision over min(k, relevant items)",
          [](const RankingOutcome& o, std::size_t k) { return ours("map_min", o, k); }),
      row("gauc", "auc", false,
          "area under the ROC curve of each user with other candidates, ties one half, weighted by relevant items",
          recbole_gauc, {Fact::kTieCounts}),
      impossible("auc", "auc", "one ROC curve over the scores of all users together",
                 "scores are not stored, and those of different users are not comparable by rank"),
      impossible("logloss", "", "cross-entropy of predicted probabilities", "scores are not stored"),
      impossible("rmse", "rmse", "square root of the mean squared error of predicted ratings",
                 "it judges predicted ratings, not lists; there rmse is the same"),
      impossible("mae", "mae", "mean absolute error of predicted ratings",
                 "it judges predicted ratings, not lists; there mae is the same"),
      row("itemcoverage@{k}", "coverage", false,
          "different items in the first k places / (items of the data set + 1), its padding item counted",
          recbole_coverage),
      row("averagepopularity@{k}", "popularity", false,
          "training interactions of the listed items / k; here training users stand for interactions",
          recbole_popularity, {Fact::kTrainCounts}),
      row("giniindex@{k}", "gini", false,
          "Gini coefficient over the items of the data set and its padding item, over users times k places",
          recbole_gini),
      row("shannonentropy@{k}", "entropy", false,
          "entropy of the items' shares of all places, natural logarithm, divided by the number of different items",
          recbole_entropy),
      row("tailpercentage@{k}", "tail_share", false,
          "listed items among the least popular 10 % of the training items / k (tail_ratio unset); ties at the border "
          "go by item number, ours here",
          recbole_tail, {Fact::kTrainCounts}),
  };
}

Rows lenskit() {
  return {
      row("NDCG@{k}", "ndcg", false,
          "every gain 1 (gain=None), discount max(1, log2 rank), ideal of min(k, relevant items); 0.x does not cut the "
          "ideal unless k is given, and takes ratings as gains",
          lenskit_ndcg),
      row("DCG@{k}", "", false, "the sum that NDCG divides, not normalised", lenskit_dcg),
      row("Recall@{k}", "recall_min", true, "hits / min(k, relevant items)",
          [](const RankingOutcome& o, std::size_t k) { return ours("recall_min", o, k); }),
      row("Precision@{k}", "precision", false,
          "hits / items in the list, at most k; an empty list is left out of the mean (RunAnalysis.list_summary of "
          "2025 counts it 0)",
          lenskit_precision),
      row("RecipRank@{k}", "mrr", true, "1 / rank of the first hit in the first k places",
          [](const RankingOutcome& o, std::size_t k) { return ours("mrr", o, k); }),
      row("Hit@{k}", "hr", true, "1 if there is any hit in the first k places",
          [](const RankingOutcome& o, std::size_t k) { return ours("hr", o, k); }),
      row("AveragePrecision@{k}", "map_min", false,
          "average precision over min(relevant items, items in the list); an empty list is left out of the mean",
          lenskit_average_precision),
      row("RBP@{k}", "", false, "rank-biased precision, patience 0.85, not normalised by what can be reached",
          lenskit_rbp),
      row("MeanPopRank@{k}", "novelty", false,
          "mean over the list of the popularity rank as a quantile, 1 the most popular, by users, 0 for an item "
          "without "
          "any; an empty list is left out",
          lenskit_popularity_rank, {Fact::kTrainCounts}),
      row("ListGini@{k}", "gini", false, "Gini coefficient of the number of lists that hold each item of the data set",
          [](const RankingOutcome& o, std::size_t k) {
            RankingOutcome whole = o;
            if (o.item_facts != nullptr && o.item_facts->items > 0) whole.catalogue = o.item_facts->items;
            return ours("gini", whole, k);
          }),
      row("ExposureGini@{k}", "gini", false, "the same with 0.85^(rank - 1) for a place instead of 1",
          lenskit_exposure_gini),
      impossible("ILS@{k}", "ild_tags", "mean cosine of all pairs of the list by an attribute of the data set",
                 "it reads LensKit's own attributes; where every item has tags it is 1 - ild_tags of equal weights"),
      impossible("Entropy@{k}", "", "entropy of an attribute's categories within the list",
                 "it reads LensKit's own attributes"),
      impossible("RMSE", "rmse", "root mean squared error, over all ratings or user by user",
                 "it judges predicted ratings, not lists; there rmse and rmse_user are the same"),
      impossible("MAE", "mae", "mean absolute error", "it judges predicted ratings, not lists; there mae is the same"),
  };
}

Rows implicit() {
  return {
      row("precision@{k}", "recall_min", false,
          "hits of all users / sum over users of min(k, relevant items): a pooled recall_min, not a precision",
          implicit_precision),
      row("map@{k}", "map_min", true, "average precision over min(k, relevant items)",
          [](const RankingOutcome& o, std::size_t k) { return ours("map_min", o, k); }),
      row("ndcg@{k}", "ndcg", false, "our ndcg with every gain 1",
          [](const RankingOutcome& o, std::size_t k) { return ours_binary("ndcg", o, k); }),
      row("auc@{k}", "auc", false,
          "area under the ROC curve of the first k places, the rest of both kinds assumed to be evenly mixed; every "
          "item "
          "of the data set that is not relevant counts as irrelevant, also what was excluded",
          implicit_auc),
  };
}

const std::map<std::string, Rows>& tables() {
  static const std::map<std::string, Rows> all = {
      {"trec", trec()}, {"recbole", recbole()}, {"lenskit", lenskit()}, {"implicit", implicit()}};
  return all;
}

}  // namespace

std::string DialectMetric::text(std::size_t k) const {
  const std::size_t at = name.find("{k}");
  return at == std::string::npos ? name : name.substr(0, at) + std::to_string(k) + name.substr(at + 3);
}

const std::vector<std::string>& dialect_names() {
  static const std::vector<std::string> names = {"trec", "recbole", "lenskit", "implicit"};
  return names;
}

const std::vector<DialectMetric>& dialect(const std::string& library) {
  const auto it = tables().find(library);
  if (it == tables().end()) throw UsageError("unknown library '{}'{}", library, suggestion(library, dialect_names()));
  return it->second;
}

DialectSpec counterpart(const std::string& library, const MetricSpec& metric) {
  SEGUE_CHECK(metric.card != nullptr, "an empty metric");
  for (const DialectMetric& m : dialect(library))
    if (m.ours == metric.card->name) return {&m, m.has_cutoff() ? metric.k : 0};
  return {};
}

DialectSpec parse_dialect_metric(const std::string& library, const std::string& text) {
  std::vector<std::string> known;
  for (const DialectMetric& m : dialect(library)) {
    known.push_back(m.text(10));
    if (!m.has_cutoff()) {
      if (m.name == text) return {&m, 0};
      continue;
    }
    const std::string stem = m.name.substr(0, m.name.find("{k}"));
    if (!text.starts_with(stem)) continue;
    std::uint32_t k = 0;
    const char *begin = text.data() + stem.size(), *end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(begin, end, k);
    if (error == std::errc() && rest == end && k > 0) return {&m, k};
  }
  throw UsageError("{} has no metric '{}'{}", library, text, suggestion(text, known));
}

std::string why_not(const DialectSpec& spec, const RankingOutcome& outcome) {
  SEGUE_CHECK(spec.metric != nullptr && spec.metric->has_cutoff() == (spec.k > 0), "a library's metric with cut-off {}",
              spec.k);
  if (!spec.metric->impossible.empty()) return fmt::format("{}: {}", spec.text(), spec.metric->impossible);
  for (const Fact fact : spec.metric->needs)
    if (!has_fact(outcome, fact))
      return fmt::format("{} needs {}, which these results do not hold", spec.text(), fact_name(fact));
  if (spec.k > outcome.k)
    return fmt::format("{} needs lists of {} items, and the stored ones have {}", spec.text(), spec.k, outcome.k);
  return "";
}

MetricValue compute(const DialectSpec& spec, const RankingOutcome& outcome) {
  if (const std::string reason = why_not(spec, outcome); !reason.empty()) throw UsageError("{}", reason);
  return spec.metric->function(outcome, spec.k);
}

}  // namespace segue
