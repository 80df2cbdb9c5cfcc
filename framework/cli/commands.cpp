#include "framework/cli/commands.hpp"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "framework/base/log.hpp"
#include "framework/download/sources.hpp"
#include "framework/model/plugin.hpp"
#include "framework/param/overrides.hpp"
#include "framework/report/text.hpp"

namespace segue {

namespace {

constexpr const char* kGlobal = "Global options";

void add_global_options(CLI::App& app, Session& session) {
  app.add_flag_callback(
         "-q,--quiet",
         [&session] {
           session.quiet = true;
           set_log_level(LogLevel::kWarning);
         },
         "no progress, only warnings and errors")
      ->group(kGlobal);
  app.add_flag_callback(
         "-v,--verbose",
         [&session] {
           session.verbose = true;
           set_log_level(LogLevel::kDebug);
         },
         "say more about what is done")
      ->group(kGlobal);
  app.add_flag_callback(
         "--no-color", [] { ::setenv("NO_COLOR", "1", 1); }, "no colour (as NO_COLOR=1)")
      ->group(kGlobal);
  app.get_help_ptr()->group(kGlobal);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) add_global_options(*command, session);
}

void print(const std::string& text) { fmt::print("{}", text); }

RenderOptions for_terminal() { return {.width = terminal_width(1), .color = use_color(1)}; }

}  // namespace

void add_commands(CLI::App& app, Session& session) {
  // A group's commands stand together in the help, in this order.
  const auto group = [&](const char* name, std::initializer_list<void (*)(CLI::App&, Session&)> adders) {
    for (const auto add : adders) {
      const std::size_t before = app.get_subcommands([](CLI::App*) { return true; }).size();
      add(app, session);
      const auto all = app.get_subcommands([](CLI::App*) { return true; });
      for (std::size_t i = before; i < all.size(); ++i) {
        if (!all[i]->get_group().empty()) all[i]->group(name);
      }
    }
  };
  group("Experiments", {add_run, add_import, add_config});
  group("Evidence", {add_leaderboard, add_reproduce, add_evaluate, add_compare, add_tuning, add_plot, add_report, add_export, add_hash});
  group("Trained models", {add_recommend, add_next, add_similar});
  group("Data and sound", {add_data, add_tags, add_audio});
  group("Reference", {add_algo, add_metric});
  group("This installation", {add_doctor, add_version, add_completion});
  add_global_options(app, session);
}

CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& description,
                      const std::vector<Example>& examples) {
  CLI::App& command = *parent.add_subcommand(name, description);
  std::string lines;
  for (const Example& example : examples) lines += example.command + "\t" + example.what + "\n";
  command.footer(lines);  // help_text() reads them back
  command.set_help_flag("-h,--help", "this help");
  return command;
}

void on_run(CLI::App& command, Session& session, std::function<ExitCode()> run) {
  command.final_callback([&session, run = std::move(run)] { session.exit_code = run(); });
}

void add_dataset(CLI::App& command, std::string& name, std::vector<std::string>& settings) {
  command.add_option("NAME", name, "the data set (see `segue data list`)")->required()->type_name("DATASET");
  command.add_option("SETTING", settings, "key=value settings of its loader")->type_name("SETTINGS");
}

void add_plugins(CLI::App& command, std::vector<std::string>& plugins) {
  command.add_option("--plugin", plugins, "load algorithms from a plugin (.so); may be repeated")
      ->allow_extra_args(false)
      ->type_name("FILE");
}

void load_plugins(Session& session, const std::vector<std::string>& plugins) {
  for (const std::string& path : plugins) load_plugin(path, session.algorithms);
}

void add_format(CLI::App& command, TableFormat& format) {
  command
      .add_option_function<std::string>(
          "--format", [&format](const std::string& text) { format = parse_table_format(text); }, "how to print")
      ->type_name(kTableFormats)
      ->default_str("table");
}

CLI::Validator between(double low, double high) {
  return CLI::Validator(
      [low, high](const std::string& text) {
        double value = 0;
        if (!CLI::detail::lexical_cast(text, value)) return fmt::format("'{}' is not a number", text);
        return value >= low && value <= high ? "" : fmt::format("{} is not between {:.16g} and {:.16g}", text, low, high);
      },
      "");
}

void show(const Table& table, TableFormat format, const std::string& caption) {
  RenderOptions options = for_terminal();
  options.caption = caption;
  print(render(table, format, options));
}
void show(const NamedTables& tables, TableFormat format) { print(render(tables, format, for_terminal())); }

Value parse_settings(const std::vector<std::string>& settings) {
  Value out = Value::map();
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      throw UsageError("'{}' is not a setting; write key=value, for example edition=100k", setting);
    const std::string key = setting.substr(0, equals);
    if (out.find(key) != nullptr) throw UsageError("'{}' is given twice", key);
    const Mark mark{fmt::format("command line '{}'", setting), 0, 0};
    out.set(key, parse_override_value(setting.substr(equals + 1), mark), mark);
  }
  return out;
}

std::string dataset_text(const std::string& name, const std::vector<std::string>& settings) {
  std::string out = name;
  for (const std::string& setting : settings) out += " " + setting;
  return out;
}

const DatasetRegistry::Entry& find_dataset(const Session& session, const std::string& name) {
  if (!session.datasets.has(name)) {
    for (const Source& source : sources()) {
      if (source.name != name && source.folder != name) continue;
      for (const std::string& dataset : session.datasets.names()) {
        for (const std::string& fetchable : session.datasets.find(dataset).info.fetchable) {
          if (fetchable == source.name || fetchable == source.folder)
            throw UsageError("'{}' is a download of the data set '{}'; see `segue data info {} --help`", name, dataset,
                             dataset);
        }
      }
    }
  }
  return session.datasets.find(name);
}

}  // namespace segue
