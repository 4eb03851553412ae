// Secrets in memory: containers that wipe what they held, and comparison in constant time.
#pragma once

#include <utility>

#include "base/bytes.hpp"

namespace oc::crypto {

// Overwrites with zeros in a way that no optimiser removes.
void wipe(MutableBytes bytes) noexcept;

// Compares in a time that depends on the sizes only.
bool constant_time_equal(BytesView a, BytesView b) noexcept;

// N secret bytes, wiped on destruction, on assignment, and in what it is moved from. No operator==
// on purpose: use constant_time_equal.
template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(const FixedBytes<N>& bytes) : bytes_(bytes) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  ~Secret() { wipe(bytes_); }

  static constexpr std::size_t size() { return N; }
  const Byte* data() const { return bytes_.data(); }
  Byte* data() { return bytes_.data(); }
  BytesView view() const { return bytes_; }
  MutableBytes mutable_view() { return bytes_; }

 private:
  FixedBytes<N> bytes_{};
};

// Secret bytes of a length known at run time, wiped on destruction. Moves only; it never grows, so
// that no copy is left behind.
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(BytesView copy_of) : bytes_(copy_of.begin(), copy_of.end()) {}
  explicit SecretBytes(Bytes&& bytes) : bytes_(std::move(bytes)) {}
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~SecretBytes() { wipe(bytes_); }

  std::size_t size() const { return bytes_.size(); }
  BytesView view() const { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace oc::crypto
