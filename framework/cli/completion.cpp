// segue completion: shell scripts written by walking the commands themselves, so that they cannot fall behind. Names of
// algorithms, data sets, metrics and downloads are asked of the program when they are needed (segue __names).
#include <algorithm>

#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/download/sources.hpp"
#include "framework/eval/metrics.hpp"
#include "framework/store/plots.hpp"

namespace segue {

namespace {

// What can stand for a value: words, names asked of the program, or paths.
struct Values {
  enum class Kind { kNone, kWords, kNames, kFiles, kFolders } kind = Kind::kNone;
  std::string text{};  // the words parted by blanks, or the argument of __names
};

Values values_of(const CLI::Option& option) {
  std::string type = value_name(option);
  if (type.find('|') != std::string::npos) {
    std::replace(type.begin(), type.end(), '|', ' ');
    return {Values::Kind::kWords, type};
  }
  for (const char* name : {"ALGORITHM", "DATASET", "METRIC", "PLOT", "SOURCE"}) {
    if (type == name) return {Values::Kind::kNames, type};
  }
  if (type == "FILE" || type == "DIR") return {type == "FILE" ? Values::Kind::kFiles : Values::Kind::kFolders, ""};
  return {};
}

struct OptionNode {
  std::vector<std::string> names{};  // "-q", "--quiet"
  std::string description{};
  bool takes_value = false;
  Values values{};
};

struct Node {
  std::string path;                                             // "segue data info"
  std::vector<std::pair<std::string, std::string>> commands{};  // name, description
  std::vector<OptionNode> options{};
  Values arguments{};  // of the first positional
};

void walk(const CLI::App& command, std::vector<Node>& out) {
  Node node{.path = command_path(command)};
  for (const CLI::App* sub : visible_commands(command))
    node.commands.emplace_back(sub->get_name(), sub->get_description());
  for (const CLI::Option* option : command.get_options({})) {
    if (option->get_group().empty()) continue;
    if (option->get_positional()) {
      if (node.arguments.kind == Values::Kind::kNone) node.arguments = values_of(*option);
      continue;
    }
    OptionNode o{.description = option->get_description(),
                 .takes_value = option->get_items_expected_max() > 0,
                 .values = values_of(*option)};
    for (const std::string& name : option->get_snames()) o.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) o.names.push_back("--" + name);
    node.options.push_back(std::move(o));
  }
  out.push_back(std::move(node));
  for (const CLI::App* sub : visible_commands(command)) walk(*sub, out);
}

std::string joined(const std::vector<std::string>& words, const char* separator = " ") {
  return fmt::format("{}", fmt::join(words, separator));
}

// --- bash and zsh: one case over place (the command so far) and previous word, one over current word and place. In zsh
// $path and $words are special, hence $place and $choices.

std::string shell_values(const Values& values, bool zsh) {
  switch (values.kind) {
    case Values::Kind::kWords:
      return fmt::format("choices=\"{}\"", values.text);
    case Values::Kind::kNames:
      return fmt::format("choices=\"$(segue __names {} 2>/dev/null)\"", values.text);
    case Values::Kind::kFiles:
      return zsh ? "_files; return" : "compopt -o default; COMPREPLY=(); return";
    case Values::Kind::kFolders:
      return zsh ? "_files -/; return" : "compopt -o dirnames; COMPREPLY=(); return";
    case Values::Kind::kNone:
      break;
  }
  return "choices=\"\"";
}

std::string shell_cases(const std::vector<Node>& nodes, bool zsh) {
  std::string out = "  case \"$place:$previous\" in\n";
  for (const Node& node : nodes) {
    for (const OptionNode& option : node.options) {
      if (!option.takes_value) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) patterns.push_back(fmt::format("\"{}:{}\"", node.path, name));
      out += fmt::format("    {}) {}; found=1 ;;\n", joined(patterns, "|"), shell_values(option.values, zsh));
    }
  }
  out += "  esac\n  if [[ -z $found ]]; then\n    case \"$current:$place\" in\n";
  for (const Node& node : nodes) {
    std::vector<std::string> options, commands;
    for (const OptionNode& option : node.options)
      options.insert(options.end(), option.names.begin(), option.names.end());
    for (const auto& [name, description] : node.commands) commands.push_back(name);
    out += fmt::format("      -*:\"{}\") choices=\"{}\" ;;\n", node.path, joined(options));
    if (!commands.empty()) {
      out += fmt::format("      *:\"{}\") choices=\"{}\" ;;\n", node.path, joined(commands));
    } else if (node.arguments.kind != Values::Kind::kNone) {
      out += fmt::format("      *:\"{}\") {} ;;\n", node.path, shell_values(node.arguments, zsh));
    }
  }
  return out + "    esac\n  fi\n";
}

// The words so far that are commands make the path.
std::string shell_path(const std::vector<Node>& nodes) {
  std::vector<std::string> paths;
  for (const Node& node : nodes) {
    if (node.path != "segue") paths.push_back("\"" + node.path + "\"");
  }
  return fmt::format("    case \"$place $word\" in\n      {}) place=\"$place $word\" ;;\n    esac\n",
                     joined(paths, "|"));
}

std::string bash(const std::vector<Node>& nodes) {
  return "# bash completion for segue: source <(segue completion bash)\n"
         "_segue() {\n"
         "  local place=segue choices=\"\" found=\"\" word\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n" +
         shell_path(nodes) + "  done\n" + shell_cases(nodes, false) +
         "  COMPREPLY=($(compgen -W \"$choices\" -- \"$current\"))\n"
         "}\n"
         "complete -F _segue segue\n";
}

std::string zsh(const std::vector<Node>& nodes) {
  return "#compdef segue\n"
         "# zsh completion for segue: segue completion zsh > \"${fpath[1]}/_segue\"\n"
         "_segue() {\n"
         "  local place=segue choices=\"\" found=\"\" word\n"
         "  local current=\"${words[CURRENT]}\" previous=\"${words[CURRENT-1]}\"\n"
         "  for word in \"${(@)words[2,CURRENT-1]}\"; do\n" +
         shell_path(nodes) + "  done\n" + shell_cases(nodes, true) +
         "  compadd -- ${=choices}\n"
         "}\n"
         "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _segue \"$@\"; else compdef _segue segue; fi\n";
}

// --- fish: one line an option, a command, a value

std::string fish_quote(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_values(const Values& values) {
  switch (values.kind) {
    case Values::Kind::kWords:
      return fmt::format(" -f -a {}", fish_quote(values.text));
    case Values::Kind::kNames:
      return fmt::format(" -f -a '(segue __names {} 2>/dev/null)'", values.text);
    case Values::Kind::kFiles:
      return " -F";
    case Values::Kind::kFolders:
      return " -f -a '(__fish_complete_directories)'";
    case Values::Kind::kNone:
      break;
  }
  return " -f";
}

std::string fish(const std::vector<Node>& nodes) {
  std::string paths;
  for (const Node& node : nodes) {
    if (node.path != "segue") paths += " " + fish_quote(node.path);
  }
  std::string out =
      "# fish completion for segue: segue completion fish > ~/.config/fish/completions/segue.fish\n"
      "function __segue_at\n"
      "  set -l path segue\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    contains -- \"$path $word\"" +
      paths +
      "; and set path \"$path $word\"\n"
      "  end\n"
      "  test \"$path\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c segue -f\n";
  for (const Node& node : nodes) {
    const std::string at = fmt::format("complete -c segue -n '__segue_at \"{}\"'", node.path);
    for (const auto& [name, description] : node.commands)
      out += fmt::format("{} -a {} -d {}\n", at, name, fish_quote(description));
    for (const OptionNode& option : node.options) {
      out += at;
      for (const std::string& name : option.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (option.takes_value) out += " -r" + fish_values(option.values);
      out += " -d " + fish_quote(option.description) + "\n";
    }
    if (node.arguments.kind != Values::Kind::kNone) out += at + fish_values(node.arguments) + "\n";
  }
  return out;
}

ExitCode completion(const std::string& shell, const CLI::App& program) {
  std::vector<Node> nodes;
  walk(program, nodes);
  if (shell == "bash") {
    fmt::print("{}", bash(nodes));
  } else if (shell == "zsh") {
    fmt::print("{}", zsh(nodes));
  } else if (shell == "fish") {
    fmt::print("{}", fish(nodes));
  } else {
    throw UsageError("unknown shell '{}'{}", shell, suggestion(shell, {"bash", "fish", "zsh"}));
  }
  return ExitCode::kOk;
}

ExitCode names(const std::string& kind, const Session& session) {
  std::vector<std::string> out;
  if (kind == "ALGORITHM") out = session.algorithms.names();
  if (kind == "DATASET") out = session.datasets.names();
  if (kind == "METRIC") {
    for (const MetricCard& card : metric_cards()) out.push_back(card.name);
  }
  if (kind == "PLOT") out = plot_names();
  if (kind == "SOURCE") {
    for (const Source& source : sources()) out.push_back(source.name);
  }
  for (const std::string& name : out) fmt::print("{}\n", name);
  return ExitCode::kOk;
}

}  // namespace

void add_completion(CLI::App& app, Session& session) {
  auto shell = std::make_shared<std::string>();
  CLI::App& cmd = add_command(app, "completion", "prints the completion script for a shell",
                              {{"source <(segue completion bash)", "in ~/.bashrc"},
                               {"segue completion zsh > \"${fpath[1]}/_segue\"", "once"},
                               {"segue completion fish > ~/.config/fish/completions/segue.fish", "once"}});
  cmd.add_option("SHELL", *shell, "bash, zsh or fish")->required()->type_name("bash|zsh|fish");
  on_run(cmd, session, [shell, &app] { return completion(*shell, app); });

  auto kind = std::make_shared<std::string>();
  CLI::App& hidden = add_command(app, "__names", "prints names for completion", {});
  hidden.group("");
  hidden.add_option("KIND", *kind, "ALGORITHM, DATASET, METRIC, PLOT or SOURCE")->required();
  on_run(hidden, session, [kind, &session] { return names(*kind, session); });
}

}  // namespace segue
