// The logistic loss -log sigma(x) = log(1 + e^-x) of a stream of margins x, with its slope. The logarithm, which only
// the learning curve wants, is taken of products of many terms.
#pragma once

#include <algorithm>
#include <cmath>

namespace segue {

class LogisticLoss {
 public:
  // Adds the loss of x and returns sigma(-x) = 1 / (1 + e^x), minus its derivative. Finite for every finite x.
  float add(float x) {
    const float t = std::exp(-std::abs(x));  // in (0, 1], so nothing overflows
    product_ *= 1 + static_cast<double>(t);
    linear_ += static_cast<double>(std::max(-x, 0.0f));
    if (product_ > 0x1p1000) flush();  // a factor is at most 2
    return (x >= 0 ? t : 1) / (1 + t);
  }
  // The sum of the losses so far.
  double sum() {
    flush();
    return linear_;
  }

 private:
  void flush() {
    linear_ += std::log(product_);
    product_ = 1;
  }
  double product_ = 1, linear_ = 0;
};

}  // namespace segue
