// Checkpoints in memory: keeps those of the epochs asked for, and resumes a fit behind one of them.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "framework/model/checkpoints.hpp"

namespace segue::test {

class MemoryCheckpoints final : public Checkpoints {
 public:
  explicit MemoryCheckpoints(std::set<int> wanted = {}) : wanted_(std::move(wanted)) {}
  // The next fit begins behind this epoch, which has been kept.
  void resume_behind(int epoch) { from_ = epoch; }
  const std::map<int, FitState>& kept() const { return kept_; }
  int asked = 0;  // how often due() was

  bool restore(FitState& fit) override {
    if (from_ == 0) return false;
    const FitState& found = kept_.at(from_);
    const std::vector<std::vector<float>>& training = training_.at(from_);
    EXPECT_EQ(fit.training.size(), training.size());
    EXPECT_EQ(fit.epochs, found.epochs);
    const std::vector<std::span<float>> spans = fit.training;
    for (std::size_t n = 0; n < spans.size(); ++n) {
      EXPECT_EQ(spans[n].size(), training[n].size());
      std::copy(training[n].begin(), training[n].end(), spans[n].begin());
    }
    fit = found;
    fit.training = spans;
    return true;
  }
  bool due() override { return ++asked, true; }
  void save(const FitState& fit) override {
    if (!wanted_.contains(fit.epoch)) return;
    kept_[fit.epoch] = fit;
    kept_[fit.epoch].training.clear();
    std::vector<std::vector<float>>& training = training_[fit.epoch];
    training.clear();
    for (const std::span<float> part : fit.training) training.emplace_back(part.begin(), part.end());
  }

 private:
  std::set<int> wanted_;
  int from_ = 0;
  std::map<int, FitState> kept_;
  std::map<int, std::vector<std::vector<float>>> training_;
};

}  // namespace segue::test
