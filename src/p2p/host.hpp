// Host: the face of the libp2p layer that the rest of the program uses.
#pragma once

#include "p2p/protocols/dcutr/dcutr.hpp"
#include "p2p/protocols/identify/identify.hpp"
#include "p2p/protocols/ping/ping.hpp"
#include "p2p/protocols/relay/relay_client.hpp"
#include "p2p/protocols/relay/relay_service.hpp"
#include "p2p/swarm/swarm.hpp"

namespace oc::p2p {

// A swarm with the protocols every libp2p peer speaks.
class Host {
 public:
  Host(Executor executor, Clock& clock, Random& random, crypto::PrivateKey identity,
       IdentifyOptions identify, SwarmOptions options = {}, RelayOptions relay = {})
      : swarm_(executor, clock, random, std::move(identity), std::move(options)),
        relay_service_(swarm_, clock, relay_options(identify, std::move(relay))),
        identify_(swarm_, clock, std::move(identify)),
        ping_(swarm_, clock, random),
        relay_client_(swarm_, clock),
        dcutr_(swarm_, clock, dcutr_options()) {}

  Swarm& swarm() { return swarm_; }
  const Swarm& swarm() const { return swarm_; }
  Identify& identify() { return identify_; }
  Ping& ping() { return ping_; }
  RelayClient& relay_client() { return relay_client_; }
  // Serves nobody before serve(true).
  RelayService& relay_service() { return relay_service_; }
  Dcutr& dcutr() { return dcutr_; }

 private:
  // Tells of the same addresses as identify, unless told otherwise.
  static RelayOptions relay_options(const IdentifyOptions& identify, RelayOptions relay) {
    if (!relay.addresses) relay.addresses = identify.addresses;
    return relay;
  }

  DcutrOptions dcutr_options() {
    DcutrOptions options;
    options.addresses = [this] { return identify_.possible_addresses(); };
    return options;
  }

  Swarm swarm_;
  RelayService relay_service_;  // before identify, whose options it copies
  Identify identify_;
  Ping ping_;
  RelayClient relay_client_;
  Dcutr dcutr_;
};

}  // namespace oc::p2p
