// The text of the UsageError that an action must end in.
#pragma once

#include <string>

#include "framework/base/errors.hpp"

namespace segue {

template <class Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "(accepted)";
}

}  // namespace segue
