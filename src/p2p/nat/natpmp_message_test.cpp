#include "p2p/nat/natpmp_message.hpp"

#include <gtest/gtest.h>

#include "p2p/nat/gateway.hpp"

namespace oc::p2p {
namespace {

Result<NatPmpAnswer> parse(const char* hex) { return parse_natpmp_answer(*from_hex(hex)); }

// The layouts of RFC 6886, 3.2 and 3.3.
TEST(NatPmpMessage, requests_are_those_of_the_rfc) {
  EXPECT_EQ(to_hex(natpmp_address_request()), "0000");
  EXPECT_EQ(to_hex(natpmp_map_request(Port(1985), Port(50000), 7200)), "0002000007c1c35000001c20");
  EXPECT_EQ(to_hex(natpmp_map_request(Port(1985), Port(), 0)), "0002000007c1000000000000");
}

TEST(NatPmpMessage, answers_are_read) {
  const auto address = parse("0080000000000001cb007105");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->opcode, NatPmpOpcode::external_address);
  EXPECT_EQ(address->address.to_string(), "203.0.113.5");
  const auto mapping = parse("008200000000000107c1c35000001c20");
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->opcode, NatPmpOpcode::map_tcp);
  EXPECT_EQ(mapping->internal, Port(1985));
  EXPECT_EQ(mapping->external, Port(50000));
  EXPECT_EQ(mapping->lifetime_seconds, 7200u);
}

TEST(NatPmpMessage, an_answer_cut_short_is_refused) {
  for (const char* whole : {"0080000000000001cb007105", "008200000000000107c1c35000001c20"}) {
    const Bytes bytes = *from_hex(whole);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto answer = parse_natpmp_answer(BytesView(bytes).first(size));
      EXPECT_TRUE(!answer && answer.error() == Errc::truncated) << size;
    }
  }
}

TEST(NatPmpMessage, a_refusal_may_be_short) {
  const auto refused = parse("0082000200000001");
  ASSERT_TRUE(refused);
  EXPECT_EQ(natpmp_error(refused->result), NatErrc::refused);
}

TEST(NatPmpMessage, other_versions_requests_and_udp_are_not_taken_for_answers) {
  for (const char* other : {"0280000000000001cb007105", "0000000000000001cb007105",
                            "008100000000000107c1c35000001c20"}) {
    const auto answer = parse(other);
    EXPECT_TRUE(!answer && answer.error() == Errc::unsupported) << other;
  }
}

TEST(NatPmpMessage, each_result_has_its_meaning) {
  EXPECT_FALSE(natpmp_error(0));
  EXPECT_EQ(natpmp_error(1), NatErrc::no_gateway);
  EXPECT_EQ(natpmp_error(2), NatErrc::refused);
  EXPECT_EQ(natpmp_error(3), NatErrc::not_connected);
  EXPECT_EQ(natpmp_error(4), NatErrc::refused);
  EXPECT_EQ(natpmp_error(5), NatErrc::no_gateway);
  EXPECT_EQ(natpmp_error(999), NatErrc::refused);
}

}  // namespace
}  // namespace oc::p2p
