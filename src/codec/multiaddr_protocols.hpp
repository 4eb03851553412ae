// The protocols a multiaddr may name: codes, names, and how each value is written in bytes and
// text.
//
// Source: multiformats/multiaddr protocols.csv.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace oc::codec {

enum class Protocol : std::uint32_t {
  ip4 = 4,
  tcp = 6,
  dccp = 33,
  ip6 = 41,
  ip6zone = 42,
  ipcidr = 43,
  dns = 53,
  dns4 = 54,
  dns6 = 55,
  dnsaddr = 56,
  sctp = 132,
  udp = 273,
  p2p_webrtc_direct = 276,
  webrtc_direct = 280,
  webrtc = 281,
  p2p_circuit = 290,
  udt = 301,
  utp = 302,
  unix_socket = 400,
  p2p = 421,
  https = 443,
  onion3 = 445,
  garlic64 = 446,
  tls = 448,
  sni = 449,
  noise = 454,
  quic = 460,
  quic_v1 = 461,
  webtransport = 465,
  certhash = 466,
  ws = 477,
  wss = 478,
  http = 480,
  http_path = 481,
  memory = 777
};

struct ProtocolEntry {
  // Length of the value: a number of bytes, 0 for none, or kVariable (a uvarint length precedes).
  static constexpr int kVariable = -1;

  Protocol code;
  std::string_view name;
  int size;
  // Takes all the rest of a text address, slashes included (/unix).
  bool path;
  // Whether a value of the right length is one; null: any is.
  bool (*valid)(BytesView value);
  // Text to value and back; null for protocols without one. What `from_text` gives is still to be
  // held against `size` and `valid`; `to_text` gets valid values only.
  Result<Bytes> (*from_text)(std::string_view text);
  std::string (*to_text)(BytesView value);
};

// Every protocol there is, in order of its code.
std::span<const ProtocolEntry> protocol_table();
// The entry of a code or of a name ("ipfs" is taken as "p2p"); null if there is none.
const ProtocolEntry* find_protocol(std::uint64_t code);
const ProtocolEntry* find_protocol(std::string_view name);

}  // namespace oc::codec
