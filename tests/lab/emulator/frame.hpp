// What a TAP device with IFF_VNET_HDR hands over and takes: a virtio_net_hdr, then an Ethernet
// frame.
//
// With TCP segmentation offload that frame may stand for many, which the receiving kernel (or the
// last device on the way) cuts apart: one read and one write for up to 64 KiB.
#pragma once

#include <cstddef>
#include <span>

namespace oc::lab {

// An IP packet is at most 64 KiB; the header of its frame and the virtio_net_hdr come before it.
constexpr std::size_t kMostFrameBytes = 65536 + 64;

// Whether it carries IP, of either version.
bool is_ip(std::span<const std::byte> frame);

struct WireSize {
  std::size_t bytes;    // of all the Ethernet frames that it stands for together
  std::size_t largest;  // of the largest of them
};

WireSize wire_size(std::span<const std::byte> frame);

}  // namespace oc::lab
