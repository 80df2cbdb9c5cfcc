// Files of test plugins, and what a refusal says.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "framework/base/errors.hpp"
#include "framework/model/plugin.hpp"

namespace segue::test {

inline std::filesystem::path plugin_file(const std::string& name) {
  return std::filesystem::path(SEGUE_TEST_PLUGIN_DIR) / (name + ".so");
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The sentence of the UsageError, or empty (and a failure) where there is none.
template <class Body>
std::string refusal(Body body) {
  try {
    body();
  } catch (const UsageError& e) {
    return e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "not a UsageError: " << e.what();
    return {};
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

inline std::string load_refusal(const std::filesystem::path& path) {
  Registry registry;
  const std::string text = refusal([&] { load_plugin(path, registry); });
  EXPECT_TRUE(registry.names().empty());
  return text;
}

}  // namespace segue::test
