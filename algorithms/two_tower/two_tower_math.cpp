#include "algorithms/two_tower/two_tower_math.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "framework/base/errors.hpp"
#include "framework/linalg/gemm.hpp"
#include "framework/nn/lanes.hpp"
#include "framework/nn/loss.hpp"

namespace segue {

namespace {

constexpr std::size_t kRows = 56;    // users whose logits are made together: whole tiles of gemm()
constexpr std::size_t kTable = 128;  // rows of a table that one task moves

template <class T>
Matrix<T> zeros(std::size_t rows, std::size_t cols) {
  return Matrix<T>::Zero(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
}

}  // namespace

template <class T>
nn::ParamStore<T> TwoTowerTrainer<T>::make_params(const TwoTowerShape& shape, double stddev, const Rng& rng,
                                                  const TowerInputs& inputs) {
  nn::ParamStore<T> out;
  const std::size_t contexts = shape.attention && inputs.users != nullptr ? 1 : 0;
  const nn::BlockId users = out.add("users", shape.users + inputs.user_features() + contexts, shape.factors),
                    items = out.add("items", shape.items + inputs.item_features(), shape.factors);
  if (stddev == 0) return out;
  nn::init_normal(out[users], stddev, rng.stream("users"));
  nn::init_normal(out[items], stddev, rng.stream("items"));
  if (contexts > 0) std::ranges::fill(out[users].span(out[users].rows - 1), T(0));
  return out;
}

template <class T>
TwoTowerTrainer<T>::TwoTowerTrainer(const TwoTowerShape& shape, nn::ParamStore<T>& params, std::vector<T> log_share,
                                    const nn::OptimizerSettings& optimizer, nn::RowMode rows, std::size_t batch_size,
                                    TowerInputs inputs, Rng rng)
    : shape_(shape),
      params_(params),
      log_share_(std::move(log_share)),
      optimizer_(optimizer, params),
      inputs_(inputs),
      rng_(rng),
      users_(params, users_id(), optimizer_, rows, shape.users, inputs.users, shape.attention),
      items_(params, items_id(), optimizer_, rows, shape.items, inputs.items, false),
      turned_(zeros<T>(shape.factors, batch_size + shape.negatives)),
      weighted_(zeros<T>(batch_size, shape.factors)),
      logits_(zeros<T>(batch_size, batch_size + shape.negatives)),
      corrections_(batch_size + shape.negatives),
      shares_(batch_size),
      twins_(batch_size + shape.negatives),
      last_place_(shape.items, kNowhere),
      losses_((batch_size + kRows - 1) / kRows) {
  SEGUE_CHECK(log_share_.size() == shape.items, "{} shares of {} items", log_share_.size(), shape.items);
  for (Side* side : {&users_, &items_}) {
    const std::size_t places = batch_size + (side == &items_ ? shape.negatives : 0);
    side->vectors = zeros<T>(places, shape.factors);
    side->gradients = zeros<T>(places, shape.factors);
    side->lengths.resize(places);
    side->dropped.resize(places);
    if (side->features != nullptr) side->towers = zeros<T>(places, shape.factors);
    if (side->attends || (side == &users_ && side->features != nullptr && shape.parts)) side->shares.resize(places);
  }
  for (std::uint32_t i = 0; i < shape.items; ++i)
    if (log_share_[i] > -std::numeric_limits<T>::infinity()) drawable_.push_back(i);
}

template <class T>
template <class Visit>
void TwoTowerTrainer<T>::each_part(const Side& side, std::size_t place, std::uint32_t which, std::uint32_t without,
                                   Visit visit) {
  if (side.dropped[place] == 0) visit(which, T(1));
  if (side.features == nullptr) return;
  const auto columns = side.features->indices(which);
  const auto values = side.features->values(which);
  for (std::size_t e = 0; e < columns.size(); ++e)
    if (raw(columns[e]) != without)
      visit(static_cast<std::uint32_t>(side.ids + raw(columns[e])),
            static_cast<T>(values[e]) * (side.shares.empty() ? T(1) : side.shares[place][e]));
}

// What a step draws is a function of its number, so that training can begin again at any.
template <class T>
void TwoTowerTrainer<T>::draw_step(const PairBatch& batch) {
  if (shape_.negatives > 0) {
    Rng rng = rng_.stream("negatives", optimizer_.steps());
    for (std::size_t k = 0; k < shape_.negatives; ++k)
      columns_.push_back(drawable_[rng.below32(static_cast<std::uint32_t>(drawable_.size()))]);
  }
  if (shape_.id_dropout == 0) return;
  Rng rng = rng_.stream("dropout", optimizer_.steps());
  // Who has nothing else keeps their own vector; `own` features are left out of what there is.
  const auto drop = [&](Side& side, std::span<const std::uint32_t> which, std::size_t own) {
    for (std::size_t i = 0; i < which.size() && side.features != nullptr; ++i)
      side.dropped[i] = rng.uniform() < shape_.id_dropout && side.features->row_size(which[i]) > own ? 1 : 0;
  };
  drop(users_, batch.users, 1);  // the sought item
  drop(items_, columns_, 0);
}

template <class T>
void TwoTowerTrainer<T>::bring(Side& side, std::span<const std::uint32_t> which) {
  if (side.attends && !which.empty()) side.rows.bring(side.context_row());
  for (std::size_t i = 0; i < which.size(); ++i) {
    side.rows.bring(which[i]);
    if (side.features == nullptr) continue;
    for (const ItemIdx feature : side.features->indices(which[i])) side.rows.bring(side.ids + raw(feature));
  }
}

template <class T>
void TwoTowerTrainer<T>::resume(std::uint64_t steps) {
  optimizer_.resume(steps);
  users_.rows.resume();
  items_.rows.resume();
}

// penalised: how many places, from the first, pay for the length of their vectors. without: of each place a feature
// that is left out, or empty.
template <class T>
void TwoTowerTrainer<T>::gather(Side& side, std::span<const std::uint32_t> which,
                                std::span<const std::uint32_t> without, double by, std::size_t penalised) {
  using V = nn::LaneOf<T>;
  side.penalty = 0;
  side.by = static_cast<T>(by);
  for (std::size_t i = 0; i < which.size(); ++i) {
    std::span<const T> row = side.table.span(which[i]);
    if (side.adds_up()) {
      T* sum = View<T>(side.towers).row(i);
      std::fill_n(sum, shape_.factors, T(0));
      if (side.attends) attend(side, i, which[i], without.empty() ? kNowhere : without[i]);
      each_part(side, i, which[i], without.empty() ? kNowhere : without[i], [&](std::uint32_t part_row, T value) {
        nn::for_parts<T>(shape_.factors, [&, v = nn::all<V>(static_cast<double>(value))](auto part) {
          part.store(sum, fma(v, part.load(side.table.row(part_row)), part.load(sum)));
        });
      });
      row = {sum, shape_.factors};
    }
    T factor = side.by;
    if (shape_.reg != 0 || shape_.normalise) {
      const T square = tower_product(row, row.data());
      if (i < penalised) side.penalty += static_cast<double>(square);
      if (shape_.normalise) {
        side.lengths[i] = std::max(std::sqrt(square), T(1e-12));
        factor /= side.lengths[i];
      }
    }
    nn::for_parts<T>(row.size(), [&, f = nn::all<V>(static_cast<double>(factor))](auto part) {
      part.store(View<T>(side.vectors).row(i), f * part.load(row.data()));
    });
  }
}

// Adds up the gradients of rows that stand in the batch several times. Of a normalised vector w / |w| = v the gradient
// with respect to w is (g - <g, v> v) / |w|.
template <class T>
void TwoTowerTrainer<T>::sum_rows(Side& side, std::span<const std::uint32_t> which,
                                  std::span<const std::uint32_t> without, std::size_t penalised) {
  using V = nn::LaneOf<T>;
  side.sums.clear();
  for (std::size_t i = 0; i < which.size(); ++i) {
    T* g = View<T>(side.gradients).row(i);
    if (shape_.normalise) {
      const T* v = View<T>(side.vectors).row(i);
      T along = 0;  // vectors are stored times `by`
      for (std::size_t d = 0; d < shape_.factors; ++d) along += g[d] * v[d];
      along /= side.by * side.by;
      for (std::size_t d = 0; d < shape_.factors; ++d) g[d] = (g[d] - along * v[d]) / side.lengths[i];
    }
    const V reg = nn::all<V>(i < penalised ? shape_.reg / static_cast<double>(penalised) : 0.0);
    if (!side.adds_up()) {
      T* sum = side.sums.at(which[i]).data();
      nn::for_parts<T>(shape_.factors, [&, row = side.table.row(which[i])](auto part) {
        part.store(sum, part.load(sum) + fma(reg, part.load(row), part.load(g)));
      });
      continue;
    }
    nn::for_parts<T>(shape_.factors, [&, row = std::as_const(side.towers).data() + i * shape_.factors](auto part) {
      part.store(g, fma(reg, part.load(row), part.load(g)));
    });
    each_part(side, i, which[i], without.empty() ? kNowhere : without[i], [&](std::uint32_t part_row, T value) {
      T* sum = side.sums.at(part_row).data();
      nn::for_parts<T>(shape_.factors, [&, v = nn::all<V>(static_cast<double>(value))](auto part) {
        part.store(sum, fma(v, part.load(g), part.load(sum)));
      });
    });
    if (side.attends) sum_attention(side, i, which[i], without.empty() ? kNowhere : without[i]);
  }
}

template <class T>
double TwoTowerTrainer<T>::losses_and_gradients(const PairBatch& batch, const Executor& exec) {
  const std::size_t n = batch.users.size(), m = columns_.size();
  SEGUE_CHECK(n <= users_.lengths.size(), "a batch of {} where {} were announced", n, users_.lengths.size());
  exec.for_blocks(2, 1, [&](std::size_t side, std::size_t) {
    if (side == 0) return gather(users_, batch.users, without(batch), 1 / shape_.temperature, n);
    gather(items_, columns_, {}, 1, n);
    // Of an item's expected number among the columns, as a share of them (Yang et al. 2020, "Mixed negative sampling
    // for learning two-tower neural networks in recommendations", WWW companion, section 4.2).
    const double of_batch = static_cast<double>(n) / static_cast<double>(m),
                 evenly = (1 - of_batch) / static_cast<double>(std::max<std::size_t>(drawable_.size(), 1));
    for (std::size_t j = 0; j < m; ++j) {  // places of the same item in a ring
      const T log_share = log_share_[columns_[j]];
      corrections_[j] =
          m == n ? -log_share : static_cast<T>(-std::log(of_batch * std::exp(static_cast<double>(log_share)) + evenly));
      corrections_[j] *= static_cast<T>(shape_.correction);
      std::uint32_t& last = last_place_[columns_[j]];
      twins_[j] =
          last == kNowhere ? static_cast<std::uint32_t>(j) : std::exchange(twins_[last], static_cast<std::uint32_t>(j));
      last = static_cast<std::uint32_t>(j);
    }
    for (const std::uint32_t item : columns_) last_place_[item] = kNowhere;
    transpose<T>(View<T>(items_.vectors).some_rows(0, m), View<T>(turned_).some_cols(0, m));
  });
  const ConstView<T> users = View<T>(users_.vectors).some_rows(0, n), items = View<T>(items_.vectors).some_rows(0, m);
  const T scale = T(1) / static_cast<T>(n);
  exec.for_blocks(n, kRows, [&](std::size_t begin, std::size_t end) {
    using V = nn::LaneOf<T>;
    const View<T> logits = View<T>(logits_).some_rows(begin, end).some_cols(0, m);
    for (std::size_t r = 0; r < logits.rows; ++r) std::copy_n(corrections_.data(), m, logits.row(r));
    gemm<T>(users.some_rows(begin, end), View<T>(turned_).some_cols(0, m), logits, Gemm::kAdd);
    double loss = 0;
    for (std::size_t i = begin; i < end; ++i) {
      T* row = logits.row(i - begin);
      // Who likes the same item is no evidence against it.
      for (std::size_t j = twins_[i]; j != i; j = twins_[j]) row[j] = -std::numeric_limits<T>::infinity();
      loss += nn::softmax_exponentials<T>(logits.span(i - begin), i, scale, shares_[i]);
      nn::for_parts<T>(shape_.factors, [&, share = nn::all<V>(static_cast<double>(shares_[i]))](auto part) {
        part.store(View<T>(weighted_).row(i), share * part.load(users.row(i)));
      });
    }
    losses_[begin / kRows] = loss;
    // du_i = (share_i sum_j e_ij v_j - scale v_i) / tau
    gemm<T>(logits, items, View<T>(users_.gradients).some_rows(begin, end));
    for (std::size_t i = begin; i < end; ++i) {
      const V by = nn::all<V>(1 / shape_.temperature), own = nn::all<V>(static_cast<double>(scale)),
              share = nn::all<V>(static_cast<double>(shares_[i]));
      T* du = View<T>(users_.gradients).row(i);
      nn::for_parts<T>(shape_.factors, [&](auto part) {
        part.store(du, by * (share * part.load(du) - own * part.load(items.row(i))));
      });
    }
  });
  // dv_j = sum_i share_i e_ij u_i / tau - scale u_j / tau; the users' vectors are divided by tau already.
  exec.for_blocks(m, kRows, [&](std::size_t begin, std::size_t end) {
    using V = nn::LaneOf<T>;
    gemm_tn<T>(View<T>(logits_).some_rows(0, n).some_cols(begin, end), View<T>(weighted_).some_rows(0, n),
               View<T>(items_.gradients).some_rows(begin, end));
    for (std::size_t j = begin; j < std::min(end, n); ++j) {
      T* dv = View<T>(items_.gradients).row(j);
      nn::for_parts<T>(shape_.factors, [&, own = nn::all<V>(static_cast<double>(scale))](auto part) {
        part.store(dv, part.load(dv) - own * part.load(users.row(j)));
      });
    }
  });
  exec.for_blocks(2, 1, [&](std::size_t side, std::size_t) {
    if (side == 0) return sum_rows(users_, batch.users, without(batch), n);
    sum_rows(items_, columns_, {}, n);
  });
  double loss = 0;
  for (std::size_t block = 0; block * kRows < n; ++block) loss += losses_[block];
  return loss;
}

template <class T>
double TwoTowerTrainer<T>::step(const PairBatch& batch, const PairBatch& next, const Executor& exec) {
  optimizer_.fold();
  columns_.assign(batch.items.begin(), batch.items.end());
  draw_step(batch);
  draw_parts(batch);
  bring(users_, batch.users);  // a glance, where the step before did it
  bring(items_, columns_);
  optimizer_.begin_step();
  const double loss = losses_and_gradients(batch, exec);
  optimizer_.fold();
  const std::size_t user_blocks = (users_.sums.size() + kTable - 1) / kTable;
  const std::size_t item_blocks = (items_.sums.size() + kTable - 1) / kTable;
  exec.for_blocks(user_blocks + item_blocks, 1, [&](std::size_t block, std::size_t) {
    Side& side = block < user_blocks ? users_ : items_;
    const std::size_t begin = (block < user_blocks ? block : block - user_blocks) * kTable;
    for (std::size_t i = begin; i < std::min(begin + kTable, side.sums.size()); ++i)
      side.rows.update(side.sums.rows()[i], std::as_const(side.sums).gradient(i));
  });
  exec.for_blocks(
      2, 1, [&](std::size_t side, std::size_t) { side == 0 ? bring(users_, next.users) : bring(items_, next.items); });
  return loss;
}

template <class T>
void TwoTowerTrainer<T>::finish() {
  users_.rows.finish();
  items_.rows.finish();
}

template <class T>
double TwoTowerTrainer<T>::gradient(const PairBatch& batch, nn::ParamStore<T>& out, const Executor& exec) {
  columns_.assign(batch.items.begin(), batch.items.end());
  draw_step(batch);
  draw_parts(batch);
  const double loss = losses_and_gradients(batch, exec);
  for (const auto& [side, id] : {std::pair{&users_, users_id()}, std::pair{&items_, items_id()}})
    for (std::size_t i = 0; i < side->sums.size(); ++i)
      std::copy_n(std::as_const(side->sums).gradient(i).data(), shape_.factors, out[id].row(side->sums.rows()[i]));
  return loss + 0.5 * shape_.reg * (users_.penalty + items_.penalty);
}

template class TwoTowerTrainer<float>;
template class TwoTowerTrainer<double>;

}  // namespace segue
