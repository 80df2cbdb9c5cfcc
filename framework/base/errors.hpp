// The three kinds of error that cross module borders, and the program's exit codes.
//
// UsageError   the person can fix it: a suite, an option, a parameter.
// DataError    the files are wrong; names file and line.
// LogicError   a bug in Segue or in a plugin, raised through SEGUE_CHECK.
//
// Exceptions end a trial and are stored as its status; libraries never call exit() or abort().
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace segue {

// Exit codes of the program; scripts rely on them.
enum class ExitCode : int {
  kOk = 0,
  kSomeTrialsFailed = 1,
  kUsage = 2,
  kData = 3,
  kEnvironment = 4,
  kGateFailed = 5,
  kTimeout = 124,
  kInterrupted = 130,
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  // The exit code with which the program ends when nothing handles this error.
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

class UsageError : public Error {
 public:
  template <class... Args>
  explicit UsageError(fmt::format_string<Args...> format, Args&&... args)
      : Error(ExitCode::kUsage, fmt::format(format, std::forward<Args>(args)...)) {}
};

class DataError : public Error {
 public:
  template <class... Args>
  explicit DataError(fmt::format_string<Args...> format, Args&&... args)
      : Error(ExitCode::kData, fmt::format(format, std::forward<Args>(args)...)) {}
  // A DataError that begins with "file:line: ". Lines count from 1.
  template <class... Args>
  static DataError at(std::string_view file, std::size_t line, fmt::format_string<Args...> format, Args&&... args) {
    return DataError("{}:{}: {}", file, line, fmt::format(format, std::forward<Args>(args)...));
  }
};

// The machine is at fault: a full disk, a missing tool, no permission.
class EnvironmentError : public Error {
 public:
  template <class... Args>
  explicit EnvironmentError(fmt::format_string<Args...> format, Args&&... args)
      : Error(ExitCode::kEnvironment, fmt::format(format, std::forward<Args>(args)...)) {}
};

class LogicError : public std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] void fail_check(const char* condition, const char* file, int line, const std::string& message);

// The name in `known` nearest to `wrong` by edit distance, or empty where none is near enough to be a slip.
std::string nearest_name(std::string_view wrong, const std::vector<std::string>& known);

// "; did you mean 'factors'? known: alpha, factors, reg": the tail of every "unknown X" message.
std::string suggestion(std::string_view wrong, const std::vector<std::string>& known);

}  // namespace segue

// SEGUE_CHECK(condition, "format", args...): a broken promise inside the program, never a user's mistake.
#define SEGUE_CHECK(condition, ...)                                                               \
  do {                                                                                            \
    if (!(condition)) ::segue::fail_check(#condition, __FILE__, __LINE__, ::fmt::format(__VA_ARGS__)); \
  } while (false)
