// Section 1.2: certificates and the TLS handshake, against a node that serves and one that dials.
#include <cstdio>

#include "attack.hpp"
#include "tls_channel.hpp"

namespace oc::hostile {
namespace {

constexpr std::size_t kMostKeyUpdates = 1'000'000;
constexpr std::size_t kLargestStatusRequest = 65'000;
// A node that took us has written by then.
constexpr Duration kFirstBytes = std::chrono::seconds(2);

// A socket on which TLS is agreed on; nothing when the node does not speak it.
std::optional<Socket> dial_for_tls(Visit& visit) {
  auto socket = visit.dial();
  if (!socket) return std::nullopt;
  PlainChannel plain(*std::move(socket));
  if (propose(plain, kTlsProtocol, in(kPatience)) != kTlsProtocol) return std::nullopt;
  return std::move(plain.socket());
}

// What came of a handshake: the node takes us when it sends something inside.
Json outcome(TlsChannel& channel, bool shaken, TimePoint began) {
  const Received first = shaken ? channel.receive(in(kFirstBytes), 1) : Received{};
  Json out{{"spoken", true}, {"handshake", shaken}, {"taken", !first.bytes.empty()}};
  out["cut"] = first.bytes.empty() && (!shaken || first.end != End::open);
  out["after_ms"] = std::chrono::duration<double, std::milli>(now() - began).count();
  out["error"] = channel.error();
  return out;
}

// Our certificate is forged, and the node serves.
Json certificate(Visit& visit, const Options& options) {
  const Identity identity = fresh_identity(visit.random());
  const Credentials credentials =
      make_credentials(options.text("case", "honest"), identity, visit.random());
  auto socket = dial_for_tls(visit);
  if (!socket) return {{"spoken", false}};
  TlsChannel channel(*std::move(socket), credentials, {});
  const TimePoint began = now();
  const bool shaken = channel.shake_hands(in(kPatience));
  return outcome(channel, shaken, began);
}

// Every cut of the extension's value, one connection each; those that the node took.
Json truncated_extensions(Visit& visit, const Options&) {
  const Identity identity = fresh_identity(visit.random());
  const std::size_t size = extension_size(identity);
  Json taken = Json::array();
  std::size_t cut = 0;
  for (std::size_t n = 0; n < size; ++n) {
    auto socket = dial_for_tls(visit);
    if (!socket) return {{"spoken", false}};
    const std::string forgery = "truncated:" + std::to_string(n);
    TlsChannel channel(*std::move(socket), make_credentials(forgery, identity, visit.random()), {});
    const TimePoint began = now();
    const Json seen = outcome(channel, channel.shake_hands(in(kPatience)), began);
    if (seen["taken"]) taken.push_back(n);
    cut += seen["cut"] ? 1 : 0;
  }
  return {{"spoken", true}, {"size", size}, {"cut", cut}, {"taken", taken}};
}

// Our certificate is forged, and the node dials. Says first where it is to dial.
Json serve_certificate(Visit& visit, const Options& options) {
  const auto key = crypto::PrivateKey::generate(visit.random());
  const Identity identity = identity_of(key);
  const Credentials credentials =
      make_credentials(options.text("case", "honest"), identity, visit.random());
  Listener listener(visit.node().address());
  const Json at{{"id", key.peer_id().to_string()}, {"port", listener.address().port()}};
  std::printf("%s\n", at.dump().c_str());
  std::fflush(stdout);
  auto socket = listener.accept(in(options.seconds(20)));
  if (!socket) return {{"dialed", false}};
  PlainChannel plain(*std::move(socket));
  if (!accept_only(plain, kTlsProtocol, in(kPatience))) {
    return {{"dialed", true}, {"spoken", false}};
  }
  TlsWish wish;
  wish.server = true;
  TlsChannel channel(std::move(plain.socket()), credentials, wish);
  const TimePoint began = now();
  const bool shaken = channel.shake_hands(in(kPatience));
  Json out = outcome(channel, shaken, began);
  out["dialed"] = true;
  return out;
}

// What the node offers to one who would resume: nothing, as no identity is bound to a ticket.
Json tls_tickets(Visit& visit, const Options&) {
  auto socket = dial_for_tls(visit);
  if (!socket) return {{"spoken", false}};
  const Identity identity = fresh_identity(visit.random());
  TlsChannel channel(*std::move(socket), make_credentials("honest", identity, visit.random()), {});
  const TimePoint began = now();
  Json out = outcome(channel, channel.shake_hands(in(kPatience)), began);
  out["tickets"] = channel.tickets();
  out["early_data"] = channel.early_data();
  return out;
}

Json tls_hello(Visit& visit, const Options& options) {
  auto socket = dial_for_tls(visit);
  if (!socket) return {{"spoken", false}};
  TlsWish wish;
  if (options.text("case") == "old-version") wish.old_version = true;
  if (options.text("case") == "status-request") wish.status_request = kLargestStatusRequest;
  const Identity identity = fresh_identity(visit.random());
  TlsChannel channel(*std::move(socket), make_credentials("honest", identity, visit.random()),
                     wish);
  const TimePoint began = now();
  return outcome(channel, channel.shake_hands(in(kPatience)), began);
}

// Asks for new keys as fast as the node takes it, and reads nothing.
Json key_updates(Visit& visit, const Options& options) {
  const std::size_t count = options.number("count", 10'000, kMostKeyUpdates);
  auto socket = dial_for_tls(visit);
  if (!socket) return {{"spoken", false}};
  const Identity identity = fresh_identity(visit.random());
  TlsChannel channel(*std::move(socket), make_credentials("honest", identity, visit.random()), {});
  const bool shaken = channel.shake_hands(in(kPatience));
  std::size_t asked = 0;
  const TimePoint until = in(options.seconds(5));
  while (shaken && asked < count && channel.ask_for_new_keys(until)) ++asked;
  const bool cut = drain(channel, until) != End::open;
  return {{"spoken", true}, {"handshake", shaken}, {"asked", asked}, {"cut", cut}};
}

constexpr Attack kAttacks[] = {
    {"certificate", "--case FORGERY", certificate},
    {"truncated-extensions", "", truncated_extensions},
    {"serve-certificate", "--case FORGERY --seconds N (ADDRESS: where to listen)",
     serve_certificate},
    {"tls-tickets", "", tls_tickets},
    {"tls-hello", "--case old-version|status-request", tls_hello},
    {"key-updates", "--count N --seconds N", key_updates},
};

}  // namespace

std::span<const Attack> tls_attacks() { return kAttacks; }

}  // namespace oc::hostile
