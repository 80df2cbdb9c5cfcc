// What a person sees while a suite runs: one line that changes on a terminal, plain periodic lines otherwise.
#pragma once

#include <cstddef>
#include <string>

#include "framework/base/clock.hpp"
#include "framework/experiment/job.hpp"

namespace segue {

class ProgressDisplay {
 public:
  enum class Mode { kTerminal, kPlain, kQuiet };
  explicit ProgressDisplay(bool quiet);  // terminal or plain by what stderr is
  ~ProgressDisplay();

  void message(const std::string& text);               // a line of its own ("preparing ...")
  void warning(const std::string& text);               // also where it is quiet
  // The head of its lines: "[ 3/12] item_knn".
  std::string start_trial(std::size_t number, std::size_t total, const std::string& what);
  // Work that is no trial, under a head of its own; end_trial() ends it.
  void start(const std::string& head, const std::string& phase);
  void update(const TrialMessage& message);            // of the trial that is shown
  void end_trial(const std::string& head, const std::string& result);  // prints the final line of a trial
  // What is left of `what` ("suite"); -1: not known.
  void set_eta(double seconds, const std::string& what) { eta_ = seconds, eta_of_ = what; }

 private:
  void draw();
  void clear();
  Mode mode_;
  std::string head_, phase_, metric_;
  double done_ = 0, total_ = 0, eta_ = -1;
  std::string unit_, eta_of_;
  Stopwatch since_start_, since_draw_;
  double rate_from_ = 0, resumed_ = 0;  // seconds and steps that the rate leaves out
  bool drawn_ = false, active_ = false;
};

}  // namespace segue
