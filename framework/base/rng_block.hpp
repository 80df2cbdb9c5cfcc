// Many numbers of a stream at once, for who takes millions of them.
#pragma once

#include <cstdint>
#include <span>

#include "framework/base/rng.hpp"

namespace segue {

// out[i] is what call `first` + i + 1 of next_u32() gives on rng.stream(...) when it is new, at a third of the cost; how
// far `rng` itself has been drawn does not matter. first: a multiple of 4.
void draws_of(const Rng& rng, std::uint64_t first, std::span<std::uint32_t> out);

}  // namespace segue
