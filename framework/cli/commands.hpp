// The commands of the program. How to add one: write `void add_<name>(CLI::App&, Session&)` in a file of its own,
// declare it here, and name it in add_commands() (commands.cpp), where its place in the help is decided too.
//
//   void add_hash(CLI::App& app, Session& session) {
//     struct Options { std::string suite; TableFormat format{}; };
//     auto o = std::make_shared<Options>();
//     CLI::App& cmd = add_command(app, "hash", "prints the ids of a suite's trials",
//                                 {{"segue hash suite.yaml", "one line a trial"}});
//     cmd.add_option("SUITE", o->suite, "the suite to read")->required()->type_name("FILE");
//     add_format(cmd, o->format);
//     on_run(cmd, session, [o, &session] { ...; return ExitCode::kOk; });
//   }
//
// The type name of an option says what completion offers: ALGORITHM, DATASET, METRIC, PLOT, SOURCE (a download), COMMAND,
// FILE, DIR, or the choices themselves ("bash|zsh|fish"). A DATASET may be followed by key=value arguments (SETTINGS).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "framework/cli/session.hpp"
#include "framework/report/table.hpp"

namespace segue {

// Adds every command to the program, and the global options to each of them.
void add_commands(CLI::App& app, Session& session);

void add_run(CLI::App& app, Session& session);
void add_leaderboard(CLI::App& app, Session& session);
void add_evaluate(CLI::App& app, Session& session);
void add_compare(CLI::App& app, Session& session);
void add_plot(CLI::App& app, Session& session);
void add_report(CLI::App& app, Session& session);
void add_import(CLI::App& app, Session& session);
void add_export(CLI::App& app, Session& session);
void add_hash(CLI::App& app, Session& session);
void add_reproduce(CLI::App& app, Session& session);
void add_tuning(CLI::App& app, Session& session);
void add_recommend(CLI::App& app, Session& session);
void add_similar(CLI::App& app, Session& session);
void add_next(CLI::App& app, Session& session);
void add_config(CLI::App& app, Session& session);
void add_data(CLI::App& app, Session& session);
void add_audio(CLI::App& app, Session& session);
void add_tags(CLI::App& app, Session& session);
void add_algo(CLI::App& app, Session& session);
void add_metric(CLI::App& app, Session& session);
void add_doctor(CLI::App& app, Session& session);
void add_version(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);

// The parts of `segue data`.
void add_data_info(CLI::App& data, Session& session);
void add_data_check(CLI::App& data, Session& session);
void add_data_describe(CLI::App& data, Session& session);
void add_data_render(CLI::App& data, Session& session);
void add_data_fetch(CLI::App& data, Session& session);

// The parts of `segue audio`.
void add_audio_analyze(CLI::App& audio, Session& session);
void add_audio_extract(CLI::App& audio, Session& session);
void add_audio_tempo(CLI::App& audio, Session& session);
void add_audio_duplicates(CLI::App& audio, Session& session);
void add_audio_classes(CLI::App& audio, Session& session);
void add_audio_index(CLI::App& audio, Session& session);
void add_audio_search(CLI::App& audio, Session& session);
void add_audio_recall(CLI::App& audio, Session& session);

// --- what commands are made of

struct Example {
  std::string command;
  std::string what;
};

// A command under the program or under another command; its help begins with the examples.
CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& description,
                      const std::vector<Example>& examples);
// What the command does; the exit code it returns becomes the program's.
void on_run(CLI::App& command, Session& session, std::function<ExitCode()> run);

// A data set and its loader's settings: NAME [SETTING...].
void add_dataset(CLI::App& command, std::string& name, std::vector<std::string>& settings);

// --plugin FILE, repeated; and loading what it names.
void add_plugins(CLI::App& command, std::vector<std::string>& plugins);
void load_plugins(Session& session, const std::vector<std::string>& plugins);

// A number that CLI11 has read must lie in [low, high].
CLI::Validator between(double low, double high);

// --format table|md|csv|json|latex|html. `format` must outlive parsing.
void add_format(CLI::App& command, TableFormat& format);
// To stdout, as wide as the terminal and in colour where it may be.
void show(const Table& table, TableFormat format, const std::string& caption = "");
void show(const NamedTables& tables, TableFormat format);

// The help of a command: examples, usage, description, arguments, options.
std::string help_text(const CLI::App& command);
// One sentence for what CLI11 could not parse, with the nearest name where there is one.
std::string parse_error_text(const CLI::App& program, const CLI::ParseError& error);
// "segue 0.1.0 (427d20f6ad8e)"
std::string version_text();
// "segue data info"
std::string command_path(const CLI::App& command);
// "FILE", "INT": without what CLI11 appends for a check ("INT:INT in [1 - 100]").
std::string value_name(const CLI::Option& option);
// The subcommands that help shows.
std::vector<const CLI::App*> visible_commands(const CLI::App& command);

// "edition=100k" "seed=7" -> {edition: 100k, seed: 7}; UsageError for a text without '=', and for a key given twice.
Value parse_settings(const std::vector<std::string>& settings);
// "movielens edition=100k": for messages and headings.
std::string dataset_text(const std::string& name, const std::vector<std::string>& settings);
// Where `name` is a download rather than a data set, the UsageError says which data set reads it.
const DatasetRegistry::Entry& find_dataset(const Session& session, const std::string& name);

}  // namespace segue
