// Reachability: which of this node's addresses others can reach, as far as servers of AutoNAT v2
// told. Pure state: it says whom to ask about what, takes the answers, and forms an opinion.
//
// One answer is no proof: a server may lie, be cut off itself, or be lost on the way. The newest
// answers about an address are weighed against each other, and it counts as reachable, or not, when
// one side outweighs the other by kDecisive. A stranger's answer weighs 2, that of a peer the owner
// trusts 3: so three servers decide together, or two trusted ones. Ids cost nothing, so strangers
// in one place have one voice: when one of them was asked, the others were. To change a settled
// opinion takes more of them, because those that made it have to be outweighed first. As long as
// there are servers that have not been asked yet none is asked twice; where there is only one, it
// is asked again.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "codec/multiaddr.hpp"
#include "codec/peer_id.hpp"

namespace oc::p2p {

inline constexpr int kDecisive = 6;
inline constexpr int kWeightOfAnyServer = 2;
inline constexpr int kWeightOfTrustedServer = 3;
// Answers about one address that are remembered: older ones say nothing about today.
inline constexpr std::size_t kRememberedAnswers = 5;
// A settled opinion is looked at again after this, give or take a tenth (go: 15 min).
inline constexpr Duration kRecheckInterval = std::chrono::minutes(15);
// One that does not settle, after so many answers, is asked about less often (go: 90 s).
inline constexpr int kEagerAnswers = 10;
inline constexpr Duration kUnsettledInterval = std::chrono::seconds(90);
// A server is asked at most this often: it takes 12 requests a minute. One that could not answer,
// after a minute; about an address that it does not dial, with the next check.
inline constexpr Duration kServerInterval = std::chrono::seconds(6);
inline constexpr Duration kServerRest = std::chrono::minutes(1);
// Enough to hear three servers in the time that one of them takes to see a dial time out.
inline constexpr std::size_t kMaxProbesAtOnce = 3;
inline constexpr std::size_t kMaxOwnAddresses = 32;
// Servers remembered that do not dial an address; of more the first are forgotten.
inline constexpr std::size_t kMaxNotWilling = 64;

enum class AddressSource {
  announced,  // the owner says so
  mapped,     // a gateway forwards its port
  observed,   // enough peers see us there
  listened    // of an interface
};
enum class ReachabilityState { unknown, reachable, unreachable };
std::string_view to_text(AddressSource source);
std::string_view to_text(ReachabilityState state);

struct OwnAddress {
  codec::Multiaddr address;  // without /p2p
  AddressSource source = AddressSource::listened;
  auto operator<=>(const OwnAddress&) const = default;
};

// A peer that is connected directly and speaks AutoNAT v2. A stranger should be one that this node
// dialed: those that come by themselves may have come to lie.
struct ReachabilityServer {
  codec::PeerId peer;
  std::string place;            // place_of() its address
  codec::AddressScope scope{};  // where it is: who is not on the internet cannot judge for it
  bool trusted = false;
};

// A question for a server.
struct ReachabilityProbe {
  codec::PeerId server;
  std::string voice;  // whose answer it will be
  codec::Multiaddr address;
  bool trusted = false;
};

enum class ProbeOutcome {
  reachable,
  unreachable,
  refused,  // the server does not dial this address
  failed    // it could not answer now
};

struct AddressReachability {
  OwnAddress own;
  ReachabilityState state = ReachabilityState::unknown;
  std::optional<TimePoint> checked;  // when the last answer came
  std::size_t servers = 0;           // how many voices the remembered answers are from
};

class Reachability {
 public:
  explicit Reachability(Random& random) : random_(random) {}

  // Called when a state, or the list of addresses, is not what it was; must not change this object.
  std::function<void()> on_change = [] {};

  // The addresses there are now, best first; more than kMaxOwnAddresses are cut off. New ones are
  // asked about at once, those that are gone are forgotten. Only addresses of IP and TCP that are
  // not of this host alone are asked about.
  void set_addresses(std::vector<OwnAddress> addresses, TimePoint now);
  // The network around us is another: everything is asked about anew at once. What was known stands
  // until the answers say otherwise.
  void network_changed(TimePoint now);

  // The next question to ask, if one is due and one of these servers may be asked. It counts as
  // under way until answered() is told of it.
  std::optional<ReachabilityProbe> next(const std::vector<ReachabilityServer>& servers,
                                        TimePoint now);
  // Once for each probe that next() gave. The address may be gone meanwhile.
  void answered(const ReachabilityProbe& probe, ProbeOutcome outcome, TimePoint now);

  // In the order of set_addresses().
  std::vector<AddressReachability> addresses() const;
  ReachabilityState state_of(const codec::Multiaddr& address) const;
  // Whether one of the addresses of the public internet is reachable; of all of them together:
  // unreachable when that is known of each.
  bool publicly_reachable() const { return public_state() == ReachabilityState::reachable; }
  ReachabilityState public_state() const;

 private:
  // Whose answer one is: a trusted peer's id, or a stranger's place.
  using Voice = std::string;
  struct Answer {
    Voice voice;
    int weight = 0;  // below 0 when it could not reach us
  };
  struct Entry {
    OwnAddress own;
    ReachabilityState state = ReachabilityState::unknown;
    std::deque<Answer> answers;  // newest last
    std::optional<TimePoint> checked;
    TimePoint due;
    int unsettled = 0;                       // answers since it was last settled
    int under_way = 0;                       // servers that are being asked
    std::map<Voice, TimePoint> not_willing;  // until when to pass over it
  };
  struct ServerState {
    bool asked = false;  // is being asked
    TimePoint free;      // may be asked again
    TimePoint rested;    // failed, and is to be left alone until then
  };

  Entry* find(const codec::Multiaddr& address);
  bool may_judge(const ReachabilityServer& server, const Entry& entry, TimePoint now) const;
  static Voice voice_of(const ReachabilityServer& server);
  bool is_busy(const ReachabilityServer& server, TimePoint now) const;
  void pass_over(Entry& entry, const Voice& voice, TimePoint now);
  const ReachabilityServer* choose(const Entry& entry,
                                   const std::vector<ReachabilityServer>& servers,
                                   TimePoint now) const;
  void take(Entry& entry, Answer answer, TimePoint now);
  Duration recheck_interval();

  Random& random_;
  std::vector<Entry> entries_;
  std::map<Voice, ServerState> servers_;
  std::size_t under_way_ = 0;
};

}  // namespace oc::p2p
