// Host: the face of the libp2p layer that the rest of the program uses.
#pragma once

#include "p2p/nat/reachability_prober.hpp"
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
       IdentifyOptions identify, SwarmOptions options = {}, RelayOptions relay = {},
       AutonatServerOptions autonat = {})
      : swarm_(executor, clock, random, std::move(identity), std::move(options)),
        relay_service_(swarm_, clock, relay_options(identify, std::move(relay))),
        identify_(swarm_, clock, std::move(identify)),
        ping_(swarm_, clock, random),
        relay_client_(swarm_, clock),
        dcutr_(swarm_, clock, dcutr_options()),
        autonat_client_(swarm_, clock, random),
        autonat_server_(swarm_, clock, random, autonat),
        reachability_(swarm_, autonat_client_, clock, random) {}

  Swarm& swarm() { return swarm_; }
  const Swarm& swarm() const { return swarm_; }
  Identify& identify() { return identify_; }
  const Identify& identify() const { return identify_; }
  Ping& ping() { return ping_; }
  RelayClient& relay_client() { return relay_client_; }
  // Serves nobody before serve(true).
  RelayService& relay_service() { return relay_service_; }
  Dcutr& dcutr() { return dcutr_; }
  AutonatClient& autonat_client() { return autonat_client_; }
  const AutonatServer& autonat_server() const { return autonat_server_; }
  // To be started, and closed before the swarm.
  ReachabilityProber& reachability() { return reachability_; }
  const ReachabilityProber& reachability() const { return reachability_; }

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
  AutonatClient autonat_client_;
  AutonatServer autonat_server_;
  ReachabilityProber reachability_;
};

}  // namespace oc::p2p
