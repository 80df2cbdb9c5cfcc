#include "framework/report/leaks.hpp"

#include <cmath>
#include <filesystem>
#include <limits>

namespace segue {

namespace {

// Over all folds: counts summed, shares averaged.
struct Leaks {
  std::uint64_t queries = 0, truth = 0, unreachable = 0, removed = 0, lost = 0, cold = 0, overlap = 0, untagged = 0;
  double future = 0, tied = 0;
  std::size_t folds = 0;
};

Leaks gather(const TaskEvidence& evidence) {
  Leaks l;
  if (!std::filesystem::exists(evidence.task_file)) return l;
  const StoredTask task = read_task(evidence.task_file, TaskParts::kCounters);
  for (const StoredTaskFold& f : task.folds) {
    l.queries += f.users.size();
    l.truth += f.truth_items.size();  // what is judged, without what was removed
    l.unreachable += f.leaks.truth_unreachable;
    l.removed += f.truth_removed;
    l.lost += f.queries_without_truth;
    l.cold += f.leaks.cold_users;
    l.overlap += f.leaks.side_data_overlap;
    l.untagged += f.leaks.untagged_truth;
    l.future += f.leaks.future_share / static_cast<double>(task.folds.size());
    l.tied += f.leaks.tied_time_share / static_cast<double>(task.folds.size());
  }
  l.folds = task.folds.size();
  return l;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

}  // namespace

std::string leak_line(const TaskEvidence& evidence) {
  const Leaks l = gather(evidence);
  if (l.folds == 0) return "";
  std::string line = evidence.task.ratings ? fmt::format("{} test ratings{}", l.truth, l.folds > 1 ? fmt::format(" in {} folds", l.folds) : "")
                                           : fmt::format("{} queries, {} truth items", l.queries, l.truth);
  if (l.unreachable > 0) line += fmt::format(", {} never seen in training", l.unreachable);
  if (l.removed > 0) line += fmt::format(", {} more removed as already heard", l.removed);
  if (l.cold > 0) line += fmt::format(", {} cold users", l.cold);
  if (!std::isnan(l.future)) line += fmt::format("; {} of training is later than what is predicted", percent(l.future));
  if (l.tied > 0.001) line += fmt::format(", {} tied times", percent(l.tied));
  return line;
}

std::vector<ReportFact> leak_facts(const TaskEvidence& evidence) {
  const Leaks l = gather(evidence);
  if (l.folds == 0) return {};
  std::vector<ReportFact> facts;
  const auto count = [&](const std::string& name, std::uint64_t n, std::uint64_t of, const std::string& explanation,
                         Emphasis emphasis = Emphasis::kNone) {
    const double share = of > 0 ? static_cast<double>(n) / static_cast<double>(of) : 0;
    facts.push_back({name, Cell(of > 0 ? fmt::format("{} ({})", n, percent(share)) : std::to_string(n), n), explanation,
                     of > 0 ? share : std::numeric_limits<double>::quiet_NaN(), n > 0 ? emphasis : Emphasis::kNone});
  };
  if (!std::isnan(l.future))
    facts.push_back({"Training from the future", Cell(percent(l.future), l.future),
                     "training events that are later than what is predicted, which nobody could have known then",
                     l.future, l.future > 0.001 ? Emphasis::kBad : Emphasis::kNone});
  count("Never seen in training", l.unreachable, l.truth,
        "truth items without a training event: out of reach for a model of interactions alone", Emphasis::kWarning);
  count("Cold users", l.cold, l.queries, "are asked, and have no training event", Emphasis::kWarning);
  if (l.tied > 0)
    facts.push_back({"Tied times", Cell(percent(l.tied), l.tied),
                     "test events at the same time as another of their user: in which order is not known", l.tied});
  if (l.removed > 0)
    count("Already heard", l.removed, l.truth + l.removed,
          "held out, but removed from the truth because the task recommends what is new to a user");
  if (l.lost > 0)
    count("Without truth", l.lost, l.queries + l.lost,
          "queries that lost all their truth that way, and are not judged");
  if (l.untagged > 0) count("Untagged truth", l.untagged, l.truth, "truth items without any tag");
  if (l.overlap > 0)
    count("Tags by the judged", l.overlap, 0, "tags that users gave to their own truth; hidden from every model");
  count("Queries", l.queries, 0,
        l.folds > 1 ? fmt::format("are judged, in {} folds", l.folds) : "are judged");
  count("Truth items", l.truth, 0, "are judged");
  return facts;
}

}  // namespace segue
