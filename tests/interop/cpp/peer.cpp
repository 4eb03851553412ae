#include "peer.hpp"

#include "crew.hpp"

namespace oc::interop {
namespace {

// `streams` and `hold` open as many as they like.
constexpr std::size_t kStreams = 1'000'000;

awaitable<Verdict<void>> close_one(Peer& peer) {
  co_await peer.swarm().close();
  co_return Verdict<void>();
}

}  // namespace

Peer::Peer(Surroundings& around)
    : host_(around.executor, around.clock, around.random,
            crypto::PrivateKey::generate(around.random), identify_options(),
            {.upgrade = {around.security}}) {
  p2p::SwarmEvents events;
  events.connected = [](const p2p::ConnectionPtr& connection) {
    connection->set_incoming_limit(kStreams);
  };
  swarm().observe(std::move(events));
}

p2p::IdentifyOptions Peer::identify_options() {
  p2p::IdentifyOptions options;
  options.agent_version = "open-chat-interop-cpp";
  options.addresses = [this] { return swarm().listen_addresses(); };
  options.record_seq = [] { return std::uint64_t{1}; };
  return options;
}

Verdict<void> Peer::listen(const std::string& ip) {
  const auto loopback = asio::ip::make_address(ip == "6" ? "::1" : "127.0.0.1");
  return explain("listen", swarm().listen({loopback, 0}));
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
