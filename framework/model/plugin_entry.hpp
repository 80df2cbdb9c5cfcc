// What SEGUE_ALGORITHM adds where SEGUE_PLUGIN is defined: the ABI mark that is read from the file before it is loaded,
// and the one function that the program looks up. A plugin holds one algorithm. Included by registry.hpp; nobody else
// needs it.
#pragma once

// The mark is static: an exported object of the same name in every plugin would be one object to the loader (and an
// error to AddressSanitizer).
#define SEGUE_PLUGIN_ENTRY(name_)                                                                                  \
  [[gnu::used, gnu::retain, gnu::section(".segue_abi")]] static constexpr ::segue::AbiMark segue_plugin_abi_mark = \
      ::segue::compile_abi_mark();                                                                                 \
  extern "C" [[gnu::visibility("default")]] void segue_plugin_register(::segue::Registry& registry) {              \
    segue_register_algorithm_##name_(registry);                                                                    \
  }

#include "framework/model/abi.hpp"
