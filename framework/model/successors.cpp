#include "framework/model/successors.hpp"

#include <algorithm>
#include <limits>

namespace segue {
namespace {

constexpr float kCannotScore = -std::numeric_limits<float>::infinity();

struct Rule {
  ItemIdx item;
  float weight;
};

// Where each item stands in the sessions.
struct Places {
  struct Place {
    std::uint32_t session, position;
  };
  std::vector<std::uint64_t> offsets;  // items + 1
  std::vector<Place> places;           // of one item: by session, then position

  Places(const Sessions& sessions, std::size_t n_items) : offsets(n_items + 1, 0), places(sessions.n_events()) {
    for (std::size_t s = 0; s < sessions.size(); ++s)
      for (const ItemIdx item : sessions.items(s)) ++offsets[raw(item) + 1];
    for (std::size_t i = 0; i < n_items; ++i) offsets[i + 1] += offsets[i];
    std::vector<std::uint64_t> next(offsets.begin(), offsets.end() - 1);
    for (std::size_t s = 0; s < sessions.size(); ++s) {
      const auto items = sessions.items(s);
      for (std::size_t p = 0; p < items.size(); ++p)
        places[next[raw(items[p])]++] = {static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(p)};
    }
  }
};

}  // namespace

SuccessorModel::SuccessorModel(std::size_t steps, std::function<double(std::size_t)> weight) {
  for (std::size_t d = 1; d <= steps; ++d) weights_.push_back(weight(d));
}

void SuccessorModel::fit(const TrainData& data, FitContext& ctx) {
  const std::size_t n = data.train.n_items();
  const Sessions sessions(data.histories);
  const Places at(sessions, n);
  std::vector<std::vector<Rule>> rows(n);
  ctx.exec.for_blocks(n, 256, [&](std::size_t begin, std::size_t end) {
    static thread_local std::vector<double> sums;  // all zero between blocks
    if (sums.size() < n) sums.resize(n, 0.0);
    std::vector<ItemIdx> touched;
    for (std::size_t i = begin; i < end; ++i) {
      double total = 0;
      for (std::uint64_t p = at.offsets[i]; p < at.offsets[i + 1]; ++p) {
        const auto items = sessions.items(at.places[p].session);
        const std::size_t from = at.places[p].position, room = items.size() - from - 1;
        for (std::size_t d = 1; d <= std::min(room, weights_.size()); ++d) {
          double& sum = sums[raw(items[from + d])];
          if (sum == 0) touched.push_back(items[from + d]);
          sum += weights_[d - 1];
          total += weights_[d - 1];
        }
      }
      std::sort(touched.begin(), touched.end());
      rows[i].reserve(touched.size());
      for (const ItemIdx j : touched) {
        rows[i].push_back({j, static_cast<float>(sums[raw(j)] / total)});
        sums[raw(j)] = 0;
      }
      touched.clear();
    }
  });
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  std::vector<float> values;
  for (std::vector<Rule>& row : rows) {
    for (const Rule& rule : row) items.push_back(rule.item), values.push_back(rule.weight);
    offsets.push_back(items.size());
    row = {};
  }
  rules_ = Csr<ItemIdx>(n, std::move(offsets), std::move(items), std::move(values));

  last_of_user_.assign(data.histories.size(), static_cast<std::uint32_t>(kNoItem));
  std::vector<ItemIdx> last;
  for (std::size_t u = 0; u < data.histories.size(); ++u) {
    const HistoryView events = data.histories[u];
    current_session({.history = events.items, .weights = events.weights}, n, 1, last);
    if (!last.empty()) last_of_user_[u] = static_cast<std::uint32_t>(last[0]);
  }
}

ItemIdx SuccessorModel::last_item(const Query& query) const {
  std::vector<ItemIdx> last;
  current_session(query, n_items(), 1, last);
  if (!last.empty()) return last[0];
  return query.history.empty() && raw(query.user) < last_of_user_.size() ? ItemIdx{last_of_user_[raw(query.user)]}
                                                                         : kNoItem;
}

void SuccessorModel::score(std::span<const Query> queries, MatRef<float> out) const {
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const std::span<float> row(out.data() + q * static_cast<std::size_t>(out.outerStride()), n_items());
    std::fill(row.begin(), row.end(), kCannotScore);
    const ItemIdx last = last_item(queries[q]);
    if (last == kNoItem) continue;
    const auto items = rules_.indices(raw(last));
    const auto weights = rules_.values(raw(last));
    for (std::size_t p = 0; p < items.size(); ++p) row[raw(items[p])] = weights[p];
  }
}

void SuccessorModel::score_candidates(const Query& query, std::span<const ItemIdx> candidates,
                                      std::span<float> out) const {
  const ItemIdx last = last_item(query);
  const auto items = last == kNoItem ? std::span<const ItemIdx>() : rules_.indices(raw(last));
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    const auto found = std::lower_bound(items.begin(), items.end(), candidates[c]);
    const bool follows = found != items.end() && *found == candidates[c];
    out[c] = follows ? rules_.values(raw(last))[static_cast<std::size_t>(found - items.begin())] : kCannotScore;
  }
}

void SuccessorModel::save(ArchiveWriter& archive) const {
  std::vector<std::uint32_t> items;
  for (const ItemIdx item : rules_.all_indices()) items.push_back(static_cast<std::uint32_t>(item));
  archive.put_value("items", static_cast<double>(rules_.cols()));
  archive.put("rules/offsets", rules_.offsets().span());
  archive.put("rules/items", std::span<const std::uint32_t>(items));
  archive.put("rules/weights", rules_.all_values().span());
  archive.put("last_of_user", std::span<const std::uint32_t>(last_of_user_));
}

void SuccessorModel::load(const ArchiveReader& archive) {
  std::vector<ItemIdx> items;
  for (const std::uint32_t item : archive.u32("rules/items")) items.push_back(ItemIdx{item});
  rules_ = Csr<ItemIdx>(static_cast<std::size_t>(archive.value("items")), archive.u64("rules/offsets"),
                        std::move(items), archive.floats("rules/weights"));
  last_of_user_ = archive.u32("last_of_user");
}

}  // namespace segue
