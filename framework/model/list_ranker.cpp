#include "framework/model/list_ranker.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "framework/base/errors.hpp"
#include "framework/nn/dense.hpp"
#include "framework/nn/loss.hpp"

namespace segue {

namespace {

constexpr nn::BlockId kSum{0}, kHidden{1}, kBias{2}, kOut{3};

template <class T>
Matrix<T> zeros(std::size_t rows, std::size_t cols) {
  return Matrix<T>::Zero(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
}

// What a list's scores are made of: the hidden layer before and after its activation.
template <class T>
struct Pass {
  Matrix<T> before, after, scores;
  Pass(const RankerShape& shape, const nn::ParamStore<T>& params, ConstView<T> rows)
      : before(zeros<T>(rows.rows, shape.hidden)), after(before), scores(zeros<T>(rows.rows, 1)) {
    nn::dense_forward<T>(rows, params[kSum], {}, scores);
    if (shape.hidden == 0) return;
    nn::dense_forward<T>(rows, params[kHidden], params[kBias], before);
    nn::activate<T>(nn::Activation::kRelu, before, after);
    gemm<T>(after, params[kOut], scores, Gemm::kAdd);
  }
};

}  // namespace

template <class T>
ListRanker<T>::ListRanker(RankerShape shape, const Rng& rng) : shape_(shape) {
  params_.add("sum", shape.features, 1);
  if (shape.hidden == 0) return;
  params_.add("hidden", shape.features, shape.hidden);
  params_.add("bias", 1, shape.hidden);
  params_.add("out", shape.hidden, 1);
  nn::init_xavier(params_[kHidden], rng.stream("hidden"));
}

template <class T>
void ListRanker<T>::score(ConstView<T> rows, std::span<T> out) const {
  const Pass<T> pass(shape_, params_, rows);
  for (std::size_t r = 0; r < rows.rows; ++r) out[r] = pass.scores(static_cast<Eigen::Index>(r), 0);
}

template <class T>
double ListRanker<T>::learn(ConstView<T> rows, std::span<const std::uint32_t> targets, T scale,
                            nn::ParamStore<T>& gradients) const {
  SEGUE_CHECK(!targets.empty(), "a list of which nothing came true");
  Pass<T> pass(shape_, params_, rows);
  Matrix<T>& d = pass.scores;  // becomes the gradient
  const T each = scale / static_cast<T>(targets.size());
  const double loss = nn::softmax_multinomial<T>({d.data(), rows.rows}, targets, each) * static_cast<double>(each);
  nn::dense_backward_params<T>(rows, d, gradients[kSum], {});
  if (shape_.hidden == 0) return loss;
  nn::dense_backward_params<T>(pass.after, d, gradients[kOut], {});
  Matrix<T> dh = zeros<T>(rows.rows, shape_.hidden);
  nn::dense_backward_input<T>(d, params_[kOut], dh);
  nn::activate_backward<T>(nn::Activation::kRelu, pass.before, dh, dh);
  nn::dense_backward_params<T>(rows, dh, gradients[kHidden], gradients[kBias]);
  return loss;
}

std::size_t RankedLists::add(std::span<const ItemIdx> items, ConstMatRef<float> of_items,
                             std::span<const ItemIdx> true_items) {
  std::vector<std::uint32_t> hits;
  for (std::size_t e = 0; e < items.size(); ++e)
    if (std::binary_search(true_items.begin(), true_items.end(), items[e]))
      hits.push_back(static_cast<std::uint32_t>(e));
  if (hits.empty()) return 0;
  for (Eigen::Index r = 0; r < of_items.rows(); ++r)
    for (Eigen::Index f = 0; f < of_items.cols(); ++f) rows.push_back(of_items(r, f));
  offsets.push_back(offsets.back() + items.size());
  targets.insert(targets.end(), hits.begin(), hits.end());
  target_offsets.push_back(targets.size());
  return hits.size();
}

FeatureScale FeatureScale::learn(const RankedLists& lists) {
  FeatureScale out;
  const std::size_t n = lists.offsets.back();
  for (std::size_t f = 0; f < lists.features; ++f) {
    double sum = 0, squares = 0;
    for (std::size_t r = 0; r < n; ++r) sum += double{lists.rows[r * lists.features + f]};
    const double mean = n == 0 ? 0 : sum / static_cast<double>(n);
    for (std::size_t r = 0; r < n; ++r) {
      const double x = double{lists.rows[r * lists.features + f]} - mean;
      squares += x * x;
    }
    const double deviation = n == 0 ? 0 : std::sqrt(squares / static_cast<double>(n));
    out.mean.push_back(static_cast<float>(mean));
    out.by.push_back(deviation > 1e-9 ? static_cast<float>(1 / deviation) : 0.0f);
  }
  return out;
}

void FeatureScale::apply(std::span<float> row) const {
  for (std::size_t f = 0; f < row.size(); ++f) row[f] = (row[f] - mean[f]) * by[f];
}

double train_epoch(ListRanker<float>& ranker, nn::Optimizer<float>& optimizer, const RankedLists& lists, int epoch,
                   std::size_t batch, const Rng& rng, const Executor& exec) {
  std::vector<std::size_t> order(lists.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  rng.stream("order", static_cast<std::uint64_t>(epoch)).shuffle(std::span(order));
  double total = 0;
  for (std::size_t begin = 0; begin < order.size(); begin += batch) {
    const std::size_t n = std::min(batch, order.size() - begin);
    std::vector<nn::ParamStore<float>> gradients(n, ranker.params().zeros_like());
    std::vector<double> losses(n);
    exec.for_blocks(n, 1, [&](std::size_t k, std::size_t) {
      const std::size_t l = order[begin + k];
      losses[k] = ranker.learn(lists.list(l), lists.targets_of(l), 1.0f / static_cast<float>(n), gradients[k]);
    });
    for (std::size_t k = 1; k < n; ++k)
      for (std::size_t p = 0; p < gradients[k].size(); ++p) gradients[0].all()[p] += gradients[k].all()[p];
    optimizer.begin_step();
    optimizer.update(0, ranker.params().all(), std::as_const(gradients[0]).all());
    for (const double loss : losses) total += loss * static_cast<double>(n);
  }
  return order.empty() ? 0 : total / static_cast<double>(order.size());
}

template class ListRanker<float>;
template class ListRanker<double>;

}  // namespace segue
