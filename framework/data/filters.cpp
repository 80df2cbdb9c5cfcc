#include "framework/data/filters.hpp"

#include <algorithm>
#include <utility>

#include "framework/data/user_facets.hpp"

namespace segue {

namespace {

// Events (or distinct partners) per user and per item.
void count(const std::vector<Event>& events, bool distinct, std::vector<std::uint64_t>& users, std::vector<std::uint64_t>& items) {
  std::fill(users.begin(), users.end(), 0);
  std::fill(items.begin(), items.end(), 0);
  if (!distinct) {
    for (const Event& e : events) ++users[raw(e.user)], ++items[raw(e.item)];
    return;
  }
  std::vector<std::pair<UserIdx, ItemIdx>> pairs(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) pairs[i] = {events[i].user, events[i].item};
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const auto& [user, item] : pairs) ++users[raw(user)], ++items[raw(item)];
}

std::uint64_t positive(const std::vector<std::uint64_t>& counts) {
  return static_cast<std::uint64_t>(std::count_if(counts.begin(), counts.end(), [](std::uint64_t c) { return c > 0; }));
}

}  // namespace

std::vector<Event> k_core(std::vector<Event> events, const FilterSpec& filter, std::size_t n_users, std::size_t n_items,
                          FilterReport& report) {
  std::vector<std::uint64_t> users(n_users), items(n_items);
  count(events, filter.distinct, users, items);
  report.users_before = positive(users);
  report.items_before = positive(items);
  report.events_before = events.size();
  const auto need_user = static_cast<std::uint64_t>(filter.min_user_events), need_item = static_cast<std::uint64_t>(filter.min_item_events);
  while (true) {
    const std::size_t before = events.size();
    std::erase_if(events, [&](const Event& e) { return users[raw(e.user)] < need_user || items[raw(e.item)] < need_item; });
    if (events.size() == before) break;
    ++report.passes;
    count(events, filter.distinct, users, items);
  }
  report.users_after = positive(users);
  report.items_after = positive(items);
  report.events_after = events.size();
  return events;
}

namespace {

// New positions of the kept ones; dropped ones map to kDropped.
constexpr std::uint32_t kDropped = 0xFFFFFFFFu;
std::vector<std::uint32_t> renumber(const std::vector<std::uint8_t>& keep) {
  std::vector<std::uint32_t> map(keep.size(), kDropped);
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i] != 0) map[i] = next++;
  return map;
}

StringTable subset(const StringTable& table, const std::vector<std::uint8_t>& keep) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i] != 0) out.emplace_back(table[i]);
  return StringTable(out);
}

template <class T>
Array<T> subset(const Array<T>& values, const std::vector<std::uint8_t>& keep) {
  std::vector<T> out;
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (keep[i] != 0) out.push_back(values[i]);
  return out;
}

// Rows of a matrix of keep.size() rows.
Array<float> subset_rows(const Array<float>& values, const std::vector<std::uint8_t>& keep) {
  const std::size_t width = keep.empty() ? 0 : values.size() / keep.size();
  std::vector<float> out;
  for (std::size_t r = 0; r < keep.size(); ++r)
    if (keep[r] != 0) out.insert(out.end(), values.begin() + r * width, values.begin() + (r + 1) * width);
  return out;
}

template <class Index>
Csr<Index> subset_rows(const Csr<Index>& rows, const std::vector<std::uint8_t>& keep) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<Index> indices;
  std::vector<float> values;
  for (std::size_t r = 0; r < keep.size(); ++r) {
    if (keep[r] == 0) continue;
    indices.insert(indices.end(), rows.indices(r).begin(), rows.indices(r).end());
    if (rows.has_values()) values.insert(values.end(), rows.values(r).begin(), rows.values(r).end());
    offsets.push_back(indices.size());
  }
  return Csr<Index>(rows.cols(), std::move(offsets), std::move(indices), std::move(values));
}

struct Renumbering {
  const std::vector<std::uint8_t>&keep_user, &keep_item;
  std::vector<std::uint32_t> users = renumber(keep_user), items = renumber(keep_item);

  Events apply(const Events& events) const {
    std::vector<Event> out;
    for (std::size_t i = 0; i < events.size(); ++i) {
      Event e = events[i];
      if (users[raw(e.user)] == kDropped || items[raw(e.item)] == kDropped) continue;
      e.user = UserIdx{users[raw(e.user)]};
      e.item = ItemIdx{items[raw(e.item)]};
      out.push_back(e);
    }
    return Events(std::move(out));
  }

  Csr<ItemIdx> apply(const Csr<ItemIdx>& rows) const {
    if (rows.rows() == 0) return {};
    std::vector<std::uint64_t> offsets{0};
    std::vector<ItemIdx> indices;
    std::size_t n_items = 0;
    for (std::uint8_t k : keep_item) n_items += k != 0;
    for (std::size_t u = 0; u < rows.rows(); ++u) {
      if (keep_user[u] == 0) continue;
      for (ItemIdx item : rows.indices(u))
        if (items[raw(item)] != kDropped) indices.push_back(ItemIdx{items[raw(item)]});
      offsets.push_back(indices.size());
    }
    return Csr<ItemIdx>(n_items, std::move(offsets), std::move(indices), {});
  }

  std::shared_ptr<const ItemTags> apply(const ItemTags& tags) const {
    auto out = std::make_shared<ItemTags>();
    out->tags = tags.tags;
    out->weights = subset_rows(tags.weights, keep_item);
    std::vector<UserIdx> by_user;
    std::vector<ItemIdx> by_item;
    std::vector<TermIdx> by_tag;
    for (std::size_t i = 0; i < tags.by_user.size(); ++i) {
      const std::uint32_t user = users[raw(tags.by_user[i])], item = items[raw(tags.by_item[i])];
      if (user == kDropped || item == kDropped) continue;
      by_user.push_back(UserIdx{user});
      by_item.push_back(ItemIdx{item});
      by_tag.push_back(tags.by_tag[i]);
    }
    out->by_user = std::move(by_user);
    out->by_item = std::move(by_item);
    out->by_tag = std::move(by_tag);
    return out;
  }
};

Facets subset(const Facets& facets, const Renumbering& r) {
  Facets out;
  out.set_dataset_name(facets.dataset_name());
  if (const auto* f = facets.find<ItemText>()) {
    auto n = std::make_shared<ItemText>();
    n->titles = subset(f->titles, r.keep_item);
    out.add(std::move(n));
  }
  if (const auto* f = facets.find<ItemArtist>()) {
    auto n = std::make_shared<ItemArtist>(*f);
    n->artist_of = subset(f->artist_of, r.keep_item);
    out.add(std::move(n));
  }
  if (const auto* f = facets.find<ItemTags>()) out.add(r.apply(*f));
  if (const auto* f = facets.find<ItemWords>()) {
    auto n = std::make_shared<ItemWords>(*f);
    n->counts = subset_rows(f->counts, r.keep_item);
    out.add(std::move(n));
  }
  if (const auto* f = facets.find<ItemRelease>()) {
    auto n = std::make_shared<ItemRelease>();
    n->released = subset(f->released, r.keep_item);
    out.add(std::move(n));
  }
  if (const auto* f = facets.find<ItemAudio>()) {
    auto n = std::make_shared<ItemAudio>();
    n->sources = subset(f->sources, r.keep_item);
    out.add(std::move(n));
  }
  if (const auto* f = facets.find<ItemSound>()) {
    auto n = std::make_shared<ItemSound>();
    n->definition = f->definition;
    n->heard = subset(f->heard, r.keep_item);
    n->fingerprints = subset_rows(f->fingerprints, r.keep_item);
    n->statistics = subset_rows(f->statistics, r.keep_item);
    n->timbre_means = subset_rows(f->timbre_means, r.keep_item);
    n->timbre_covariances = subset_rows(f->timbre_covariances, r.keep_item);
    out.add(std::move(n));
  }
  if (const auto* f = facets.find<ItemClass>()) {
    auto n = std::make_shared<ItemClass>(*f);
    n->class_of = subset(f->class_of, r.keep_item);
    n->fold_of = subset(f->fold_of, r.keep_item);
    out.add(std::move(n));
  }
  if (const auto* f = facets.find<UserText>()) {
    auto n = std::make_shared<UserText>();
    n->titles = subset(f->titles, r.keep_user);
    out.add(std::move(n));
  }
  return out;
}

}  // namespace

Dataset restrict_dataset(const Dataset& dataset, const std::vector<std::uint8_t>& keep_user, const std::vector<std::uint8_t>& keep_item) {
  const Renumbering r{keep_user, keep_item};
  Dataset out = dataset;
  out.users = Vocab(subset(dataset.users.table(), keep_user));
  out.items = Vocab(subset(dataset.items.table(), keep_item));
  out.events = r.apply(dataset.events);
  out.facets = subset(dataset.facets, r);
  for (GivenSplit& g : out.given) g = {g.name, r.apply(g.train), r.apply(g.test), r.apply(g.known), r.apply(g.negatives)};
  return out;
}

}  // namespace segue
