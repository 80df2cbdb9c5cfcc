#include <fmt/core.h>

#include "framework/cli/commands.hpp"
#include "framework/cli/suite.hpp"
#include "framework/param/yaml.hpp"

namespace segue {

void add_config(CLI::App& app, Session& session) {
  struct Arguments {
    std::string suite;
    std::vector<std::string> overrides;
    bool origin = false;
    TableFormat format{};
  };
  auto args = std::make_shared<Arguments>();
  CLI::App& config = add_command(app, "config", "shows how a suite is resolved, and its schema",
                                 {{"segue config show suite.yaml", "after includes, environment and settings"},
                                  {"segue config schema > suite.schema.json", "for editors"}});
  config.require_subcommand(1);
  CLI::App& cmd = add_command(config, "show", "prints the suite as it would run",
                              {{"segue config show suite.yaml seeds=[1,2]", "with overrides"},
                               {"segue config show suite.yaml --origin", "who set what: winner first, then losers"}});
  cmd.add_option("SUITE", args->suite, "the suite")->required()->type_name("FILE");
  cmd.add_option("OVERRIDES", args->overrides, "a.b=1 changes, +a.b=1 adds, ~a.b removes")->type_name("KEY=VALUE");
  cmd.add_flag("--origin", args->origin, "print where each value comes from");
  add_format(cmd, args->format);
  on_run(cmd, session, [args] {
    Value merged;
    const Layers layers = load_layers(args->suite, args->overrides, merged);
    if (!args->origin) {
      fmt::print("{}", args->format == TableFormat::kJson ? merged.to_json(2) + "\n" : emit_yaml(merged));
      return ExitCode::kOk;
    }
    Table table;
    table.columns = {{"key"}, {"value", Align::kLeft, Wrap::kYes}, {"from"}, {"instead of", Align::kLeft, Wrap::kYes}};
    for (const std::string& o : args->overrides) table.add({"", o, "command line", ""});
    for (const Origin& origin : layers.origins()) {
      const auto& all = origin.winner_then_losers;
      std::string losers;
      for (std::size_t i = 1; i < all.size(); ++i) losers += fmt::format("{}{} ({})", i > 1 ? ", " : "", all[i].text, all[i].mark);
      table.add({origin.path, all.front().text, all.front().mark, losers});
    }
    show(table, args->format);
    return ExitCode::kOk;
  });
  CLI::App& schema = add_command(config, "schema", "prints the JSON Schema of suites, for editors",
                                 {{"segue config schema > suite.schema.json", "then: # yaml-language-server: $schema=suite.schema.json"}});
  on_run(schema, session, [&session] {
    fmt::print("{}\n", suite_json_schema(session.algorithms, session.datasets));
    return ExitCode::kOk;
  });
}

}  // namespace segue
