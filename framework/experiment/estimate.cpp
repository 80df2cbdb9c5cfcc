#include "framework/experiment/estimate.hpp"

#include "framework/experiment/runner.hpp"
#include "framework/model/recommend.hpp"

namespace segue {

Estimate estimate(const PlannedTrial& trial, const DatasetSummary& dataset, const Registry& algorithms,
                  const std::map<std::string, JournalEntry>& journal) {
  Estimate e;
  e.seconds = expected_seconds(journal, trial);
  const auto users = static_cast<double>(dataset.users), items = static_cast<double>(dataset.items), events = static_cast<double>(dataset.events);
  const Registry::Entry& algorithm = algorithms.find(trial.algorithm->algorithm);
  if (e.seconds < 0 && algorithm.fit_flop) {
    constexpr double kFlopPerSecond = 10e9, kStart = 0.2;
    e.seconds = kStart + algorithm.fit_flop(trial.algorithm->params, {users, items, events}) / kFlopPerSecond;
  }
  // Histories hold 21 bytes an event, the matrix and its transpose 8 each; the program itself maps about 60 MiB.
  e.bytes = 60e6 + events * (21 + 8 + 8) + 100 * (users + items);
  const Value* factors = trial.algorithm->params.find("factors");
  if (factors != nullptr) e.bytes += 4 * static_cast<double>(factors->as_int()) * (users + 2 * items);
  const Value* neighbours = trial.algorithm->params.find("neighbours");
  if (neighbours != nullptr) e.bytes += 8 * static_cast<double>(neighbours->as_int()) * std::max(users, items);
  if (algorithm.fit_bytes) e.bytes += algorithm.fit_bytes(trial.algorithm->params, {users, items, events});
  e.bytes += 4 * items * static_cast<double>(query_block(dataset.items)) * 2;
  return e;
}

}  // namespace segue
