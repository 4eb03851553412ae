#include "tunnel/ingress.hpp"

#include "base/deadline.hpp"
#include "net/listening.hpp"
#include "net/splice.hpp"
#include "net/tcp.hpp"

namespace oc::tunnel {
namespace {

using StreamPtr = std::unique_ptr<net::Stream>;

awaitable<Result<StreamPtr>> connect_to(net::Resolver& resolver, LocalTarget target) {
  if (const auto* socket = std::get_if<UnixTarget>(&target)) {
    CO_TRY(StreamPtr stream, co_await net::unix_connect(socket->path));
    co_return stream;
  }
  const auto& host = std::get<HostTarget>(target);
  CO_TRY(const auto addresses, co_await resolver.addresses_of(host.host, net::AddressFamily::any));
  error_code last = Errc::not_found;
  for (const asio::ip::address& address : addresses) {
    const net::TcpAddress at(address, host.port.value());
    auto stream = co_await net::tcp_connect(at);
    if (stream) co_return StreamPtr(*std::move(stream));
    last = stream.error();
  }
  co_return last;
}

Fault fault_of(error_code error, const std::string& where) {
  if (error == Errc::timed_out)
    return {FaultCode::target_timed_out, where + " did not answer in time"};
  if (error == boost::system::errc::connection_refused) {
    return {FaultCode::target_refused, "nobody listens on " + where};
  }
  return {FaultCode::target_refused, "cannot connect to " + where + ": " + error.message()};
}

}  // namespace

Ingress::Ingress(TunnelContext& context, Rule rule, Executor executor)
    : RunningRule(context, std::move(rule), executor),
      fault_(
          Fault(FaultCode::not_probed, "the target " + to_text(rule_.to) + " was not tried yet")) {}

Outcome<bool> Ingress::start() {
  tasks_.spawn("ingress probe", keep_probing());
  return true;
}

bool Ingress::admits(const codec::PeerId& peer, const overlay::NetworkName& network,
                     const TunnelHeader& header) const {
  return rule_.network == network && rule_.port == header.target_port &&
         (!rule_.from || *rule_.from == peer);
}

void Ingress::serve(StreamPtr stream, TunnelHeader header) {
  tasks_.spawn("ingress tunnel", carry(std::move(stream), std::move(header)));
}

awaitable<Outcome<StreamPtr>> Ingress::connect() {
  auto stream = co_await with_deadline<StreamPtr>(context_.clock, kTargetTimeout,
                                                  connect_to(context_.resolver, rule_.to));
  if (!stream) {
    fault_ = fault_of(stream.error(), to_text(rule_.to));
    look_.set();
    co_return *fault_;
  }
  fault_.reset();
  co_return *std::move(stream);
}

awaitable<std::optional<Fault>> Ingress::probe() {
  // A listener of this machine is seen without disturbing it; anything else has to be connected to.
  if (const auto* host = std::get_if<HostTarget>(&rule_.to)) {
    boost::system::error_code not_literal;
    const auto ip = asio::ip::make_address(host->host, not_literal);
    const net::TcpAddress at(ip, host->port.value());
    const auto listening = !not_literal && ip.is_loopback() ? net::is_listening(at) : std::nullopt;
    if (listening) {
      if (*listening) co_return std::nullopt;
      co_return Fault(FaultCode::target_refused, "nobody listens on " + to_text(rule_.to));
    }
  }
  auto stream = co_await with_deadline<StreamPtr>(context_.clock, kTargetTimeout,
                                                  connect_to(context_.resolver, rule_.to));
  if (stream) co_return std::nullopt;
  co_return fault_of(stream.error(), to_text(rule_.to));
}

awaitable<void> Ingress::keep_probing() {
  for (;;) {
    fault_ = co_await probe();
    const Duration pause = fault_ ? kProbeAfterFailure : kProbeInterval;
    auto looked = co_await with_deadline<void>(context_.clock, pause, look_.wait());
    if (!looked && looked.error() != Errc::timed_out) co_return;
    // Not more often than this, however many tunnels fail meanwhile.
    if (looked) {
      if (auto slept = co_await context_.clock.sleep_for(std::chrono::milliseconds(500)); !slept)
        co_return;
    }
  }
}

awaitable<void> Ingress::carry(StreamPtr stream, TunnelHeader header) {
  if (header.probe) {
    fault_ = co_await probe();
    if (auto done = co_await send_answer(*stream, fault_); done)
      (void)co_await stream->close_write();
    co_return;
  }
  ++counters_.connections;
  if (context_.open_tunnels >= kMaxTunnels) {
    ++counters_.failures;
    const Fault full(FaultCode::tunnel_limit, "the node carries its most tunnels already");
    if (auto done = co_await send_answer(*stream, full); done) (void)co_await stream->close_write();
    co_return;
  }
  OpenTunnel open(*this);
  const TimePoint start = context_.clock.now();
  auto service = co_await connect();
  if (!service) {
    ++counters_.failures;
    if (auto done = co_await send_answer(*stream, service.error()); done)
      (void)co_await stream->close_write();
    co_return;
  }
  connected_in(context_.clock.now() - start);
  if (auto done = co_await send_answer(*stream, std::nullopt); !done) co_return;
  const net::SpliceCounters bytes{counters_.bytes_in, counters_.bytes_out};
  (void)co_await net::splice(*stream, **service, bytes, context_.clock);
}

}  // namespace oc::tunnel
