// The same stored lists under the definitions of other libraries (segue evaluate --as trec|recbole|lenskit|implicit).
//
// Read from their sources: trec_eval 10.0-rc3 with -c (usnistgov/trec_eval f4253652c8), RecBole 1.2.1
// (RUCAIBox/RecBole 7b02be5ec8), LensKit 2026.3 (lenskit/lkpy 3bd1c175d6; 0.x differs where a row says so) and implicit
// 0.7.3 (benfred/implicit 8a95dbe24c). All of them see lists only, so a hit behind the end of the stored list is none,
// and no cut-off may be longer than the lists.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "framework/eval/metrics.hpp"

namespace segue {

using DialectFunction = MetricValue (*)(const RankingOutcome& outcome, std::size_t k);

struct DialectMetric {
  std::string name;        // with {k} where the cut-off stands: "ndcg_cut_{k}", "Recall@{k}", "gauc"
  std::string definition;  // how they compute it, one sentence
  std::string ours;        // the metric of ours that is the same or nearest: "ndcg"; empty: none
  bool same = false;       // equal to ours on every outcome
  std::vector<Fact> needs{};
  std::string impossible{};            // why it cannot be computed from stored results; empty: it can
  DialectFunction function = nullptr;  // null where impossible

  bool has_cutoff() const { return name.find("{k}") != std::string::npos; }
  std::string text(std::size_t k) const;  // "ndcg_cut_10"
};

// "trec", "recbole", "lenskit", "implicit".
const std::vector<std::string>& dialect_names();
// Every metric of a library; UsageError with a suggestion for an unknown one.
const std::vector<DialectMetric>& dialect(const std::string& library);

struct DialectSpec {
  const DialectMetric* metric = nullptr;
  std::size_t k = 0;  // 0 without a cut-off
  std::string text() const { return metric->text(k); }
};

// What the library calls the metric of ours: "ndcg@10" is ndcg_cut_10 of trec. The first row where `ours` names it; an
// empty spec where there is none. A slice is not looked at: give compute() a SlicedOutcome's view.
DialectSpec counterpart(const std::string& library, const MetricSpec& metric);

// Their name as they write it, with the cut-off: "recall@20", "P_5", "recip_rank". UsageError with a suggestion.
DialectSpec parse_dialect_metric(const std::string& library, const std::string& text);

// Empty where compute() has all it needs; else the sentence it would throw.
std::string why_not(const DialectSpec& metric, const RankingOutcome& outcome);

// mean is the library's figure. per_query is NaN where the library leaves the query out, and empty where the figure is
// pooled over queries instead of averaged. UsageError with why_not().
MetricValue compute(const DialectSpec& metric, const RankingOutcome& outcome);

}  // namespace segue
