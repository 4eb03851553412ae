#include "p2p/upgrade/yamux.hpp"

#include <algorithm>
#include <deque>

#include "base/assert.hpp"
#include "base/deadline.hpp"

namespace oc::p2p::yamux {
namespace {

constexpr Duration kTick = std::chrono::seconds(1);
// After our end the peer has this long to end as well.
constexpr Duration kPartingTime = std::chrono::seconds(1);
// So many waiting writers are woken when the output queue has room again; the rest follow in turn.
constexpr std::size_t kWakeAtOnce = 8;

class YamuxStream;

}  // namespace

struct Core {
  Core(std::unique_ptr<net::Stream> c, Role role, Clock& k, std::uint64_t seed,
       Connection::OnStream on, Connection::OnSilent silent)
      : channel(std::move(c)),
        clock(k),
        session(role, k.now(), seed),
        on_stream(std::move(on)),
        on_silent(std::move(silent)) {}

  std::unique_ptr<net::Stream> channel;
  Clock& clock;
  Session session;
  Connection::OnStream on_stream;
  Connection::OnSilent on_silent;
  Event wake_writer;
  std::deque<Event*> room_waiters;
  std::deque<Event*> open_waiters;
  std::size_t writes = 0;  // begun and not ended
  bool shutting_down = false;
  TimePoint last_writes_until{};  // when shutting down
  Event ended;
  error_code why;

  // The writer also tells the events.
  void kick() {
    if (session.has_output() || session.has_events()) wake_writer.set();
  }
  void end(error_code reason) {
    if (!why) why = reason;
    ended.set();
  }
};

namespace {

// Puts an event on a queue of waiters for the time of a wait.
class Queued {
 public:
  Queued(std::deque<Event*>& queue, Event& event) : queue_(queue), event_(event) {
    queue_.push_back(&event_);
  }
  ~Queued() { std::erase(queue_, &event_); }
  Queued(const Queued&) = delete;
  Queued& operator=(const Queued&) = delete;

 private:
  std::deque<Event*>& queue_;
  Event& event_;
};

void wake(std::deque<Event*>& queue, std::size_t most) {
  for (; most != 0 && !queue.empty(); --most) {
    queue.front()->set();
    queue.pop_front();
  }
}

// A write under way, which a goodbye waits for.
class Writing {
 public:
  explicit Writing(Core& core) : core_(core) { ++core_.writes; }
  ~Writing() {
    if (--core_.writes == 0 && core_.shutting_down) core_.wake_writer.set();
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  Core& core_;
};

class YamuxStream final : public net::Stream {
 public:
  YamuxStream(std::shared_ptr<Core> core, StreamState& state)
      : core_(std::move(core)), state_(&state) {
    state_->user = this;
  }
  ~YamuxStream() override {
    core_->session.release(*state_, core_->clock.now());
    core_->kick();
  }

  awaitable<Result<void>> readable() override {
    while (!state_->readable()) {
      core_->session.flush_syn(*state_);
      core_->kick();
      CO_CHECK(co_await readable_.wait());
    }
    co_return success();
  }

  awaitable<Result<std::size_t>> read_some(MutableBytes into) override {
    CO_CHECK(co_await readable());
    if (state_->reset) co_return reset_error();
    const std::size_t n = core_->session.read_into(*state_, into, core_->clock.now());
    if (n == 0) co_return Errc::eof;
    core_->kick();
    co_return n;
  }

  awaitable<Result<BufferChain>> read_chain() override {
    CO_CHECK(co_await readable());
    if (state_->reset) co_return reset_error();
    BufferChain chain = core_->session.read(*state_, core_->clock.now());
    if (chain.empty()) co_return Errc::eof;
    core_->kick();
    co_return chain;
  }

  awaitable<Result<void>> write(BytesView bytes) override {
    CO_CHECK(may_begin());
    const Writing writing(*core_);
    while (!bytes.empty()) {
      const std::size_t n = std::min(bytes.size(), kMaxPayload);
      CO_CHECK(co_await write_buffer(Buffer::copy_of(bytes.first(n))));
      bytes = bytes.subspan(n);
    }
    co_return success();
  }

  awaitable<Result<void>> write_chain(BufferChain chain) override {
    CO_CHECK(may_begin());
    const Writing writing(*core_);
    for (Buffer& buffer : chain) CO_CHECK(co_await write_buffer(std::move(buffer)));
    co_return success();
  }

  awaitable<Result<void>> close_write() override {
    if (state_->reset) co_return reset_error();
    if (core_->session.dead()) co_return Errc::reset;
    if (core_->session.leaving()) co_return Errc::closed;
    core_->session.close_write(*state_);
    core_->kick();
    co_return success();
  }

  void reset() override {
    reset_here_ = true;
    core_->session.reset(*state_);
    readable_.set();
    writable_.set();
    core_->kick();
  }

  void on_readable() { readable_.set(); }
  void on_writable() { writable_.set(); }

 private:
  Result<void> may_begin() const {
    if (state_->reset) return reset_error();
    if (core_->session.dead()) return Errc::reset;
    if (core_->shutting_down) return Errc::closed;
    return success();
  }

  awaitable<Result<void>> write_buffer(Buffer buffer) {
    Session& session = core_->session;
    while (!buffer.empty()) {
      if (state_->reset) co_return reset_error();
      if (session.dead()) co_return Errc::reset;
      if (state_->fin_sent || session.leaving()) co_return Errc::closed;
      const std::size_t size = std::min(buffer.size(), kMaxPayload);
      // However small the rest of a window is, it is used up: go-yamux 5.1 lets a peer have less
      // credit than it keeps books of, and may wait for the last byte before it grants more.
      if (state_->send_window == 0) {
        CO_CHECK(co_await writable_.wait());
        continue;
      }
      if (!session.output_has_room()) {
        session.want_output_room();
        Queued queued(core_->room_waiters, writable_);
        CO_CHECK(co_await writable_.wait());
        continue;
      }
      const std::size_t n = std::min<std::size_t>(size, state_->send_window);
      Buffer piece =
          n == buffer.size() ? std::move(buffer) : Buffer::copy_of(buffer.bytes().first(n));
      if (!buffer.empty()) buffer.trim_front(n);
      session.send(*state_, std::move(piece));
      core_->wake_writer.set();
    }
    co_return success();
  }

  error_code reset_error() const { return reset_here_ ? Errc::closed : Errc::reset; }

  std::shared_ptr<Core> core_;  // shared with the connection and the other streams
  StreamState* state_;
  Event readable_;
  Event writable_;
  bool reset_here_ = false;
};

void handle_events(const std::shared_ptr<Core>& core) {
  while (auto event = core->session.next_event()) {
    auto* stream =
        event->stream == nullptr ? nullptr : static_cast<YamuxStream*>(event->stream->user);
    switch (event->kind) {
      case EventKind::incoming:
        core->on_stream(std::make_unique<YamuxStream>(core, *event->stream));
        break;
      case EventKind::readable:
        if (stream != nullptr) stream->on_readable();
        break;
      case EventKind::writable:
        if (stream != nullptr) stream->on_writable();
        break;
      case EventKind::room:
        wake(core->room_waiters, kWakeAtOnce);
        if (!core->room_waiters.empty()) core->session.want_output_room();
        break;
      case EventKind::openable: wake(core->open_waiters, core->open_waiters.size()); break;
      case EventKind::silent: core->on_silent(); break;
      case EventKind::dead:
        wake(core->room_waiters, core->room_waiters.size());
        wake(core->open_waiters, core->open_waiters.size());
        break;
    }
  }
}

awaitable<void> read_loop(std::shared_ptr<Core> core) {
  for (;;) {
    auto chain = co_await core->channel->read_chain();
    if (!chain) {
      core->end(chain.error());
      co_return;
    }
    const TimePoint now = core->clock.now();
    for (Buffer& bytes : *chain) {
      auto received = core->session.receive(std::move(bytes), now);
      handle_events(core);
      core->kick();
      if (!received) {
        // Let the writer send the GoAway before the channel goes.
        core->shutting_down = true;
        core->why = received.error();
        core->wake_writer.set();
        co_return;
      }
    }
    if (core->session.peer_going_away() && core->session.stream_count() == 0) {
      core->end(P2pErrc::go_away);
      co_return;
    }
  }
}

// Says goodbye once all writes have ended, or had their time. Errors: those of the wait.
awaitable<Result<void>> part(std::shared_ptr<Core> core) {
  const Duration left = core->last_writes_until - core->clock.now();
  if (core->writes == 0 || left <= Duration::zero()) {
    core->session.go_away();
    co_return success();
  }
  auto woken = co_await with_deadline<void>(core->clock, left, core->wake_writer.wait());
  if (!woken && woken.error() == Errc::timed_out) co_return success();
  co_return woken;
}

awaitable<void> write_loop(std::shared_ptr<Core> core) {
  for (;;) {
    BufferChain chain = core->session.take_output();
    handle_events(core);
    if (chain.empty()) {
      // Those woken before may have given up; nobody else would wake the rest.
      wake(core->room_waiters, core->room_waiters.size());
      if (core->shutting_down && !core->session.dead() && !core->session.leaving()) {
        if (auto done = co_await part(core); !done) co_return;
        continue;
      }
      if (core->shutting_down) {
        (void)co_await core->channel->close_write();
        // The peer ends its half, too, when it has read all: to be first would lose what is under
        // way.
        if (!core->session.dead()) (void)co_await core->clock.sleep_for(kPartingTime);
        core->end(Errc::closed);
        co_return;
      }
      if (auto done = co_await core->wake_writer.wait(); !done) co_return;
      continue;
    }
    auto written = co_await core->channel->write_chain(std::move(chain));
    if (!written) {
      core->end(written.error());
      co_return;
    }
  }
}

awaitable<void> tick_loop(std::shared_ptr<Core> core) {
  for (;;) {
    auto alive = core->session.tick(core->clock.now());
    // Not by the writer, who may be stuck in a write to a peer that is gone.
    handle_events(core);
    core->kick();
    if (!alive) {
      core->end(alive.error());
      co_return;
    }
    if (auto done = co_await core->clock.sleep_for(kTick); !done) co_return;
  }
}

}  // namespace

Connection::Connection(std::unique_ptr<net::Stream> channel, Role role, Clock& clock,
                       std::uint64_t hash_seed, OnStream on_stream, OnSilent on_silent)
    : core_(std::make_shared<Core>(std::move(channel), role, clock, hash_seed, std::move(on_stream),
                                   std::move(on_silent))) {}

Connection::~Connection() {
  core_->session.die(Errc::closed);
  core_->session.receive_budget().move_into(nullptr);
  core_->on_stream = nullptr;
  core_->on_silent = [] {};
}

awaitable<error_code> Connection::run() {
  auto core = core_;
  // A cancelled task, too, must see its own tasks end.
  co_await asio::this_coro::throw_if_cancelled(false);
  TaskScope tasks(co_await asio::this_coro::executor);
  tasks.spawn("yamux read", read_loop(core));
  tasks.spawn("yamux write", write_loop(core));
  tasks.spawn("yamux tick", tick_loop(core));
  if (auto done = co_await was_cancelled(); !done) (void)co_await core->ended.wait();
  if (!core->why) core->why = Errc::cancelled;
  core->session.die(core->why);
  handle_events(core);
  core->channel->reset();
  co_await tasks.close();
  core->on_stream = nullptr;
  core->on_silent = [] {};
  co_return core->why;
}

awaitable<Result<std::unique_ptr<net::Stream>>> Connection::open_stream() {
  auto core = core_;
  for (;;) {
    if (core->shutting_down && !core->session.dead()) co_return Errc::closed;
    auto opened = core->session.open();
    if (opened) co_return std::make_unique<YamuxStream>(core, **opened);
    if (opened.error() != Errc::limit_exceeded) co_return opened.error();
    Event turn;
    Queued queued(core->open_waiters, turn);
    CO_CHECK(co_await turn.wait());
  }
}

void Connection::shut_down() {
  if (core_->shutting_down) return;
  core_->shutting_down = true;
  core_->last_writes_until = core_->clock.now() + kLastWrites;
  wake(core_->open_waiters, core_->open_waiters.size());
  if (!core_->why) core_->why = Errc::closed;
  core_->wake_writer.set();
}

void Connection::check() {
  core_->session.check(core_->clock.now());
  core_->kick();
}

void Connection::abort(error_code why) { core_->end(why); }

void Connection::set_incoming_limit(std::size_t limit) { core_->session.set_incoming_limit(limit); }
ReceiveBudget& Connection::receive_budget() { return core_->session.receive_budget(); }
bool Connection::peer_going_away() const { return core_->session.peer_going_away(); }
std::optional<Duration> Connection::round_trip() const { return core_->session.round_trip(); }
std::size_t Connection::stream_count() const { return core_->session.stream_count(); }
const SessionCounters& Connection::counters() const { return core_->session.counters(); }

}  // namespace oc::p2p::yamux
