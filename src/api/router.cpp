#include "api/router.hpp"

#include "base/assert.hpp"
#include "codec/utf8.hpp"

namespace oc::api {
namespace {

// Cuts the first segment, "/…", off the path.
std::string_view next_segment(std::string_view& path) {
  if (path.empty()) return {};
  const auto end = path.find('/', 1);
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(segment.size());
  return segment;
}

bool is_parameter(std::string_view segment) {
  return segment.starts_with("/{") && segment.ends_with('}');
}

std::optional<std::map<std::string, std::string>> match_path(std::string_view pattern,
                                                             std::string_view path) {
  std::map<std::string, std::string> parameters;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = next_segment(pattern);
    const std::string_view given = next_segment(path);
    if (!is_parameter(wanted)) {
      if (wanted != given) return std::nullopt;
      continue;
    }
    auto value = percent_decode(given.substr(1), false);
    if (!value || value->empty()) return std::nullopt;
    parameters[std::string(wanted.substr(2, wanted.size() - 3))] = *std::move(value);
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return parameters;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void Router::add(Route route) {
  for (const Route& other : routes_)
    ASSERT(other.method != route.method || other.path != route.path);
  routes_.push_back(std::move(route));
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match result;
  for (const Route& route : routes_) {
    auto parameters = match_path(route.path, path);
    if (!parameters) continue;
    if (route.method == wanted) return {&route, *std::move(parameters), ""};
    result.allow += (result.allow.empty() ? "" : ", ") + route.method;
    if (route.method == "GET") result.allow += ", HEAD";
  }
  return result;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += plus_is_blank && text[i] == '+' ? ' ' : text[i];
    }
  }
  if (!codec::is_printable_utf8(decoded)) return std::nullopt;
  return decoded;
}

std::optional<std::map<std::string, std::string>> parse_query(std::string_view query) {
  std::map<std::string, std::string> fields;
  while (!query.empty()) {
    const auto end = query.find('&');
    const std::string_view field = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (field.empty()) continue;
    const auto equals = field.find('=');
    auto name = percent_decode(field.substr(0, equals), true);
    auto value =
        percent_decode(equals == std::string_view::npos ? "" : field.substr(equals + 1), true);
    if (!name || !value) return std::nullopt;
    fields.emplace(*std::move(name), *std::move(value));
  }
  return fields;
}

}  // namespace oc::api
