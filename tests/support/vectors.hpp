// Reads the published test vectors in tests/data, and helps to write others as hexadecimal text.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace oc::test {

// The bytes of a hexadecimal text; white space in it does not count.
inline Bytes hex(std::string_view text) {
  std::string digits(text);
  std::erase_if(digits, [](char c) { return c == ' ' || c == '\n'; });
  const Result<Bytes> bytes = from_hex(digits);
  if (!bytes) throw std::invalid_argument("not hexadecimal: " + digits);
  return *bytes;
}

// The same for a text that has exactly N bytes.
template <std::size_t N>
FixedBytes<N> hex_fixed(std::string_view text) {
  const Bytes bytes = hex(text);
  if (bytes.size() != N) throw std::invalid_argument("wrong length: " + std::string(text));
  FixedBytes<N> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// A JSON file, named relative to tests/data.
inline nlohmann::json load_json(const std::string& path) {
  std::ifstream file(std::string(OC_TEST_DATA "/") + path);
  if (!file) throw std::invalid_argument("no test data: " + path);
  return nlohmann::json::parse(file);
}

// The lines of a text file, named relative to tests/data.
inline std::vector<std::string> load_lines(const std::string& path) {
  std::ifstream file(std::string(OC_TEST_DATA "/") + path);
  if (!file) throw std::invalid_argument("no test data: " + path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The text of a member of a JSON object.
inline std::string text_of(const nlohmann::json& object, const char* member) {
  return object.at(member).get<std::string>();
}

// The bytes of a hexadecimal member of a JSON object.
inline Bytes hex_of(const nlohmann::json& object, const char* member) {
  return hex(text_of(object, member));
}

}  // namespace oc::test
