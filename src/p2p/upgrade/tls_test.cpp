#include "p2p/upgrade/tls.hpp"

#include <openssl/ssl.h>

#include "net/fake_stream.hpp"
#include "p2p/upgrade/multistream.hpp"
#include "p2p/upgrade/tls_certificate.hpp"
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

// One side of an honest handshake.
struct Party {
  explicit Party(std::uint64_t seed, std::vector<std::string> speaks = {},
                 std::optional<codec::PeerId> expects = {})
      : identity(key(seed)), muxers(std::move(speaks)), expected(std::move(expects)) {}

  crypto::PrivateKey identity;
  std::vector<std::string> muxers;
  std::optional<codec::PeerId> expected;
};

awaitable<Result<SecureChannel>> take_part(StreamPtr stream, bool initiator, Party party) {
  FakeClock clock;
  TlsContext context(party.identity, clock);
  SecurityOptions options;
  options.expected = party.expected;
  options.muxers = party.muxers;
  co_return co_await context.secure(std::move(stream), initiator, std::move(options));
}

using Both = std::pair<Result<SecureChannel>, Result<SecureChannel>>;
awaitable<Both> shake_hands(Party dialer, Party listener, std::size_t largest_read = 0) {
  auto executor = co_await asio::this_coro::executor;
  auto [a, b] = net::make_fake_stream_pair({.largest_read = largest_read});
  test::Operation<SecureChannel> responding(executor,
                                            take_part(std::move(b), false, std::move(listener)));
  auto first = co_await take_part(std::move(a), true, std::move(dialer));
  auto second = co_await responding.result();
  Both both(std::move(first), std::move(second));
  co_return both;
}

TEST(Tls, both_sides_learn_each_others_key_and_agree_on_the_binding) {
  test::run_async([]() -> awaitable<void> {
    for (const std::size_t pieces : {0u, 1u, 13u}) {
      auto [a, b] = co_await shake_hands(Party(1, {}, key(2).peer_id()),
                                         Party(2, {}, key(1).peer_id()), pieces);
      EXPECT_TRUE(a && b);
      if (!a || !b) co_return;
      EXPECT_EQ(a->remote_key, key(2).public_key());
      EXPECT_EQ(b->remote_key, key(1).public_key());
      EXPECT_EQ(a->binding, b->binding);
      EXPECT_EQ(a->binding.size(), 32u);
      EXPECT_EQ(a->security, kTlsId);
      EXPECT_TRUE(co_await net::write_delimited(*a->stream, as_bytes("there")));
      auto there = co_await net::read_delimited(*b->stream, 100);
      EXPECT_TRUE(there && as_text(*there) == "there");
      EXPECT_TRUE(co_await net::write_delimited(*b->stream, as_bytes("back")));
      auto back = co_await net::read_delimited(*a->stream, 100);
      EXPECT_TRUE(back && as_text(*back) == "back");
    }
  });
}

TEST(Tls, each_handshake_has_a_binding_of_its_own) {
  test::run_async([]() -> awaitable<void> {
    auto [a, b] = co_await shake_hands(Party(1), Party(2));
    auto [c, d] = co_await shake_hands(Party(1), Party(2));
    EXPECT_TRUE(a && c && a->binding != c->binding);
  });
}

TEST(Tls, another_peer_than_expected_is_refused_on_either_side) {
  test::run_async([]() -> awaitable<void> {
    auto [dialer, dialed] = co_await shake_hands(Party(1, {}, key(3).peer_id()), Party(2));
    EXPECT_EQ(dialer.error(), P2pErrc::wrong_peer);
    EXPECT_FALSE(dialed) << "before the dialer told its own name";
    auto [a, b] = co_await shake_hands(Party(1), Party(2, {}, key(3).peer_id()));
    EXPECT_EQ(b.error(), P2pErrc::wrong_peer);
    // The dialer is done before the listener has looked at its certificate.
    EXPECT_TRUE(a);
    FixedBytes<1> into;
    auto read = co_await a->stream->read_some(into);
    EXPECT_FALSE(read);
  });
}

TEST(Tls, the_initiators_order_of_muxers_decides) {
  test::run_async([]() -> awaitable<void> {
    const std::vector<std::string> ab{"/a", "/b"}, cba{"/c", "/b", "/a"}, d{"/d"}, none;
    struct Case {
      std::vector<std::string> initiator, responder;
      std::optional<std::string> agreed;
    };
    const std::vector<Case> cases{{ab, cba, "/a"}, {cba, ab, "/b"}, {ab, d, {}},
                                  {none, ab, {}},  {ab, none, {}},  {none, none, {}}};
    for (const Case& c : cases) {
      auto [a, b] = co_await shake_hands(Party(1, c.initiator), Party(2, c.responder));
      EXPECT_TRUE(a && b && a->muxer == c.agreed && b->muxer == c.agreed);
    }
  });
}

TEST(Tls, data_behind_the_dialers_last_flight_is_not_lost) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [a, b] = net::make_fake_stream_pair();
    // The listener reads only when all is there: the flight, and what follows it.
    test::Operation<SecureChannel> dialing(executor, take_part(std::move(a), true, Party(1)));
    test::Operation<SecureChannel> accepting(executor, take_part(std::move(b), false, Party(2)));
    auto dialed = co_await dialing.result();
    EXPECT_TRUE(dialed);
    const Bytes much(40'000, 'x');
    test::Operation<void> writing(executor, dialed->stream->write(much));
    auto accepted = co_await accepting.result();
    EXPECT_TRUE(accepted);
    Bytes got(much.size());
    EXPECT_TRUE(co_await net::read_exactly(*accepted->stream, got));
    EXPECT_TRUE(got == much);
    EXPECT_TRUE(co_await writing.result());
  });
}

TEST(Tls, a_handshake_can_be_cancelled_at_any_point) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    for (int turns = 0; turns < 12; ++turns) {
      auto [a, b] = net::make_fake_stream_pair();
      test::Operation<SecureChannel> dialing(executor, take_part(std::move(a), true, Party(1)));
      test::Operation<SecureChannel> accepting(executor, take_part(std::move(b), false, Party(2)));
      co_await test::turns(turns);
      dialing.cancel();
      accepting.cancel();
      (void)co_await dialing.result();
      (void)co_await accepting.result();
    }
  });
}

// ---- peers that shake hands by OpenSSL alone, and as they like

struct Stranger {
  TlsCredentials credentials = make_tls_credentials(key(9), FakeClock().wall_now());
  std::function<void(SSL_CTX*)> settings = [](SSL_CTX*) {};
  bool shows_certificate = true;
  bool client = true;
};

// Runs the stranger's handshake to its end, then waits for the end of the stream: whether OpenSSL
// was content, and whether it got an alert or an end afterwards.
awaitable<Result<void>> act(StreamPtr stream, Stranger stranger) {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_method()),
                                                            SSL_CTX_free);
  if (stranger.shows_certificate) {
    SSL_CTX_use_certificate(context.get(), stranger.credentials.certificate.get());
    SSL_CTX_use_PrivateKey(context.get(), stranger.credentials.key.get());
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  stranger.settings(context.get());
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  stranger.client ? SSL_set_connect_state(ssl.get()) : SSL_set_accept_state(ssl.get());
  Bytes into(4096);
  for (;;) {
    char byte = 0;
    const int done = SSL_is_init_finished(ssl.get()) ? SSL_read(ssl.get(), &byte, 1)
                                                     : SSL_do_handshake(ssl.get());
    const bool more = done == 1 || SSL_get_error(ssl.get(), done) == SSL_ERROR_WANT_READ;
    Bytes out(BIO_ctrl_pending(SSL_get_wbio(ssl.get())));
    if (!out.empty()) BIO_read(SSL_get_wbio(ssl.get()), out.data(), static_cast<int>(out.size()));
    if (!out.empty()) CO_CHECK(co_await stream->write(out));
    if (!more) co_return P2pErrc::handshake_failed;
    if (done == 1) continue;
    CO_TRY(const std::size_t n, co_await stream->read_some(into));
    BIO_write(SSL_get_rbio(ssl.get()), into.data(), static_cast<int>(n));
  }
}

// What our side makes of the stranger.
Result<SecureChannel> verdict_on(Stranger stranger) {
  Result<SecureChannel> verdict = Errc::closed;
  test::run_async([&]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [a, b] = net::make_fake_stream_pair();
    const bool we_dial = !stranger.client;
    test::Operation<void> acting(executor, act(std::move(a), std::move(stranger)));
    Party ours(1, {kYamuxId});
    verdict = co_await take_part(std::move(b), we_dial, std::move(ours));
    if (verdict) verdict->stream.reset();
    EXPECT_FALSE(co_await acting.result()) << "it sees the end";
  });
  return verdict;
}

void offer(SSL_CTX* context, std::string_view protocol) {
  Bytes list{static_cast<Byte>(protocol.size())};
  append(list, as_bytes(protocol));
  SSL_CTX_set_alpn_protos(context, list.data(), static_cast<unsigned>(list.size()));
}

TEST(TlsStranger, a_correct_one_is_taken) {
  Stranger stranger;
  stranger.settings = [](SSL_CTX* context) { offer(context, "/yamux/1.0.0"); };
  auto verdict = verdict_on(std::move(stranger));
  EXPECT_TRUE(verdict && verdict->remote_key == key(9).public_key());
  EXPECT_EQ(verdict->muxer, kYamuxId);
}

TEST(TlsStranger, every_suite_is_taken) {
  for (const char* suite :
       {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    for (const bool client : {true, false}) {
      Stranger stranger;
      stranger.client = client;
      stranger.settings = [suite](SSL_CTX* context) {
        SSL_CTX_set_ciphersuites(context, suite);
        SSL_CTX_set_num_tickets(context, 0);
      };
      EXPECT_TRUE(verdict_on(std::move(stranger))) << suite;
    }
  }
}

TEST(TlsStranger, older_versions_of_tls_are_refused) {
  Stranger stranger;
  stranger.settings = [](SSL_CTX* context) {
    SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  };
  EXPECT_EQ(verdict_on(std::move(stranger)).error(), P2pErrc::handshake_failed);
}

TEST(TlsStranger, a_client_without_a_certificate_is_refused) {
  Stranger stranger;
  stranger.shows_certificate = false;
  EXPECT_EQ(verdict_on(std::move(stranger)).error(), P2pErrc::handshake_failed);
}

TEST(TlsStranger, two_certificates_are_one_too_many) {
  for (const bool client : {true, false}) {
    Stranger stranger;
    stranger.client = client;
    stranger.settings = [](SSL_CTX* context) {
      const TlsCredentials more = make_tls_credentials(key(8), FakeClock().wall_now());
      SSL_CTX_add1_chain_cert(context, more.certificate.get());
    };
    EXPECT_EQ(verdict_on(std::move(stranger)).error(), P2pErrc::bad_certificate);
  }
}

TEST(TlsStranger, a_certificate_that_is_no_longer_valid_is_refused) {
  for (const bool client : {true, false}) {
    Stranger stranger;
    stranger.client = client;
    const WallTime long_ago = FakeClock().wall_now() - std::chrono::hours(24 * 365 * 101);
    stranger.credentials = make_tls_credentials(key(9), long_ago);
    EXPECT_EQ(verdict_on(std::move(stranger)).error(), P2pErrc::bad_certificate);
  }
}

TEST(TlsStranger, a_client_whose_protocols_we_do_not_speak_is_refused) {
  Stranger stranger;
  stranger.settings = [](SSL_CTX* context) { offer(context, "h2"); };
  EXPECT_EQ(verdict_on(std::move(stranger)).error(), P2pErrc::handshake_failed);
}

// What a server saw in our hello, and what it answers.
struct Hello {
  std::string answer;
  Bytes protocols = {};
  bool named = false;
};

int look_and_choose(SSL* ssl, const unsigned char** out, unsigned char* size,
                    const unsigned char* offers, unsigned offers_size, void* argument) {
  auto& hello = *static_cast<Hello*>(argument);
  hello.protocols = to_bytes({offers, offers_size});
  hello.named = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) != nullptr;
  *out = reinterpret_cast<const unsigned char*>(hello.answer.data());
  *size = static_cast<unsigned char>(hello.answer.size());
  return SSL_TLSEXT_ERR_OK;
}

Result<SecureChannel> dial_server(Hello& hello) {
  Stranger stranger;
  stranger.client = false;
  stranger.settings = [&hello](SSL_CTX* context) {
    SSL_CTX_set_alpn_select_cb(context, look_and_choose, &hello);
  };
  return verdict_on(std::move(stranger));
}

TEST(TlsStranger, our_hello_names_no_host_and_offers_our_muxers_before_the_plain_protocol) {
  Hello hello{.answer = "libp2p"};
  const auto verdict = dial_server(hello);
  EXPECT_TRUE(verdict && !verdict->muxer);
  EXPECT_EQ(as_text(hello.protocols), "\x0c/yamux/1.0.0\x06libp2p");
  EXPECT_FALSE(hello.named);
}

TEST(TlsStranger, a_server_that_chooses_what_was_not_offered_is_refused) {
  Hello hello{.answer = "/other/1.0.0"};
  EXPECT_EQ(dial_server(hello).error(), P2pErrc::handshake_failed);
}

TEST(TlsStranger, bytes_that_are_no_tls_end_the_handshake) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    for (const bool initiator : {true, false}) {
      auto [a, b] = net::make_fake_stream_pair();
      test::Operation<SecureChannel> ours(executor, take_part(std::move(b), initiator, Party(1)));
      EXPECT_TRUE(co_await a->write(as_bytes("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n")));
      auto result = co_await ours.result();
      EXPECT_TRUE(!result && result.error() == P2pErrc::handshake_failed);
    }
  });
}

TEST(TlsStranger, tickets_of_a_server_are_dropped) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [a, b] = net::make_fake_stream_pair();
    Stranger stranger;
    stranger.client = false;
    stranger.settings = [](SSL_CTX* context) { SSL_CTX_set_num_tickets(context, 2); };
    test::Operation<void> acting(executor, act(std::move(a), std::move(stranger)));
    auto channel = co_await take_part(std::move(b), true, Party(1));
    EXPECT_TRUE(channel);
    FixedBytes<1> into;
    test::Operation<std::size_t> reading(executor, channel->stream->read_some(into));
    co_await test::settle();
    EXPECT_FALSE(reading.done()) << "two tickets are no data and no error";
    reading.cancel();
    (void)co_await reading.result();
    channel->stream.reset();
    (void)co_await acting.result();
  });
}

// ---- the choice between TLS and Noise

awaitable<std::string> agreed(UpgradeOptions dialer, UpgradeOptions listener) {
  auto executor = co_await asio::this_coro::executor;
  auto [a, b] = net::make_fake_stream_pair();
  FakeClock clock;
  FakeRandom random(1);
  const crypto::PrivateKey here = key(1), there = key(2);
  Upgrader dials(here, clock, random, std::move(dialer));
  Upgrader accepts(there, clock, random, std::move(listener));
  test::Operation<SecureChannel> accepting(executor,
                                           accepts.upgrade(std::move(b), false, std::nullopt));
  auto dialed = co_await dials.upgrade(std::move(a), true, there.peer_id());
  auto accepted = co_await accepting.result();
  if (!dialed || !accepted || dialed->security != accepted->security) co_return "none";
  EXPECT_EQ(dialed->muxer, kYamuxId);
  co_return std::string(dialed->security);
}

TEST(Upgrade, tls_is_preferred_and_either_side_may_lack_it) {
  test::run_async([]() -> awaitable<void> {
    UpgradeOptions both, noise, tls;
    noise.security = {kNoiseId};
    tls.security = {kTlsId};
    EXPECT_EQ(co_await agreed(both, both), kTlsId);
    EXPECT_EQ(co_await agreed(both, noise), kNoiseId);
    EXPECT_EQ(co_await agreed(noise, both), kNoiseId);
    EXPECT_EQ(co_await agreed(both, tls), kTlsId);
    EXPECT_EQ(co_await agreed(noise, tls), "none");
  });
}

}  // namespace
}  // namespace oc::p2p
