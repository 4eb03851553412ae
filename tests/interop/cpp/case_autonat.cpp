#include "cases.hpp"

namespace oc::interop {
namespace {

const char* to_text(p2p::DialVerdict verdict) {
  switch (verdict) {
    case p2p::DialVerdict::reachable: return "reachable";
    case p2p::DialVerdict::unreachable: return "unreachable";
    case p2p::DialVerdict::refused: return "refused";
    case p2p::DialVerdict::rejected: return "rejected";
  }
  return "";
}

// Where the dialer is to be dialed back; the listener sees it at 127.0.0.1.
Verdict<codec::Multiaddr> address_to_check(Peer& peer, bool other_ip, bool dead) {
  if (dead) return *codec::Multiaddr::parse("/ip4/127.0.0.1/tcp/1");
  const auto ip = asio::ip::make_address(other_ip ? "127.0.0.2" : "127.0.0.1");
  CHECK(explain("listen", peer.swarm().listen({ip, 0})));
  return peer.swarm().listen_addresses().front();
}

}  // namespace

CaseResult autonat_case(Dialer& dialer) {
  CO_TRY(p2p::ConnectionPtr connection, co_await dialer.connect());
  if (!p2p::AutonatClient::is_server(*connection))
    co_return Failure{"the listener says not that it speaks AutoNAT v2"};
  Peer& peer = *dialer.peers().front();
  CO_TRY(codec::Multiaddr address,
         address_to_check(peer, dialer.option("other-ip") != 0, dialer.option("dead") != 0));
  std::vector<codec::Multiaddr> addresses(1, address);
  const std::uint64_t sent = connection->counters().bytes_out;
  auto asked = co_await peer.host().autonat_client().ask(connection, std::move(addresses));
  CO_TRY(const p2p::DialAnswer answer, explain("ask", std::move(asked)));
  Json out;
  out["verdict"] = to_text(answer.verdict);
  out["paid"] = connection->counters().bytes_out - sent >= p2p::kLeastDialData;
  co_return out;
}

}  // namespace oc::interop
