#include "codec/base58.hpp"

#include "codec/base_radix.hpp"

namespace oc::codec {
namespace {
constexpr Alphabet kBitcoin("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
}

std::string base58_encode(BytesView bytes) { return radix_encode(kBitcoin, bytes); }

Result<Bytes> base58_decode(std::string_view text) { return radix_decode(kBitcoin, text); }

}  // namespace oc::codec
