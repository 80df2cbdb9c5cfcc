// From a user's events to the question that they are part of, in one place: a query that leaves out the session, or the
// moment, gets other answers than those that are stored.
#pragma once

#include "framework/data/interactions.hpp"
#include "framework/model/query.hpp"

namespace segue {

// What follows this history, asked at `now`. The current session is the trailing events that share the last session
// number: of data without sessions, the whole history. The spans are those of `history`.
Query history_query(UserIdx user, const HistoryView& history, std::int64_t now);

}  // namespace segue
