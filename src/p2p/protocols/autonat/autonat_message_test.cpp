#include "p2p/protocols/autonat/autonat_message.hpp"

#include <gtest/gtest.h>

#include "p2p/autonat.pb.h"
#include "p2p/autonat_v2.pb.h"

namespace oc::p2p {
namespace {

codec::Multiaddr multiaddr(const std::string& text) { return *codec::Multiaddr::parse(text); }

const codec::Multiaddr kAddress = multiaddr("/ip4/127.0.0.1/tcp/1");
constexpr std::uint64_t kNonce = 0x0102030405060708;

template <class Message>
Message decoded(BytesView bytes) {
  auto message = decode_autonat(bytes);
  EXPECT_TRUE(message) << message.error().message();
  if (!message || !std::holds_alternative<Message>(*message)) {
    ADD_FAILURE() << "another message came out";
    return {};
  }
  return std::get<Message>(*message);
}

// Bytes put together by hand from the specification's message definitions.
TEST(AutonatMessage, a_request_is_as_the_spec_has_it) {
  const Bytes bytes = *from_hex("0a130a08047f000001060001110807060504030201");
  EXPECT_EQ(to_hex(encode_autonat(DialRequest{{kAddress}, kNonce})), to_hex(bytes));
  const auto request = decoded<DialRequest>(bytes);
  EXPECT_EQ(request.addresses, std::vector{kAddress});
  EXPECT_EQ(request.nonce, kNonce);
}

TEST(AutonatMessage, a_response_is_as_the_spec_has_it) {
  const Bytes bytes = *from_hex("120808c801100118c801");
  const DialResponse sent{ResponseStatus::ok, 1, DialStatus::ok};
  EXPECT_EQ(to_hex(encode_autonat(sent)), to_hex(bytes));
  const auto response = decoded<DialResponse>(bytes);
  EXPECT_EQ(response.status, ResponseStatus::ok);
  EXPECT_EQ(response.address, 1u);
  EXPECT_EQ(response.dial, DialStatus::ok);
}

TEST(AutonatMessage, a_demand_for_data_and_data_are_as_the_spec_has_them) {
  const Bytes demand = *from_hex("1a06080110b0ea01");
  EXPECT_EQ(to_hex(encode_autonat(DialDataRequest{1, 30'000})), to_hex(demand));
  EXPECT_EQ(decoded<DialDataRequest>(demand).bytes, 30'000u);
  EXPECT_EQ(decoded<DialDataRequest>(demand).address, 1u);
  const Bytes data = *from_hex("22050a03000000");
  EXPECT_EQ(to_hex(encode_autonat(DialData{3})), to_hex(data));
  EXPECT_EQ(decoded<DialData>(data).bytes, 3u);
}

TEST(AutonatMessage, a_full_chunk_of_data_fits_into_a_message) {
  EXPECT_LE(encode_autonat(DialData{kMaxDialDataChunk}).size(), kMaxAutonatMessage);
}

TEST(AutonatMessage, a_dial_back_is_as_the_spec_has_it) {
  const Bytes bytes = *from_hex("090807060504030201");
  EXPECT_EQ(to_hex(encode_dial_back(kNonce)), to_hex(bytes));
  EXPECT_EQ(*decode_dial_back(bytes), kNonce);
  EXPECT_FALSE(decode_dial_back({}));
  EXPECT_TRUE(decode_dial_back_response(encode_dial_back_response()));
  EXPECT_TRUE(decode_dial_back_response({})) << "proto3 leaves a status 0 out";
  EXPECT_FALSE(decode_dial_back_response(*from_hex("0801")));
}

TEST(AutonatMessage, an_address_that_cannot_be_read_keeps_its_place) {
  pb::AutonatV2 message;
  message.mutable_dial_request()->add_addrs("nonsense");
  message.mutable_dial_request()->add_addrs(std::string(as_text(kAddress.bytes())));
  const auto request = decoded<DialRequest>(as_bytes(message.SerializeAsString()));
  EXPECT_EQ(request.addresses, (std::vector{codec::Multiaddr(), kAddress}));
}

TEST(AutonatMessage, of_a_long_list_only_the_first_addresses_are_taken) {
  DialRequest request;
  request.addresses.assign(kMaxAutonatAddresses + 1, kAddress);
  EXPECT_EQ(decoded<DialRequest>(encode_autonat(request)).addresses.size(), kMaxAutonatAddresses);
}

TEST(AutonatMessage, a_status_that_the_spec_does_not_know_is_refused) {
  for (const auto& [status, dial] : {std::pair(102u, 200u), std::pair(200u, 102u)}) {
    pb::AutonatV2 message;
    message.mutable_dial_response()->set_status(status);
    message.mutable_dial_response()->set_dial_status(dial);
    const auto response = decode_autonat(as_bytes(message.SerializeAsString()));
    EXPECT_TRUE(!response && response.error() == Errc::unsupported);
  }
}

TEST(AutonatMessage, a_dial_that_is_said_to_be_done_and_says_not_how_is_malformed) {
  const DialResponse unsaid{ResponseStatus::ok, 0, DialStatus::unused};
  EXPECT_EQ(decode_autonat(encode_autonat(unsaid)).error(), Errc::malformed);
}

TEST(AutonatMessage, nothing_and_nonsense_are_malformed) {
  EXPECT_EQ(decode_autonat({}).error(), Errc::malformed);
  EXPECT_EQ(decode_autonat(*from_hex("0aff")).error(), Errc::malformed);
}

TEST(AutonatMessage, a_request_of_version_1_gives_its_peer_and_addresses) {
  const auto peer = *codec::PeerId::parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA");
  pb::AutonatV1 message;
  message.set_type(0);
  auto& said = *message.mutable_dial()->mutable_peer();
  said.set_id(std::string(as_text(peer.bytes())));
  said.add_addrs("nonsense");
  said.add_addrs(std::string(as_text(kAddress.bytes())));
  const auto dial = decode_autonat_v1(as_bytes(message.SerializeAsString()));
  ASSERT_TRUE(dial);
  EXPECT_EQ(dial->peer, peer);
  EXPECT_EQ(dial->addresses, std::vector{kAddress});
  message.set_type(1);
  EXPECT_FALSE(decode_autonat_v1(as_bytes(message.SerializeAsString()))) << "that is a response";
  message.set_type(0);
  said.set_id("x");
  EXPECT_FALSE(decode_autonat_v1(as_bytes(message.SerializeAsString()))) << "that is no peer id";
}

TEST(AutonatMessage, a_response_of_version_1_is_as_the_spec_has_it) {
  EXPECT_EQ(to_hex(encode_autonat_v1(AutonatV1Status::ok, "", kAddress)),
            "08011a0c08001a08047f000001060001");
  EXPECT_EQ(to_hex(encode_autonat_v1(AutonatV1Status::dial_error, "no", std::nullopt)),
            "08011a06086412026e6f");
}

}  // namespace
}  // namespace oc::p2p
