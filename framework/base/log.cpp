#include "framework/base/log.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdlib>

namespace segue {

namespace {

LogLevel g_level = LogLevel::kInfo;

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>(
        "segue", std::make_shared<spdlog::sinks::stderr_color_sink_mt>(use_color(2) ? spdlog::color_mode::always
                                                                                    : spdlog::color_mode::never));
    made->set_pattern("%^%l%$: %v");
    made->set_level(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_log_level(LogLevel level) { g_level = level; }
LogLevel log_level() { return g_level; }

void log_message(LogLevel level, const std::string& message) {
  switch (level) {
    case LogLevel::kDebug: logger().debug(message); break;
    case LogLevel::kInfo: logger().info(message); break;
    case LogLevel::kWarning: logger().warn(message); break;
    case LogLevel::kError: logger().error(message); break;
    case LogLevel::kOff: break;
  }
}

bool use_color(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && isatty(fd) == 1;
}

}  // namespace segue
