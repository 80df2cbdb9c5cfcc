// Figures of every kind at realistic and at awkward data. With SEGUE_PLOT_GALLERY=<folder> render_test leaves them
// there to be looked at.
#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "framework/plot/charts.hpp"
#include "tests/unit/plot/evidence_cases.hpp"

namespace segue::plot {

inline const std::vector<std::string> kNasty = {
    "under_score_{x}^2", "100% of %g %s",      "it's \"quoted\"", "back\\slash\\n",  "@macro @x",
    "`ls` $HOME",        "Sigur Rós – Ágætis", "<b>&amp;</b> #1", "tab\there\nline", "bad\xff byte"};

inline MetricBarGroup eight_systems() {
  return {"nDCG@10",
          Direction::kHigherIsBetter,
          {{"popular", 0.0912, 0.0871, 0.0954},
           {"random", 0.0021, 0.0014, 0.0029},
           {"bias", 0.0854, 0.0812, 0.0899},
           {"user_knn", 0.2417, 0.2351, 0.2489},
           {"item_knn", 0.2503, 0.2433, 0.2576},
           {"sgd_mf", 0.2288, 0.2219, 0.2358},
           {"implicit_als", 0.2719, 0.2645, 0.2795},
           {"als_grid factors=32,reg=0.01", 0.2754, 0.2681, 0.2830}},
          "",
          "95 % bootstrap interval over users",
          ""};
}

inline LearningCurve curve(const std::string& label, int epochs, double limit, double rate,
                           const std::string& series = "nDCG@10 on validation") {
  LearningCurve c{label, series, "", {}, {}, {}, {}};
  for (int e = 1; e <= epochs; ++e) {
    c.epochs.push_back(e);
    c.values.push_back(limit * (1 - std::exp(-rate * e)) + 0.002 * std::sin(e * 1.7));
  }
  return c;
}

inline AccuracyLatency eight_latencies() {
  return {"nDCG@10",
          Direction::kHigherIsBetter,
          {{"popular", 3.1, 0.0912},
           {"random", 4.0, 0.0021},
           {"bias", 3.4, 0.0854},
           {"user_knn", 1980, 0.2417},
           {"item_knn", 214, 0.2503},
           {"sgd_mf", 61, 0.2288},
           {"implicit_als", 66, 0.2719},
           {"als_grid factors=32,reg=0.01", 58, 0.2754}},
          "",
          "Latency per query, median"};
}

inline std::vector<std::pair<std::string, Figure>> figure_cases() {
  std::vector<std::pair<std::string, Figure>> cases;
  const auto bars = [](std::vector<MetricBar> rows, Direction d = Direction::kHigherIsBetter) {
    return std::vector<MetricBarGroup>{{"nDCG@10", d, std::move(rows), "", "", ""}};
  };
  cases.emplace_back("bars", metric_bars({eight_systems()}));
  cases.emplace_back("bars-page", metric_bars({eight_systems()}, "MovieLens 100K, leave-last-out", FigureSize::kPage));
  cases.emplace_back("bars-one", metric_bars(bars({{"implicit_als", 0.2719}})));
  std::vector<MetricBar> twenty;
  for (int i = 0; i < 20; ++i)
    twenty.push_back({"system_" + std::to_string(i) + (i % 4 == 0 ? " factors=128,reg=0.001,alpha=40" : ""),
                      0.3 - 0.013 * i, 0.29 - 0.013 * i, 0.31 - 0.013 * i});
  cases.emplace_back(
      "bars-twenty",
      metric_bars(bars(twenty), "Twenty systems and a title that is much too long for one line of a column"));
  cases.emplace_back("bars-equal", metric_bars(bars({{"a", 0.25}, {"b", 0.25}, {"c", 0.25}})));
  cases.emplace_back("bars-zero", metric_bars(bars({{"a", 0.0}, {"b", 0.0}})));
  cases.emplace_back("bars-zero-and-failed",
                     metric_bars(bars({{"popular", 0.09},
                                       {"constant", 0.0},
                                       {"broken", kNotANumber},
                                       {"crashed", kNotANumber, kNotANumber, kNotANumber, true}})));
  cases.emplace_back("bars-all-failed", metric_bars(bars({{"a", kNotANumber, kNotANumber, kNotANumber, true}})));
  cases.emplace_back("bars-negative",
                     metric_bars({{"Explained variance",
                                   Direction::kHigherIsBetter,
                                   {{"a", 0.31, 0.25, 0.36}, {"b", -0.12, -0.2, -0.04}, {"c", 0.02, -0.05, 0.09}},
                                   "",
                                   "95 % interval",
                                   ""}}));
  cases.emplace_back(
      "bars-rmse",
      metric_bars(
          {{"RMSE",
            Direction::kLowerIsBetter,
            {{"bias", 0.9441, 0.94, 0.948}, {"sgd_mf", 0.9213, 0.917, 0.925}, {"item_knn", 0.9388, 0.934, 0.943}},
            "",
            "95 % interval over users",
            "stars"}}));
  MetricBarGroup a = eight_systems(), b = eight_systems();
  a.heading = "MovieLens 100K, leave-last-out", b.heading = "HetRec Last.fm, global time split";
  a.bars.resize(4), b.bars.resize(5);
  cases.emplace_back("bars-groups", metric_bars({a, b}));
  std::vector<MetricBar> nasty;
  for (std::size_t i = 0; i < kNasty.size(); ++i) nasty.push_back({kNasty[i], 0.1 + 0.01 * static_cast<double>(i)});
  cases.emplace_back("bars-nasty", metric_bars(bars(nasty), kNasty[0] + kNasty[1] + kNasty[2]));

  cases.emplace_back("curves", learning_curves({curve("implicit_als", 15, 0.272, 0.5), curve("sgd_mf", 40, 0.229, 0.12),
                                                curve("als_grid factors=32,reg=0.01", 22, 0.276, 0.35)}));
  cases.emplace_back("curves-close",
                     learning_curves({curve("implicit_als", 15, 0.272, 0.5), curve("bpr_mf", 15, 0.2722, 0.5),
                                      curve("warp_mf", 15, 0.2719, 0.5), curve("mult_vae", 15, 0.2725, 0.4),
                                      curve("slim", 12, 0.271, 0.3), curve("gru4rec", 9, 0.2723, 0.8)}));
  std::vector<LearningCurve> many;
  for (int i = 0; i < 12; ++i) many.push_back(curve("system_" + std::to_string(i), 10 + 3 * i, 0.2 + 0.008 * i, 0.2));
  cases.emplace_back("curves-legend", learning_curves(many, "", FigureSize::kPage));
  cases.emplace_back("curves-legend-column", learning_curves(many));
  LearningCurve banded = curve("mult_vae", 30, 0.26, 0.15);
  for (double v : banded.values) banded.lo.push_back(v - 0.01), banded.hi.push_back(v + 0.012);
  banded.values[10] = kNotANumber;
  cases.emplace_back("curves-band", learning_curves({banded, curve("sgd_mf", 30, 0.229, 0.12)}, "Means of five seeds"));
  cases.emplace_back("curves-series", learning_curves({curve("", 25, 0.9, 0.3, "loss on training"),
                                                       curve("", 25, 0.8, 0.2, "loss on validation")}));
  cases.emplace_back("curves-one-epoch", learning_curves({{"implicit_als", "loss", "nats", {1}, {0.5}, {}, {}}}));
  cases.emplace_back("curves-constant",
                     learning_curves({{"constant", "loss", "nats", {1, 2, 3}, {0, 0, 0}, {}, {}},
                                      {"never", "loss", "nats", {1, 2}, {kNotANumber, kNotANumber}, {}, {}}}));
  std::vector<LearningCurve> nasty_curves;
  for (std::size_t i = 0; i < 5; ++i)
    nasty_curves.push_back(curve(kNasty[i], 10, 0.1 + 0.02 * static_cast<double>(i), 0.3));
  cases.emplace_back("curves-nasty", learning_curves(nasty_curves));

  cases.emplace_back("latency", accuracy_latency(eight_latencies()));
  cases.emplace_back("latency-page",
                     accuracy_latency(eight_latencies(), "MovieLens 100K, leave-last-out", FigureSize::kPage));
  AccuracyLatency data = eight_latencies();
  data.points = {{"implicit_als", 42, 0.27}};
  cases.emplace_back("latency-one", accuracy_latency(data));
  data.points.clear();
  for (int i = 0; i < 20; ++i)
    data.points.push_back(
        {"system_" + std::to_string(i), 40 * std::pow(1.25, i % 7) + i, 0.25 + 0.004 * ((i * 7) % 11)});
  cases.emplace_back("latency-twenty", accuracy_latency(data));
  cases.emplace_back("latency-twenty-page", accuracy_latency(data, "", FigureSize::kPage));
  data.points = {{"a_first", 50, 0.2},
                 {"b_second", 50, 0.2},
                 {"c_third", 50, 0.2},
                 {"broken", kNotANumber, 0.2},
                 {"crashed", 20, kNotANumber}};
  cases.emplace_back("latency-equal", accuracy_latency(data));
  data = {"RMSE",
          Direction::kLowerIsBetter,
          {{"bias", 0.8, 0.944}, {"sgd_mf", 2.2, 0.921}, {"item_knn", 120000, 0.939}, {"svd++", 900000, 0.905}},
          "stars",
          "Latency per query, median"};
  cases.emplace_back("latency-rmse", accuracy_latency(data));
  data = eight_latencies();
  for (std::size_t i = 0; i < data.points.size(); ++i) data.points[i].label = kNasty[i];
  cases.emplace_back("latency-nasty", accuracy_latency(data));
  MetricBarGroup tied = eight_systems();
  tied.bars[4].tied = tied.bars[6].tied = tied.bars[7].tied = true;
  tied.tied = "paired randomisation test, Holm-adjusted, 5 %";
  cases.emplace_back("bars-tied", metric_bars({tied}));
  add_curve_cases(cases, kNasty);
  add_comparison_cases(cases, kNasty);
  add_spread_cases(cases, kNasty);
  return cases;
}

}  // namespace segue::plot
