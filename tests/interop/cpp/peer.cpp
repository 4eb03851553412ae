#include "peer.hpp"

#include "crew.hpp"

namespace oc::interop {
namespace {

// None: `streams`, `connects` and `hold` exceed on purpose what a node allows.
p2p::ResourceLimits no_limits() {
  p2p::ResourceLimits limits;
  for (p2p::ScopeLimits* scope : {&limits.system, &limits.transient, &limits.untrusted,
                                  &limits.peer, &limits.untrusted_peer}) {
    *scope = {};
  }
  limits.untrusted_connection = limits.connection = {p2p::kUnlimited, 64 << 20};
  return limits;
}

p2p::SwarmOptions swarm_options(const Surroundings& around) {
  p2p::SwarmOptions options;
  options.upgrade.security = around.security;
  options.limits = no_limits();
  options.trim.high_water = p2p::kUnlimited;
  return options;
}

awaitable<Verdict<void>> close_one(Peer& peer) {
  co_await peer.swarm().close();
  co_return Verdict<void>();
}

}  // namespace

Peer::Peer(Surroundings& around, p2p::RelayOptions relay)
    : host_(around.executor, around.clock, around.random,
            crypto::PrivateKey::generate(around.random), identify_options(), swarm_options(around),
            std::move(relay), {.allow_local = true}) {}

p2p::IdentifyOptions Peer::identify_options() {
  p2p::IdentifyOptions options;
  options.agent_version = "open-chat-interop-cpp";
  options.addresses = [this] { return swarm().listen_addresses(); };
  options.record_seq = [] { return std::uint64_t{1}; };
  return options;
}

Verdict<void> Peer::listen(const std::string& ip) {
  const char* at = ip == "6" ? "::1" : ip == "any" ? "0.0.0.0" : "127.0.0.1";
  return explain("listen", swarm().listen({asio::ip::make_address(at), 0}));
}

std::vector<std::string> Peer::addresses() const {
  std::vector<std::string> out;
  for (const codec::Multiaddr& address : swarm().listen_addresses()) {
    out.push_back(address.with_peer(swarm().self()).to_string());
  }
  return out;
}

awaitable<void> close_all(std::vector<std::unique_ptr<Peer>>& peers) {
  const auto job = [&peers](std::size_t i) { return close_one(*peers[i]); };
  (void)co_await run_all(peers.size(), peers.size(), job);
}

std::string served(const std::string& name) { return "/open-chat-interop/" + name + "/1.0.0"; }

}  // namespace oc::interop
