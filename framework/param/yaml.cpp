#include "framework/param/yaml.hpp"

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "framework/base/errors.hpp"
#include "framework/param/scalar.hpp"
#include "framework/param/yaml_source.hpp"

namespace segue {

namespace {

constexpr std::size_t kMaxWeight = 1'000'000;

// Builds the tree from yaml-cpp's events.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const YamlSource& source) : source_(source) {}

  void OnDocumentStart(const YAML::Mark& at) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& at, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor, const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    start(false, at, tag, anchor, style);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    start(true, at, tag, anchor, style);
  }
  void OnMapEnd() override { end(); }

  // The whole document; UsageError where there is none.
  Value take_root();
  // A syntax error in our words.
  [[noreturn]] void fail(const YAML::Exception& error) const;

 private:
  // A value with what expanding it once more costs.
  struct Node {
    Value value;
    std::size_t weight = 1;  // values, and a share for long strings
    int height = 0;          // levels beneath it
  };
  struct Frame {
    bool is_map = false;
    bool flow = false;
    Mark mark;
    int column = 0;
    YAML::anchor_t anchor = 0;
    std::vector<Value> items;
    std::vector<Value::Entry> entries;
    std::map<std::string, Mark> keys;  // of entries and of "<<"
    std::optional<std::pair<std::string, Mark>> key;
    bool key_is_merge = false;
    std::vector<Value> merged;  // maps given by "<<", strongest first
    std::size_t merge_at = 0;   // the entry before which they stand
    std::size_t weight = 1;
    int height = 0;
  };

  Mark mark(const YAML::Mark& at) const { return source_.mark(at.line, at.column); }
  bool expects_key() const { return !stack_.empty() && stack_.back().is_map && !stack_.back().key; }
  void start(bool is_map, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
             YAML::EmitterStyle::value style);
  void end();
  void take_key(const std::string& text, const Mark& mark, bool plain);
  void add(Node node, YAML::anchor_t anchor);
  void count(std::size_t weight, const Mark& mark);
  void take_merge(const Value& value);
  Value scalar(const Mark& mark, const std::string& tag, const std::string& text) const;

  const YamlSource& source_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::optional<Value> root_;
  std::size_t total_ = 0;
  bool started_ = false;
};

void Builder::OnDocumentStart(const YAML::Mark& at) {
  if (!std::exchange(started_, true)) return;
  // yaml-cpp also starts a new document where text merely does not belong to the one above.
  int above = at.line - 1;
  while (above > 0 && source_.line(above).find_first_not_of(" \t") == std::string_view::npos) --above;
  if (source_.line(at.line).starts_with("---") || source_.line(above).starts_with("...")) {
    throw UsageError("{}a second document starts here; a file holds one", mark(at).prefix());
  }
  throw UsageError("{}this does not continue what stands above it; check the indentation", mark(at).prefix());
}

void Builder::count(std::size_t weight, const Mark& mark) {
  total_ += weight;
  if (total_ > kMaxWeight) {
    throw UsageError("{}more than {} values once aliases are expanded", mark.prefix(), kMaxWeight);
  }
}

void Builder::add(Node node, YAML::anchor_t anchor) {
  if (anchor != 0) {
    count(node.weight, node.value.mark());  // the copy kept for aliases
    anchors_[anchor] = node;
  }
  if (stack_.empty()) {
    root_ = std::move(node.value);
    return;
  }
  Frame& top = stack_.back();
  top.weight += node.weight;
  top.height = std::max(top.height, node.height + 1);
  if (!top.is_map) {
    top.items.push_back(std::move(node.value));
    return;
  }
  const auto [key, key_mark] = *std::exchange(top.key, std::nullopt);
  if (top.key_is_merge) {
    take_merge(node.value);
  } else {
    top.entries.push_back({key, key_mark, std::move(node.value)});
  }
}

void Builder::take_key(const std::string& text, const Mark& mark, bool plain) {
  Frame& top = stack_.back();
  const auto [found, fresh] = top.keys.emplace(text, mark);
  if (!fresh) {
    throw UsageError("{}key '{}' appears twice in one map{}", mark.prefix(), text,
                     mark.line == 0 ? "" : fmt::format("; it is first given at {}", found->second.str()));
  }
  top.key = {text, mark};
  top.key_is_merge = plain && text == "<<";
  if (top.key_is_merge) top.merge_at = top.entries.size();
}

void Builder::take_merge(const Value& value) {
  std::vector<Value> maps = value.is_list() ? value.items() : std::vector<Value>{value};
  for (const Value& map : maps) {
    if (!map.is_map()) {
      throw UsageError("{}'<<' merges a map or a list of maps, not {}", map.mark().prefix(), map.describe());
    }
  }
  stack_.back().merged = std::move(maps);
}

void Builder::start(bool is_map, const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) {
  const Mark here = mark(at);
  if (expects_key()) {
    // yaml-cpp also takes an open bracket at the head of a line for a key.
    if (!source_.bracket_is_closed(at.line, at.column)) {
      throw UsageError("{}the '{}' opened here is never closed", here.prefix(), is_map ? "{" : "[");
    }
    throw UsageError("{}a {} cannot be a key; keys are words or quoted text", here.prefix(), is_map ? "map" : "list");
  }
  const char* core = is_map ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
  if (tag != "?" && tag != "!" && !tag.empty() && tag != core)
    throw UsageError("{}the tag '{}' is not supported here", here.prefix(), tag);
  if (static_cast<int>(stack_.size()) >= kMaxDepth)
    throw UsageError("{}more than {} levels of nesting", here.prefix(), kMaxDepth);
  count(1, here);
  Frame frame;
  frame.is_map = is_map;
  frame.flow = style == YAML::EmitterStyle::Flow;
  frame.mark = here;
  frame.column = at.column;
  frame.anchor = anchor;
  stack_.push_back(std::move(frame));
}

void Builder::end() {
  Frame frame = std::move(stack_.back());
  stack_.pop_back();
  Node node{{}, frame.weight, frame.height};
  if (frame.is_map) {
    std::vector<Value::Entry> inherited;
    for (const Value& map : frame.merged) {
      for (const Value::Entry& entry : map.entries()) {
        if (frame.keys.emplace(entry.key, entry.key_mark).second) inherited.push_back(entry);
      }
    }
    frame.entries.insert(frame.entries.begin() + static_cast<std::ptrdiff_t>(frame.merge_at), inherited.begin(),
                         inherited.end());
    node.value = Value::map_of(std::move(frame.entries), frame.mark);
  } else {
    node.value = Value::list(std::move(frame.items), frame.mark);
  }
  add(std::move(node), frame.anchor);
}

void Builder::OnNull(const YAML::Mark& at, YAML::anchor_t anchor) {
  if (expects_key()) throw UsageError("{}a key is missing; null cannot be a key", mark(at).prefix());
  Mark here = mark(at);
  // For a value left out yaml-cpp gives the mark of whatever comes next.
  if (!source_.is_explicit_null(at.line, at.column) && !stack_.empty()) {
    const Frame& top = stack_.back();
    if (top.is_map) {
      here = top.key->second;
    } else if (!top.flow) {
      const int dash = source_.dash_line(at.line, at.column, top.column);
      here = dash < 0 ? top.mark : source_.mark(dash, top.column);
    }
  }
  count(1, here);
  add({Value::null(here)}, anchor);
}

void Builder::OnAlias(const YAML::Mark& at, YAML::anchor_t anchor) {
  const Mark here = mark(at);
  if (expects_key()) throw UsageError("{}an alias cannot be a key; keys are words or quoted text", here.prefix());
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) throw UsageError("{}this alias stands inside the value that it names", here.prefix());
  count(found->second.weight, here);
  if (static_cast<int>(stack_.size()) + found->second.height > kMaxDepth) {
    throw UsageError("{}more than {} levels of nesting once this alias is expanded", here.prefix(), kMaxDepth);
  }
  Node copy = found->second;
  copy.value.set_mark(here);
  add(std::move(copy), 0);
}

void Builder::OnScalar(const YAML::Mark& at, const std::string& tag, YAML::anchor_t anchor, const std::string& given) {
  const Mark here = mark(at);
  const std::string text = repair_escapes(given);
  if (!source_.quote_is_closed(at.line, at.column))
    throw UsageError("{}the quote opened here is never closed", here.prefix());
  if (expects_key()) {
    if (anchor != 0) anchors_[anchor] = {Value::string(text, here)};
    take_key(text, here, tag == "?");
    return;
  }
  const std::size_t weight = 1 + text.size() / 64;
  count(weight, here);
  add({scalar(here, tag, text), weight}, anchor);
}

Value Builder::scalar(const Mark& here, const std::string& tag, const std::string& text) const {
  if (tag == "?" || tag.empty()) return resolve_plain(text, here);
  const std::string core = "tag:yaml.org,2002:";
  if (tag == "!" || tag == core + "str") return Value::string(text, here);
  Value value = resolve_plain(text, here);
  if (tag == core + "float" && value.is_number()) return Value::real(value.as_real(), here);
  const std::map<std::string, Value::Kind> kinds = {{core + "int", Value::Kind::kInt},
                                                    {core + "float", Value::Kind::kReal},
                                                    {core + "bool", Value::Kind::kBool},
                                                    {core + "null", Value::Kind::kNull}};
  const auto kind = kinds.find(tag);
  if (kind == kinds.end()) throw UsageError("{}the tag '{}' is not supported here", here.prefix(), tag);
  if (kind->second != value.kind())
    throw UsageError("{}'{}' is not what its tag !!{} says", here.prefix(), text, tag.substr(core.size()));
  return value;
}

Value Builder::take_root() {
  if (!root_ || (root_->is_null() && root_->mark().line != 0 &&
                 !source_.is_explicit_null(root_->mark().line - 1, root_->mark().column - 1))) {
    throw UsageError("{}there is nothing in it (it is empty or has only comments)", source_.file_mark().prefix());
  }
  return *std::move(root_);
}

void Builder::fail(const YAML::Exception& error) const {
  const int line = error.mark.line;
  const int column = error.mark.column;
  const std::string& what = error.msg;
  const Mark here = source_.mark(line, column);
  const bool flow = !stack_.empty() && stack_.back().flow;
  if (const int tab = source_.tab_line(line); tab >= 0 && !flow) {
    const Mark at = source_.mark(tab, static_cast<int>(source_.line(tab).find('\t')));
    throw UsageError("{}a tab is used for indentation; YAML needs spaces", at.prefix());
  }
  if (flow && (what == YAML::ErrorMsg::END_OF_MAP_FLOW || what == YAML::ErrorMsg::END_OF_SEQ_FLOW)) {
    const Frame& top = stack_.back();
    const char* open = top.is_map ? "{" : "[";
    const char* close = top.is_map ? "}" : "]";
    if (source_.at_end(line, column))
      throw UsageError("{}the '{}' opened here is never closed", top.mark.prefix(), open);
    throw UsageError("{}expected ',' or '{}' to go on with the {} opened{}", here.prefix(), close,
                     top.is_map ? "map" : "list", top.mark.line == 0 ? " before" : source_.place(top.mark));
  }
  static const std::map<std::string, const char*> kSentences = {
      {YAML::ErrorMsg::MAP_VALUE,
       "this ':' does not fit here; check the indentation, look for an earlier ':' without a space after it, or quote "
       "the text"},
      {YAML::ErrorMsg::MAP_KEY, "a key cannot start here; check the indentation"},
      {YAML::ErrorMsg::END_OF_MAP,
       "this does not fit the map above it; check the indentation, and that each key has a ':'"},
      {YAML::ErrorMsg::END_OF_SEQ,
       "this does not fit the list above it; check the indentation, and that each item has a '-'"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "this '{' is never closed"},
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "this '[' is never closed"},
      {YAML::ErrorMsg::FLOW_END, "this bracket closes nothing"},
      {YAML::ErrorMsg::BLOCK_ENTRY, "a list item '-' cannot start here; put it on its own line, or quote the text"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN, "text cannot start with this character; put it in quotes"},
      {YAML::ErrorMsg::UNKNOWN_ANCHOR, "this alias names an anchor (&name) that does not exist before it"},
      {YAML::ErrorMsg::ALIAS_NOT_FOUND, "a '*' needs the name of an anchor after it; put it in quotes if it is text"},
      {YAML::ErrorMsg::ANCHOR_NOT_FOUND, "an '&' needs a name after it; put it in quotes if it is text"},
      {YAML::ErrorMsg::CHAR_IN_ALIAS,
       "this character cannot stand in the name of an alias; put it in quotes if it is text"},
      {YAML::ErrorMsg::CHAR_IN_ANCHOR,
       "this character cannot stand in the name of an anchor; put it in quotes if it is text"},
      {YAML::ErrorMsg::ALIAS_CONTENT, "an alias cannot have an anchor or a tag"},
      {YAML::ErrorMsg::MULTIPLE_ANCHORS, "a value cannot have two anchors"},
      {YAML::ErrorMsg::MULTIPLE_TAGS, "a value cannot have two tags"},
      {YAML::ErrorMsg::TAG_WITH_NO_SUFFIX, "a tag needs a name after '!'"},
      {YAML::ErrorMsg::END_OF_VERBATIM_TAG, "a tag opened with '!<' needs a '>'"},
      {YAML::ErrorMsg::CHAR_IN_TAG_HANDLE, "this character cannot stand in a tag; put it in quotes if it is text"},
      {YAML::ErrorMsg::INVALID_HEX, "expected a hexadecimal digit in this escape"},
      {YAML::ErrorMsg::DOC_IN_SCALAR, "a document mark (--- or ...) inside quotes; is a quote left open above?"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "the file ends inside a text"},
      {YAML::ErrorMsg::CHAR_IN_SCALAR, "this character cannot stand in unquoted text; put it in quotes"},
      {YAML::ErrorMsg::TAB_IN_INDENTATION, "a tab is used for indentation; YAML needs spaces"},
      {YAML::ErrorMsg::ZERO_INDENT_IN_BLOCK, "a block of text needs an indentation of at least 1"},
      {YAML::ErrorMsg::CHAR_IN_BLOCK, "this character cannot follow '|' or '>'; put the text in quotes"},
      {YAML::ErrorMsg::YAML_MAJOR_VERSION, "this YAML version is not supported; leave the %YAML line out"},
      {YAML::ErrorMsg::YAML_DIRECTIVE_ARGS, "a %YAML line has one version; leave the line out"},
      {YAML::ErrorMsg::REPEATED_YAML_DIRECTIVE, "a second %YAML line; leave it out"},
      {YAML::ErrorMsg::TAG_DIRECTIVE_ARGS, "a %TAG line has two parts; leave the line out"},
      {YAML::ErrorMsg::REPEATED_TAG_DIRECTIVE, "a second %TAG line for this handle; leave it out"},
  };
  if (what == YAML::ErrorMsg::BAD_FILE) throw UsageError("{}more than {} levels of nesting", here.prefix(), kMaxDepth);
  if (what.starts_with(YAML::ErrorMsg::INVALID_ESCAPE)) {  // two bytes after the backslash
    throw UsageError("{}'\\{}' is not an escape of YAML; write '\\\\' for a backslash, or use single quotes",
                     source_.mark(line, column - 2).prefix(), source_.character(line, column - 1));
  }
  if (what.starts_with(YAML::ErrorMsg::YAML_VERSION)) {
    throw UsageError("{}this is no YAML version; leave the %YAML line out", here.prefix());
  }
  if (what.starts_with(YAML::ErrorMsg::INVALID_UNICODE)) {
    throw UsageError("{}this escape is not a Unicode character", here.prefix());
  }
  const auto sentence = kSentences.find(what);
  if (sentence != kSentences.end()) throw UsageError("{}{}", here.prefix(), sentence->second);
  throw UsageError("{}not valid YAML: {}", here.prefix(), what);
}

Value parse(std::string_view text, const YamlSource& source) {
  source.check_text();
  // Without a last line break yaml-cpp reports an open quote at the end of the file, not where it opens.
  std::istringstream stream{std::string(text) + "\n"};
  Builder builder(source);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    builder.fail(error);
  }
  return builder.take_root();
}

}  // namespace

Value parse_yaml(const std::string& text, const std::string& file_name) {
  std::string_view body = text;
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);  // a byte order mark has no column
  return parse(body, YamlSource(body, file_name));
}

Value load_yaml(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code code;
  const auto status = std::filesystem::status(path, code);
  if (!std::filesystem::exists(status)) throw UsageError("{}: no such file", name);
  if (std::filesystem::is_directory(status)) throw UsageError("{}: this is a directory, not a YAML file", name);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();
  if (file.bad() || !file.is_open()) throw UsageError("{}: cannot be read", name);
  return parse_yaml(text.str(), name);
}

Value parse_yaml_scalar_or_flow(const std::string& text, const Mark& mark) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return Value::string("", mark);
  const std::string trimmed = text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
  if (std::string_view("[{\"'").find(trimmed[0]) == std::string_view::npos) return resolve_plain(trimmed, mark);
  return parse(trimmed, YamlSource(trimmed, mark));
}

}  // namespace segue
