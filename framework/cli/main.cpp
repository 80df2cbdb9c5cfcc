// The program: fixes the arithmetic environment, reads the command line, runs one command, turns errors into exit
// codes.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>

#include <CLI/CLI.hpp>
#include <Eigen/Core>
#include <unistd.h>

#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"

namespace segue {

namespace {

constexpr int kBug = 70;  // EX_SOFTWARE of sysexits.h

// OpenBLAS reads its environment while it is loaded, before main(), and changes its bits with the thread count and the
// core type. So the program starts itself again, once, with an environment in which it detects this machine and uses
// one thread. The mark only guards against doing it for ever; it is removed, since SEGUE_* variables are settings.
void fix_blas(char** argv) {
  constexpr const char* kMark = "SEGUE_BLAS_FIXED";
  const bool marked = std::getenv(kMark) != nullptr;
  ::unsetenv(kMark);
  const char* threads = std::getenv("OPENBLAS_NUM_THREADS");
  bool fixed = threads != nullptr && std::strcmp(threads, "1") == 0;
  ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
  for (const char* name : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_VERBOSE"}) {
    fixed = fixed && std::getenv(name) == nullptr;
    ::unsetenv(name);
  }
  if (fixed || marked) return;
  ::setenv(kMark, "1", 1);
  ::execv("/proc/self/exe", argv);
  ::unsetenv(kMark);
  log_warning("cannot restart with a fixed BLAS environment ({}); set OPENBLAS_NUM_THREADS=1", std::strerror(errno));
}

// Eigen cuts products by the sizes of the caches, so that sizes read from the CPU would change bits between machines of
// one kind. These suit every x86-64 of the last decade.
void fix_eigen() { Eigen::setCpuCacheSizes(32 << 10, 256 << 10, 2 << 20); }

std::string in_one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

int fail(int code, const std::string& message) {
  std::fflush(stdout);
  const bool color = use_color(2);
  fmt::print(stderr, "{}segue:{} {}\n", color ? "\033[31m" : "", color ? "\033[0m" : "", in_one_line(message));
  return code;
}

int fail(ExitCode code, const std::string& message) { return fail(static_cast<int>(code), message); }

int bug(const std::string& message) {
  return fail(kBug, message + " (this is a bug in Segue or in a plugin; please report it with `segue version`)");
}

int run(int argc, char** argv) {
  Session session;
  open_session(session);
  CLI::App app{"Segue, the research bench for music recommendation", "segue"};
  app.set_help_flag("-h,--help", "this help");
  app.footer(
      "segue run experiments/quickstart.yaml\ta first suite on the built-in music world\n"
      "segue leaderboard results/quickstart\tits tables, from what is stored\n"
      "segue data list\twhat data is here, and what can be fetched\n"
      "segue algo show implicit_als\tparameters, their ranges and defaults\n"
      "segue doctor\tis this machine ready?\n");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text, "the version in one line")->group("Global options");
  app.formatter_fn([](const CLI::App* command, std::string, CLI::AppFormatMode) { return help_text(*command); });
  add_commands(app, session);
  if (argc <= 1) {
    fmt::print("{}", help_text(app));
    return static_cast<int>(ExitCode::kOk);
  }
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.front() == "help") {  // `segue help data` is `segue data --help`
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  try {
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp&) {
    const CLI::App* command = &app;
    while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
    fmt::print("{}", help_text(*command));
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::CallForVersion&) {
    fmt::print("{}\n", version_text());
    return static_cast<int>(ExitCode::kOk);
  } catch (const CLI::ParseError& error) {
    return fail(ExitCode::kUsage, parse_error_text(app, error));
  }
  return static_cast<int>(session.exit_code);
}

int run_and_explain(int argc, char** argv) {
  try {
    const int code = run(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) throw std::system_error(errno, std::generic_category(), "cannot write to stdout");
    return code;
  } catch (const Error& error) {
    return fail(error.code(), error.what());
  } catch (const LogicError& error) {
    return bug(error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::kEnvironment, "out of memory");
  } catch (const std::system_error& error) {
    return fail(ExitCode::kEnvironment, error.what());
  } catch (const std::exception& error) {
    return bug(error.what());
  } catch (...) {
    return bug("an error of an unknown kind");
  }
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) {
  segue::fix_blas(argv);
  segue::fix_eigen();
  return segue::run_and_explain(argc, argv);
}
