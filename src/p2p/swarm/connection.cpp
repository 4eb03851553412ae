#include "p2p/swarm/connection.hpp"

#include "p2p/swarm/counted_stream.hpp"
#include "p2p/upgrade/multistream.hpp"

namespace oc::p2p {

PathKind path_kind(const codec::Multiaddr& remote) {
  if (remote.has(codec::Protocol::p2p_circuit)) return PathKind::circuit;
  const codec::AddressScope scope = remote.scope();
  const bool lan =
      scope == codec::AddressScope::private_use || scope == codec::AddressScope::link_local;
  return lan ? PathKind::lan : PathKind::direct;
}

bool preferred(const Connection::Facts& a, const Connection::Facts& b) {
  const PathKind kind_a = path_kind(a.remote_address), kind_b = path_kind(b.remote_address);
  if (kind_a != kind_b) return kind_a < kind_b;
  if (a.limited != b.limited) return b.limited;
  return a.id < b.id;
}

Connection::Connection(Facts facts, SecureChannel channel, ResourceLedger::ConnectionSlot slot,
                       Clock& clock, std::uint64_t hash_seed, Executor executor,
                       yamux::Connection::OnStream on_stream, yamux::Connection::OnSilent on_silent)
    : clock_(clock),
      facts_(std::move(facts)),
      remote_key_(std::move(channel.remote_key)),
      binding_(std::move(channel.binding)),
      security_(channel.security),
      slot_(std::move(slot)),
      muxer_(std::move(channel.stream),
             facts_.direction == Direction::outbound ? yamux::Role::client : yamux::Role::server,
             clock, hash_seed, std::move(on_stream), std::move(on_silent)),
      tasks_(std::move(executor)) {
  apply_limits();
  slot_.on_cut([this] { muxer_.abort(P2pErrc::connection_limit); });
}

void Connection::apply_limits() {
  muxer_.set_incoming_limit(slot_.limits().streams_in);
  slot_.bound(muxer_.receive_budget());
}

void Connection::close() {
  alive_ = false;
  if (!closing_since_) closing_since_ = clock_.now();
  muxer_.shut_down();
}

bool Connection::trust() {
  if (!slot_.trust()) {
    close();
    return false;
  }
  apply_limits();
  return true;
}

awaitable<Result<std::unique_ptr<net::Stream>>> Connection::open_stream(std::string protocol) {
  if (!alive()) co_return Errc::closed;
  auto slot = slot_.open_stream(Resource::stream_out);
  if (!slot) co_return P2pErrc::stream_limit;
  CO_TRY(auto opened, co_await muxer_.open_stream());
  CO_TRY(auto stream, co_await select_lazily(std::move(opened), std::move(protocol)));
  co_return with_slot(std::move(stream), *std::move(slot));
}

awaitable<Result<std::unique_ptr<net::Stream>>> Connection::open_agreed_stream(
    std::string protocol) {
  if (!alive()) co_return Errc::closed;
  auto slot = slot_.open_stream(Resource::stream_out);
  if (!slot) co_return P2pErrc::stream_limit;
  CO_TRY(auto stream, co_await muxer_.open_stream());
  CO_CHECK(co_await select_as_dialer(*stream, {&protocol, 1}));
  co_return with_slot(std::move(stream), *std::move(slot));
}

awaitable<error_code> Connection::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  const error_code why = co_await muxer_.run();
  alive_ = false;
  co_await tasks_.close();
  slot_.refused_streams(muxer_.counters().refused_streams);
  muxer_.receive_budget().move_into(nullptr);
  slot_ = {};
  co_return why;
}

}  // namespace oc::p2p
