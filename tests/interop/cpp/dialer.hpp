// Dialer: whom a case dials, and as whom.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "peer.hpp"
#include "talk.hpp"

namespace oc::interop {

using Json = nlohmann::ordered_json;

class Dialer {
 public:
  // `address` ends in /p2p/<peer id>.
  static Verdict<Dialer> to(const std::string& address, Surroundings& around);

  // A new peer, with a key of its own, which the dialer owns.
  Peer& make_peer();
  // Connects to the listener.
  awaitable<Verdict<p2p::ConnectionPtr>> connect(Peer& from);
  // Connects a new peer, and waits until the listener said by identify who it is.
  awaitable<Verdict<p2p::ConnectionPtr>> connect();

  // Looks every few milliseconds whether it holds; fails when it does not come to that within
  // `limit`, saying what it is.
  awaitable<Verdict<void>> until(Duration limit, std::string what, std::function<bool()> holds);

  const codec::PeerId& target() const { return target_; }
  Clock& clock() { return around_->clock; }
  Random& random() { return around_->random; }
  std::vector<std::unique_ptr<Peer>>& peers() { return peers_; }
  // Streams that stay open as long as the dialer.
  std::vector<StreamPtr>& held_streams() { return held_streams_; }
  // An option of the case.
  double option(const std::string& name) const { return options_.at(name); }
  std::size_t count(const std::string& name) const {
    return static_cast<std::size_t>(option(name));
  }
  void set_options(std::map<std::string, double> options) { options_ = std::move(options); }

 private:
  Dialer(codec::PeerId target, codec::Multiaddr address, Surroundings& around)
      : target_(std::move(target)), address_(std::move(address)), around_(&around) {}

  codec::PeerId target_;
  codec::Multiaddr address_;
  Surroundings* around_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<StreamPtr> held_streams_;
  std::map<std::string, double> options_;
};

}  // namespace oc::interop
