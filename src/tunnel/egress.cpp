#include "tunnel/egress.hpp"

#include <algorithm>

#include "base/deadline.hpp"
#include "base/log.hpp"
#include "net/preamble_stream.hpp"
#include "net/splice.hpp"

namespace oc::tunnel {
namespace {

using StreamPtr = std::unique_ptr<net::Stream>;

// After a probe that was asked for, the next one comes no sooner than this.
constexpr Duration kLeastProbePause = std::chrono::milliseconds(500);

}  // namespace

Egress::Egress(TunnelContext& context, Rule rule, Executor executor)
    : RunningRule(context, std::move(rule), executor) {
  for (const PeerTarget& at : rule_.targets) {
    Target& target = targets_.emplace_back();
    target.at = at;
    target.fault =
        Fault(FaultCode::not_probed, "node " + at.peer.to_string() + " was not asked yet");
  }
}

Outcome<bool> Egress::start() {
  auto listening = listen();
  if (listening) start_probing();
  return listening;
}

void Egress::keep_starting() {
  if (!listen()) tasks_.spawn("egress listen", retry_listening());
  start_probing();
}

void Egress::start_probing() {
  for (std::size_t i = 0; i < targets_.size(); ++i) tasks_.spawn("egress probe", keep_probing(i));
}

void Egress::look_again() {
  for (Target& target : targets_) target.look.set();
}

Outcome<bool> Egress::listen() {
  const net::TcpAddress at(asio::ip::make_address(rule_.bind), rule_.port.value());
  auto listener = net::TcpListener::open(tasks_.executor(), at);
  if (!listener) {
    listen_fault_ = Fault(FaultCode::port_in_use, "cannot listen on " + net::to_text(at) + ": " +
                                                      listener.error().message());
    return *listen_fault_;
  }
  listen_fault_.reset();
  listener_.emplace(*std::move(listener));
  tasks_.spawn("egress accept", accept_loop());
  return true;
}

awaitable<void> Egress::retry_listening() {
  for (;;) {
    if (auto slept = co_await context_.clock.sleep_for(kListenRetry); !slept) co_return;
    if (listen()) co_return;
  }
}

awaitable<void> Egress::close() {
  if (listener_) listener_->close();
  return tasks_.close();
}

std::optional<Fault> Egress::fault_now(const Target& target) const {
  const overlay::Members& members = context_.overlay.membership();
  const overlay::Network* network = members.find(rule_.network);
  const bool connected =
      network != nullptr && members.connection_to(target.at.peer, network->id) != nullptr;
  if (connected || target.fault) return target.fault;
  return Fault(FaultCode::peer_unreachable,
               "node " + target.at.peer.to_string() + " is not connected now");
}

RuleState Egress::state() const {
  if (listen_fault_) return RuleState::down;
  const auto good = std::ranges::count_if(
      targets_, [this](const Target& target) { return !fault_now(target).has_value(); });
  if (good == 0) return RuleState::down;
  return good == static_cast<std::ptrdiff_t>(targets_.size()) ? RuleState::up : RuleState::degraded;
}

std::optional<Fault> Egress::reason() const {
  if (listen_fault_) return listen_fault_;
  for (const Target& target : targets_) {
    if (auto fault = fault_now(target)) return fault;
  }
  return std::nullopt;
}

awaitable<void> Egress::accept_loop() {
  for (;;) {
    auto visitor = co_await listener_->accept();
    if (!visitor) co_return;
    ++counters_.connections;
    if (context_.open_tunnels >= kMaxTunnels) {
      ++counters_.failures;
      visitor->stream->reset();
      continue;
    }
    tasks_.spawn("egress tunnel", carry(*std::move(visitor)));
  }
}

awaitable<void> Egress::carry(net::TcpListener::Accepted visitor) {
  OpenTunnel open(*this);
  auto tunnel = co_await open_tunnel(net::to_text(visitor.remote));
  if (!tunnel) {
    ++counters_.failures;
    visitor.stream->reset();
    co_return;
  }
  const net::SpliceCounters bytes{counters_.bytes_in, counters_.bytes_out};
  (void)co_await net::splice(*visitor.stream, **tunnel, bytes, context_.clock);
}

std::vector<std::size_t> Egress::targets_in_turn() {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (!fault_now(targets_[i])) order.push_back(i);
  }
  const std::size_t good = order.size();
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (fault_now(targets_[i])) order.push_back(i);
  }
  const auto among = static_cast<std::ptrdiff_t>(good != 0 ? good : order.size());
  const auto first = static_cast<std::ptrdiff_t>(next_target_++) % among;
  std::rotate(order.begin(), order.begin() + first, order.begin() + among);
  return order;
}

awaitable<Outcome<StreamPtr>> Egress::open_tunnel(std::string source) {
  const TimePoint until = context_.clock.now() + kTunnelTimeout;
  Outcome<StreamPtr> tunnel = Fault(FaultCode::peer_timed_out, "no target answered in time");
  for (const std::size_t index : targets_in_turn()) {
    const Duration left = until - context_.clock.now();
    if (left <= Duration{0}) break;
    tunnel = co_await open_to(index, source, left);
    if (tunnel) break;
  }
  co_return tunnel;
}

awaitable<Outcome<StreamPtr>> Egress::open_to(std::size_t index, std::string source,
                                              Duration limit) {
  const PeerTarget target = targets_[index].at;
  const TimePoint start = context_.clock.now();
  TunnelHeader header;
  header.target_port = target.port;
  header.origin_port = rule_.port;
  header.source_address = std::move(source);
  auto stream =
      co_await with_deadline<StreamPtr>(context_.clock, limit, send_to(target, std::move(header)));
  if (!stream) {
    failed(index, fault_of(target, stream.error()));
    co_return *targets_[index].fault;
  }
  co_return net::with_preamble(*std::move(stream), [this, index, start](net::Stream& tunnel) {
    return take_answer(tunnel, index, start);
  });
}

awaitable<Result<StreamPtr>> Egress::send_to(PeerTarget target, TunnelHeader header) {
  const overlay::Network* network = context_.overlay.membership().find(rule_.network);
  if (network == nullptr) co_return Errc::not_found;
  header.network = network->id;
  CO_TRY(StreamPtr stream,
         co_await context_.overlay.open_stream(network->id, target.peer, kTunnelProtocol));
  CO_CHECK(co_await send_header(*stream, header));
  co_return stream;
}

awaitable<Result<void>> Egress::take_answer(net::Stream& tunnel, std::size_t index,
                                            TimePoint start) {
  auto answer = co_await with_deadline<std::optional<Fault>>(context_.clock, kTunnelTimeout,
                                                             receive_answer(tunnel));
  if (answer && !*answer) {
    targets_[index].fault.reset();
    targets_[index].checked = context_.clock.now();
    connected_in(context_.clock.now() - start);
    co_return success();
  }
  ++counters_.failures;
  failed(index, answer ? **answer : fault_of(targets_[index].at, answer.error()));
  co_return Errc::permission_denied;
}

Fault Egress::fault_of(const PeerTarget& target, error_code error) const {
  const std::string node = "node " + target.peer.to_string();
  if (error == Errc::not_found) {
    return {FaultCode::peer_unreachable, node + " is not connected and has no known address"};
  }
  if (error == Errc::timed_out)
    return {FaultCode::peer_timed_out, node + " did not answer in time"};
  if (error.category() == overlay::handshake_category()) {
    return {overlay::handshake_fault(error), node + ": " + error.message()};
  }
  if (error == Errc::reset || error == Errc::eof || error == Errc::truncated) {
    return {FaultCode::link_lost, "the connection to " + node + " broke"};
  }
  return {FaultCode::peer_unreachable, node + " cannot be reached: " + error.message()};
}

void Egress::failed(std::size_t index, Fault fault) {
  log::warn("rule {}: {}", rule_.id.value(), fault.to_string());
  targets_[index].fault = std::move(fault);
  targets_[index].checked = context_.clock.now();
  targets_[index].look.set();
}

awaitable<std::optional<Fault>> Egress::probe(PeerTarget target) {
  TunnelHeader header;
  header.target_port = target.port;
  header.probe = true;
  auto stream = co_await with_deadline<StreamPtr>(context_.clock, kTunnelTimeout,
                                                  send_to(target, std::move(header)));
  if (!stream) co_return fault_of(target, stream.error());
  (void)co_await (*stream)->close_write();
  auto answer = co_await with_deadline<std::optional<Fault>>(context_.clock, kTunnelTimeout,
                                                             receive_answer(**stream));
  if (!answer) co_return fault_of(target, answer.error());
  co_return *answer;
}

awaitable<void> Egress::keep_probing(std::size_t index) {
  Target& target = targets_[index];
  for (;;) {
    auto fault = co_await probe(target.at);
    target.fault = std::move(fault);
    target.checked = context_.clock.now();
    Duration pause = target.fault ? kProbeAfterFailure : kProbeInterval;
    bool asked = false;
    do {
      auto looked = co_await with_deadline<void>(context_.clock, pause, target.look.wait());
      if (!looked && looked.error() != Errc::timed_out) co_return;
      asked = looked.has_value();
      // A visitor who came through meanwhile has told as much as a probe would.
      pause = kProbeInterval - (context_.clock.now() - target.checked);
    } while (!asked && !target.fault && pause > Duration{0});
    if (asked) {
      if (auto slept = co_await context_.clock.sleep_for(kLeastProbePause); !slept) co_return;
    }
  }
}

}  // namespace oc::tunnel
