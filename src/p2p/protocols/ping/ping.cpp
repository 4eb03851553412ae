#include "p2p/protocols/ping/ping.hpp"

#include "base/deadline.hpp"

namespace oc::p2p {
namespace {

using Payload = FixedBytes<kPingSize>;

awaitable<Result<Payload>> read_payload(net::Stream& stream) {
  Payload payload;
  CO_CHECK(co_await net::read_exactly(stream, payload));
  co_return payload;
}

awaitable<Result<Payload>> echo_once(net::Stream& stream, const Payload& sent) {
  CO_CHECK(co_await stream.write(sent));
  co_return co_await read_payload(stream);
}

}  // namespace

Ping::Ping(Swarm& swarm, Clock& clock, Random& random) : clock_(clock), random_(random) {
  swarm.handle(kPingId, [this](ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
    return answer(std::move(connection), std::move(stream));
  });
}

awaitable<void> Ping::answer(ConnectionPtr connection, std::unique_ptr<net::Stream> stream) {
  struct Slot {
    std::map<codec::PeerId, int>& table;
    codec::PeerId peer;
    int count;
    ~Slot() {
      if (--table[peer] == 0) table.erase(peer);
    }
  } slot{streams_, connection->peer(), ++streams_[connection->peer()]};
  if (slot.count > kMaxPingStreams) {
    stream->reset();
    co_return;
  }
  for (;;) {
    auto payload = co_await with_deadline<Payload>(clock_, kPingIdle, read_payload(*stream));
    if (!payload) {
      if (payload.error() == Errc::eof) (void)co_await stream->close_write();
      co_return;
    }
    if (auto done = co_await stream->write(*payload); !done) co_return;
  }
}

awaitable<Result<std::vector<Duration>>> Ping::measure(ConnectionPtr connection, int count) {
  CO_TRY(auto stream, co_await connection->open_stream(kPingId));
  std::vector<Duration> times;
  for (int i = 0; i < count; ++i) {
    Payload sent;
    random_.fill(sent);
    const TimePoint start = clock_.now();
    CO_TRY(const Payload echoed,
           co_await with_deadline<Payload>(clock_, kPingTimeout, echo_once(*stream, sent)));
    if (echoed != sent) co_return Errc::protocol_violation;
    times.push_back(clock_.now() - start);
  }
  (void)co_await stream->close_write();
  co_return times;
}

}  // namespace oc::p2p
