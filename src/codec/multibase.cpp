#include "codec/multibase.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"
#include "codec/base_bits.hpp"
#include "codec/base_radix.hpp"

namespace oc::codec {
namespace {

struct Entry {
  Multibase prefix;
  Alphabet alphabet;
  bool padded = false;
};

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kHexUpper = "0123456789ABCDEF";
constexpr std::string_view k32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view k32Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view k32Hex = "0123456789abcdefghijklmnopqrstuv";
constexpr std::string_view k32HexUpper = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
constexpr std::string_view k32Z = "ybndrfg8ejkmcpqxot1uwisza345h769";
constexpr std::string_view k36 = "0123456789abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view k36Upper = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view k58Bitcoin =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view k58Flickr = "123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ";
constexpr std::string_view k64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view k64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array kEntries = {
    Entry{Multibase::base16, Alphabet(kHex, true)},
    Entry{Multibase::base16upper, Alphabet(kHexUpper, true)},
    Entry{Multibase::base32hex, Alphabet(k32Hex, true)},
    Entry{Multibase::base32hexupper, Alphabet(k32HexUpper, true)},
    Entry{Multibase::base32hexpad, Alphabet(k32Hex, true), true},
    Entry{Multibase::base32hexpadupper, Alphabet(k32HexUpper, true), true},
    Entry{Multibase::base32, Alphabet(k32, true)},
    Entry{Multibase::base32upper, Alphabet(k32Upper, true)},
    Entry{Multibase::base32pad, Alphabet(k32, true), true},
    Entry{Multibase::base32padupper, Alphabet(k32Upper, true), true},
    Entry{Multibase::base32z, Alphabet(k32Z)},
    Entry{Multibase::base36, Alphabet(k36, true)},
    Entry{Multibase::base36upper, Alphabet(k36Upper, true)},
    Entry{Multibase::base58btc, Alphabet(k58Bitcoin)},
    Entry{Multibase::base58flickr, Alphabet(k58Flickr)},
    Entry{Multibase::base64, Alphabet(k64)},
    Entry{Multibase::base64pad, Alphabet(k64), true},
    Entry{Multibase::base64url, Alphabet(k64Url)},
    Entry{Multibase::base64urlpad, Alphabet(k64Url), true}};

const Entry* find_entry(char prefix) {
  const auto it = std::find_if(kEntries.begin(), kEntries.end(), [prefix](const Entry& entry) {
    return static_cast<char>(entry.prefix) == prefix;
  });
  return it == kEntries.end() ? nullptr : &*it;
}

bool is_radix(const Entry& entry) {
  return entry.alphabet.size() == 36 || entry.alphabet.size() == 58;
}

}  // namespace

std::string multibase_encode(Multibase base, BytesView bytes) {
  const Entry* entry = find_entry(static_cast<char>(base));
  ASSERT(entry != nullptr);
  return static_cast<char>(base) + (is_radix(*entry)
                                        ? radix_encode(entry->alphabet, bytes)
                                        : bits_encode(entry->alphabet, entry->padded, bytes));
}

Result<Bytes> multibase_decode(std::string_view text) {
  if (text.empty()) return Errc::truncated;
  const Entry* entry = find_entry(text[0]);
  if (entry == nullptr) return Errc::unsupported;
  text.remove_prefix(1);
  return is_radix(*entry) ? radix_decode(entry->alphabet, text)
                          : bits_decode(entry->alphabet, entry->padded, text);
}

}  // namespace oc::codec
