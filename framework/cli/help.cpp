// Help and parse errors in Segue's own words.
#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "framework/cli/commands.hpp"
#include "framework/report/text.hpp"

namespace segue {

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

std::size_t help_width() {
  const std::size_t terminal = terminal_width(1);
  return std::clamp<std::size_t>(terminal == 0 ? 80 : terminal, 40, 100);
}

// "  left    right", right wrapped; a left that is wider than the column stands on a line of its own.
std::string definitions(const Lines& lines, std::size_t most_left, std::size_t column = 0) {
  for (const auto& [left, right] : lines) {
    if (display_width(left) <= most_left) column = std::max(column, display_width(left));
  }
  if (column == 0) column = 8;
  std::string out;
  for (const auto& [left, right] : lines) {
    const bool alone = display_width(left) > column;
    out += alone ? "  " + left + "\n" : "";
    bool first = !alone;
    for (const std::string& line : wrap_text(right, help_width() - column - 4)) {
      const std::string text = fmt::format("  {}  {}", pad_right(first ? left : "", column), line);
      out += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
      first = false;
    }
  }
  return out;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string option_left(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  return takes_value(option) ? names + " " + value_name(option) : names;
}

std::string option_right(const CLI::Option& option) {
  const std::string fallback = option.get_default_str();
  return option.get_description() + (fallback.empty() ? "" : fmt::format(" [{}]", fallback));
}

std::string positional_usage(const CLI::Option& option) {
  std::string text = option.get_name(true);
  if (option.get_items_expected_max() > 1) text += "...";
  return option.get_required() ? text : "[" + text + "]";
}

std::vector<const CLI::Option*> positionals(const CLI::App& command) {
  return command.get_options([](const CLI::Option* o) { return o->get_positional() && !o->get_group().empty(); });
}

std::string section(const std::string& title, const std::string& body) {
  return body.empty() ? "" : "\n" + title + ":\n" + body;
}

std::string command_sections(const CLI::App& command) {
  std::vector<std::string> groups;
  std::size_t widest = 0;
  for (const CLI::App* sub : visible_commands(command)) {
    widest = std::max(widest, sub->get_name().size());
    if (std::find(groups.begin(), groups.end(), sub->get_group()) == groups.end()) groups.push_back(sub->get_group());
  }
  std::string out;
  for (const std::string& group : groups) {
    Lines lines;
    for (const CLI::App* sub : visible_commands(command)) {
      if (sub->get_group() == group) lines.emplace_back(sub->get_name(), sub->get_description());
    }
    out += section(group == "Subcommands" ? "Commands" : group, definitions(lines, 16, widest));
  }
  return out;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> out;
  for (const CLI::Option* option : command.get_options({})) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> out;
  for (const CLI::App* sub : visible_commands(command)) out.push_back(sub->get_name());
  std::sort(out.begin(), out.end());
  return out;
}

std::string sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text + ".";
}

std::string see_help(const CLI::App& command) { return fmt::format("; see `{} --help`", command_path(command)); }

}  // namespace

std::string command_path(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? "segue" : command_path(*parent) + " " + command.get_name();
}

std::string value_name(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::vector<const CLI::App*> visible_commands(const CLI::App& command) {
  return command.get_subcommands([](const CLI::App* sub) { return !sub->get_group().empty(); });
}

std::string help_text(const CLI::App& command) {
  Lines examples;
  std::istringstream footer(command.get_footer());
  for (std::string line; std::getline(footer, line);) {
    const std::size_t tab = line.find('\t');
    if (tab != std::string::npos) examples.emplace_back(line.substr(0, tab), line.substr(tab + 1));
  }
  std::string usage = command_path(command);
  Lines arguments, options, global;
  for (const CLI::Option* option : positionals(command)) {
    usage += " " + positional_usage(*option);
    arguments.emplace_back(option->get_name(true), option_right(*option));
  }
  for (const CLI::Option* option : command.get_options([](const CLI::Option* o) { return !o->get_positional(); })) {
    if (option->get_group().empty()) continue;
    (option->get_group() == "Options" ? options : global).emplace_back(option_left(*option), option_right(*option));
  }
  if (!visible_commands(command).empty()) usage += " COMMAND";
  usage += " [options]";

  std::string out = "Examples:\n" + definitions(examples, 44);
  out += section("Usage", "  " + usage + "\n");
  out += "\n";
  for (const std::string& line : wrap_text(sentence(command.get_description()), help_width())) out += line + "\n";
  out += command_sections(command);
  out += section("Arguments", definitions(arguments, 24));
  out += section("Options", definitions(options, 34));
  out += section("Global options", definitions(global, 34));
  return out;
}

std::string parse_error_text(const CLI::App& program, const CLI::ParseError& error) {
  const CLI::App* command = &program;
  for (;;) {  // the deepest command that was recognised; what it could not place is the mistake
    const std::vector<std::string> left = command->remaining();
    if (!left.empty()) {
      const std::string word = left.front().substr(0, left.front().find('='));
      if (word.starts_with("-")) {
        std::string text = fmt::format("unknown option '{}' of `{}`", word, command_path(*command));
        return text + suggestion(word, option_names(*command));
      }
      const std::vector<std::string> names = command_names(*command);
      if (!names.empty()) {
        return fmt::format("unknown command '{} {}'{}", command_path(*command), word, suggestion(word, names));
      }
      return fmt::format("`{}` takes no further argument '{}'{}", command_path(*command), left.front(),
                         see_help(*command));
    }
    const auto parsed = command->get_subcommands();
    if (parsed.empty()) break;
    command = parsed.front();
  }
  if (!visible_commands(*command).empty() && command->get_subcommands().empty())
    return fmt::format("`{}` needs a command: {}", command_path(*command), fmt::join(command_names(*command), ", "));
  std::string text = error.what();
  // CLI11 says "--format: 1 required table|md|csv missing".
  if (const std::size_t at = text.find(": 1 required "); at != std::string::npos && text.ends_with(" missing"))
    return fmt::format("`{}`: {} needs a value: {}", command_path(*command), text.substr(0, at), text.substr(at + 13, text.size() - at - 21));
  if (error.get_name() == "RequiredError") {
    for (const CLI::Option* option : command->get_options({})) {
      if (option->get_required() && option->count() == 0)
        return fmt::format("`{}` needs {}: {}", command_path(*command), option->get_name(option->get_positional()),
                           option->get_description());
    }
  }
  return fmt::format("`{}`: {}{}", command_path(*command), text, see_help(*command));
}

}  // namespace segue
