#include "tests/contract/world.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "framework/base/hash.hpp"
#include "framework/base/rng.hpp"
#include "tests/contract/subjects.hpp"
#include "tests/support/made_up_sound.hpp"

namespace segue::test {

namespace {

constexpr std::size_t kActiveUsers = kWorldUsers - 2, kHeardItems = kWorldItems - 1;

struct Pair {
  std::size_t user, item;
  std::int64_t time;
};

// Whether whoever hears the item gives it a tag.
bool tags(std::size_t item) { return item % 3 == 0; }
bool same_camp(std::size_t user, std::size_t item) { return user % 2 == item % 2; }

// The same five pairs of six, of the own camp, for every world; ratings also have half of the other camp's.
std::vector<Pair> training_pairs(const WorldOptions& options) {
  std::vector<Pair> out;
  for (std::size_t u = 0; u < kActiveUsers; ++u) {
    for (std::size_t i = 0; i < kHeardItems; ++i) {
      const std::uint64_t chance = mix64(7, mix64(u, i)) % 6;
      const bool wanted = same_camp(u, i) ? chance > 0 && i != withheld(u) : options.ratings && chance < 3;
      if (wanted) out.push_back({u, i, static_cast<std::int64_t>(1'700'000'000 + mix64(u, i) % 1'000'000)});
    }
  }
  return out;
}

std::vector<Pair> test_pairs(const WorldOptions& options) {
  std::vector<Pair> out;
  for (std::size_t u = 0; u < kActiveUsers; ++u) {
    out.push_back({u, withheld(u), 1'800'000'000});
    if (options.test_rows == 0) continue;
    // No pair that its user may have tagged: a task drops the assignments of truth pairs, so that the tags, which a
    // model may read, would differ between test sets.
    std::size_t item = mix64(options.test_rows, u) % kWorldItems;
    if (tags(item)) item = item + 1 < kWorldItems ? item + 1 : 1;
    out.push_back({u, item, 1'800'000'100 + static_cast<std::int64_t>(u)});
  }
  return out;
}

void describe_items(DatasetBuilder& out) {
  for (std::size_t i = 0; i < kWorldItems; ++i) {
    const std::string item = world_item(i), camp = i % 2 == 0 ? "even" : "odd";
    out.declare_item(item);
    out.set_title(item, "Title " + item);
    out.set_artist(item, fmt::format("Artist {}", i % 7));
    out.add_tag(item, camp, 2);
    out.add_tag(item, fmt::format("tag{}", i % 5));
    out.add_word(item, camp, static_cast<float>(1 + i % 3));
    out.add_word(item, fmt::format("word{}", i % 11));
    out.set_release(item, static_cast<std::int64_t>(1'600'000'000 + 86400 * i));
    out.set_audio(item, fmt::format("demo:genre={};bpm={}.0;key=A;mode=minor;swing=0.025;energy=0.900;brightness=0.625;"
                                    "noise=0.400;drums=four_floor;structure=IA;duration=12;vocal=no;seed={}",
                                    i % 2 == 0 ? "techno" : "folk", i % 2 == 0 ? 128 : 80, i));
  }
}

}  // namespace

std::string world_user(std::size_t user) { return fmt::format("u{:02}", user); }
std::string world_item(std::size_t item) { return fmt::format("i{:02}", item); }
std::size_t withheld(std::size_t user) { return (user % 2 + 2 * (user / 2 % (kHeardItems / 2))) % kHeardItems; }

PreparedFold make_world(const WorldOptions& options) {
  DatasetBuilder out("contract");
  out.set_has_ratings(options.ratings);
  out.set_has_times(true);
  out.set_has_sessions(true);
  for (std::size_t u = 0; u < kWorldUsers; ++u) out.declare_user(world_user(u));
  describe_items(out);
  std::vector<Pair> train = training_pairs(options), test = test_pairs(options);
  if (options.row_order > 0) {
    Rng(options.row_order).shuffle(std::span(train));
    Rng(options.row_order + 1).shuffle(std::span(test));
  }
  const auto add = [&](const Pair& p, bool to_train) {
    const std::string user = world_user(p.user), item = world_item(p.item);
    const float stars = same_camp(p.user, p.item) ? 5.0f : 1.0f;
    const DatasetBuilder::Row row{
        user,
        item,
        p.time,
        options.ratings ? EventKind::kRating : EventKind::kPlay,
        options.ratings ? stars : 1.0f,
        static_cast<std::uint32_t>(std::max<std::int64_t>(0, p.time - 1'700'000'000) / 250'000)};
    to_train ? out.add_train("only", row) : out.add_test("only", row);
    if (to_train && tags(p.item)) out.add_tag_assignment(user, item, "mine");
  };
  for (const Pair& p : train) add(p, true);
  for (const Pair& p : test) add(p, false);
  Dataset dataset = out.build();
  dataset.facets.add(made_up_sound(dataset.facets));
  TaskSpec task;
  task.split.strategy = "given";
  task.feedback.transform = options.ratings ? "rating" : "binary";
  return prepare_fold(dataset, task, "only");
}

const PreparedFold& demo_fold() {
  static const PreparedFold fold = [] {
    Value params = Value::map();
    params.set("users", Value::integer(300));
    params.set("artists", Value::integer(120));
    params.set("tracks", Value::integer(1200));
    Dataset dataset = all_datasets().find("demo").make()->load(params, {});
    dataset.facets.add(made_up_sound(dataset.facets));
    TaskSpec task;
    task.feedback.transform = "log_confidence";
    task.split.strategy = "global_time";
    task.split.test = 0.1;
    return prepare_fold(dataset, task, "all");
  }();
  return fold;
}

Questions::Questions(const PreparedFold& fold) {
  const std::size_t users = fold.users.size(), items = fold.items.size();
  for (std::size_t h = 0; h < 9; ++h) {
    history_.push_back(item_at((h * 7 + 2) % items));
    times_.push_back(static_cast<std::int64_t>(1'700'000'000 + 60 * h));
    weights_.push_back(fold.has_ratings ? static_cast<float>(1 + h % 5) : 1.0f);
    kinds_.push_back(fold.has_ratings ? EventKind::kRating : EventKind::kPlay);
  }
  history_.push_back(item_at(items - 1));  // an item without events
  times_.push_back(times_.back() + 60);
  weights_.push_back(weights_.front());
  kinds_.push_back(kinds_.front());
  for (std::size_t u = 0; u < users; ++u) {
    Query q;
    q.user = user_at(u);
    if (u % 3 != 0 && fold.train_histories.size() == users) {  // every third asks without a history
      const HistoryView view = fold.train_histories[u];
      q.history = view.items;
      q.times = view.times;
      q.weights = view.weights;
      q.kinds = view.kinds;
      q.now = view.times.empty() ? 0 : view.times.back() + 1;
      q.session_begin = view.items.size() / 2;
    }
    queries.push_back(q);
  }
  for (const UserIdx user : {user_at(users), user_at(users + 5000), kNoUser, user_at(1)}) {
    Query q;
    q.user = user;
    queries.push_back(q);
    q.history = history_;
    queries.push_back(q);
    q.times = times_;
    q.weights = weights_;
    q.kinds = kinds_;
    q.now = times_.back() + 1;
    q.session_begin = 4;
    queries.push_back(q);
    q.history = q.history.last(1);
    q.times = q.times.last(1);
    q.weights = q.weights.last(1);
    q.kinds = q.kinds.last(1);
    q.session_begin = 0;
    queries.push_back(q);
  }
}

}  // namespace segue::test
