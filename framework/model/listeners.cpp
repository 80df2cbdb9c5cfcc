#include "framework/model/listeners.hpp"

#include "framework/base/day.hpp"

#include <algorithm>
#include <cmath>

namespace segue {

namespace {


double counts(double weight, PlayWeights how) {
  switch (how) {
    case PlayWeights::kLog: return std::copysign(std::log1p(std::abs(weight)), weight);
    case PlayWeights::kRaw: return weight;
    case PlayWeights::kNone: break;
  }
  return weight > 0 ? 1 : weight < 0 ? -1 : 0;
}

}  // namespace

std::vector<double> item_weights(std::span<const Heard> heard, const ListenerParams& params) {
  std::int64_t latest = INT64_MIN;
  for (const Heard& h : heard) latest = std::max(latest, h.last);
  std::vector<double> out;
  out.reserve(heard.size());
  for (const Heard& h : heard) {
    double c = counts(h.weight, params.weights);
    if (params.half_life > 0)
      c *= std::exp2((static_cast<double>(h.last) - static_cast<double>(latest)) / (params.half_life * double{kSecondsPerDay}));
    out.push_back(c);
  }
  return out;
}

void balance(std::span<double> weights, double dislike) {
  double liked = 0, disliked = 0;
  for (const double c : weights) (c > 0 ? liked : disliked) += std::abs(c);
  for (double& c : weights) {
    if (c > 0) c /= liked;
    if (c < 0) c *= dislike / disliked;
  }
}

void Listeners::learn(const TrainData& data, const ListenerParams& params) {
  params_ = params;
  n_items_ = data.train.n_items();
  const bool histories = data.histories.size() == data.train.n_users();
  std::vector<std::uint64_t> offsets{0};
  std::vector<ItemIdx> items;
  std::vector<float> weights;
  for (std::size_t u = 0; u < data.train.n_users(); ++u) {
    const HistoryView view = histories ? data.histories[u] : HistoryView{};
    const std::vector<Heard> heard =
        histories ? gather(view.items, view.weights, view.times)
                  : gather(data.train.items(user_at(u)),
                           data.train.by_user().has_values() ? data.train.weights(user_at(u)) : std::span<const float>(),
                           {});
    const std::vector<double> counted = item_weights(heard, params_);
    for (std::size_t n = 0; n < heard.size(); ++n) {
      items.push_back(heard[n].item);
      weights.push_back(static_cast<float>(counted[n]));
    }
    offsets.push_back(items.size());
  }
  weights_ = Csr<ItemIdx>(n_items_, std::move(offsets), std::move(items), std::move(weights));
}

TasteItems Listeners::of(const Query& query) const {
  TasteItems out;
  if (!query.history.empty()) {
    const std::vector<Heard> heard = gather(query.history, query.weights, query.times);
    for (const Heard& h : heard) out.items.push_back(h.item);
    out.weights = item_weights(heard, params_);
  } else if (raw(query.user) < weights_.rows()) {
    const auto row = weights_.indices(raw(query.user));
    const auto values = weights_.values(raw(query.user));
    out.items.assign(row.begin(), row.end());
    out.weights.assign(values.begin(), values.end());
  }
  balance(out.weights, params_.dislike);
  return out;
}

std::vector<Heard> Listeners::gather(std::span<const ItemIdx> items, std::span<const float> weights,
                                     std::span<const std::int64_t> times) const {
  std::vector<Heard> all;
  for (std::size_t n = 0; n < items.size(); ++n) {
    if (raw(items[n]) >= n_items_) continue;
    all.push_back({items[n], weights.empty() ? 1.0 : double{weights[n]}, times.empty() ? 0 : times[n]});
  }
  std::stable_sort(all.begin(), all.end(), [](const Heard& a, const Heard& b) { return a.item < b.item; });
  std::vector<Heard> out;
  for (const Heard& h : all) {
    if (out.empty() || out.back().item != h.item) {
      out.push_back(h);
    } else {
      out.back().weight += h.weight;
      out.back().last = std::max(out.back().last, h.last);
    }
  }
  return out;
}

void Listeners::save(ArchiveWriter& archive, const std::string& name) const { put_rows(archive, name, weights_); }

void Listeners::load(const ArchiveReader& archive, const std::string& name, std::size_t n_items,
                     const ListenerParams& params) {
  params_ = params;
  n_items_ = n_items;
  weights_ = get_rows<ItemIdx>(archive, name, n_items);
}

}  // namespace segue
