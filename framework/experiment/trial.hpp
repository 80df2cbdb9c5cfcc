// What a trial process does: fit (or load) one model, rank every view that is missing, measure latency, write one file. A
// tuning trial fits and is judged on validation data; the fold that it is handed has no test data.
#pragma once

#include <functional>

#include "framework/experiment/job.hpp"
#include "framework/model/registry.hpp"

namespace segue {

// Runs the job in this process. Messages go to `send`; returns normally when the trial file is written, else throws.
// interrupted() is asked between epochs; true ends the trial with an Error of ExitCode::kInterrupted.
void run_trial(const Job& job, const Registry& registry, const std::function<void(const TrialMessage&)>& send,
               const std::function<bool()>& interrupted);

}  // namespace segue
