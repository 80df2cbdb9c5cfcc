// What the strategies of a split share: the part each event goes to, and orders that depend on content alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "framework/data/dataset.hpp"
#include "framework/data/task_spec.hpp"

namespace segue {

enum class Part : std::uint8_t {
  kTrain,
  kValidation,
  kTest,
  kKnown,  // to the queries of its user, and to nobody who trains
};

// A place of the log and where it stands in a random order.
struct Ticket {
  std::uint64_t key;
  std::uint32_t event;
};

// The events of one part so far, in a random order that is a function of their content, so that input order does not
// matter; by user first where asked.
std::vector<Ticket> shuffled_by_content(const std::vector<Event>& events, const std::vector<Part>& parts, Part wanted,
                                        const Dataset& dataset, std::uint64_t seed, bool by_user = false);

inline std::size_t share_of(double share, std::size_t n) {
  return static_cast<std::size_t>(std::llround(static_cast<double>(n) * share));
}

// Calls body(first, last) for each run of equal users.
template <class UserAt, class Body>
void for_each_user(std::size_t n, UserAt user_at, Body body) {
  for (std::size_t first = 0; first < n;) {
    std::size_t last = first + 1;
    while (last < n && user_at(last) == user_at(first)) ++last;
    body(first, last);
    first = last;
  }
}

// held_out_users and playlist_continuation: no event of the held-out users trains; some are known to their queries, the
// others are to be predicted. Sorts the events.
void hold_out_users(std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset, const SplitSpec& split,
                    std::vector<std::string>& warnings);

}  // namespace segue
