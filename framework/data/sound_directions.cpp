#include "framework/data/sound_directions.hpp"

#include <cmath>

#include <Eigen/Cholesky>

#include "framework/base/errors.hpp"

namespace segue {

namespace {

std::span<const float> row_of(const Array<float>& values, std::size_t items, std::size_t item) {
  const std::size_t width = values.size() / items;
  return values.span().subspan(item * width, width);
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

std::vector<std::size_t> sounds_to_learn_from(const ItemSound& sound, std::span<const std::uint8_t> among) {
  std::vector<std::size_t> out, heard;
  for (std::size_t i = 0; i < sound.heard.size(); ++i) {
    if (sound.heard[i] == 0) continue;
    heard.push_back(i);
    if (among[i] != 0) out.push_back(i);
  }
  return out.empty() ? heard : out;
}

Matrix<float> fingerprint_directions(const ItemSound& sound, std::span<const std::uint8_t> among,
                                     const std::array<double, audio::kSoundParts>& weights, bool whiten) {
  const std::size_t n = sound.heard.size();
  const std::vector<audio::SoundPart> part_of_field = fields_of(sound);
  const std::size_t d = part_of_field.size();
  const std::vector<std::size_t> from = sounds_to_learn_from(sound, among);
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

}  // namespace segue
