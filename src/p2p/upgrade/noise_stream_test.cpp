#include "p2p/upgrade/noise_stream.hpp"

#include "net/fake_stream.hpp"
#include "p2p/upgrade/noise.hpp"
#include "support/operation.hpp"
#include "support/run_async.hpp"

namespace oc::p2p {
namespace {

crypto::CipherState cipher(Byte seed, std::uint64_t nonce = 0) {
  crypto::Secret<32> secret;
  std::ranges::fill(secret.mutable_view(), seed);
  crypto::CipherState state(secret);
  state.set_nonce(nonce);
  return state;
}

// A channel end over a fake stream, and the bare stream of its peer, who seals by hand.
struct Rig {
  explicit Rig(std::size_t largest_read = 0, std::uint64_t nonce = 0)
      : Rig(net::make_fake_stream_pair({.capacity = 1 << 20, .largest_read = largest_read}),
            nonce) {}

  // The next frame of the peer.
  Bytes sealed(BytesView plain) {
    Bytes out(2 + plain.size() + 16);
    put_be16(out.data(), static_cast<std::uint16_t>(plain.size() + 16));
    std::ranges::copy(plain, out.begin() + 2);
    EXPECT_TRUE(
        seal.seal_in_place({}, out.data() + 2, plain.size(), out.data() + 2 + plain.size()));
    return out;
  }
  Bytes sealed(std::string_view text) { return sealed(as_bytes(text)); }

  crypto::CipherState seal;
  std::unique_ptr<net::Stream> peer;
  NoiseStream stream;

 private:
  Rig(std::pair<std::unique_ptr<net::Stream>, std::unique_ptr<net::Stream>> pair,
      std::uint64_t nonce)
      : seal(cipher(1, nonce)),
        peer(std::move(pair.first)),
        stream(std::move(pair.second), cipher(2, nonce), cipher(1, nonce)) {}
};

awaitable<std::string> read_text(net::Stream& stream, std::size_t size) {
  Bytes bytes(size);
  auto read = co_await net::read_exactly(stream, bytes);
  EXPECT_TRUE(read) << read.error().message();
  co_return std::string(as_text(bytes));
}

TEST(NoiseStream, frames_arrive_however_they_are_cut) {
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

TEST(NoiseStream, empty_frames_are_no_end) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig;
    FixedBytes<8> into;
    test::Operation<std::size_t> reading(executor, rig.stream.read_some(into));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(co_await rig.peer->write(rig.sealed("")));
    co_await test::settle();
    EXPECT_FALSE(reading.done());
    EXPECT_TRUE(co_await rig.peer->write(rig.sealed("x")));
    auto n = co_await reading.result();
    EXPECT_TRUE(n && *n == 1u);
  });
}

TEST(NoiseStream, frames_that_carry_nothing_hold_up_nobody) {
  test::run_async([]() -> awaitable<void> {
    auto executor = co_await asio::this_coro::executor;
    Rig rig;
    Bytes wire;
    while (wire.size() < 3 * kReadTurn) append(wire, rig.sealed(""));
    append(wire, rig.sealed("x"));
    EXPECT_TRUE(co_await rig.peer->write(wire));
    FixedBytes<8> into;
    test::Operation<std::size_t> reading(executor, rig.stream.read_some(into));
    co_await test::turns(1);
    EXPECT_FALSE(reading.done()) << "others have had a turn before it was through";
    auto n = co_await reading.result();
    EXPECT_TRUE(n && *n == 1u);
  });
}

TEST(NoiseStream, the_largest_frame_passes_both_ways) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(1000);
    const Bytes largest(kMaxNoisePlaintext, 'L');
    EXPECT_TRUE(co_await rig.peer->write(rig.sealed(largest)));
    Bytes got(largest.size());
    EXPECT_TRUE(co_await net::read_exactly(rig.stream, got));
    EXPECT_TRUE(got == largest);
    EXPECT_TRUE(co_await rig.stream.write(largest));
    FixedBytes<2> length;
    EXPECT_TRUE(co_await net::read_exactly(*rig.peer, length));
    EXPECT_EQ(get_be16(length.data()), 65535);
  });
}

TEST(NoiseStream, a_frame_shorter_than_its_tag_is_fatal) {
  test::run_async([]() -> awaitable<void> {
    for (std::size_t size = 0; size < 16; ++size) {
      Rig rig;
      Bytes frame(2 + size, 1);
      put_be16(frame.data(), static_cast<std::uint16_t>(size));
      EXPECT_TRUE(co_await rig.peer->write(frame));
      FixedBytes<8> into;
      auto read = co_await rig.stream.read_some(into);
      EXPECT_TRUE(!read && read.error() == P2pErrc::decrypt_failed);
    }
  });
}

TEST(NoiseStream, a_changed_byte_anywhere_kills_the_channel_for_good) {
  test::run_async([]() -> awaitable<void> {
    for (std::size_t at = 2; at < 2 + 5 + 16; ++at) {
      Rig rig;
      const Bytes good = rig.sealed("hello");
      Bytes wire = good;
      wire[at] ^= 1;
      append(wire, good);  // the true frame behind the changed one must not be taken
      EXPECT_TRUE(co_await rig.peer->write(wire));
      FixedBytes<8> into;
      auto read = co_await rig.stream.read_some(into);
      EXPECT_TRUE(!read && read.error() == P2pErrc::decrypt_failed);
      auto again = co_await rig.stream.read_chain();
      EXPECT_TRUE(!again && again.error() == Errc::closed);
      auto written = co_await rig.stream.write(into);
      EXPECT_TRUE(!written && written.error() == Errc::closed);
      auto seen = co_await rig.peer->read_some(into);
      EXPECT_TRUE(!seen && seen.error() == Errc::reset);
    }
  });
}

TEST(NoiseStream, repeated_swapped_and_left_out_frames_are_noticed) {
  test::run_async([]() -> awaitable<void> {
    for (int trick = 0; trick < 3; ++trick) {
      Rig rig;
      const Bytes first = rig.sealed("1"), second = rig.sealed("2"), third = rig.sealed("3");
      Bytes wire;
      if (trick == 0) wire = first;
      append(wire, trick == 1 ? second : first);
      append(wire, third);
      EXPECT_TRUE(co_await rig.peer->write(wire));
      Bytes into(2);
      auto read = co_await net::read_exactly(rig.stream, into);
      EXPECT_TRUE(!read && read.error() == P2pErrc::decrypt_failed) << trick;
    }
  });
}

TEST(NoiseStream, an_end_inside_a_frame_is_no_clean_end) {
  test::run_async([]() -> awaitable<void> {
    Bytes probe = Rig().sealed("hello");
    for (std::size_t cut = 1; cut < probe.size(); ++cut) {
      Rig rig(4);
      const Bytes frame = rig.sealed("hello");
      EXPECT_TRUE(co_await rig.peer->write(BytesView(frame).first(cut)));
      EXPECT_TRUE(co_await rig.peer->close_write());
      FixedBytes<8> into;
      for (int i = 0; i < 2; ++i) {
        auto read = co_await rig.stream.read_some(into);
        EXPECT_TRUE(!read && read.error() == Errc::truncated) << cut;
      }
    }
  });
}

TEST(NoiseStream, the_last_nonces_are_used_and_no_more) {
  test::run_async([]() -> awaitable<void> {
    const std::uint64_t last = crypto::CipherState::kReservedNonce - 1;
    Rig rig(0, last);
    const FixedBytes<1> byte{'x'};
    EXPECT_TRUE(co_await rig.peer->write(rig.sealed(byte)));
    EXPECT_EQ(co_await read_text(rig.stream, 1), "x");
    EXPECT_TRUE(co_await rig.stream.write(byte));
    EXPECT_FALSE(co_await rig.stream.write(byte));
    FixedBytes<1> into;
    auto read = co_await rig.stream.read_some(into);
    EXPECT_TRUE(!read && read.error() == Errc::closed) << "the channel ends with them";
  });
}

TEST(NoiseStream, frames_for_the_spent_nonce_are_refused) {
  test::run_async([]() -> awaitable<void> {
    Rig rig(0, crypto::CipherState::kReservedNonce - 1);
    const Bytes frame = rig.sealed("a");
    EXPECT_TRUE(co_await rig.peer->write(frame));
    EXPECT_EQ(co_await read_text(rig.stream, 1), "a");
    EXPECT_TRUE(co_await rig.peer->write(frame));
    FixedBytes<1> into;
    auto read = co_await rig.stream.read_some(into);
    EXPECT_TRUE(!read && read.error() == P2pErrc::decrypt_failed);
  });
}

TEST(NoiseStream, a_chunk_with_room_is_sealed_where_it_lies) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    Buffer chunk = Buffer::pooled();
    chunk.append(as_bytes("payload"));
    const Byte* const at = chunk.data();
    EXPECT_TRUE(co_await rig.stream.write_chain(BufferChain(std::move(chunk))));
    EXPECT_NE(as_text({at, 7}), "payload");
    FixedBytes<2 + 7 + 16> frame;
    EXPECT_TRUE(co_await net::read_exactly(*rig.peer, frame));
    EXPECT_EQ(get_be16(frame.data()), 23);
  });
}

TEST(NoiseStream, a_shared_chunk_is_left_as_it_is) {
  test::run_async([]() -> awaitable<void> {
    Rig rig;
    Buffer whole = Buffer::copy_of(as_bytes("shared text"));
    EXPECT_TRUE(co_await rig.stream.write_chain(BufferChain(whole.slice(0, 6))));
    EXPECT_EQ(as_text(whole.bytes()), "shared text");
  });
}

}  // namespace
}  // namespace oc::p2p
