#include "codec/multihash.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "support/vectors.hpp"

namespace oc::codec {
namespace {

using test::hex;

struct Row {
  std::string algorithm;
  std::size_t bits = 0;
  std::string input;
  std::string multihash;
};

// multiformats/multihash tests/values/test_cases.csv
std::vector<Row> rows() {
  std::vector<Row> all;
  const auto lines = test::load_lines("multiformats/multihash_test_cases.csv");
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    std::istringstream in(*line);
    Row row;
    std::string bits;
    std::getline(in, row.algorithm, ',');
    std::getline(in, bits, ',');
    std::getline(in, row.input, ',');
    std::getline(in, row.multihash, ',');
    row.bits = std::stoul(bits);
    all.push_back(row);
  }
  return all;
}

TEST(Multihash, reads_and_writes_the_published_values) {
  for (const Row& row : rows()) {
    const Bytes bytes = hex(row.multihash);
    const auto hash = decode_multihash(bytes);
    ASSERT_TRUE(hash.has_value()) << row.multihash;
    EXPECT_EQ(hash->digest.size() * 8, row.bits);
    EXPECT_EQ(encode_multihash(hash->code, hash->digest), bytes);
  }
}

TEST(Multihash, sha2_256_gives_the_published_digests) {
  std::size_t checked = 0;
  for (const Row& row : rows()) {
    if (row.algorithm != "sha2-256" || row.bits != 256) continue;
    const FixedBytes<32> digest = sha2_256(as_bytes(row.input));
    EXPECT_EQ(to_hex(encode_multihash(HashCode::sha2_256, digest)), row.multihash);
    ++checked;
  }
  EXPECT_EQ(checked, 20u);
}

TEST(Multihash, every_truncated_prefix_is_truncated) {
  const Bytes whole = encode_multihash(HashCode::sha2_256, sha2_256({}));
  for (std::size_t n = 0; n < whole.size(); ++n) {
    EXPECT_EQ(decode_multihash(BytesView(whole).first(n)).error(), Errc::truncated);
  }
}

TEST(Multihash, refuses_trailing_bytes_and_hostile_lengths) {
  Bytes longer = encode_multihash(HashCode::identity, hex("aa"));
  longer.push_back(0);
  EXPECT_EQ(decode_multihash(longer).error(), Errc::malformed);
  EXPECT_EQ(decode_multihash(hex("12ffffffffffffffff7f")).error(), Errc::limit_exceeded);
  EXPECT_EQ(decode_multihash(hex("128101")).error(), Errc::limit_exceeded);
  EXPECT_EQ(decode_multihash(hex("9200200000")).error(), Errc::malformed);
}

TEST(Multihash, takes_only_its_own_bytes) {
  const Bytes bytes = hex("0002aabbcc");
  BytesView in = bytes;
  EXPECT_EQ(to_hex(take_multihash(in)->digest), "aabb");
  EXPECT_EQ(to_hex(in), "cc");
}

}  // namespace
}  // namespace oc::codec
