#include "codec/base_bits.hpp"

#include <bit>

namespace oc::codec {
namespace {

unsigned bits_per_digit(const Alphabet& alphabet) {
  return static_cast<unsigned>(std::countr_zero(alphabet.size()));
}

// Digits in the smallest group that is a whole number of bytes.
std::size_t group_size(unsigned bits) { return bits == 4 ? 2 : bits == 5 ? 8 : 4; }

}  // namespace

std::string bits_encode(const Alphabet& alphabet, bool padded, BytesView bytes) {
  const unsigned bits = bits_per_digit(alphabet);
  std::string text;
  text.reserve((bytes.size() * 8 + bits - 1) / bits + group_size(bits));
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (Byte byte : bytes) {
    pending = pending << 8 | byte;
    for (pending_bits += 8; pending_bits >= bits;) {
      pending_bits -= bits;
      text += alphabet[pending >> pending_bits & (alphabet.size() - 1)];
    }
  }
  if (pending_bits > 0) text += alphabet[pending << (bits - pending_bits) & (alphabet.size() - 1)];
  while (padded && text.size() % group_size(bits) != 0) text += '=';
  return text;
}

Result<Bytes> bits_decode(const Alphabet& alphabet, bool padded, std::string_view text) {
  const unsigned bits = bits_per_digit(alphabet);
  if (padded) {
    if (text.size() % group_size(bits) != 0) return Errc::malformed;
    const std::size_t end = text.find_last_not_of('=') + 1;
    if (text.size() - end >= group_size(bits)) return Errc::malformed;
    text = text.substr(0, end);
  }
  Bytes bytes;
  bytes.reserve(text.size() * bits / 8);
  std::uint32_t pending = 0;
  unsigned pending_bits = 0;
  for (char c : text) {
    const int digit = alphabet.digit_of(c);
    if (digit < 0) return Errc::malformed;
    pending = pending << bits | static_cast<std::uint32_t>(digit);
    pending_bits += bits;
    if (pending_bits >= 8) {
      pending_bits -= 8;
      bytes.push_back(static_cast<Byte>(pending >> pending_bits));
    }
  }
  // A whole digit of leftover bits means that the last digit was superfluous.
  const std::uint32_t leftover = pending & ((1u << pending_bits) - 1);
  if (pending_bits >= bits || leftover != 0) return Errc::malformed;
  return bytes;
}

}  // namespace oc::codec
