#include "framework/model/history_query.hpp"

namespace segue {

Query history_query(UserIdx user, const HistoryView& history, std::int64_t now) {
  std::size_t begin = history.items.size();
  while (begin > 0 && history.sessions[begin - 1] == history.sessions.back()) --begin;
  return {.user = user,
          .history = history.items,
          .times = history.times,
          .weights = history.weights,
          .kinds = history.kinds,
          .now = now,
          .session_begin = begin};
}

}  // namespace segue
