#include "algorithms/lightgcn/lightgcn_math.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"
#include "framework/linalg/row_sums.hpp"
#include "framework/nn/lanes.hpp"
#include "framework/nn/loss.hpp"

namespace segue {

namespace {

constexpr std::size_t kLanes = Lanes::kCount;
constexpr std::size_t kPartEdges = 8192;             // of a part of the graph
constexpr std::size_t kNodeCost = 16;                // of a node without neighbours, in edges
constexpr std::size_t kSlots = 16, kExamples = 128;  // of a block

std::size_t padded(std::size_t dims) { return (dims + kLanes - 1) / kLanes * kLanes; }

// to = by x, or to += by x.
template <class T>
void scale_row(T by, const T* x, T* to, std::size_t n) {
  using V = nn::LaneOf<T>;
  nn::for_parts<T>(n, [&](auto part) { part.store(to, nn::all<V>(static_cast<double>(by)) * part.load(x)); });
}
template <class T>
void add_scaled(T by, const T* x, T* to, std::size_t n) {
  using nn::fma;
  using V = nn::LaneOf<T>;
  nn::for_parts<T>(
      n, [&](auto part) { part.store(to, fma(nn::all<V>(static_cast<double>(by)), part.load(x), part.load(to))); });
}

template <class T>
T dot(const T* a, const T* b, std::size_t n) {
  if constexpr (std::is_same_v<T, float>) {
    return lane_dot({a, n}, {b, n});
  } else {
    T sum = 0;
    for (std::size_t d = 0; d < n; ++d) sum += a[d] * b[d];
    return sum;
  }
}

template <class T>
T* row_of(Matrix<T>& m, std::size_t row) {
  return m.data() + row * static_cast<std::size_t>(m.cols());
}
template <class T>
const T* row_of(const Matrix<T>& m, std::size_t row) {
  return m.data() + row * static_cast<std::size_t>(m.cols());
}

template <class T>
void keep_rows(Matrix<T>& m, std::size_t rows, std::size_t cols) {  // at least so many; what they hold is lost
  if (static_cast<std::size_t>(m.rows()) < rows)
    m.resize(static_cast<Eigen::Index>(rows + rows / 4), static_cast<Eigen::Index>(cols));
}

}  // namespace

InteractionGraph::InteractionGraph(const Csr<ItemIdx>& events) : users_(events.rows()) {
  const std::size_t nodes = users_ + events.cols();
  SEGUE_CHECK(nodes < LightGcnBatch::kNobody, "{} nodes", nodes);
  const auto for_edges = [&](auto visit) {
    for (std::size_t u = 0; u < users_; ++u) {
      const std::span<const ItemIdx> items = events.indices(u);
      const std::span<const float> weights = events.all_values().empty() ? std::span<const float>() : events.values(u);
      for (std::size_t n = 0; n < items.size(); ++n)
        if (weights.empty() || weights[n] > 0) visit(u, users_ + raw(items[n]));
    }
  };
  offsets_.assign(nodes + 1, 0);
  for_edges([&](std::size_t u, std::size_t item) { ++offsets_[u + 1], ++offsets_[item + 1]; });
  for (std::size_t n = 0; n < nodes; ++n) offsets_[n + 1] += offsets_[n];
  neighbours_.resize(offsets_.back());
  std::vector<std::uint64_t> next(offsets_.begin(), offsets_.end() - 1);
  for_edges([&](std::size_t u, std::size_t item) {  // users ascend, and their items too, so all lists do
    neighbours_[next[u]++] = static_cast<std::uint32_t>(item);
    neighbours_[next[item]++] = static_cast<std::uint32_t>(u);
  });
  std::size_t cost = 0;
  cuts_.push_back(0);
  for (std::size_t n = 0; n < nodes; ++n) {
    cost += offsets_[n + 1] - offsets_[n] + kNodeCost;
    if (cost < kPartEdges && n + 1 < nodes) continue;
    cuts_.push_back(static_cast<std::uint32_t>(n + 1));
    cost = 0;
  }
}

void InteractionGraph::for_parts(const Executor& exec,
                                 const std::function<void(std::size_t, std::size_t)>& visit) const {
  exec.for_blocks(cuts_.size() - 1, 1, [&](std::size_t p, std::size_t) { visit(cuts_[p], cuts_[p + 1]); });
}

template <class T>
LightGcn<T>::LightGcn(const InteractionGraph& graph, std::size_t dims, std::size_t layers)
    : graph_(graph), width_(padded(dims)), count_(layers), slot_(graph.nodes(), LightGcnBatch::kNobody) {
  SEGUE_CHECK(layers >= 1 && dims >= 1, "{} layers of {} dimensions", layers, dims);
  block_ = params_.add("embeddings", graph.nodes(), width_);
  for (std::size_t n = 0; n < graph.nodes(); ++n) {
    const double degree = graph.degree(n);
    root_.push_back(static_cast<T>(degree > 0 ? 1 / std::sqrt(degree) : 0));
    inverse_.push_back(static_cast<T>(degree > 0 ? 1 / degree : 0));
  }
  for (std::size_t l = 0; l < layers; ++l)
    layers_.emplace_back(Matrix<T>::Zero(static_cast<Eigen::Index>(graph.nodes()), static_cast<Eigen::Index>(width_)));
}

template <class T>
void LightGcn<T>::layer_of(std::size_t node, ConstView<T> z, T* out) const {
  std::fill_n(out, width_, T(0));
  add_rows(z, graph_.neighbours(node), out);
  scale_row(inverse_[node], out, out, width_);
}

template <class T>
void LightGcn<T>::refresh(const Executor& exec) {
  graph_.for_parts(exec, [&](std::size_t first, std::size_t last) {
    for (std::size_t n = first; n < last; ++n) scale_row(root_[n], embeddings().row(n), row_of(layers_[0], n), width_);
  });
}

template <class T>
typename LightGcn<T>::Loss LightGcn<T>::step(const LightGcnBatch& batch, double reg, const Executor& exec,
                                             const Visit& visit) {
  const std::size_t n = batch.users.size();
  SEGUE_CHECK(n > 0 && batch.positives.size() == n && batch.negatives.size() == n * batch.per_example,
              "a batch of {} users, {} positives, {} negatives", n, batch.positives.size(), batch.negatives.size());
  collect(batch);
  forward(exec);
  const Loss loss{rank(batch, exec) / static_cast<double>(n), penalty(reg, n)};
  gradients(batch, exec);
  backward(reg, n, exec, visit);
  return loss;
}

template <class T>
void LightGcn<T>::collect(const LightGcnBatch& batch) {
  for (const std::uint32_t node : batch_nodes_) slot_[node] = LightGcnBatch::kNobody;
  batch_nodes_.clear();
  use_begin_.assign(1, 0);
  const std::size_t m = batch.per_example, roles = 2 + m;
  const auto for_uses = [&](auto visit) {
    for (std::size_t e = 0; e < batch.users.size(); ++e) {
      visit(batch.users[e], e * roles);
      visit(batch.positives[e], e * roles + 1);
      for (std::size_t j = 0; j < m; ++j)
        if (batch.negatives[e * m + j] != LightGcnBatch::kNobody) visit(batch.negatives[e * m + j], e * roles + 2 + j);
    }
  };
  for_uses([&](std::uint32_t node, std::size_t) {
    if (slot_[node] == LightGcnBatch::kNobody) {
      slot_[node] = static_cast<std::uint32_t>(batch_nodes_.size());
      batch_nodes_.push_back(node);
      use_begin_.push_back(0);
    }
    ++use_begin_[slot_[node] + 1];
  });
  for (std::size_t s = 0; s < batch_nodes_.size(); ++s) use_begin_[s + 1] += use_begin_[s];
  uses_.resize(use_begin_.back());
  std::vector<std::uint64_t> next(use_begin_.begin(), use_begin_.end() - 1);
  for_uses([&](std::uint32_t node, std::size_t use) { uses_[next[slot_[node]]++] = use; });
  for (Matrix<T>* m_ : {&final_, &gradient_, &scaled_}) keep_rows(*m_, batch_nodes_.size(), width_);
  d_positive_.resize(batch.users.size());
  d_negatives_.resize(batch.negatives.size());
}

// The last layer is needed at the nodes of the batch alone.
template <class T>
void LightGcn<T>::forward(const Executor& exec) {
  for (std::size_t l = 1; l < count_; ++l)
    graph_.for_parts(exec, [&](std::size_t first, std::size_t last) {
      for (std::size_t n = first; n < last; ++n) layer_of(n, layer(l - 1), row_of(layers_[l], n));
    });
  exec.for_blocks(batch_nodes_.size(), kSlots, [&](std::size_t first, std::size_t last) {
    for (std::size_t s = first; s < last; ++s) {
      const std::uint32_t node = batch_nodes_[s];
      T* out = row_of(final_, s);
      layer_of(node, layer(count_ - 1), out);
      for (std::size_t l = 1; l < count_; ++l) add_scaled(T(1), row_of(layers_[l], node), out, width_);
      if (root_[node] > 0) scale_row(1 / root_[node], out, out, width_);
      add_scaled(T(1), embeddings().row(node), out, width_);
      scale_row(T(1) / static_cast<T>(count_ + 1), out, out, width_);
    }
  });
}

template <class T>
double LightGcn<T>::rank(const LightGcnBatch& batch, const Executor& exec) {
  const std::size_t n = batch.users.size(), m = batch.per_example;
  const T scale = T(1) / static_cast<T>(n);
  return exec.reduce_blocks(
      n, kExamples, 0.0,
      [&](std::size_t first, std::size_t last) {
        double sum = 0;
        for (std::size_t e = first; e < last; ++e) {
          const T* user = row_of(final_, slot_[batch.users[e]]);
          const auto score = [&](std::uint32_t node) {
            return node == LightGcnBatch::kNobody ? -std::numeric_limits<T>::infinity()
                                                  : dot<T>(user, row_of(final_, slot_[node]), width_);
          };
          const std::span<T> d(&d_negatives_[e * m], m);
          for (std::size_t j = 0; j < m; ++j) d[j] = score(batch.negatives[e * m + j]);
          sum += nn::bpr<T>({score(batch.positives[e]), d}, scale, d_positive_[e], d);
        }
        return sum;
      },
      std::plus<>());
}

template <class T>
void LightGcn<T>::gradients(const LightGcnBatch& batch, const Executor& exec) {
  const std::size_t m = batch.per_example, roles = 2 + m;
  exec.for_blocks(batch_nodes_.size(), kSlots, [&](std::size_t first, std::size_t last) {
    for (std::size_t s = first; s < last; ++s) {
      T* out = row_of(gradient_, s);
      std::fill_n(out, width_, T(0));
      const auto add = [&](T by, std::uint32_t node) { add_scaled(by, row_of(final_, slot_[node]), out, width_); };
      for (std::size_t p = use_begin_[s]; p < use_begin_[s + 1]; ++p) {
        const std::size_t e = uses_[p] / roles, role = uses_[p] % roles;
        if (role == 1) add(d_positive_[e], batch.users[e]);
        if (role >= 2) add(d_negatives_[e * m + role - 2], batch.users[e]);
        if (role != 0) continue;
        add(d_positive_[e], batch.positives[e]);
        for (std::size_t j = 0; j < m; ++j)
          if (const std::uint32_t node = batch.negatives[e * m + j]; node != LightGcnBatch::kNobody)
            add(d_negatives_[e * m + j], node);
      }
      scale_row(root_[batch_nodes_[s]], out, row_of(scaled_, s), width_);
    }
  });
}

// Horner's scheme: with G the gradient at the mean, w_L = D^-1/2 G, w_(l-1) = D^-1/2 G + D^-1 A w_l, and the gradient
// of e_0 is (G + D^-1/2 A w_1) / (L + 1). G and w_L are zero but at the nodes of the batch.
template <class T>
void LightGcn<T>::backward(double reg, std::size_t examples, const Executor& exec, const Visit& visit) {
  const ConstView<T> sparse(scaled_.data(), batch_nodes_.size(), width_);
  // sum over neighbours of w_l into out, which is set.
  const auto gather = [&](std::size_t node, std::size_t l, Nodes& some, T* out) {
    std::fill_n(out, width_, T(0));
    const std::span<const std::uint32_t> all = graph_.neighbours(node);
    if (l < count_) return add_rows(layer(l), all, out);
    some.resize(all.size());
    std::size_t n = 0;
    for (const std::uint32_t other : all) {  // without branches: a coin decides whether a node is in the batch
      some[n] = slot_[other];
      n += slot_[other] != LightGcnBatch::kNobody;
    }
    add_rows(sparse, std::span<const std::uint32_t>(some).first(n), out);
  };
  for (std::size_t l = count_; l-- > 1;)
    graph_.for_parts(exec, [&](std::size_t first, std::size_t last) {
      Nodes some;
      for (std::size_t n = first; n < last; ++n) {
        T* out = row_of(layers_[l], n);
        gather(n, l + 1, some, out);
        scale_row(inverse_[n], out, out, width_);
        if (slot_[n] != LightGcnBatch::kNobody) add_scaled(T(1), row_of(scaled_, slot_[n]), out, width_);
      }
    });
  const T share = T(1) / static_cast<T>(count_ + 1);
  graph_.for_parts(exec, [&](std::size_t first, std::size_t last) {
    Nodes some;
    std::vector<T> gradient(width_);
    for (std::size_t n = first; n < last; ++n) {
      gather(n, 1, some, gradient.data());
      scale_row(root_[n] * share, gradient.data(), gradient.data(), width_);
      if (const std::uint32_t s = slot_[n]; s != LightGcnBatch::kNobody) {
        add_scaled(share, row_of(gradient_, s), gradient.data(), width_);
        const double times = static_cast<double>(use_begin_[s + 1] - use_begin_[s]);
        add_scaled(static_cast<T>(reg * times / static_cast<double>(examples)), embeddings().row(n), gradient.data(),
                   width_);
      }
      visit(n, gradient);
      scale_row(root_[n], embeddings().row(n), row_of(layers_[0], n), width_);
    }
  });
}

template <class T>
double LightGcn<T>::penalty(double reg, std::size_t examples) const {
  if (reg == 0) return 0;
  const ConstView<T> e = params_[block_];
  double sum = 0;
  for (std::size_t s = 0; s < batch_nodes_.size(); ++s) {
    const T* row = e.row(batch_nodes_[s]);
    sum += static_cast<double>(use_begin_[s + 1] - use_begin_[s]) * static_cast<double>(dot<T>(row, row, width_));
  }
  return reg / (2 * static_cast<double>(examples)) * sum;
}

template <class T>
void LightGcn<T>::propagate(View<T> users, View<T> items, View<T> item_sums, const Executor& exec) {
  SEGUE_CHECK(users.rows == graph_.users() && users.rows + items.rows == graph_.nodes() &&
                  item_sums.rows == items.rows && users.cols <= width_ && items.cols == users.cols &&
                  item_sums.cols == users.cols,
              "{} users of {} nodes into {}x{}, {}x{} and {}x{}", graph_.users(), graph_.nodes(), users.rows,
              users.cols, items.rows, items.cols, item_sums.rows, item_sums.cols);
  refresh(exec);
  for (std::size_t l = 1; l < count_; ++l)
    graph_.for_parts(exec, [&](std::size_t first, std::size_t last) {
      for (std::size_t n = first; n < last; ++n) layer_of(n, layer(l - 1), row_of(layers_[l], n));
    });
  const T share = T(1) / static_cast<T>(count_ + 1);
  graph_.for_parts(exec, [&](std::size_t first, std::size_t last) {
    std::vector<T> row(width_);
    for (std::size_t n = first; n < last; ++n) {
      layer_of(n, layer(count_ - 1), row.data());
      const bool is_user = n < users.rows;
      T* out = is_user ? users.row(n) : items.row(n - users.rows);
      for (std::size_t c = 0; c < users.cols; ++c) {
        T sum = 0;
        for (std::size_t l = 1; l < count_; ++l)
          sum += layers_[l](static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(c));
        const T back = root_[n] > 0 ? 1 / root_[n] : T(0);
        out[c] = (embeddings()(n, c) + back * (sum + row[c])) * share;
        if (!is_user)
          item_sums(n - users.rows, c) = sum + layers_[0](static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(c));
      }
    }
  });
}

void lightgcn_fold_in(ConstView<float> sums, std::span<const std::uint32_t> known, std::size_t layers,
                      std::span<float> out) {
  std::fill(out.begin(), out.end(), 0.0f);
  if (known.empty()) return;
  for (const std::uint32_t item : known)
    for (std::size_t c = 0; c < out.size(); ++c) out[c] += sums(item, c);
  const auto scale =
      static_cast<float>(1 / (static_cast<double>(layers + 1) * std::sqrt(static_cast<double>(known.size()))));
  for (float& x : out) x *= scale;
}

template class LightGcn<float>;
template class LightGcn<double>;

}  // namespace segue
