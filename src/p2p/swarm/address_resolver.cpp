#include "p2p/swarm/address_resolver.hpp"

#include <algorithm>
#include <memory>
#include <set>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "p2p/error.hpp"

namespace oc::p2p {
namespace {

using codec::Multiaddr;
using codec::PeerId;
using codec::Protocol;

bool is_name(Protocol code) {
  return code == Protocol::dns || code == Protocol::dns4 || code == Protocol::dns6 ||
         code == Protocol::dnsaddr;
}

net::AddressFamily family_of(Protocol code) {
  switch (code) {
    case Protocol::dns4: return net::AddressFamily::v4;
    case Protocol::dns6: return net::AddressFamily::v6;
    default: return net::AddressFamily::any;
  }
}

// `address` with `ip` instead of its first step.
Result<Multiaddr> with_host(const Multiaddr& address, const asio::ip::address& ip) {
  const BytesView name = address.components().front().value;
  const auto behind = static_cast<std::size_t>(name.data() + name.size() - address.bytes().data());
  TRY(const auto host, Multiaddr::parse((ip.is_v6() ? "/ip6/" : "/ip4/") + ip.to_string()));
  if (behind == address.bytes().size()) return host;
  TRY(const auto rest, Multiaddr::from_bytes(BytesView(address.bytes()).subspan(behind)));
  return host.concat(rest);
}

// An address, and what was found behind its name, in the order of the answer.
struct Step {
  explicit Step(Multiaddr a) : address(std::move(a)), named(begins_with_name(address)) {}
  Multiaddr address;
  bool named;
  std::vector<std::unique_ptr<Step>> found;
};

// One expansion under way. Lifetime: run() ends before destruction.
class Expansion {
 public:
  Expansion(Executor executor, net::Resolver& resolver, PeerId peer,
            const std::vector<Multiaddr>& addresses)
      : resolver_(resolver), peer_(std::move(peer)), tasks_(std::move(executor)) {
    for (const Multiaddr& address : addresses) roots_.push_back(std::make_unique<Step>(address));
  }

  // Looks everything up; what was found when it is cancelled is kept.
  awaitable<Result<void>> run();
  std::vector<Multiaddr> result() const;

 private:
  void look_up(Step& step, unsigned depth);
  awaitable<void> ask_host(Step& step);
  awaitable<void> ask_dnsaddr(Step& step, unsigned depth);
  void add(Step& to, Multiaddr found, unsigned depth);
  bool is_of_another(const Multiaddr& address) const;
  static void collect(const Step& step, std::vector<Multiaddr>& out);

  net::Resolver& resolver_;
  PeerId peer_;
  std::vector<std::unique_ptr<Step>> roots_;
  std::set<std::string, std::less<>> followed_;  // names of /dnsaddr
  std::size_t lookups_left_ = kMaxLookupsOfDial;
  std::size_t addresses_left_ = kMaxResolvedAddresses;
  std::size_t under_way_ = 0;
  Event one_ended_;
  TaskScope tasks_;
};

awaitable<Result<void>> Expansion::run() {
  // Also a cancelled expansion sees its look-ups end.
  co_await asio::this_coro::throw_if_cancelled(false);
  for (const auto& root : roots_) look_up(*root, 0);
  while (under_way_ != 0) {
    const bool cancelled = co_await was_cancelled();
    if (cancelled) break;
    auto ended = co_await one_ended_.wait();
    if (!ended) break;
  }
  const bool whole = under_way_ == 0;
  co_await tasks_.close();
  if (!whole) co_return Errc::cancelled;
  co_return success();
}

// Starts the look-up of a step's name, if it has one and may be followed.
void Expansion::look_up(Step& step, unsigned depth) {
  if (!step.named || lookups_left_ == 0) return;
  const auto parts = step.address.components();
  const bool dnsaddr = parts.front().code == Protocol::dnsaddr;
  if (dnsaddr) {
    const bool only_peer = parts.size() == 1 || (parts.size() == 2 && step.address.peer_id());
    if (!only_peer || depth == kMaxDnsaddrDepth || is_of_another(step.address)) return;
    if (!followed_.emplace(as_text(parts.front().value)).second) return;
  }
  --lookups_left_;
  ++under_way_;
  tasks_.spawn("look up", dnsaddr ? ask_dnsaddr(step, depth + 1) : ask_host(step));
}

// Counts a look-up as ended, however it ended.
struct LookupEnd {
  std::size_t& under_way;
  Event& ended;
  ~LookupEnd() {
    --under_way;
    ended.set();
  }
};

awaitable<void> Expansion::ask_host(Step& step) {
  const LookupEnd end{under_way_, one_ended_};
  const auto host = step.address.components().front();
  auto found =
      co_await resolver_.addresses_of(std::string(as_text(host.value)), family_of(host.code));
  if (!found) {
    log::debug("look-up of {} failed: {}", step.address.to_string(), found.error().message());
    co_return;
  }
  for (const asio::ip::address& ip : *found) {
    if (auto address = with_host(step.address, ip)) add(step, *std::move(address), 0);
  }
}

awaitable<void> Expansion::ask_dnsaddr(Step& step, unsigned depth) {
  const LookupEnd end{under_way_, one_ended_};
  const auto name = step.address.components().front();
  auto found = co_await resolver_.texts_of("_dnsaddr." + std::string(as_text(name.value)));
  if (!found) {
    log::debug("look-up of {} failed: {}", step.address.to_string(), found.error().message());
    co_return;
  }
  for (const std::string& text : *found) {
    auto address = parse_dnsaddr_record(text);
    if (address && !is_of_another(*address)) add(step, *std::move(address), depth);
  }
}

void Expansion::add(Step& to, Multiaddr found, unsigned depth) {
  auto step = std::make_unique<Step>(std::move(found));
  if (!step->named) {
    if (addresses_left_ == 0 || step->address.scope() == codec::AddressScope::unspecified) return;
    --addresses_left_;
  }
  look_up(*step, depth);
  to.found.push_back(std::move(step));
}

bool Expansion::is_of_another(const Multiaddr& address) const {
  const auto named = address.peer_id();
  return named && *named != peer_;
}

void Expansion::collect(const Step& step, std::vector<Multiaddr>& out) {
  if (!step.named && std::ranges::find(out, step.address) == out.end()) out.push_back(step.address);
  for (const auto& found : step.found) collect(*found, out);
}

std::vector<Multiaddr> Expansion::result() const {
  std::vector<Multiaddr> out;
  for (const auto& root : roots_) collect(*root, out);
  return out;
}

}  // namespace

bool begins_with_name(const Multiaddr& address) {
  const auto parts = address.components();
  return !parts.empty() && is_name(parts.front().code);
}

Result<Multiaddr> parse_dnsaddr_record(std::string_view text) {
  constexpr std::string_view kPrefix = "dnsaddr=";
  if (!text.starts_with(kPrefix)) return Errc::unsupported;
  return Multiaddr::parse(text.substr(kPrefix.size()));
}

awaitable<Result<std::vector<Multiaddr>>> resolve_addresses(net::Resolver& resolver, Clock& clock,
                                                            PeerId peer,
                                                            std::vector<Multiaddr> addresses) {
  if (std::ranges::none_of(addresses, begins_with_name)) co_return addresses;
  const Executor executor = co_await asio::this_coro::executor;
  Expansion expansion(executor, resolver, std::move(peer), addresses);
  auto ran = co_await with_deadline<void>(clock, kResolveTimeout, expansion.run());
  if (!ran && ran.error() != Errc::timed_out) co_return ran.error();
  auto resolved = expansion.result();
  if (resolved.empty()) co_return P2pErrc::name_not_resolved;
  co_return resolved;
}

}  // namespace oc::p2p
