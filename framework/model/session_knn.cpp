#include "framework/model/session_knn.hpp"

#include <algorithm>

namespace segue {
namespace {

constexpr std::uint32_t kNone = 0xFFFFFFFFu;

// Where a list of sessions is being read; the most recent session is on top of a heap, among equals the older item.
struct Cursor {
  std::uint32_t session;
  std::uint32_t item;  // place in the current session's distinct items
  bool operator<(const Cursor& other) const {
    return session != other.session ? session < other.session : item > other.item;
  }
};

}  // namespace

struct SessionKnn::Scratch {
  std::vector<ItemIdx> events;  // of the current session
  // For is_own(): the current session before it was cut to its last events; or, where nothing is left of it, `events`.
  std::vector<ItemIdx> whole;
  bool goes_back = false;    // whether it is the latter
  std::vector<Known> known;  // distinct, by their last occurrence
  std::vector<ItemIdx> seen;
  std::vector<Cursor> heap;
  std::vector<std::size_t> next;  // of each known item: how much of its list is read
  std::vector<Neighbour> found;
};

void SessionKnn::fit(const TrainData& data, FitContext&) {
  sessions_ = Sessions(data.histories);
  index(data.train.n_items());
  prepare();
}

void SessionKnn::index(std::size_t n_items) {
  place_offsets_.assign(1, 0);
  places_.clear();
  item_offsets_.assign(n_items + 1, 0);
  last_of_user_.clear();
  std::vector<std::uint32_t> last_seen(n_items, kNone);  // the last session in which an item was met
  for (std::size_t s = 0; s < sessions_.size(); ++s) {
    const auto items = sessions_.items(s);
    const std::size_t begin = places_.size();
    for (std::size_t p = items.size(); p-- > 0;) {
      if (last_seen[raw(items[p])] == s) continue;
      last_seen[raw(items[p])] = static_cast<std::uint32_t>(s);
      places_.push_back({items[p], static_cast<std::uint32_t>(p)});
      ++item_offsets_[raw(items[p]) + 1];
    }
    std::reverse(places_.begin() + static_cast<std::ptrdiff_t>(begin), places_.end());
    place_offsets_.push_back(places_.size());
    const std::size_t user = raw(sessions_.user(s));
    if (user >= last_of_user_.size()) last_of_user_.resize(user + 1, kNone);
    last_of_user_[user] = static_cast<std::uint32_t>(s);
  }
  for (std::size_t i = 0; i < n_items; ++i) item_offsets_[i + 1] += item_offsets_[i];
  item_sessions_.resize(places_.size());
  std::vector<std::uint64_t> next(item_offsets_.begin(), item_offsets_.end() - 1);
  for (std::size_t s = sessions_.size(); s-- > 0;)
    for (const Place& place : places(s)) item_sessions_[next[raw(place.item)]++] = static_cast<std::uint32_t>(s);
}

void SessionKnn::read_current(const Query& query, Scratch& scratch) const {
  const auto most = static_cast<std::size_t>(limits_.max_length);
  current_session(query, n_items(), most, scratch.events);
  if (query.history.empty() && has_sessions(query.user)) {
    const auto items = sessions_.items(last_of_user_[raw(query.user)]);
    current_session({.history = items}, n_items(), most, scratch.events);
  }
  if (has_sessions(query.user)) {
    const std::size_t begin = std::min(query.session_begin, query.history.size());
    Query begun{.history = query.history.subspan(begin)};
    if (!query.weights.empty()) begun.weights = query.weights.subspan(begin);
    current_session(begun, n_items(), begun.history.size(), scratch.whole);
    scratch.goes_back = scratch.whole.empty();
    if (scratch.goes_back) scratch.whole = scratch.events;
  }
  scratch.known.clear();
  scratch.seen.clear();
  const std::size_t length = scratch.events.size();
  for (std::size_t p = length; p-- > 0;) {  // few items: a search through them is quicker than a table of all
    const ItemIdx item = scratch.events[p];
    if (std::find(scratch.seen.begin(), scratch.seen.end(), item) != scratch.seen.end()) continue;
    scratch.seen.push_back(item);
    scratch.known.push_back({item, p + 1, length, 0});
    scratch.known.back().weight = weight_of(scratch.known.back());
  }
  std::reverse(scratch.known.begin(), scratch.known.end());
}

bool SessionKnn::has_sessions(UserIdx user) const {
  return raw(user) < last_of_user_.size() && last_of_user_[raw(user)] != kNone;
}

// Whether a training session is one that the query goes on with: it says nothing that the query does not know. Training
// has some of the session's events, in their order, not always the first of them. Where the query goes on with the last
// events before its session, these may be the end of a longer one.
bool SessionKnn::is_own(const Query& query, std::uint32_t session, const Scratch& scratch) const {
  if (sessions_.user(session) != query.user || query.user == kNoUser) return false;
  if (query.history.empty()) return session == last_of_user_[raw(query.user)];
  auto items = sessions_.items(session);
  if (scratch.goes_back) items = items.last(std::min(items.size(), static_cast<std::size_t>(limits_.max_length)));
  std::size_t met = 0;
  for (std::size_t p = 0; p < scratch.whole.size() && met < items.size(); ++p) met += scratch.whole[p] == items[met];
  return met == items.size();
}

void SessionKnn::find_neighbours(const Query& query, Scratch& scratch) const {
  const std::vector<Known>& known = scratch.known;
  std::vector<Cursor>& heap = scratch.heap;
  heap.clear();
  scratch.found.clear();
  scratch.next.assign(known.size(), 0);
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (const auto list = sessions_of(known[i].item); !list.empty())
      heap.push_back({list[0], static_cast<std::uint32_t>(i)});
  }
  std::make_heap(heap.begin(), heap.end());
  std::uint32_t newest = 0;
  while (!heap.empty() && scratch.found.size() < static_cast<std::size_t>(limits_.sample)) {
    Neighbour found{heap.front().session, 0, nullptr};
    while (!heap.empty() && heap.front().session == found.session) {
      const std::size_t i = heap.front().item;
      found.similarity += known[i].weight;
      found.latest = &known[i];
      std::pop_heap(heap.begin(), heap.end());
      const auto list = sessions_of(known[i].item);
      if (++scratch.next[i] < list.size()) {
        heap.back().session = list[scratch.next[i]];
        std::push_heap(heap.begin(), heap.end());
      } else {
        heap.pop_back();
      }
    }
    if (is_own(query, found.session, scratch)) continue;
    if (scratch.found.empty()) newest = found.session;
    found.similarity = similarity(found.similarity, known.size(), found.session, newest);
    scratch.found.push_back(found);
  }
  const auto nearer = [](const Neighbour& a, const Neighbour& b) {
    return a.similarity != b.similarity ? a.similarity > b.similarity : a.session > b.session;
  };
  const std::size_t count = std::min(scratch.found.size(), static_cast<std::size_t>(limits_.neighbours));
  const auto cut = scratch.found.begin() + static_cast<std::ptrdiff_t>(count);
  if (cut != scratch.found.end()) std::nth_element(scratch.found.begin(), cut, scratch.found.end(), nearer);
  scratch.found.erase(cut, scratch.found.end());
  std::sort(scratch.found.begin(), scratch.found.end(), nearer);
}

void SessionKnn::score(std::span<const Query> queries, MatRef<float> out) const {
  Scratch scratch;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const std::span<float> row(out.data() + q * static_cast<std::size_t>(out.outerStride()), n_items());
    std::fill(row.begin(), row.end(), kCannotScore);
    read_current(queries[q], scratch);
    find_neighbours(queries[q], scratch);
    for (const Neighbour& neighbour : scratch.found) vote(neighbour, places(neighbour.session), row);
  }
}

void SessionKnn::save(ArchiveWriter& archive) const {
  archive.put_value("items", static_cast<double>(n_items()));
  sessions_.save(archive);
}

void SessionKnn::load(const ArchiveReader& archive) {
  sessions_.load(archive);
  index(static_cast<std::size_t>(archive.value("items")));
  prepare();
}

}  // namespace segue
