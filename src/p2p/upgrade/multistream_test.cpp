#include "p2p/upgrade/multistream.hpp"

#include "base/deadline.hpp"
#include "net/fake_stream.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

using namespace std::chrono_literals;
using StreamPtr = std::unique_ptr<net::Stream>;

bool is_echo(std::string_view protocol) { return protocol == "/echo/1.0.0"; }

Bytes messages(std::initializer_list<std::string_view> texts) {
  Bytes out;
  for (const std::string_view text : texts) append(out, encode_multistream(text));
  return out;
}

// What the other side said, until it ended.
awaitable<std::string> rest_of(net::Stream& stream) {
  std::string out;
  FixedBytes<500> into;
  for (;;) {
    auto n = co_await stream.read_some(into);
    if (!n) co_return out;
    out += as_text(BytesView(into).first(*n));
  }
}

struct Listened {
  Result<std::string> agreed = Errc::closed;
  std::string said;  // by the listener
  std::string left;  // not read by it
};

// A listener that speaks /echo/1.0.0 and hears these bytes, in pieces, and then the end.
Listened listener_hears(Bytes bytes, std::size_t pieces = 0) {
  Listened out;
  test::run_async([&] {
    return [](Bytes sent, std::size_t largest, Listened& into) -> awaitable<void> {
      auto [peer, stream] = net::make_fake_stream_pair({.largest_read = largest});
      EXPECT_TRUE(co_await peer->write(sent));
      EXPECT_TRUE(co_await peer->close_write());
      into.agreed = co_await select_as_listener(*stream, is_echo);
      EXPECT_TRUE(co_await stream->close_write());
      into.said = co_await rest_of(*peer);
      into.left = co_await rest_of(*stream);
    }(std::move(bytes), pieces, out);
  });
  return out;
}

// A dialer with these offers that hears these bytes and then the end.
Listened dialer_hears(std::vector<std::string> offers, Bytes bytes) {
  Listened out;
  test::run_async([&] {
    return [](std::vector<std::string> offered, Bytes sent, Listened& into) -> awaitable<void> {
      auto [peer, stream] = net::make_fake_stream_pair({.largest_read = 5});
      EXPECT_TRUE(co_await peer->write(sent));
      EXPECT_TRUE(co_await peer->close_write());
      into.agreed = co_await select_as_dialer(*stream, offered);
      EXPECT_TRUE(co_await stream->close_write());
      into.said = co_await rest_of(*peer);
      into.left = co_await rest_of(*stream);
    }(std::move(offers), std::move(bytes), out);
  });
  return out;
}

const std::string kHeader = "\x13/multistream/1.0.0\n";

TEST(Multistream, a_message_is_its_length_its_text_and_a_newline) {
  EXPECT_EQ(as_text(encode_multistream(kMultistreamId)), kHeader);
  EXPECT_EQ(to_hex(encode_multistream("na")), "036e610a");
  EXPECT_EQ(to_hex(encode_multistream(std::string(127, 'x'))).substr(0, 4), "8001");
}

TEST(Multistream, the_listener_agrees_and_reads_no_byte_beyond) {
  Bytes sent = messages({kMultistreamId, "/echo/1.0.0"});
  append(sent, as_bytes("application data"));
  for (const std::size_t pieces : {0u, 1u, 2u, 7u}) {
    const Listened out = listener_hears(sent, pieces);
    EXPECT_TRUE(out.agreed && *out.agreed == "/echo/1.0.0");
    EXPECT_EQ(out.said, kHeader + "\x0c/echo/1.0.0\n");
    EXPECT_EQ(out.left, "application data");
  }
}

TEST(Multistream, the_listener_does_not_wait_for_the_dialers_header) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [peer, stream] = net::make_fake_stream_pair();
    test::Operation<std::string> listening(executor, select_as_listener(*stream, is_echo));
    FixedBytes<20> header;
    EXPECT_TRUE(co_await net::read_exactly(*peer, header));
    EXPECT_EQ(as_text(header), kHeader);
    peer->reset();
    EXPECT_FALSE(co_await listening.result());
  });
}

TEST(Multistream, the_dialer_sends_header_and_proposal_without_waiting) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [peer, stream] = net::make_fake_stream_pair();
    const std::vector<std::string> offers{"/echo/1.0.0"};
    test::Operation<std::string> dialing(executor, select_as_dialer(*stream, offers));
    FixedBytes<33> opening;
    EXPECT_TRUE(co_await net::read_exactly(*peer, opening));
    EXPECT_EQ(as_text(opening), kHeader + "\x0c/echo/1.0.0\n");
    peer->reset();
    EXPECT_FALSE(co_await dialing.result());
  });
}

TEST(Multistream, what_is_not_spoken_is_answered_na_and_the_next_proposal_heard) {
  const Listened out = listener_hears(
      messages({kMultistreamId, "ls", "/libp2p/simultaneous-connect", "/plaintext/2.0.0",
                "/secio/1.0.0", "", "/echo/2.0.0", "/echo/1.0.0"}));
  EXPECT_TRUE(out.agreed);
  std::string expected = kHeader;
  for (int i = 0; i < 6; ++i) expected += "\x03na\n";
  EXPECT_EQ(out.said, expected + "\x0c/echo/1.0.0\n");
}

TEST(Multistream, the_list_is_no_protocol_though_a_handler_may_take_everything) {
  test::run_async([] {
    return [](Bytes sent) -> awaitable<void> {
      auto [peer, stream] = net::make_fake_stream_pair();
      EXPECT_TRUE(co_await peer->write(sent));
      auto agreed = co_await select_as_listener(*stream, [](std::string_view) { return true; });
      EXPECT_TRUE(agreed && *agreed == "/x");
    }(messages({kMultistreamId, "ls", "/x"}));
  });
}

TEST(Multistream, proposals_are_counted) {
  Bytes sent = messages({kMultistreamId});
  for (int i = 0; i < kMaxProposals; ++i) append(sent, encode_multistream("/no"));
  append(sent, encode_multistream("/echo/1.0.0"));
  const Listened out = listener_hears(sent);
  EXPECT_EQ(out.agreed.error(), P2pErrc::negotiation_failed);
}

TEST(Multistream, another_header_ends_it) {
  for (const std::string_view header :
       {"/multistream/2.0.0", "/noise", "", "na", "GET / HTTP/1.1"}) {
    EXPECT_EQ(listener_hears(messages({header, "/echo/1.0.0"})).agreed.error(),
              Errc::protocol_violation);
    EXPECT_EQ(dialer_hears({"/echo/1.0.0"}, messages({header, "/echo/1.0.0"})).agreed.error(),
              Errc::protocol_violation);
  }
}

TEST(Multistream, malformed_messages_end_it) {
  const auto with_length = [](std::initializer_list<Byte> length, std::string_view body) {
    Bytes out = messages({kMultistreamId});
    out.insert(out.end(), length.begin(), length.end());
    append(out, as_bytes(body));
    return out;
  };
  const std::vector<Bytes> bad{
      with_length({0}, ""),                                // no newline fits
      with_length({1}, "x"),                               // no newline
      with_length({5}, "/echo"),                           // none at the end
      with_length({0x81, 0x08}, std::string(1025, '\n')),  // 1025
      with_length({0xff, 0xff, 0x03}, ""),                 // three bytes
      with_length({0x80, 0x80, 0x80, 0x80, 0x08}, ""),     // 2^31
      with_length({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, ""),     // 2^63
      with_length({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, "abc"),  // no end
      with_length({0x8c, 0x00}, "/echo/1.0.0\n"),  // not minimal
      with_length({0x8c, 0x80, 0x00}, "/echo/1.0.0\n"),
  };
  for (const Bytes& bytes : bad) {
    EXPECT_EQ(listener_hears(bytes).agreed.error(), Errc::protocol_violation)
        << to_hex(bytes).substr(0, 80);
    EXPECT_EQ(dialer_hears({"/echo/1.0.0"}, bytes).agreed.error(), Errc::protocol_violation);
  }
}

TEST(Multistream, the_longest_message_passes) {
  Bytes sent =
      messages({kMultistreamId, std::string(kMaxMultistreamMessage - 1, 'x'), "/echo/1.0.0"});
  EXPECT_TRUE(listener_hears(sent).agreed);
}

TEST(Multistream, every_cut_is_an_error) {
  const Bytes whole = messages({kMultistreamId, "/echo/1.0.0"});
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
    const Listened listened = listener_hears(part);
    EXPECT_TRUE(listened.agreed.error() == Errc::eof || listened.agreed.error() == Errc::truncated)
        << n;
    const Listened dialed = dialer_hears({"/echo/1.0.0"}, part);
    EXPECT_TRUE(dialed.agreed.error() == Errc::eof || dialed.agreed.error() == Errc::truncated)
        << n;
  }
}

TEST(Multistream, the_dialer_goes_through_its_offers_in_order) {
  Bytes answers = messages({kMultistreamId, "na", "na", "/c"});
  append(answers, as_bytes("data"));
  const Listened out = dialer_hears({"/a", "/b", "/c"}, answers);
  EXPECT_TRUE(out.agreed && *out.agreed == "/c");
  EXPECT_EQ(out.said, kHeader + "\x03/a\n\x03/b\n\x03/c\n");
  EXPECT_EQ(out.left, "data");
}

TEST(Multistream, the_dialer_ends_with_an_error_when_nothing_is_taken) {
  EXPECT_EQ(dialer_hears({"/a", "/b"}, messages({kMultistreamId, "na", "na"})).agreed.error(),
            P2pErrc::negotiation_failed);
  EXPECT_EQ(dialer_hears({}, messages({kMultistreamId})).agreed.error(),
            P2pErrc::negotiation_failed);
}

TEST(Multistream, an_answer_that_was_not_proposed_is_a_violation) {
  EXPECT_EQ(dialer_hears({"/a", "/b"}, messages({kMultistreamId, "/b"})).agreed.error(),
            Errc::protocol_violation);
}

TEST(Multistream, a_peer_that_drips_meets_the_deadline_of_the_whole) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    FakeClock clock;
    auto [peer, stream] = net::make_fake_stream_pair();
    test::Operation<std::string> listening(
        executor, with_deadline<std::string>(clock, 10s, select_as_listener(*stream, is_echo)));
    Bytes sent = encode_multistream(kMultistreamId);
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_TRUE(co_await peer->write(BytesView(sent).subspan(i, 1)));
      co_await test::settle();
      EXPECT_FALSE(listening.done());
      clock.advance(5s);
      co_await test::settle();
      if (listening.done()) break;
    }
    auto agreed = co_await listening.result();
    EXPECT_TRUE(!agreed && agreed.error() == Errc::timed_out);
  });
}

TEST(LazyMultistream, data_goes_out_behind_the_proposal_at_once) {
  test::run_async([]() -> awaitable<void> {
    auto [peer, near] = net::make_fake_stream_pair();
    auto stream = co_await select_lazily(std::move(near), "/echo/1.0.0");
    EXPECT_TRUE(stream);
    EXPECT_TRUE(co_await (*stream)->write(as_bytes("question")));
    EXPECT_TRUE(co_await (*stream)->close_write());
    auto agreed = co_await select_as_listener(*peer, is_echo);
    EXPECT_TRUE(agreed);
    EXPECT_EQ(co_await rest_of(*peer), "question");
    EXPECT_TRUE(co_await peer->write(as_bytes("answer")));
    EXPECT_TRUE(co_await peer->close_write());
    EXPECT_EQ(co_await rest_of(**stream), "answer");
  });
}

TEST(LazyMultistream, a_refusal_is_told_to_the_first_reader) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    auto [peer, near] = net::make_fake_stream_pair();
    auto stream = co_await select_lazily(std::move(near), "/other/1.0.0");
    test::Operation<std::string> listening(executor, select_as_listener(*peer, is_echo));
    FixedBytes<8> into;
    auto read = co_await (*stream)->read_some(into);
    EXPECT_TRUE(!read && read.error() == P2pErrc::negotiation_failed);
    auto agreed = co_await listening.result();
    EXPECT_TRUE(!agreed && agreed.error() == Errc::reset);
  });
}

TEST(LazyMultistream, a_garbled_answer_is_a_violation) {
  test::run_async([]() -> awaitable<void> {
    auto [peer, near] = net::make_fake_stream_pair();
    auto stream = co_await select_lazily(std::move(near), "/echo/1.0.0");
    const std::string garbage(100, 'H');
    EXPECT_TRUE(co_await peer->write(as_bytes(garbage)));
    FixedBytes<8> into;
    auto read = co_await (*stream)->read_some(into);
    EXPECT_TRUE(!read && read.error() == Errc::protocol_violation);
    auto again = co_await (*stream)->read_some(into);
    EXPECT_TRUE(!again && again.error() == Errc::closed);
  });
}

}  // namespace
}  // namespace oc::p2p
