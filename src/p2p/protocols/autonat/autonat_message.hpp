// The messages of AutoNAT v2 and v1, without I/O. Each travels with its uvarint length in front.
//
// Source: libp2p/specs autonat/autonat-v2.md and autonat-v1.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "codec/multiaddr.hpp"

namespace oc::p2p {

// Bounds of messages and of what is looked at of them; go-libp2p's.
inline constexpr std::size_t kMaxAutonatMessage = 8192;
inline constexpr std::size_t kMaxDialBackMessage = 1024;
inline constexpr std::size_t kMaxAutonatAddresses = 50;
// What a DialData may carry (spec).
inline constexpr std::size_t kMaxDialDataChunk = 4096;
// A server may ask for so much before it dials another address than the one it sees (spec).
inline constexpr std::uint64_t kLeastDialData = 30'000;
inline constexpr std::uint64_t kMostDialData = 100'000;

enum class ResponseStatus : std::uint32_t {
  internal_error = 0,
  rejected = 100,  // too many requests
  refused = 101,   // none of the addresses will be dialed
  ok = 200         // one was: see DialStatus
};
enum class DialStatus : std::uint32_t {
  unused = 0,
  dial_error = 100,       // the address does not answer
  dial_back_error = 101,  // it does, but the nonce did not get through
  ok = 200
};

// Best first. One that this program cannot read is empty, so that the others keep their places.
struct DialRequest {
  std::vector<codec::Multiaddr> addresses;
  std::uint64_t nonce = 0;
};
struct DialResponse {
  ResponseStatus status = ResponseStatus::internal_error;
  std::uint32_t address = 0;  // its place in the request
  DialStatus dial = DialStatus::unused;
};
struct DialDataRequest {
  std::uint32_t address = 0;
  std::uint64_t bytes = 0;
};
// What is in it does not matter.
struct DialData {
  std::size_t bytes = 0;
};
using AutonatMessage = std::variant<DialRequest, DialResponse, DialDataRequest, DialData>;

// Of a request, no more than kMaxAutonatAddresses are taken; a DialData has at most
// kMaxAutonatMessage. Errors: Errc::malformed, and Errc::unsupported for a status that the spec
// does not know.
Result<AutonatMessage> decode_autonat(BytesView bytes);
Bytes encode_autonat(const AutonatMessage& message);

// On the stream that the server opens.
Result<std::uint64_t> decode_dial_back(BytesView bytes);
Bytes encode_dial_back(std::uint64_t nonce);
Result<void> decode_dial_back_response(BytesView bytes);
Bytes encode_dial_back_response();

// Version 1. The asker's id is empty when it says none; a malformed one is Errc::malformed.
struct AutonatV1Dial {
  codec::PeerId peer;
  std::vector<codec::Multiaddr> addresses;
};
enum class AutonatV1Status : std::uint32_t {
  ok = 0,
  dial_error = 100,
  refused = 101,
  bad_request = 200,
  internal_error = 300
};
Result<AutonatV1Dial> decode_autonat_v1(BytesView bytes);
// `address` is the one that answered.
Bytes encode_autonat_v1(AutonatV1Status status, std::string_view text,
                        const std::optional<codec::Multiaddr>& address);

}  // namespace oc::p2p
