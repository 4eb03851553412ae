#include "p2p/protocols/autonat/autonat_server.hpp"

#include <boost/asio/error.hpp>

#include "base/deadline.hpp"
#include "base/log.hpp"

namespace oc::p2p {
namespace {

// Closes what a dial made, when the dial has served its purpose.
struct Closing {
  ConnectionPtr connection;
  ~Closing() { connection->close(); }
};

// A dial failed for a reason on our side: the address may be as reachable as any.
bool is_ours(error_code error) {
  using namespace boost::system;
  return error == P2pErrc::connection_limit || error == P2pErrc::dial_to_self ||
         error == Errc::closed || error == Errc::cancelled || error == errc::network_unreachable ||
         error == errc::network_down || error == errc::address_not_available ||
         error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::address_family_not_supported;
}

awaitable<Result<DialRequest>> read_request(net::Stream& stream) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxAutonatMessage));
  CO_TRY(AutonatMessage message, decode_autonat(bytes));
  auto* request = std::get_if<DialRequest>(&message);
  if (request == nullptr) co_return Errc::protocol_violation;
  co_return std::move(*request);
}

awaitable<Result<void>> read_data(net::Stream& stream, std::uint64_t left) {
  while (left != 0) {
    CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxAutonatMessage));
    CO_TRY(const AutonatMessage message, decode_autonat(bytes));
    const auto* data = std::get_if<DialData>(&message);
    if (data == nullptr) co_return Errc::protocol_violation;
    if (data->bytes < std::min<std::uint64_t>(left, kLeastDialDataChunk))
      co_return Errc::protocol_violation;
    left -= std::min<std::uint64_t>(left, data->bytes);
  }
  co_return success();
}

// Hands over the nonce; the answer tells that it arrived.
awaitable<Result<void>> tell(ConnectionPtr connection, std::uint64_t nonce) {
  CO_TRY(auto stream, co_await connection->open_stream(kAutonatDialBackId));
  const Bytes message = encode_dial_back(nonce);
  CO_CHECK(co_await net::write_delimited(*stream, message));
  CO_CHECK(co_await stream->close_write());
  CO_TRY(const Bytes response, co_await net::read_delimited(*stream, kMaxDialBackMessage));
  co_return decode_dial_back_response(response);
}

}  // namespace

AutonatServer::AutonatServer(Swarm& swarm, Clock& clock, Random& random,
                             AutonatServerOptions options)
    : swarm_(swarm), clock_(clock), random_(random), options_(options) {
  swarm_.handle(
      kAutonatDialRequestId,
      [this](ConnectionPtr connection, StreamPtr stream) {
        return serve(std::move(connection), std::move(stream));
      },
      kAutonatLimits);
  swarm_.handle(
      kAutonatV1Id,
      [this](ConnectionPtr connection, StreamPtr stream) {
        return serve_v1(std::move(connection), std::move(stream));
      },
      kAutonatLimits);
}

DialBackAsker AutonatServer::asker_of(const Connection& connection) const {
  return {connection.peer(), connection.facts().remote_address, connection.trusted()};
}

AutonatServer::Requests& AutonatServer::requests_of(const Connection& connection) {
  return connection.trusted() ? of_members_ : of_strangers_;
}

DialBackGround AutonatServer::ground() const {
  return {swarm_.listen_addresses(), options_.allow_local};
}

awaitable<void> AutonatServer::serve(ConnectionPtr connection, StreamPtr stream) {
  auto answered = co_await answer(connection, *stream);
  if (answered) co_return;
  stream->reset();
  log::debug("AutoNAT request of {} failed: {}", connection->peer().to_string(),
             answered.error().message());
}

awaitable<Result<void>> AutonatServer::answer(ConnectionPtr connection, net::Stream& stream) {
  DialResponse response;
  if (!requests_of(*connection).all.take(connection->peer(), clock_.now())) {
    ++counters_.rejected;
    response.status = ResponseStatus::rejected;
    co_return co_await respond(stream, response);
  }
  ++counters_.requests;
  CO_TRY(const DialRequest request,
         co_await with_deadline<DialRequest>(clock_, kAutonatReadTimeout, read_request(stream)));
  const auto plan = plan_dial_back(request.addresses, asker_of(*connection), ground());
  if (!plan) {
    ++counters_.refused;
    response.status = ResponseStatus::refused;
    co_return co_await respond(stream, response);
  }
  response.address = static_cast<std::uint32_t>(plan->index);
  if (plan->needs_data) {
    if (!requests_of(*connection).data.take(connection->peer(), clock_.now())) {
      ++counters_.rejected;
      response.status = ResponseStatus::rejected;
      co_return co_await respond(stream, response);
    }
    CO_CHECK(co_await collect_data(stream, response.address));
  }
  auto dialed = co_await dial_back(connection->peer(), plan->address, request.nonce);
  if (dialed) {
    response.status = ResponseStatus::ok;
    response.dial = *dialed;
  }
  co_return co_await respond(stream, response);
}

awaitable<Result<void>> AutonatServer::respond(net::Stream& stream, DialResponse response) {
  return finish(stream, encode_autonat(response));
}

awaitable<Result<void>> AutonatServer::finish(net::Stream& stream, Bytes message) {
  CO_CHECK(co_await with_deadline<void>(clock_, kDialBackStreamTimeout,
                                        net::write_delimited(stream, message)));
  co_return co_await stream.close_write();
}

awaitable<Result<void>> AutonatServer::collect_data(net::Stream& stream, std::uint32_t address) {
  DialDataRequest demand;
  demand.address = address;
  demand.bytes = kLeastDialData + random_.below(kMostDialData - kLeastDialData + 1);
  const Bytes message = encode_autonat(demand);
  CO_CHECK(co_await net::write_delimited(stream, message));
  CO_CHECK(
      co_await with_deadline<void>(clock_, kAutonatReadTimeout, read_data(stream, demand.bytes)));
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(kMaxDialBackWait);
  const std::uint64_t wait = random_.below(static_cast<std::uint64_t>(longest.count()) + 1);
  co_return co_await clock_.sleep_for(std::chrono::milliseconds(wait));
}

awaitable<Result<ConnectionPtr>> AutonatServer::dial(codec::PeerId peer, codec::Multiaddr address,
                                                     Duration limit) {
  ++counters_.dials;
  auto connection = co_await with_deadline<ConnectionPtr>(
      clock_, limit, swarm_.dial_anew(std::move(peer), std::move(address)));
  if (!connection) ++counters_.dials_failed;
  co_return connection;
}

awaitable<Result<DialStatus>> AutonatServer::dial_back(codec::PeerId peer, codec::Multiaddr address,
                                                       std::uint64_t nonce) {
  auto connection = co_await dial(std::move(peer), std::move(address), kDialBackTimeout);
  if (!connection && is_ours(connection.error())) co_return connection.error();
  if (!connection) co_return DialStatus::dial_error;
  const Closing closing{*connection};
  auto told =
      co_await with_deadline<void>(clock_, kDialBackStreamTimeout, tell(*connection, nonce));
  co_return told ? DialStatus::ok : DialStatus::dial_back_error;
}

awaitable<void> AutonatServer::serve_v1(ConnectionPtr connection, StreamPtr stream) {
  if (auto answered = co_await answer_v1(connection, *stream); !answered) stream->reset();
}

awaitable<Result<void>> AutonatServer::answer_v1(ConnectionPtr connection, net::Stream& stream) {
  if (!v1_requests_.take(connection->peer(), clock_.now())) {
    ++counters_.rejected;
    co_return co_await finish(
        stream, encode_autonat_v1(AutonatV1Status::refused, "too many requests", std::nullopt));
  }
  ++counters_.requests;
  CO_TRY(const Bytes bytes,
         co_await with_deadline<Bytes>(clock_, kAutonatReadTimeout,
                                       net::read_delimited(stream, kMaxAutonatMessage)));
  auto asked = decode_autonat_v1(bytes);
  if (!asked || (!asked->peer.empty() && asked->peer != connection->peer())) {
    co_return co_await finish(
        stream, encode_autonat_v1(AutonatV1Status::bad_request, "not yours to ask", std::nullopt));
  }
  auto addresses = plan_v1_dials(asked->addresses, asker_of(*connection), ground());
  Bytes response = co_await dial_v1(connection->peer(), std::move(addresses));
  co_return co_await finish(stream, std::move(response));
}

awaitable<Bytes> AutonatServer::dial_v1(codec::PeerId peer,
                                        std::vector<codec::Multiaddr> addresses) {
  if (addresses.empty()) {
    ++counters_.refused;
    co_return encode_autonat_v1(AutonatV1Status::refused, "no address to dial", std::nullopt);
  }
  for (const codec::Multiaddr& address : addresses) {
    auto dialed = co_await dial(peer, address, kV1DialTimeout);
    if (!dialed) continue;
    (*dialed)->close();
    co_return encode_autonat_v1(AutonatV1Status::ok, "", address);
  }
  co_return encode_autonat_v1(AutonatV1Status::dial_error, "no address answers", std::nullopt);
}

}  // namespace oc::p2p
