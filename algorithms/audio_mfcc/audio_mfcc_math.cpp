#include "algorithms/audio_mfcc/audio_mfcc_math.hpp"

#include <cmath>

#include <Eigen/Cholesky>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

// The items to learn a scale from: heard ones that are flagged, or all that are heard.
std::vector<std::size_t> learned_from(const ItemSound& sound, std::span<const std::uint8_t> among) {
  std::vector<std::size_t> out, heard;
  for (std::size_t i = 0; i < sound.heard.size(); ++i) {
    if (sound.heard[i] == 0) continue;
    heard.push_back(i);
    if (among[i] != 0) out.push_back(i);
  }
  return out.empty() ? heard : out;
}

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

constexpr double kShrinkage = 0.1;

// Of all fields, in the order in which put_fields() has them.
std::vector<audio::SoundPart> fields_of(const ItemSound& sound) {
  std::vector<audio::SoundPart> out;
  const auto add = [&](const std::vector<audio::FingerprintField>& fields, const Array<float>& values) {
    SEGUE_CHECK(values.size() == sound.heard.size() * fields.size(), "{} numbers of sound for {} items", values.size(),
                sound.heard.size());
    for (const audio::FingerprintField& field : fields) out.push_back(field.part);
  };
  add(audio::statistics_fields(), sound.statistics);
  add(audio::fingerprint_fields(), sound.fingerprints);
  return out;
}
void put_fields(const ItemSound& sound, std::size_t item, std::span<float> to) {
  const auto copy = [&](const Array<float>& values) {
    const std::span<const float> row = row_of(values, sound.heard.size(), item);
    std::copy(row.begin(), row.end(), to.begin());
    to = to.subspan(row.size());
  };
  copy(sound.statistics);
  copy(sound.fingerprints);
}

// The fields of one part, and how they are decorrelated: by the inverse of their covariance's Cholesky factor.
struct Part {
  std::vector<std::size_t> fields;
  Eigen::LLT<Matrix<double>> root;  // empty: as they are
  Vector<double> of(std::span<const float> z) const {
    Vector<double> x(static_cast<Eigen::Index>(fields.size()));
    for (std::size_t f = 0; f < fields.size(); ++f) x[static_cast<Eigen::Index>(f)] = static_cast<double>(z[fields[f]]);
    return root.cols() == 0 ? x : Vector<double>(root.matrixL().solve(x));
  }
};
// standardised: rows to learn from.
Part part_of(std::vector<std::size_t> fields, const Matrix<float>& standardised, bool whiten) {
  Part out{std::move(fields), {}};
  if (!whiten) return out;
  const auto k = static_cast<Eigen::Index>(out.fields.size());
  Matrix<double> covariance = Matrix<double>::Zero(k, k);
  for (Eigen::Index r = 0; r < standardised.rows(); ++r)
    for (Eigen::Index a = 0; a < k; ++a)
      for (Eigen::Index b = 0; b <= a; ++b)
        covariance(a, b) +=
            static_cast<double>(standardised(r, static_cast<Eigen::Index>(out.fields[static_cast<std::size_t>(a)]))) *
            static_cast<double>(standardised(r, static_cast<Eigen::Index>(out.fields[static_cast<std::size_t>(b)])));
  double variance = 0;
  for (Eigen::Index a = 0; a < k; ++a) variance += covariance(a, a);
  if (variance == 0) return out;  // nothing varies
  for (Eigen::Index a = 0; a < k; ++a) {
    covariance(a, a) += kShrinkage * variance / static_cast<double>(k);
    for (Eigen::Index b = 0; b < a; ++b) covariance(b, a) = covariance(a, b);
  }
  covariance /= static_cast<double>(standardised.rows());
  out.root.compute(covariance);
  SEGUE_CHECK(out.root.info() == Eigen::Success, "a covariance that is not positive definite");
  return out;
}

}  // namespace

Matrix<float> fingerprint_directions(const ItemSound& sound, std::span<const std::uint8_t> among,
                                     const std::array<double, audio::kSoundParts>& weights, bool whiten) {
  const std::size_t n = sound.heard.size();
  const std::vector<audio::SoundPart> part_of_field = fields_of(sound);
  const std::size_t d = part_of_field.size();
  const std::vector<std::size_t> from = learned_from(sound, among);
  Matrix<float> rows(static_cast<Eigen::Index>(from.size()), static_cast<Eigen::Index>(d));
  for (std::size_t r = 0; r < from.size(); ++r) put_fields(sound, from[r], row_span(rows, r));
  const audio::Standardiser scale = audio::Standardiser::learn(rows);
  for (std::size_t r = 0; r < from.size(); ++r) scale.apply(row_span(rows, r));
  std::vector<Part> parts;
  for (std::size_t p = 0; p < weights.size(); ++p) {
    std::vector<std::size_t> own;
    for (std::size_t f = 0; f < d; ++f)
      if (static_cast<std::size_t>(part_of_field[f]) == p) own.push_back(f);
    parts.push_back(part_of(std::move(own), rows, whiten));
  }
  Matrix<float> out = Matrix<float>::Zero(static_cast<Eigen::Index>(n), static_cast<Eigen::Index>(d));
  std::vector<float> z(d);
  for (std::size_t i = 0; i < n; ++i) {
    if (sound.heard[i] == 0) continue;
    put_fields(sound, i, z);
    scale.apply(z);
    const std::span<float> to = row_span(out, i);
    double squares = 0;
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const Vector<double> x = parts[p].of(z);
      const double by = std::sqrt(weights[p]);
      for (std::size_t f = 0; f < parts[p].fields.size(); ++f) {
        const double value = by * x[static_cast<Eigen::Index>(f)];
        to[parts[p].fields[f]] = static_cast<float>(value);
        squares += value * value;
      }
    }
    const auto length = static_cast<float>(std::sqrt(squares));
    if (length > 0)
      for (float& x : to) x /= length;
  }
  return out;
}

float timbre_divergence(float product, std::size_t numbers) {
  const float d = std::floor(std::sqrt(static_cast<float>(numbers))) - 1;
  return std::max(0.0f, 0.5f * product - d);
}

TimbreVectors timbre_vectors(const ItemSound& sound, std::span<const std::uint8_t> among) {
  const std::size_t n = sound.heard.size();
  const std::vector<std::size_t> from = learned_from(sound, among);
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
