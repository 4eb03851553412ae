#include "codec/utf8.hpp"

#include <cstddef>
#include <cstdint>

namespace oc::codec {
namespace {

constexpr std::uint32_t kInvalid = 0xffffffff;

// Takes the first code point off a text that is not empty.
std::uint32_t take_code_point(std::string_view& text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || size > text.size()) return kInvalid;
  std::uint32_t point = size == 1 ? lead : lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xc0) != 0x80) return kInvalid;
    point = point << 6 | (byte & 0x3fu);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  if (point < kSmallest[size] || surrogate || point > 0x10ffff) return kInvalid;
  text.remove_prefix(size);
  return point;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_code_point(text) == kInvalid) return false;
  }
  return true;
}

bool is_printable_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::uint32_t point = take_code_point(text);
    if (point == kInvalid || point < 0x20 || (point >= 0x7f && point <= 0x9f)) return false;
  }
  return true;
}

}  // namespace oc::codec
