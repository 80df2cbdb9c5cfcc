// The order from supervisor to trial process: one JSON file, and the messages that come back through a pipe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/data/task_spec.hpp"
#include "framework/experiment/spec.hpp"
#include "framework/param/value.hpp"

namespace segue {

struct Job {
  std::string snapshot;        // prepared fold
  std::string train_snapshot;  // of a refit: the fold to learn from, its validation data among the training data; else empty
  std::string tuning;          // of a tuning trial: the metric on validation data; `snapshot` is then without_test(). Else empty
  std::string output;          // trial file
  std::string checkpoint;      // file that an unfinished fit is kept in; empty: none
  double checkpoint_seconds = 30;  // between checkpoints; 0: behind every epoch; below 0: none is written
  std::string algorithm, label, fit, fold, dataset;
  Value params;                // canonical
  std::uint64_t seed = 0;
  std::vector<ViewSpec> views;
  std::vector<std::string> tasks;
  std::optional<LatencySpec> latency;  // measure now
  StoppingSpec stopping;
  std::vector<std::string> plugins;
  int threads = 0;
  std::uint64_t memory_limit = 0;      // bytes; 0: none
  std::string spec;                    // the resolved suite, JSON, kept in the trial file

  std::string to_json() const;
  static Job from_json(const std::string& text);
};

// One line of JSON on the pipe.
struct TrialMessage {
  // kResumed: `done` of `total` epochs stand in a checkpoint, after `value` seconds. kWarning: `text`.
  enum class Kind { kStep, kPoint, kPhase, kResumed, kWarning, kDone, kError };
  Kind kind = Kind::kPhase;
  std::string text;      // phase ("fit", "full ranking"), series, unit, or the error
  double done = 0, total = 0, value = 0;
  std::string metric;    // kDone: "ndcg@10 0.4123", what to show beside the row

  std::string to_line() const;
  // nullopt where the line is no message: a plugin may write to any descriptor.
  static std::optional<TrialMessage> from_line(const std::string& line);
};

}  // namespace segue
