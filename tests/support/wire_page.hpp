// Holds the worked examples of docs/wire against the code.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "base/bytes.hpp"

namespace oc::test {

// The hexadecimal digits of the page's indented lines, up to the first word that is none of it, all
// in one row.
inline std::string hex_of_page(const std::string& name) {
  std::ifstream file(std::string(OC_TEST_DATA "/../../docs/wire/") + name);
  if (!file) throw std::invalid_argument("no page: " + name);
  std::string out;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("    ")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word.find_first_not_of("0123456789abcdef") != std::string::npos) break;
      out += word;
    }
  }
  return out;
}

// The text of the page's indented lines that end in the signs for CR LF, as it goes over the wire.
inline std::string text_of_page(const std::string& name) {
  std::ifstream file(std::string(OC_TEST_DATA "/../../docs/wire/") + name);
  if (!file) throw std::invalid_argument("no page: " + name);
  constexpr std::string_view kEnd = "␍␊";
  std::string out;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("    ") && line.ends_with(kEnd)) {
      out += line.substr(4, line.size() - 4 - kEnd.size()) + "\r\n";
    }
  }
  return out;
}

// Whether a page of docs/wire shows these bytes.
inline bool page_shows(const std::string& name, BytesView bytes) {
  return hex_of_page(name).find(to_hex(bytes)) != std::string::npos;
}

}  // namespace oc::test
