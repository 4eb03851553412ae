// Buffer: the packet buffer of the data plane.
//
// A Buffer is a slice of a reference-counted block, with free room before (headroom) and behind
// (tailroom) its bytes. Each protocol layer prepends its header and appends its trailer in place,
// so a chunk read from a socket is framed, sealed and sent without being copied:
//
//   block:  | headroom |            bytes             | tailroom |
//            ^ yamux header, record header             ^ AEAD tag
//
// On the way in, one block read from the network is decrypted in place and handed out as several
// slices. Blocks of the standard size come from a free list.
//
// Thread: buffers belong to the network thread; the reference count is not atomic.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"

namespace oc {

class Buffer {
 public:
  // Room that the layers below a stream need: TLS record header (5; Noise needs 2) + yamux header
  // (12) in front, TLS content type (1) + AEAD tag (16) behind.
  static constexpr std::size_t kHeadroom = 17;
  static constexpr std::size_t kTailroom = 17;
  // The most payload that, framed, still fits one Noise frame: 65535 - 16 - 12.
  static constexpr std::size_t kMaxPayload = 65507;
  // Capacity of a pooled block: four TLS records of 16 KiB with their 22 bytes each, which is what
  // a frame of the most payload becomes. One whole Noise frame with its length fits as well.
  static constexpr std::size_t kBlockSize = 4 * (16 * 1024 + 22);
  // At most this many free blocks are kept for reuse (4 MiB); more are returned to the system.
  static constexpr std::size_t kMaxPooledBlocks = 64;

  Buffer() = default;
  Buffer(Buffer&& other) noexcept : block_(other.block_), begin_(other.begin_), size_(other.size_) {
    other.block_ = nullptr;
    other.begin_ = other.size_ = 0;
  }
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { release(); }

  // An empty buffer of a pooled block: kMaxPayload bytes of tailroom beyond the kTailroom reserve.
  static Buffer pooled();
  // An empty buffer of a pooled block without headroom: kBlockSize bytes of tailroom, for reading
  // whole frames.
  static Buffer pooled_flat();
  // An empty buffer with its own block: kHeadroom in front, `capacity` + kTailroom behind.
  static Buffer with_capacity(std::size_t capacity);
  // A copy of bytes with standard rooms.
  static Buffer copy_of(BytesView bytes);

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Byte* data() const;
  Byte* data();
  BytesView bytes() const { return {data(), size_}; }
  MutableBytes mutable_bytes() { return {data(), size_}; }

  std::size_t headroom() const { return begin_; }
  std::size_t tailroom() const;
  std::size_t capacity() const;
  // No other slice shares the block, so its rooms may be written.
  bool unique() const;
  bool can_prepend(std::size_t n) const { return begin_ >= n && unique(); }
  bool can_append(std::size_t n) const { return tailroom() >= n && unique(); }

  // The free room behind the bytes (needs unique(), or knowledge that no other slice lies there);
  // extend(n) then takes n bytes of it into the buffer.
  MutableBytes spare();
  void extend(std::size_t n) { size_ += static_cast<std::uint32_t>(n); }
  // Grow at the front by n; needs headroom() >= n. Returns the new first byte.
  Byte* prepend(std::size_t n);
  void append(BytesView bytes);
  void trim_front(std::size_t n);
  void trim_back(std::size_t n) { size_ -= static_cast<std::uint32_t>(n); }
  void truncate(std::size_t n) { size_ = static_cast<std::uint32_t>(n); }
  // Another slice of the same block: [offset, offset + length) of this one.
  Buffer slice(std::size_t offset, std::size_t length) const;
  // Cuts the first n bytes off into a slice of their own.
  Buffer split_front(std::size_t n);

  // Number of blocks now in use and in the free list (for tests and metrics).
  static std::size_t blocks_in_use();
  static std::size_t blocks_pooled();

 private:
  struct Block;
  Buffer(Block* block, std::size_t begin)
      : block_(block), begin_(static_cast<std::uint32_t>(begin)) {}
  void release() noexcept;

  Block* block_ = nullptr;
  std::uint32_t begin_ = 0;
  std::uint32_t size_ = 0;
};

// Up to kMax buffers that travel together: what one gather write carries.
class BufferChain {
 public:
  static constexpr std::size_t kMax = 4;

  BufferChain() = default;
  explicit BufferChain(Buffer only) { push(std::move(only)); }
  BufferChain(BufferChain&& other) noexcept;
  BufferChain& operator=(BufferChain&& other) noexcept;

  bool full() const { return count_ == kMax; }
  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  std::size_t bytes() const;
  void push(Buffer buffer) { items_[count_++] = std::move(buffer); }
  Buffer* begin() { return items_; }
  Buffer* end() { return items_ + count_; }
  const Buffer* begin() const { return items_; }
  const Buffer* end() const { return items_ + count_; }
  Buffer& operator[](std::size_t i) { return items_[i]; }
  void clear();

 private:
  Buffer items_[kMax];
  std::size_t count_ = 0;
};

}  // namespace oc
