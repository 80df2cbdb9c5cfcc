#include "framework/experiment/progress_display.hpp"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "framework/base/log.hpp"

namespace segue {

namespace {

std::size_t terminal_width() {
  winsize size{};
  return ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

ProgressDisplay::ProgressDisplay(bool quiet) : mode_(quiet ? Mode::kQuiet : isatty(2) == 1 ? Mode::kTerminal : Mode::kPlain) {}
ProgressDisplay::~ProgressDisplay() { clear(); }

void ProgressDisplay::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

void ProgressDisplay::message(const std::string& text) {
  if (mode_ == Mode::kQuiet) return;
  clear();
  fmt::print(stderr, "{}\n", text);
}

void ProgressDisplay::warning(const std::string& text) {
  clear();
  log_warning("{}", text);
}

std::string ProgressDisplay::start_trial(std::size_t number, std::size_t total, const std::string& what) {
  const std::string digits = std::to_string(total);
  start(fmt::format("[{:>{}}/{}] {}", number, digits.size(), total, what), "starting");
  return head_;
}

void ProgressDisplay::start(const std::string& head, const std::string& phase) {
  head_ = head;
  phase_ = phase;
  rate_from_ = 0;
  metric_.clear();
  done_ = total_ = resumed_ = 0;
  active_ = true;
  since_start_.restart();
  since_draw_.restart();
  draw();
}

void ProgressDisplay::update(const TrialMessage& m) {
  switch (m.kind) {
    case TrialMessage::Kind::kPhase:
      phase_ = m.text;
      done_ = total_ = resumed_ = 0;
      rate_from_ = since_start_.seconds();
      break;
    case TrialMessage::Kind::kStep:
      done_ = m.done;
      total_ = m.total;
      unit_ = m.text;
      break;
    case TrialMessage::Kind::kPoint: metric_ = fmt::format("{} {:.4f}", m.text, m.value); break;
    case TrialMessage::Kind::kResumed: resumed_ = m.done; return;
    case TrialMessage::Kind::kWarning:
    case TrialMessage::Kind::kDone:
    case TrialMessage::Kind::kError: return;
  }
  draw();
}

void ProgressDisplay::draw() {
  if (mode_ == Mode::kQuiet || !active_) return;
  // A terminal is redrawn ten times a second; a log gets a line every ten seconds.
  const double every = mode_ == Mode::kTerminal ? 0.1 : 10;
  if (since_draw_.seconds() < every && !(mode_ == Mode::kTerminal && !drawn_)) return;
  since_draw_.restart();
  std::string line = head_ + "  " + phase_;
  if (total_ > 0) {
    const double seconds = since_start_.seconds() - rate_from_;
    const double rate = (done_ - resumed_) / std::max(seconds, 1e-9);
    line += fmt::format(" {:.0f}/{:.0f} {}", done_, total_, unit_);
    if (rate > 0 && done_ > 0) line += fmt::format(", {:.3g}/s, {} left", rate, format_seconds((total_ - done_) / rate));
  }
  if (!metric_.empty()) line += "  " + metric_;
  if (eta_ >= 0) line += fmt::format("  ({}: about {} left)", eta_of_, format_seconds(eta_));
  if (mode_ == Mode::kTerminal) {
    const std::size_t width = terminal_width() - 1;
    if (line.size() > width) line.resize(width);
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    drawn_ = true;
  } else {
    fmt::print(stderr, "{}\n", line);
  }
}

void ProgressDisplay::end_trial(const std::string& head, const std::string& result) {
  active_ = false;
  if (mode_ == Mode::kQuiet) return;
  clear();
  fmt::print(stderr, "{}  {}\n", head, result);
}

}  // namespace segue
