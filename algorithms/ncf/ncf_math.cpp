#include "algorithms/ncf/ncf_math.hpp"

#include <algorithm>

#include "framework/base/errors.hpp"
#include "framework/nn/lanes.hpp"
#include "framework/nn/loss.hpp"

namespace segue {

using nn::for_parts;

namespace {

constexpr std::size_t kShard = 64;     // rows of a batch that one task takes through the network
constexpr std::size_t kPartRows = 64;  // input rows of a weight matrix that one task moves
// Below so many multiply-adds a step, handing work to other threads costs more than it saves (a few microseconds a
// phase).
constexpr double kWorthThreads = 2e5;

template <class T>
T dot(const T* a, const T* b, std::size_t n) {
  using V = nn::LaneOf<T>;
  V sum = nn::all<V>(0);
  for_parts<T>(n, [&](auto part) { sum = fma(part.load(a), part.load(b), sum); });
  if constexpr (std::is_same_v<T, float>)
    return sum.sum();
  else
    return sum;
}

}  // namespace

template <class T>
NcfNet<T>::NcfNet(const NcfShape& shape) : shape_(shape) {
  const std::size_t f = shape.factors, side = shape.width(0) / 2;
  if (shape.gmf) {
    gmf_users_ = params_.add("gmf_users", shape.users, f);
    gmf_items_ = params_.add("gmf_items", shape.items, f);
  }
  if (shape.mlp) {
    mlp_users_ = params_.add("mlp_users", shape.users, side);
    mlp_items_ = params_.add("mlp_items", shape.items, side);
    for (std::size_t l = 0; l < shape.layers; ++l) {
      weights_.push_back(params_.add("weights_" + std::to_string(l + 1), shape.width(l), shape.width(l + 1)));
      biases_.push_back(params_.add("biases_" + std::to_string(l + 1), 1, shape.width(l + 1)));
    }
  }
  head_ = params_.add("head", 1, f * (std::size_t{shape.gmf} + std::size_t{shape.mlp}));
  head_bias_ = params_.add("head_bias", 1, 1);
}

template <class T>
void NcfNet<T>::init(double stddev, const Rng& rng) {
  for (const auto& block : params_.blocks()) {
    const View<T> values(params_.all().data() + block.offset, block.rows, block.cols);
    if (block.name.ends_with("users") || block.name.ends_with("items"))
      nn::init_normal(values, stddev, rng.stream(block.name));
    else if (block.name.starts_with("weights"))
      nn::init_xavier(values, rng.stream(block.name));
    else if (block.name == "head")  // as the column of f weights that it is, for each half
      nn::init_uniform(values, std::sqrt(3.0 / static_cast<double>(block.cols)), rng.stream(block.name));
  }
}

template <class T>
void NcfNet<T>::take(const NcfNet& gmf, const NcfNet& mlp, double share) {
  for (const NcfNet* half : {&gmf, &mlp}) {
    const T weight = static_cast<T>(half == &gmf ? share : 1 - share);
    for (const auto& from : half->params_.blocks()) {
      const auto to = std::find_if(params_.blocks().begin(), params_.blocks().end(),
                                   [&](const auto& block) { return block.name == from.name; });
      SEGUE_CHECK(to != params_.blocks().end(), "no block '{}'", from.name);
      const T* x = half->params_.all().data() + from.offset;
      T* y = params_.all().data() + to->offset;
      if (from.name == "head") {
        if (half == &mlp) y += shape_.factors;
        for (std::size_t i = 0; i < from.cols; ++i) y[i] = weight * x[i];
      } else if (from.name == "head_bias") {
        y[0] = (half == &gmf ? T(0) : y[0]) + weight * x[0];
      } else {
        std::copy_n(x, from.rows * from.cols, y);
      }
    }
  }
}

template <class T>
NcfTrainer<T>::NcfTrainer(NcfNet<T>& net, const nn::OptimizerSettings& optimizer, nn::RowMode rows,
                          std::size_t batch_size, double dropout, const Rng& rng)
    : net_(net), optimizer_(optimizer, net.params()), dropout_(dropout), rng_(rng) {
  const NcfShape& shape = net.shape();
  const auto n = static_cast<Eigen::Index>(batch_size);
  const auto matrix = [&](std::size_t cols) { return Matrix<T>(Matrix<T>::Zero(n, static_cast<Eigen::Index>(cols))); };
  const auto add_table = [&](const std::optional<nn::BlockId>& id, bool of_users) {
    if (!id) return;
    const auto& block = net.params().block(*id);
    tables_.push_back({*id, of_users, nn::RowTable<T>(net.params(), *id, optimizer_, rows),
                       nn::RowGradients<T>(block.rows, block.cols)});
  };
  add_table(net.gmf_users_, true);
  add_table(net.gmf_items_, false);
  add_table(net.mlp_users_, true);
  add_table(net.mlp_items_, false);
  if (shape.gmf) {
    product_ = matrix(shape.factors);
    d_gmf_users_ = matrix(shape.factors);
    d_gmf_items_ = matrix(shape.factors);
    work_ += 40 * static_cast<double>(shape.factors);
  }
  if (shape.mlp) {
    for (std::size_t l = 0; l <= shape.layers; ++l) {
      activations_.push_back(matrix(shape.width(l)));
      d_activations_.push_back(matrix(shape.width(l)));
    }
    for (std::size_t l = 0; l < shape.layers; ++l) {
      const std::size_t in = shape.width(l), out = shape.width(l + 1);
      work_ += 3 * static_cast<double>(in * out) + 40 * static_cast<double>(in);
      for (std::size_t begin = 0; begin < in; begin += kPartRows)
        parts_.push_back({l, begin, std::min(in, begin + kPartRows)});
      turned_.push_back(Matrix<T>(static_cast<Eigen::Index>(out), static_cast<Eigen::Index>(in)));
    }
  }
  logits_.resize(batch_size);
  d_logits_.resize(batch_size);
  losses_.resize((batch_size + kShard - 1) / kShard);
  if (dropout_ > 0) masks_.assign(losses_.size(), std::vector<nn::DropoutMask>(turned_.size()));
  resume(0);
}

template <class T>
void NcfTrainer<T>::resume(std::uint64_t steps) {
  optimizer_.resume(steps);
  for (Table& table : tables_) table.rows.resume();
  for (std::size_t l = 0; l < turned_.size(); ++l) transpose(net_.weights(l), View<T>(turned_[l]));
}

template <class T>
std::size_t NcfTrainer<T>::grain(std::size_t n) const {
  return work_ * static_cast<double>(n) < kWorthThreads ? std::max<std::size_t>(n, 1) : kShard;
}

template <class T>
double NcfTrainer<T>::some_rows(const NcfBatch<T>& batch, std::size_t begin, std::size_t end) {
  const NcfShape& shape = net_.shape();
  const std::size_t f = shape.factors;
  const T* head = net_.head().data();
  std::fill(logits_.begin() + static_cast<std::ptrdiff_t>(begin), logits_.begin() + static_cast<std::ptrdiff_t>(end),
            net_.head_bias());
  const auto rows = [&](Matrix<T>& m) { return View<T>(m).some_rows(begin, end); };
  if (shape.gmf) {
    const ConstView<T> users = net_.gmf_users(), items = net_.gmf_items();
    for (std::size_t s = begin; s < end; ++s) {
      T* product = View<T>(product_).row(s);
      for_parts<T>(f, [&, p = users.row(batch.users[s]), q = items.row(batch.items[s])](auto part) {
        part.store(product, part.load(p) * part.load(q));
      });
      logits_[s] += dot(product, head, f);
    }
    head += f;
  }
  if (shape.mlp) {
    const ConstView<T> users = net_.mlp_users(), items = net_.mlp_items();
    for (std::size_t s = begin; s < end; ++s) {
      T* a = View<T>(activations_[0]).row(s);
      std::copy_n(users.row(batch.users[s]), users.cols, a);
      std::copy_n(items.row(batch.items[s]), items.cols, a + users.cols);
    }
    for (std::size_t l = 0; l < shape.layers; ++l) {
      const View<T> x = rows(activations_[l]), a = rows(activations_[l + 1]);
      if (dropout_ > 0) {
        nn::DropoutMask& mask = masks_[begin / kShard][l];
        mask.draw(x.rows, x.cols, dropout_, rng_.stream("dropout", optimizer_.steps(), begin / kShard, l));
        mask.template apply<T>(x, x);
      }
      nn::dense_forward<T>(x, net_.weights(l), net_.biases(l), a);
      nn::activate<T>(nn::Activation::kRelu, a, a);
    }
    for (std::size_t s = begin; s < end; ++s) logits_[s] += dot(View<T>(activations_[shape.layers]).row(s), head, f);
  }
  const auto part_of = [&](auto& values) { return std::span(values).subspan(begin, end - begin); };
  const double loss = nn::binary_cross_entropy<T>(part_of(logits_), batch.labels.subspan(begin, end - begin),
                                                  T(1) / static_cast<T>(batch.users.size()), part_of(d_logits_));
  head = net_.head().data();
  if (shape.gmf) {
    using V = nn::LaneOf<T>;
    const ConstView<T> users = net_.gmf_users(), items = net_.gmf_items();
    for (std::size_t s = begin; s < end; ++s) {
      const V d = nn::all<V>(static_cast<double>(d_logits_[s]));
      for_parts<T>(f, [&, p = users.row(batch.users[s]), q = items.row(batch.items[s])](auto part) {
        const V h = d * part.load(head);
        part.store(View<T>(d_gmf_users_).row(s), h * part.load(q));
        part.store(View<T>(d_gmf_items_).row(s), h * part.load(p));
      });
    }
    head += f;
  }
  if (shape.mlp) {
    using V = nn::LaneOf<T>;
    for (std::size_t s = begin; s < end; ++s) {
      const V d = nn::all<V>(static_cast<double>(d_logits_[s]));
      for_parts<T>(f, [&, to = View<T>(d_activations_[shape.layers]).row(s)](auto part) {
        part.store(to, d * part.load(head));
      });
    }
    for (std::size_t l = shape.layers; l-- > 0;) {
      const View<T> d = rows(d_activations_[l + 1]);
      nn::activate_backward<T>(nn::Activation::kRelu, rows(activations_[l + 1]), d, d);
      const View<T> d_input = rows(d_activations_[l]);
      gemm<T>(d, turned_[l], d_input);
      if (dropout_ > 0) masks_[begin / kShard][l].template apply<T>(d_input, d_input);
    }
  }
  return loss;
}

template <class T>
double NcfTrainer<T>::rows_phase(const NcfBatch<T>& batch, const Executor& exec) {
  const std::size_t n = batch.users.size();
  SEGUE_CHECK(n <= logits_.size(), "a batch of {} where {} were announced", n, logits_.size());
  exec.for_blocks(n, grain(n), [&](std::size_t begin, std::size_t end) {
    for (std::size_t s = begin; s < end; s += kShard)
      losses_[s / kShard] = some_rows(batch, s, std::min(end, s + kShard));
  });
  double loss = 0;
  for (std::size_t shard = 0; shard * kShard < n; ++shard) loss += losses_[shard];
  return loss;
}

template <class T>
void NcfTrainer<T>::sum_table(std::size_t t, const NcfBatch<T>& batch) {
  Table& table = tables_[t];
  const bool gmf = net_.shape().gmf && t < 2;
  View<T> from;
  if (gmf) {
    from = table.of_users ? View<T>(d_gmf_users_) : View<T>(d_gmf_items_);
  } else {
    const std::size_t side = net_.shape().width(0) / 2;
    from = View<T>(d_activations_[0]).some_cols(table.of_users ? 0 : side, table.of_users ? side : 2 * side);
  }
  const std::span<const std::uint32_t> which = table.of_users ? batch.users : batch.items;
  table.gradients.clear();
  for (std::size_t s = 0; s < which.size(); ++s) {
    T* sum = table.gradients.at(which[s]).data();
    for_parts<T>(from.cols, [&, d = from.row(s)](auto part) { part.store(sum, part.load(sum) + part.load(d)); });
  }
}

template <class T>
View<T> NcfTrainer<T>::part_gradient(const Part& part, std::size_t n, std::span<T>& bias) {
  static thread_local std::vector<T> scratch, biases;
  const View<T> d = some(d_activations_[part.layer + 1], n);
  const View<T> x = some(activations_[part.layer], n).some_cols(part.begin, part.end);
  scratch.resize((part.end - part.begin) * d.cols);
  const View<T> out(scratch.data(), part.end - part.begin, d.cols);
  gemm_tn<T>(x, d, out);
  if (part.begin == 0) {
    biases.assign(d.cols, T(0));
    nn::add_column_sums<T>(d, View<T>(biases.data(), 1, d.cols));
    bias = biases;
  }
  return out;
}

template <class T>
void NcfTrainer<T>::head_gradient(std::size_t n, std::span<T> out) {
  std::fill(out.begin(), out.end(), T(0));
  const std::size_t f = net_.shape().factors;
  const auto add = [&](const View<T>& phi, T* to) {
    using V = nn::LaneOf<T>;
    for (std::size_t s = 0; s < n; ++s)
      for_parts<T>(f, [&, d = nn::all<V>(static_cast<double>(d_logits_[s])), x = phi.row(s)](auto part) {
        part.store(to, fma(d, part.load(x), part.load(to)));
      });
  };
  T* to = out.data();
  if (net_.shape().gmf) add(View<T>(product_), to), to += f;
  if (net_.shape().mlp) add(View<T>(activations_.back()), to), to += f;
  for (std::size_t s = 0; s < n; ++s) *to += d_logits_[s];
}

template <class T>
double NcfTrainer<T>::step(const NcfBatch<T>& batch, const NcfBatch<T>& next, const Executor& exec) {
  const std::size_t n = batch.users.size();
  bring(batch);  // a glance, where the step before did it
  optimizer_.begin_step();
  const double loss = rows_phase(batch, exec);
  optimizer_.fold();
  nn::ParamStore<T>& params = net_.params();
  const auto move = [&](std::size_t offset, std::span<const T> gradient) {
    optimizer_.update(offset, params.all().subspan(offset, gradient.size()), gradient);
  };
  const std::size_t tasks = tables_.size() + parts_.size() + 1;
  exec.for_blocks(tasks, grain(n) == kShard ? 1 : tasks, [&](std::size_t begin, std::size_t end) {
    for (std::size_t task = begin; task < end; ++task) {
      if (task < tables_.size()) {
        Table& table = tables_[task];
        sum_table(task, batch);
        table.rows.update(table.gradients.rows(), table.gradients.view());
        for (const std::uint32_t row : table.of_users ? next.users : next.items) table.rows.bring(row);
      } else if (task < tables_.size() + parts_.size()) {
        const Part& part = parts_[task - tables_.size()];
        std::span<T> bias;
        const View<T> gradient = part_gradient(part, n, bias);
        const View<T> weights = params[net_.weights_[part.layer]].some_rows(part.begin, part.end);
        move(static_cast<std::size_t>(weights.data - params.all().data()), {gradient.data, gradient.size()});
        if (!bias.empty()) move(params.block(net_.biases_[part.layer]).offset, bias);
        transpose<T>(weights, View<T>(turned_[part.layer]).some_cols(part.begin, part.end));
      } else {
        std::vector<T> gradient(net_.head().size() + 1);
        head_gradient(n, gradient);
        move(params.block(*net_.head_).offset, std::span(gradient).first(net_.head().size()));
        move(params.block(*net_.head_bias_).offset, std::span(gradient).last(1));
      }
    }
  });
  return loss;
}

template <class T>
void NcfTrainer<T>::bring(const NcfBatch<T>& batch) {
  optimizer_.fold();
  for (Table& table : tables_)
    for (const std::uint32_t row : table.of_users ? batch.users : batch.items) table.rows.bring(row);
}

template <class T>
void NcfTrainer<T>::finish() {
  for (Table& table : tables_) table.rows.finish();
}

template <class T>
double NcfTrainer<T>::gradient(const NcfBatch<T>& batch, nn::ParamStore<T>& out, const Executor& exec) {
  const std::size_t n = batch.users.size();
  const double loss = rows_phase(batch, exec);
  for (std::size_t t = 0; t < tables_.size(); ++t) {
    sum_table(t, batch);
    const nn::RowGradients<T>& sums = tables_[t].gradients;
    for (std::size_t i = 0; i < sums.size(); ++i)
      std::copy_n(sums.gradient(i).data(), sums.gradient(i).size(), out[tables_[t].block].row(sums.rows()[i]));
  }
  for (const Part& part : parts_) {
    std::span<T> bias;
    const View<T> gradient = part_gradient(part, n, bias);
    std::copy_n(gradient.data, gradient.size(), out[net_.weights_[part.layer]].row(part.begin));
    if (!bias.empty()) std::copy(bias.begin(), bias.end(), out[net_.biases_[part.layer]].data);
  }
  std::vector<T> head(net_.head().size() + 1);
  head_gradient(n, head);
  std::copy_n(head.data(), head.size() - 1, out[*net_.head_].data);
  *out[*net_.head_bias_].data = head.back();
  return loss;
}

template class NcfNet<float>;
template class NcfNet<double>;
template class NcfTrainer<float>;
template class NcfTrainer<double>;

}  // namespace segue
