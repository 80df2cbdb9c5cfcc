#include "framework/experiment/trial_checkpoints.hpp"

#include <algorithm>

#include "framework/base/build_info.hpp"
#include "framework/base/errors.hpp"

namespace segue {

namespace {

constexpr double kMostOfTheTime = 0.02;  // what writing may cost
constexpr const char* kBuild = "build of Segue";

}  // namespace

FitIdentity fit_identity(const Job& job, int algorithm_version, const std::string& plugin_hash,
                         const std::string& dataset_fingerprint) {
  return {{"fit id", job.fit},
          {"algorithm", job.algorithm},
          {"version of the algorithm", std::to_string(algorithm_version)},
          {"set of parameters", job.params.to_json()},
          {"seed", std::to_string(job.seed)},
          {"data set", dataset_fingerprint},
          {"plugin", plugin_hash},
          {kBuild, program_id()},
          {"CPU", cpu_model()},
          {"set of BLAS kernels", blas_core()}};
}

TrialCheckpoints::TrialCheckpoints(const Job& job, std::function<FitIdentity()> identity, TrialRecord& record,
                                   const std::function<void(const TrialMessage&)>& send,
                                   const std::function<bool()>& interrupted)
    : job_(job), ask_identity_(std::move(identity)), record_(record), send_(send), interrupted_(interrupted) {}

void TrialCheckpoints::warn(const std::string& text) const { send_({TrialMessage::Kind::kWarning, text, 0, 0, 0, {}}); }

bool TrialCheckpoints::restore(FitState& fit) {
  since_last_.restart();
  if (job_.checkpoint.empty()) return false;
  identity_ = ask_identity_();
  remove_unfinished_checkpoints(job_.checkpoint);
  if (!std::filesystem::exists(job_.checkpoint)) return false;
  try {
    const auto build = identity_.find(kBuild);
    if (build != identity_.end() && build->second == "unknown")
      throw DataError("this build of Segue has no build id, so it may have been written with another one");
    read_checkpoint(job_.checkpoint, identity_, fit, record_);
  } catch (const DataError& e) {
    warn(fmt::format("starts anew: the checkpoint {} cannot be used: {}", job_.checkpoint, e.what()));
    return false;
  }
  before_ = record_.timing.fit_seconds;
  watch_.restart();
  std::string& resumed = record_.attributes["resumed"];
  resumed += fmt::format("{}{}", resumed.empty() ? "" : ", ", fit.epoch);
  send_({TrialMessage::Kind::kResumed,
         "epochs",
         static_cast<double>(fit.epoch),
         static_cast<double>(fit.epochs),
         before_,
         {}});
  return true;
}

bool TrialCheckpoints::due() {
  asked_ = true;
  leaving_ = interrupted_();
  if (job_.checkpoint.empty() || job_.checkpoint_seconds < 0 || broken_) return false;
  if (job_.checkpoint_seconds == 0 || leaving_) return true;
  return since_last_.seconds() >= std::max(job_.checkpoint_seconds, last_writing_ / kMostOfTheTime);
}

void TrialCheckpoints::save(const FitState& fit) {
  record_.timing.fit_seconds = fit_seconds();
  const Stopwatch watch;
  try {
    write_checkpoint(job_.checkpoint, identity_, fit, record_);
  } catch (const EnvironmentError& e) {
    broken_ = true;
    warn(fmt::format("goes on without checkpoints: {}", e.what()));
  }
  last_writing_ = watch.seconds();
  writing_ += last_writing_;
  since_last_.restart();
}

}  // namespace segue
