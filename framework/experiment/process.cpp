#include "framework/experiment/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>

#include "framework/base/errors.hpp"
#include "framework/store/manifest.hpp"

namespace segue {

namespace fs = std::filesystem;

TrialProcess::TrialProcess(const fs::path& program, const Job& job, const fs::path& job_file, const fs::path& log, double timeout_seconds)
    : job_(job), log_(log), timeout_(timeout_seconds) {
  write_text_file(job_file, job.to_json());
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw EnvironmentError("cannot open a pipe: {}", std::strerror(errno));
  const int log_fd = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (log_fd < 0) throw EnvironmentError("cannot write {}: {}", log.string(), std::strerror(errno));
  const std::string program_text = program.string(), job_text = job_file.string();
  const char* argv[] = {program_text.c_str(), "__trial", job_text.c_str(), nullptr};
  // A request to stop that arrives before exec must not vanish in the handlers that the child inherits: it waits, blocked, until
  // they are gone, and then ends the child.
  sigset_t stops, before;
  sigemptyset(&stops);
  sigaddset(&stops, SIGTERM);
  sigprocmask(SIG_BLOCK, &stops, &before);
  pid_ = fork();
  if (pid_ == 0) {
    // Only async-signal-safe calls between fork and exec.
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    setpgid(0, 0);  // Ctrl-C reaches the supervisor alone, which then decides
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log_fd, 2);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(ends[1], kMessagePipe);
    for (const int kept : {2, kMessagePipe}) fcntl(kept, F_SETFD, 0);  // dup2() of a descriptor onto itself keeps it close-on-exec
    execv(argv[0], const_cast<char* const*>(argv));
    _exit(127);
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(ends[1]);
  close(log_fd);
  if (pid_ < 0) {
    close(ends[0]);
    throw EnvironmentError("cannot start a trial process: {}", std::strerror(errno));
  }
  pipe_ = ends[0];
  fcntl(pipe_, F_SETFL, O_NONBLOCK);
}

TrialProcess::~TrialProcess() {
  kill();
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
  if (pipe_ >= 0) close(pipe_);
}

std::vector<TrialMessage> TrialProcess::read_messages() {
  char chunk[16384];
  for (ssize_t n; (n = read(pipe_, chunk, sizeof chunk)) > 0;) buffer_.append(chunk, static_cast<std::size_t>(n));
  std::vector<TrialMessage> messages;
  for (std::size_t end; (end = buffer_.find('\n')) != std::string::npos; buffer_.erase(0, end + 1)) {
    std::optional<TrialMessage> m = TrialMessage::from_line(buffer_.substr(0, end));
    if (!m) continue;
    if (m->kind == TrialMessage::Kind::kError) error_ = m->text;
    if (m->kind == TrialMessage::Kind::kResumed) before_ = m->value;
    if (m->kind == TrialMessage::Kind::kDone) {
      done_ = true;
      metric_ = m->metric;
    }
    messages.push_back(std::move(*m));
  }
  return messages;
}

namespace {

std::uint64_t resident_bytes(pid_t pid) {
  std::ifstream statm("/proc/" + std::to_string(pid) + "/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

// What a crashing process said last, on one line.
std::string last_words(const fs::path& log) {
  std::ifstream in(log);
  std::string last;
  for (std::string line; std::getline(in, line);)
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  return last.substr(0, 300);
}

}  // namespace

TrialOutcome TrialProcess::outcome(int wait_status) const {
  TrialOutcome out;
  out.seconds = seconds();
  out.metric = metric_;
  if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0 && done_) {
    out.status = "ok";
  } else if (timed_out_) {
    out.status = "timeout";
    out.error = fmt::format("took longer than {}", format_seconds(timeout_));
  } else if (too_large_) {
    out.status = "killed";
    out.error = fmt::format("needed more memory than its cap of {}", format_bytes(static_cast<double>(job_.memory_limit)));
  } else if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == static_cast<int>(ExitCode::kInterrupted)) {
    out.status = "interrupted";
    out.error = "stopped; run the same command to go on";
  } else if (WIFSIGNALED(wait_status) && interrupted_) {
    out.status = "interrupted";
    out.error = "stopped at once; run the same command to go on";
  } else if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    const std::string words = last_words(log_);
    out.status = "killed";
    out.error = fmt::format("ended by signal {} ({}){}{}", signal, strsignal(signal), signal == SIGKILL ? "; perhaps the machine ran out of memory" : "",
                            words.empty() ? "" : ": " + words);
  } else {
    out.status = "failed";
    out.error = !error_.empty() ? error_ : fmt::format("exited with code {}: {}", WEXITSTATUS(wait_status), last_words(log_));
  }
  for (char& c : out.error)
    if (c == '\n') c = ' ';
  return out;
}

std::optional<TrialOutcome> TrialProcess::poll() {
  if (timeout_ > 0 && seconds() > timeout_ && !timed_out_) {
    timed_out_ = true;
    kill();
  }
  if (job_.memory_limit > 0 && !too_large_ && resident_bytes(pid_) > job_.memory_limit) {
    too_large_ = true;
    kill();
  }
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  read_messages();
  return outcome(status);
}

void TrialProcess::interrupt() {
  interrupted_ = true;
  if (pid_ > 0) ::kill(pid_, SIGTERM);
}

void TrialProcess::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

namespace {
std::atomic<bool> g_interrupted{false};
}

void enter_trial_process(std::uint64_t memory_limit) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct sigaction action {};
  action.sa_handler = [](int) { g_interrupted = true; };
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  if (memory_limit > 0) {
    // Private writable memory only, so that mapped snapshots do not count; an allocation beyond it throws bad_alloc.
    const rlimit limit{memory_limit, memory_limit};
    setrlimit(RLIMIT_DATA, &limit);
  }
#else
  (void)memory_limit;
#endif
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

bool trial_interrupted() { return g_interrupted; }

}  // namespace segue
