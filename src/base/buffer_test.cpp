#include "base/buffer.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace oc {
namespace {

TEST(Buffer, headers_and_trailers_grow_in_place) {
  Buffer buffer = Buffer::copy_of(as_bytes("payload"));
  const Byte* payload = buffer.data();
  std::memcpy(buffer.prepend(4), "head", 4);
  buffer.append(as_bytes("tail"));
  EXPECT_EQ(as_text(buffer.bytes()), "headpayloadtail");
  EXPECT_EQ(buffer.data() + 4, payload) << "the payload must not move";
}

TEST(Buffer, a_pooled_block_holds_the_most_payload_as_whatever_it_becomes) {
  Buffer buffer = Buffer::pooled();
  EXPECT_EQ(buffer.headroom(), Buffer::kHeadroom);
  EXPECT_GE(buffer.tailroom(), Buffer::kMaxPayload + Buffer::kTailroom);
  const std::size_t noise_frame = 2 + 65535;
  const std::size_t tls_records = 12 + Buffer::kMaxPayload + 4 * (5 + 1 + 16);
  EXPECT_GE(Buffer::pooled_flat().tailroom(), std::max(noise_frame, tls_records));
}

TEST(Buffer, slices_share_the_block_and_keep_it_alive) {
  Buffer part;
  {
    Buffer whole = Buffer::copy_of(as_bytes("0123456789"));
    part = whole.slice(3, 4);
    EXPECT_FALSE(part.unique());
    EXPECT_FALSE(part.can_prepend(1)) << "the room belongs to the other slice";
  }
  EXPECT_TRUE(part.unique());
  EXPECT_TRUE(part.can_prepend(1));
  EXPECT_EQ(as_text(part.bytes()), "3456");
}

TEST(Buffer, split_front_cuts_without_copying) {
  Buffer buffer = Buffer::copy_of(as_bytes("headbody"));
  const Byte* at = buffer.data();
  Buffer head = buffer.split_front(4);
  EXPECT_EQ(as_text(head.bytes()), "head");
  EXPECT_EQ(as_text(buffer.bytes()), "body");
  EXPECT_EQ(head.data(), at);
  EXPECT_EQ(buffer.data(), at + 4);
}

TEST(Buffer, blocks_are_reused_up_to_the_bound) {
  const std::size_t used = Buffer::blocks_in_use();
  {
    std::vector<Buffer> many;
    for (std::size_t i = 0; i < Buffer::kMaxPooledBlocks + 10; ++i)
      many.push_back(Buffer::pooled());
    EXPECT_EQ(Buffer::blocks_in_use(), used + Buffer::kMaxPooledBlocks + 10);
  }
  EXPECT_EQ(Buffer::blocks_in_use(), used);
  EXPECT_EQ(Buffer::blocks_pooled(), Buffer::kMaxPooledBlocks);
}

TEST(BufferChain, moving_leaves_the_source_empty) {
  BufferChain chain(Buffer::copy_of(as_bytes("a")));
  chain.push(Buffer::copy_of(as_bytes("bc")));
  BufferChain other = std::move(chain);
  EXPECT_EQ(other.bytes(), 3u);
  EXPECT_TRUE(chain.empty());  // NOLINT: the moved-from state is promised
}

TEST(Hex, rejects_odd_lengths_and_other_characters) {
  EXPECT_EQ(*from_hex("00fFa1"), (Bytes{0x00, 0xff, 0xa1}));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

}  // namespace
}  // namespace oc
