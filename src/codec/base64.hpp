// base64 (RFC 4648, sections 4 and 5).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace oc::codec {

// The standard alphabet, padded.
std::string base64_encode(BytesView bytes);

// The URL-safe alphabet, without padding.
std::string base64url_encode(BytesView bytes);

// Takes either alphabet, padded or not. Errc::malformed for another character (white space
// included), a mixture of both alphabets, wrong padding, an impossible length, or unused bits that
// are not zero: every value has one encoding in each form.
Result<Bytes> base64_decode(std::string_view text);

}  // namespace oc::codec
