#include "framework/store/checkpoint_file.hpp"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/h5/file.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

const FitIdentity kIdentity{{"CPU", "this one"}, {"plugin", ""}, {"set of parameters", "{\"epochs\":60}"}};

// A fit of which epoch 12 of 60 was the last, and what its model has in memory.
struct Fit {
  std::vector<float> factors{1.5f, -0.0f, 3e-42f}, moments{7, 8}, none;
  FitState state;
  TrialRecord record;
  Fit() {
    state.epochs = 60;
    state.training = {factors, none, moments};
  }
};

Fit after_epoch_12() {
  Fit fit;
  fit.state.epoch = 12;
  fit.state.best_epoch = 10;
  fit.state.since_best = 2;
  fit.state.best = 0.1 + 0.2;
  fit.state.best_state = {{5, 6, 7}, {}};
  fit.record.curve_epochs = {{"loss", {1, 2}}, {"ndcg@10 on validation", {2}}};
  fit.record.curve_values = {{"loss", {0.9, 0.8}}, {"ndcg@10 on validation", {0.25}}};
  fit.record.timing.epoch_seconds = {0.5, 0.25};
  fit.record.timing.fit_seconds = 1.25;
  fit.record.attributes = {{"resumed", "3"}, {"other", "is not kept"}};
  return fit;
}

Fit zeros() {
  Fit fit;
  fit.factors = {0, 0, 0};
  fit.moments = {0, 0};
  fit.state.training = {fit.factors, fit.none, fit.moments};
  return fit;
}

void expect_epoch_12(const Fit& fit) {
  EXPECT_EQ(fit.state.epoch, 12);
  EXPECT_EQ(fit.state.epochs, 60);
  EXPECT_EQ(fit.state.best_epoch, 10);
  EXPECT_EQ(fit.state.since_best, 2);
  EXPECT_EQ(fit.state.best, 0.1 + 0.2);
  EXPECT_EQ(fit.state.best_state, after_epoch_12().state.best_state);
  EXPECT_THAT(fit.factors, ElementsAre(1.5f, 0, 3e-42f));
  EXPECT_TRUE(std::signbit(fit.factors[1]));
  EXPECT_THAT(fit.moments, ElementsAre(7, 8));
  EXPECT_EQ(fit.record.curve_epochs, after_epoch_12().record.curve_epochs);
  EXPECT_EQ(fit.record.curve_values, after_epoch_12().record.curve_values);
  EXPECT_THAT(fit.record.timing.epoch_seconds, ElementsAre(0.5, 0.25));
  EXPECT_EQ(fit.record.timing.fit_seconds, 1.25);
  EXPECT_EQ(fit.record.attributes, (std::map<std::string, std::string>{{"resumed", "3"}}));
}

void expect_untouched(const Fit& fit) {
  EXPECT_EQ(fit.state.epoch, 0);
  EXPECT_EQ(fit.state.training.size(), 3u);
  EXPECT_THAT(fit.factors, ElementsAre(0, 0, 0));
  EXPECT_TRUE(fit.record.curve_epochs.empty());
  EXPECT_TRUE(fit.record.attributes.empty());
}

class Checkpoint : public testing::Test {
 protected:
  void write() const { write_checkpoint(path_, kIdentity, written_.state, written_.record); }
  std::string refused(const FitIdentity& identity, Fit fit = zeros()) const {
    const std::string message = message_of<DataError>([&] { read_checkpoint(path_, identity, fit.state, fit.record); });
    expect_untouched(fit);
    return message;
  }
  std::string bytes() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void put(const std::string& content) const { std::ofstream(path_, std::ios::binary) << content; }

  test::TempFolder folder_;
  std::filesystem::path path_ = folder_ / "checkpoints/f.h5";
  Fit written_ = after_epoch_12();
};

TEST_F(Checkpoint, ComesBackWithItsBits) {
  write();
  Fit fit = zeros();
  read_checkpoint(path_, kIdentity, fit.state, fit.record);
  expect_epoch_12(fit);
  written_.state.epoch = 13;  // and the next one takes its place
  write();
  read_checkpoint(path_, kIdentity, fit.state, fit.record);
  EXPECT_EQ(fit.state.epoch, 13);
}

// Whatever it is that cannot be read, the last thing even: the fit begins with what it had.
TEST_F(Checkpoint, WithoutACurveOrATimeChangesNothing) {
  for (const std::string missing : {"/epoch_seconds", "/curve/loss/values", "/fit@seconds", "/fit@since_best"}) {
    H5Writer file(path_);
    file.attribute("/", "segue_checkpoint", kCheckpointSchemaVersion);
    for (const auto& [name, value] : kIdentity) file.attribute("/identity", name, value);
    for (const char* name : {"epoch", "epochs", "best_epoch", "since_best"})
      if (missing != std::string("/fit@") + name) file.attribute("/fit", name, 60);
    file.attribute("/fit", "best", 0.5);
    if (missing != "/fit@seconds") file.attribute("/fit", "seconds", 1.5);
    for (const char* path : {"/epoch_seconds", "/curve/loss/epochs", "/curve/loss/values"})
      if (missing != path) file.array(path, std::vector<double>{1});
    file.array("/training/0", std::span<const float>(written_.factors));
    file.array("/training/1", std::span<const float>(written_.none));
    file.array("/training/2", std::span<const float>(written_.moments));
    file.commit();
    const std::string content = bytes();
    Hasher hasher;
    hasher.bytes(content.data(), content.size());
    put(content + "\nSEGUE-SEAL " + hasher.hex() + "\n");
    EXPECT_THAT(refused(kIdentity), HasSubstr(missing.substr(missing.rfind('/') + 1, 3))) << missing;
  }
}

TEST_F(Checkpoint, NamesOfCurvesHaveNoSlash) {
  written_.record.curve_epochs["a/b"] = written_.record.curve_values["a/b"] = {1};
  EXPECT_THAT(message_of<LogicError>([&] { write(); }), HasSubstr("'a/b'"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

// The disk was full, or the place is taken: nothing lies about for ever.
TEST_F(Checkpoint, ThatCannotTakeItsPlaceLeavesNothing) {
  std::filesystem::create_directories(path_ / "a folder");
  EXPECT_THAT(message_of<EnvironmentError>([&] { write(); }), HasSubstr("cannot rename"));
  const std::filesystem::directory_iterator all(path_.parent_path());
  EXPECT_EQ(std::distance(begin(all), end(all)), 1);
}

TEST_F(Checkpoint, OfAnotherFitIsRefused) {
  write();
  for (const auto& [name, value] : kIdentity) {
    FitIdentity other = kIdentity;
    other[name] += "x";
    EXPECT_EQ(refused(other), "it was written with another " + name);
  }
  FitIdentity more = kIdentity;
  more["seed"] = "1";
  EXPECT_EQ(refused(more), "it was written with another seed");
}

TEST_F(Checkpoint, OfAnotherShapeIsRefused) {
  write();
  const std::string expected = "its state has another shape than the model's";
  Fit fit = zeros();
  fit.state.epochs = 61;
  EXPECT_EQ(refused(kIdentity, std::move(fit)), expected);
  Fit longer = zeros();
  std::vector<float> three(3);
  longer.state.training[2] = three;
  EXPECT_EQ(refused(kIdentity, std::move(longer)), expected);
  Fit fewer = after_epoch_12();
  fewer.state.training.pop_back();
  EXPECT_EQ(message_of<DataError>([&] { read_checkpoint(path_, kIdentity, fewer.state, fewer.record); }), expected);
}

TEST_F(Checkpoint, WhatIsNoneIsRefused) {
  std::filesystem::create_directories(path_.parent_path());
  const std::string expected = "it is damaged, or no checkpoint of Segue";
  for (const char* content : {"", "half a fi", "a text that is much longer than the seal at the end of a checkpoint"}) {
    put(content);
    EXPECT_EQ(refused(kIdentity), expected);
  }
  H5Writer other(path_);
  other.attribute("/", "segue_trial", 2);
  other.commit();
  EXPECT_EQ(refused(kIdentity), expected);
  std::filesystem::remove(path_);
  Fit fit = zeros();
  EXPECT_THAT(message_of<EnvironmentError>([&] { read_checkpoint(path_, kIdentity, fit.state, fit.record); }),
              HasSubstr("cannot open"));
}

// Whatever byte a disk has lost: never on from another state.
TEST_F(Checkpoint, ADamagedOneIsRefused) {
  write();
  const std::string whole = bytes();
  for (std::size_t at = 0; at < whole.size(); at += at + 100 < whole.size() ? 23 : 1) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    put(damaged);
    ASSERT_EQ(refused(kIdentity), "it is damaged, or no checkpoint of Segue")
        << "byte " << at << " of " << whole.size();
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{44}, whole.size() / 2, whole.size() - 1}) {
    put(whole.substr(0, size));
    EXPECT_FALSE(refused(kIdentity).empty());
  }
  put(whole);
  Fit fit = zeros();
  read_checkpoint(path_, kIdentity, fit.state, fit.record);
  expect_epoch_12(fit);
}

TEST_F(Checkpoint, IsRemovedWithWhatIsLeftOfOthers) {
  write();
  const pid_t ended = fork(), zombie = ended == 0 ? 0 : fork();
  if (ended == 0 || zombie == 0) _exit(0);
  ASSERT_EQ(waitpid(ended, nullptr, 0), ended);
  siginfo_t ignored;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(zombie), &ignored, WEXITED | WNOWAIT), 0);
  const std::vector<std::filesystem::path> dead{
      folder_ / fmt::format("checkpoints/f.h5.tmp-{}-unsealed", ended),
      folder_ / fmt::format("checkpoints/f.h5.tmp-{0}-unsealed.tmp-{0}", ended),
      folder_ / fmt::format("checkpoints/f.h5.tmp-{}-unsealed", zombie),
      folder_ / fmt::format("checkpoints/f.h5.tmp-{}", getpid())};  // of an earlier one that had our number
  const std::filesystem::path alive = folder_ / fmt::format("checkpoints/f.h5.tmp-{}-unsealed", getppid());
  for (const auto& path : dead) std::ofstream(path) << "half";
  std::ofstream(alive) << "half";
  std::ofstream(folder_ / "checkpoints/ff.h5") << "of another fit";
  remove_unfinished_checkpoints(path_);
  EXPECT_TRUE(std::filesystem::exists(path_));
  for (const auto& path : dead) EXPECT_FALSE(std::filesystem::exists(path)) << path;
  EXPECT_EQ(waitpid(zombie, nullptr, 0), zombie);
  EXPECT_TRUE(std::filesystem::exists(alive));
  remove_checkpoint(path_);
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "checkpoints/ff.h5"));
  remove_checkpoint(folder_ / "no such folder/f.h5");
}

TEST_F(Checkpoint, OfFinishedTrialsAreSweptAway) {
  const ResultsFolder results{folder_.path()};
  sweep_checkpoints(results);  // nothing there yet
  write();
  std::ofstream(results.checkpoint_file("g")) << "of a finished trial";
  std::filesystem::create_directories(folder_ / "trials");
  std::ofstream(results.trial_file("g")) << "finished";
  sweep_checkpoints(results);
  EXPECT_TRUE(std::filesystem::exists(path_));
  EXPECT_FALSE(std::filesystem::exists(results.checkpoint_file("g")));
  std::ofstream(results.trial_file("f")) << "finished";
  sweep_checkpoints(results);
  EXPECT_FALSE(std::filesystem::exists(results.checkpoints()));
}

}  // namespace
}  // namespace segue
