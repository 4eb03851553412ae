#include "codec/base_radix.hpp"

#include <algorithm>

namespace oc::codec {
namespace {

// Multiplies the big-endian number `digits` of base `to` by `from` and adds `digit`.
void multiply_add(std::vector<Byte>& digits, unsigned from, unsigned to, unsigned digit) {
  unsigned carry = digit;
  for (auto it = digits.rbegin(); it != digits.rend(); ++it) {
    carry += from * *it;
    *it = static_cast<Byte>(carry % to);
    carry /= to;
  }
  for (; carry != 0; carry /= to) digits.insert(digits.begin(), static_cast<Byte>(carry % to));
}

}  // namespace

std::string radix_encode(const Alphabet& alphabet, BytesView bytes) {
  const auto first = std::find_if(bytes.begin(), bytes.end(), [](Byte b) { return b != 0; });
  std::vector<Byte> digits;
  for (auto it = first; it != bytes.end(); ++it) multiply_add(digits, 256, alphabet.size(), *it);
  std::string text(static_cast<std::size_t>(first - bytes.begin()), alphabet[0]);
  for (Byte digit : digits) text += alphabet[digit];
  return text;
}

Result<Bytes> radix_decode(const Alphabet& alphabet, std::string_view text) {
  if (text.size() > kMaxRadixText) return Errc::limit_exceeded;
  std::size_t zeros = 0;
  Bytes number;
  for (char c : text) {
    const int digit = alphabet.digit_of(c);
    if (digit < 0) return Errc::malformed;
    if (digit == 0 && number.empty()) {
      ++zeros;
    } else {
      multiply_add(number, alphabet.size(), 256, static_cast<unsigned>(digit));
    }
  }
  number.insert(number.begin(), zeros, Byte{0});
  return number;
}

}  // namespace oc::codec
