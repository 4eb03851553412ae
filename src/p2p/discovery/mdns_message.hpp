// Messages of multicast DNS, as far as libp2p's discovery needs them. Pure functions.
//
//   query     PTR _p2p._udp.local ?
//   response  PTR _p2p._udp.local = <instance>._p2p._udp.local
//             SRV <instance>._p2p._udp.local = 0 0 <port> <instance>.p2p.local
//             A, AAAA <instance>.p2p.local = <address>
//             TXT <instance>._p2p._udp.local = "dnsaddr=/ip4/…/tcp/…/p2p/<peer id>" …
//
// Sources: libp2p/specs discovery/mdns.md; RFC 1035, section 4 (messages); RFC 6762, sections 6 and
// 18 (what is special about them on a LAN); RFC 6763 (service discovery).
#pragma once

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.hpp"
#include "base/bytes.hpp"
#include "base/strong.hpp"

namespace oc::p2p {

// Sources and destinations of multicast DNS have this port; whoever asks from another one knows
// DNS only (RFC 6762, section 6.7).
inline constexpr std::uint16_t kMdnsPort = 5353;
// What is longer is not read: RFC 6762, section 17.
inline constexpr std::size_t kMaxMdnsMessage = 9000;
// What we write is no longer, so that it passes in one piece over any link.
inline constexpr std::size_t kMaxMdnsWritten = 1400;
// Questions, and records, that are read of a message; the rest of a longer one is passed over.
inline constexpr std::size_t kMaxMdnsRecords = 128;
// Strings of TXT records that are kept of a message, and the most bytes that one can have.
inline constexpr std::size_t kMaxMdnsTexts = 64;
inline constexpr std::size_t kMaxMdnsText = 255;
// Compression pointers that one name may follow. Each leads further to the front.
inline constexpr int kMaxDnsJumps = 16;
// How long others may believe our records: somewhat more than the longest pause between questions.
// Somebody who knows DNS only must not keep them (RFC 6762, section 6.7).
inline constexpr std::uint32_t kMdnsTtl = 360;  // seconds
inline constexpr std::uint32_t kLegacyTtl = 10;

enum class DnsType : std::uint16_t { a = 1, ptr = 12, txt = 16, aaaa = 28, srv = 33, any = 255 };

// A domain name as it stands in a message, but in lower case and whole: each label behind its
// length, a zero at the end. Labels may have any bytes.
using DnsName = Strong<struct DnsNameTag, std::string>;
// Of labels with dots between them, each of 1 to 63 bytes (asserted).
DnsName dns_name(std::string_view dotted);

// _p2p._udp.local, and _services._dns-sd._udp.local, by which network administrators look around.
const DnsName& mdns_service();
const DnsName& mdns_services();
// <label>._p2p._udp.local and <label>.p2p.local
DnsName mdns_instance(std::string_view label);
DnsName mdns_host(std::string_view label);
// Whether a name is one label and the service.
bool is_mdns_instance(const DnsName& name);

struct MdnsQuestion {
  DnsName name;
  DnsType type{};
};

struct MdnsPointer {
  DnsName name;
  DnsName target;
  std::uint32_t ttl = 0;  // seconds; zero says goodbye
};

struct MdnsTexts {
  DnsName name;
  std::uint32_t ttl = 0;
  std::vector<std::string> strings;
};

struct MdnsMessage {
  std::uint16_t id = 0;
  bool response = false;
  std::vector<MdnsQuestion> questions;
  // Of all sections: implementations differ in where they put what.
  std::vector<MdnsPointer> pointers;
  std::vector<MdnsTexts> texts;
};

// Records of other types and classes are passed over. Errors: Errc::limit_exceeded (too long),
// ::truncated, ::malformed, ::unsupported (not a plain query or response).
Result<MdnsMessage> parse_mdns_message(BytesView message);

// The question for all peers.
Bytes write_mdns_query();

struct MdnsAnswer {
  std::string label;                     // the instance's: 1 to 63 bytes of lower case
  std::uint16_t port = 0;                // for those who read the SRV record
  std::vector<asio::ip::address> hosts;  // the first of each family is told
  std::vector<std::string> texts;        // of at most kMaxMdnsText bytes (asserted), best first
  bool names_service = false;            // a question was for mdns_services()
  const MdnsMessage* legacy_query = nullptr;  // the answer is for one who knows DNS only
};
// Texts that do not fit kMaxMdnsWritten any more are left out.
Bytes write_mdns_answer(const MdnsAnswer& answer);

}  // namespace oc::p2p
