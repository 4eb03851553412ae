#include "service.hpp"

#include <nlohmann/json.hpp>

#include "p2p/protocols/perf/perf.hpp"

namespace oc::interop {
namespace {

// The longest name that multistream-select takes.
constexpr std::size_t kLongestName = 1024;

}  // namespace

awaitable<Result<void>> echo(net::Stream& stream) {
  for (;;) {
    auto chain = co_await stream.read_chain();
    if (!chain && chain.error() == Errc::eof) co_return co_await stream.close_write();
    if (!chain) co_return chain.error();
    CO_CHECK(co_await stream.write_chain(*std::move(chain)));
  }
}

Service::Service(Peer& peer) : peer_(peer) {
  p2p::serve_perf(peer.swarm());
  serve(served("echo"), &Service::echo);
  serve(served("digest"), &Service::digest);
  serve(served("reset"), &Service::reset);
  serve(served("fate"), &Service::fate);
  serve(served("last-fate"), &Service::last_fate);
  serve(served("push"), &Service::push);
  serve(served("known"), &Service::known);
}

void Service::serve(const std::string& protocol, Follow follow) {
  peer_.swarm().handle(protocol,
                       [this, follow](p2p::ConnectionPtr connection, StreamPtr stream) {
                         return run(follow, std::move(connection), std::move(stream));
                       },
                       {.all = p2p::kUnlimited, .of_peer = p2p::kUnlimited});
}

awaitable<void> Service::run(Follow follow, p2p::ConnectionPtr connection, StreamPtr stream) {
  auto followed = co_await (this->*follow)(std::move(connection), *stream);
  if (!followed) stream->reset();
}

awaitable<Result<void>> Service::echo(p2p::ConnectionPtr, net::Stream& stream) {
  return interop::echo(stream);
}

awaitable<Result<void>> Service::digest(p2p::ConnectionPtr, net::Stream& stream) {
  Digest digest;
  CO_CHECK(co_await read_digest(stream, digest));
  const FixedBytes<32> sum = digest.finish();
  CO_CHECK(co_await stream.write(sum));
  co_return co_await stream.close_write();
}

awaitable<Result<void>> Service::reset(p2p::ConnectionPtr, net::Stream& stream) {
  FixedBytes<1> byte;
  CO_CHECK(co_await net::read_exactly(stream, byte));
  co_return Errc::closed;  // as the protocol has it
}

awaitable<Result<void>> Service::fate(p2p::ConnectionPtr, net::Stream& stream) {
  Digest ignored;
  auto read = co_await read_digest(stream, ignored);
  if (read) {
    last_fate_ = "eof";
    co_return co_await stream.close_write();
  }
  if (read.error() == Errc::reset) last_fate_ = "reset";
  co_return read.error();
}

awaitable<Result<void>> Service::last_fate(p2p::ConnectionPtr, net::Stream& stream) {
  CO_CHECK(co_await stream.write(as_bytes(last_fate_)));
  co_return co_await stream.close_write();
}

awaitable<Result<void>> Service::push(p2p::ConnectionPtr, net::Stream& stream) {
  CO_TRY(std::string name, co_await read_rest(stream, kLongestName));
  serve(name, &Service::echo);
  co_return co_await stream.close_write();
}

awaitable<Result<void>> Service::known(p2p::ConnectionPtr connection, net::Stream& stream) {
  nlohmann::json protocols = nlohmann::json::array();
  if (connection->info()) protocols = connection->info()->protocols;
  // A peer's protocols need not be UTF-8.
  const std::string text = protocols.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  CO_CHECK(co_await stream.write(as_bytes(text)));
  co_return co_await stream.close_write();
}

}  // namespace oc::interop
