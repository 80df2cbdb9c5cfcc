// The checkpoints of a trial's fit: when they are written, which ones are taken up again, and what time fitting has
// taken over all the processes that worked on it.
#pragma once

#include <functional>

#include "framework/base/clock.hpp"
#include "framework/experiment/job.hpp"
#include "framework/model/checkpoints.hpp"
#include "framework/store/checkpoint_file.hpp"

namespace segue {

class TrialCheckpoints : public Checkpoints {
 public:
  // All references must outlive this object. `record` is the trial's, whose curve goes with the state. identity() is
  // asked where a fit can be resumed, before its first epoch. An interrupted fit saves at its next epoch, whatever the
  // time.
  TrialCheckpoints(const Job& job, std::function<FitIdentity()> identity, TrialRecord& record,
                   const std::function<void(const TrialMessage&)>& send, const std::function<bool()>& interrupted);

  // A checkpoint that does not fit is left where it is, with a warning, until the next one replaces it.
  bool restore(FitState& fit) override;
  bool due() override;
  // Where the disk does not take it, a warning: fitting goes on without.
  void save(const FitState& fit) override;

  // Whether an interruption is to end the fit now: where it asks for checkpoints, not before one has been saved.
  bool leaves() const { return asked_ ? leaving_ : interrupted_(); }
  // Of fitting, from its beginning; what a lost epoch took, and the writing itself, are left out.
  double fit_seconds() const { return before_ + watch_.seconds() - writing_; }

 private:
  void warn(const std::string& text) const;

  const Job& job_;
  std::function<FitIdentity()> ask_identity_;
  FitIdentity identity_;
  TrialRecord& record_;
  const std::function<void(const TrialMessage&)>& send_;
  const std::function<bool()>& interrupted_;
  Stopwatch watch_, since_last_;
  double before_ = 0;                     // seconds of earlier processes
  double writing_ = 0;                    // of this one
  double last_writing_ = 0;               // of the last checkpoint
  bool broken_ = false;                   // the disk does not take them
  bool asked_ = false, leaving_ = false;  // whether due() was asked, and had been interrupted by then
};

// What a fit's bits depend on beside its state.
FitIdentity fit_identity(const Job& job, int algorithm_version, const std::string& plugin_hash,
                         const std::string& dataset_fingerprint);

}  // namespace segue
