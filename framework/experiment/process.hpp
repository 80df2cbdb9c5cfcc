// A trial in a process of its own: started, listened to, limited and reaped.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/clock.hpp"
#include "framework/experiment/job.hpp"

namespace segue {

struct TrialOutcome {
  std::string status;   // "ok", "failed", "timeout", "killed", "interrupted"
  std::string error;    // one line
  std::string metric;   // what the trial printed at its end
  double seconds = 0;   // with those that a resumed fit had taken before
};

class TrialProcess {
 public:
  // Starts `program __trial <job file>`; its stderr goes to `log`. EnvironmentError where that cannot be done.
  TrialProcess(const std::filesystem::path& program, const Job& job, const std::filesystem::path& job_file,
               const std::filesystem::path& log, double timeout_seconds);
  ~TrialProcess();  // kills what still runs
  TrialProcess(const TrialProcess&) = delete;
  TrialProcess& operator=(const TrialProcess&) = delete;

  int pipe() const { return pipe_; }
  const Job& job() const { return job_; }
  // Messages that have arrived since the last call; does not wait.
  std::vector<TrialMessage> read_messages();
  // Enforces time-out and memory cap; the outcome once the process has ended.
  std::optional<TrialOutcome> poll();
  void interrupt();  // asks the trial to stop after the current batch
  void kill();
  double seconds() const { return before_ + watch_.seconds(); }

 private:
  TrialOutcome outcome(int wait_status) const;
  Job job_;
  std::filesystem::path log_;
  double timeout_, before_ = 0;
  pid_t pid_ = -1;
  int pipe_ = -1;
  std::string buffer_, error_, metric_;
  bool done_ = false, timed_out_ = false, too_large_ = false, interrupted_ = false;
  Stopwatch watch_;
};

// In the trial process, first thing: dies with its parent, keeps within its memory, leaves Ctrl-C to the supervisor.
void enter_trial_process(std::uint64_t memory_limit);
// Whether the supervisor has asked this trial process to stop.
bool trial_interrupted();
// File descriptor on which a trial process sends its messages.
inline constexpr int kMessagePipe = 3;

}  // namespace segue
