#include "framework/base/errors.hpp"
#include "framework/index/kinds.hpp"
namespace segue {
std::unique_ptr<VectorIndex> make_hnsw_index(std::size_t, const IndexSettings&) { throw UsageError("not yet"); }
}  // namespace segue
