#include "p2p/upgrade/upgrade.hpp"

#include <array>
#include <string>

#include "p2p/upgrade/multistream.hpp"
#include "p2p/upgrade/noise.hpp"

namespace oc::p2p {

awaitable<Result<SecureChannel>> upgrade(std::unique_ptr<net::Stream> raw, bool initiator,
                                         const crypto::PrivateKey& identity, Random& random,
                                         std::optional<codec::PeerId> expected) {
  const std::array<std::string, 1> security{kNoiseId};
  const std::array<std::string, 1> muxers{kYamuxId};
  if (initiator) {
    CO_CHECK(co_await select_as_dialer(*raw, security));
  } else {
    CO_CHECK(co_await select_as_listener(*raw, [](std::string_view p) { return p == kNoiseId; }));
  }
  NoiseOptions options{std::move(expected), muxers};
  CO_TRY(SecureChannel channel,
         co_await secure_noise(std::move(raw), initiator, identity, random, std::move(options)));
  if (channel.muxer) co_return channel;
  if (initiator) {
    CO_TRY(channel.muxer, co_await select_as_dialer(*channel.stream, muxers));
  } else {
    const auto supports = [](std::string_view p) { return p == kYamuxId; };
    CO_TRY(channel.muxer, co_await select_as_listener(*channel.stream, supports));
  }
  co_return channel;
}

}  // namespace oc::p2p
