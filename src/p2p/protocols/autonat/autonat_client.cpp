#include "p2p/protocols/autonat/autonat_client.hpp"

#include <algorithm>

#include "base/deadline.hpp"

namespace oc::p2p {
namespace {

// Sends so many bytes, in messages that are made once.
awaitable<Result<void>> send_data(net::Stream& stream, std::uint64_t left) {
  const Bytes full = encode_autonat(DialData{kMaxDialDataChunk});
  while (left > kMaxDialDataChunk) {
    CO_CHECK(co_await net::write_delimited(stream, full));
    left -= kMaxDialDataChunk;
  }
  const Bytes last = encode_autonat(DialData{static_cast<std::size_t>(left)});
  co_return co_await net::write_delimited(stream, last);
}

awaitable<Result<AutonatMessage>> read_message(net::Stream& stream) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxAutonatMessage));
  co_return decode_autonat(bytes);
}

}  // namespace

AutonatClient::AutonatClient(Swarm& swarm, Clock& clock, Random& random)
    : swarm_(swarm), clock_(clock), random_(random) {
  swarm_.handle(
      kAutonatDialBackId,
      [this](ConnectionPtr connection, StreamPtr stream) {
        return serve(std::move(connection), std::move(stream));
      },
      kAutonatLimits);
}

bool AutonatClient::is_server(const Connection& connection) {
  if (!connection.info()) return false;
  const auto& protocols = connection.info()->protocols;
  return std::ranges::find(protocols, kAutonatDialRequestId) != protocols.end();
}

std::uint64_t AutonatClient::new_nonce() {
  std::uint64_t nonce = 0;
  do random_.fill({reinterpret_cast<Byte*>(&nonce), sizeof nonce});
  while (asked_.contains(nonce));
  return nonce;
}

awaitable<Result<DialAnswer>> AutonatClient::ask(ConnectionPtr server,
                                                 std::vector<codec::Multiaddr> addresses) {
  if (asked_.size() >= kMaxAutonatAsks || addresses.size() > kMaxAutonatAddresses)
    co_return Errc::limit_exceeded;
  const std::uint64_t nonce = new_nonce();
  Asked& asked = asked_[nonce];
  asked.addresses = std::move(addresses);
  asked.since = clock_.now();
  struct Forget {
    std::map<std::uint64_t, Asked>& all;
    std::uint64_t nonce;
    ~Forget() { all.erase(nonce); }
  } forget{asked_, nonce};
  co_return co_await with_deadline<DialAnswer>(clock_, kAutonatAskTimeout,
                                               exchange(std::move(server), nonce));
}

awaitable<Result<DialAnswer>> AutonatClient::exchange(ConnectionPtr server, std::uint64_t nonce) {
  CO_TRY(auto stream, co_await server->open_stream(kAutonatDialRequestId));
  CO_TRY(const DialResponse response, co_await talk(*stream, nonce));
  (void)co_await stream->close_write();
  co_return co_await judge(response, nonce);
}

awaitable<Result<DialResponse>> AutonatClient::talk(net::Stream& stream, std::uint64_t nonce) {
  const std::size_t count = asked_.at(nonce).addresses.size();
  DialRequest request;
  request.addresses = asked_.at(nonce).addresses;
  request.nonce = nonce;
  const Bytes bytes = encode_autonat(request);
  CO_CHECK(co_await net::write_delimited(stream, bytes));
  CO_TRY(AutonatMessage message, co_await read_message(stream));
  if (const auto* demand = std::get_if<DialDataRequest>(&message)) {
    if (demand->address >= count || demand->bytes > kMostDialData)
      co_return Errc::protocol_violation;
    CO_CHECK(co_await send_data(stream, demand->bytes));
    CO_TRY(message, co_await read_message(stream));
  }
  const auto* response = std::get_if<DialResponse>(&message);
  if (response == nullptr) co_return Errc::protocol_violation;
  co_return *response;
}

awaitable<Result<DialAnswer>> AutonatClient::judge(DialResponse response, std::uint64_t nonce) {
  DialAnswer answer;
  answer.index = response.address;
  if (response.status != ResponseStatus::ok) {
    const bool refused = response.status == ResponseStatus::refused;
    answer.verdict = refused ? DialVerdict::refused : DialVerdict::rejected;
    co_return answer;
  }
  Asked& asked = asked_.at(nonce);
  if (response.address >= asked.addresses.size()) co_return Errc::protocol_violation;
  if (response.dial == DialStatus::dial_error) {
    answer.verdict = DialVerdict::unreachable;
    co_return answer;
  }
  // The nonce comes on another connection, and may be on its way. A server that could not hand it
  // over has nothing to wait for.
  if (!asked.came_to && response.dial == DialStatus::ok)
    (void)co_await with_deadline<void>(clock_, kDialBackStreamTimeout, asked.came.wait());
  const auto dialed = asked.addresses[response.address].tcp_endpoint();
  const auto came_to = asked.came_to ? asked.came_to->tcp_endpoint() : std::nullopt;
  if (!dialed || !came_to || dialed->v6 != came_to->v6) co_return Errc::protocol_violation;
  answer.verdict = DialVerdict::reachable;
  co_return answer;
}

awaitable<void> AutonatClient::serve(ConnectionPtr connection, StreamPtr stream) {
  auto heard =
      co_await with_deadline<void>(clock_, kDialBackStreamTimeout, hear(connection, *stream));
  if (!heard) stream->reset();
}

// A server that opens /dial-back on a connection that was there before has proved nothing.
bool AutonatClient::can_be_dial_back(const Connection& connection, const Asked& asked) {
  const Connection::Facts& facts = connection.facts();
  return facts.direction == Direction::inbound && facts.direct() && facts.opened >= asked.since;
}

awaitable<Result<void>> AutonatClient::hear(ConnectionPtr connection, net::Stream& stream) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxDialBackMessage));
  CO_TRY(const std::uint64_t nonce, decode_dial_back(bytes));
  const auto found = asked_.find(nonce);
  if (found == asked_.end()) co_return Errc::not_found;
  Asked& asked = found->second;
  if (asked.came_to || !can_be_dial_back(*connection, asked)) co_return Errc::protocol_violation;
  asked.came_to = connection->facts().local_address;
  asked.came.set();
  const Bytes response = encode_dial_back_response();
  CO_CHECK(co_await net::write_delimited(stream, response));
  co_return co_await stream.close_write();
}

}  // namespace oc::p2p
