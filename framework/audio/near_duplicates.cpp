#include "framework/audio/near_duplicates.hpp"

#include <cmath>
#include <utility>

#include "framework/base/errors.hpp"

namespace segue::audio {

std::vector<float> excerpt_fingerprint(std::vector<float> samples, int sample_rate, const FeatureSettings& settings) {
  SampleBuffer heard(resampled(std::move(samples), sample_rate, settings.sample_rate), settings.sample_rate);
  return fingerprint(analyze_track(heard, settings));
}

std::vector<DuplicateRank> rank_duplicates(const Matrix<float>& catalogue, std::span<const DuplicateQuery> queries) {
  const Standardiser scale = Standardiser::learn(catalogue);
  Matrix<float> rows = catalogue;
  for (Eigen::Index r = 0; r < rows.rows(); ++r) scale.apply(row_span(rows, static_cast<std::size_t>(r)));
  std::vector<DuplicateRank> out;
  for (const DuplicateQuery& query : queries) {
    SEGUE_CHECK(query.own < static_cast<std::size_t>(rows.rows()), "row {} of {}", query.own, rows.rows());
    std::vector<float> asked = query.fingerprint;
    scale.apply(asked);
    double least = fingerprint_distance(asked, row_span(std::as_const(rows), query.own));
    const double own = least;
    DuplicateRank found{1, query.own};
    for (std::size_t r = 0; r < static_cast<std::size_t>(rows.rows()); ++r) {
      if (r == query.own) continue;
      const double distance = fingerprint_distance(asked, row_span(std::as_const(rows), r));
      if (distance <= own) ++found.rank;
      if (distance < least || (distance == least && found.nearest == query.own)) least = distance, found.nearest = r;
    }
    out.push_back(found);
  }
  return out;
}

std::vector<double> moved_fields(const Matrix<float>& catalogue, std::span<const DuplicateQuery> queries) {
  const Standardiser scale = Standardiser::learn(catalogue);
  std::vector<double> out(static_cast<std::size_t>(catalogue.cols()), 0.0);
  for (const DuplicateQuery& query : queries)
    for (std::size_t c = 0; c < out.size(); ++c)
      out[c] += std::abs(static_cast<double>(query.fingerprint[c] - row_span(catalogue, query.own)[c])) *
                static_cast<double>(scale.scale()[c]) / static_cast<double>(queries.size());
  return out;
}

}  // namespace segue::audio
