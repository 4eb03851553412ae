#include "multiaddr_inputs.hpp"

#include "codec/multiaddr.hpp"
#include "codec/multibase.hpp"
#include "codec/multihash.hpp"
#include "codec/varint.hpp"

namespace oc::differential {
namespace {

using codec::Multibase;
using codec::ProtocolEntry;

constexpr Multibase kBases[] = {
    Multibase::base16,       Multibase::base16upper,    Multibase::base32hex,
    Multibase::base32,       Multibase::base32upper,    Multibase::base32hexpadupper,
    Multibase::base32pad,    Multibase::base32padupper, Multibase::base32z,
    Multibase::base36,       Multibase::base36upper,    Multibase::base58btc,
    Multibase::base58flickr, Multibase::base64,         Multibase::base64pad,
    Multibase::base64url,    Multibase::base64urlpad,   Multibase::base32hexpad};

constexpr std::string_view kAddresses[] = {"1.2.3.4",
                                           "255.255.255.255",
                                           "0.0.0.0",
                                           "127.0.0.1",
                                           "01.2.3.4",
                                           "1.2.3",
                                           "1.2.3.4.5",
                                           "256.1.1.1",
                                           "0x1.2.3.4",
                                           "::",
                                           "::1",
                                           "::ffff:1.2.3.4",
                                           "::1.2.3.4",
                                           "::ffff:0:1.2.3.4",
                                           "64:ff9b::1.2.3.4",
                                           "2001:db8::1",
                                           "2001:DB8:0:0:1:0:0:1",
                                           "1:2:3:4:5:6:7:8",
                                           "1:2:3:4:5:6:7::",
                                           "::2:3:4:5:6:7:8",
                                           "00001::1",
                                           "fe80::1%eth0",
                                           "1::2::3",
                                           ":::"};
constexpr std::string_view kNumbers[] = {"0",
                                         "1",
                                         "80",
                                         "080",
                                         "65535",
                                         "65536",
                                         "255",
                                         "256",
                                         "+1",
                                         "-1",
                                         " 1",
                                         "1 ",
                                         "1_0",
                                         "0x10",
                                         "1e3",
                                         "",
                                         "00000000000000000000001",
                                         "18446744073709551615",
                                         "18446744073709551616"};
constexpr std::string_view kNames[] = {"example.com",
                                       "localhost",
                                       "eth0",
                                       "a b",
                                       "caf\xc3\xa9",
                                       "a\xff"
                                       "b",
                                       "a\nb",
                                       "",
                                       "%2f",
                                       "a:b",
                                       "xn--bcher-kva.example",
                                       "-",
                                       "\xe2\x80\xae"
                                       "x"};
constexpr std::string_view kPaths[] = {"a", "a/b.sock", "tmp//x", "a/", "", "%2F", "a b", "\x01"};
constexpr std::string_view kEscapes[] = {"a%2Fb", "%20",  "+",      "a+b",      "%zz",   "%f", "%",
                                         "a b",   "~._-", "%00%ff", "\xc3\xa9", "A%2fZ", ""};

std::string text_of(std::string_view view) { return std::string(view); }

Bytes multihash(Dice& dice) {
  static constexpr std::uint64_t kCodes[] = {0, 0x12, 0x12, 0x12, 0x13, 0x16, 0x1b, 0x7f, 0xb220};
  static constexpr std::size_t kSizes[] = {0, 1, 20, 31, 32, 32, 32, 36, 42, 43, 64, 127, 128, 129};
  const auto code = static_cast<codec::HashCode>(dice.pick(kCodes));
  return codec::encode_multihash(code, dice.bytes(dice.pick(kSizes)));
}

Bytes peer(Dice& dice) {
  switch (dice.below(4)) {
    case 0: return codec::encode_multihash(codec::HashCode::sha2_256, dice.bytes(32));
    case 1: return multihash(dice);
    default: {
      Bytes key{8, 1, 0x12, 32};
      append(key, dice.bytes(32));
      return codec::PeerId::of_public_key(key).bytes();
    }
  }
}

std::string peer_text(Dice& dice) {
  const Bytes multihash = peer(dice);
  if (dice.one_in(2)) return multibase_encode(Multibase::base58btc, multihash).substr(1);
  static constexpr Byte kCodecs[] = {0x72, 0x72, 0x72, 0x70, 0x55};
  Bytes cid{static_cast<Byte>(dice.one_in(8) ? dice.below(3) : 1), dice.pick(kCodecs)};
  append(cid, multihash);
  return multibase_encode(dice.pick(kBases), cid);
}

std::string any_ip6(Dice& dice) {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t group = dice.one_in(2) ? 0 : dice.below(0x10000);
    text += (i == 0 ? "" : ":") + to_hex(dice.bytes(2)).substr(0, group == 0 ? 0 : 4);
    if (group == 0) text += '0';
  }
  return text;
}

std::string address_text(Dice& dice) {
  return dice.one_in(3) ? any_ip6(dice) : text_of(dice.pick(kAddresses));
}

std::string name_text(Dice& dice) {
  if (dice.one_in(12)) return std::string(250 + dice.below(10), 'x');
  return text_of(dice.pick(kNames));
}

std::string path_text(Dice& dice) {
  if (dice.one_in(12)) return std::string(1020 + dice.below(8), 'p');
  return text_of(dice.pick(kPaths));
}

std::string escaped_text(Dice& dice) {
  if (dice.one_in(12)) return std::string(1020 + dice.below(8), 'p');
  return text_of(dice.pick(kEscapes));
}

std::string onion_text(Dice& dice) {
  const std::size_t size = dice.one_in(6) ? 33 + dice.below(4) : 35;
  const std::string key = multibase_encode(
      dice.one_in(3) ? Multibase::base32upper : Multibase::base32, dice.bytes(size));
  return key.substr(1) + ':' + text_of(dice.pick(kNumbers));
}

std::string garlic_text(Dice& dice) {
  std::string text =
      multibase_encode(Multibase::base64pad, dice.bytes(380 + dice.below(20))).substr(1);
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '~' : c;
  return text;
}

std::string value_text(codec::Protocol protocol, Dice& dice) {
  using codec::Protocol;
  switch (protocol) {
    case Protocol::ip4:
    case Protocol::ip6: return address_text(dice);
    case Protocol::ip6zone:
    case Protocol::dns:
    case Protocol::dns4:
    case Protocol::dns6:
    case Protocol::dnsaddr:
    case Protocol::sni: return name_text(dice);
    case Protocol::unix_socket: return path_text(dice);
    case Protocol::http_path: return escaped_text(dice);
    case Protocol::p2p: return peer_text(dice);
    case Protocol::certhash: return multibase_encode(dice.pick(kBases), multihash(dice));
    case Protocol::onion3: return onion_text(dice);
    case Protocol::garlic64: return garlic_text(dice);
    default: return text_of(dice.pick(kNumbers));
  }
}

// A value that is right, for the binary form.
Bytes value_bytes(const ProtocolEntry& protocol, Dice& dice) {
  if (protocol.size >= 0) return dice.bytes(static_cast<std::size_t>(protocol.size));
  using codec::Protocol;
  switch (protocol.code) {
    case Protocol::p2p: return peer(dice);
    case Protocol::certhash: return multihash(dice);
    case Protocol::garlic64: return dice.bytes(380 + dice.below(20));
    case Protocol::unix_socket: return to_bytes(as_bytes('/' + path_text(dice)));
    default: return to_bytes(as_bytes(name_text(dice)));
  }
}

}  // namespace

std::string multiaddr_text(Dice& dice) {
  std::string text;
  for (std::size_t steps = 1 + dice.below(dice.one_in(30) ? 40 : 5); steps > 0; --steps) {
    const ProtocolEntry& protocol = dice.pick(codec::protocol_table());
    text += '/' + (dice.one_in(40) ? "ipfs" : text_of(protocol.name));
    if (protocol.size != 0) {
      const auto like = dice.one_in(10) ? dice.pick(codec::protocol_table()).code : protocol.code;
      text += '/' + value_text(like, dice);
    }
    if (protocol.path) break;
  }
  if (dice.one_in(10)) text += std::string(1 + dice.below(2), '/');
  if (!dice.one_in(4)) return text;
  Bytes changed = to_bytes(as_bytes(text));
  dice.mutate(changed);
  return text_of(as_text(changed));
}

Bytes multiaddr_bytes(Dice& dice) {
  Bytes bytes;
  for (std::size_t steps = 1 + dice.below(dice.one_in(30) ? 40 : 5); steps > 0; --steps) {
    const ProtocolEntry& protocol = dice.pick(codec::protocol_table());
    const Bytes value = value_bytes(protocol, dice);
    codec::put_uvarint(bytes, static_cast<std::uint64_t>(protocol.code));
    if (protocol.size == ProtocolEntry::kVariable) {
      codec::put_length_prefixed(bytes, value);
    } else {
      append(bytes, value);
    }
    if (protocol.path && !dice.one_in(10)) break;
  }
  if (dice.one_in(3)) dice.mutate(bytes);
  return bytes;
}

}  // namespace oc::differential
