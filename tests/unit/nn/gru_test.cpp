#include "framework/nn/gru.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

#include "framework/linalg/gemm.hpp"
#include "framework/nn/gradcheck.hpp"
#include "framework/nn/gru_stack.hpp"

namespace segue::nn {
namespace {

template <class T>
Matrix<T> random(std::size_t rows, std::size_t cols, std::uint64_t seed, double stddev = 1) {
  Matrix<T> out(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols));
  init_normal(View<T>(out), stddev, Rng(seed));
  return out;
}
std::span<double> span(Matrix<double>& m) { return {m.data(), static_cast<std::size_t>(m.size())}; }

GruSteps steps_of(std::vector<std::size_t> lanes, std::vector<std::size_t> restarts = {}) {
  GruSteps out;
  for (const std::size_t n : lanes) out.begin.push_back(out.begin.back() + n);
  if (!restarts.empty()) out.restarts.resize(out.rows());
  for (const std::size_t row : restarts) out.restarts[row] = 1;
  return out;
}
// Lanes of lengths 4, 4, 2, 1, 1; the second begins anew at its third step, the third at its first.
GruSteps ragged() { return steps_of({5, 3, 2, 2}, {2, 9}); }

template <class T>
struct Layer {
  ParamStore<T> store;
  GruIds ids;
  Layer(std::size_t in, std::size_t width, std::uint64_t seed) {
    ids = add_gru(store, "gru", in, width);
    init_normal(View<T>(store.all().data(), 1, store.size()), 0.4, Rng(seed));
  }
  GruBlocks<T> blocks() { return gru_blocks(store, ids); }
};

// One row of one lane, sum by sum from the equations.
std::vector<double> cell(const GruBlocks<const double>& w, std::span<const double> x, const std::vector<double>& h) {
  const std::size_t width = w.width();
  const auto from_input = [&](std::size_t block, std::size_t c) {
    double sum = w.bias(0, block * width + c);
    for (std::size_t i = 0; i < x.size(); ++i) sum += x[i] * w.input(i, block * width + c);
    return sum;
  };
  const auto from_state = [&](std::size_t block, std::size_t c) {
    double sum = 0;
    for (std::size_t i = 0; i < width; ++i) sum += h[i] * w.hidden(i, block * width + c);
    return sum;
  };
  std::vector<double> out(width);
  for (std::size_t c = 0; c < width; ++c) {
    const double r = 1 / (1 + std::exp(-from_input(1, c) - from_state(0, c)));
    const double z = 1 / (1 + std::exp(-from_input(2, c) - from_state(1, c)));
    const double n = std::tanh(from_input(0, c) + r * (from_state(2, c) + w.bias(0, 3 * width + c)));
    out[c] = (1 - z) * n + z * h[c];
  }
  return out;
}

template <class T>
double worst_against_oracle() {
  const std::size_t in = 7, width = 21;
  const GruSteps steps = ragged();
  Layer<double> exact(in, width, 1);
  Layer<T> layer(in, width, 1);
  const Matrix<double> x = random<double>(steps.rows(), in, 2), initial = random<double>(5, width, 3);
  const Matrix<T> x_t = x.template cast<T>(), initial_t = initial.template cast<T>();
  Matrix<T> h(x.rows(), static_cast<Eigen::Index>(width));
  GruCache<T> cache;
  gru_forward<T>(ConstView<T>(x_t), steps, ConstView<T>(initial_t), layer.blocks(), View<T>(h), cache);
  double worst = 0;
  for (std::size_t lane = 0; lane < 5; ++lane) {
    std::vector<double> state(width);
    for (std::size_t c = 0; c < width; ++c) state[c] = ConstView<double>(initial)(lane, c);
    for (std::size_t t = 0; t < steps.count() && lane < steps.lanes(t); ++t) {
      const std::size_t row = steps.begin[t] + lane;
      if (steps.restarts_at(row)) state.assign(width, 0);
      state = cell(exact.blocks(), ConstView<double>(x).span(row), state);
      for (std::size_t c = 0; c < width; ++c)
        worst = std::max(worst, std::abs(state[c] - static_cast<double>(View<T>(h)(row, c))));
    }
  }
  return worst;
}

TEST(Gru, DoesWhatTheEquationsSayLaneByLane) {
  EXPECT_LT(worst_against_oracle<double>(), 1e-13);
  EXPECT_LT(worst_against_oracle<float>(), 2e-6);
}

// torch.nn.GRU(3, 2) of PyTorch 1.13 in double: parameters, four inputs and the first state are 0.7 sin(1), 0.7 sin(2),
// ... in the order weight_ih, weight_hh, bias_ih, bias_hh, x, h0; the loss is the sum of outputs times the numbers
// below.
TEST(Gru, GivesTheStatesAndGradientsOfPyTorch) {
  std::size_t k = 0;
  const auto next = [&] { return 0.7 * std::sin(static_cast<double>(++k)); };
  ParamStore<double> store;
  const GruIds ids = add_gru(store, "gru", 3, 2);
  const GruBlocks<double> w = gru_blocks(store, ids);
  // Theirs has the gates r, z, n one below the other; where their columns are in ours.
  constexpr std::size_t kInput[] = {1, 2, 0}, kHidden[] = {0, 1, 2}, kInputBias[] = {1, 2, 0},
                        kHiddenBias[] = {1, 2, 3};
  for (std::size_t gate = 0; gate < 3; ++gate)
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t i = 0; i < 3; ++i) w.input(i, kInput[gate] * 2 + c) = next();
  for (std::size_t gate = 0; gate < 3; ++gate)
    for (std::size_t c = 0; c < 2; ++c)
      for (std::size_t i = 0; i < 2; ++i) w.hidden(i, kHidden[gate] * 2 + c) = next();
  for (const auto& where : {kInputBias, kHiddenBias})
    for (std::size_t gate = 0; gate < 3; ++gate)
      for (std::size_t c = 0; c < 2; ++c) w.bias(0, where[gate] * 2 + c) += next();
  Matrix<double> x(4, 3), initial(1, 2), h(4, 2), dx(4, 3), dinitial(1, 2), dh(4, 2);
  for (double& v : span(x)) v = next();
  for (double& v : span(initial)) v = next();
  dh << 1, 2, 3, -1, 0.5, 1, -2, 1;
  const GruSteps steps = steps_of({1, 1, 1, 1});
  GruCache<double> cache;
  gru_forward<double>(View<double>(x), steps, View<double>(initial), w, View<double>(h), cache);
  Matrix<double> input_t(6, 3), hidden_t(6, 2);
  transpose<double>(w.input, View<double>(input_t));
  transpose<double>(w.hidden, View<double>(hidden_t));
  gru_backward_input<double>(View<double>(dh), steps, {input_t, hidden_t}, View<double>(dx), View<double>(dinitial),
                             cache);
  ParamStore<double> gradients = store.zeros_like();
  const GruBlocks<double> d = gru_blocks(gradients, ids);
  gru_backward_params<double>(View<double>(x), cache, d);

  const double states[] = {-0.651454452804652, -0.483171159598405, -0.634013907017260, -0.502133556964728,
                           -0.610940313639176, -0.528654443803063, -0.586231044802095, -0.586893499804222};
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(span(h)[i], states[i], 1e-14);
  const double dxs[] = {-0.100219508491366, -0.200348718696490, -0.116278240887515, 0.016767187724193,
                        0.065019295483482,  0.053492962827102,  -0.094711270006436, -0.296294751346289,
                        -0.225466204731618, -0.068064024826597, -0.231454424607893, -0.182046693811459};
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(span(dx)[i], dxs[i], 1e-14);
  EXPECT_NEAR(dinitial(0, 0), 2.208664334670802, 1e-14);
  EXPECT_NEAR(dinitial(0, 1), 1.370530419929406, 1e-14);
  const double of_hidden[] = {0.01109705686937439,  0.001451112153630625, 0.002884376276915496, 0.001407073994937935,
                              0.04554179451205422,  0.01299265995762700,  -0.1497599740969205,  -0.09008969453686536,
                              -0.01923333765890502, -0.0001900005013589,  -0.2954535117392970,  -0.2058737487129796};
  for (std::size_t row = 0; row < 6; ++row)
    for (std::size_t i = 0; i < 2; ++i) EXPECT_NEAR(d.hidden(i, row), of_hidden[row * 2 + i], 1e-14);
  const double of_bias[] = {-0.013075748582993, -0.004062921850333, -0.058383832884237,
                            0.220970892654098,  0.021108251464951,  0.451819746654907};
  for (std::size_t row = 0; row < 6; ++row) EXPECT_NEAR(d.bias(0, 2 + row), of_bias[row], 1e-14);
}

TEST(Gru, GradientsAreThoseOfTheLossAcrossSteps) {
  const std::size_t in = 5, width = 6;
  const GruSteps steps = ragged();
  Layer<double> layer(in, width, 1);
  Matrix<double> x = random<double>(steps.rows(), in, 2), initial = random<double>(5, width, 3);
  const Matrix<double> weight = random<double>(steps.rows(), width, 4);  // loss = sum of weight * h
  Matrix<double> h(weight.rows(), weight.cols()), dx(x.rows(), x.cols()), dinitial(initial.rows(), initial.cols());
  GruCache<double> cache;
  const auto loss = [&] {
    gru_forward<double>(View<double>(x), steps, View<double>(initial), layer.blocks(), View<double>(h), cache);
    return (h.array() * weight.array()).sum();
  };
  loss();
  Matrix<double> input_t(static_cast<Eigen::Index>(3 * width), static_cast<Eigen::Index>(in));
  Matrix<double> hidden_t(static_cast<Eigen::Index>(3 * width), static_cast<Eigen::Index>(width));
  transpose<double>(layer.blocks().input, View<double>(input_t));
  transpose<double>(layer.blocks().hidden, View<double>(hidden_t));
  gru_backward_input<double>(ConstView<double>(weight), steps, {input_t, hidden_t}, View<double>(dx),
                             View<double>(dinitial), cache);
  ParamStore<double> gradients = layer.store.zeros_like();
  gru_backward_params<double>(View<double>(x), cache, gru_blocks(gradients, layer.ids));
  const auto check = [&](const char* what, std::span<double> values, std::span<const double> analytic) {
    const GradientCheck result = check_gradient(loss, values, analytic, Rng(5));
    std::printf("gru %s: worst relative error %.2g of %zu\n", what, result.worst, result.checked);
    EXPECT_LT(result.worst, 1e-6) << what << " " << result.index << ": " << result.analytic << ", " << result.numeric;
    EXPECT_GT(result.checked, 0u);
  };
  check("inputs", span(x), span(dx));
  check("initial states", span(initial), span(dinitial));
  check("parameters", layer.store.all(), gradients.all());
  for (std::size_t c = 0; c < width; ++c) EXPECT_EQ(View<double>(dinitial)(2, c), 0);  // the lane that begins anew
}

TEST(Gru, ALanesBitsDoNotDependOnTheOthers) {
  const std::size_t in = 20, width = 36;
  const GruSteps steps = steps_of({4, 4, 3});
  Layer<float> layer(in, width, 1);
  const Matrix<float> x = random<float>(steps.rows(), in, 2), dh = random<float>(steps.rows(), width, 3);
  Matrix<float> input_t(static_cast<Eigen::Index>(3 * width), static_cast<Eigen::Index>(in));
  Matrix<float> hidden_t(static_cast<Eigen::Index>(3 * width), static_cast<Eigen::Index>(width));
  transpose<float>(layer.blocks().input, View<float>(input_t));
  transpose<float>(layer.blocks().hidden, View<float>(hidden_t));
  const auto run = [&](const Matrix<float>& rows, const Matrix<float>& gradients, const GruSteps& of) {
    Matrix<float> h(gradients.rows(), gradients.cols()), dx(rows.rows(), rows.cols());
    GruCache<float> cache;
    gru_forward<float>(ConstView<float>(rows), of, {}, layer.blocks(), View<float>(h), cache);
    gru_backward_input<float>(ConstView<float>(gradients), of, {input_t, hidden_t}, View<float>(dx), {}, cache);
    return std::pair(h, dx);
  };
  const auto [h, dx] = run(x, dh, steps);
  for (std::size_t lane = 0; lane < 4; ++lane) {
    const std::size_t length = lane < 3 ? 3 : 2;
    Matrix<float> own(static_cast<Eigen::Index>(length), x.cols()), own_dh(own.rows(), dh.cols());
    for (std::size_t t = 0; t < length; ++t) {
      own.row(static_cast<Eigen::Index>(t)) = x.row(static_cast<Eigen::Index>(steps.begin[t] + lane));
      own_dh.row(static_cast<Eigen::Index>(t)) = dh.row(static_cast<Eigen::Index>(steps.begin[t] + lane));
    }
    const auto [own_h, own_dx] = run(own, own_dh, steps_of(std::vector<std::size_t>(length, 1)));
    for (std::size_t t = 0; t < length; ++t) {
      const auto r = static_cast<Eigen::Index>(t), all = static_cast<Eigen::Index>(steps.begin[t] + lane);
      EXPECT_EQ(std::memcmp(own_h.row(r).data(), h.row(all).data(), width * sizeof(float)), 0);
      EXPECT_EQ(std::memcmp(own_dx.row(r).data(), dx.row(all).data(), in * sizeof(float)), 0);
    }
  }
}

// Truncated gradients are those of a loss whose states stand still where a chunk begins.
TEST(Gru, NoGradientGoesBackFromAChunkToTheOneBefore) {
  const std::size_t in = 3, width = 4;
  GruSteps steps = steps_of({2, 2, 2, 1});
  steps.chunk = 2;
  Layer<double> layer(in, width, 1);
  const Matrix<double> x = random<double>(7, in, 2), dh = random<double>(7, width, 3);
  Matrix<double> input_t(12, 3), hidden_t(12, 4);
  transpose<double>(layer.blocks().input, View<double>(input_t));
  transpose<double>(layer.blocks().hidden, View<double>(hidden_t));
  Matrix<double> h(7, 4), dx(7, 3), part_h(4, 4), part_dx(4, 3);
  GruCache<double> cache;
  ParamStore<double> gradients = layer.store.zeros_like(), parts = gradients;
  gru_forward<double>(ConstView<double>(x), steps, {}, layer.blocks(), View<double>(h), cache);
  gru_backward_input<double>(ConstView<double>(dh), steps, {input_t, hidden_t}, View<double>(dx), {}, cache);
  gru_backward_params<double>(ConstView<double>(x), cache, gru_blocks(gradients, layer.ids));
  for (const auto& [begin, end, of] : {std::tuple{0u, 4u, steps_of({2, 2})}, {4u, 7u, steps_of({2, 1})}}) {
    const ConstView<double> rows = ConstView<double>(x).some_rows(begin, end);
    const ConstView<double> before = begin == 0 ? ConstView<double>() : ConstView<double>(h).some_rows(2, 4);
    const View<double> to = View<double>(part_h).some_rows(0, end - begin),
                       to_dx = View<double>(part_dx).some_rows(0, end - begin);
    gru_forward<double>(rows, of, before, layer.blocks(), to, cache);
    gru_backward_input<double>(ConstView<double>(dh).some_rows(begin, end), of, {input_t, hidden_t}, to_dx, {}, cache);
    gru_backward_params<double>(rows, cache, gru_blocks(parts, layer.ids));
    for (std::size_t r = begin; r < end; ++r)
      for (std::size_t c = 0; c < width; ++c) EXPECT_EQ(View<double>(h)(r, c), to(r - begin, c));
    for (std::size_t r = begin; r < end; ++r)
      for (std::size_t c = 0; c < in; ++c) EXPECT_EQ(View<double>(dx)(r, c), to_dx(r - begin, c));
  }
  for (std::size_t i = 0; i < gradients.size(); ++i) EXPECT_NEAR(gradients.all()[i], parts.all()[i], 1e-14);
}

TEST(Gru, RefusesStepsThatGrow) {
  Layer<float> layer(2, 3, 1);
  Matrix<float> x = Matrix<float>::Zero(3, 2), h(3, 3);
  GruCache<float> cache;
  EXPECT_THROW(gru_forward<float>(View<float>(x), steps_of({1, 2}), {}, layer.blocks(), View<float>(h), cache),
               std::exception);
}

struct StackCase {
  ParamStore<double> store;
  GruStack<double> stack;
  StackCase() : stack(store, "gru", 4, 5, 2) { stack.init(store, Rng(1)); }
};

TEST(GruStack, GradientsAreThoseOfTheLossWithDropout) {
  StackCase of;
  const GruSteps steps = ragged();
  Matrix<double> x = random<double>(steps.rows(), 4, 2), dx(x.rows(), x.cols());
  const Matrix<double> weight = random<double>(steps.rows(), 5, 4);
  const std::vector<Matrix<double>> before{random<double>(5, 5, 6), random<double>(5, 5, 7)};
  GruPass<double> pass;
  const auto loss = [&] {
    std::vector<Matrix<double>> states = before;
    const ConstView<double> out = pass.forward(of.stack, of.store, View<double>(x), steps, states, 0.3, Rng(8));
    double sum = 0;
    for (std::size_t r = 0; r < out.rows; ++r)
      for (std::size_t c = 0; c < out.cols; ++c) sum += out(r, c) * ConstView<double>(weight)(r, c);
    return sum;
  };
  loss();
  of.stack.transpose(of.store);
  pass.backward(of.stack, ConstView<double>(weight), steps, View<double>(dx));
  ParamStore<double> gradients = of.store.zeros_like();
  pass.add_params(of.stack, View<double>(x), gradients);
  for (auto& [what, values, analytic] :
       {std::tuple{"inputs", span(x), std::span<const double>(span(dx))},
        std::tuple{"parameters", of.store.all(), std::span<const double>(gradients.all())}}) {
    const GradientCheck result = check_gradient(loss, values, analytic, Rng(5));
    std::printf("gru stack %s: worst relative error %.2g of %zu\n", what, result.worst, result.checked);
    EXPECT_LT(result.worst, 1e-6) << what << " " << result.index;
  }
}

TEST(GruStack, StatesAreCarriedFromBatchToBatch) {
  StackCase of;
  const GruSteps whole = steps_of({2, 2, 2, 2, 1}), first = steps_of({2, 2}), rest = steps_of({2, 2, 1});
  const Matrix<double> x = random<double>(whole.rows(), 4, 2);
  GruPass<double> pass;
  std::vector<Matrix<double>> none, states(2, Matrix<double>::Zero(2, 5));
  const ConstView<double> at_once = pass.forward(of.stack, of.store, ConstView<double>(x), whole, none, 0, Rng(1));
  GruPass<double> other;
  for (const auto& [steps, begin] : {std::pair{first, 0u}, std::pair{rest, 4u}}) {
    const ConstView<double> out = other.forward(
        of.stack, of.store, ConstView<double>(x).some_rows(begin, begin + steps.rows()), steps, states, 0, Rng(1));
    for (std::size_t r = 0; r < out.rows; ++r)
      EXPECT_EQ(std::memcmp(out.row(r), at_once.row(begin + r), 5 * sizeof(double)), 0);
  }
  // The state that a lane ends with is that of its last row.
  EXPECT_EQ(std::memcmp(View<double>(states[1]).row(0), at_once.row(8), 5 * sizeof(double)), 0);
  EXPECT_EQ(std::memcmp(View<double>(states[1]).row(1), at_once.row(7), 5 * sizeof(double)), 0);
}

}  // namespace
}  // namespace segue::nn
