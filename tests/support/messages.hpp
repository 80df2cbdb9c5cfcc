// The text of an error that a test expects.
#pragma once

#include <exception>
#include <string>

#include <gtest/gtest.h>

namespace segue::test {

// message_of<UsageError>([&] { ... }): fails where nothing, or something else, is thrown.
template <class E, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const E& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another kind of error: " << error.what();
    return "";
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

}  // namespace segue::test
