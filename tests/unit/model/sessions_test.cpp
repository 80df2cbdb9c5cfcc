#include "framework/model/sessions.hpp"

#include <gmock/gmock.h>

#include "tests/support/heard.hpp"
#include "tests/support/memory_archive.hpp"

namespace segue {
namespace {

using test::as_items;
using test::histories_of;
using testing::ElementsAre;
using testing::IsEmpty;

struct Listed {
  std::uint32_t user;
  std::vector<std::uint32_t> items;
  std::int64_t end;
  bool operator==(const Listed&) const = default;
};

std::vector<Listed> listed(const Sessions& sessions) {
  std::vector<Listed> out;
  for (std::size_t s = 0; s < sessions.size(); ++s) {
    out.push_back({static_cast<std::uint32_t>(sessions.user(s)), {}, sessions.end(s)});
    for (const ItemIdx i : sessions.items(s)) out.back().items.push_back(static_cast<std::uint32_t>(i));
  }
  return out;
}

TEST(Sessions, AreCutAtTheirNumbersAndOrderedByTheirEnds) {
  const Sessions sessions(
      histories_of({{0, {1, 2, 1}, 30}, {0, {4, 5}, 90}, {0, {7}, 95}, {2, {3, 3}, 90}, {2, {6, 1}, 10}}, 3));
  EXPECT_THAT(listed(sessions), ElementsAre(Listed{2, {6, 1}, 10}, Listed{0, {1, 2, 1}, 30}, Listed{0, {4, 5}, 90},
                                            Listed{2, {3, 3}, 90}))
      << "a session of one event is none; at the same end the first user comes first";
  EXPECT_EQ(sessions.n_events(), 9u);
}

TEST(Sessions, LeaveOutWhatWasSkipped) {
  const Histories histories(std::vector<std::uint64_t>{0, 5}, as_items({1, 2, 3, 4, 5}),
                            std::vector<std::int64_t>{1, 2, 3, 4, 5}, std::vector<float>{1, -1, 1, 1, 0},
                            std::vector<EventKind>(5, EventKind::kPlay), std::vector<std::uint32_t>{0, 0, 0, 1, 1});
  EXPECT_THAT(listed(Sessions(histories)), ElementsAre(Listed{0, {1, 3}, 3}));
}

TEST(Sessions, SurviveStoringEvenBefore1970) {
  const Sessions sessions(histories_of({{0, {1, 2}, -5}, {1, {2, 3, 4}, 7}}, 2));
  test::MemoryArchive archive;
  sessions.save(archive.writer());
  Sessions loaded;
  loaded.load(archive.reader());
  EXPECT_EQ(listed(loaded), listed(sessions));
  EXPECT_THAT(listed(Sessions(Histories())), IsEmpty());
}

TEST(CurrentSession, IsTheEndOfTheHistory) {
  const std::vector<ItemIdx> history = as_items({1, 2, 3, 2, 9, 4});
  std::vector<ItemIdx> out{ItemIdx{77}};
  const auto current = [&](const Query& query, std::size_t most) {
    current_session(query, 9, most, out);
    std::vector<std::uint32_t> items;
    for (const ItemIdx i : out) items.push_back(static_cast<std::uint32_t>(i));
    return items;
  };
  EXPECT_THAT(current({.history = history, .session_begin = 2}, 50), ElementsAre(3, 2, 4)) << "9 is in no catalogue";
  EXPECT_THAT(current({.history = history, .session_begin = 2}, 2), ElementsAre(2, 4));
  EXPECT_THAT(current({.history = history}, 50), ElementsAre(1, 2, 3, 2, 4));
  EXPECT_THAT(current({.history = history, .session_begin = 6}, 3), ElementsAre(3, 2, 4)) << "a session about to begin";
  EXPECT_THAT(current({.history = history, .session_begin = 99}, 1), ElementsAre(4));
  const std::vector<float> weights{1, 1, 2, 1, 1, -1};
  EXPECT_THAT(current({.history = history, .weights = weights, .session_begin = 2}, 50), ElementsAre(3, 2));
  EXPECT_THAT(current({.history = history, .weights = weights, .session_begin = 4}, 50), ElementsAre(1, 2, 3, 2));
  EXPECT_THAT(current({}, 50), IsEmpty());
}

}  // namespace
}  // namespace segue
