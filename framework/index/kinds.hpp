// The doors of the kinds of index: one file each. Internal to framework/index.
#pragma once

#include <memory>

#include "framework/index/vector_index.hpp"

namespace segue {

std::unique_ptr<VectorIndex> make_exact_index(std::size_t dims, const IndexSettings& settings);
std::unique_ptr<VectorIndex> make_hnsw_index(std::size_t dims, const IndexSettings& settings);
std::unique_ptr<VectorIndex> make_ivf_index(std::size_t dims, const IndexSettings& settings);  // kIvfPq and kSq8

}  // namespace segue
