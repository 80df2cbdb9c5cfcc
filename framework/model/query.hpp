// One question to a recommender: everything a model may know at that moment, and nothing that it may not.
#pragma once

#include <cstdint>
#include <span>

#include "framework/base/ids.hpp"
#include "framework/data/events.hpp"

namespace segue {

// Playlist title and the like; grows with the tasks that need it.
struct Context {};

struct Query {
  UserIdx user = kNoUser;             // may be unseen in training, or kNoUser
  std::span<const ItemIdx> history{};  // oldest first
  std::span<const std::int64_t> times{};     // as long as history, or empty
  std::span<const float> weights{};          // as long as history, or empty
  std::span<const EventKind> kinds{};        // as long as history, or empty
  std::int64_t now = 0;                // the moment of the question, same unit as times
  std::size_t session_begin = 0;       // the current session is history[session_begin..]
  const Context* context = nullptr;
};

}  // namespace segue
