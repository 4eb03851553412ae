#include "p2p/nat/xml_reader.hpp"

#include <array>
#include <utility>

namespace oc::p2p {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};

// Appends text with its entities put in; those that are unknown stay as they are.
void append_unescaped(std::string& to, std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('&'), text.size());
    to += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    std::string_view taken = text.substr(0, 1);
    char character = '&';
    for (const auto& [entity, meaning] : kEntities) {
      if (!text.starts_with(entity)) continue;
      taken = entity;
      character = meaning;
    }
    to += character;
    text.remove_prefix(taken.size());
  }
}

std::string_view local_name(std::string_view tag) {
  const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

}  // namespace

std::string_view XmlReader::cut_to(std::string_view end) {
  const std::size_t at = left_.find(end);
  const std::string_view before = left_.substr(0, at);
  left_.remove_prefix(at == std::string_view::npos ? left_.size() : at + end.size());
  return before;
}

XmlReader::Step XmlReader::next() {
  text_.clear();
  if (std::exchange(empty_element_, false)) return Step::close;
  while (!left_.empty()) {
    const std::size_t tag = std::min(left_.find('<'), left_.size());
    append_unescaped(text_, left_.substr(0, tag));
    left_.remove_prefix(tag);
    if (left_.starts_with("<!--")) {
      cut_to("-->");
    } else if (left_.starts_with("<![CDATA[")) {
      left_.remove_prefix(9);
      text_ += cut_to("]]>");
    } else if (left_.starts_with("<?")) {
      cut_to("?>");
    } else if (left_.starts_with("<!")) {
      cut_to(">");
    } else if (left_.starts_with("</")) {
      return close_tag();
    } else if (!left_.empty()) {
      return open_tag();
    }
  }
  return Step::end;
}

XmlReader::Step XmlReader::close_tag() {
  left_.remove_prefix(2);
  name_ = local_name(cut_to(">"));
  return Step::close;
}

XmlReader::Step XmlReader::open_tag() {
  text_.clear();
  // A value may hold the sign that ends the tag.
  char quote = 0;
  std::size_t end = 1;
  for (; end < left_.size(); ++end) {
    const char c = left_[end];
    if (quote == 0 && c == '>') break;
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    }
  }
  const std::string_view tag = left_.substr(1, end - 1);
  left_.remove_prefix(std::min(end + 1, left_.size()));
  name_ = local_name(tag);
  empty_element_ = tag.ends_with('/');
  return Step::open;
}

std::string XmlReader::text() const {
  const std::size_t begin = text_.find_first_not_of(kSpace);
  if (begin == std::string::npos) return {};
  return text_.substr(begin, text_.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace oc::p2p
