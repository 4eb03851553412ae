// Mdns: finds libp2p peers on the same LAN, and is found by them.
//
// Flow: it asks all links for peers; who hears that, ourselves included, answers to all with its
// addresses, so that everybody learns of everybody. What is heard is a claim of whoever is on the
// LAN, and proves nothing.
//
// Source: libp2p/specs discovery/mdns.md; RFC 6762 for timing (5.2, 6), known answers (7.1) and
// those who know DNS only (6.7).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/token_bucket.hpp"
#include "codec/multiaddr.hpp"
#include "p2p/discovery/lan.hpp"
#include "p2p/discovery/mdns_message.hpp"

namespace oc::p2p {

// After the first question the next comes after so long; each pause is twice the one before, up to
// the last. A change of the links begins anew.
inline constexpr Duration kMdnsFirstPause = std::chrono::seconds(1);
inline constexpr Duration kMdnsLastPause = std::chrono::minutes(5);
// The first question and each answer wait so long, at random, so that machines that come up or were
// asked together do not talk together.
inline constexpr Duration kMdnsLeastDelay = std::chrono::milliseconds(20);
inline constexpr Duration kMdnsMostDelay = std::chrono::milliseconds(120);
// A link gets no two answers within this time, however many ask.
inline constexpr Duration kMdnsAnswerInterval = std::chrono::seconds(1);
// Messages of a link that are read: in a row, as when a large LAN answers, and after that.
inline constexpr int kMdnsMessageBurst = 256;
inline constexpr Duration kMdnsMessageInterval = std::chrono::milliseconds(5);
// Peers that are reported: in a row, and after that. Whoever invents peers gets no further.
inline constexpr int kMdnsFoundBurst = 64;
inline constexpr Duration kMdnsFoundInterval = std::chrono::milliseconds(250);
// Peers that one message can tell of (each tells of itself), and addresses taken of each.
inline constexpr std::size_t kMaxMdnsPeersOfMessage = 4;
inline constexpr std::size_t kMaxMdnsAddresses = 16;

// Whether an address is for a LAN: begins with an IP address that is neither loopback nor
// link-local IPv6, which means nothing without its zone, and is no circuit.
bool fits_lan(const codec::Multiaddr& address);

// Thread: the network thread. Lifetime: all that it refers to must outlive it; close() before
// destruction, once started. Takes the on_message and on_change of the lan, which is at work by
// then.
class Mdns {
 public:
  // This node's addresses now; those that do not fit a LAN are left out.
  using Addresses = std::function<std::vector<codec::Multiaddr>()>;
  // A peer says that it is there, under these addresses (without /p2p, at least one); again and
  // again while it is.
  using Found = std::function<void(const codec::PeerId&, std::vector<codec::Multiaddr>)>;

  Mdns(Executor executor, Lan& lan, Clock& clock, Random& random, codec::PeerId self,
       Addresses addresses, Found found);

  void start();
  awaitable<void> close();

 private:
  struct LinkState {
    TokenBucket messages{kMdnsMessageInterval, kMdnsMessageBurst};
    TimePoint next_answer{};
    bool answering = false;
    bool names_service = false;  // the answer that is due is to name the service
  };

  awaitable<void> keep_asking();
  awaitable<void> ask_all();
  awaitable<void> answer_all(LinkId link, Duration delay);
  awaitable<void> answer_one(LinkId link, net::UdpAddress to, MdnsMessage query);
  void on_message(LinkId link, const net::UdpAddress& from, BytesView bytes);
  void on_query(LinkId link, const net::UdpAddress& from, MdnsMessage query);
  void on_response(const MdnsMessage& response);
  void refresh_links();
  bool is_for_us(const MdnsQuestion& question) const;
  // Nothing when there is no address to tell.
  std::optional<MdnsAnswer> answer_for(LinkId link) const;
  Duration random_delay();

  Lan& lan_;
  Clock& clock_;
  Random& random_;
  codec::PeerId self_;
  Addresses addresses_;
  Found found_;
  std::string label_;  // of our instance: random, so that it says nothing
  std::map<LinkId, LinkState> links_;
  TokenBucket reports_{kMdnsFoundInterval, kMdnsFoundBurst};
  Event changed_;
  TaskScope tasks_;
};

}  // namespace oc::p2p
