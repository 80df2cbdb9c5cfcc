// Trials run in processes of their own, so many at a time: started, listened to, interrupted, written to the journal.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/experiment/process.hpp"
#include "framework/experiment/progress_display.hpp"
#include "framework/store/manifest.hpp"

namespace segue {

// While it lives, Ctrl-C once asks the running trials to stop; twice kills them. Restores the old handlers at its end.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  static int count();  // since the scope began
};

struct QueuedTrial {
  std::function<Job()> job;
  std::function<std::string()> title;  // asked when it starts
  double seconds = -1;                 // expected; -1: not known, but for what trials of the same label have taken
  std::string label{};
  double share = 1;  // of a fit of full length
  // Told when the process has ended, after the journal; its answer is the trial's last line.
  std::function<std::string(const Job&, const TrialOutcome&)> finish;
};

class TrialQueue {
 public:
  // scratch: folder for job files and logs. timeout: seconds a trial; 0: none.
  TrialQueue(std::filesystem::path program, std::filesystem::path scratch, const Journal& journal,
             ProgressDisplay& display, double timeout)
      : program_(std::move(program)),
        scratch_(std::move(scratch)),
        journal_(journal),
        display_(display),
        timeout_(timeout) {}

  // Numbers of what follows, "[1/total]", and what it is: "suite".
  void expect(std::size_t total, std::string what) { started_ = 0, total_ = total, what_ = std::move(what); }
  // Until all have ended, or an interruption has emptied the queue. `later`: labels and fits of full length that will
  // follow, for the time that is left.
  using Later = std::vector<std::pair<std::string, double>>;
  void run(std::deque<QueuedTrial> queue, int jobs, const Later& later = {});

 private:
  void show_rest(const std::deque<QueuedTrial>& queue, const Later& later, int jobs);
  double expected(const std::string& label, double share) const;
  std::filesystem::path program_, scratch_;
  const Journal& journal_;
  ProgressDisplay& display_;
  double timeout_;
  std::size_t started_ = 0, total_ = 0;
  std::string what_;
  struct Pace {
    double seconds = 0, fits = 0;
  };
  std::map<std::string, Pace> paces_;  // of what has finished, by label
};

}  // namespace segue
