// PortMapping: keeps a port of the router mapped to this node's TCP port, while there is a router
// that does so, and knows under which address the node can then be reached from outside.
//
//   ask each gateway in turn: find ──▶ map ──▶ held: again at half of the lease
//                                └──▶ the port is taken: ask for another
//   no gateway maps: again after a minute, two, four … half an hour; at once when told that the
//   interfaces changed
//
// A mapping whose renewal gets no answer counts as held to the end of its lease; one that is
// refused is gone. Source of lease and renewal: RFC 6886, 3.3; UPnP WANIPConnection:2, 2.5.16.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "codec/multiaddr.hpp"
#include "p2p/nat/gateway.hpp"

namespace oc::p2p {

// What a router is asked for. After a power cut it forgets us within this time.
inline constexpr Duration kMappingLease = std::chrono::hours(1);
// A router that gives less would be asked all the time; it is refused.
inline constexpr Duration kShortestLease = std::chrono::seconds(10);
inline constexpr Duration kMappingFirstRetry = std::chrono::minutes(1);  // then doubled
inline constexpr Duration kMappingLastRetry = std::chrono::minutes(30);
// Other ports that are asked for in one attempt, at random among those for private use.
inline constexpr int kOtherPorts = 4;
inline constexpr std::uint16_t kFirstPrivatePort = 49152;  // RFC 6335, 6; to 65535
// Bounds on whatever a gateway does: a search with four devices that answer slowly; two requests,
// each with a question between.
inline constexpr Duration kFindTime = std::chrono::seconds(20);
inline constexpr Duration kMapTime = std::chrono::seconds(10);
// At the end of the node: for a request under way, so that what it maps is known; and for removal.
inline constexpr Duration kLastRequestTime = std::chrono::seconds(1);
inline constexpr Duration kRemovalTime = std::chrono::seconds(2);

struct PortMappingOptions {
  // Whether a mapping would be of use, asked before each attempt.
  std::function<bool()> wanted = [] { return true; };
  // external() is another than before. On the network thread; must not block.
  std::function<void()> changed = [] {};
};

// For people.
struct PortMappingStatus {
  std::string_view protocol;     // that of the gateway; empty when no mapping is held
  asio::ip::address_v4 address;  // the router's external one
  Port port;
  Duration lease_left{};
  // Whether `address` can be reached from the internet. If not, another router (of the provider,
  // mostly) is in front of this one, and the mapping is of no use and not told.
  bool useful = false;
  error_code last_error;  // of the last attempt; none when that succeeded
};

struct GatewayCounters {
  std::string_view protocol;
  std::uint64_t attempts = 0, failures = 0;
};

// Thread: the network thread. Close it before destruction if it was started.
class PortMapping {
 public:
  // `gateways` are tried in this order, the one that holds a mapping first.
  PortMapping(Executor executor, Clock& clock, Random& random,
              std::vector<std::unique_ptr<Gateway>> gateways, PortMappingOptions options = {});
  ~PortMapping();

  // Once. Returns at once.
  void start(Port internal);
  // Asks again now, and believes no mapping of before that cannot be renewed.
  void interfaces_changed();
  // Ends asking, and takes the mapping back; within kLastRequestTime and kRemovalTime even when the
  // router says nothing any more, whose lease then ends it.
  awaitable<void> close();

  // /ip4/…/tcp/… while a useful mapping is held.
  std::optional<codec::Multiaddr> external() const;
  PortMappingStatus status() const;
  std::vector<GatewayCounters> counters() const { return counters_; }

 private:
  struct Held {
    std::size_t gateway = 0;
    asio::ip::address_v4 address;
    Port port;
    TimePoint renew, until;
  };

  awaitable<void> keep();
  // One attempt at every gateway until one maps.
  awaitable<Result<Held>> ask_all();
  awaitable<Result<Held>> ask(std::size_t gateway);
  awaitable<Result<MappingGrant>> map(Gateway& gateway, Port external);
  void hold(Held held);
  void failed(error_code why, bool moved);
  void lose();
  Duration until_next() const;

  Clock& clock_;
  Random& random_;
  std::vector<std::unique_ptr<Gateway>> gateways_;
  PortMappingOptions options_;
  std::vector<GatewayCounters> counters_;
  Port internal_;
  std::optional<Held> held_;
  error_code last_error_;
  int failures_ = 0;      // since the last success
  bool moved_ = false;    // interfaces changed since the last attempt began
  bool told_ = false;     // the log was told that there is no mapping
  bool mapping_ = false;  // a request to map is under way
  bool ending_ = false;
  Event wake_;
  Event mapped_;  // while ending: the request under way has ended
  TaskScope tasks_;
};

}  // namespace oc::p2p
