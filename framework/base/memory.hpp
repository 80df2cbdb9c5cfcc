// What the machine is told about large arrays.
#pragma once

#include <cstddef>

namespace segue {

// Asks for large pages for memory that has not been written yet: rows read here and there then cost one miss rather
// than a walk through page tables too. Changes no value; does nothing for small arrays, or where there is no such
// thing.
void prefer_large_pages(void* data, std::size_t bytes);

}  // namespace segue
