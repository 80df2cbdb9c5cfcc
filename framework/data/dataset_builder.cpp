// Everything is collected under temporary numbers (in order of appearance) and renumbered by build(), where each array
// is sorted by its content, so that no trace of the input order is left.
#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <tuple>

#include "framework/base/errors.hpp"
#include "framework/data/collect.hpp"
#include "framework/data/dataset.hpp"
#include "framework/data/event_log.hpp"
#include "framework/data/session_order.hpp"

namespace segue {

namespace {

constexpr std::uint32_t kAbsent = Ids::kAbsent;

struct Weighted {
  std::uint32_t item, term;
  float weight;
};

struct Assignment {
  std::uint32_t user, item, term;
  auto operator<=>(const Assignment&) const = default;
};

// Terms (tags, words) in use, in canonical order, and the final index of each temporary number.
struct Terms {
  StringTable table;
  std::vector<std::uint32_t> places;
  Terms(const Interner& texts, const std::vector<Weighted>& weights) : places(texts.size(), kAbsent) {
    std::vector<std::uint32_t> used;
    for (const Weighted& w : weights) used.push_back(w.term);
    std::sort(used.begin(), used.end());
    used.erase(std::unique(used.begin(), used.end()), used.end());
    used = canonical_order(texts, std::move(used));
    for (std::size_t i = 0; i < used.size(); ++i) places[used[i]] = static_cast<std::uint32_t>(i);
    table = table_of(texts, used);
  }
};

// Sums weights of equal (item, term) in ascending order of weight, so that rounding does not depend on the input order.
Csr<TermIdx> item_terms(std::vector<Weighted> weights, std::size_t n_items, std::size_t n_terms) {
  std::sort(weights.begin(), weights.end(), [](const Weighted& a, const Weighted& b) {
    return std::tie(a.item, a.term, a.weight) < std::tie(b.item, b.term, b.weight);
  });
  std::vector<std::uint64_t> offsets(n_items + 1, 0);
  std::vector<TermIdx> terms;
  std::vector<float> values;
  for (std::size_t i = 0; i < weights.size();) {
    const std::size_t first = i;
    double sum = 0;
    for (; i < weights.size() && weights[i].item == weights[first].item && weights[i].term == weights[first].term;
         ++i) {
      sum += double{weights[i].weight};
    }
    terms.push_back(TermIdx{weights[first].term});
    values.push_back(static_cast<float>(sum));
    ++offsets[weights[first].item + 1];
  }
  for (std::size_t i = 0; i < n_items; ++i) offsets[i + 1] += offsets[i];
  return {n_terms, std::move(offsets), std::move(terms), std::move(values)};
}

// Keeps what concerns items of the vocabulary, under their final indices.
std::vector<Weighted> on_known_items(const std::vector<Weighted>& weights, const std::vector<std::uint32_t>& items) {
  std::vector<Weighted> out;
  for (const Weighted& w : weights) {
    if (items[w.item] != kAbsent) out.push_back({items[w.item], w.term, w.weight});
  }
  return out;
}

struct Fold {
  EventLog train, test, known;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> negatives;  // user, item
};

Csr<ItemIdx> negative_lists(std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs, std::size_t n_users,
                            std::size_t n_items) {
  if (pairs.empty()) return {};
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  std::vector<std::uint64_t> offsets(n_users + 1, 0);
  std::vector<ItemIdx> items;
  items.reserve(pairs.size());
  for (const auto& [user, item] : pairs) {
    ++offsets[user + 1];
    items.push_back(ItemIdx{item});
  }
  for (std::size_t u = 0; u < n_users; ++u) offsets[u + 1] += offsets[u];
  return {n_items, std::move(offsets), std::move(items), {}};
}

void number_sessions(const std::vector<EventLog*>& logs) {
  SessionOrder order;
  for (EventLog* log : logs) log->each([&](Event& e) { order.add(e); });
  order.close();
  for (EventLog* log : logs) log->each([&](Event& e) { e.session = order.number(e); });
}

}  // namespace

struct DatasetBuilder::Impl {
  std::string name, title;
  Ids users, items;
  std::vector<std::uint32_t> item_order;  // temporary numbers of the items in their final order
  EventLog events;
  std::deque<std::pair<std::string, Fold>> folds;  // few, so that a linear search is quicker than a map
  ItemTexts titles, audio;
  ItemNames artists, classes, folds_of;
  Interner tag_texts, word_texts;
  std::vector<Weighted> tags, words;
  std::vector<Assignment> assignments;
  std::vector<std::pair<std::uint32_t, std::int64_t>> releases;
  bool has_times = true, has_ratings = false, has_sessions = false;
  std::vector<std::string> notes;

  static Event event(const DatasetBuilder::Row& row, std::uint32_t user, std::uint32_t item) {
    // + 0 turns -0 into 0: the two would compare equal when sorted, yet differ in their bits.
    return {UserIdx{user}, ItemIdx{item}, row.time, row.kind, row.value + 0.f, row.session};
  }
  Event event(const DatasetBuilder::Row& row) {
    SEGUE_CHECK(std::isfinite(row.value), "an event with the value {}", row.value);
    return event(row, users.declare(row.user), items.declare(row.item));
  }

  // Rows of the log whose items are still being fetched from memory; the ring holds the last kWaiting.
  struct Waiting {
    Event event;
    std::string item;
    std::uint32_t hash = 0;
  };
  static constexpr std::size_t kWaiting = 16;
  std::array<Waiting, kWaiting> waiting;
  std::size_t n_added = 0, n_settled = 0;

  void add(const DatasetBuilder::Row& row) {
    SEGUE_CHECK(std::isfinite(row.value), "an event with the value {}", row.value);
    SEGUE_CHECK(!row.item.empty(), "an empty id");
    if (n_added - n_settled == kWaiting) settle();
    Waiting& w = waiting[n_added++ % kWaiting];
    w.event = event(row, users.declare(row.user), 0);
    w.item = row.item;
    w.hash = Interner::hash_of(row.item);
    items.fetch_slot(w.hash);
    if (n_added - n_settled > kWaiting / 2) items.fetch_text(waiting[(n_added - 1 - kWaiting / 2) % kWaiting].hash);
  }
  void settle() {
    Waiting& w = waiting[n_settled++ % kWaiting];
    w.event.item = ItemIdx{items.declare(w.item, w.hash)};
    events.add(w.event);
  }
  Fold& fold(std::string_view wanted) {
    for (auto& [known, fold] : folds) {
      if (known == wanted) return fold;
    }
    return folds.emplace_back(std::string(wanted), Fold{}).second;
  }
  void place_facets(Dataset& out, const std::vector<std::uint32_t>& user_at, const std::vector<std::uint32_t>& item_at);
  void place_tags(Dataset& out, const std::vector<std::uint32_t>& user_at, const std::vector<std::uint32_t>& item_at);
};

DatasetBuilder::DatasetBuilder(std::string name, std::string title) : impl_(std::make_unique<Impl>()) {
  impl_->title = title.empty() ? name : std::move(title);
  impl_->name = std::move(name);
}
DatasetBuilder::~DatasetBuilder() = default;

void DatasetBuilder::add(const Row& row) { impl_->add(row); }
void DatasetBuilder::add_train(std::string_view fold, const Row& row) {
  impl_->fold(fold).train.add(impl_->event(row));
}
void DatasetBuilder::add_test(std::string_view fold, const Row& row) {
  impl_->fold(fold).test.add(impl_->event(row));
}
void DatasetBuilder::add_known(std::string_view fold, const Row& row) {
  impl_->fold(fold).known.add(impl_->event(row));
}
void DatasetBuilder::add_negative(std::string_view fold, std::string_view user, std::string_view item) {
  impl_->fold(fold).negatives.emplace_back(impl_->users.declare(user), impl_->items.declare(item));
}

void DatasetBuilder::declare_item(std::string_view item) { impl_->items.declare(item); }
void DatasetBuilder::declare_user(std::string_view user) { impl_->users.declare(user); }
void DatasetBuilder::set_title(std::string_view item, std::string_view title) {
  impl_->titles.set(impl_->items.mention(item), title);
}
void DatasetBuilder::set_artist(std::string_view item, std::string_view artist) {
  impl_->artists.set(impl_->items.mention(item), artist);
}
void DatasetBuilder::add_tag(std::string_view item, std::string_view tag, float weight) {
  SEGUE_CHECK(std::isfinite(weight), "a tag with the weight {}", weight);
  if (!tag.empty()) impl_->tags.push_back({impl_->items.mention(item), impl_->tag_texts.intern(tag), weight});
}
void DatasetBuilder::add_tag_assignment(std::string_view user, std::string_view item, std::string_view tag) {
  if (tag.empty()) return;
  impl_->assignments.push_back({impl_->users.mention(user), impl_->items.mention(item), impl_->tag_texts.intern(tag)});
}
void DatasetBuilder::add_word(std::string_view item, std::string_view word, float count) {
  SEGUE_CHECK(std::isfinite(count), "a word with the count {}", count);
  if (!word.empty()) impl_->words.push_back({impl_->items.mention(item), impl_->word_texts.intern(word), count});
}
void DatasetBuilder::set_release(std::string_view item, std::int64_t time) {
  impl_->releases.emplace_back(impl_->items.mention(item), time);
}
void DatasetBuilder::set_audio(std::string_view item, std::string_view source) {
  impl_->audio.set(impl_->items.mention(item), source);
}
void DatasetBuilder::set_class(std::string_view item, std::string_view name) {
  impl_->classes.set(impl_->items.mention(item), name);
}
void DatasetBuilder::set_fold(std::string_view item, std::string_view name) {
  impl_->folds_of.set(impl_->items.mention(item), name);
}

void DatasetBuilder::set_has_times(bool value) { impl_->has_times = value; }
void DatasetBuilder::set_has_ratings(bool value) { impl_->has_ratings = value; }
void DatasetBuilder::set_has_sessions(bool value) { impl_->has_sessions = value; }
void DatasetBuilder::note(std::string text) { impl_->notes.push_back(std::move(text)); }
std::size_t DatasetBuilder::n_events() const { return impl_->n_added; }

void DatasetBuilder::Impl::place_tags(Dataset& out, const std::vector<std::uint32_t>& user_at,
                                      const std::vector<std::uint32_t>& item_at) {
  std::sort(assignments.begin(), assignments.end());
  assignments.erase(std::unique(assignments.begin(), assignments.end()), assignments.end());
  for (const Assignment& a : assignments) tags.push_back({a.item, a.term, 1.f});
  tags = on_known_items(tags, item_at);
  if (tags.empty()) return;
  const Terms terms(tag_texts, tags);
  for (Weighted& w : tags) w.term = terms.places[w.term];

  std::vector<Assignment> kept;  // a person who is no user of the data set gives weight, but has no index
  for (const Assignment& a : assignments) {
    if (user_at[a.user] == kAbsent || item_at[a.item] == kAbsent) continue;
    kept.push_back({user_at[a.user], item_at[a.item], terms.places[a.term]});
  }
  std::sort(kept.begin(), kept.end());
  std::vector<UserIdx> by_user;
  std::vector<ItemIdx> by_item;
  std::vector<TermIdx> by_tag;
  for (const Assignment& a : kept) {
    by_user.push_back(UserIdx{a.user});
    by_item.push_back(ItemIdx{a.item});
    by_tag.push_back(TermIdx{a.term});
  }
  auto facet = std::make_shared<ItemTags>();
  facet->weights = item_terms(std::move(tags), out.items.size(), terms.table.size());
  facet->tags = terms.table;
  facet->by_user = std::move(by_user);
  facet->by_item = std::move(by_item);
  facet->by_tag = std::move(by_tag);
  out.facets.add(std::move(facet));
}

void DatasetBuilder::Impl::place_facets(Dataset& out, const std::vector<std::uint32_t>& user_at,
                                        const std::vector<std::uint32_t>& item_at) {
  const std::size_t n_items = out.items.size();
  if (titles.any_of(item_order)) {
    auto facet = std::make_shared<ItemText>();
    facet->titles = titles.placed(item_order);
    out.facets.add(std::move(facet));
  }
  titles = {};
  if (audio.any_of(item_order)) {
    auto facet = std::make_shared<ItemAudio>();
    facet->sources = audio.placed(item_order);
    out.facets.add(std::move(facet));
  }
  if (artists.any_of(item_order)) {
    auto facet = std::make_shared<ItemArtist>();
    std::tie(facet->artist_of, facet->artists) = artists.placed(item_order, kNoArtist);
    out.facets.add(std::move(facet));
  }
  artists = {};
  if (classes.any_of(item_order) || folds_of.any_of(item_order)) {
    auto facet = std::make_shared<ItemClass>();
    std::tie(facet->class_of, facet->classes) = classes.placed(item_order, ItemClass::kNone);
    std::tie(facet->fold_of, facet->folds) = folds_of.placed(item_order, ItemClass::kNone);
    out.facets.add(std::move(facet));
  }
  words = on_known_items(words, item_at);
  if (!words.empty()) {
    const Terms terms(word_texts, words);
    for (Weighted& w : words) w.term = terms.places[w.term];
    auto facet = std::make_shared<ItemWords>();
    facet->counts = item_terms(std::move(words), n_items, terms.table.size());
    facet->words = terms.table;
    out.facets.add(std::move(facet));
  }
  std::erase_if(releases, [&](const auto& release) { return item_at[release.first] == kAbsent; });
  if (!releases.empty()) {
    std::vector<std::int64_t> released(n_items, ItemRelease::kUnknown);
    for (const auto& [item, time] : releases) {  // of several, the earliest
      std::int64_t& known = released[item_at[item]];
      known = known == ItemRelease::kUnknown ? time : std::min(known, time);
    }
    auto facet = std::make_shared<ItemRelease>();
    facet->released = std::move(released);
    out.facets.add(std::move(facet));
  }
  place_tags(out, user_at, item_at);
}

Dataset DatasetBuilder::build() {
  const std::unique_ptr<Impl> impl = std::exchange(impl_, std::make_unique<Impl>());
  while (impl->n_settled < impl->n_added) impl->settle();
  Dataset out;
  out.name = impl->name;
  out.title = impl->title;
  out.facets.set_dataset_name(impl->name);
  out.has_times = impl->has_times;
  out.has_ratings = impl->has_ratings;
  out.has_sessions = impl->has_sessions;
  out.notes = std::move(impl->notes);
  // Texts are let go as soon as they are placed, and so is all but the events before these are put into order: that is
  // when most memory is needed.
  std::vector<std::uint32_t> user_order;
  out.users = impl->users.place(user_order);
  out.items = impl->items.place(impl->item_order);
  const std::vector<std::uint32_t>&user_at = impl->users.places(), &item_at = impl->items.places();
  impl->place_facets(out, user_at, item_at);

  std::vector<EventLog*> logs{&impl->events};
  for (auto& [name, fold] : impl->folds) logs.insert(logs.end(), {&fold.train, &fold.test, &fold.known});
  for (EventLog* log : logs) {
    log->each([&](Event& e) {
      e.user = UserIdx{user_at[raw(e.user)]};
      e.item = ItemIdx{item_at[raw(e.item)]};
      if (!out.has_sessions) e.session = 0;
    });
  }
  if (out.has_sessions) number_sessions(logs);
  const std::size_t n_users = out.users.size();
  out.events = impl->events.finish(n_users);
  std::sort(impl->folds.begin(), impl->folds.end(),
            [](const auto& a, const auto& b) { return canonical_less(a.first, b.first); });
  for (auto& [name, fold] : impl->folds) {
    for (auto& [user, item] : fold.negatives) std::tie(user, item) = std::pair(user_at[user], item_at[item]);
    out.given.push_back({name, fold.train.finish(n_users), fold.test.finish(n_users), fold.known.finish(n_users),
                         negative_lists(std::move(fold.negatives), out.users.size(), out.items.size())});
  }
  return out;
}

}  // namespace segue
