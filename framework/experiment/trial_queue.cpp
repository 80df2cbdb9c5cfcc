#include "framework/experiment/trial_queue.hpp"

#include <memory>
#include <vector>

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>

namespace segue {

namespace {

volatile sig_atomic_t g_interrupts = 0;
struct sigaction g_old_int {
}, g_old_term{};

}  // namespace

InterruptScope::InterruptScope() {
  g_interrupts = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { g_interrupts = g_interrupts + 1; };
  sigaction(SIGINT, &action, &g_old_int);
  sigaction(SIGTERM, &action, &g_old_term);
}
InterruptScope::~InterruptScope() {
  sigaction(SIGINT, &g_old_int, nullptr);
  sigaction(SIGTERM, &g_old_term, nullptr);
}
int InterruptScope::count() { return g_interrupts; }

double TrialQueue::expected(const std::string& label, double share) const {
  const auto it = paces_.find(label);
  return it == paces_.end() ? -1 : it->second.seconds / it->second.fits * share;
}

void TrialQueue::show_rest(const std::deque<QueuedTrial>& queue, const Later& later, int jobs) {
  double rest = 0;
  bool known = true;
  const auto add = [&](double seconds) {
    rest += seconds;
    known = known && seconds >= 0;
  };
  for (const QueuedTrial& t : queue) add(t.seconds >= 0 ? t.seconds : expected(t.label, t.share));
  for (const auto& [label, fits] : later) add(fits > 0 ? expected(label, fits) : 0);
  display_.set_eta(known ? rest / jobs : -1, what_);
}

void TrialQueue::run(std::deque<QueuedTrial> queue, int jobs, const Later& later) {
  struct Running {
    QueuedTrial trial;
    std::unique_ptr<TrialProcess> process;
    std::string head;
  };
  std::vector<Running> running;
  int seen_interrupts = 0;
  while (!queue.empty() || !running.empty()) {
    while (g_interrupts == 0 && !queue.empty() && static_cast<int>(running.size()) < jobs) {
      QueuedTrial trial = std::move(queue.front());
      queue.pop_front();
      show_rest(queue, later, jobs);
      std::string head = display_.start_trial(++started_, total_, trial.title());
      const Job job = trial.job();
      journal_.append({"", "started", job.fit, job.label, job.fold, job.seed, 0, ""});
      auto process = std::make_unique<TrialProcess>(program_, job, scratch_ / (job.fit + ".job.json"),
                                                    scratch_ / (job.fit + ".log"), timeout_);
      running.push_back({std::move(trial), std::move(process), std::move(head)});
    }
    if (g_interrupts > 0) queue.clear();
    if (g_interrupts > seen_interrupts) {
      if (seen_interrupts == 0)
        display_.message("interrupted: finishing the current epoch and saving it where fits resume (Ctrl-C again stops at once)");
      for (Running& r : running) {
        r.process->interrupt();  // also where it is killed, so that its end is taken for what it is
        if (g_interrupts > 1) r.process->kill();
      }
      seen_interrupts = g_interrupts;
    }
    std::vector<pollfd> fds;
    for (const Running& r : running) fds.push_back({r.process->pipe(), POLLIN, 0});
    poll(fds.data(), fds.size(), 20);
    for (std::size_t i = 0; i < running.size();) {
      for (const TrialMessage& m : running[i].process->read_messages()) {
        if (m.kind == TrialMessage::Kind::kResumed)
          display_.message(fmt::format("{}  resumed after epoch {:.0f} of {:.0f}", running[i].head, m.done, m.total));
        if (m.kind == TrialMessage::Kind::kWarning)
          display_.warning(fmt::format("{}: {}", running[i].trial.label, m.text));
        if (running.size() == 1) display_.update(m);
      }
      if (const std::optional<TrialOutcome> outcome = running[i].process->poll()) {
        const Job& job = running[i].process->job();
        journal_.append({"", outcome->status == "ok" ? "finished" : outcome->status, job.fit, job.label, job.fold,
                         job.seed, outcome->seconds, outcome->error});
        if (outcome->status == "ok") {
          Pace& pace = paces_[running[i].trial.label];
          pace.seconds += outcome->seconds;
          pace.fits += running[i].trial.share;
        }
        display_.end_trial(running[i].head, running[i].trial.finish(job, *outcome));
        running.erase(running.begin() + static_cast<long>(i));
      } else {
        ++i;
      }
    }
  }
}

}  // namespace segue
