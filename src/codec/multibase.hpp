// Multibase: bytes as text, with a first character that names the base (multiformats/multibase).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace oc::codec {

// The bases understood, by their prefix character.
enum class Multibase : char {
  base16 = 'f',
  base16upper = 'F',
  base32hex = 'v',
  base32hexupper = 'V',
  base32hexpad = 't',
  base32hexpadupper = 'T',
  base32 = 'b',
  base32upper = 'B',
  base32pad = 'c',
  base32padupper = 'C',
  base32z = 'h',
  base36 = 'k',
  base36upper = 'K',
  base58btc = 'z',
  base58flickr = 'Z',
  base64 = 'm',
  base64pad = 'M',
  base64url = 'u',
  base64urlpad = 'U'
};

std::string multibase_encode(Multibase base, BytesView bytes);

// The bases of one letter case accept both. Errc::unsupported for an unknown prefix,
// Errc::truncated for an empty text, Errc::malformed for anything the base does not allow,
// Errc::limit_exceeded for a base36 or base58 text longer than kMaxRadixText (base_radix.hpp).
Result<Bytes> multibase_decode(std::string_view text);

}  // namespace oc::codec
