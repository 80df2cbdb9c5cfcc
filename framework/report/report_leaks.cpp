// The leak meter of a task, line by line.
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "framework/report/report.hpp"
#include "framework/store/task_file.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

}  // namespace

std::vector<ReportFact> leak_facts(const ResultsFolder& results, const ManifestTask& manifest_task) {
  if (!fs::exists(results.task_file(manifest_task.id))) return {};
  const StoredTask task = read_task(results.task_file(manifest_task.id), TaskParts::kCounters);
  std::uint64_t queries = 0, truth = 0, unreachable = 0, removed = 0, without = 0, cold = 0, untagged = 0, overlap = 0;
  double future = 0, tied = 0;
  for (const StoredTaskFold& f : task.folds) {
    queries += f.users.size();
    truth += f.truth_items.size();
    unreachable += f.leaks.truth_unreachable;
    removed += f.truth_removed;
    without += f.queries_without_truth;
    cold += f.leaks.cold_users;
    untagged += f.leaks.untagged_truth;
    overlap += f.leaks.side_data_overlap;
    future += f.leaks.future_share / static_cast<double>(task.folds.size());
    tied += f.leaks.tied_time_share / static_cast<double>(task.folds.size());
  }
  std::vector<ReportFact> facts;
  const auto count = [&](const std::string& name, std::uint64_t n, std::uint64_t of, const std::string& explanation,
                         Emphasis emphasis = Emphasis::kNone) {
    const double share = of > 0 ? static_cast<double>(n) / static_cast<double>(of) : 0;
    facts.push_back({name, Cell(of > 0 ? fmt::format("{} ({})", n, percent(share)) : std::to_string(n), n), explanation,
                     of > 0 ? share : std::numeric_limits<double>::quiet_NaN(), n > 0 ? emphasis : Emphasis::kNone});
  };
  if (!std::isnan(future))
    facts.push_back({"Training from the future", Cell(percent(future), future),
                     "training events that are later than what is predicted, which nobody could have known then",
                     future, future > 0.001 ? Emphasis::kBad : Emphasis::kNone});
  count("Never seen in training", unreachable, truth,
        "truth items without a training event: out of reach for a model of interactions alone", Emphasis::kWarning);
  count("Cold users", cold, queries, "are asked, and have no training event", Emphasis::kWarning);
  if (tied > 0)
    facts.push_back({"Tied times", Cell(percent(tied), tied),
                     "test events at the same time as another of their user: in which order is not known", tied});
  if (removed > 0)
    count("Already heard", removed, truth + removed,
          "held out, but removed from the truth because the task recommends what is new to a user");
  if (without > 0)
    count("Without truth", without, queries + without,
          "queries that lost all their truth that way, and are not judged");
  if (untagged > 0) count("Untagged truth", untagged, truth, "truth items without any tag");
  if (overlap > 0)
    count("Tags by the judged", overlap, 0, "tags that users gave to their own truth; hidden from every model");
  count("Queries", queries, 0,
        task.folds.size() > 1 ? fmt::format("are judged, in {} folds", task.folds.size()) : "are judged");
  count("Truth items", truth, 0, "are judged");
  return facts;
}

}  // namespace segue
