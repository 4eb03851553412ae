#include "codec/multiaddr_protocols.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "codec/base_bits.hpp"
#include "codec/multibase.hpp"
#include "codec/multihash.hpp"
#include "codec/peer_id.hpp"
#include "codec/utf8.hpp"

namespace oc::codec {
namespace {

// ---- numbers

template <class T>
Result<Bytes> number_from_text(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return Errc::malformed;
  Bytes bytes(sizeof value);
  for (std::size_t i = 0; i < sizeof value; ++i) {
    bytes[i] = static_cast<Byte>(std::uint64_t{value} >> (8 * (sizeof value - 1 - i)));
  }
  return bytes;
}

std::string number_to_text(BytesView value) {
  std::uint64_t number = 0;
  for (Byte byte : value) number = number << 8 | byte;
  return std::to_string(number);
}

// ---- IP addresses

template <int family, std::size_t size>
Result<Bytes> ip_from_text(std::string_view text) {
  Bytes bytes(size);
  if (text.size() >= INET6_ADDRSTRLEN) return Errc::malformed;
  if (inet_pton(family, std::string(text).c_str(), bytes.data()) != 1) return Errc::malformed;
  return bytes;
}

std::string ip4_to_text(BytesView value) {
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, value.data(), text, sizeof text);
}

std::string ip6_to_text(BytesView value) {
  // The C library ends these in an IPv4 address; all others do that for mapped ones only (RFC
  // 5952).
  const bool ends_in_ip4 = std::ranges::all_of(value.first(12), [](Byte b) { return b == 0; }) &&
                           get_be16(&value[12]) != 0;
  if (ends_in_ip4) return fmt::format("::{:x}:{:x}", get_be16(&value[12]), get_be16(&value[14]));
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, value.data(), text, sizeof text);
}

// ---- names and paths

constexpr std::size_t kMaxName = 255;   // of a DNS name in text
constexpr std::size_t kMaxPath = 1024;  // more than any system takes

Result<Bytes> text_from_text(std::string_view text) { return to_bytes(as_bytes(text)); }

std::string text_to_text(BytesView value) { return std::string(as_text(value)); }

bool name_valid(BytesView value) {
  const std::string_view name = as_text(value);
  return !name.empty() && name.size() <= kMaxName && name.find_first_of("/ ") == name.npos &&
         is_printable_utf8(name);
}

bool path_valid(BytesView value) {
  const std::string_view path = as_text(value);
  return path.size() >= 2 && path.size() <= kMaxPath && path.front() == '/' && path.back() != '/' &&
         is_printable_utf8(path);
}

// An HTTP path is one step: its slashes are written %2F.
bool http_path_valid(BytesView value) { return !value.empty() && value.size() <= kMaxPath; }

Result<Bytes> http_path_from_text(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      bytes.push_back(static_cast<Byte>(text[i] == '+' ? ' ' : text[i]));
      continue;
    }
    TRY(const Bytes escaped, from_hex(text.substr(i + 1, 2)));
    if (escaped.size() != 1) return Errc::malformed;
    bytes.push_back(escaped[0]);
    i += 2;
  }
  return bytes;
}

std::string http_path_to_text(BytesView value) {
  std::string text;
  for (Byte byte : value) {
    const char c = static_cast<char>(byte);
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (unreserved) {
      text += c;
    } else {
      constexpr char kHex[] = "0123456789ABCDEF";
      text += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return text;
}

// ---- hashes and keys

bool p2p_valid(BytesView value) { return PeerId::from_bytes(value).has_value(); }

Result<Bytes> p2p_from_text(std::string_view text) {
  TRY(const PeerId peer, PeerId::parse(text));
  return peer.bytes();
}

std::string p2p_to_text(BytesView value) { return PeerId::from_bytes(value)->to_string(); }

bool certhash_valid(BytesView value) { return decode_multihash(value).has_value(); }

Result<Bytes> certhash_from_text(std::string_view text) { return multibase_decode(text); }

std::string certhash_to_text(BytesView value) {
  return multibase_encode(Multibase::base64url, value);
}

constexpr Alphabet kOnionBase("abcdefghijklmnopqrstuvwxyz234567", true);
constexpr std::size_t kOnionKeySize = 35;
constexpr int kOnionSize = 37;  // key and port

bool onion3_valid(BytesView value) { return get_be16(&value[kOnionKeySize]) != 0; }

Result<Bytes> onion3_from_text(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return Errc::malformed;
  TRY(Bytes bytes, bits_decode(kOnionBase, false, text.substr(0, colon)));
  TRY(const Bytes port, number_from_text<std::uint16_t>(text.substr(colon + 1)));
  append(bytes, port);
  return bytes;
}

std::string onion3_to_text(BytesView value) {
  return bits_encode(kOnionBase, false, value.first(kOnionKeySize)) + ':' +
         number_to_text(value.subspan(kOnionKeySize));
}

constexpr Alphabet kGarlicBase("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~");
constexpr std::size_t kMinGarlicSize = 386;

bool garlic64_valid(BytesView value) { return value.size() >= kMinGarlicSize; }

Result<Bytes> garlic64_from_text(std::string_view text) {
  return bits_decode(kGarlicBase, true, text);
}

std::string garlic64_to_text(BytesView value) { return bits_encode(kGarlicBase, true, value); }

// ---- the table

constexpr ProtocolEntry bare(Protocol code, std::string_view name) {
  return {code, name, 0, false, nullptr, nullptr, nullptr};
}
constexpr ProtocolEntry port(Protocol code, std::string_view name) {
  return {code, name, 2, false, nullptr, number_from_text<std::uint16_t>, number_to_text};
}
constexpr ProtocolEntry named(Protocol code, std::string_view name) {
  return {code, name, ProtocolEntry::kVariable, false, name_valid, text_from_text, text_to_text};
}

constexpr int kVariable = ProtocolEntry::kVariable;

constexpr ProtocolEntry kTable[] = {
    {Protocol::ip4, "ip4", 4, false, nullptr, ip_from_text<AF_INET, 4>, ip4_to_text},
    port(Protocol::tcp, "tcp"),
    port(Protocol::dccp, "dccp"),
    {Protocol::ip6, "ip6", 16, false, nullptr, ip_from_text<AF_INET6, 16>, ip6_to_text},
    named(Protocol::ip6zone, "ip6zone"),
    {Protocol::ipcidr, "ipcidr", 1, false, nullptr, number_from_text<std::uint8_t>, number_to_text},
    named(Protocol::dns, "dns"),
    named(Protocol::dns4, "dns4"),
    named(Protocol::dns6, "dns6"),
    named(Protocol::dnsaddr, "dnsaddr"),
    port(Protocol::sctp, "sctp"),
    port(Protocol::udp, "udp"),
    bare(Protocol::p2p_webrtc_direct, "p2p-webrtc-direct"),
    bare(Protocol::webrtc_direct, "webrtc-direct"),
    bare(Protocol::webrtc, "webrtc"),
    bare(Protocol::p2p_circuit, "p2p-circuit"),
    bare(Protocol::udt, "udt"),
    bare(Protocol::utp, "utp"),
    {Protocol::unix_socket, "unix", kVariable, true, path_valid, text_from_text, text_to_text},
    {Protocol::p2p, "p2p", kVariable, false, p2p_valid, p2p_from_text, p2p_to_text},
    bare(Protocol::https, "https"),
    {Protocol::onion3, "onion3", kOnionSize, false, onion3_valid, onion3_from_text, onion3_to_text},
    {Protocol::garlic64, "garlic64", kVariable, false, garlic64_valid, garlic64_from_text,
     garlic64_to_text},
    bare(Protocol::tls, "tls"),
    named(Protocol::sni, "sni"),
    bare(Protocol::noise, "noise"),
    bare(Protocol::quic, "quic"),
    bare(Protocol::quic_v1, "quic-v1"),
    bare(Protocol::webtransport, "webtransport"),
    {Protocol::certhash, "certhash", kVariable, false, certhash_valid, certhash_from_text,
     certhash_to_text},
    bare(Protocol::ws, "ws"),
    bare(Protocol::wss, "wss"),
    bare(Protocol::http, "http"),
    {Protocol::http_path, "http-path", kVariable, false, http_path_valid, http_path_from_text,
     http_path_to_text},
    {Protocol::memory, "memory", 8, false, nullptr, number_from_text<std::uint64_t>,
     number_to_text}};

}  // namespace

std::span<const ProtocolEntry> protocol_table() { return kTable; }

const ProtocolEntry* find_protocol(std::uint64_t code) {
  const auto it = std::find_if(std::begin(kTable), std::end(kTable), [code](const auto& entry) {
    return static_cast<std::uint64_t>(entry.code) == code;
  });
  return it == std::end(kTable) ? nullptr : it;
}

const ProtocolEntry* find_protocol(std::string_view name) {
  if (name == "ipfs") name = "p2p";
  const auto it = std::find_if(std::begin(kTable), std::end(kTable),
                               [name](const auto& entry) { return entry.name == name; });
  return it == std::end(kTable) ? nullptr : it;
}

}  // namespace oc::codec
