// DnsResolver: a Resolver that asks DNS servers by c-ares. Reads /etc/hosts, /etc/resolv.conf and
// the order in /etc/nsswitch.conf as the system's own look-ups do, but knows files and DNS only.
//
// Source: RFC 1035, RFC 7766 (TCP after a truncated answer); c-ares.
#pragma once

#include <memory>

#include "net/dns_channel.hpp"
#include "net/resolver.hpp"

namespace oc::net {

// Look-ups under way at once. Each takes a socket a server, and 80 KiB: c-ares' tables.
inline constexpr std::size_t kMaxLookups = 64;
// What an answer has beyond this is dropped: an answer by TCP has room for thousands.
inline constexpr std::size_t kMaxAnswers = 128;

// Thread: the network thread, which no look-up blocks. Lifetime: `clock` outlives the look-ups; the
// resolver need not: destroying it ends those under way with Errc::closed.
//
// Cancellation: a cancelled look-up returns at once; its queries end, its sockets are closed. A
// look-up has a channel of its own, so that this touches no other, a changed configuration counts
// from the next one on, and each asks from ports that nobody can have learned before.
class DnsResolver final : public Resolver {
 public:
  explicit DnsResolver(Clock& clock, DnsOptions options = {});
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;
  ~DnsResolver() override;

  awaitable<Result<std::vector<asio::ip::address>>> addresses_of(std::string name,
                                                                 AddressFamily family) override;
  awaitable<Result<std::vector<std::string>>> texts_of(std::string name) override;

  std::size_t under_way() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the look-ups
};

}  // namespace oc::net
