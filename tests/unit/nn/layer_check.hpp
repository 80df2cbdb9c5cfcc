// Random inputs of layers, and their gradients against differences.
#pragma once

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "framework/nn/gradcheck.hpp"
#include "framework/nn/param_store.hpp"

namespace segue::test {

// Inputs and parameters of a layer as blocks of one store, and the weights of a loss that is linear in the outputs.
class LayerCheck {
 public:
  explicit LayerCheck(std::uint64_t seed) : rng_(seed) {}

  nn::BlockId add(const std::string& name, std::size_t rows, std::size_t cols) { return store.add(name, rows, cols); }
  void draw(double stddev = 1) {
    for (std::size_t b = 0; b < store.blocks().size(); ++b)
      nn::init_normal(store[nn::BlockId{b}], stddev, rng_.stream("block", b));
    gradients = store.zeros_like();
  }
  // forward(y) fills an output; backward(dy) fills `gradients`, each block with that of the same block of `store`.
  void run(const std::string& what, std::size_t rows, std::size_t cols,
           const std::function<void(View<double>)>& forward, const std::function<void(View<double>)>& backward,
           double h = 1e-4, std::size_t most = 40) {
    Matrix<double> weights(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols)), y = weights;
    nn::init_normal(View<double>(weights), 1, rng_.stream("loss"));
    const auto loss = [&] {
      forward(View<double>(y));
      return (weights.array() * y.array()).sum();
    };
    loss();
    Matrix<double> dy = weights;
    backward(View<double>(dy));
    double worst = 0;
    for (const auto& block : store.blocks()) {
      const auto part = [&](nn::ParamStore<double>& of) {
        return of.all().subspan(block.offset, block.rows * block.cols);
      };
      const nn::GradientCheck check =
          nn::check_gradient(loss, part(store), part(gradients), rng_.stream(block.name), most, h);
      worst = std::max(worst, check.worst);
      EXPECT_LT(check.worst, 1e-6) << what << ", " << block.name << "[" << check.index << "]: " << check.analytic
                                   << " and " << check.numeric;
      EXPECT_GT(check.checked, 0u);
    }
    std::printf("gradient of %s: worst error %.1e\n", what.c_str(), worst);
  }

  nn::ParamStore<double> store, gradients;

 private:
  Rng rng_;
};

}  // namespace segue::test
