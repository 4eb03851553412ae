#include "p2p/nat/natpmp_gateway.hpp"

#include <boost/asio/as_tuple.hpp>

#include "base/deadline.hpp"
#include "p2p/nat/default_gateway.hpp"

namespace oc::p2p {
namespace {

using asio::ip::udp;
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// What the system says when nobody listens there, or no way leads there.
error_code as_nat_error(error_code error) {
  if (error == asio::error::operation_aborted) return Errc::cancelled;
  if (error == asio::error::connection_refused || error == asio::error::network_unreachable ||
      error == asio::error::host_unreachable)
    return NatErrc::no_gateway;
  return error;
}

awaitable<Result<NatPmpAnswer>> receive(udp::socket& socket, NatPmpOpcode opcode, Port internal) {
  FixedBytes<kNatPmpMaxAnswer> datagram;
  for (;;) {
    auto [error, size] = co_await socket.async_receive(asio::buffer(datagram), as_result);
    if (error) co_return as_nat_error(error);
    auto answer = parse_natpmp_answer(BytesView(datagram).first(size));
    if (!answer || answer->opcode != opcode) continue;
    if (auto failed = natpmp_error(answer->result)) co_return failed;
    if (opcode == NatPmpOpcode::map_tcp && answer->internal != internal) continue;
    co_return answer;
  }
}

}  // namespace

awaitable<Result<NatPmpAnswer>> NatPmpGateway::ask(udp::endpoint server, Bytes request,
                                                   NatPmpOpcode opcode, Port internal) {
  const Executor executor = co_await asio::this_coro::executor;
  // Connected, so that the kernel passes on what comes from the server and nobody else.
  udp::socket socket(executor);
  error_code failed;
  socket.connect(server, failed);
  if (failed) co_return as_nat_error(failed);
  Duration wait = kNatPmpFirstWait;
  for (int i = 0; i < kNatPmpTries; ++i, wait *= 2) {
    auto [error, size] = co_await socket.async_send(asio::buffer(request), as_result);
    if (error) co_return as_nat_error(error);
    auto answer = co_await with_deadline(clock_, wait, receive(socket, opcode, internal));
    if (answer || answer.error() != Errc::timed_out) co_return answer;
  }
  co_return NatErrc::no_gateway;
}

awaitable<Result<asio::ip::address_v4>> NatPmpGateway::find() {
  std::optional<udp::endpoint> server = options_.server;
  if (!server) {
    const auto router = default_gateway();
    if (!router) co_return NatErrc::no_gateway;
    server.emplace(*router, kNatPmpPort);
  }
  CO_TRY(const auto answer,
         co_await ask(*server, natpmp_address_request(), NatPmpOpcode::external_address, Port()));
  found_ = server;
  if (answer.address.is_unspecified()) co_return NatErrc::not_connected;
  co_return answer.address;
}

awaitable<Result<MappingGrant>> NatPmpGateway::map(MappingRequest request) {
  if (!found_) co_return NatErrc::no_gateway;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(request.lease).count();
  Bytes message =
      natpmp_map_request(request.internal, request.external, static_cast<std::uint32_t>(seconds));
  CO_TRY(const auto answer,
         co_await ask(*found_, std::move(message), NatPmpOpcode::map_tcp, request.internal));
  if (answer.external == Port() || answer.lifetime_seconds == 0) co_return NatErrc::bad_reply;
  co_return MappingGrant{answer.external, std::chrono::seconds(answer.lifetime_seconds)};
}

awaitable<Result<void>> NatPmpGateway::unmap(Port internal, Port) {
  if (!found_) co_return success();
  CO_CHECK(co_await ask(*found_, natpmp_map_request(internal, Port(), 0), NatPmpOpcode::map_tcp,
                        internal));
  co_return success();
}

}  // namespace oc::p2p
