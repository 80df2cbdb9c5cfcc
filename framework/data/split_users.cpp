// Splits that hold out whole users.
#include <algorithm>
#include <tuple>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/base/hash.hpp"
#include "framework/data/split.hpp"
#include "framework/data/split_parts.hpp"

namespace segue {

namespace {

// A user's events [first, last) of the log, and a random order of users that is a function of their ids.
struct Lot {
  std::uint64_t key;
  std::size_t first, last;
  std::size_t size() const { return last - first; }
};

// Below 1 a share of the users, from 1 on so many of them.
std::size_t users_of(double size, std::size_t n) {
  return size < 1 ? share_of(size, n) : std::min(n, static_cast<std::size_t>(size));
}

// Which numbers of seeds a playlist may get: those that leave something to predict. The one that the fewest playlists
// have so far, so that all are equally frequent as far as lengths allow; of several, the largest, since it asks most.
class Seeds {
 public:
  explicit Seeds(const std::vector<int>& counts) : counts_(counts.begin(), counts.end()), dealt_(counts.size(), 0) {
    std::sort(counts_.rbegin(), counts_.rend());
  }
  std::size_t least() const { return counts_.back(); }
  void begin() { std::fill(dealt_.begin(), dealt_.end(), 0); }
  std::size_t deal(std::size_t length) {
    std::size_t best = counts_.size();
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i] < length && (best == counts_.size() || dealt_[i] < dealt_[best])) best = i;
    ++dealt_[best];
    return counts_[best];
  }

 private:
  std::vector<std::size_t> counts_, dealt_;  // counts descending
};

}  // namespace

void hold_out_users(std::vector<Event>& events, std::vector<Part>& parts, const Dataset& dataset, const SplitSpec& split,
                    std::vector<std::string>& warnings) {
  const bool playlists = split.strategy == "playlist_continuation";
  sort_histories(events, dataset, split.seed);
  Seeds seeds(split.seeds);
  // Who has too few events to know some and be asked for others trains.
  const std::size_t enough = playlists ? seeds.least() + 1 : 2;
  std::vector<Lot> lots;
  bool any_order = false;
  for_each_user(events.size(), [&](std::size_t i) { return events[i].user; },
                [&](std::size_t first, std::size_t last) {
                  any_order = any_order || events[first].time != events[last - 1].time;
                  const std::uint64_t key = mix64(mix64(split.seed, 5), dataset.users.keys()[raw(events[first].user)]);
                  if (last - first >= enough) lots.push_back({key, first, last});
                });
  std::sort(lots.begin(), lots.end(), [](const Lot& a, const Lot& b) { return std::tie(a.key, a.first) < std::tie(b.key, b.first); });
  if (!any_order && !split.shuffled)
    warnings.push_back(fmt::format("data set '{}' has no times: {} takes what queries know by hash(seed, user, item), not the first events", dataset.name, split.strategy));

  // Within each user the order in which events are known: as they came, or drawn by hash.
  std::vector<std::uint32_t> order;
  if (split.shuffled) {
    for (const Ticket& ticket : shuffled_by_content(events, parts, Part::kTrain, dataset, mix64(split.seed, 6), true)) order.push_back(ticket.event);
  }
  const std::size_t n_test = users_of(split.test_size(), lots.size());
  const std::size_t n_validation = std::min(users_of(split.validation, lots.size()), lots.size() - n_test);
  if (n_test + n_validation == lots.size())
    throw UsageError("split: {} holds out all {} users that have {} events or more; 'test' and 'validation' are shares of them, or from 1 on numbers", split.strategy, lots.size(), enough);
  std::size_t next = 0;
  for (const auto& [part, n] : {std::pair(Part::kTest, n_test), std::pair(Part::kValidation, n_validation)}) {
    seeds.begin();
    for (std::size_t end = next + n; next < end; ++next) {
      const Lot& lot = lots[next];
      const std::size_t known = playlists ? seeds.deal(lot.size()) : std::clamp<std::size_t>(share_of(split.fold_in, lot.size()), split.fold_in > 0 ? 1 : 0, lot.size() - 1);
      for (std::size_t i = lot.first; i < lot.last; ++i)
        parts[split.shuffled ? order[i] : i] = i - lot.first < known ? Part::kKnown : part;
    }
  }
}

}  // namespace segue
