// segue data fetch
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

#include "framework/base/clock.hpp"
#include "framework/base/log.hpp"
#include "framework/cli/commands.hpp"
#include "framework/download/fetch.hpp"
#include "framework/report/text.hpp"

namespace segue {

namespace {

struct Options {
  std::vector<std::string> names;
  FetchOptions fetch;
};

// One line on a terminal, rewritten ten times a second; else a plain line every five seconds.
class ProgressLine {
 public:
  explicit ProgressLine(std::string name) : name_(std::move(name)), terminal_(::isatty(2) == 1) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void update(const FetchProgress& p) {
    if (!started_ || p.stage != stage_) {
      started_ = true;
      stage_ = p.stage;
      begin_ = p.done;
      since_.restart();
      last_ = -1e9;
    }
    const double now = since_.seconds();
    if (now - last_ < (terminal_ ? 0.1 : 5)) return;
    last_ = now;
    std::string line = fmt::format("{}: {}", name_, text(p, now));
    if (!terminal_) {
      fmt::print(stderr, "{}\n", line);
      return;
    }
    const std::size_t width = (terminal_width(2) == 0 ? 80 : terminal_width(2)) - 1;
    if (line.size() > width) line.resize(width);
    fmt::print(stderr, "\r\033[K{}", line);
    std::fflush(stderr);
    shown_ = true;
  }

 private:
  std::string text(const FetchProgress& p, double seconds) const {
    const auto bytes = [](std::uint64_t n) { return format_bytes(static_cast<double>(n)); };
    const std::string done = p.total == 0 ? bytes(p.done)
                                          : fmt::format("{} of {} ({} %)", bytes(p.done), bytes(p.total),
                                                        100 * std::min(p.done, p.total) / p.total);
    if (stage_ == FetchProgress::Stage::kVerifying) return "verifying " + done;
    if (stage_ == FetchProgress::Stage::kUnpacking) return "unpacking " + done;
    const double rate = seconds > 0 ? static_cast<double>(p.done - begin_) / seconds : 0;
    if (rate <= 0) return done;
    std::string out = fmt::format("{}, {}/s", done, format_bytes(rate));
    if (p.total > p.done) out += ", " + format_seconds(static_cast<double>(p.total - p.done) / rate) + " left";
    return out;
  }
  void clear() {
    if (shown_) fmt::print(stderr, "\r\033[K");
  }

  std::string name_;
  bool terminal_;
  bool started_ = false, shown_ = false;
  FetchProgress::Stage stage_{};
  std::uint64_t begin_ = 0;
  Stopwatch since_;
  double last_ = 0;
};

// A download by name or folder; a data set by name, where it has just one.
const Source& source_for(const std::string& name, const Session& session) {
  if (session.datasets.has(name)) {
    std::vector<std::string> known;
    for (const std::string& fetchable : session.datasets.find(name).info.fetchable) {
      for (const Source& source : sources()) {
        if (source.name == fetchable || source.folder == fetchable) known.push_back(source.name);
      }
    }
    if (known.size() == 1) return find_source(known.front());
    if (known.size() > 1)
      throw UsageError("the data set '{}' has several downloads; choose from {}", name, fmt::join(known, ", "));
    if (std::none_of(sources().begin(), sources().end(),
                     [&](const Source& s) { return s.name == name || s.folder == name; }))
      throw UsageError("the data set '{}' cannot be fetched: {}", name, session.datasets.find(name).info.source);
  }
  return find_source(name);
}

ExitCode fetch_all(const Options& o, const Session& session) {
  std::vector<const Source*> wanted;  // all names are looked up before anything is downloaded
  for (const std::string& name : o.names) wanted.push_back(&source_for(name, session));
  for (const Source* source : wanted) {
    FetchResult result;
    {
      ProgressLine line(source->name);
      FetchOptions options = o.fetch;
      if (!session.quiet) options.progress = [&](const FetchProgress& p) { line.update(p); };
      result = fetch(*source, options);
    }
    fmt::print("{}\n", result.folder.string());
    log_info("{}: {}; licence: {}", source->name,
             result.already_there
                 ? "already here"
                 : fmt::format("{} downloaded", format_bytes(static_cast<double>(result.bytes_downloaded))),
             source->licence);
  }
  return ExitCode::kOk;
}

}  // namespace

void add_data_fetch(CLI::App& data, Session& session) {
  auto o = std::make_shared<Options>();
  CLI::App& cmd = add_command(data, "fetch", "downloads public data sets, verifies and unpacks them",
                              {{"segue data fetch movielens-100k", "prints the folder it is in afterwards"},
                               {"segue data fetch ml-1m hetrec-lastfm-2k", "several; folder names work too"},
                               {"segue data fetch ml-1m --root ~/data", "somewhere else than the cache"},
                               {"segue data fetch ml-1m --offline", "only from an archive that is already there"}});
  cmd.add_option("NAME", o->names, "what to fetch (see `segue data list`)")->required()->type_name("SOURCE");
  cmd.add_flag("--offline", o->fetch.offline, "never touch the network");
  cmd.add_flag("--force", o->fetch.force, "download again, and replace what is there");
  cmd.add_option("--mirror", o->fetch.mirror, "base URL to use instead of the publisher's")->type_name("URL");
  cmd.add_option("--root", o->fetch.root, "data folder [the cache]")->type_name("DIR");
  on_run(cmd, session, [o, &session] { return fetch_all(*o, session); });
}

}  // namespace segue
