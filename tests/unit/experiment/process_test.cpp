// The supervisor's side of a trial process, against shell scripts that behave as bad trials do.
#include "framework/experiment/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include "framework/base/errors.hpp"
#include "framework/store/manifest.hpp"
#include "tests/support/messages.hpp"
#include "tests/support/temp_folder.hpp"

namespace segue {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kDone = R"(echo '{"kind":"done","metric":"hr@1 0.5"}' >&3)";

class Script {
 public:
  explicit Script(const std::string& body) : program_(folder_.write("trial.sh", "#!/bin/sh\n" + body + "\n")) {
    chmod(program_.c_str(), 0755);
  }
  std::unique_ptr<TrialProcess> start(double timeout = 0, std::uint64_t memory = 0) const {
    Job job;
    job.fit = "fit";
    job.memory_limit = memory;
    return std::make_unique<TrialProcess>(program_, job, folder_ / "job.json", folder_ / "log", timeout);
  }
  TrialOutcome run(double timeout = 0, std::uint64_t memory = 0) {
    const auto process = start(timeout, memory);
    return wait(*process);
  }
  TrialOutcome wait(TrialProcess& process) {
    while (true) {
      pollfd fd{process.pipe(), POLLIN, 0};
      ::poll(&fd, 1, 5);
      for (TrialMessage& m : process.read_messages()) messages.push_back(std::move(m));
      if (const auto outcome = process.poll()) return *outcome;
      if (process.seconds() > 30) throw std::runtime_error("the trial never ends");
    }
  }
  const test::TempFolder& folder() const { return folder_; }
  std::vector<TrialMessage> messages;

 private:
  test::TempFolder folder_;
  std::filesystem::path program_;
};

TEST(TrialProcess, IsGivenItsJobAndHeard) {
  Script script(R"(test "$1" = __trial && grep -q '"fit":"fit"' "$2" || exit 9
echo '{"kind":"phase","text":"fitting"}' >&3
echo nonsense >&3
printf '{"kind":"step","do' >&3
sleep 0.05
echo 'ne":1,"total":2,"text":"epochs"}' >&3
echo to nobody
)" + kDone);
  const TrialOutcome outcome = script.run();
  EXPECT_EQ(outcome.status, "ok");
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.metric, "hr@1 0.5");
  EXPECT_GT(outcome.seconds, 0.05);
  ASSERT_GE(script.messages.size(), 2u);
  EXPECT_EQ(script.messages[0].text, "fitting");
  EXPECT_EQ(script.messages[1].kind, TrialMessage::Kind::kStep);
  EXPECT_EQ(script.messages[1].total, 2);
}

TEST(TrialProcess, FailuresHaveTheirReason) {
  const TrialOutcome told = Script(R"(printf '%s\n' '{"kind":"error","text":"two\nlines"}' >&3; exit 1)").run();
  EXPECT_EQ(told.status, "failed");
  EXPECT_EQ(told.error, "two lines");
  const TrialOutcome silent = Script("echo first >&2; echo last words >&2; echo >&2; exit 7").run();
  EXPECT_EQ(silent.status, "failed");
  EXPECT_EQ(silent.error, "exited with code 7: last words");
  EXPECT_EQ(Script("exit 0").run().status, "failed") << "done is what says so, not what returns";
  EXPECT_EQ(Script(kDone + "; exit 1").run().status, "failed");
  EXPECT_EQ(Script("exit 130").run().status, "interrupted");
}

TEST(TrialProcess, Crashes) {
  const TrialOutcome aborted = Script("echo terminate called >&2; ulimit -c 0; kill -ABRT $$").run();
  EXPECT_EQ(aborted.status, "killed");
  EXPECT_EQ(aborted.error, "ended by signal 6 (Aborted): terminate called");
  const TrialOutcome killed = Script("kill -KILL $$").run();
  EXPECT_EQ(killed.status, "killed");
  EXPECT_THAT(killed.error, HasSubstr("perhaps the machine ran out of memory"));
}

TEST(TrialProcess, TimeOutsAndMemoryCapsEndIt) {
  const TrialOutcome slow = Script("exec sleep 60").run(0.1);
  EXPECT_EQ(slow.status, "timeout");
  EXPECT_EQ(slow.error, "took longer than 100 ms");
  EXPECT_LT(slow.seconds, 20);
  const TrialOutcome large = Script("exec sleep 60").run(0, 1);  // any process has more than a byte
  EXPECT_EQ(large.status, "killed");
  EXPECT_EQ(large.error, "needed more memory than its cap of 1 B");
}

TEST(TrialProcess, Interruptions) {
  Script polite("trap 'exit 130' TERM\necho '{\"kind\":\"phase\"}' >&3\nwhile true; do sleep 0.01; done");
  const auto process = polite.start();
  while (process->read_messages().empty()) ASSERT_LT(process->seconds(), 20);  // the trap is set
  process->interrupt();
  EXPECT_EQ(polite.wait(*process).status, "interrupted");

  Script deaf("trap '' TERM\necho '{\"kind\":\"phase\"}' >&3\nwhile true; do sleep 0.01; done");
  const auto stubborn = deaf.start();
  while (stubborn->read_messages().empty()) ASSERT_LT(stubborn->seconds(), 20);
  stubborn->interrupt();
  stubborn->kill();
  const TrialOutcome outcome = deaf.wait(*stubborn);
  EXPECT_EQ(outcome.status, "interrupted");
  EXPECT_THAT(outcome.error, testing::Not(HasSubstr("memory")));
}

TEST(TrialProcess, DiesWithItsSupervisorsHandle) {
  Script script("echo $$ > " + std::string("\"$(dirname \"$2\")/pid\"") +
                "; echo '{\"kind\":\"phase\"}' >&3; exec sleep 60");
  int pid = 0;
  {
    const auto process = script.start();
    while (process->read_messages().empty()) ASSERT_LT(process->seconds(), 20);
    pid = std::stoi(read_text_file(script.folder() / "pid"));
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(TrialProcess, AProgramThatIsNotThereFails) {
  test::TempFolder folder;
  TrialProcess process(folder / "nothing", {}, folder / "job.json", folder / "log", 0);
  std::optional<TrialOutcome> outcome;
  while (!(outcome = process.poll())) ASSERT_LT(process.seconds(), 20);
  EXPECT_EQ(outcome->status, "failed");
  EXPECT_THAT(outcome->error, HasSubstr("127"));
}

}  // namespace
}  // namespace segue
