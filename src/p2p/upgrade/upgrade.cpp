#include "p2p/upgrade/upgrade.hpp"

#include <algorithm>
#include <array>

#include "p2p/upgrade/multistream.hpp"

namespace oc::p2p {
namespace {

const std::array<std::string, 1> kMuxers{kYamuxId};

// The first of our protocols that the peer speaks, by the dialer's order.
awaitable<Result<std::string>> select(net::Stream& stream, bool initiator,
                                      std::span<const std::string> offers) {
  if (initiator) co_return co_await select_as_dialer(stream, offers);
  const auto taken = [offers](std::string_view protocol) {
    return std::ranges::find(offers, protocol) != offers.end();
  };
  co_return co_await select_as_listener(stream, taken);
}

}  // namespace

Upgrader::Upgrader(const crypto::PrivateKey& identity, Clock& clock, Random& random,
                   UpgradeOptions options)
    : options_(std::move(options)), noise_(identity, random) {
  if (std::ranges::find(options_.security, kTlsId) != options_.security.end()) {
    tls_ = std::make_unique<TlsContext>(identity, clock);
  }
}

awaitable<Result<SecureChannel>> Upgrader::secure(std::unique_ptr<net::Stream> raw, bool initiator,
                                                  std::optional<codec::PeerId> expected) {
  CO_TRY(const std::string protocol, co_await select(*raw, initiator, options_.security));
  SecurityOptions options{std::move(expected), kMuxers};
  if (protocol == kTlsId) {
    co_return co_await tls_->secure(std::move(raw), initiator, std::move(options));
  }
  co_return co_await noise_.secure(std::move(raw), initiator, std::move(options));
}

awaitable<Result<SecureChannel>> Upgrader::upgrade(std::unique_ptr<net::Stream> raw, bool initiator,
                                                   std::optional<codec::PeerId> expected) {
  CO_TRY(SecureChannel channel, co_await secure(std::move(raw), initiator, std::move(expected)));
  if (!channel.muxer) {
    CO_TRY(channel.muxer, co_await select(*channel.stream, initiator, kMuxers));
  }
  co_return channel;
}

}  // namespace oc::p2p
