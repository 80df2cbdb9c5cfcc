// A network's parameters in an archive: one array a block, under the block's name.
#pragma once

#include "framework/base/errors.hpp"
#include "framework/model/archive.hpp"
#include "framework/nn/param_store.hpp"

namespace segue {

inline void save_params(ArchiveWriter& archive, const nn::ParamStore<float>& params) {
  for (const auto& block : params.blocks())
    archive.put(block.name, params.all().subspan(block.offset, block.rows * block.cols));
}

// params: the blocks that were saved, of the same sizes; else DataError.
inline void load_params(const ArchiveReader& archive, nn::ParamStore<float>& params) {
  for (const auto& block : params.blocks()) {
    const std::vector<float> values = archive.floats(block.name);
    if (values.size() != block.rows * block.cols)
      throw DataError("the stored model's '{}' has {} values, not {} x {}: it was trained with other parameters",
                      block.name, values.size(), block.rows, block.cols);
    std::copy(values.begin(), values.end(), params.all().begin() + static_cast<std::ptrdiff_t>(block.offset));
  }
}

}  // namespace segue
