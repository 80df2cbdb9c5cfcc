// A small data set with every kind of side data, so that any algorithm can be fitted on it: two camps of listeners who
// love the items of their own camp (in ratings: five stars for their own, one for the others').
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "framework/data/task.hpp"
#include "framework/model/query.hpp"

namespace segue::test {

struct WorldOptions {
  bool ratings = false;         // stars rather than plays
  std::uint64_t row_order = 0;  // how rows are shuffled before they reach the builder; 0: as they are made
  std::uint64_t test_rows = 0;  // which test set; the training rows are the same for all of them
};

constexpr std::size_t kWorldUsers = 42, kWorldItems = 31;  // odd sizes, so that vectors have tails

// Users and items of even number are one camp, odd ones the other; the last two users and the last item have no
// training event. withheld(u) is the item of the user's own camp that only the test rows hold.
PreparedFold make_world(const WorldOptions& options);
std::string world_user(std::size_t user);
std::string world_item(std::size_t item);
std::size_t withheld(std::size_t user);

// The demo world, smaller, cut in time.
const PreparedFold& demo_fold();

// Questions of all kinds: known users, users without events, users out of range, nobody; with and without histories.
struct Questions {
  explicit Questions(const PreparedFold& fold);
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;
  std::vector<Query> queries;

 private:
  std::vector<ItemIdx> history_;
  std::vector<std::int64_t> times_;
  std::vector<float> weights_;
  std::vector<EventKind> kinds_;
};

}  // namespace segue::test
