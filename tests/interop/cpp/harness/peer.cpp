#include "peer.hpp"

namespace oc::harness {

Peer::Peer(std::string security)
    : host_(io_.get_executor(), clock_, random_, crypto::PrivateKey::generate(random_),
            identify_options(), {.upgrade = {{std::move(security)}}}) {}

Peer::~Peer() { run(swarm().close()); }

p2p::IdentifyOptions Peer::identify_options() {
  p2p::IdentifyOptions options;
  options.agent_version = "open-chat-harness";
  options.addresses = [this] { return swarm().listen_addresses(); };
  options.record_seq = [] { return std::uint64_t{1}; };
  return options;
}

}  // namespace oc::harness
