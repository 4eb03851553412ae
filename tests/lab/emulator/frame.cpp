#include "frame.hpp"

#include <linux/if_ether.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace oc::lab {
namespace {

// virtio 1.2, section 5.1.6, in the machine's byte order; <linux/virtio_net.h> is no C++.
struct OffloadHeader {
  std::uint8_t flags;
  std::uint8_t gso_type;  // 0: the frame is what it seems to be
  std::uint16_t hdr_len;
  std::uint16_t gso_size;    // bytes of TCP in each segment but the last
  std::uint16_t csum_start;  // where the TCP header begins in the Ethernet frame
  std::uint16_t csum_offset;
};
static_assert(sizeof(OffloadHeader) == 10);

constexpr std::size_t kEtherTypeAt = 2 * ETH_ALEN;
// The length of a TCP header, in words of four bytes, is in the high half of this byte of it.
constexpr std::size_t kTcpLengthAt = 12;

unsigned byte_at(std::span<const std::byte> bytes, std::size_t at) {
  return at < bytes.size() ? std::to_integer<unsigned>(bytes[at]) : 0;
}

}  // namespace

bool is_ip(std::span<const std::byte> frame) {
  const std::size_t at = sizeof(OffloadHeader) + kEtherTypeAt;
  const unsigned type = byte_at(frame, at) << 8 | byte_at(frame, at + 1);
  return type == ETH_P_IP || type == ETH_P_IPV6;
}

WireSize wire_size(std::span<const std::byte> frame) {
  OffloadHeader offload{};
  if (frame.size() < sizeof offload) return {frame.size(), frame.size()};
  std::memcpy(&offload, frame.data(), sizeof offload);
  const auto ethernet = frame.subspan(sizeof offload);
  const std::size_t tcp = offload.csum_start;
  const std::size_t headers = tcp + (byte_at(ethernet, tcp + kTcpLengthAt) >> 4) * 4;
  if (offload.gso_type == 0 || offload.gso_size == 0 || headers >= ethernet.size()) {
    return {ethernet.size(), ethernet.size()};
  }
  const std::size_t data = ethernet.size() - headers;
  const std::size_t segments = (data + offload.gso_size - 1) / offload.gso_size;
  return {data + segments * headers, headers + std::min<std::size_t>(data, offload.gso_size)};
}

}  // namespace oc::lab
