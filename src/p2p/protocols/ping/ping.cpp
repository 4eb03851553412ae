#include "p2p/protocols/ping/ping.hpp"

#include <utility>

#include "base/assert.hpp"
#include "base/deadline.hpp"

namespace oc::p2p {
namespace {

using Payload = FixedBytes<kPingSize>;

awaitable<Result<void>> echo_next(net::Stream& stream) {
  Payload payload;
  CO_CHECK(co_await net::read_exactly(stream, payload));
  co_return co_await stream.write(payload);
}

awaitable<Result<Payload>> send_one(net::Stream& stream, const Payload& sent) {
  CO_CHECK(co_await stream.write(sent));
  Payload echoed;
  CO_CHECK(co_await net::read_exactly(stream, echoed));
  co_return echoed;
}

}  // namespace

// The turn to ping a peer, for as long as it lives.
class Ping::Turn {
 public:
  // Somebody has it: await this, and look again.
  static awaitable<Result<void>> wait(Waiters& waiters, codec::PeerId peer) {
    Event free;
    struct Waiting {
      Waiters& waiters;
      const codec::PeerId& peer;
      Event* event;
      ~Waiting() {
        auto found = waiters.find(peer);
        if (found != waiters.end()) std::erase(found->second, event);
      }
    } waiting{waiters, peer, &free};
    waiters.at(peer).push_back(&free);
    co_return co_await free.wait();
  }

  Turn(Waiters& waiters, codec::PeerId peer) : waiters_(waiters), peer_(std::move(peer)) {
    ASSERT(waiters_.try_emplace(peer_).second);
  }
  ~Turn() {
    const auto ended = waiters_.extract(peer_);
    for (Event* waiter : ended.mapped()) waiter->set();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Waiters& waiters_;
  codec::PeerId peer_;
};

Ping::Ping(Swarm& swarm, Clock& clock, Random& random) : clock_(clock), random_(random) {
  swarm.handle(
      kPingId,
      [this](ConnectionPtr, std::unique_ptr<net::Stream> stream) {
        return answer(std::move(stream));
      },
      kPingLimits);
}

awaitable<void> Ping::answer(std::unique_ptr<net::Stream> stream) {
  for (;;) {
    auto echoed = co_await with_deadline<void>(clock_, kPingIdle, echo_next(*stream));
    if (echoed) continue;
    if (echoed.error() == Errc::eof) (void)co_await stream->close_write();
    co_return;
  }
}

awaitable<Result<std::vector<Duration>>> Ping::measure(ConnectionPtr connection, int count) {
  const codec::PeerId peer = connection->peer();
  while (pinging_.contains(peer)) CO_CHECK(co_await Turn::wait(pinging_, peer));
  const Turn turn(pinging_, peer);
  CO_TRY(auto stream, co_await connection->open_stream(kPingId));
  std::vector<Duration> times;
  for (int i = 0; i < count; ++i) {
    Payload sent;
    random_.fill(sent);
    const TimePoint start = clock_.now();
    CO_TRY(const Payload echoed,
           co_await with_deadline<Payload>(clock_, kPingTimeout, send_one(*stream, sent)));
    if (echoed != sent) co_return Errc::protocol_violation;
    times.push_back(clock_.now() - start);
  }
  (void)co_await stream->close_write();
  co_return times;
}

}  // namespace oc::p2p
