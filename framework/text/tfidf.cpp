#include "framework/text/tfidf.hpp"

#include <algorithm>
#include <cmath>

#include "framework/base/errors.hpp"

namespace segue::text {

namespace {

double value_at(const Csr<TermIdx>& rows, std::size_t row, std::size_t n) {
  return rows.has_values() ? double{rows.values(row)[n]} : 1.0;
}
std::size_t column(TermIdx term) { return static_cast<std::size_t>(term); }

void check_bound(const char* name, double bound) {
  if (!(bound > 0) || (bound > 1 && bound != std::floor(bound)))
    throw UsageError("{} is {:g}; up to 1 it is a share of the documents, above 1 a whole number of them", name, bound);
}

// visit(term, value) for each common term, ascending.
template <class Visit>
void for_common(const Csr<TermIdx>& rows, std::size_t a, std::size_t b, Visit visit) {
  const auto left = rows.indices(a), right = rows.indices(b);
  for (std::size_t i = 0, j = 0; i < left.size() && j < right.size();) {
    if (left[i] == right[j]) {
      visit(left[i], value_at(rows, a, i) * value_at(rows, b, j));
      ++i, ++j;
    } else {
      left[i] < right[j] ? ++i : ++j;
    }
  }
}

}  // namespace

std::vector<std::size_t> document_frequencies(const Csr<TermIdx>& counts) {
  std::vector<std::size_t> out(counts.cols(), 0);
  for (std::size_t p = 0; p < counts.nnz(); ++p)
    if (counts.all_values().empty() || counts.all_values()[p] > 0) ++out[column(counts.all_indices()[p])];
  return out;
}

double tf_weight(double count, Tf tf) {
  switch (tf) {
    case Tf::kRaw:
      return count;
    case Tf::kLog:
      return count < 1 ? count : 1 + std::log(count);
    case Tf::kBinary:
      return 1;
  }
  SEGUE_CHECK(false, "no such tf");
}

double idf_weight(std::size_t documents, std::size_t df, Idf idf) {
  const auto n = static_cast<double>(documents), d = static_cast<double>(df);
  switch (idf) {
    case Idf::kNone:
      return 1;
    case Idf::kPlain:
      return std::log(n / d);
    case Idf::kSmooth:
      return std::log((1 + n) / (1 + d)) + 1;
    case Idf::kProbabilistic:
      return std::log((n - d + 0.5) / (d + 0.5) + 1);
  }
  SEGUE_CHECK(false, "no such idf");
}

Csr<TermIdx> tf_idf(const Csr<TermIdx>& counts, const TfIdfOptions& options) {
  check_bound("min_df", options.min_df);
  check_bound("max_df", options.max_df);
  const std::size_t n = counts.rows();
  const double fewest = options.min_df < 1 ? options.min_df * static_cast<double>(n) : options.min_df;
  const double most = options.max_df <= 1 ? options.max_df * static_cast<double>(n) : options.max_df;
  const std::vector<std::size_t> df = document_frequencies(counts);
  std::vector<double> idf(df.size(), 0);  // 0: dropped
  for (std::size_t t = 0; t < df.size(); ++t) {
    const auto d = static_cast<double>(df[t]);
    if (df[t] > 0 && d >= fewest && d <= most) idf[t] = idf_weight(n, df[t], options.idf);
  }
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  std::vector<float> values;
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t p = 0; p < counts.row_size(r); ++p) {
      const double count = value_at(counts, r, p);
      const TermIdx term = counts.indices(r)[p];
      if (!(count > 0) || idf[column(term)] == 0) continue;
      terms.push_back(term);
      values.push_back(static_cast<float>(tf_weight(count, options.tf) * idf[column(term)]));
    }
    offsets.push_back(terms.size());
  }
  const Csr<TermIdx> weighted(counts.cols(), std::move(offsets), std::move(terms), std::move(values));
  return options.unit_length ? unit_rows(weighted) : weighted;
}

Csr<TermIdx> unit_rows(const Csr<TermIdx>& rows) {
  std::vector<float> values(rows.nnz());
  for (std::size_t r = 0; r < rows.rows(); ++r) {
    double squares = 0;
    for (std::size_t n = 0; n < rows.row_size(r); ++n) squares += value_at(rows, r, n) * value_at(rows, r, n);
    if (!(squares > 0)) continue;
    const double length = std::sqrt(squares);
    for (std::size_t n = 0; n < rows.row_size(r); ++n)
      values[rows.offsets()[r] + n] = static_cast<float>(value_at(rows, r, n) / length);
  }
  return {rows.cols(), rows.offsets(), rows.all_indices(), std::move(values)};
}

Csr<TermIdx> join_fields(std::span<const Field> fields) {
  std::size_t cols = 0;
  const std::size_t n = fields.empty() ? 0 : fields.front().rows.rows();
  for (const Field& field : fields) {
    SEGUE_CHECK(field.rows.rows() == n, "fields of {} and {} documents", n, field.rows.rows());
    SEGUE_CHECK(field.weight >= 0, "a field of weight {}", field.weight);
    cols += field.rows.cols();
  }
  std::vector<std::uint64_t> offsets{0};
  std::vector<TermIdx> terms;
  std::vector<float> values;
  for (std::size_t r = 0; r < n; ++r) {
    std::size_t first = 0;
    for (const Field& field : fields) {
      for (std::size_t p = 0; p < field.rows.row_size(r) && field.weight > 0; ++p) {
        terms.push_back(TermIdx{static_cast<std::uint32_t>(first + column(field.rows.indices(r)[p]))});
        values.push_back(static_cast<float>(std::sqrt(field.weight) * value_at(field.rows, r, p)));
      }
      first += field.rows.cols();
    }
    offsets.push_back(terms.size());
  }
  return unit_rows(Csr<TermIdx>(cols, std::move(offsets), std::move(terms), std::move(values)));
}

double dot(const Csr<TermIdx>& rows, std::size_t a, std::size_t b) {
  double sum = 0;
  for_common(rows, a, b, [&](TermIdx, double product) { sum += product; });
  return sum;
}

std::vector<SharedTerm> shared_terms(const Csr<TermIdx>& rows, std::size_t a, std::size_t b, std::size_t most) {
  std::vector<SharedTerm> out;
  for_common(rows, a, b, [&](TermIdx term, double product) { out.push_back({term, product}); });
  std::stable_sort(out.begin(), out.end(), [](const auto& x, const auto& y) { return x.share > y.share; });
  out.resize(std::min(out.size(), most));
  return out;
}

}  // namespace segue::text
