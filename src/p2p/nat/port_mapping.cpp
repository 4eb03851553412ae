#include "p2p/nat/port_mapping.hpp"

#include <algorithm>
#include <numeric>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "net/tcp.hpp"

namespace oc::p2p {
namespace {

codec::Multiaddr to_multiaddr(const asio::ip::address_v4& address, Port port) {
  return net::to_multiaddr({address, port.value()});
}

bool is_useful(const asio::ip::address_v4& address) {
  return to_multiaddr(address, Port(1)).scope() == codec::AddressScope::public_internet;
}

// After these a router has said that it holds no mapping for us.
bool ends_mapping(error_code error) {
  return error == NatErrc::port_taken || error == NatErrc::refused ||
         error == NatErrc::not_connected;
}

}  // namespace

PortMapping::PortMapping(Executor executor, Clock& clock, Random& random,
                         std::vector<std::unique_ptr<Gateway>> gateways, PortMappingOptions options)
    : clock_(clock),
      random_(random),
      gateways_(std::move(gateways)),
      options_(std::move(options)),
      tasks_(std::move(executor)) {
  for (const auto& gateway : gateways_) counters_.push_back({gateway->protocol()});
}

PortMapping::~PortMapping() = default;

void PortMapping::start(Port internal) {
  internal_ = internal;
  tasks_.spawn("port mapping", keep());
}

void PortMapping::interfaces_changed() {
  moved_ = true;
  failures_ = 0;
  wake_.set();
}

awaitable<void> PortMapping::keep() {
  for (;;) {
    const bool moved = std::exchange(moved_, false);
    if (options_.wanted()) {
      auto held = co_await ask_all();
      if (held) {
        hold(*held);
      } else if (held.error() == Errc::cancelled) {
        co_return;
      } else {
        failed(held.error(), moved);
      }
    } else {
      lose();
    }
    auto woken = co_await with_deadline<void>(clock_, until_next(), wake_.wait());
    if (!woken && woken.error() != Errc::timed_out) co_return;
  }
}

awaitable<Result<PortMapping::Held>> PortMapping::ask_all() {
  std::vector<std::size_t> order(gateways_.size());
  std::iota(order.begin(), order.end(), 0);
  if (held_) std::swap(order[0], order[held_->gateway]);
  error_code why = NatErrc::no_gateway;
  for (const std::size_t gateway : order) {
    ++counters_[gateway].attempts;
    auto held = co_await ask(gateway);
    if (held || held.error() == Errc::cancelled) co_return held;
    ++counters_[gateway].failures;
    log::debug("no port mapping by {}: {}", counters_[gateway].protocol, held.error().message());
    // What a router said tells more than that another protocol has none.
    if (why == NatErrc::no_gateway) why = held.error();
  }
  co_return why;
}

awaitable<Result<PortMapping::Held>> PortMapping::ask(std::size_t index) {
  Gateway& gateway = *gateways_[index];
  CO_TRY(const auto address, co_await with_deadline(clock_, kFindTime, gateway.find()));
  Port external = held_ ? held_->port : internal_;
  for (int others = 0;; ++others) {
    auto grant = co_await map(gateway, external);
    if (grant) {
      const Duration lease = std::min(grant->lease.value_or(kMappingLease), kMappingLease);
      if (lease < kShortestLease) co_return NatErrc::bad_reply;
      const TimePoint now = clock_.now();
      co_return Held{index, address, grant->external, now + lease / 2, now + lease};
    }
    if (grant.error() != NatErrc::port_taken || others == kOtherPorts || ending_)
      co_return grant.error();
    external = Port(
        static_cast<std::uint16_t>(kFirstPrivatePort + random_.below(65536 - kFirstPrivatePort)));
  }
}

awaitable<Result<MappingGrant>> PortMapping::map(Gateway& gateway, Port external) {
  struct UnderWay {
    PortMapping& owner;
    explicit UnderWay(PortMapping& mapping) : owner(mapping) { owner.mapping_ = true; }
    ~UnderWay() {
      owner.mapping_ = false;
      if (owner.ending_) owner.mapped_.set();
    }
  } under_way(*this);
  const MappingRequest request{internal_, external, kMappingLease};
  co_return co_await with_deadline(clock_, kMapTime, gateway.map(request));
}

void PortMapping::hold(Held held) {
  const auto before = external();
  const bool is_new = !held_ || held_->address != held.address || held_->port != held.port;
  held_ = held;
  failures_ = 0;
  told_ = false;
  last_error_ = {};
  const auto address = to_multiaddr(held.address, held.port).to_string();
  const std::string_view protocol = counters_[held.gateway].protocol;
  if (is_new && is_useful(held.address)) {
    log::info("the router lets connections to {} through to this node ({})", address, protocol);
  } else if (is_new) {
    log::info(
        "the router lets connections to {} through to this node ({}), but is itself behind "
        "another",
        address, protocol);
  }
  if (external() != before) options_.changed();
}

void PortMapping::failed(error_code why, bool moved) {
  last_error_ = why;
  ++failures_;
  if (!held_ && !std::exchange(told_, true)) {
    log::info("no port mapping: {}; trying again from time to time", why.message());
  }
  if (held_ && (moved || ends_mapping(why) || clock_.now() >= held_->until)) lose();
}

void PortMapping::lose() {
  const auto before = external();
  if (held_) {
    log::info("the mapping of the router's port {} is gone", held_->port.value());
    told_ = true;
  }
  held_.reset();
  if (before) options_.changed();
}

Duration PortMapping::until_next() const {
  const TimePoint now = clock_.now();
  if (failures_ == 0) return held_ ? held_->renew - now : kMappingLastRetry;
  // A shift by so many suffices for the longest wait, and cannot overflow.
  const Duration wait =
      std::min(kMappingFirstRetry * (1 << std::min(failures_ - 1, 10)), kMappingLastRetry);
  return held_ ? std::min(wait, held_->until - now) : wait;
}

awaitable<void> PortMapping::close() {
  co_await asio::this_coro::throw_if_cancelled(false);
  ending_ = true;
  if (mapping_) (void)co_await with_deadline<void>(clock_, kLastRequestTime, mapped_.wait());
  co_await tasks_.close();
  if (!held_) co_return;
  const Held held = *std::exchange(held_, std::nullopt);
  auto removed = co_await with_deadline<void>(clock_, kRemovalTime,
                                              gateways_[held.gateway]->unmap(internal_, held.port));
  if (!removed) {
    log::info("the router keeps the mapping of its port {} until its lease ends: {}",
              held.port.value(), removed.error().message());
  }
}

std::optional<codec::Multiaddr> PortMapping::external() const {
  if (!held_ || !is_useful(held_->address)) return std::nullopt;
  return to_multiaddr(held_->address, held_->port);
}

PortMappingStatus PortMapping::status() const {
  PortMappingStatus status;
  status.last_error = last_error_;
  if (!held_) return status;
  status.protocol = counters_[held_->gateway].protocol;
  status.address = held_->address;
  status.port = held_->port;
  status.lease_left = std::max(held_->until - clock_.now(), Duration{0});
  status.useful = is_useful(held_->address);
  return status;
}

}  // namespace oc::p2p
