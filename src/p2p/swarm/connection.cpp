#include "p2p/swarm/connection.hpp"

#include "p2p/upgrade/multistream.hpp"

namespace oc::p2p {

Connection::Connection(Facts facts, SecureChannel channel, Clock& clock, std::uint64_t hash_seed,
                       Executor executor, yamux::Connection::OnStream on_stream)
    : facts_(std::move(facts)),
      remote_key_(std::move(channel.remote_key)),
      binding_(std::move(channel.binding)),
      security_(channel.security),
      muxer_(std::move(channel.stream),
             facts_.direction == Direction::outbound ? yamux::Role::client : yamux::Role::server,
             clock, hash_seed, std::move(on_stream)),
      tasks_(std::move(executor)) {}

awaitable<Result<std::unique_ptr<net::Stream>>> Connection::open_stream(std::string protocol) {
  if (!alive_) co_return Errc::closed;
  CO_TRY(auto stream, co_await muxer_.open_stream());
  co_return co_await select_lazily(std::move(stream), std::move(protocol));
}

awaitable<error_code> Connection::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const error_code why = co_await muxer_.run();
  alive_ = false;
  co_await tasks_.close();
  co_return why;
}

}  // namespace oc::p2p
