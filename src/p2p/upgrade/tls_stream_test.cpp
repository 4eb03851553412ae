#include "p2p/upgrade/tls_stream.hpp"

#include "net/fake_stream.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"
#include "support/vectors.hpp"

namespace oc::p2p {
namespace {

using crypto::kTlsOverhead;
using crypto::TlsContent;
using crypto::TlsTrafficCipher;
using test::hex;
using Use = TlsTrafficCipher::Use;

TlsTrafficCipher cipher(Byte seed, Use use) {
  return TlsTrafficCipher(crypto::TlsSuite::aes_128_gcm_sha256, use, Bytes(32, seed));
}

// A channel end over a fake stream, and the bare stream of its peer, who seals and opens by hand.
struct Rig {
  explicit Rig(std::size_t largest_read = 0, std::uint64_t records_per_key = kRecordsPerKey)
      : Rig(net::make_fake_stream_pair({.capacity = 1 << 20, .largest_read = largest_read}),
            records_per_key) {}

  // The next record of the peer.
  Bytes sealed(TlsContent type, BytesView content) {
    Bytes record(content.size() + kTlsOverhead);
    EXPECT_TRUE(seal.seal(type, content, record.data()));
    return record;
  }
  Bytes sealed(std::string_view text) {
    return sealed(TlsContent::application_data, as_bytes(text));
  }

  // The next record that our end sent.
  awaitable<std::pair<TlsContent, Bytes>> next_record() {
    Bytes record(5);
    EXPECT_TRUE(co_await net::read_exactly(*peer, record));
    record.resize(5 + get_be16(&record[3]));
    EXPECT_TRUE(co_await net::read_exactly(*peer, MutableBytes(record).subspan(5)));
    Bytes content(record.size());
    auto opened = open.open(record, content.data());
    EXPECT_TRUE(opened);
    content.resize(opened ? opened->size : 0);
    std::pair out(opened ? opened->type : TlsContent::alert, std::move(content));
    co_return out;
  }

  awaitable<error_code> read_error() {
    FixedBytes<8> into;
    auto read = co_await stream.read_some(into);
    co_return read ? error_code() : read.error();
  }

  TlsTrafficCipher seal = cipher(1, Use::seal), open = cipher(2, Use::open);
  std::unique_ptr<net::Stream> peer;
  TlsStream stream;

 private:
  Rig(std::pair<std::unique_ptr<net::Stream>, std::unique_ptr<net::Stream>> pair,
      std::uint64_t records_per_key)
      : peer(std::move(pair.first)),
        stream(std::move(pair.second), cipher(2, Use::seal), cipher(1, Use::open), Buffer(),
               records_per_key) {}
};

awaitable<std::string> read_text(net::Stream& stream, std::size_t size) {
  Bytes bytes(size);
  auto read = co_await net::read_exactly(stream, bytes);
  EXPECT_TRUE(read) << read.error().message();
  co_return std::string(as_text(bytes));
}

const Bytes kKeyUpdate = hex("18 000001 00"), kKeyUpdateAsked = hex("18 000001 01");

TEST(TlsStream, records_arrive_however_they_are_cut) {
  test::run_async([]() -> awaitable<void> {
    for (const std::size_t pieces : {1u, 2u, 3u, 17u, 0u}) {
      Rig rig(pieces);
      Bytes wire = rig.sealed("one ");
      append(wire, rig.sealed("two "));
      append(wire, rig.sealed("three"));
      EXPECT_TRUE(co_await rig.peer->write(wire));
      EXPECT_EQ(co_await read_text(rig.stream, 13), "one two three");
    }
  });
}

TEST(TlsStream, records_that_came_together_are_read_as_one_buffer) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    Bytes wire = rig.sealed("one ");
    append(wire, rig.sealed("two"));
    EXPECT_TRUE(co_await rig.peer->write(wire));
    auto chain = co_await rig.stream.read_chain();
    EXPECT_TRUE(chain && chain->count() == 1u && as_text((*chain)[0].bytes()) == "one two");
  });
}

TEST(TlsStream, a_long_buffer_becomes_a_row_of_records) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    const Bytes much(65'519, 'm');
    BufferChain chain;
    chain.push(Buffer::copy_of(much));
    EXPECT_TRUE(co_await rig.stream.write_chain(std::move(chain)));
    Bytes got;
    for (const std::size_t size : {16'384u, 16'384u, 16'384u, 16'367u}) {
      auto [type, content] = co_await rig.next_record();
      EXPECT_EQ(content.size(), size);
      append(got, content);
    }
    EXPECT_TRUE(got == much);
  });
}

TEST(TlsStream, buffers_of_any_size_and_room_keep_their_order) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig;
    Bytes all;
    for (const std::size_t size : {1u, 16'384u, 16'385u, 40'000u, 65'507u, 7u, 131'072u}) {
      BufferChain chain;
      for (int i = 0; i < 4; ++i) {
        const Bytes piece(size, static_cast<Byte>(size + static_cast<std::size_t>(i)));
        append(all, piece);
        Buffer buffer = Buffer::copy_of(piece);
        // Every second one without room in front.
        if (i % 2 == 1) buffer = buffer.slice(0, size);
        chain.push(std::move(buffer));
      }
      test::Operation<void> writing(executor, rig.stream.write_chain(std::move(chain)));
      while (all.size() != 0) {
        auto [type, content] = co_await rig.next_record();
        EXPECT_TRUE(equal(BytesView(all).first(content.size()), content)) << size;
        all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(content.size()));
        if (content.empty()) break;
      }
      EXPECT_TRUE(co_await writing.result());
    }
  });
}

TEST(TlsStream, ends_are_told_by_close_notify) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    EXPECT_TRUE(co_await rig.stream.close_write());
    EXPECT_TRUE(co_await rig.stream.close_write()) << "a second time does nothing";
    auto [type, content] = co_await rig.next_record();
    EXPECT_EQ(type, TlsContent::alert);
    EXPECT_EQ(to_hex(content), "0100");
    FixedBytes<1> into;
    auto end = co_await rig.peer->read_some(into);
    EXPECT_TRUE(!end && end.error() == Errc::eof);
    // The other half goes on, and ends likewise.
    Bytes wire = rig.sealed("last");
    append(wire, rig.sealed(TlsContent::alert, hex("0100")));
    append(wire, rig.sealed("behind the end"));
    EXPECT_TRUE(co_await rig.peer->write(wire));
    EXPECT_EQ(co_await read_text(rig.stream, 4), "last");
    EXPECT_EQ(co_await rig.read_error(), Errc::eof);
    EXPECT_EQ(co_await rig.read_error(), Errc::eof);
  });
}

TEST(TlsStream, an_end_without_close_notify_may_be_a_cut) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    EXPECT_TRUE(co_await rig.peer->write(rig.sealed("x")));
    EXPECT_TRUE(co_await rig.peer->close_write());
    EXPECT_EQ(co_await read_text(rig.stream, 1), "x");
    EXPECT_EQ(co_await rig.read_error(), Errc::reset);
  });
}

TEST(TlsStream, a_fatal_alert_is_a_reset) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    EXPECT_TRUE(co_await rig.peer->write(rig.sealed(TlsContent::alert, hex("0214"))));
    EXPECT_EQ(co_await rig.read_error(), Errc::reset);
  });
}

TEST(TlsStream, a_key_update_changes_the_peers_key) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    Bytes wire = rig.sealed("old ");
    append(wire, rig.sealed(TlsContent::handshake, kKeyUpdate));
    rig.seal.update();
    append(wire, rig.sealed("new"));
    EXPECT_TRUE(co_await rig.peer->write(wire));
    EXPECT_EQ(co_await read_text(rig.stream, 7), "old new");
  });
}

TEST(TlsStream, a_key_update_that_asks_for_ours_gets_it_before_our_next_data) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    Bytes wire = rig.sealed(TlsContent::handshake, kKeyUpdateAsked);
    rig.seal.update();
    append(wire, rig.sealed("x"));
    EXPECT_TRUE(co_await rig.peer->write(wire));
    EXPECT_EQ(co_await read_text(rig.stream, 1), "x");
    EXPECT_TRUE(co_await rig.stream.write(as_bytes("y")));
    auto [type, message] = co_await rig.next_record();
    EXPECT_EQ(type, TlsContent::handshake);
    EXPECT_EQ(message, kKeyUpdate);
    rig.open.update();
    auto [then, content] = co_await rig.next_record();
    EXPECT_EQ(as_text(content), "y");
  });
}

TEST(TlsStream, our_key_is_changed_after_its_share_of_records) {
  test::run_async([]() -> awaitable<void> {
    constexpr int kShare = 3;
    Rig rig(0, kShare);
    for (int i = 0; i < 5 * kShare; ++i) {
      EXPECT_TRUE(co_await rig.stream.write(as_bytes("data")));
      if (i != 0 && i % kShare == 0) {
        auto [type, message] = co_await rig.next_record();
        EXPECT_TRUE(type == TlsContent::handshake && message == kKeyUpdate) << i;
        rig.open.update();
      }
      auto [type, content] = co_await rig.next_record();
      EXPECT_EQ(as_text(content), "data") << i;
    }
  });
}

// What our end makes of these records, and then of nothing more.
error_code verdict_on(std::vector<std::pair<TlsContent, Bytes>> records) {
  error_code verdict;
  test::run_async([&]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig;
    for (const auto& [type, content] : records) {
      EXPECT_TRUE(co_await rig.peer->write(rig.sealed(type, content)));
    }
    test::Operation<void> reading(executor, [](TlsStream& stream) -> awaitable<Result<void>> {
      FixedBytes<8> into;
      CO_TRY(const std::size_t n, co_await stream.read_some(into));
      co_return n == 0 ? Errc::malformed : Errc::already_exists;
    }(rig.stream));
    co_await test::settle();
    if (!reading.done()) reading.cancel();
    verdict = (co_await reading.result()).error();
  });
  return verdict;
}

constexpr auto kWaits = Errc::cancelled;

TEST(TlsStream, what_follows_the_handshake_is_tickets_and_key_updates_only) {
  const auto handshake = [](std::string_view text) {
    return std::vector{std::pair(TlsContent::handshake, hex(text))};
  };
  EXPECT_EQ(verdict_on(handshake("04 000003 aabbcc")), kWaits) << "a ticket";
  EXPECT_EQ(verdict_on(handshake("04 000003 aa")), kWaits) << "a part of one";
  EXPECT_EQ(verdict_on(handshake("04 000001 aa 04 000001 bb")), kWaits) << "two of them";
  EXPECT_EQ(verdict_on(handshake("04 ffffff aa")), Errc::protocol_violation) << "too long";
  EXPECT_EQ(verdict_on(handshake("01 000000")), Errc::protocol_violation) << "ClientHello";
  EXPECT_EQ(verdict_on(handshake("0d 000000")), Errc::protocol_violation) << "CertificateRequest";
  EXPECT_EQ(verdict_on(handshake("18 000001 02")), Errc::protocol_violation);
  EXPECT_EQ(verdict_on(handshake("18 000002 0000")), Errc::protocol_violation);
  EXPECT_EQ(verdict_on(handshake("18 000001 00 04 000000")), Errc::protocol_violation)
      << "a message behind the change of keys";
}

TEST(TlsStream, a_message_may_come_in_parts) {
  EXPECT_EQ(verdict_on({{TlsContent::handshake, hex("04 0000")},
                        {TlsContent::handshake, hex("02 aa")},
                        {TlsContent::handshake, hex("bb 01000000")}}),
            Errc::protocol_violation)
      << "the ticket is whole, and a ClientHello behind it";
}

TEST(TlsStream, records_without_data_are_taken_in_measure) {
  std::vector<std::pair<TlsContent, Bytes>> empty(kMaxUselessRecords,
                                                  {TlsContent::application_data, {}});
  EXPECT_EQ(verdict_on(empty), kWaits) << "they are no end";
  empty.push_back({TlsContent::application_data, {}});
  EXPECT_EQ(verdict_on(empty), Errc::protocol_violation);
}

TEST(TlsStream, a_changed_byte_anywhere_kills_the_channel_for_good) {
  test::run_async([]() -> awaitable<void> {
    for (std::size_t at = 0; at < 5 + kTlsOverhead; ++at) {
      if (at == 3 || at == 4) continue;  // another length waits for other bytes
      Rig rig;
      const Bytes good = rig.sealed("hello");
      Bytes wire = good;
      wire[at] ^= 1;
      append(wire, good);  // the true record behind the changed one must not be taken
      EXPECT_TRUE(co_await rig.peer->write(wire));
      EXPECT_EQ(co_await rig.read_error(), P2pErrc::decrypt_failed) << at;
      EXPECT_TRUE(co_await rig.read_error()) << "for good";
    }
  });
}

TEST(TlsStream, lengths_that_no_record_has_are_refused_at_the_header) {
  for (const char* header : {"17 0303 4101", "17 0303 ffff"}) {
    test::run_async([header]() -> awaitable<void> {
      Rig rig;
      EXPECT_TRUE(co_await rig.peer->write(hex(header)));
      EXPECT_EQ(co_await rig.read_error(), P2pErrc::decrypt_failed);
    });
  }
  for (std::size_t size = 0; size < kTlsOverhead - 5; ++size) {
    test::run_async([size]() -> awaitable<void> {
      Rig rig;
      Bytes record = hex("17 0303 0000");
      record[4] = static_cast<Byte>(size);
      record.resize(record.size() + size);
      EXPECT_TRUE(co_await rig.peer->write(record));
      EXPECT_EQ(co_await rig.read_error(), P2pErrc::decrypt_failed);
    });
  }
}

TEST(TlsStream, an_idle_stream_holds_no_block) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig;
    const std::size_t before = Buffer::blocks_in_use();
    EXPECT_TRUE(co_await rig.peer->write(rig.sealed("x")));
    EXPECT_EQ(co_await read_text(rig.stream, 1), "x");
    FixedBytes<1> into;
    test::Operation<std::size_t> reading(executor, rig.stream.read_some(into));
    co_await test::settle();
    EXPECT_EQ(Buffer::blocks_in_use(), before);
    reading.cancel();
    (void)co_await reading.result();
  });
}

}  // namespace
}  // namespace oc::p2p
