// What a tower reads of histories: parts of them, and attention over what is read.
#include <algorithm>
#include <cmath>

#include "algorithms/two_tower/two_tower_math.hpp"

namespace segue {

template <class T>
void attention_shares(ConstView<T> table, std::span<const std::uint32_t> rows, std::span<const T> context,
                      std::span<T> out) {
  if (rows.empty()) return;
  const T by = 1 / std::sqrt(static_cast<T>(context.size()));
  for (std::size_t k = 0; k < rows.size(); ++k) out[k] = by * tower_product(context, table.row(rows[k]));
  const T highest = *std::max_element(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(rows.size()));
  T sum = 0;
  for (std::size_t k = 0; k < rows.size(); ++k) sum += out[k] = std::exp(out[k] - highest);
  for (std::size_t k = 0; k < rows.size(); ++k) out[k] *= static_cast<T>(rows.size()) / sum;
}

template <class T>
void TwoTowerTrainer<T>::attend(Side& side, std::size_t place, std::uint32_t which, std::uint32_t without) {
  std::vector<std::uint32_t> rows;
  const auto columns = side.features->indices(which);
  std::vector<T>& shares = side.shares[place];
  if (!shape_.parts) shares.assign(columns.size(), T(1));
  for (std::size_t e = 0; e < columns.size(); ++e) {
    if (raw(columns[e]) == without) shares[e] = 0;
    if (shares[e] != 0) rows.push_back(static_cast<std::uint32_t>(side.ids + raw(columns[e])));
  }
  std::vector<T> used(rows.size());
  attention_shares<T>(side.table, rows, side.table.span(side.context_row()), used);
  for (std::size_t e = 0, k = 0; e < columns.size(); ++e)
    if (shares[e] != 0) shares[e] *= used[k++];
}

// With z_k = <c, h_k> / sqrt(d), s_k the shares and g the gradient of the sum, dz_k = x_k s_k <g, h_k> - s_k / (sum_j s_j)
// sum_j x_j s_j <g, h_j>.
template <class T>
void TwoTowerTrainer<T>::sum_attention(Side& side, std::size_t place, std::uint32_t which, std::uint32_t without) {
  const std::span<const T> g(side.gradients.data() + place * shape_.factors, shape_.factors);
  const auto columns = side.features->indices(which);
  const auto values = side.features->values(which);
  const std::vector<T>& shares = side.shares[place];
  std::vector<T> own(columns.size(), T(0));
  T sum = 0, total = 0;
  for (std::size_t e = 0; e < columns.size(); ++e) {
    if (raw(columns[e]) == without || shares[e] == 0) continue;
    own[e] = static_cast<T>(values[e]) * shares[e] * tower_product(g, side.table.row(side.ids + raw(columns[e])));
    sum += own[e];
    total += shares[e];
  }
  const T by = 1 / std::sqrt(static_cast<T>(shape_.factors));
  std::vector<T> to_context(shape_.factors, T(0));
  const std::span<const T> context = side.table.span(side.context_row());
  for (std::size_t e = 0; e < columns.size(); ++e) {
    if (raw(columns[e]) == without || shares[e] == 0) continue;
    const T dz = by * (own[e] - shares[e] / total * sum);
    const auto row = static_cast<std::uint32_t>(side.ids + raw(columns[e]));
    const std::span<const T> heard = side.table.span(row);
    T* to = side.sums.at(row).data();
    for (std::size_t d = 0; d < shape_.factors; ++d) {
      to[d] += dz * context[d];
      to_context[d] += dz * heard[d];
    }
  }
  side.sums.add(side.context_row(), to_context);
}

template <class T>
void TwoTowerTrainer<T>::draw_parts(const PairBatch& batch) {
  if (!shape_.parts || users_.shares.empty()) return;
  Rng rng = rng_.stream("parts", optimizer_.steps());
  for (std::size_t i = 0; i < batch.users.size(); ++i) {
    const auto columns = users_.features->indices(batch.users[i]);
    std::vector<T>& shares = users_.shares[i];
    shares.assign(columns.size(), T(0));
    const double chance = rng.uniform();
    double kept = 0, all = 0;
    for (std::size_t e = 0; e < columns.size(); ++e) {
      const bool keep = rng.uniform() < chance;
      if (raw(columns[e]) == batch.items[i]) continue;
      all += 1;
      kept += keep ? 1 : 0;
      shares[e] = keep ? T(1) : T(0);
    }
    if (kept == 0) {
      users_.dropped[i] = 0;  // nothing else to go by
      continue;
    }
    for (T& share : shares) share *= static_cast<T>(std::sqrt(all / kept));
  }
}

template void attention_shares<float>(ConstView<float>, std::span<const std::uint32_t>, std::span<const float>,
                                      std::span<float>);
template void TwoTowerTrainer<float>::attend(Side&, std::size_t, std::uint32_t, std::uint32_t);
template void TwoTowerTrainer<double>::attend(Side&, std::size_t, std::uint32_t, std::uint32_t);
template void TwoTowerTrainer<float>::sum_attention(Side&, std::size_t, std::uint32_t, std::uint32_t);
template void TwoTowerTrainer<double>::sum_attention(Side&, std::size_t, std::uint32_t, std::uint32_t);
template void TwoTowerTrainer<float>::draw_parts(const PairBatch&);
template void TwoTowerTrainer<double>::draw_parts(const PairBatch&);

}  // namespace segue
