#include "overlay/handshake.hpp"

#include "base/deadline.hpp"
#include "crypto/cpace.hpp"
#include "net/fake_stream.hpp"
#include "overlay/network.pb.h"
#include "support/given_random.hpp"
#include "support/overlay_world.hpp"
#include "support/vectors.hpp"
#include "support/wire_page.hpp"

namespace oc::overlay {
namespace {

using test::network_of;
using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<net::Stream>;

const codec::PeerId kInitiator = test::key_of(1).peer_id();
const codec::PeerId kResponder = test::key_of(2).peer_id();

// One run, each side with what it believes.
struct Exchange {
  Network initiator_network = network_of("home", "password");
  std::vector<Network> responder_networks = {network_of("home", "password")};
  HandshakeParties initiator{kInitiator, kResponder, to_bytes(as_bytes("binding"))};
  HandshakeParties responder{kResponder, kInitiator, to_bytes(as_bytes("binding"))};
  bool allowed = true;

  // What became of it.
  Result<void> initiator_result = success();
  Result<void> responder_result = success();
  int proved = 0;
  int failed = 0;
};

Verifier verifier_of(Exchange& run) {
  Verifier verifier;
  verifier.find = [&run](const NetworkId& id) -> const Network* {
    for (const Network& network : run.responder_networks) {
      if (network.id == id) return &network;
    }
    return nullptr;
  };
  verifier.allowed = [&run](const NetworkId&) { return run.allowed; };
  verifier.proved = [&run](const NetworkId&) { ++run.proved; };
  verifier.failed = [&run](const NetworkId&) { ++run.failed; };
  return verifier;
}

awaitable<void> initiate(net::Stream& stream, Exchange& run, Random& random) {
  run.initiator_result =
      co_await prove_membership(stream, run.initiator, run.initiator_network, random);
  if (!run.initiator_result) stream.reset();
}

awaitable<void> respond(net::Stream& stream, Exchange& run, Random& random) {
  const Verifier verifier = verifier_of(run);
  run.responder_result = co_await verify_membership(stream, run.responder, verifier, random);
  const bool verdict_sent =
      run.responder_result || run.responder_result.error().category() == handshake_category();
  if (!verdict_sent) stream.reset();
}

// Carries bytes from one stream to the other and notes them.
awaitable<void> relay(net::Stream& from, net::Stream& to, Bytes& seen) {
  for (;;) {
    FixedBytes<512> bytes;
    const auto n = co_await from.read_some(bytes);
    if (!n) {
      if (n.error() == Errc::eof) {
        (void)co_await to.close_write();
      } else {
        to.reset();
      }
      co_return;
    }
    append(seen, BytesView(bytes).first(*n));
    if (!co_await to.write(BytesView(bytes).first(*n))) co_return;
  }
}

struct Transcript {
  Bytes from_initiator;
  Bytes from_responder;
};

awaitable<void> drained(TaskScope& tasks) {
  while (tasks.size() != 0) co_await asio::post(tasks.executor(), asio::use_awaitable);
}

Transcript carry_out(Exchange& run, Random& initiator_random, Random& responder_random) {
  Transcript transcript;
  asio::io_context io;
  auto both = [&]() -> awaitable<void> {
    auto [a, a_end] = net::make_fake_stream_pair({.largest_read = 3});
    auto [b_end, b] = net::make_fake_stream_pair({.largest_read = 5});
    TaskScope sides(io.get_executor());
    TaskScope links(io.get_executor());
    sides.spawn("initiator", initiate(*a, run, initiator_random));
    sides.spawn("responder", respond(*b, run, responder_random));
    links.spawn("there", relay(*a_end, *b_end, transcript.from_initiator));
    links.spawn("back", relay(*b_end, *a_end, transcript.from_responder));
    co_await drained(sides);
    co_await links.close();
  };
  test::run_async(io, [&both] { return both(); });
  return transcript;
}

Transcript carry_out(Exchange& run) {
  FakeRandom initiator_random(11);
  FakeRandom responder_random(12);
  return carry_out(run, initiator_random, responder_random);
}

TEST(Handshake, with_the_right_password_both_sides_accept) {
  Exchange run;
  carry_out(run);
  EXPECT_TRUE(run.initiator_result) << run.initiator_result.error().message();
  EXPECT_TRUE(run.responder_result) << run.responder_result.error().message();
  EXPECT_EQ(run.proved, 1);
  EXPECT_EQ(run.failed, 0);
}

TEST(Handshake, with_a_wrong_password_is_refused_and_counted) {
  Exchange run;
  run.initiator_network = network_of("home", "guess");
  carry_out(run);
  EXPECT_EQ(run.initiator_result.error(), HandshakeErrc::refused);
  EXPECT_EQ(run.responder_result.error(), HandshakeErrc::refused);
  EXPECT_EQ(run.proved, 0);
  EXPECT_EQ(run.failed, 1);
}

TEST(Handshake, a_responder_outside_the_network_looks_like_one_with_another_password) {
  Exchange wrong_password;
  wrong_password.initiator_network = network_of("home", "guess");
  Exchange unknown_network;
  unknown_network.initiator_network = network_of("home", "guess");
  unknown_network.responder_networks = {network_of("other", "password")};
  const Transcript a = carry_out(wrong_password);
  const Transcript b = carry_out(unknown_network);
  EXPECT_EQ(a.from_responder.size(), b.from_responder.size());
  EXPECT_EQ(a.from_initiator.size(), b.from_initiator.size());
  EXPECT_EQ(unknown_network.initiator_result.error(), wrong_password.initiator_result.error());
  EXPECT_EQ(unknown_network.failed, wrong_password.failed);
  // Reply {share} and Verdict {REFUSED}: nothing differs but the share.
  ASSERT_EQ(a.from_responder.size(), 3u + 32 + 3);
  EXPECT_TRUE(equal(BytesView(a.from_responder).first(3), BytesView(b.from_responder).first(3)));
  EXPECT_FALSE(equal(BytesView(a.from_responder).subspan(3, 32),
                     BytesView(b.from_responder).subspan(3, 32)));
  EXPECT_TRUE(
      equal(BytesView(a.from_responder).subspan(35), BytesView(b.from_responder).subspan(35)));
}

TEST(Handshake, of_two_connections_joined_by_a_relay_is_refused) {
  // Somebody in the middle has one connection to each side, and passes the messages on.
  Exchange run;
  run.responder.binding = to_bytes(as_bytes("another connection"));
  carry_out(run);
  EXPECT_EQ(run.initiator_result.error(), HandshakeErrc::refused);
  EXPECT_EQ(run.responder_result.error(), HandshakeErrc::refused);
  EXPECT_EQ(run.proved, 0);
}

TEST(Handshake, for_another_peer_is_refused) {
  const codec::PeerId third = test::key_of(3).peer_id();
  Exchange to_another;
  to_another.initiator.remote = third;
  carry_out(to_another);
  EXPECT_EQ(to_another.initiator_result.error(), HandshakeErrc::refused);
  Exchange from_another;
  from_another.responder.remote = third;
  carry_out(from_another);
  EXPECT_EQ(from_another.initiator_result.error(), HandshakeErrc::refused);
  EXPECT_EQ(from_another.proved, 0);
}

TEST(Handshake, with_the_roles_crossed_is_refused) {
  // Our own run as initiator, answered by our own run as responder.
  Exchange run;
  run.responder = {kInitiator, kResponder, to_bytes(as_bytes("binding"))};
  carry_out(run);
  EXPECT_FALSE(run.initiator_result);
  EXPECT_FALSE(run.responder_result);
  EXPECT_EQ(run.proved, 0);
}

TEST(Handshake, that_is_limited_is_refused_with_the_right_password_too) {
  for (const char* password : {"password", "guess"}) {
    Exchange run;
    run.allowed = false;
    run.initiator_network = network_of("home", password);
    carry_out(run);
    EXPECT_EQ(run.initiator_result.error(), HandshakeErrc::too_many_attempts);
    EXPECT_EQ(run.responder_result.error(), HandshakeErrc::too_many_attempts);
    EXPECT_EQ(run.proved, 0);
    EXPECT_EQ(run.failed, 0) << "attempts that do not count must not prolong the limit";
  }
}

TEST(Handshake, that_is_limited_is_told_apart_from_a_wrong_password) {
  EXPECT_EQ(handshake_fault(HandshakeErrc::too_many_attempts), FaultCode::too_many_attempts);
  EXPECT_EQ(handshake_fault(HandshakeErrc::refused), FaultCode::handshake_refused);
  EXPECT_EQ(handshake_fault(HandshakeErrc::unproven), FaultCode::handshake_refused);
}

// The responder against bytes that a test wrote.
struct Answered {
  Result<void> result = success();
  Bytes sent;
  int proved = 0;
  int failed = 0;
};

awaitable<void> collect(net::Stream& stream, Bytes& into) {
  FixedBytes<512> bytes;
  for (;;) {
    const auto n = co_await stream.read_some(bytes);
    if (!n) co_return;
    append(into, BytesView(bytes).first(*n));
  }
}

Answered responder_given(BytesView bytes) {
  Exchange run;
  Bytes sent;
  FakeRandom random(12);
  asio::io_context io;
  auto body = [&]() -> awaitable<void> {
    auto [mine, its] = net::make_fake_stream_pair();
    TaskScope tasks(io.get_executor());
    tasks.spawn("responder", respond(*its, run, random));
    (void)co_await mine->write(bytes);
    (void)co_await mine->close_write();
    co_await collect(*mine, sent);
    co_await drained(tasks);
  };
  test::run_async(io, [&body] { return body(); });
  return {run.responder_result, sent, run.proved, run.failed};
}

Bytes delimited(const google::protobuf::MessageLite& message) {
  const std::string text = message.SerializeAsString();
  Bytes out{static_cast<Byte>(text.size())};
  append(out, as_bytes(text));
  return out;
}

Bytes hello_with(std::string network_id, std::string share) {
  pb::Hello hello;
  hello.set_network_id(std::move(network_id));
  hello.set_share(std::move(share));
  return delimited(hello);
}

std::string home_id() {
  const NetworkId id = network_of("home", "password").id;
  return std::string(as_text(id));
}

TEST(Handshake, refuses_hellos_that_make_no_sense) {
  const std::string element(as_text(crypto::cpace_generator({as_bytes("p"), {}, {}})));
  const std::string identity(32, '\0');
  EXPECT_EQ(responder_given(hello_with("short", element)).result.error(), Errc::malformed);
  EXPECT_EQ(responder_given(hello_with(home_id() + "x", element)).result.error(), Errc::malformed);
  EXPECT_FALSE(responder_given(hello_with(home_id(), "")).result);
  EXPECT_FALSE(responder_given(hello_with(home_id(), element + "x")).result);
  EXPECT_FALSE(responder_given(hello_with(home_id(), std::string(32, '\xff'))).result);
  for (const Answered& answered :
       {responder_given(hello_with(home_id(), identity)), responder_given(hello_with("", element)),
        responder_given(Bytes{0}), responder_given(Bytes{2, 0xff, 0xff})}) {
    EXPECT_FALSE(answered.result);
    EXPECT_TRUE(answered.sent.empty());
    EXPECT_EQ(answered.proved, 0);
  }
}

TEST(Handshake, takes_no_message_above_its_bound) {
  Bytes oversized{0x81, 0x02};  // 257 bytes are announced
  EXPECT_EQ(responder_given(oversized).result.error(), Errc::limit_exceeded);
  Bytes endless{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
  EXPECT_EQ(responder_given(endless).result.error(), Errc::limit_exceeded);
  EXPECT_EQ(responder_given(Bytes{0x80, 0x00}).result.error(), Errc::malformed);
}

TEST(Handshake, cut_off_anywhere_proves_nothing) {
  Exchange run;
  const Bytes whole = carry_out(run).from_initiator;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Answered answered = responder_given(BytesView(whole).first(size));
    EXPECT_FALSE(answered.result) << size;
    EXPECT_EQ(answered.proved, 0) << size;
    EXPECT_EQ(answered.failed, 0) << size;
  }
}

TEST(Handshake, with_any_bit_changed_on_the_way_proves_nothing) {
  Exchange run;
  const Bytes whole = carry_out(run).from_initiator;
  // The responder draws the same share again; only the change can make the difference.
  ASSERT_TRUE(responder_given(whole).result);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    Bytes changed = whole;
    changed[i] ^= 0x04;
    EXPECT_EQ(responder_given(changed).proved, 0) << i;
  }
}

// The initiator against a responder that a test scripted.
Result<void> initiator_given(std::function<awaitable<void>(net::Stream&)> responder) {
  Exchange run;
  FakeRandom random(11);
  asio::io_context io;
  auto body = [&]() -> awaitable<void> {
    auto [its, mine] = net::make_fake_stream_pair();
    TaskScope tasks(io.get_executor());
    tasks.spawn("initiator", initiate(*its, run, random));
    co_await responder(*mine);
    (void)co_await mine->close_write();
    co_await drained(tasks);
  };
  test::run_async(io, [&body] { return body(); });
  return run.initiator_result;
}

awaitable<void> reflect(net::Stream& stream) {
  auto hello = co_await net::read_delimited(stream, kMaxHandshakeMessage);
  pb::Hello message;
  message.ParseFromArray(hello->data(), static_cast<int>(hello->size()));
  pb::Reply reply;
  reply.set_share(message.share());
  const Bytes bytes = delimited(reply);
  (void)co_await stream.write(bytes);
}

TEST(Handshake, does_not_take_its_own_share_for_an_answer) {
  EXPECT_EQ(initiator_given(reflect).error(), Errc::protocol_violation);
}

// Accepts everybody, but knows no password.
awaitable<void> accept_blindly(net::Stream& stream) {
  (void)co_await net::read_delimited(stream, kMaxHandshakeMessage);
  pb::Reply reply;
  reply.set_share(std::string(as_text(crypto::cpace_generator({as_bytes("p"), {}, {}}))));
  const Bytes reply_bytes = delimited(reply);
  (void)co_await stream.write(reply_bytes);
  (void)co_await net::read_delimited(stream, kMaxHandshakeMessage);
  pb::Verdict verdict;
  verdict.set_outcome(pb::Verdict::ACCEPTED);
  verdict.set_tag(std::string(64, 't'));
  const Bytes verdict_bytes = delimited(verdict);
  (void)co_await stream.write(verdict_bytes);
}

TEST(Handshake, is_not_satisfied_by_a_responder_that_accepts_without_proof) {
  EXPECT_EQ(initiator_given(accept_blindly).error(), HandshakeErrc::unproven);
}

awaitable<void> say_nothing(net::Stream&) { co_return; }

TEST(Handshake, ends_when_the_responder_ends) {
  EXPECT_EQ(initiator_given(say_nothing).error(), Errc::eof);
}

TEST(Handshake, can_be_cancelled_while_it_waits) {
  Exchange run;
  FakeRandom random(11);
  asio::io_context io;
  auto body = [&]() -> awaitable<void> {
    auto [a, b] = net::make_fake_stream_pair();
    auto [c, d] = net::make_fake_stream_pair();
    TaskScope tasks(io.get_executor());
    tasks.spawn("initiator", initiate(*a, run, random));
    tasks.spawn("responder", respond(*c, run, random));
    EXPECT_EQ(tasks.size(), 2u);
    co_await tasks.close();
    EXPECT_EQ(tasks.size(), 0u);
  };
  test::run_async(io, [&body] { return body(); });
  EXPECT_EQ(run.proved, 0);
}

TEST(Handshake, has_the_bytes_of_the_documentation) {
  // Network home, password "correct horse"; keys, binding and scalars as the page says.
  const NetworkName name("home");
  const Network network{name, network_id(name),
                        NetworkSecret(test::hex_fixed<32>(
                            "92af21eaa416806f642040b9a948bec384906e9bfe8b76b053c0d19ac748a096"))};
  const codec::PeerId a = crypto::PrivateKey::from_seed(Bytes(32, 0x01)).peer_id();
  const codec::PeerId b = crypto::PrivateKey::from_seed(Bytes(32, 0x02)).peer_id();
  Exchange run;
  run.initiator_network = network;
  run.responder_networks = {network};
  run.initiator = {a, b, Bytes(32, 0xcb)};
  run.responder = {b, a, Bytes(32, 0xcb)};
  test::GivenRandom initiator_random(Bytes(32, 0x0a));
  test::GivenRandom responder_random(Bytes(32, 0x0b));
  const Transcript transcript = carry_out(run, initiator_random, responder_random);
  EXPECT_TRUE(run.initiator_result);
  EXPECT_TRUE(run.responder_result);
  for (const BytesView bytes :
       {BytesView(transcript.from_initiator), BytesView(transcript.from_responder),
        BytesView(network.id), network.secret.view(), BytesView(a.bytes()), BytesView(b.bytes())}) {
    EXPECT_TRUE(test::page_shows("network-handshake.md", bytes)) << to_hex(bytes);
  }
}

}  // namespace
}  // namespace oc::overlay
