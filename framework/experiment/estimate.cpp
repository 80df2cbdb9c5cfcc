#include "framework/experiment/estimate.hpp"

#include <algorithm>
#include <cmath>

#include "framework/experiment/runner.hpp"
#include "framework/model/recommend.hpp"

namespace segue {

namespace {

double data_bytes(const Spec& spec, const DataShape& data, bool ranks, int threads) {
  // Measured: a process with nothing to do; and, of the training matrix, 8 bytes an event, its histories and those of
  // the queries, what is excluded, and the judge's copy of histories: 31 in all where lists are judged, 15 where
  // ratings are. All but the matrix only of those who are judged.
  constexpr double kProgram = 23e6, kMatrixEvent = 8, kRankedEvent = 31 - kMatrixEvent, kRatedEvent = 15 - kMatrixEvent;
  constexpr double kUser = 150, kItem = 100;  // ids, keys, offsets, lists
  const auto drawn = static_cast<double>(spec.task.split.test_users);
  const double judged = drawn > 0 && data.users > 0 ? std::min(1.0, drawn / data.users) : 1.0;
  double bytes = kProgram + data.events * (kMatrixEvent + judged * (ranks ? kRankedEvent : kRatedEvent)) +
                 kUser * data.users + kItem * data.items;
  if (ranks) {
    const double block = static_cast<double>(query_block(static_cast<std::size_t>(data.items)));
    bytes += 4 * data.items * std::min(block * threads, std::max(data.users, 1.0));
  }
  return bytes;
}

// What an algorithm holds beside them.
double model_bytes(const Registry::Part& part, const DataShape& data, bool ranks) {
  const Value params = part.entry->schema.canonicalise(part.params, part.entry->info.name);
  double bytes = part.entry->fit_bytes ? part.entry->fit_bytes(params, data) : 0;
  // The items' a second time, packed for scoring.
  if (const Value* factors = params.find("factors"))
    bytes += 4 * static_cast<double>(factors->as_int()) * (data.users + 2 * data.items);
  // Lists while they grow and when they are whole; none is longer than the pairs that events make.
  const Value* kept = params.find("kept");  // of predictors of ratings, which choose neighbours by query
  if (const Value* neighbours = ranks || kept == nullptr ? params.find("neighbours") : kept) {
    const double asked = static_cast<double>(neighbours->as_int()) * std::max(data.users, data.items);
    bytes += 2 * 8 * std::min(asked, data.events * data.events / std::max(data.users, 1.0));
  }
  return bytes;
}

}  // namespace

Estimate estimate(const Spec& spec, const PlannedTrial& trial, const DatasetSummary& dataset,
                  const Registry& algorithms, const std::map<std::string, JournalEntry>& journal, int threads) {
  Estimate e;
  const AlgorithmEntry& row = *trial.algorithm;
  e.seconds = expected_seconds(journal, trial.fit, row.label);
  if (e.seconds < 0 && !row.tuned_from.empty()) e.seconds = expected_seconds(journal, trial.fit, row.tuned_from);
  const DataShape data{static_cast<double>(dataset.users), static_cast<double>(dataset.items),
                       static_cast<double>(dataset.events)};
  const bool ranks = std::any_of(trial.views.begin(), trial.views.end(),
                                 [&](std::size_t v) { return !is_rating_view(spec.views[v]); });
  // The algorithm and what it is made of, each fitted once; what a hybrid fits again is its own affair.
  double flop = 0;
  bool known = true;
  e.bytes = data_bytes(spec, data, ranks, threads);
  for (const Registry::Part& part : algorithms.parts(row.algorithm, trial.params)) {
    known = known && part.entry->fit_flop;
    if (part.entry->fit_flop) flop += part.entry->fit_flop(part.params, data);
    e.bytes += model_bytes(part, data, ranks);
  }
  constexpr double kFlopPerSecond = 10e9, kStart = 0.2;
  if (e.seconds < 0 && known) e.seconds = kStart + flop / kFlopPerSecond;
  return e;
}

}  // namespace segue
