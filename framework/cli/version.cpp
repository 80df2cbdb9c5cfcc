// segue version
#include <fmt/format.h>

#include "framework/base/build_info.hpp"
#include "framework/cli/commands.hpp"

namespace segue {

namespace {

std::string commit_text(const std::map<std::string, std::string>& info) {
  const std::string commit = info.at("git_commit").substr(0, 12);
  return info.at("git_dirty") == "yes" ? commit + ", with changes" : commit;
}

}  // namespace

std::string version_text() {
  const auto& info = build_info();
  return fmt::format("segue {} ({})", info.at("version"), commit_text(info));
}

namespace {

ExitCode version(TableFormat format) {
  const auto& info = build_info();
  Table record = record_table();
  if (format == TableFormat::kText) {
    fmt::print("{}\n", version_text());
    record.add({"compiler", info.at("compiler")});
    record.add({"build", fmt::format("{}, {}", info.at("build_type"), info.at("flags"))});
    record.add({"made for", info.at("arch_resolved")});
    record.add({"cpu", cpu_model()});
    record.add({"blas", blas_core() == blas_version() ? blas_core()
                                                      : fmt::format("{}, kernels {}", blas_version(), blas_core())});
    std::string libraries;
    for (const char* name : {"eigen", "tbb", "hdf5", "yaml_cpp", "armadillo", "fmt"})
      libraries += fmt::format("{}{} {}", libraries.empty() ? "" : ", ", name, info.at(name));
    record.add({"libraries", libraries});
  } else {
    for (const auto& [key, value] : info) record.add({key, value});
    record.add({"cpu", cpu_model()});
    record.add({"blas", blas_version()});
    record.add({"blas_core", blas_core()});
  }
  show(record, format);
  return ExitCode::kOk;
}

}  // namespace

void add_version(CLI::App& app, Session& session) {
  struct Options {
    bool json = false;
    TableFormat format = TableFormat::kText;
  };
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(app, "version", "prints the version, and what this build is made of",
                              {{"segue version", "for a bug report"}, {"segue version --json", "for programs"}});
  cmd.add_flag("--json", o->json, "short for --format json");
  add_format(cmd, o->format);
  on_run(cmd, session, [o] { return version(o->json ? TableFormat::kJson : o->format); });
}

}  // namespace segue
