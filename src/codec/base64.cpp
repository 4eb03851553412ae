#include "codec/base64.hpp"

#include "codec/base_bits.hpp"

namespace oc::codec {
namespace {
constexpr Alphabet kStandard("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
constexpr Alphabet kUrlSafe("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}  // namespace

std::string base64_encode(BytesView bytes) { return bits_encode(kStandard, true, bytes); }

std::string base64url_encode(BytesView bytes) { return bits_encode(kUrlSafe, false, bytes); }

Result<Bytes> base64_decode(std::string_view text) {
  const bool url_safe = text.find_first_of("-_") != std::string_view::npos;
  const bool padded = text.ends_with('=');
  return bits_decode(url_safe ? kUrlSafe : kStandard, padded, text);
}

}  // namespace oc::codec
