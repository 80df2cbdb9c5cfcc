// The files of framework/report/html, compiled in (scripts/cmake/EmbedText.cmake).
#pragma once

#include <string_view>

namespace segue {

extern const std::string_view kReportCss, kReportJs;

}  // namespace segue
