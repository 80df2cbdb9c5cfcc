#include "framework/model/sequence_data.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/base/errors.hpp"

namespace segue {

TrainingSequences::TrainingSequences(const TrainData& data, const Settings& settings)
    : counts_(data.train.n_items(), 0) {
  SEGUE_CHECK(settings.longest >= 2, "windows of {} events", settings.longest);
  for (std::size_t u = 0; u < data.histories.size(); ++u) {
    const HistoryView history = data.histories[u];
    std::uint64_t begin = items_.size();
    for (std::size_t n = 0; n < history.items.size(); ++n) {
      if (settings.of == SequencesOf::kSessions && n > 0 && history.sessions[n] != history.sessions[n - 1]) {
        cut(begin, items_.size(), static_cast<std::uint32_t>(u), settings);
        begin = items_.size();
      }
      if (!(history.weights[n] > 0)) continue;
      items_.push_back(static_cast<std::uint32_t>(raw(history.items[n])));
      ++counts_[items_.back()];
    }
    cut(begin, items_.size(), static_cast<std::uint32_t>(u), settings);
  }
}

void TrainingSequences::cut(std::uint64_t begin, std::uint64_t end, std::uint32_t user, const Settings& settings) {
  while (end - begin >= 2) {
    const std::uint64_t size = std::min<std::uint64_t>(end - begin, settings.longest);
    windows_.push_back({end - size, static_cast<std::uint32_t>(size), user});
    if (settings.stride == 0 || size == end - begin) return;
    end -= std::min<std::uint64_t>(settings.stride, end - begin);
  }
}

ItemSampler::ItemSampler(std::span<const std::uint64_t> counts, double power)
    : n_(static_cast<std::uint32_t>(counts.size())),
      uniform_(static_cast<float>(-std::log(std::max<double>(1, static_cast<double>(counts.size()))))) {
  double total = 0;
  if (power == 0) return;
  std::vector<double> share(n_);
  for (std::size_t i = 0; i < n_; ++i) {
    share[i] = counts[i] == 0 ? 0 : std::pow(static_cast<double>(counts[i]), power);
    total += share[i];
  }
  if (total == 0) return;
  keep_.assign(n_, std::numeric_limits<std::uint32_t>::max());
  other_.resize(n_);
  log_.resize(n_);
  std::vector<std::uint32_t> poor, rich;  // of less and of more than the mean
  for (std::uint32_t i = 0; i < n_; ++i) {
    log_[i] = share[i] == 0 ? -std::numeric_limits<float>::infinity() : static_cast<float>(std::log(share[i] / total));
    share[i] *= n_ / total;
    other_[i] = i;
    (share[i] < 1 ? poor : rich).push_back(i);
  }
  while (!poor.empty() && !rich.empty()) {
    const std::uint32_t small = poor.back(), large = rich.back();
    poor.pop_back();
    keep_[small] = static_cast<std::uint32_t>(share[small] * 4294967295.0);
    other_[small] = large;
    share[large] -= 1 - share[small];
    if (share[large] < 1) {
      rich.pop_back();
      poor.push_back(large);
    }
  }
  // What rounding left over is full but for items that are never drawn.
  const auto most = static_cast<std::uint32_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  for (const std::uint32_t i : poor) {
    if (counts[i] > 0) continue;
    keep_[i] = 0;
    other_[i] = most;
  }
}

bool row_has(std::span<const ItemIdx> row, std::uint32_t item) {
  return std::binary_search(row.begin(), row.end(), ItemIdx{item},
                            [](ItemIdx a, ItemIdx b) { return raw(a) < raw(b); });
}

}  // namespace segue
