// Bases whose size is no power of two (36, 58): the bytes are one big number, and each leading zero
// byte is one leading zero digit. Both directions take quadratic time.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "codec/alphabet.hpp"

namespace oc::codec {

// Longer texts are refused: a peer id has 46 to 59 characters, a CID of one about 65.
inline constexpr std::size_t kMaxRadixText = 512;

std::string radix_encode(const Alphabet& alphabet, BytesView bytes);
// Errc::malformed for a character outside the alphabet, Errc::limit_exceeded above kMaxRadixText.
Result<Bytes> radix_decode(const Alphabet& alphabet, std::string_view text);

}  // namespace oc::codec
