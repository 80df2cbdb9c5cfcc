#include "framework/nn/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "framework/base/errors.hpp"
#include "framework/base/memory.hpp"
#include "framework/nn/lanes.hpp"

namespace segue::nn {

namespace {

constexpr std::size_t kPowers = 4096;  // precomputed; rows that rest longer are rare
constexpr double kVanished = 1e-30;    // of a moment's decay: zero rather than slow denormals

double decayed(double power) { return power < kVanished ? 0 : power; }
double power(const std::vector<double>& table, double base, std::uint64_t k) {
  return k < table.size() ? table[k] : decayed(std::pow(base, static_cast<double>(k)));
}

}  // namespace

double rate_factor(Decay decay, std::uint64_t step, std::uint64_t warmup, std::uint64_t total) {
  const auto s = static_cast<double>(step), w = static_cast<double>(warmup), n = static_cast<double>(total);
  if (step < warmup) return s / w;
  const double done = n > w ? std::clamp((s - w) / (n - w), 0.0, 1.0) : 0;
  switch (decay) {
    case Decay::kConstant:
      return 1;
    case Decay::kLinear:
      return 1 - done;
    case Decay::kCosine:
      return 0.5 * (1 + std::cos(std::numbers::pi * done));
    case Decay::kInverseSqrt:
      return std::sqrt(std::max(w, 1.0) / std::max(s, 1.0));
  }
  return 1;
}

template <class T>
Optimizer<T>::Optimizer(const OptimizerSettings& settings, const ParamStore<T>& store) : settings_(settings) {
  const auto n = static_cast<Eigen::Index>(store.size());
  const bool adam = settings.kind == OptimizerKind::kAdam || settings.kind == OptimizerKind::kAdamW;
  const auto zeros = [n](Vector<T>& of, bool needed) {
    if (!needed) return;
    of.resize(n);
    prefer_large_pages(of.data(), static_cast<std::size_t>(n) * sizeof(T));
    of.setZero();
  };
  zeros(first_, adam || settings.momentum != 0);
  zeros(second_, adam || settings.kind == OptimizerKind::kAdagrad);
  if (!adam) return;
  for (std::size_t k = 0; k < kPowers; ++k) {
    power1_.push_back(decayed(std::pow(settings.beta1, static_cast<double>(k))));
    power2_.push_back(decayed(std::pow(settings.beta2, static_cast<double>(k))));
  }
}

template <class T>
void Optimizer<T>::resume(std::uint64_t steps) {
  step_ = first_step_ = folded_ = steps;
  reach_.clear();
  past_.clear();
}

template <class T>
void Optimizer<T>::begin_step(double rate_factor) {
  fold();
  ++step_;
  const auto t = static_cast<double>(step_);
  now_.rate = settings_.learning_rate * rate_factor;
  if (!power1_.empty()) {
    now_.correct1 = 1 - std::pow(settings_.beta1, t);
    now_.correct2 = std::sqrt(1 - std::pow(settings_.beta2, t));
  }
  past_.push_back(now_);
}

template <class T>
bool Optimizer<T>::closed_form() const {
  return settings_.kind == OptimizerKind::kAdam && settings_.weight_decay == 0 &&
         settings_.beta1 < 0.99 * std::sqrt(settings_.beta2);
}

template <class T>
bool Optimizer<T>::moves_without_gradient() const {
  return !power1_.empty() || settings_.momentum != 0 || settings_.weight_decay != 0;
}

template <class T>
void Optimizer<T>::fold() {
  if (folded_ == step_) return;
  folded_ = step_;
  reach_.push_back({});  // of rows that were current before this step
  if (!closed_form()) return;
  const double rho = settings_.beta1 / std::sqrt(settings_.beta2);
  const double weight = now_.rate * now_.correct2 / now_.correct1;
  const double still = 1 / std::sqrt(settings_.beta2);
  double decay = rho, eps = settings_.epsilon * now_.correct2 * still;
  for (std::size_t j = reach_.size(); j-- > 0 && decay > 1e-17; decay *= rho, eps *= still) {
    reach_[j].length += weight * decay;
    reach_[j].epsilon += weight * decay * eps;
  }
}

template <class T>
void Optimizer<T>::update(std::size_t offset, std::span<T> values, std::span<const T> gradients) {
  apply(now_, offset, values.data(), gradients.data(), values.size());
}

template <class T>
void Optimizer<T>::apply(const Step& step, std::size_t offset, T* p, const T* g, std::size_t n) {
  using V = LaneOf<T>;
  const auto o = static_cast<Eigen::Index>(offset);
  const auto gradient = [=](const auto& part) { return g == nullptr ? all<V>(0) : part.load(g); };
  const V rate = all<V>(step.rate), l2 = all<V>(settings_.weight_decay);
  const bool decays = settings_.weight_decay != 0;
  switch (settings_.kind) {
    case OptimizerKind::kSgd: {
      T* velocity = settings_.momentum != 0 ? first_.data() + o : nullptr;
      const V momentum = all<V>(settings_.momentum);
      for_parts<T>(n, [=](auto part) {
        const V x = part.load(p);
        V d = gradient(part);
        if (decays) d = fma(l2, x, d);
        if (velocity != nullptr) part.store(velocity, d = fma(momentum, part.load(velocity), d));
        part.store(p, x - rate * d);
      });
      return;
    }
    case OptimizerKind::kAdagrad: {
      T* velocity = settings_.momentum != 0 ? first_.data() + o : nullptr;
      T* sum = second_.data() + o;
      const V momentum = all<V>(settings_.momentum), eps = all<V>(settings_.epsilon);
      for_parts<T>(n, [=](auto part) {
        const V x = part.load(p);
        V d = gradient(part);
        if (decays) d = fma(l2, x, d);
        const V squares = fma(d, d, part.load(sum));
        part.store(sum, squares);
        d = rate * d / (sqrt(squares) + eps);
        if (velocity != nullptr) part.store(velocity, d = fma(momentum, part.load(velocity), d));
        part.store(p, x - d);
      });
      return;
    }
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamW:
      break;
  }
  T *first = first_.data() + o, *second = second_.data() + o;
  const bool decoupled = settings_.kind == OptimizerKind::kAdamW;
  const V beta1 = all<V>(settings_.beta1), rest1 = all<V>(1 - settings_.beta1), beta2 = all<V>(settings_.beta2),
          rest2 = all<V>(1 - settings_.beta2);
  const V length = all<V>(step.rate * step.correct2 / step.correct1), eps = all<V>(settings_.epsilon * step.correct2);
  const V keep = all<V>(decoupled ? 1 - step.rate * settings_.weight_decay : 1);
  for_parts<T>(n, [=](auto part) {
    V x = part.load(p), d = gradient(part);
    if (decays && decoupled) x = x * keep;
    if (decays && !decoupled) d = fma(l2, x, d);
    const V m = fma(beta1, part.load(first), rest1 * d), v = fma(beta2, part.load(second), rest2 * (d * d));
    part.store(first, m);
    part.store(second, v);
    part.store(p, x - length * m / (sqrt(v) + eps));
  });
}

template <class T>
void Optimizer<T>::prefetch(std::size_t offset, std::span<const T> values) const {
  constexpr std::size_t kLine = 64 / sizeof(T);
  for (std::size_t i = 0; i < values.size() + kLine - 1; i += kLine) {
    const std::size_t at = std::min(i, values.size() - 1);
    __builtin_prefetch(values.data() + at);
    if (first_.size() > 0) __builtin_prefetch(first_.data() + offset + at);
    if (second_.size() > 0) __builtin_prefetch(second_.data() + offset + at);
  }
}

template <class T>
void Optimizer<T>::catch_up(std::size_t offset, std::span<T> values, std::uint64_t last) {
  if (last == folded_ || !moves_without_gradient()) return;
  const std::size_t from = last - first_step_;
  if (!closed_form()) {
    for (std::size_t s = from; s < folded_ - first_step_; ++s)
      apply(past_[s], offset, values.data(), nullptr, values.size());
    return;
  }
  using V = LaneOf<T>;
  const auto o = static_cast<Eigen::Index>(offset);
  const std::uint64_t k = folded_ - last;
  const V decay1 = all<V>(power(power1_, settings_.beta1, k)), decay2 = all<V>(power(power2_, settings_.beta2, k));
  const Reach& reach = reach_[from];
  const V length = all<V>(reach.length),
          eps = all<V>(reach.length > 0 ? reach.epsilon / reach.length : settings_.epsilon);
  T *first = first_.data() + o, *second = second_.data() + o, *p = values.data();
  for_parts<T>(values.size(), [&](auto part) {
    const V m = part.load(first), v = part.load(second);
    part.store(p, part.load(p) - length * m / (sqrt(v) + eps));
    part.store(first, m * decay1);
    part.store(second, v * decay2);
  });
}

template <class T>
std::vector<std::span<T>> Optimizer<T>::state() {
  return {{first_.data(), static_cast<std::size_t>(first_.size())},
          {second_.data(), static_cast<std::size_t>(second_.size())}};
}

template <class T>
RowTable<T>::RowTable(ParamStore<T>& store, BlockId block, Optimizer<T>& optimizer, RowMode mode)
    : values_(store[block]),
      offset_(store.block(block).offset),
      optimizer_(optimizer),
      deferred_(mode == RowMode::kDense && optimizer.moves_without_gradient()),
      current_(deferred_ ? values_.rows : 0, optimizer.steps()) {}

template <class T>
void RowTable<T>::bring(std::size_t row) {
  if (!deferred_) return;
  optimizer_.catch_up(offset_ + row * values_.stride, values_.span(row), current_[row]);
  current_[row] = optimizer_.folded();
}

template <class T>
void RowTable<T>::update(std::size_t row, std::span<const T> gradient) {
  optimizer_.update(offset_ + row * values_.stride, values_.span(row), gradient);
  if (deferred_) current_[row] = optimizer_.steps();
}

template <class T>
void RowTable<T>::update(std::span<const std::uint32_t> rows, ConstView<T> gradients) {
  constexpr std::size_t kAhead = 4;
  const auto prefetch = [&](std::size_t i) {
    if (i < rows.size()) optimizer_.prefetch(offset_ + rows[i] * values_.stride, values_.span(rows[i]));
  };
  for (std::size_t i = 0; i < kAhead; ++i) prefetch(i);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    prefetch(i + kAhead);
    update(rows[i], gradients.span(i));
  }
}

template <class T>
void RowTable<T>::finish() {
  optimizer_.fold();
  if (!deferred_) return;
  for (std::size_t row = 0; row < values_.rows; ++row) bring(row);
}

template <class T>
void RowTable<T>::resume() {
  std::fill(current_.begin(), current_.end(), optimizer_.steps());
}

template <class T>
double norm_of(std::span<const T> gradients) {
  constexpr std::size_t kBlock = 4096;  // partial sums, so that the error does not grow with the number of parameters
  double total = 0;
  for (std::size_t begin = 0; begin < gradients.size(); begin += kBlock) {
    double sum = 0;
    for (const T x : gradients.subspan(begin, std::min(kBlock, gradients.size() - begin))) sum += double{x} * double{x};
    total += sum;
  }
  return std::sqrt(total);
}

template <class T>
void average_in(std::span<T> average, std::span<const T> values, double decay) {
  using V = LaneOf<T>;
  SEGUE_CHECK(average.size() == values.size(), "average of {} values in {}", values.size(), average.size());
  for_parts<T>(values.size(), [&](auto part) {
    const V old = part.load(average.data());
    part.store(average.data(), fma(all<V>(1 - decay), part.load(values.data()) - old, old));
  });
}

template class Optimizer<float>;
template class Optimizer<double>;
template class RowTable<float>;
template class RowTable<double>;
template double norm_of(std::span<const float>);
template double norm_of(std::span<const double>);
template void average_in(std::span<float>, std::span<const float>, double);
template void average_in(std::span<double>, std::span<const double>, double);

}  // namespace segue::nn
