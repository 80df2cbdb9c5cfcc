// How far a batch of recordings is, and how long it will take, on stderr.
#pragma once

#include <cstddef>
#include <string>

#include "framework/base/clock.hpp"

namespace segue {

// A line that changes on a terminal, one every ten seconds elsewhere. Not for several threads at once.
class AudioProgress {
 public:
  explicit AudioProgress(std::size_t total);
  ~AudioProgress() { clear(); }
  AudioProgress(const AudioProgress&) = delete;
  AudioProgress& operator=(const AudioProgress&) = delete;
  // sound: seconds of recordings so far; name: of the last.
  void show(std::size_t done, double sound, const std::string& name);
  void clear();

 private:
  std::size_t total_;
  bool terminal_, drawn_ = false;
  Stopwatch all_, since_;
};

}  // namespace segue
