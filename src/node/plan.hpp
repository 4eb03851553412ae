// Plan: what this start of the node is to be, from what was given now and what the store remembers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/worker_pool.hpp"
#include "crypto/keys.hpp"
#include "node/config.hpp"
#include "overlay/network.hpp"
#include "store/store.hpp"

namespace oc::node {

// Whether to relay for members: never, when everybody can reach this node, or always.
enum class RelayMode { off, automatic, on };

struct Plan {
  explicit Plan(crypto::PrivateKey key) : identity(std::move(key)) {}

  crypto::PrivateKey identity;
  std::string name;
  std::string host;  // of the API
  std::uint16_t port = 0;
  std::uint16_t p2p_port = 0;  // 0: pick one and keep it
  std::vector<codec::Multiaddr> announce;
  std::vector<overlay::Network> networks;
  std::vector<overlay::BootstrapPeer> bootstrap;
  RelayMode relay = RelayMode::automatic;
  bool public_relay = false;
  std::uint64_t record_seq = 0;
  std::string root_user;
  // Set at the first start without -rc: to be shown to the person once.
  std::optional<std::string> generated_password;
  std::vector<store::MemberRow> members;
  std::vector<store::RuleRow> rules;
  bool mdns = true;
  bool port_mapping = true;
};

// Names of settings in the store that other code writes, too.
inline constexpr const char* kSettingRecordSeq = "record_seq";
inline constexpr const char* kSettingP2pPort = "p2p_port";
inline constexpr const char* kSettingBootstrap = "bootstrap";

// Merges, and stores what is new. Passwords are stretched on `hashing`. What changed is logged.
// Faults of the store.
awaitable<Outcome<Plan>> make_plan(NodeConfig config, store::Store& store, store::StartState state,
                                   WorkerPool& hashing, Random& random, WallTime now);

// Bootstrap strings as one setting, and back.
std::string bootstrap_to_setting(const std::vector<overlay::BootstrapPeer>& peers);
std::vector<overlay::BootstrapPeer> bootstrap_from_setting(const std::string& text);

}  // namespace oc::node
