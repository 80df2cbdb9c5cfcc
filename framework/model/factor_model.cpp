#include "framework/model/factor_model.hpp"

#include <algorithm>

#include "framework/linalg/simd.hpp"
#include "framework/model/embedding_scores.hpp"

namespace segue {

float FactorModel::predict(std::size_t user, std::size_t item) const {
  return offset + (user_bias.empty() ? 0.0f : user_bias[user]) + item_bias[item] +
         lane_dot(row_span(users, user), row_span(items, item));
}

float scheduled_rate(RateSchedule schedule, float rate, int epoch, int epochs) {
  const float done = static_cast<float>(epoch - 1);
  if (schedule == RateSchedule::kLinear) return rate * (1 - done / static_cast<float>(epochs));
  if (schedule == RateSchedule::kInverse) return rate / (1 + done / 10);
  return rate;
}

bool FactorRecommender::is_trained(UserIdx user) const {
  if (raw(user) >= static_cast<std::size_t>(model_.users.rows())) return false;
  return std::ranges::any_of(row_span(model_.users, raw(user)), [](float x) { return x != 0; });
}

void FactorRecommender::query_vector(const Query& query, std::span<float> out) const {
  if (is_trained(query.user)) {
    std::ranges::copy(row_span(model_.users, raw(query.user)), out.begin());
    return;
  }
  std::fill(out.begin(), out.end(), 0.0f);
  const HistoryRow history = history_row(query, n_items());
  if (!history.items.empty()) fold_in(history, out);
}

void FactorRecommender::score(std::span<const Query> queries, MatRef<float> out) const {
  score_packed(*this, queries, out);
}

void FactorRecommender::score_candidates(const Query& query, std::span<const ItemIdx> candidates,
                                         std::span<float> out) const {
  score_packed(*this, query, candidates, out);
}

void FactorRecommender::save(ArchiveWriter& archive) const {
  archive.put_matrix("user_factors", model_.users);
  archive.put_matrix("item_factors", model_.items);
  archive.put("user_bias", std::span<const float>(model_.user_bias));
  archive.put("item_bias", std::span<const float>(model_.item_bias));
  archive.put_value("offset", static_cast<double>(model_.offset));
}

void FactorRecommender::load(const ArchiveReader& archive) {
  model_.users = archive.matrix("user_factors");
  model_.items = archive.matrix("item_factors");
  model_.user_bias = archive.floats("user_bias");
  model_.item_bias = archive.floats("item_bias");
  model_.offset = static_cast<float>(archive.value("offset"));
  packed_items_ = PackedRows(model_.items);
}

void FactorRecommender::start(const Csr<ItemIdx>& events, int factors, float stddev, bool user_biases,
                              FitContext& ctx) {
  const auto normal = [&](std::size_t n, std::string_view name, auto touched) {
    Matrix<float> out = Matrix<float>::Zero(static_cast<Eigen::Index>(n), factors);
    ctx.exec.for_blocks(n, 256, [&](std::size_t begin, std::size_t end) {
      for (std::size_t r = begin; r < end; ++r)
        if (touched(r)) ctx.rng.stream(name, r).fill_normal(row_span(out, r), 0, stddev);
    });
    return out;
  };
  std::vector<std::uint8_t> seen(events.cols(), 0);
  for (ItemIdx item : events.all_indices()) seen[raw(item)] = 1;
  model_.users = normal(events.rows(), "user factors", [&](std::size_t u) { return events.row_size(u) > 0; });
  model_.items = normal(events.cols(), "item factors", [&](std::size_t i) { return seen[i] != 0; });
  model_.user_bias.assign(user_biases ? events.rows() : 0, 0.0f);
  model_.item_bias.assign(events.cols(), 0.0f);
}

std::vector<std::span<float>> FactorRecommender::state() {
  return {{model_.users.data(), static_cast<std::size_t>(model_.users.size())},
          {model_.items.data(), static_cast<std::size_t>(model_.items.size())},
          model_.user_bias,
          model_.item_bias};
}

}  // namespace segue
