#include "framework/plot/render.hpp"

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <gnuplot-iostream.h>
#pragma GCC diagnostic pop

#include "framework/base/errors.hpp"
#include "framework/base/log.hpp"
#include "framework/plot/script.hpp"

namespace segue::plot {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 5> kExtensions = {".svg", ".png", ".pdf", ".gp", ".tsv"};

bool on_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((fs::path(folder.empty() ? "." : folder) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string shell_quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
  out.close();
  if (!out) throw EnvironmentError("cannot write '{}'", path.string());
}

// A folder beside the results, so that renaming stays on one disk; gone at the end.
class WorkFolder {
 public:
  explicit WorkFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    fs::create_directories(path_, error);
    if (error) throw EnvironmentError("cannot create folder '{}': {}", path_.string(), error.message());
  }
  ~WorkFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Runs the script; throws with gnuplot's own words. "-d" keeps a person's ~/.gnuplot out, "-" makes gnuplot stop at the
// first error as it does for a file. gnuplot-iostream does not report the exit status, so the shell notes it; `cat`
// then swallows what gnuplot left unread, because a closed pipe would kill this process with SIGPIPE.
void run_gnuplot(const WorkFolder& folder, const std::string& script) {
  if (!on_path("gnuplot"))
    throw EnvironmentError("figures need gnuplot, which is not on the PATH; on Debian: apt-get install gnuplot-nox");
  {
    gnuplotio::Gnuplot gnuplot(
        fmt::format("cd {} && {{ LC_ALL=C.UTF-8 gnuplot -d - >log 2>&1; echo $? >status; cat >/dev/null; }}",
                    shell_quoted(folder.path().string())));
    gnuplot << script;
  }
  const std::string log = read_file(folder / "log"), status = read_file(folder / "status");
  if (status != "0\n")
    throw EnvironmentError("gnuplot failed (status {}): {}",
                           status.empty() ? "unknown" : status.substr(0, status.size() - 1), log);
  if (!log.empty()) log_warning("gnuplot: {}", log);
}

// gnuplot ends with status 0 although the disk is full or a terminal produced nothing; whole files have their ends.
void check_whole(const fs::path& path, const std::string& begin, const std::string& end) {
  const std::string bytes = read_file(path);
  if (!bytes.starts_with(begin) ||
      bytes.find(end, bytes.size() - std::min<std::size_t>(bytes.size(), end.size() + 16)) == std::string::npos)
    throw EnvironmentError("gnuplot left '{}' incomplete ({} bytes)", path.filename().string(), bytes.size());
}

// cairo writes the time of day into the PDF; a fixed one of the same length keeps equal figures equal.
void fix_pdf_date(const fs::path& path) {
  std::string bytes = read_file(path);
  const std::string key = "/CreationDate (D:", fixed = "20000101000000";
  const std::size_t at = bytes.find(key);
  if (at == std::string::npos) return;
  bytes.replace(at + key.size(), fixed.size(), fixed);
  write_file(path, bytes);
}

}  // namespace

namespace {

RenderedFigure draw(const GnuplotScript& text, const fs::path& stem) {
  const std::string name = stem.filename().string();
  const fs::path folder = stem.has_parent_path() ? stem.parent_path() : fs::path(".");
  const WorkFolder work(folder / fmt::format(".{}.tmp-{}", name, ::getpid()));
  write_file(work / (name + ".gp"), text.script);
  write_file(work / (name + ".tsv"), text.data);
  run_gnuplot(work, text.script);
  check_whole(work / (name + ".svg"), "<?xml", "</svg>");
  check_whole(work / (name + ".png"), "\x89PNG", "IEND");
  check_whole(work / (name + ".pdf"), "%PDF", "%%EOF");
  fix_pdf_date(work / (name + ".pdf"));
  RenderedFigure out;
  const std::array<fs::path*, 5> paths = {&out.svg, &out.png, &out.pdf, &out.script, &out.data};
  for (std::size_t i = 0; i < paths.size(); ++i) {
    *paths[i] = folder / (name + kExtensions[i]);
    std::error_code error;
    fs::rename(work / (name + kExtensions[i]), *paths[i], error);
    if (error) throw EnvironmentError("cannot write '{}': {}", paths[i]->string(), error.message());
  }
  return out;
}

}  // namespace

RenderedFigure render(const Figure& figure, const fs::path& stem) {
  RenderedFigure out = draw(gnuplot_script(figure, stem.filename().string()), stem);
  out.title = figure.title;
  out.description = figure.description;
  return out;
}

RenderedFigure render(const PanelStack& stack, const fs::path& stem) {
  RenderedFigure out = draw(gnuplot_script(stack, stem.filename().string()), stem);
  out.title = stack.title;
  out.description = stack.description;
  return out;
}

}  // namespace segue::plot
