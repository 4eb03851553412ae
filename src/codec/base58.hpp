// base58btc: the encoding of peer ids in text (Bitcoin's alphabet, without 0, O, I and l).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace oc::codec {

std::string base58_encode(BytesView bytes);

// Errc::malformed for a character outside the alphabet. Errc::limit_exceeded for a text longer than
// kMaxRadixText (base_radix.hpp), because the conversion takes quadratic time.
Result<Bytes> base58_decode(std::string_view text);

}  // namespace oc::codec
