// segue doctor: is this machine ready, and if not, what to do.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <sched.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "framework/base/build_info.hpp"
#include "framework/base/clock.hpp"
#include "framework/cli/checks.hpp"
#include "framework/cli/commands.hpp"
#include "framework/download/fetch.hpp"

namespace segue {

namespace {

namespace fs = std::filesystem;

// Instruction sets that the compiler was allowed to use, and whether this CPU has them.
Check cpu_flags() {
  std::vector<std::string> used, missing;
  const auto flag = [&](const char* name, bool present) { (present ? used : missing).push_back(name); };
#ifdef __AVX__
  flag("avx", __builtin_cpu_supports("avx"));
#endif
#ifdef __AVX2__
  flag("avx2", __builtin_cpu_supports("avx2"));
#endif
#ifdef __FMA__
  flag("fma", __builtin_cpu_supports("fma"));
#endif
#ifdef __AVX512F__
  flag("avx512f", __builtin_cpu_supports("avx512f"));
#endif
#ifdef __AVX512VL__
  flag("avx512vl", __builtin_cpu_supports("avx512vl"));
#endif
  const std::string arch = build_info().at("arch_resolved");
  if (!missing.empty())
    return {Verdict::kFail, "cpu",
            fmt::format("built for {}, but {} lacks {}", arch, cpu_model(), fmt::join(missing, ", ")),
            "build here, or with -DSEGUE_ARCH=x86-64-v3"};
  if (used.empty())
    return {Verdict::kWarning, "cpu", fmt::format("{}; built for {}, without AVX", cpu_model(), arch),
            "build with -DSEGUE_ARCH=native for speed"};
  return {Verdict::kOk, "cpu", fmt::format("{}; built for {} ({})", cpu_model(), arch, fmt::join(used, ", ")), ""};
}

Check threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  const int allowed = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  const long online = ::sysconf(_SC_NPROCESSORS_ONLN);
  std::string found = fmt::format("{} of {} cores", allowed, online);
  std::ifstream quota("/sys/fs/cgroup/cpu.max");  // "200000 100000", or "max 100000"
  double limit = 0, period = 0;
  if (quota >> limit >> period && period > 0 && limit / period < allowed) {
    return {Verdict::kWarning, "threads", fmt::format("{}, but a quota of {:.1f}", found, limit / period),
            fmt::format("run with --threads {}", std::max(1, static_cast<int>(limit / period)))};
  }
  return {Verdict::kOk, "threads", found, ""};
}

double number_in(const char* path) {
  std::ifstream file(path);
  double value = 0;
  return file >> value ? value : 0;
}

Check memory() {
  double total = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  std::ifstream info("/proc/meminfo");
  double available = 0;
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("MemAvailable:")) available = std::strtod(line.c_str() + 13, nullptr) * 1024;
  }
  const double limit = number_in("/sys/fs/cgroup/memory.max");
  if (limit > 0 && limit < total) {
    total = limit;
    available = std::min(available, limit - number_in("/sys/fs/cgroup/memory.current"));
  }
  const std::string found = fmt::format("{} free of {}", format_bytes(available), format_bytes(total));
  if (available < 1e9) return {Verdict::kWarning, "memory", found, "close other programs, or cap trials with --memory"};
  return {Verdict::kOk, "memory", found, ""};
}

fs::path nearest_existing(fs::path path) {
  std::error_code ignored;
  path = fs::absolute(path, ignored);
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

Check folder(const std::string& what, const fs::path& path, double enough) {
  const fs::path at = nearest_existing(path);
  struct statvfs stat {};
  if (::access(at.c_str(), W_OK | X_OK) != 0)
    return {Verdict::kFail, what, fmt::format("{} cannot be written", at.string()),
            "give yourself write permission there"};
  if (::statvfs(at.c_str(), &stat) != 0) return {Verdict::kWarning, what, at.string() + ": free space unknown", ""};
  const double free = static_cast<double>(stat.f_bavail) * static_cast<double>(stat.f_frsize);
  const std::string found = fmt::format("{} free in {}", format_bytes(free), at.string());
  if (free < enough) return {Verdict::kWarning, what, found, "make room, or work in another folder"};
  return {Verdict::kOk, what, found, ""};
}

Check cache() {
  try {
    return folder("cache", default_data_root(), 1e9);
  } catch (const EnvironmentError& error) {
    return {Verdict::kFail, "cache", error.what(), "set HOME or XDG_CACHE_HOME"};
  }
}

// What a command prints, or nothing where it fails.
std::string output_of(const char* command) {
  std::FILE* pipe = ::popen(command, "r");
  if (pipe == nullptr) return "";
  std::string out;
  std::array<char, 4096> buffer{};
  for (std::size_t n; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? out : "";
}

Check gnuplot() {
  const std::string remedy = "apt-get install gnuplot-nox";
  std::istringstream version(output_of("gnuplot --version 2>/dev/null"));  // "gnuplot 5.4 patchlevel 4"
  std::string name, number, word, patch;
  if (!(version >> name >> number)) return {Verdict::kFail, "gnuplot", "not found: `segue plot` cannot work", remedy};
  version >> word >> patch;
  const std::string all = " " + output_of("gnuplot -e 'print GPVAL_TERMINALS' 2>&1") + " ";
  std::vector<std::string> found, missing;
  for (const char* terminal : {"pdfcairo", "pngcairo", "svg"})
    (all.find(fmt::format(" {} ", terminal)) == std::string::npos ? missing : found).emplace_back(terminal);
  const std::string text =
      fmt::format("{}{}{} with {}", number, patch.empty() ? "" : ".", patch, fmt::join(found, ", "));
  if (!missing.empty())
    return {Verdict::kWarning, "gnuplot", fmt::format("{}, without {}", text, fmt::join(missing, ", ")), remedy};
  return {Verdict::kOk, "gnuplot", text, ""};
}

std::vector<Check> data(const Session& session) {
  std::vector<Check> out;
  std::error_code ignored;
  std::vector<std::string> here, absent;
  for (const Source& source : sources()) {
    for (const fs::path& root : session.roots.folders) {
      if (!is_fetched(source, root)) continue;
      here.push_back(source.name);
      break;
    }
  }
  const char* wanted = std::getenv("SEGUE_DATA_DIR");
  for (const fs::path& root : session.roots.folders) {
    if (!fs::is_directory(root, ignored)) absent.push_back(root.string());
  }
  if (wanted != nullptr && *wanted != '\0') {
    if (absent.size() == session.roots.folders.size()) {
      out.push_back({Verdict::kWarning, "data folders", fmt::format("SEGUE_DATA_DIR={} does not exist", wanted),
                     "set it to the folder that holds your data sets"});
    } else {
      out.push_back({Verdict::kOk, "data folders", fmt::format("SEGUE_DATA_DIR={}", wanted), ""});
    }
  }
  if (here.empty()) {
    out.push_back({Verdict::kNote, "data sets", "the built-in demo only",
                   "`segue data fetch movielens-100k` gets a first real one"});
  } else {
    out.push_back({Verdict::kOk, "data sets", fmt::format("demo, {}", fmt::join(here, ", ")), ""});
  }
  return out;
}

Check hdf5() {
  const std::string built = build_info().at("hdf5"), runs = hdf5_runtime_version();
  if (runs == "unknown" || runs == built) return {Verdict::kOk, "hdf5", built, ""};
  return {Verdict::kWarning, "hdf5", fmt::format("built with {}, runs with {}", built, runs), "build Segue again"};
}

Check blas() {
  const std::string version = blas_version();
  if (version == "none") return {Verdict::kOk, "blas", "none in use", ""};
  if (version == "unknown")
    return {Verdict::kWarning, "blas", "not OpenBLAS: the same bits for any thread count are not promised",
            "apt-get install libopenblas0-pthread"};
  return {Verdict::kOk, "blas", fmt::format("{}, kernels {}", version, blas_core()), ""};
}

// main() has fixed the environment by now; anything else means that it could not.
Check blas_environment() {
  const char* threads = std::getenv("OPENBLAS_NUM_THREADS");
  if (threads != nullptr && std::string(threads) == "1" && std::getenv("OPENBLAS_CORETYPE") == nullptr)
    return {Verdict::kOk, "blas settings", "one thread, kernels chosen for this cpu", ""};
  return {Verdict::kWarning, "blas settings", "OPENBLAS_NUM_THREADS is not 1, or OPENBLAS_CORETYPE is set",
          "export OPENBLAS_NUM_THREADS=1; unset OPENBLAS_CORETYPE"};
}

ExitCode doctor(TableFormat format, const Session& session) {
  std::vector<Check> checks{cpu_flags(), threads(), memory(), folder("results", "results", 2e9), cache(), gnuplot()};
  for (Check& check : data(session)) checks.push_back(std::move(check));
  checks.insert(checks.end(), {blas(), blas_environment(), hdf5()});
  const std::size_t n = session.algorithms.names().size();
  checks.push_back({n > 0 ? Verdict::kOk : Verdict::kFail, "algorithms",
                    fmt::format("{} algorithms, {} data set loaders", n, session.datasets.names().size()),
                    n > 0 ? "" : "this build contains none; build Segue again"});
  show_checks(checks, format);
  const std::size_t failed = count(checks, Verdict::kFail);
  if (failed > 0) throw EnvironmentError("{} of {} checks failed", failed, checks.size());
  return ExitCode::kOk;
}

}  // namespace

void add_doctor(CLI::App& app, Session& session) {
  auto format = std::make_shared<TableFormat>(TableFormat::kText);
  CLI::App& cmd = add_command(app, "doctor", "checks this machine: cpu, memory, disk, gnuplot, data, libraries",
                              {{"segue doctor", "ok, warn or fail, with what to do; exit code 4 on fail"},
                               {"segue doctor --format json", "for programs"}});
  add_format(cmd, *format);
  on_run(cmd, session, [format, &session] { return doctor(*format, session); });
}

}  // namespace segue
