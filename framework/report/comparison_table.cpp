#include <algorithm>
#include <cmath>

#include "framework/report/comparison.hpp"

namespace segue {

namespace {

Cell p_cell(double p) { return Cell(p < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p), p); }

int decimals_of(const Comparison& c) {
  double largest = 0;
  for (const ComparedRow& r : c.rows) largest = std::max(largest, std::abs(r.mean));
  return decimals_for(largest);
}

Cell verdict(const Comparison& c, const ComparedPair& pair) {
  if (!pair.distinguishable) return Cell("not distinguishable").mark(Emphasis::kFaint);
  if (c.descriptive) return pair.difference > 0 ? "higher" : "lower";
  return (pair.difference > 0) == c.higher_is_better ? Cell("better").mark(Emphasis::kGood) : Cell("worse").mark(Emphasis::kBad);
}

// As people write them.
const char* written(stats::IntervalMethod method) {
  switch (method) {
    case stats::IntervalMethod::kPercentile:
      return "percentile bootstrap";
    case stats::IntervalMethod::kBasic:
      return "basic bootstrap";
    case stats::IntervalMethod::kBca:
      return "BCa bootstrap";
    default:
      return "Student's t";
  }
}

const char* written(stats::Adjustment adjustment) {
  switch (adjustment) {
    case stats::Adjustment::kNone:
      return "not adjusted";
    case stats::Adjustment::kBonferroni:
      return "Bonferroni";
    case stats::Adjustment::kHolm:
      return "Holm";
    default:
      return "Benjamini-Hochberg";
  }
}

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

Table comparison_rows(const Comparison& c, TableFormat format) {
  const bool machine = for_programs(format);
  const bool seeds = machine || std::any_of(c.rows.begin(), c.rows.end(), [](const ComparedRow& r) { return r.variance.has_value(); });
  Table table{.columns = {}, .keys = 1};
  if (machine) table.columns.push_back({"metric"});
  table.columns.push_back({"row", Align::kLeft, Wrap::kYes});
  table.columns.push_back({machine ? "mean" : c.metric + (c.task.sampled ? " ~" : ""), Align::kRight});
  for (const char* name : {"low", "high"}) table.columns.push_back({name, Align::kRight});
  if (seeds)
    for (const char* name : {"seeds", "error of users", "error of seeds", "seed sd"}) table.columns.push_back({name, Align::kRight});
  const int decimals = decimals_of(c);
  for (const ComparedRow& r : c.rows) {
    std::vector<Cell> cells;
    if (machine) cells.push_back(c.metric);
    cells.push_back(r.label);
    for (const double v : {r.mean, r.interval.low, r.interval.high}) cells.push_back(Cell::fixed(v, decimals));
    if (seeds) {
      cells.push_back(Cell(r.seeds));
      for (const double v : {r.variance ? r.variance->error_of_units : std::nan(""), r.variance ? r.variance->error_of_seeds : std::nan(""),
                             r.variance ? std::sqrt(r.variance->seeds) : std::nan("")})
        cells.push_back(Cell::fixed(v, decimals));
    }
    table.add(std::move(cells));
  }
  return table;
}

Table comparison_pairs(const Comparison& c, const ComparisonOptions& options, TableFormat format) {
  const bool machine = for_programs(format);
  const bool against = machine || options.all_pairs;
  Table table{.columns = {}, .keys = against ? std::size_t{2} : std::size_t{1}};
  if (machine) table.columns.push_back({"metric"});
  table.columns.push_back({"row", Align::kLeft, Wrap::kYes});
  if (against) table.columns.push_back({"against", Align::kLeft, Wrap::kYes});
  for (const char* name : {"difference", "low", "high", "p", "p adj", "dz", "higher", "lower", "equal", "detectable"}) table.columns.push_back({name, Align::kRight});
  table.columns.push_back({"verdict"});
  const int decimals = decimals_of(c);
  const auto signed_cell = [&](double value) { return Cell(fmt::format("{:+.{}f}", value, decimals), value); };
  for (const ComparedPair& pair : c.pairs) {
    std::vector<Cell> cells;
    if (machine) cells.push_back(c.metric);
    cells.push_back(c.rows[pair.a].label);
    if (against) cells.push_back(c.rows[pair.b].label);
    cells.push_back(signed_cell(pair.difference));
    cells.push_back(signed_cell(pair.interval.low));
    cells.push_back(signed_cell(pair.interval.high));
    cells.push_back(p_cell(pair.p));
    cells.push_back(p_cell(pair.p_adjusted));
    cells.push_back(Cell(fmt::format("{:+.2f}", pair.effect.hedges_gz), pair.effect.hedges_gz));
    cells.push_back(Cell(pair.higher));
    cells.push_back(Cell(pair.lower));
    cells.push_back(Cell(pair.equal));
    cells.push_back(Cell::fixed(pair.detectable, decimals));
    cells.push_back(verdict(c, pair));
    table.add(std::move(cells));
  }
  return table;
}

std::vector<std::string> comparison_notes(const Comparison& c, const ComparisonOptions& o) {
  std::vector<std::string> notes;
  const std::string against = o.all_pairs || c.pairs.empty() ? "the row named beside it" : "'" + c.rows[c.pairs.front().b].label + "'";
  const bool resampled = o.interval != stats::IntervalMethod::kStudentT;
  notes.push_back(fmt::format("differences are against {}, paired over {} users; low and high: {:g} % interval ({}{})", against, c.units, 100 * o.level, written(o.interval),
                              resampled ? fmt::format(", {} resamples, seed {}", o.resamples, o.seed) : ""));
  notes.push_back(fmt::format("p: {}{}; p adj: {}; different where it is at most {:g}", test_name(o.test),
                              o.test == PairedTest::kRandomisation ? fmt::format(", {} draws", o.resamples) : "",
                              o.adjustment == stats::Adjustment::kNone ? written(o.adjustment)
                                                                       : fmt::format("{} over the {} {}", written(o.adjustment), c.pairs.size(), c.pairs.size() == 1 ? "comparison" : "comparisons"),
                              o.alpha));
  notes.push_back("dz: mean difference in standard deviations of the differences (Hedges' correction); higher, lower, equal: users; detectable: difference that a paired t test of one pair finds with power 0.8");
  if (c.task.sampled) notes.push_back("~ ranked among sampled candidates only: not comparable with full ranking, and may reverse it");
  if (o.baseline.empty() && !o.all_pairs && c.pairs.size() > 1)
    notes.push_back(fmt::format("'{}' is the baseline because it came out best on these data, which flatters it a little; --all-pairs counts that in", c.rows.front().label));
  if (std::any_of(c.rows.begin(), c.rows.end(), [](const ComparedRow& r) { return r.variance.has_value(); }))
    notes.push_back("error of users, error of seeds: standard errors of the mean from either source alone (two-way random effects); seed sd: between seeds, beyond what single users' noise explains");
  for (const std::string& row : c.left_out) notes.push_back("left out: " + row);
  return notes;
}

Table across_table(const AcrossTasks& a, TableFormat format) {
  Table table{.columns = {{"row", Align::kLeft, Wrap::kYes}, {"mean rank", Align::kRight}}, .keys = 1};
  if (for_programs(format)) table.columns.insert(table.columns.begin(), {"metric"});
  for (const std::string& task : a.tasks) {
    const bool marked = for_programs(format) && task.ends_with(" ~");
    table.columns.push_back({task.substr(0, task.size() - (marked ? 2 : 0)), Align::kRight});
  }
  std::vector<std::size_t> order(a.labels.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto x, auto y) { return a.friedman.mean_ranks[x] < a.friedman.mean_ranks[y]; });
  for (const std::size_t l : order) {
    std::vector<Cell> cells;
    if (for_programs(format)) cells.push_back(a.metric);
    cells.insert(cells.end(), {a.labels[l], Cell::fixed(a.friedman.mean_ranks[l], 2)});
    for (std::size_t t = 0; t < a.tasks.size(); ++t) cells.push_back(Cell::fixed(a.means[t * a.labels.size() + l], 4));
    table.add(std::move(cells));
  }
  return table;
}

Table across_test(const AcrossTasks& a) {
  Table table({{"metric"}, {"tasks"}, {"rows"}, {"chi square"}, {"chi square p"}, {"f"}, {"f p"}, {"critical difference"}});
  table.add({a.metric, a.tasks.size(), a.labels.size(), Cell::fixed(a.friedman.chi_square, 3), p_cell(a.friedman.chi_square_p), Cell::fixed(a.friedman.f, 3), p_cell(a.friedman.f_p),
             Cell::fixed(a.critical_difference, 3)});
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
  if (std::any_of(a.tasks.begin(), a.tasks.end(), [](const std::string& t) { return t.ends_with(" ~"); }))
    notes.push_back("~ ranked among sampled candidates only, which may reverse the ranks");
  if (a.tasks.size() < 6) notes.push_back("with so few tasks the test has little power, and its approximations are rough (Demsar 2006)");
  return notes;
}

}  // namespace segue
