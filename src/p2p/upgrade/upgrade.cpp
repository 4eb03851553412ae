#include "p2p/upgrade/upgrade.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "p2p/upgrade/multistream.hpp"

namespace oc::p2p {

awaitable<Result<SecureChannel>> upgrade(std::unique_ptr<net::Stream> raw, bool initiator,
                                         const crypto::PrivateKey& identity, Random& random,
                                         std::optional<codec::PeerId> expected,
                                         UpgradeOptions options) {
  const std::array<std::string, 1> muxers{kYamuxId};
  if (initiator) {
    CO_CHECK(co_await select_as_dialer(*raw, options.security));
  } else {
    const auto taken = [&options](std::string_view protocol) {
      return std::ranges::find(options.security, protocol) != options.security.end();
    };
    CO_CHECK(co_await select_as_listener(*raw, taken));
  }
  NoiseOptions noise{std::move(expected), muxers};
  CO_TRY(SecureChannel channel,
         co_await secure_noise(std::move(raw), initiator, identity, random, std::move(noise)));
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
