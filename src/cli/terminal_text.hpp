// Text for a terminal: what comes from elsewhere must not steer it, and columns must line up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace oc::cli {

// The text with every control character (C0, DEL, C1) and every byte that is not valid UTF-8
// replaced by '?': no escape sequence of a far node reaches the terminal. Line feeds go too.
std::string printable(std::string_view text);

// Columns that a printable() text takes: two for East Asian wide characters and emoji, none for
// combining marks.
std::size_t display_width(std::string_view text);

// "1.5 MiB": three digits at most, units of 1024.
std::string byte_count(double bytes);

// A table with a header and left-aligned columns, two spaces apart.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  // As many cells as the header has; they are made printable here.
  void add(std::vector<std::string> cells);
  // Ends with a line feed; no line ends with a space.
  std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the header first
};

}  // namespace oc::cli
