// Figures of the charts that show evidence, at realistic and at awkward data; cases.hpp collects them.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "framework/base/rng.hpp"
#include "framework/plot/charts.hpp"

namespace segue::plot {

// What a paper would compare, and names as long as grids make them.
inline const std::vector<std::string> kSystems = {"implicit_als", "item_knn", "user_knn", "sgd_mf", "bias", "popular"};
inline const std::vector<std::string> kLongNames = {"als_grid factors=32,reg=0.01,alpha=40",
                                                    "als_grid factors=128,reg=0.001,alpha=40",
                                                    "implicit_als",
                                                    "bayesian_personalised_ranking_mf",
                                                    "item_knn similarity=adjusted_cosine",
                                                    "user_knn neighbours=200",
                                                    "mult_vae",
                                                    "sgd_mf",
                                                    "slim l1=0.001",
                                                    "bias",
                                                    "popular half_life=30d",
                                                    "random"};

inline MetricAgainstCutoff cutoffs(const std::vector<std::string>& names, bool bands) {
  MetricAgainstCutoff data{"nDCG", Direction::kHigherIsBetter, {1, 2, 5, 10, 20, 50, 100}, {}, ""};
  for (std::size_t i = 0; i < names.size(); ++i) {
    CutoffCurve c{names[i], {}};
    for (const double k : data.cutoffs) {
      const double v =
          (0.3 - 0.28 * static_cast<double>(i) / static_cast<double>(names.size())) * (1 - 0.75 / (1 + std::log(k)));
      c.values.push_back(v);
      if (bands) c.lo.push_back(v - 0.008), c.hi.push_back(v + 0.008);
    }
    data.curves.push_back(std::move(c));
  }
  data.interval = bands ? "95 % bootstrap interval over users" : "";
  return data;
}

inline SensitivityCurve sensitivity(const std::string& label, double best, double top, double default_value) {
  SensitivityCurve c{label, {}, default_value, std::nullopt};
  Rng rng(static_cast<std::uint64_t>(best));
  for (const double f : {8.0, 16.0, 32.0, 64.0, 128.0, 256.0}) {
    const double mean = top - 0.008 * std::pow(std::log2(f / best), 2);
    Setting s{f, mean, mean - 0.006, mean + 0.006, {}, ""};
    for (int run = 0; run < 5; ++run) s.runs.push_back(mean + 0.006 * (rng.uniform() - 0.5));
    c.settings.push_back(std::move(s));
  }
  return c;
}

inline PerBin bins(const std::vector<std::string>& names) {
  PerBin data{"Recall@10",
              Direction::kHigherIsBetter,
              {{"top 1 % of items", 0.22},
               {"next 9 %", 0.41},
               {"next 40 %", 0.305},
               {"least popular half", 0.06},
               {"never seen", 0.005}},
              {},
              "95 % bootstrap interval over users"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    BinnedSystem s{names[i], {}};
    for (std::size_t b = 0; b < 5; ++b) {
      const double v =
          0.4 * std::exp(-0.7 * static_cast<double>(b)) * (1 - 0.06 * static_cast<double>((i * 5 + b) % 7));
      const double w = 0.006 + 0.01 * static_cast<double>(b);
      s.bins.push_back({v, std::max(0.0, v - w), v + w});
    }
    data.systems.push_back(std::move(s));
  }
  return data;
}

inline CriticalDifference ranks(const std::vector<std::string>& names, double difference) {
  CriticalDifference data{{}, difference, "943 users", "Nemenyi, 5 %", {}};
  const auto n = static_cast<double>(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    data.systems.push_back({names[i], 1.3 + (n - 1.5) * std::pow((static_cast<double>(i) + 0.3) / n, 0.85)});
  return data;
}

inline ScoreDistributions distributions(const std::vector<std::string>& names, bool binary) {
  ScoreDistributions data{binary ? "Hit@10" : "nDCG@10", Direction::kHigherIsBetter, {}, "users", ""};
  Rng rng(7);
  for (std::size_t i = 0; i < names.size(); ++i) {
    ScoreDistribution s{names[i], {}};
    for (int u = 0; u < 900; ++u) {
      const double zeros = 0.15 + 0.6 * static_cast<double>(i) / static_cast<double>(names.size());
      const double v = rng.uniform() < zeros ? 0 : std::pow(rng.uniform(), 1.2);
      s.values.push_back(binary ? (v > 0 ? 1 : 0) : v);
    }
    data.systems.push_back(std::move(s));
  }
  return data;
}

inline std::vector<LatencySamples> latencies(const std::vector<std::string>& names) {
  std::vector<LatencySamples> out;
  Rng rng(11);
  for (std::size_t i = 0; i < names.size(); ++i) {
    LatencySamples s{names[i], {}};
    for (int q = 0; q < 2000; ++q) {
      double us = 4 * (1 + 0.4 * static_cast<double>(i / 7)) * std::pow(3.1, static_cast<double>((i * 4) % 7)) *
                  std::exp(0.35 * (rng.uniform() + rng.uniform() + rng.uniform() - 1.5));
      if (rng.uniform() < 0.015) us *= 6;
      s.us.push_back(us);
    }
    out.push_back(std::move(s));
  }
  return out;
}

inline PValueHeatmap p_values(const std::vector<std::string>& names) {
  PValueHeatmap data{
      "nDCG@10", Direction::kHigherIsBetter, {}, {}, 0.05, "Paired randomisation test, Holm-adjusted over all pairs"};
  for (std::size_t i = 0; i < names.size(); ++i)
    data.systems.push_back({names[i], 0.3 - 0.02 * static_cast<double>((i * 5) % names.size())});
  for (std::size_t a = 0; a < names.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const double d = data.systems[a].mean - data.systems[b].mean;
      data.pairs.push_back({a, b, std::min(1.0, 2 * std::exp(-std::abs(d) * 95)), d});
    }
  }
  return data;
}

inline AccuracyCost costs(const std::vector<std::string>& names) {
  AccuracyCost data{"nDCG@10", Direction::kHigherIsBetter, {}, ""};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto at = static_cast<double>(i);
    data.points.push_back({names[i], 3 * std::pow(2.3, static_cast<double>((i * 5) % 9)),
                           0.28 - 0.02 * static_cast<double>((i * 7) % 12),
                           2e5 * std::pow(3.7, static_cast<double>((i * 3) % 8)) + at});
  }
  return data;
}

using Cases = std::vector<std::pair<std::string, Figure>>;

inline void add_curve_cases(Cases& cases, const std::vector<std::string>& nasty) {
  cases.emplace_back("cutoff", metric_against_cutoff(cutoffs(kSystems, false)));
  cases.emplace_back("cutoff-bands", metric_against_cutoff(cutoffs({"implicit_als", "item_knn", "popular"}, true)));
  cases.emplace_back("cutoff-twelve", metric_against_cutoff(cutoffs(kLongNames, true), "Twelve systems"));
  cases.emplace_back("cutoff-page", metric_against_cutoff(cutoffs(kSystems, false), "", FigureSize::kPage));
  MetricAgainstCutoff one{
      "Recall", Direction::kHigherIsBetter, {10}, {{"implicit_als", {0.25}}, {"gone", {kNotANumber}}}, ""};
  cases.emplace_back("cutoff-one", metric_against_cutoff(one));
  MetricAgainstCutoff equal = cutoffs({"a", "b", "c"}, true);
  for (CutoffCurve& c : equal.curves) c.values.assign(7, 0.2), c.lo.assign(7, 0.2), c.hi.assign(7, 0.2);
  equal.curves[1].values[3] = kNotANumber;
  cases.emplace_back("cutoff-equal", metric_against_cutoff(equal));
  cases.emplace_back("cutoff-nasty", metric_against_cutoff(cutoffs({nasty.begin(), nasty.begin() + 6}, false)));

  ParameterSensitivity data{
      "factors", "nDCG@10", Direction::kHigherIsBetter, {sensitivity("implicit_als", 64, 0.272, 64)}};
  data.interval = "95 % interval over users", data.runs = "seeds";
  cases.emplace_back("sensitivity", parameter_sensitivity(data));
  data.curves.push_back(sensitivity("sgd_mf", 32, 0.229, 32));
  data.curves.push_back(sensitivity("bayesian_personalised_ranking_mf", 128, 0.26, 100));
  cases.emplace_back("sensitivity-three", parameter_sensitivity(data));
  for (int i = 0; i < 5; ++i)
    data.curves.push_back(sensitivity("system_" + std::to_string(i), 20 + 10 * i, 0.2 + 0.01 * i, 64));
  cases.emplace_back("sensitivity-eight", parameter_sensitivity(data));
  ParameterSensitivity names{"similarity", "nDCG@10", Direction::kHigherIsBetter, {}};
  for (const std::string system : {"item_knn", "user_knn"}) {
    SensitivityCurve c{system, {}, std::nullopt, "cosine"};
    double v = system == "item_knn" ? 0.25 : 0.24;
    for (const std::string name : {"cosine", "adjusted_cosine", "jaccard", "pearson", "tversky alpha=0.5"}) {
      c.settings.push_back({kNotANumber, v, v - 0.007, v + 0.007, {v - 0.004, v + 0.003}, name});
      v -= 0.011;
    }
    names.curves.push_back(std::move(c));
  }
  names.interval = "95 % interval over users";
  cases.emplace_back("sensitivity-names", parameter_sensitivity(names));
  ParameterSensitivity single{
      "reg",
      "RMSE",
      Direction::kLowerIsBetter,
      {{"sgd_mf", {{0.02, 0.92}, {0.1, kNotANumber}}, 0.02, {}}, {"gone", {{0.1, kNotANumber}}}}};
  cases.emplace_back("sensitivity-one", parameter_sensitivity(single));
  ParameterSensitivity linear{"half_life",
                              "nDCG@10",
                              Direction::kHigherIsBetter,
                              {{"popular", {{-5, 0.2}, {0, 0.2}, {5, 0.2}, {5.5, 0.2}, {6, 0.2}}, 30, {}}},
                              "days"};
  cases.emplace_back("sensitivity-equal", parameter_sensitivity(linear));

  cases.emplace_back("cdf", latency_cdf(latencies(kSystems)));
  std::vector<LatencySamples> apart = latencies({"popular", "implicit_als", "user_knn"});
  for (double& us : apart[2].us) us *= 2000;
  cases.emplace_back("cdf-three", latency_cdf(apart));
  cases.emplace_back("cdf-page", latency_cdf(latencies(kSystems), "MovieLens 100K", FigureSize::kPage));
  cases.emplace_back("cdf-twelve", latency_cdf(latencies(kLongNames)));
  cases.emplace_back("cdf-one", latency_cdf({{"implicit_als", {42}}, {"gone", {kNotANumber, -1}}}));
  std::vector<LatencySamples> same = latencies({"a_first", "b_second", "c_third", "d_fourth"});
  for (LatencySamples& s : same) s.us = same.front().us;
  cases.emplace_back("cdf-equal", latency_cdf(same));
  cases.emplace_back("cdf-nasty", latency_cdf(latencies({nasty.begin(), nasty.begin() + 6})));
}

inline void add_comparison_cases(Cases& cases, const std::vector<std::string>& nasty) {
  cases.emplace_back("ranks", critical_difference(ranks(kSystems, 0.9)));
  cases.emplace_back("ranks-twelve", critical_difference(ranks(kLongNames, 1.9), "Twelve systems with long names"));
  cases.emplace_back("ranks-page", critical_difference(ranks(kLongNames, 1.9), "", FigureSize::kPage));
  cases.emplace_back("ranks-two", critical_difference(ranks({"implicit_als", "item_knn"}, 0.064)));
  CriticalDifference equal = ranks({"a", "b", "c", "d", "e"}, 5.5);
  for (RankedSystem& s : equal.systems) s.mean_rank = 3;
  equal.systems.push_back({"crashed", kNotANumber});
  cases.emplace_back("ranks-equal", critical_difference(equal));
  CriticalDifference given = ranks(kSystems, kNotANumber);
  given.test = "Wilcoxon signed rank, Holm-adjusted, 5 %";
  given.cliques = {{0, 1, 2}, {2, 3}, {4, 5}};
  cases.emplace_back("ranks-given", critical_difference(given));
  cases.emplace_back("ranks-nasty", critical_difference(ranks(nasty, 1.1)));

  cases.emplace_back("pvalues", p_value_heatmap(p_values(kSystems)));
  cases.emplace_back("pvalues-twelve", p_value_heatmap(p_values(kLongNames)));
  cases.emplace_back("pvalues-page", p_value_heatmap(p_values(kLongNames), "MovieLens 100K", FigureSize::kPage));
  PValueHeatmap two = p_values({"implicit_als", "item_knn", "crashed"});
  two.systems[2].failed = true, two.alpha = 0.01;
  cases.emplace_back("pvalues-two", p_value_heatmap(two));
  PValueHeatmap odd = p_values({"a", "b", "c", "d"});
  odd.pairs[0].p = kNotANumber, odd.pairs[1].difference = 0, odd.pairs[1].p = 1, odd.pairs[2].difference *= -1;
  odd.pairs[3].difference = kNotANumber;
  cases.emplace_back("pvalues-odd", p_value_heatmap(odd));
  cases.emplace_back("pvalues-nasty", p_value_heatmap(p_values(nasty)));

  cases.emplace_back("cost", accuracy_cost(costs(kSystems)));
  cases.emplace_back("cost-twelve", accuracy_cost(costs(kLongNames)));
  cases.emplace_back("cost-page", accuracy_cost(costs(kLongNames), "", FigureSize::kPage));
  AccuracyCost one = costs({"implicit_als", "broken", "crashed"});
  one.points[1].memory = kNotANumber, one.points[2].mean = kNotANumber;
  cases.emplace_back("cost-one", accuracy_cost(one));
  for (AccuracyCostPoint& p : one.points) p.latency_us = 10, p.mean = 0.2, p.memory = 1e6;
  cases.emplace_back("cost-equal", accuracy_cost(one));
  cases.emplace_back("cost-nasty", accuracy_cost(costs({nasty.begin(), nasty.begin() + 8})));
}

inline void add_spread_cases(Cases& cases, const std::vector<std::string>& nasty) {
  cases.emplace_back("bins", per_bin(bins({"implicit_als", "item_knn", "popular"})));
  cases.emplace_back("bins-six", per_bin(bins(kSystems)));
  cases.emplace_back("bins-twelve", per_bin(bins(kLongNames)));
  cases.emplace_back("bins-page", per_bin(bins(kSystems), "Popularity of the item", FigureSize::kPage));
  PerBin cold = bins({"implicit_als"});
  cold.bins = {{"cold", 0.02}, {"warm", 0.98}};
  cold.systems[0].bins = {{}, {0.21, 0.2, 0.22}};
  cases.emplace_back("bins-one", per_bin(cold));
  cold.systems.push_back({"popular", {{0.21}, {0.21}}});
  cold.systems[0].bins = {{0.21}, {0.21}};
  cold.bins[0] = {"users whose first play lies within the last month before the cut", kNotANumber};
  cases.emplace_back("bins-equal", per_bin(cold));
  PerBin holes = bins(kLongNames);
  holes.systems[3].bins[4] = {}, holes.systems[7].bins[0] = {};
  cases.emplace_back("bins-holes", per_bin(holes));
  cases.emplace_back("bins-nasty", per_bin(bins({nasty.begin(), nasty.begin() + 6})));

  cases.emplace_back("spread", score_distributions(distributions(kSystems, false)));
  cases.emplace_back("spread-binary", score_distributions(distributions(kSystems, true)));
  cases.emplace_back("spread-twelve", score_distributions(distributions(kLongNames, false)));
  ScoreDistributions one{"nDCG@10", Direction::kHigherIsBetter, {{"constant", {0.5, 0.5}}, {"gone", {kNotANumber}}}};
  cases.emplace_back("spread-one", score_distributions(one));
  one.systems = {{"nothing", {0, 0, 0}}, {"also nothing", {0, 0}}};
  cases.emplace_back("spread-zeros", score_distributions(one));
  ScoreDistributions error = distributions({"bias", "sgd_mf"}, false);
  error.metric = "Squared error", error.unit = "stars²", error.direction = Direction::kLowerIsBetter;
  for (ScoreDistribution& s : error.systems) {
    for (double& v : s.values) v = v * 4 + 0.01;
  }
  cases.emplace_back("spread-error", score_distributions(error, "", FigureSize::kPage));
  cases.emplace_back("spread-nasty", score_distributions(distributions(nasty, false)));
}

}  // namespace segue::plot
