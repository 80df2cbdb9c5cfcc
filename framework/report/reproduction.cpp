#include "framework/report/reproduction.hpp"

#include <algorithm>
#include <cmath>

#include "framework/eval/metrics.hpp"
#include "framework/report/gate.hpp"

namespace segue {

namespace {

GateRule rule_of(const PublishedFigure& figure, const std::string& task) {
  GateRule rule;
  rule.task = task;
  rule.label = figure.label;
  rule.metric = figure.metric;
  (parse_metric(figure.metric).card->higher_is_better ? rule.min : rule.max) = figure.bound;
  return rule;
}

Verdict judge(const PublishedFigure& figure, const GateResult& result) {
  if (!result.value) return Verdict::kNotRun;
  if (!result.kept) return Verdict::kWorse;
  const double gain = *result.value - figure.value;
  const bool higher = result.rule.min.has_value();
  return (higher ? gain : -gain) > std::abs(figure.value - figure.bound) ? Verdict::kBetter : Verdict::kReproduced;
}

// "Rendle et al. 2020, table 1; mean of 8 runs"
std::string footnote(const PublishedFigure& figure) {
  return figure.note.empty() ? figure.source : figure.source + "; " + figure.note;
}

std::vector<std::string> footnotes(std::span<const Reproduction> rows) {
  std::vector<std::string> all;
  for (const Reproduction& r : rows)
    if (const std::string text = footnote(r.published); std::find(all.begin(), all.end(), text) == all.end())
      all.push_back(text);
  return all;
}

Emphasis emphasis(Verdict verdict) {
  switch (verdict) {
    case Verdict::kReproduced:
    case Verdict::kBetter:
      return Emphasis::kGood;
    case Verdict::kWorse:
      return Emphasis::kWarning;
    case Verdict::kNotRun:
      break;
  }
  return Emphasis::kFaint;
}

Table machine_table(std::span<const Reproduction> rows) {
  Table table({{"label"},
               {"metric"},
               {"published"},
               {"bound"},
               {"ours"},
               {"spread"},
               {"trials"},
               {"difference"},
               {"verdict"},
               {"missing"},
               {"source"},
               {"note"}});
  for (const Reproduction& r : rows) {
    const double ours = r.ours.value_or(std::nan(""));
    table.add({r.published.label, r.published.metric, Cell::fixed(r.published.value, 4),
               Cell::fixed(r.published.bound, 4), Cell::fixed(ours, 4), Cell::fixed(r.spread, 4), r.trials,
               Cell::fixed(ours - r.published.value, 4), verdict_text(r.verdict),
               r.missing.empty() ? Cell() : Cell(r.missing), r.published.source,
               r.published.note.empty() ? Cell() : Cell(r.published.note)});
  }
  return table;
}

}  // namespace

const char* verdict_text(Verdict verdict) {
  switch (verdict) {
    case Verdict::kReproduced:
      return "reproduced";
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kNotRun:
      break;
  }
  return "not run";
}

std::vector<Reproduction> reproductions(const Leaderboard& board) {
  std::vector<Reproduction> out;
  for (const PublishedFigure& figure : board.task.published) {
    const auto& shown = board.task.metrics;
    if (std::none_of(shown.begin(), shown.end(),
                     [&](const auto& m) { return parse_metric(m).text() == figure.metric; }))
      continue;
    const GateResult result = check_rule(rule_of(figure, board.task.id), board);
    Reproduction r;
    r.published = figure;
    r.verdict = judge(figure, result);
    r.ours = result.value;
    r.missing = result.missing;
    for (const LeaderboardRow& row : board.rows) {
      if (row.label != figure.label) continue;
      r.trials = row.trials;
      if (row.failed > 0)
        r.missing = row.error;
      else if (row.trials == 0)
        r.missing.clear();  // the verdict says it
      if (!r.ours || row.trials < 2) continue;
      const MetricSummary& s = row.metrics.at(figure.metric);
      r.spread = s.seed_stddev > 0 ? s.seed_stddev : s.stddev;
    }
    out.push_back(std::move(r));
  }
  return out;
}

Table reproduction_table(std::span<const Reproduction> rows, TableFormat format) {
  if (for_programs(format)) return machine_table(rows);
  const bool spread =
      std::any_of(rows.begin(), rows.end(), [](const Reproduction& r) { return !std::isnan(r.spread); });
  double largest = 0;
  for (const Reproduction& r : rows) largest = std::max({largest, r.published.value, r.ours.value_or(0)});
  const int decimals = decimals_for(largest);
  const std::vector<std::string> sources = footnotes(rows);
  Table table;
  table.keys = 2;
  table.columns = {{"label", Align::kLeft, Wrap::kYes},
                   {"metric"},
                   {"published", Align::kRight},
                   {"tolerance", Align::kRight},
                   {"ours", Align::kRight},
                   {"trials", Align::kRight},
                   {"difference", Align::kRight},
                   {"verdict", Align::kLeft, Wrap::kYes},
                   {"source"}};
  for (const Reproduction& r : rows) {
    const PublishedFigure& p = r.published;
    Cell ours("-", Cell::Data{}), difference("-", Cell::Data{});
    if (r.ours) {
      std::string text = fmt::format("{:.{}f}", *r.ours, decimals);
      if (spread)
        text += std::isnan(r.spread) ? std::string(static_cast<std::size_t>(decimals) + 4, ' ')
                                     : fmt::format(" ±{:.{}f}", r.spread, decimals);
      ours = Cell(text, *r.ours);
      const double gain = *r.ours - p.value;
      const bool shows = std::abs(gain) >= 0.5 * std::pow(10.0, -decimals);
      difference = Cell(shows ? fmt::format("{:+.{}f}", gain, decimals) : fmt::format("{:.{}f}", 0.0, decimals), gain);
    }
    const auto number = std::find(sources.begin(), sources.end(), footnote(p)) - sources.begin() + 1;
    std::string verdict = verdict_text(r.verdict);
    if (!r.missing.empty()) verdict += ": " + r.missing;
    table.add({p.label, p.metric, Cell::fixed(p.value, decimals), Cell::fixed(std::abs(p.value - p.bound), decimals),
               ours, r.trials, difference, Cell(verdict).mark(emphasis(r.verdict)), fmt::format("[{}]", number)});
  }
  return table;
}

std::vector<std::string> reproduction_notes(std::span<const Reproduction> rows) {
  std::vector<std::string> notes;
  if (std::any_of(rows.begin(), rows.end(), [](const Reproduction& r) { return !std::isnan(r.spread); }))
    notes.emplace_back("± standard deviation between seeds, or between folds where there is one seed");
  if (std::any_of(rows.begin(), rows.end(), [](const Reproduction& r) { return r.verdict == Verdict::kBetter; }))
    notes.emplace_back("better: by more than the tolerance");
  const std::vector<std::string> sources = footnotes(rows);
  for (std::size_t i = 0; i < sources.size(); ++i) notes.push_back(fmt::format("[{}] {}", i + 1, sources[i]));
  return notes;
}

}  // namespace segue
