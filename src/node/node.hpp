// Node: all parts of a running node, wired together.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "api/api_server.hpp"
#include "net/dns_resolver.hpp"
#include "node/local_node.hpp"
#include "node/plan.hpp"
#include "p2p/discovery/mdns.hpp"
#include "p2p/discovery/multicast_lan.hpp"
#include "p2p/nat/port_mapping.hpp"

namespace oc::node {

// The machine's figures are sampled this often.
inline constexpr Duration kSampleInterval = std::chrono::seconds(10);
// Whether this node can relay is looked at that often.
inline constexpr Duration kRelayOfferInterval = std::chrono::seconds(5);
// Changes of the interfaces come in swarms; they are looked at after so long.
inline constexpr Duration kInterfacesSettle = std::chrono::milliseconds(250);
// Where the kernel does not tell of changes they are looked for, as often as the overlay does.
inline constexpr Duration kInterfaceInterval = overlay::kRecordCheck;

// Thread: the network thread. Close it before destruction.
class Node {
 public:
  Node(Executor executor, Clock& clock, Random& random, store::Store& store, WorkerPool& workers,
       Plan plan);
  ~Node();

  // Listens, puts the stored rules to work and starts connecting. FaultCode::cannot_listen.
  awaitable<Outcome<bool>> start();
  // Ends everything: visitors, tunnels, connections, tasks.
  awaitable<void> close();

  api::IdentityView identity() const { return local_.identity(); }
  net::TcpAddress api_address() const { return api_listener_->local(); }

 private:
  Outcome<std::uint16_t> listen_for_peers();
  // Whether everybody can reach this node: its owner says where, or others found it so, or, as long
  // as nobody knows, an interface has a public address.
  bool reachable() const;
  awaitable<void> offer_relay();
  void start_discovery();
  awaitable<void> accept_api();
  awaitable<void> sample_machine();
  awaitable<void> watch_interfaces();
  void interfaces_changed();
  awaitable<void> store_seq(std::uint64_t seq);
  awaitable<void> store_records();
  awaitable<void> store_contact(codec::PeerId peer, overlay::NetworkName network,
                                std::string address);
  p2p::IdentifyOptions identify_options();
  p2p::RelayOptions relay_options() const;
  // The addresses whose reachability is looked into.
  std::vector<p2p::OwnAddress> own_addresses() const;
  // Logs whether this node can be reached, when that is not what it was.
  void report_reachability();
  overlay::OverlayOptions overlay_options() const;
  overlay::OverlayEvents overlay_events();
  std::unique_ptr<p2p::PortMapping> make_port_mapping(Random& random);

  Executor executor_;
  Clock& clock_;
  Random& random_;
  store::Store& store_;
  WorkerPool& workers_;
  Plan plan_;
  net::DnsResolver resolver_;
  p2p::Host host_;
  overlay::Overlay overlay_;
  std::unique_ptr<p2p::PortMapping> port_mapping_;  // null: switched off
  tunnel::RuleTable rules_;
  LocalNode local_;
  api::ApiServer api_;
  std::optional<net::TcpListener> api_listener_;
  std::optional<p2p::MulticastLan> lan_;  // with mdns_, unless it is switched off
  std::optional<p2p::Mdns> mdns_;
  std::map<std::pair<overlay::NetworkName, codec::PeerId>, overlay::SealedRecord> unsaved_;
  bool saving_ = false;
  p2p::ReachabilityState reported_ = p2p::ReachabilityState::unknown;
  TaskScope tasks_;
};

}  // namespace oc::node
