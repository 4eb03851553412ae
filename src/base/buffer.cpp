#include "base/buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

#include "base/assert.hpp"

namespace oc {

struct Buffer::Block {
  std::uint32_t references;
  std::uint32_t capacity;
  Block* next_free;

  Byte* data() { return reinterpret_cast<Byte*>(this + 1); }
};

namespace {

// The free list of standard blocks, newest first (warm in cache). Network thread only.
template <class Block>
struct FreeList {
  Block* head = nullptr;
  std::size_t free = 0;
  std::size_t used = 0;

  ~FreeList() {
    while (head != nullptr) {
      Block* next = head->next_free;
      std::free(head);
      head = next;
    }
  }
};

}  // namespace

namespace {
template <class Block>
FreeList<Block>& free_list() {
  thread_local FreeList<Block> list;
  return list;
}

template <class Block>
Block* new_block(std::size_t capacity) {
  void* memory = std::malloc(sizeof(Block) + capacity);
  if (memory == nullptr) throw std::bad_alloc();
  auto* block = static_cast<Block*>(memory);
  block->references = 1;
  block->capacity = static_cast<std::uint32_t>(capacity);
  block->next_free = nullptr;
  return block;
}

template <class Block>
Block* take_pooled(std::size_t size) {
  auto& list = free_list<Block>();
  ++list.used;
  if (list.head == nullptr) return new_block<Block>(size);
  Block* block = list.head;
  list.head = block->next_free;
  --list.free;
  block->references = 1;
  return block;
}
}  // namespace

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    release();
    block_ = other.block_;
    begin_ = other.begin_;
    size_ = other.size_;
    other.block_ = nullptr;
    other.begin_ = other.size_ = 0;
  }
  return *this;
}

Buffer Buffer::pooled() { return Buffer(take_pooled<Block>(kBlockSize), kHeadroom); }

Buffer Buffer::pooled_flat() { return Buffer(take_pooled<Block>(kBlockSize), 0); }

Buffer Buffer::with_capacity(std::size_t capacity) {
  const std::size_t whole = kHeadroom + capacity + kTailroom;
  if (whole == kBlockSize) return pooled();
  return Buffer(new_block<Block>(whole), kHeadroom);
}

Buffer Buffer::copy_of(BytesView bytes) {
  Buffer out = with_capacity(bytes.size());
  out.append(bytes);
  return out;
}

void Buffer::release() noexcept {
  if (block_ == nullptr) return;
  if (--block_->references == 0) {
    auto& list = free_list<Block>();
    const bool standard = block_->capacity == kBlockSize;
    if (standard) --list.used;
    if (standard && list.free < kMaxPooledBlocks) {
      block_->next_free = list.head;
      list.head = block_;
      ++list.free;
    } else {
      std::free(block_);
    }
  }
  block_ = nullptr;
}

const Byte* Buffer::data() const { return block_ == nullptr ? nullptr : block_->data() + begin_; }
Byte* Buffer::data() { return block_ == nullptr ? nullptr : block_->data() + begin_; }

std::size_t Buffer::tailroom() const {
  return block_ == nullptr ? 0 : block_->capacity - begin_ - size_;
}

std::size_t Buffer::capacity() const { return block_ == nullptr ? 0 : block_->capacity; }

bool Buffer::unique() const { return block_ != nullptr && block_->references == 1; }

MutableBytes Buffer::spare() { return {data() + size_, tailroom()}; }

Byte* Buffer::prepend(std::size_t n) {
  ASSERT(begin_ >= n);
  begin_ -= static_cast<std::uint32_t>(n);
  size_ += static_cast<std::uint32_t>(n);
  return data();
}

void Buffer::append(BytesView bytes) {
  ASSERT(tailroom() >= bytes.size());
  if (!bytes.empty()) std::memcpy(data() + size_, bytes.data(), bytes.size());
  extend(bytes.size());
}

void Buffer::trim_front(std::size_t n) {
  ASSERT(n <= size_);
  begin_ += static_cast<std::uint32_t>(n);
  size_ -= static_cast<std::uint32_t>(n);
}

Buffer Buffer::slice(std::size_t offset, std::size_t length) const {
  ASSERT(offset + length <= size_);
  Buffer out;
  if (block_ == nullptr) return out;
  ++block_->references;
  out.block_ = block_;
  out.begin_ = begin_ + static_cast<std::uint32_t>(offset);
  out.size_ = static_cast<std::uint32_t>(length);
  return out;
}

Buffer Buffer::split_front(std::size_t n) {
  Buffer front = slice(0, n);
  trim_front(n);
  return front;
}

std::size_t Buffer::blocks_in_use() { return free_list<Block>().used; }
std::size_t Buffer::blocks_pooled() { return free_list<Block>().free; }

BufferChain::BufferChain(BufferChain&& other) noexcept : count_(other.count_) {
  std::move(other.items_, other.items_ + count_, items_);
  other.count_ = 0;
}

BufferChain& BufferChain::operator=(BufferChain&& other) noexcept {
  if (this != &other) {
    clear();
    count_ = other.count_;
    std::move(other.items_, other.items_ + count_, items_);
    other.count_ = 0;
  }
  return *this;
}

std::size_t BufferChain::bytes() const {
  std::size_t total = 0;
  for (const Buffer& b : *this) total += b.size();
  return total;
}

void BufferChain::clear() {
  for (Buffer& b : *this) b = Buffer();
  count_ = 0;
}

}  // namespace oc
