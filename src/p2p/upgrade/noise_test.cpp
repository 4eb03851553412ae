#include "p2p/upgrade/noise.hpp"

#include "crypto/noise_xx.hpp"
#include "net/fake_stream.hpp"
#include "p2p/noise.pb.h"
#include "p2p/upgrade/multistream.hpp"
#include "p2p/upgrade/upgrade.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using StreamPtr = std::unique_ptr<net::Stream>;

crypto::PrivateKey key(std::uint64_t seed) {
  FakeRandom random(seed);
  return crypto::PrivateKey::generate(random);
}

// One side of an honest handshake. (Its constructor is there because GCC 12 copies braced
// aggregates in a co_await expression bitwise.)
struct Party {
  explicit Party(bool is_initiator, std::uint64_t key_seed, std::vector<std::string> speaks = {},
                 std::optional<codec::PeerId> expects = {})
      : initiator(is_initiator),
        seed(key_seed),
        muxers(std::move(speaks)),
        expected(std::move(expects)) {}

  bool initiator;
  std::uint64_t seed;
  std::vector<std::string> muxers;
  std::optional<codec::PeerId> expected;
};
Party initiator(std::vector<std::string> muxers, std::optional<codec::PeerId> expected = {}) {
  return Party(true, 1, std::move(muxers), std::move(expected));
}
Party responder(std::vector<std::string> muxers, std::optional<codec::PeerId> expected = {}) {
  return Party(false, 2, std::move(muxers), std::move(expected));
}
awaitable<Result<SecureChannel>> take_part(StreamPtr stream, Party party) {
  FakeRandom random(party.seed);
  const crypto::PrivateKey identity = crypto::PrivateKey::generate(random);
  SecurityOptions options;
  options.expected = party.expected;
  options.muxers = party.muxers;
  NoiseContext noise(identity, random);
  co_return co_await noise.secure(std::move(stream), party.initiator, std::move(options));
}

using Both = std::pair<Result<SecureChannel>, Result<SecureChannel>>;
awaitable<Both> shake_hands(Party dialer, Party listener, std::size_t largest_read = 0) {
  auto executor = co_await asio::this_coro::executor;
  auto [a, b] = net::make_fake_stream_pair({.largest_read = largest_read});
  test::Operation<SecureChannel> responding(executor, take_part(std::move(b), std::move(listener)));
  auto first = co_await take_part(std::move(a), std::move(dialer));
  auto second = co_await responding.result();
  Both both(std::move(first), std::move(second));
  co_return both;
}

TEST(Noise, both_sides_learn_each_others_key_and_agree_on_the_binding) {
  test::run_async([]() -> awaitable<void> {
    for (const std::size_t pieces : {0u, 1u, 13u}) {
      auto [a, b] = co_await shake_hands(initiator({}, key(2).peer_id()),
                                         responder({}, key(1).peer_id()), pieces);
      EXPECT_TRUE(a && b);
      if (!a || !b) co_return;
      EXPECT_EQ(a->remote_key, key(2).public_key());
      EXPECT_EQ(b->remote_key, key(1).public_key());
      EXPECT_EQ(a->binding, b->binding);
      EXPECT_EQ(a->binding.size(), 32u);
      EXPECT_TRUE(co_await net::write_delimited(*a->stream, as_bytes("there")));
      auto there = co_await net::read_delimited(*b->stream, 100);
      EXPECT_TRUE(there && as_text(*there) == "there");
      EXPECT_TRUE(co_await net::write_delimited(*b->stream, as_bytes("back")));
      auto back = co_await net::read_delimited(*a->stream, 100);
      EXPECT_TRUE(back && as_text(*back) == "back");
    }
  });
}

TEST(Noise, another_peer_than_expected_is_refused_on_either_side) {
  test::run_async([]() -> awaitable<void> {
    auto [dialer, dialed] = co_await shake_hands(initiator({}, key(3).peer_id()), responder({}));
    EXPECT_EQ(dialer.error(), P2pErrc::wrong_peer);
    EXPECT_EQ(dialed.error(), Errc::reset) << "before the dialer told its own name";
    auto [a, b] = co_await shake_hands(initiator({}), responder({}, key(3).peer_id()));
    EXPECT_EQ(b.error(), P2pErrc::wrong_peer);
  });
}

TEST(Noise, the_initiators_order_of_muxers_decides) {
  test::run_async([]() -> awaitable<void> {
    const std::vector<std::string> ab{"/a", "/b"}, cba{"/c", "/b", "/a"}, d{"/d"}, none;
    struct Case {
      std::vector<std::string> initiator, responder;
      std::optional<std::string> agreed;
    };
    const std::vector<Case> cases{{ab, cba, "/a"}, {cba, ab, "/b"}, {ab, d, {}},
                                  {none, ab, {}},  {ab, none, {}},  {none, none, {}}};
    for (const Case& c : cases) {
      auto [a, b] = co_await shake_hands(initiator(c.initiator), responder(c.responder));
      EXPECT_TRUE(a && b && a->muxer == c.agreed && b->muxer == c.agreed);
    }
  });
}

// ---- a peer that does not keep to the rules, made of the Noise primitives

// What a forger puts into its payload, for its static key.
using Forge = std::function<Bytes(const crypto::X25519PublicKey& static_key)>;

awaitable<Result<void>> send_framed(net::Stream& stream, BytesView message) {
  Bytes framed(2);
  put_be16(framed.data(), static_cast<std::uint16_t>(message.size()));
  append(framed, message);
  co_return co_await stream.write(framed);
}

awaitable<Result<Bytes>> receive_framed(net::Stream& stream) {
  FixedBytes<2> length;
  CO_CHECK(co_await net::read_exactly(stream, length));
  Bytes message(get_be16(length.data()));
  CO_CHECK(co_await net::read_exactly(stream, message));
  co_return message;
}

awaitable<Result<void>> forge(net::Stream& stream, bool initiator, Forge payload) {
  FakeRandom random(99);
  const auto keys = crypto::X25519KeyPair::generate(random);
  const auto role = initiator ? crypto::NoiseRole::initiator : crypto::NoiseRole::responder;
  crypto::NoiseXX noise(role, keys, random);
  const Bytes forged = payload(keys.public_key());
  while (!noise.done()) {
    if (!noise.my_turn()) {
      CO_TRY(const Bytes message, co_await receive_framed(stream));
      CO_CHECK(noise.read_message(message));
      continue;
    }
    // Message 1 is empty; the forger's only other message carries the payload.
    const bool first = initiator && !noise.remote_static();
    CO_TRY(const Bytes message, noise.write_message(first ? BytesView() : BytesView(forged)));
    CO_CHECK(co_await send_framed(stream, message));
  }
  co_return success();
}

// How an honest side takes the forger's payload.
error_code verdict_on(bool forger_initiates, Forge payload,
                      std::optional<codec::PeerId> expected = {}) {
  error_code out;
  test::run_async([&] {
    return [](bool initiates, Forge forged, std::optional<codec::PeerId> who,
              error_code& into) -> awaitable<void> {
      auto executor = co_await asio::this_coro::executor;
      auto [forger, honest] = net::make_fake_stream_pair();
      test::Operation<void> forging(executor, forge(*forger, initiates, std::move(forged)));
      auto channel =
          co_await take_part(std::move(honest), Party(!initiates, 5, {}, std::move(who)));
      if (!channel) into = channel.error();
      channel = Errc::closed;
      (void)co_await forging.result();
    }(forger_initiates, std::move(payload), std::move(expected), out);
  });
  return out;
}

constexpr std::string_view kPrefix = "noise-libp2p-static-key:";

Bytes signed_text(std::string_view prefix, BytesView static_key) {
  Bytes out = to_bytes(as_bytes(prefix));
  append(out, static_key);
  return out;
}

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

Bytes payload_of(const Bytes& identity_key, const Bytes& signature) {
  pb::NoiseHandshakePayload payload;
  if (!identity_key.empty()) payload.set_identity_key(text_of(identity_key));
  if (!signature.empty()) payload.set_identity_sig(text_of(signature));
  return to_bytes(as_bytes(payload.SerializeAsString()));
}

Bytes honest_payload(const crypto::X25519PublicKey& own) {
  return payload_of(key(7).public_key().marshal(), key(7).sign(signed_text(kPrefix, own)));
}

TEST(NoiseForgery, the_forgers_tools_make_an_honest_handshake_too) {
  for (const bool initiates : {true, false}) {
    EXPECT_EQ(verdict_on(initiates, honest_payload), error_code());
    EXPECT_EQ(verdict_on(initiates, honest_payload, key(7).peer_id()), error_code());
  }
}

TEST(NoiseForgery, unproven_identities_are_refused_in_both_roles) {
  const auto a_key = key(7).public_key().marshal();
  FakeRandom random(123);
  const auto other_static = crypto::X25519KeyPair::generate(random).public_key();
  const std::vector<std::pair<const char*, Forge>> forgeries{
      {"no signature", [&](const auto&) { return payload_of(a_key, {}); }},
      {"no key",
       [&](const auto& own) { return payload_of({}, key(7).sign(signed_text(kPrefix, own))); }},
      {"signature over another static key",
       [&](const auto&) {
         return payload_of(a_key, key(7).sign(signed_text(kPrefix, other_static)));
       }},
      {"signature without the prefix",
       [&](const auto& own) { return payload_of(a_key, key(7).sign(signed_text("", own))); }},
      {"signature with a longer prefix",
       [&](const auto& own) {
         return payload_of(a_key, key(7).sign(signed_text(std::string(kPrefix) + '\0', own)));
       }},
      {"another's signature",
       [&](const auto& own) { return payload_of(a_key, key(8).sign(signed_text(kPrefix, own))); }},
      {"empty payload", [](const auto&) { return Bytes(); }},
      {"no protobuf", [](const auto&) { return Bytes{0xff, 0xff, 0xff}; }},
      {"a key of no known type",
       [&](const auto& own) {
         Bytes odd = a_key;
         odd[1] = 9;
         return payload_of(odd, key(7).sign(signed_text(kPrefix, own)));
       }},
      {"signature with a byte changed",
       [&](const auto& own) {
         Bytes signature = key(7).sign(signed_text(kPrefix, own));
         signature[17] ^= 1;
         return payload_of(a_key, signature);
       }},
  };
  for (const auto& [name, forgery] : forgeries) {
    for (const bool initiates : {true, false}) {
      EXPECT_EQ(verdict_on(initiates, forgery), P2pErrc::handshake_failed) << name;
    }
  }
}

TEST(NoiseForgery, who_proved_itself_before_has_to_do_so_again) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    const Forge bent = [](const auto& own) {
      Bytes signature = key(7).sign(signed_text(kPrefix, own));
      signature[17] ^= 1;
      return payload_of(key(7).public_key().marshal(), signature);
    };
    FakeRandom random(5);
    NoiseContext noise(key(5), random);
    const std::vector<std::pair<Forge, bool>> visits{
        {honest_payload, true}, {bent, false}, {honest_payload, true}};
    for (const auto& [payload, proven] : visits) {
      auto [forger, honest] = net::make_fake_stream_pair();
      test::Operation<void> forging(executor, forge(*forger, true, payload));
      auto channel = co_await noise.secure(std::move(honest), false, {});
      EXPECT_EQ(channel.has_value(), proven);
      channel = Errc::closed;
      (void)co_await forging.result();
    }
  });
}

TEST(NoiseForgery, a_proven_key_of_another_peer_than_dialed_is_refused) {
  for (const bool initiates : {true, false}) {
    EXPECT_EQ(verdict_on(initiates, honest_payload, key(8).peer_id()), P2pErrc::wrong_peer);
  }
}

TEST(NoiseForgery, muxers_are_counted) {
  const auto listing = [](int count) -> Forge {
    return [count](const crypto::X25519PublicKey& own) {
      pb::NoiseHandshakePayload payload;
      const Bytes honest = honest_payload(own);
      EXPECT_TRUE(payload.ParseFromArray(honest.data(), static_cast<int>(honest.size())));
      for (int i = 0; i < count; ++i) payload.mutable_extensions()->add_stream_muxers("/m");
      return to_bytes(as_bytes(payload.SerializeAsString()));
    };
  };
  EXPECT_EQ(verdict_on(false, listing(kMaxEarlyMuxers)), error_code());
  EXPECT_EQ(verdict_on(false, listing(kMaxEarlyMuxers + 1)), P2pErrc::handshake_failed);
}

TEST(NoiseForgery, unknown_fields_are_ignored) {
  EXPECT_EQ(verdict_on(true,
                       [](const auto& own) {
                         Bytes payload = honest_payload(own);
                         append(payload, Bytes{0x1a, 3, 'o', 'l', 'd'});  // field 3
                         append(payload, Bytes{0xf8, 0x3f, 1});           // field 1023
                         return payload;
                       }),
            error_code());
}

// The bytes an honest side meets where a handshake message should be, and what it makes of them.
error_code verdict_on_bytes(Bytes bytes, bool honest_initiates) {
  error_code out;
  test::run_async([&] {
    return [](Bytes sent, bool initiates, error_code& into) -> awaitable<void> {
      auto [peer, honest] = net::make_fake_stream_pair({.largest_read = 3});
      EXPECT_TRUE(co_await peer->write(sent));
      EXPECT_TRUE(co_await peer->close_write());
      auto channel = co_await take_part(std::move(honest), Party(initiates, 5));
      into = channel.error();
    }(std::move(bytes), honest_initiates, out);
  });
  return out;
}

TEST(NoiseForgery, handshake_messages_of_odd_lengths_are_refused) {
  const auto framed = [](std::size_t size) {
    Bytes out(2 + size, 9);
    put_be16(out.data(), static_cast<std::uint16_t>(size));
    return out;
  };
  for (const bool initiates : {true, false}) {
    EXPECT_EQ(verdict_on_bytes(framed(0), initiates), P2pErrc::handshake_failed);
    EXPECT_EQ(verdict_on_bytes(framed(31), initiates), P2pErrc::handshake_failed);
    EXPECT_EQ(verdict_on_bytes({0xff, 0xff}, initiates), P2pErrc::handshake_failed)
        << "before any of it came";
    EXPECT_EQ(verdict_on_bytes({0x00, 0x20, 1, 2, 3}, initiates), Errc::truncated);
    EXPECT_EQ(verdict_on_bytes({}, initiates), Errc::eof);
  }
}

TEST(NoiseForgery, the_first_message_carries_nothing) {
  Bytes with_payload(2 + 32 + 5, 9);
  put_be16(with_payload.data(), 37);
  EXPECT_EQ(verdict_on_bytes(with_payload, false), P2pErrc::handshake_failed);
}

TEST(NoiseForgery, a_worthless_ephemeral_key_is_refused) {
  Bytes zero(2 + 32);
  put_be16(zero.data(), 32);
  EXPECT_EQ(verdict_on_bytes(zero, false), P2pErrc::handshake_failed);
}

// ---- from a raw stream to a channel with a muxer

TEST(Upgrade, negotiates_security_and_muxer) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [a, b] = net::make_fake_stream_pair({.largest_read = 10});
    FakeRandom here(1), there(2);
    const auto ours = crypto::PrivateKey::generate(here),
               theirs = crypto::PrivateKey::generate(there);
    FakeClock clock;
    Upgrader accepts(theirs, clock, there, {}), dials(ours, clock, here, {});
    test::Operation<SecureChannel> accepting(executor,
                                             accepts.upgrade(std::move(b), false, std::nullopt));
    auto dialed = co_await dials.upgrade(std::move(a), true, theirs.peer_id());
    auto accepted = co_await accepting.result();
    EXPECT_TRUE(dialed && accepted);
    EXPECT_EQ(dialed->muxer, kYamuxId);
    EXPECT_EQ(accepted->muxer, kYamuxId);
    EXPECT_EQ(accepted->remote_key, ours.public_key());
  });
}

// An initiator that lists other muxers than ours early, and what it says inside the channel.
Result<SecureChannel> upgrade_with_early(std::string early, std::string inside) {
  Result<SecureChannel> verdict = Errc::closed;
  test::run_async([&]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [a, b] = net::make_fake_stream_pair();
    FakeRandom random(1);
    FakeClock clock;
    const crypto::PrivateKey identity = key(1), other = key(2);
    Upgrader accepts(identity, clock, random, {});
    test::Operation<SecureChannel> accepting(executor,
                                             accepts.upgrade(std::move(b), false, std::nullopt));
    const std::vector<std::string> security{kNoiseId}, early_muxers{std::move(early)},
        late_muxers{std::move(inside)};
    EXPECT_TRUE(co_await select_as_dialer(*a, security));
    NoiseContext noise(other, random);
    SecurityOptions options;
    options.muxers = early_muxers;
    auto channel = co_await noise.secure(std::move(a), true, std::move(options));
    EXPECT_TRUE(channel && !channel->muxer);
    if (!channel) co_return;
    (void)co_await select_as_dialer(*channel->stream, late_muxers);
    channel->stream->reset();
    verdict = co_await accepting.result();
  });
  return verdict;
}

TEST(Upgrade, muxers_that_do_not_overlap_early_are_agreed_on_inside_or_not_at_all) {
  const auto agreed = upgrade_with_early("/mplex/6.7.0", kYamuxId);
  EXPECT_TRUE(agreed && agreed->muxer == kYamuxId);
  EXPECT_FALSE(upgrade_with_early("/mplex/6.7.0", "/mplex/6.7.0"));
}

TEST(Upgrade, a_peer_without_early_muxers_is_asked_inside_the_channel) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [a, b] = net::make_fake_stream_pair();
    FakeRandom random(2);
    const auto identity = crypto::PrivateKey::generate(random);
    FakeClock clock;
    Upgrader accepts(identity, clock, random, {});
    test::Operation<SecureChannel> accepting(executor,
                                             accepts.upgrade(std::move(b), false, std::nullopt));
    const std::vector<std::string> security{kNoiseId};
    EXPECT_TRUE(co_await select_as_dialer(*a, security));
    auto channel = co_await take_part(std::move(a), Party(true, 1));
    EXPECT_TRUE(channel && !channel->muxer);
    const std::vector<std::string> muxers{"/mplex/6.7.0", kYamuxId};
    auto muxer = co_await select_as_dialer(*channel->stream, muxers);
    EXPECT_TRUE(muxer && *muxer == kYamuxId);
    auto accepted = co_await accepting.result();
    EXPECT_TRUE(accepted && accepted->muxer == kYamuxId);
  });
}

}  // namespace
}  // namespace oc::p2p
