// A LAN in memory: several machines on it, each with a Lan of its own. And what was said on it.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "p2p/discovery/lan.hpp"

namespace oc::test {

class FakeLan;

// The cable. Whatever is said to everybody is heard by all machines, the speaker included, at once.
class FakeCable {
 public:
  struct Said {
    p2p::LinkId link;
    std::optional<net::UdpAddress> to;
    Bytes bytes;
  };

  // What was said by members and by strangers.
  std::vector<Said> said;
  // Somebody who is no machine of ours says something.
  void say(p2p::LinkId link, const net::UdpAddress& from, BytesView bytes);

 private:
  friend FakeLan;
  std::vector<FakeLan*> machines_;
};

class FakeLan final : public p2p::Lan {
 public:
  FakeLan(FakeCable& cable, const std::string& address) : cable_(cable), address_(address) {
    cable_.machines_.push_back(this);
    links_.push_back({{1, false}, {asio::ip::make_address(address)}});
  }
  ~FakeLan() override { std::erase(cable_.machines_, this); }

  std::vector<p2p::Link> links() const override { return links_; }
  awaitable<Result<void>> send(p2p::LinkId link, std::optional<net::UdpAddress> to,
                               Bytes message) override {
    cable_.said.push_back({link, to, message});
    if (!to) cable_.say(link, {asio::ip::make_address(address_), 5353}, message);
    co_return success();
  }
  void change(std::vector<p2p::Link> links) {
    links_ = std::move(links);
    on_change();
  }

 private:
  FakeCable& cable_;
  std::string address_;
  std::vector<p2p::Link> links_;
};

inline void FakeCable::say(p2p::LinkId link, const net::UdpAddress& from, BytesView bytes) {
  const auto present = machines_;
  for (FakeLan* machine : present) machine->on_message(link, from, bytes);
}

}  // namespace oc::test
