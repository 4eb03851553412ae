#include <algorithm>

#include "p2p/autonat.pb.h"
#include "p2p/protocols/autonat/autonat_client.hpp"
#include "support/swarm_rig.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using codec::Multiaddr;
using test::close_all;
using test::Operation;
using test::settle;
using test::SwarmRig;
using StreamPtr = std::unique_ptr<net::Stream>;

// The kernel gives no port so low to anybody, and nothing listens there.
const Multiaddr kDead = *Multiaddr::parse("/ip4/127.0.0.1/tcp/1");

// On loopback, which a server has to take for the internet.
struct AutonatRig : SwarmRig {
  AutonatRig(Executor executor, std::uint64_t seed, bool allow_local = true)
      : SwarmRig(executor, seed),
        server(swarm, clock, random, {allow_local}),
        client(swarm, clock, random) {}

  // Listens at another IP address than the one it dials from.
  Multiaddr other_address() {
    EXPECT_TRUE(swarm.listen({asio::ip::make_address("127.0.0.2"), 0}));
    return swarm.listen_addresses().back();
  }
  Operation<DialAnswer> ask(ConnectionPtr connection, std::vector<Multiaddr> addresses) {
    return {swarm.executor(), client.ask(std::move(connection), std::move(addresses))};
  }
  std::size_t connections() const { return swarm.connections().size(); }

  AutonatServer server;
  AutonatClient client;
};

// A request on a stream of its own, and what comes back.
awaitable<StreamPtr> send_request(ConnectionPtr connection, std::vector<Multiaddr> addresses) {
  auto stream = co_await connection->open_stream(kAutonatDialRequestId);
  EXPECT_TRUE(stream);
  const Bytes request = encode_autonat(DialRequest{std::move(addresses), 7});
  EXPECT_TRUE(co_await net::write_delimited(**stream, request));
  co_return *std::move(stream);
}

awaitable<Result<AutonatMessage>> read_answer(net::Stream& stream) {
  CO_TRY(const Bytes bytes, co_await net::read_delimited(stream, kMaxAutonatMessage));
  co_return decode_autonat(bytes);
}

awaitable<std::uint64_t> read_demand(net::Stream& stream) {
  auto message = co_await read_answer(stream);
  const auto* demand = message ? std::get_if<DialDataRequest>(&*message) : nullptr;
  EXPECT_NE(demand, nullptr) << "no data is demanded";
  co_return demand == nullptr ? 0 : demand->bytes;
}

awaitable<void> send_data(net::Stream& stream, std::uint64_t left) {
  while (left != 0) {
    const std::size_t chunk = std::min<std::uint64_t>(left, kMaxDialDataChunk);
    const Bytes data = encode_autonat(DialData{chunk});
    EXPECT_TRUE(co_await net::write_delimited(stream, data));
    left -= chunk;
  }
}

TEST(Autonat, an_address_that_answers_is_reachable) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto asking = a.ask(connection, a.addresses());
    const auto answer = co_await asking.result();
    EXPECT_TRUE(answer && answer->verdict == DialVerdict::reachable);
    co_await settle();
    EXPECT_EQ(b.server.counters().dials, 1u);
    EXPECT_EQ(a.connected, 2) << "it was dialed anew";
    EXPECT_EQ(a.connections(), 1u) << "and that was closed again";
    EXPECT_EQ(b.swarm.connection_to(a.id())->facts().direction, Direction::inbound);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, an_address_that_does_not_answer_is_unreachable) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto asking = a.ask(connection, {kDead, a.addresses().front()});
    const auto answer = co_await asking.result();
    EXPECT_TRUE(answer && answer->verdict == DialVerdict::unreachable);
    EXPECT_TRUE(answer && answer->index == 0);
    EXPECT_EQ(b.server.counters().dials, 1u) << "no other address of the list is dialed";
    EXPECT_EQ(b.server.counters().dials_failed, 1u);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, an_address_where_somebody_else_answers_is_unreachable) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2), c(executor, 3);
    auto connection = co_await test::connect(a, b);
    auto asking = a.ask(connection, c.addresses());
    const auto answer = co_await asking.result();
    EXPECT_TRUE(answer && answer->verdict == DialVerdict::unreachable);
    connection.reset();
    co_await close_all(a, b);
    (void)co_await c.close();
  });
}

TEST(Autonat, for_another_ip_address_nothing_is_dialed_before_all_the_data_came) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    const Multiaddr other = a.other_address();
    auto connection = co_await test::connect(a, b);
    std::vector<Multiaddr> asked{other};
    StreamPtr stream = co_await send_request(connection, std::move(asked));
    const std::uint64_t demanded = co_await read_demand(*stream);
    EXPECT_GE(demanded, kLeastDialData);
    EXPECT_LE(demanded, kMostDialData);
    co_await send_data(*stream, demanded - 1);
    co_await settle();
    b.clock.advance(kMaxDialBackWait);
    co_await settle();
    EXPECT_EQ(b.server.counters().dials, 0u);
    co_await send_data(*stream, 1);
    co_await settle();
    b.clock.advance(kMaxDialBackWait);
    co_await settle();
    EXPECT_EQ(b.server.counters().dials, 1u);
    stream.reset();
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, who_stops_paying_is_given_up_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    const Multiaddr other = a.other_address();
    auto connection = co_await test::connect(a, b);
    std::vector<Multiaddr> asked{other};
    StreamPtr stream = co_await send_request(connection, std::move(asked));
    co_await send_data(*stream, co_await read_demand(*stream) / 2);
    co_await settle();
    b.clock.advance(kAutonatReadTimeout);
    const auto end = co_await read_answer(*stream);
    EXPECT_TRUE(!end && end.error() == Errc::reset);
    EXPECT_EQ(b.server.counters().dials, 0u);
    stream.reset();
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, data_in_tiny_pieces_is_not_taken) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    const Multiaddr other = a.other_address();
    auto connection = co_await test::connect(a, b);
    std::vector<Multiaddr> asked{other};
    StreamPtr stream = co_await send_request(connection, std::move(asked));
    (void)co_await read_demand(*stream);
    const Bytes data = encode_autonat(DialData{kLeastDialDataChunk - 1});
    EXPECT_TRUE(co_await net::write_delimited(*stream, data));
    const auto end = co_await read_answer(*stream);
    EXPECT_TRUE(!end && end.error() == Errc::reset);
    stream.reset();
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, the_client_pays_what_is_demanded) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    const Multiaddr other = a.other_address();
    auto connection = co_await test::connect(a, b);
    auto asking = a.ask(connection, {other});
    co_await settle();
    b.clock.advance(kMaxDialBackWait);
    const auto answer = co_await asking.result();
    EXPECT_TRUE(answer && answer->verdict == DialVerdict::reachable);
    EXPECT_GE(connection->counters().bytes_out, kLeastDialData);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, requests_of_strangers_leave_those_of_members_their_turn) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig server(executor, 1, false), member(executor, 2);
    std::vector<std::unique_ptr<AutonatRig>> strangers;
    std::size_t taken = 0;
    for (std::uint64_t seed = 3; taken < kMaxAutonatRequests; ++seed) {
      strangers.push_back(std::make_unique<AutonatRig>(executor, seed));
      auto connection = co_await test::connect(*strangers.back(), server);
      for (std::size_t i = 0; i < kMaxAutonatRequestsOfPeer; ++i, ++taken) {
        auto asking = strangers.back()->ask(connection, server.addresses());
        EXPECT_TRUE(co_await asking.result());
      }
    }
    auto connection = co_await test::connect(member, server);
    auto as_stranger = member.ask(connection, member.addresses());
    const auto rejected = co_await as_stranger.result();
    EXPECT_TRUE(rejected && rejected->verdict == DialVerdict::rejected);
    server.swarm.connection_to(member.id())->trust();
    auto as_member = member.ask(connection, member.addresses());
    const auto answer = co_await as_member.result();
    EXPECT_TRUE(answer && answer->verdict == DialVerdict::refused) << "loopback is not dialed";
    connection.reset();
    for (auto& stranger : strangers) (void)co_await stranger->close();
    co_await close_all(member, server);
  });
}

TEST(Autonat, a_thirteenth_request_within_a_minute_is_rejected) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2, false);
    auto connection = co_await test::connect(a, b);
    for (std::size_t i = 0; i < kMaxAutonatRequestsOfPeer; ++i) {
      auto asking = a.ask(connection, a.addresses());
      const auto answer = co_await asking.result();
      EXPECT_TRUE(answer && answer->verdict == DialVerdict::refused);
    }
    auto once_more = a.ask(connection, a.addresses());
    const auto answer = co_await once_more.result();
    EXPECT_TRUE(answer && answer->verdict == DialVerdict::rejected);
    EXPECT_EQ(b.server.counters().rejected, 1u);
    b.clock.advance(1min);
    co_await settle();
    auto later = a.ask(connection, a.addresses());
    const auto taken = co_await later.result();
    EXPECT_TRUE(taken && taken->verdict == DialVerdict::refused);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, a_node_among_strangers_dials_no_loopback_address) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2, false);
    auto connection = co_await test::connect(a, b);
    auto asking = a.ask(connection, {a.addresses().front(), b.addresses().front(), kDead});
    const auto answer = co_await asking.result();
    EXPECT_TRUE(answer && answer->verdict == DialVerdict::refused);
    EXPECT_EQ(b.server.counters().dials, 0u);
    EXPECT_EQ(b.server.counters().refused, 1u);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, who_asks_nothing_is_given_up_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    auto stream = co_await connection->open_agreed_stream(kAutonatDialRequestId);
    b.clock.advance(kAutonatReadTimeout);
    const auto end = co_await read_answer(**stream);
    EXPECT_TRUE(!end && end.error() == Errc::reset);
    stream = Errc::closed;
    connection.reset();
    co_await close_all(a, b);
  });
}

// Servers that lie, in the place of ours: what they do before they respond.
using Act = awaitable<void> (*)(Swarm&, ConnectionPtr, DialRequest);

awaitable<void> nothing(Swarm&, ConnectionPtr, DialRequest) { co_return; }

awaitable<void> serve_lie(Swarm& self, ConnectionPtr connection, StreamPtr stream,
                          DialResponse said, Act act) {
  const auto message = co_await read_answer(*stream);
  DialRequest request = std::get<DialRequest>(*message);
  co_await act(self, std::move(connection), std::move(request));
  const Bytes bytes = encode_autonat(said);
  EXPECT_TRUE(co_await net::write_delimited(*stream, bytes));
  (void)co_await stream->close_write();
}

void lie(AutonatRig& rig, DialResponse response, Act act = nothing) {
  Swarm& swarm = rig.swarm;
  swarm.handle(kAutonatDialRequestId, [&swarm, response, act](ConnectionPtr c, StreamPtr s) {
    return serve_lie(swarm, std::move(c), std::move(s), response, act);
  });
}

awaitable<bool> dial_back(ConnectionPtr connection, std::uint64_t nonce) {
  auto stream = co_await connection->open_stream(kAutonatDialBackId);
  if (!stream) co_return false;
  const Bytes message = encode_dial_back(nonce);
  if (auto sent = co_await net::write_delimited(**stream, message); !sent) co_return false;
  const auto response = co_await net::read_delimited(**stream, kMaxDialBackMessage);
  co_return response.has_value();
}

constexpr DialResponse kClaim{ResponseStatus::ok, 0, DialStatus::ok};

awaitable<Result<DialAnswer>> ask_liar(AutonatRig& a, AutonatRig& b) {
  auto connection = co_await test::connect(a, b);
  auto asking = a.ask(connection, a.addresses());
  co_await settle();
  a.clock.advance(kDialBackStreamTimeout);
  auto answer = co_await asking.result();
  connection.reset();
  co_await close_all(a, b);
  co_return answer;
}

TEST(Autonat, a_claim_without_a_nonce_is_not_believed) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    lie(b, kClaim);
    const auto answer = co_await ask_liar(a, b);
    EXPECT_TRUE(!answer && answer.error() == Errc::protocol_violation);
  });
}

TEST(Autonat, a_nonce_on_the_connection_that_was_there_proves_nothing) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    lie(b, kClaim, [](Swarm&, ConnectionPtr connection, DialRequest request) -> awaitable<void> {
      EXPECT_FALSE(co_await dial_back(std::move(connection), request.nonce));
    });
    const auto answer = co_await ask_liar(a, b);
    EXPECT_TRUE(!answer && answer.error() == Errc::protocol_violation);
  });
}

TEST(Autonat, another_nonce_is_not_taken_and_the_right_one_once) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    lie(b, kClaim, [](Swarm& self, ConnectionPtr asked, DialRequest request) -> awaitable<void> {
      auto dialed = co_await self.dial_anew(asked->peer(), request.addresses.front());
      EXPECT_TRUE(dialed);
      if (!dialed) co_return;
      EXPECT_FALSE(co_await dial_back(*dialed, request.nonce + 1));
      EXPECT_TRUE(co_await dial_back(*dialed, request.nonce));
      EXPECT_FALSE(co_await dial_back(*dialed, request.nonce));
      (*dialed)->close();
    });
    const auto answer = co_await ask_liar(a, b);
    EXPECT_TRUE(answer && answer->verdict == DialVerdict::reachable);
  });
}

TEST(Autonat, a_place_beyond_the_list_is_a_violation) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    lie(b, {ResponseStatus::ok, 1, DialStatus::dial_error});
    const auto answer = co_await ask_liar(a, b);
    EXPECT_TRUE(!answer && answer.error() == Errc::protocol_violation);
  });
}

TEST(Autonat, a_server_that_demands_too_much_gets_nothing) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kAutonatDialRequestId, [](ConnectionPtr, StreamPtr s) -> awaitable<void> {
      const StreamPtr stream = std::move(s);
      const Bytes demand = encode_autonat(DialDataRequest{0, kMostDialData + 1});
      EXPECT_TRUE(co_await net::write_delimited(*stream, demand));
      EXPECT_TRUE(co_await read_answer(*stream)) << "the request";
      const auto end = co_await read_answer(*stream);
      EXPECT_TRUE(!end && end.error() == Errc::reset);
    });
    const auto answer = co_await ask_liar(a, b);
    EXPECT_TRUE(!answer && answer.error() == Errc::protocol_violation);
  });
}

TEST(Autonat, a_server_that_never_answers_is_given_up_in_time) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    b.swarm.handle(kAutonatDialRequestId, [](ConnectionPtr, StreamPtr stream) -> awaitable<void> {
      const StreamPtr kept = std::move(stream);
      (void)co_await Event().wait();
    });
    auto connection = co_await test::connect(a, b);
    auto asking = a.ask(connection, a.addresses());
    co_await settle();
    a.clock.advance(kAutonatAskTimeout);
    const auto answer = co_await asking.result();
    EXPECT_TRUE(!answer && answer.error() == Errc::timed_out);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(Autonat, a_request_that_is_cancelled_leaves_no_stream_behind) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    const Multiaddr other = a.other_address();
    auto connection = co_await test::connect(a, b);
    auto asking = a.ask(connection, {other});
    co_await settle();
    EXPECT_FALSE(asking.done()) << "the server waits before it dials another IP address";
    asking.cancel();
    const auto answer = co_await asking.result();
    EXPECT_TRUE(!answer && answer.error() == Errc::cancelled);
    co_await settle();
    EXPECT_EQ(connection->stream_count(), 0u);
    connection.reset();
    co_await close_all(a, b);
  });
}

// Version 1

std::vector<Multiaddr> list(Multiaddr first, Multiaddr second) {
  return {std::move(first), std::move(second)};
}

Bytes v1_request(const codec::PeerId& peer, const std::vector<Multiaddr>& addresses) {
  pb::AutonatV1 message;
  message.set_type(0);
  auto& said = *message.mutable_dial()->mutable_peer();
  said.set_id(std::string(as_text(peer.bytes())));
  for (const Multiaddr& one : addresses) said.add_addrs(std::string(as_text(one.bytes())));
  return to_bytes(as_bytes(message.SerializeAsString()));
}

awaitable<pb::AutonatV1::DialResponse> ask_v1(ConnectionPtr connection, Bytes request) {
  auto stream = co_await connection->open_stream(kAutonatV1Id);
  EXPECT_TRUE(stream);
  EXPECT_TRUE(co_await net::write_delimited(**stream, request));
  const auto bytes = co_await net::read_delimited(**stream, kMaxAutonatMessage);
  pb::AutonatV1 message;
  EXPECT_TRUE(bytes && message.ParseFromArray(bytes->data(), static_cast<int>(bytes->size())));
  EXPECT_EQ(message.type(), 1u);
  co_return message.dial_response();
}

TEST(AutonatV1, the_address_that_answers_is_told) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    const auto said =
        co_await ask_v1(connection, v1_request(a.id(), list(kDead, a.addresses()[0])));
    EXPECT_EQ(said.status(), 0u);
    EXPECT_EQ(said.addr(), as_text(a.addresses()[0].bytes()));
    co_await settle();
    EXPECT_EQ(a.connections(), 1u) << "what was dialed is closed again";
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(AutonatV1, nothing_that_answers_is_a_dial_error) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    EXPECT_EQ((co_await ask_v1(connection, v1_request(a.id(), std::vector(1, kDead)))).status(),
              100u);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(AutonatV1, local_addresses_are_refused) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2, false);
    auto connection = co_await test::connect(a, b);
    EXPECT_EQ((co_await ask_v1(connection, v1_request(a.id(), a.addresses()))).status(), 101u);
    EXPECT_EQ(b.server.counters().dials, 0u);
    connection.reset();
    co_await close_all(a, b);
  });
}

TEST(AutonatV1, a_request_for_another_peer_is_bad_and_a_fourth_within_a_minute_is_refused) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    AutonatRig a(executor, 1), b(executor, 2);
    auto connection = co_await test::connect(a, b);
    for (std::size_t i = 0; i < kMaxAutonatV1RequestsOfPeer; ++i) {
      const auto said = co_await ask_v1(connection, v1_request(b.id(), a.addresses()));
      EXPECT_EQ(said.status(), 200u);
    }
    const auto said = co_await ask_v1(connection, v1_request(a.id(), a.addresses()));
    EXPECT_EQ(said.status(), 101u);
    EXPECT_EQ(b.server.counters().dials, 0u);
    connection.reset();
    co_await close_all(a, b);
  });
}

}  // namespace
}  // namespace oc::p2p
