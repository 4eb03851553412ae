// Bases whose size is a power of two (16, 32, 64): each digit carries 4, 5 or 6 bits (RFC 4648).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "codec/alphabet.hpp"

namespace oc::codec {

// With `padded`, the text is filled with '=' to a multiple of the group of the base.
std::string bits_encode(const Alphabet& alphabet, bool padded, BytesView bytes);
// The inverse, and nothing else: Errc::malformed for a foreign character, missing or surplus
// padding, a length that no encoding has, or leftover bits that are not zero.
Result<Bytes> bits_decode(const Alphabet& alphabet, bool padded, std::string_view text);

}  // namespace oc::codec
