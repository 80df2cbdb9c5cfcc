#include "framework/cli/audio_progress.hpp"

#include <cstdio>

#include <fmt/core.h>
#include <unistd.h>

#include "framework/base/log.hpp"

namespace segue {

AudioProgress::AudioProgress(std::size_t total) : total_(total), terminal_(::isatty(STDERR_FILENO) != 0) {}

void AudioProgress::show(std::size_t done, double sound, const std::string& name) {
  if (since_.seconds() < (terminal_ ? 0.1 : 10.0) || log_level() > LogLevel::kInfo) return;
  since_.restart();
  const double seconds = all_.seconds(),
               left = seconds / static_cast<double>(done) * static_cast<double>(total_ - done);
  std::string text = fmt::format("[{}/{}] {:.1f} files/s, {:.0f} x real time, {} left  {}", done, total_,
                                 static_cast<double>(done) / seconds, sound / seconds, format_seconds(left), name);
  if (!terminal_) return fmt::print(stderr, "{}\n", text);
  if (text.size() > 100) text.resize(100);
  fmt::print(stderr, "\r\033[K{}", text);
  std::fflush(stderr);
  drawn_ = true;
}

void AudioProgress::clear() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
  drawn_ = false;
}

}  // namespace segue
