// What pages are made of: text that means itself, and figures as elements.
#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "framework/base/errors.hpp"
#include "framework/report/html.hpp"

namespace segue {

namespace {

// The length of the character that begins at `at`; 0 where the bytes are no UTF-8 (RFC 3629).
std::size_t utf8_length(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : (first & 0xF0) == 0xE0         ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  const unsigned second = byte(at + 1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) || (first == 0xF0 && second < 0x90) ||
      (first == 0xF4 && second > 0x8F))
    return 0;  // overlong, a surrogate, or beyond U+10FFFF
  return length;
}

bool is_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == ':' || c == '-' || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Where the tag that begins at `open` ends: behind its '>', those in quoted attributes passed over.
std::size_t end_of_tag(const std::string& svg, std::size_t open) {
  char quote = 0;
  for (std::size_t i = open; i < svg.size(); ++i) {
    if (quote != 0) {
      if (svg[i] == quote) quote = 0;
    } else if (svg[i] == '"' || svg[i] == '\'') {
      quote = svg[i];
    } else if (svg[i] == '>') {
      return i + 1;
    }
  }
  throw LogicError("a figure's SVG ends within a tag");
}

// "url(#a) url(#b)" -> "url(#p-a) url(#p-b)".
std::string prefix_urls(const std::string& value, const std::string& prefix) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t at; (at = value.find("url(", from)) != std::string::npos;) {
    std::size_t hash = at + 4;
    while (hash < value.size() && (value[hash] == '"' || value[hash] == '\'' || value[hash] == ' ')) ++hash;
    out += value.substr(from, hash - from);
    from = hash;
    if (hash < value.size() && value[hash] == '#') {
      out += "#" + prefix + "-";
      ++from;
    }
  }
  return out + value.substr(from);
}

// A list of ids, parted by blanks, each under the prefix.
std::string prefix_ids(const std::string& value, const std::string& prefix) {
  std::string out;
  bool inside = false;
  for (const char c : value) {
    if (!is_blank(c) && !inside) out += prefix + "-";
    inside = !is_blank(c);
    out += c;
  }
  return out;
}

struct Attribute {
  std::string name, value;
};

std::vector<Attribute> attributes(const std::string& tag, std::size_t from) {
  std::vector<Attribute> out;
  for (std::size_t i = from; i < tag.size();) {
    if (!is_name(tag[i])) {
      ++i;
      continue;
    }
    Attribute a;
    while (i < tag.size() && is_name(tag[i])) a.name += tag[i++];
    while (i < tag.size() && is_blank(tag[i])) ++i;
    if (i < tag.size() && tag[i] == '=') {
      ++i;
      while (i < tag.size() && is_blank(tag[i])) ++i;
      const char quote = i < tag.size() ? tag[i] : '\0';
      SEGUE_CHECK(quote == '"' || quote == '\'', "a figure's SVG has an attribute without quotes: {}", tag);
      const std::size_t end = tag.find(quote, i + 1);
      a.value = tag.substr(i + 1, end - i - 1);
      i = end + 1;
    }
    out.push_back(std::move(a));
  }
  return out;
}

// Its values are markup already: only the quote that surrounds them here is written out.
std::string attribute_value(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) out += c == '"' ? std::string("&quot;") : std::string(1, c);
  return out + "\"";
}

std::string tag_under(const std::string& tag, const std::string& prefix) {
  std::size_t i = 1;
  while (i < tag.size() && (is_name(tag[i]) || tag[i] == '/')) ++i;
  std::string out = tag.substr(0, i);
  for (const Attribute& a : attributes(tag.substr(0, tag.size() - 1), i)) {
    if (a.name.starts_with("on") || a.name.starts_with("xmlns")) continue;  // HTML's parser knows SVG's name spaces
    const bool reference = a.name == "href" || a.name == "xlink:href";
    if (reference && !a.value.starts_with('#')) continue;  // a request
    std::string value = prefix_urls(a.value, prefix);
    if (a.name == "id" || a.name == "aria-labelledby" || a.name == "aria-describedby")
      value = prefix_ids(value, prefix);
    if (reference) value = "#" + prefix + "-" + a.value.substr(1);
    out += fmt::format(" {}={}", reference ? "href" : a.name, attribute_value(value));
  }
  return out + (tag[tag.size() - 2] == '/' && i < tag.size() - 1 ? "/>" : ">");
}

std::string root_tag(const std::string& tag, const std::string& prefix, const std::string& title,
                     const std::string& description) {
  constexpr std::array kOurs{"width", "height", "role", "id", "aria-labelledby", "aria-describedby", "aria-label"};
  std::string out = "<svg";
  for (const Attribute& a : attributes(tag.substr(0, tag.size() - 1), 4)) {
    bool ours = a.name.starts_with("xmlns") || a.name.starts_with("on");
    for (const char* name : kOurs) ours = ours || a.name == name;
    if (!ours) out += fmt::format(" {}={}", a.name, attribute_value(a.value));
  }
  return out + fmt::format(
                   " role=\"img\" aria-labelledby=\"{0}-title\" aria-describedby=\"{0}-desc\"><title "
                   "id=\"{0}-title\">{1}</title><desc id=\"{0}-desc\">{2}</desc>",
                   prefix, html_text(title), html_text(description));
}

// Past an element that begins at `open`, its content included.
std::size_t end_of_element(const std::string& svg, std::size_t open, const std::string& name) {
  const std::size_t tag = end_of_tag(svg, open);
  if (svg[tag - 2] == '/') return tag;
  const std::size_t close = svg.find("</" + name, tag);
  if (close == std::string::npos) throw LogicError(fmt::format("a figure's SVG has no end of <{}>", name));
  return end_of_tag(svg, close);
}

std::string element_name(const std::string& svg, std::size_t open) {
  std::string name;
  for (std::size_t i = open + 1; i < svg.size() && is_name(svg[i]); ++i) name += svg[i];
  return name;
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    const char c = text[i];
    if (length > 1) {
      out += text.substr(i, length);
    } else if (length == 0 || (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7F) {
      out += "\xEF\xBF\xBD";
    } else {
      switch (c) {
        case '&':
          out += "&amp;";
          break;
        case '<':
          out += "&lt;";
          break;
        case '>':
          out += "&gt;";
          break;
        case '"':
          out += "&quot;";
          break;
        case '\'':
          out += "&#39;";
          break;
        default:
          out += c;
      }
    }
    i += std::max<std::size_t>(length, 1);
  }
  return out;
}

std::string inline_svg(const std::string& svg, const std::string& prefix, const std::string& title,
                       const std::string& description) {
  std::string out;
  std::size_t at = svg.find("<svg");
  if (at == std::string::npos) throw LogicError("a figure of the report is no SVG");
  bool root = true;
  while (at < svg.size()) {
    if (svg[at] != '<') {
      const std::size_t next = std::min(svg.find('<', at), svg.size());
      out += svg.substr(at, next - at);
      at = next;
    } else if (svg.compare(at, 4, "<!--") == 0) {
      const std::size_t end = svg.find("-->", at);
      at = end == std::string::npos ? svg.size() : end + 3;
    } else if (svg.compare(at, 9, "<![CDATA[") == 0) {
      const std::size_t end = svg.find("]]>", at);
      at = end == std::string::npos ? svg.size() : end + 3;
    } else if (svg[at + 1] == '?' || svg[at + 1] == '!') {
      at = end_of_tag(svg, at);
    } else {
      const std::string name = element_name(svg, at);
      if (name == "title" || name == "desc" || name == "script" || name == "metadata") {
        at = end_of_element(svg, at, name);
        continue;
      }
      const std::size_t end = end_of_tag(svg, at);
      const std::string tag = svg.substr(at, end - at);
      out += root ? root_tag(tag, prefix, title, description) : tag.starts_with("</") ? tag : tag_under(tag, prefix);
      root = false;
      at = end;
      if (tag.starts_with("</svg")) break;
    }
  }
  return out;
}

}  // namespace segue
