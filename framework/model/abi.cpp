#include "framework/model/abi.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace segue {

namespace {

using Line = std::pair<std::string_view, std::string_view>;  // what, value

std::vector<Line> lines_of(std::string_view mark) {
  std::vector<Line> out;
  while (!mark.empty()) {
    const std::string_view line = mark.substr(0, mark.find('\n'));
    mark.remove_prefix(std::min(mark.size(), line.size() + 1));
    constexpr std::string_view kHead = "SEGUE-ABI ";
    const std::size_t colon = line.find(": ");
    if (line.starts_with(kHead))
      out.emplace_back("framework ABI", line.substr(kHead.size()));
    else if (colon != line.npos)
      out.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  return out;
}

std::string_view value_of(const std::vector<Line>& lines, std::string_view what) {
  const auto it = std::find_if(lines.begin(), lines.end(), [&](const Line& line) { return line.first == what; });
  return it == lines.end() ? "unknown" : it->second;
}

}  // namespace

std::string abi_mark() {
  static constexpr AbiMark kMark = compile_abi_mark();
  return kMark.text;
}

std::string abi_difference(std::string_view plugin, std::string_view program) {
  if (plugin == program) return {};
  const std::vector<Line> theirs = lines_of(plugin), ours = lines_of(program);
  std::vector<Line> all = ours;
  for (const Line& line : theirs)
    if (value_of(ours, line.first) == "unknown") all.push_back(line);
  std::vector<std::string> there, here;
  for (const Line& line : all) {
    const std::string_view what = line.first, a = value_of(theirs, what), b = value_of(ours, what);
    if (a == b) continue;
    there.push_back(fmt::format("{} {}", what, a));
    here.push_back(fmt::format("{} {}", what, b));
  }
  if (there.empty()) return "was built with a mark in another form than this program's";
  return fmt::format("was built with {}, this program with {}", fmt::join(there, " and "), fmt::join(here, " and "));
}

}  // namespace segue
