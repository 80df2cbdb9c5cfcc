#include <algorithm>
#include <cmath>

#include "framework/report/comparison.hpp"

namespace segue {

namespace {

Cell p_cell(double p) { return Cell(p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p), p); }

Cell signed_cell(double value) { return Cell(fmt::format("{:+.4f}", value), value); }

const char* test_name(PairedTest test) {
  switch (test) {
    case PairedTest::kStudentT:
      return "paired t test";
    case PairedTest::kWilcoxon:
      return "Wilcoxon's signed ranks";
    case PairedTest::kRandomisation:
      break;
  }
  return "paired randomisation test";
}

}  // namespace

Table comparison_rows(const Comparison& c) {
  const bool seeds = std::any_of(c.rows.begin(), c.rows.end(), [](const ComparedRow& r) { return r.variance.has_value(); });
  Table table({{"row", Align::kLeft, Wrap::kYes}, {c.metric, Align::kRight}, {"low", Align::kRight}, {"high", Align::kRight}});
  if (seeds)
    for (const char* name : {"seeds", "error of users", "error of seeds", "seed sd"}) table.columns.push_back({name, Align::kRight});
  for (const ComparedRow& r : c.rows) {
    std::vector<Cell> cells{r.label, Cell::fixed(r.mean, 4), Cell::fixed(r.interval.low, 4), Cell::fixed(r.interval.high, 4)};
    if (seeds) {
      cells.push_back(Cell(r.seeds));
      for (const double v : {r.variance ? r.variance->error_of_units : std::nan(""), r.variance ? r.variance->error_of_seeds : std::nan(""),
                             r.variance ? std::sqrt(r.variance->seeds) : std::nan("")})
        cells.push_back(Cell::fixed(v, 5));
    }
    table.add(std::move(cells));
  }
  return table;
}

Table comparison_pairs(const Comparison& c, const ComparisonOptions& options) {
  Table table({{"row", Align::kLeft, Wrap::kYes}});
  if (options.all_pairs) table.columns.push_back({"against", Align::kLeft, Wrap::kYes});
  for (const char* name : {"difference", "low", "high", "p", "p adj", "dz", "higher", "lower", "equal", "detectable"}) table.columns.push_back({name, Align::kRight});
  table.columns.push_back({"verdict"});
  for (const ComparedPair& pair : c.pairs) {
    std::vector<Cell> cells{c.rows[pair.a].label};
    if (options.all_pairs) cells.push_back(c.rows[pair.b].label);
    cells.push_back(signed_cell(pair.difference));
    cells.push_back(signed_cell(pair.interval.low));
    cells.push_back(signed_cell(pair.interval.high));
    cells.push_back(p_cell(pair.p));
    cells.push_back(p_cell(pair.p_adjusted));
    cells.push_back(Cell(fmt::format("{:+.2f}", pair.effect.hedges_gz), pair.effect.hedges_gz));
    cells.push_back(Cell(pair.higher));
    cells.push_back(Cell(pair.lower));
    cells.push_back(Cell(pair.equal));
    cells.push_back(Cell::fixed(pair.detectable, 4));
    const bool better = (pair.difference > 0) == c.higher_is_better;
    cells.push_back(!pair.distinguishable ? Cell("not distinguishable").mark(Emphasis::kFaint)
                    : c.descriptive       ? Cell("different")
                    : better              ? Cell("better").mark(Emphasis::kGood)
                                          : Cell("worse").mark(Emphasis::kBad));
    table.add(std::move(cells));
  }
  return table;
}

std::vector<std::string> comparison_notes(const Comparison& c, const ComparisonOptions& o) {
  std::vector<std::string> notes;
  const std::string against = o.all_pairs || c.pairs.empty() ? "the row named beside it" : "'" + c.rows[c.pairs.front().b].label + "'";
  notes.push_back(fmt::format("differences are against {}, paired over {} users; low and high: {:g} % interval ({}, {} resamples, seed {})", against, c.units, 100 * o.level,
                              stats::interval_method_name(o.interval), o.resamples, o.seed));
  notes.push_back(fmt::format("p: {}{}; p adj: {} over the {} {}; different where it is at most {:g}", test_name(o.test),
                              o.test == PairedTest::kRandomisation ? fmt::format(", {} draws", o.resamples) : "", stats::adjustment_name(o.adjustment), c.pairs.size(),
                              c.pairs.size() == 1 ? "comparison" : "comparisons", o.alpha));
  notes.push_back("dz: mean difference in standard deviations of the differences (Hedges' correction); higher, lower, equal: users; detectable: difference that the test of one pair finds with power 0.8");
  if (o.baseline.empty() && !o.all_pairs && c.pairs.size() > 1)
    notes.push_back(fmt::format("'{}' is the baseline because it came out best on these data, which flatters it a little; --all-pairs counts that in", c.rows.front().label));
  if (std::any_of(c.rows.begin(), c.rows.end(), [](const ComparedRow& r) { return r.variance.has_value(); }))
    notes.push_back("error of users, error of seeds: standard errors of the mean from either source alone (two-way random effects); seed sd: between seeds");
  for (const std::string& row : c.left_out) notes.push_back("left out: " + row);
  return notes;
}

Table across_table(const AcrossTasks& a) {
  Table table({{"row", Align::kLeft, Wrap::kYes}, {"mean rank", Align::kRight}});
  for (const std::string& task : a.tasks) table.columns.push_back({task, Align::kRight, Wrap::kYes});
  std::vector<std::size_t> order(a.labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto x, auto y) { return a.friedman.mean_ranks[x] < a.friedman.mean_ranks[y]; });
  for (const std::size_t l : order) {
    std::vector<Cell> cells{a.labels[l], Cell::fixed(a.friedman.mean_ranks[l], 2)};
    for (std::size_t t = 0; t < a.tasks.size(); ++t) cells.push_back(Cell::fixed(a.means[t * a.labels.size() + l], 4));
    table.add(std::move(cells));
  }
  return table;
}

std::vector<std::string> across_notes(const AcrossTasks& a, double alpha) {
  std::vector<std::string> notes;
  notes.push_back(fmt::format("Friedman over {} tasks and {} rows: chi-square {:.3f}, p {:.4g}; {}", a.tasks.size(), a.labels.size(), a.friedman.chi_square,
                              a.friedman.chi_square_p,
                              std::isinf(a.friedman.f) ? "all tasks rank the rows alike" : fmt::format("Iman-Davenport F {:.3f}, p {:.4g}", a.friedman.f, a.friedman.f_p)));
  notes.push_back(fmt::format("Nemenyi: mean ranks that differ by less than {:.3f} are not distinguishable at {:g}", a.critical_difference, alpha));
  for (const auto& clique : a.cliques) {
    std::vector<std::string> names;
    for (const std::size_t l : clique) names.push_back(a.labels[l]);
    notes.push_back(fmt::format("not distinguishable: {}", fmt::join(names, ", ")));
  }
  if (a.tasks.size() < 6) notes.push_back("with so few tasks the test has little power, and its approximations are rough (Demsar 2006)");
  return notes;
}

}  // namespace segue
