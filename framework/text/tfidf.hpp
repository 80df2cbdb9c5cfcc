// Documents as vectors of weighted terms: a row of counts becomes tf(count) idf(term), then a vector of length 1, so
// that the inner product of two rows is their cosine.
//
// N documents (rows, empty ones included), df_t of them have term t. Counts need not be whole; one that is not above 0
// is as if it were absent.
//
//   tf    raw            x
//         log            1 + ln x, and x itself below 1, where 1 + ln x would end up negative (the two meet with one
//                        slope)
//         binary         1
//   idf   none           1
//         plain          ln(N / df)                                  Sparck Jones 1972
//         smooth         ln((1 + N) / (1 + df)) + 1                  scikit-learn, TfidfTransformer(smooth_idf=True)
//         probabilistic  ln((N - df + 1/2) / (df + 1/2) + 1)         Robertson & Sparck Jones 1976, never negative
//                                                                    with the 1 that Lucene's BM25 adds
// With tf raw or log, idf smooth and length 1 this is scikit-learn's TfidfTransformer (norm="l2", sublinear_tf). The
// combinations are those of Salton & Buckley 1988, "Term-weighting approaches in automatic text retrieval", IPM 24(5).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "framework/data/facets.hpp"
#include "framework/linalg/csr.hpp"

namespace segue::text {

enum class Tf { kRaw, kLog, kBinary };
enum class Idf { kNone, kPlain, kSmooth, kProbabilistic };

struct TfIdfOptions {
  Tf tf = Tf::kLog;
  Idf idf = Idf::kSmooth;
  double min_df = 1;  // terms of fewer documents are dropped: below 1 a share of N, from 1 on a count
  double max_df = 1;  // terms of more documents are dropped: up to 1 a share of N, above 1 a count
  bool unit_length = true;
};

// df of every column: rows in which it is above 0.
std::vector<std::size_t> document_frequencies(const Csr<TermIdx>& counts);
double tf_weight(double count, Tf tf);                              // count > 0
double idf_weight(std::size_t documents, std::size_t df, Idf idf);  // 1 <= df <= documents

// One row a document, the columns of `counts`; terms that are dropped, and weights of 0, have no entry. Norms are
// summed in double over ascending terms. UsageError for min_df or max_df not above 0, or neither share nor whole
// number.
Csr<TermIdx> tf_idf(const Csr<TermIdx>& counts, const TfIdfOptions& options);

// Each row divided by its length; empty rows stay empty.
Csr<TermIdx> unit_rows(const Csr<TermIdx>& rows);

// Part of what is known about a document: its tags, its lyrics, its title.
struct Field {
  Csr<TermIdx> rows;  // of length 1 or empty
  double weight = 1;  // at least 0
};
// The fields side by side, in their order, each under columns of its own: sqrt(weight) times a field's row, and the
// whole of length 1. So the cosine of two documents that have all fields is the mean of the fields' cosines by weight;
// a field that a document lacks counts in neither its vector nor its length. Fields of weight 0 keep their columns.
// LogicError where they differ in rows.
Csr<TermIdx> join_fields(std::span<const Field> fields);

// The inner product of two rows, in double over ascending terms.
double dot(const Csr<TermIdx>& rows, std::size_t a, std::size_t b);

struct SharedTerm {
  TermIdx term{};
  double share = 0;  // of the inner product
};
// Terms that both rows have, those that add most to their inner product first, equal ones by index; at most `most`.
std::vector<SharedTerm> shared_terms(const Csr<TermIdx>& rows, std::size_t a, std::size_t b, std::size_t most);

}  // namespace segue::text
