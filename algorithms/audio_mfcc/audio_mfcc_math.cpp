#include "algorithms/audio_mfcc/audio_mfcc_math.hpp"

#include <cmath>

#include <Eigen/Cholesky>

#include "framework/base/errors.hpp"
#include "framework/data/sound_directions.hpp"

namespace segue {

namespace {

std::span<const float> row_of(const Array<float>& values, std::size_t items, std::size_t item) {
  const std::size_t width = values.size() / items;
  return values.span().subspan(item * width, width);
}

struct Gaussian {
  Vector<double> mean;
  Matrix<double> covariance;
};
Gaussian gaussian(const ItemSound& sound, std::size_t item) {
  const std::span<const float> mean = row_of(sound.timbre_means, sound.heard.size(), item);
  const std::span<const float> triangle = row_of(sound.timbre_covariances, sound.heard.size(), item);
  const auto d = static_cast<Eigen::Index>(mean.size());
  Gaussian out{Vector<double>(d), Matrix<double>(d, d)};
  std::size_t at = 0;
  for (Eigen::Index a = 0; a < d; ++a) {
    out.mean[a] = static_cast<double>(mean[static_cast<std::size_t>(a)]);
    for (Eigen::Index b = 0; b <= a; ++b, ++at)
      out.covariance(a, b) = out.covariance(b, a) = static_cast<double>(triangle[at]);
  }
  return out;
}

// What stands on one side of an inner product of symmetric matrices: off the diagonal each entry once, twice its weight
// on the asking side.
void put_triangle(const Matrix<double>& m, double off_diagonal, float*& to) {
  for (Eigen::Index a = 0; a < m.rows(); ++a)
    for (Eigen::Index b = 0; b <= a; ++b) *to++ = static_cast<float>(m(a, b) * (a == b ? 1 : off_diagonal));
}
void put_vector(const Vector<double>& v, double factor, float*& to) {
  for (Eigen::Index a = 0; a < v.size(); ++a) *to++ = static_cast<float>(factor * v[a]);
}

}  // namespace

float timbre_divergence(float product, std::size_t numbers) {
  const float d = std::floor(std::sqrt(static_cast<float>(numbers))) - 1;
  return std::max(0.0f, 0.5f * product - d);
}

TimbreVectors timbre_vectors(const ItemSound& sound, std::span<const std::uint8_t> among) {
  const std::size_t n = sound.heard.size();
  const std::vector<std::size_t> from = sounds_to_learn_from(sound, among);
  const auto d = static_cast<Eigen::Index>(sound.timbre_means.size() / n);
  Vector<double> centre = Vector<double>::Zero(d);
  Matrix<double> spread = Matrix<double>::Zero(d, d);
  for (const std::size_t i : from) {
    const Gaussian g = gaussian(sound, i);
    centre += g.mean;
    spread += g.covariance;
  }
  const double share = 1 / static_cast<double>(from.size());
  centre *= share;
  const Eigen::LLT<Matrix<double>> root(Matrix<double>(spread * share));
  SEGUE_CHECK(root.info() == Eigen::Success, "a mean covariance that is not positive definite");

  TimbreVectors out;
  const Eigen::Index half = d * (d + 1) / 2 + d + 1;
  out.asking = out.asked = Matrix<float>::Zero(static_cast<Eigen::Index>(n), 2 * half);
  for (std::size_t i = 0; i < n; ++i) {
    if (sound.heard[i] == 0) continue;
    const Gaussian g = gaussian(sound, i);
    const Vector<double> m = root.matrixL().solve(g.mean - centre);
    const Matrix<double> left = root.matrixL().solve(g.covariance);
    const Matrix<double> c = root.matrixL().solve(Matrix<double>(left.transpose()));  // L^-1 C L^-T
    const Eigen::LLT<Matrix<double>> cholesky(Matrix<double>(0.5 * (c + c.transpose())));
    SEGUE_CHECK(cholesky.info() == Eigen::Success, "a covariance that is not positive definite");
    const Matrix<double> inverse = cholesky.solve(Matrix<double>::Identity(d, d));
    const Vector<double> pulled = cholesky.solve(m);
    double energy = 0;
    Matrix<double> moments = c;  // C + m m'
    for (Eigen::Index a = 0; a < d; ++a) {
      energy += m[a] * pulled[a];
      for (Eigen::Index b = 0; b < d; ++b) moments(a, b) += m[a] * m[b];
    }
    // asking: [moments, mean, 1 | inverse, pulled, energy]; asked: the other half of each product.
    float* to = out.asking.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(2 * half);
    put_triangle(moments, 2, to), put_vector(m, -2, to), *to++ = 1;
    put_triangle(inverse, 2, to), put_vector(pulled, -2, to), *to++ = static_cast<float>(energy);
    to = out.asked.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(2 * half);
    put_triangle(inverse, 1, to), put_vector(pulled, 1, to), *to++ = static_cast<float>(energy);
    put_triangle(moments, 1, to), put_vector(m, 1, to), *to++ = 1;
  }
  return out;
}

}  // namespace segue
