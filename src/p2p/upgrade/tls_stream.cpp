#include "p2p/upgrade/tls_stream.hpp"

#include <algorithm>
#include <array>

namespace oc::p2p {
namespace {

using crypto::kMaxTlsCiphertext;
using crypto::kMaxTlsContent;
using crypto::kTlsHeaderSize;
using crypto::kTlsOverhead;
using crypto::kTlsTagSize;
using crypto::kTlsTrailerSize;
using crypto::TlsContent;

// RFC 8446, section 6.
constexpr Byte kWarning = 1;
constexpr Byte kCloseNotify = 0;
constexpr Byte kUserCanceled = 90;
// RFC 8446, section 4.
constexpr std::size_t kMessageHeaderSize = 4;
constexpr Byte kNewSessionTicket = 4;
constexpr Byte kKeyUpdate = 24;
constexpr Byte kUpdateNotRequested = 0;
constexpr Byte kUpdateRequested = 1;

bool is_record(const Byte* header) {
  return header[0] == static_cast<Byte>(TlsContent::application_data) && header[1] == 3 &&
         header[2] == 3;
}

}  // namespace

TlsStream::TlsStream(std::unique_ptr<net::Stream> below, crypto::TlsTrafficCipher send,
                     crypto::TlsTrafficCipher receive, Buffer received,
                     std::uint64_t records_per_key)
    : SealedStream(std::move(below), std::move(received), kTlsHeaderSize),
      send_(std::move(send)),
      receive_(std::move(receive)),
      records_per_key_(records_per_key) {}

std::size_t TlsStream::frame_size(const Byte* header) const {
  return kTlsHeaderSize + get_be16(header + 3);
}

Result<BufferChain> TlsStream::open_frames() {
  BufferChain chain;
  Buffer plain;
  while (!peer_ended_ && received_.size() >= kTlsHeaderSize) {
    if (!is_record(received_.data())) return P2pErrc::decrypt_failed;
    if (frame_size(received_.data()) > kTlsHeaderSize + kMaxTlsCiphertext) {
      return P2pErrc::decrypt_failed;
    }
    const std::size_t size = whole_frame();
    if (size == 0) break;
    if (size < kTlsOverhead) return P2pErrc::decrypt_failed;
    if (plain.tailroom() < size - kTlsHeaderSize - kTlsTagSize) {
      if (!plain.empty()) chain.push(std::move(plain));
      if (chain.full()) break;
      plain = Buffer::pooled();
    }
    Byte* content = plain.spare().data();
    auto opened = receive_.open(received_.bytes().first(size), content);
    if (!opened) return P2pErrc::decrypt_failed;
    received_.trim_front(size);
    const bool useful = opened->type == TlsContent::application_data && opened->size != 0;
    if (useful) {
      useless_ = 0;
      plain.extend(opened->size);
      continue;
    }
    if (++useless_ > kMaxUselessRecords) return Errc::protocol_violation;
    if (opened->type == TlsContent::alert) CHECK(on_alert({content, opened->size}));
    if (opened->type == TlsContent::handshake) CHECK(on_handshake({content, opened->size}));
  }
  if (received_.empty()) received_ = Buffer();
  if (!plain.empty()) chain.push(std::move(plain));
  if (chain.empty() && peer_ended_) return Errc::eof;
  return chain;
}

Result<void> TlsStream::on_alert(BytesView content) {
  if (content.size() != 2) return Errc::protocol_violation;
  if (content[1] == kUserCanceled) return success();
  if (content[1] != kCloseNotify) return Errc::reset;
  peer_ended_ = true;
  return success();
}

Result<void> TlsStream::on_handshake(BytesView content) {
  append(message_, content);
  while (message_.size() >= kMessageHeaderSize) {
    const std::size_t body = get_be32(message_.data()) & 0xffffff;
    const std::size_t whole = kMessageHeaderSize + body;
    if (whole > kMaxPostHandshakeMessage) return Errc::protocol_violation;
    if (message_.size() < whole) break;
    CHECK(on_message(BytesView(message_).first(whole), message_.size() == whole));
    message_.erase(message_.begin(), message_.begin() + static_cast<std::ptrdiff_t>(whole));
  }
  if (message_.empty()) message_ = Bytes();
  return success();
}

Result<void> TlsStream::on_message(BytesView message, bool last_of_record) {
  // We never resume, so a ticket is of no use.
  if (message[0] == kNewSessionTicket) return success();
  const bool well_formed = message[0] == kKeyUpdate && message.size() == kMessageHeaderSize + 1 &&
                           message[kMessageHeaderSize] <= kUpdateRequested;
  // Behind a change of the key nothing may follow in the same record.
  if (!well_formed || !last_of_record) return Errc::protocol_violation;
  receive_.update();
  if (message[kMessageHeaderSize] == kUpdateRequested) key_update_asked_ = true;
  return success();
}

Result<Buffer> TlsStream::seal_message(TlsContent type, BytesView message) {
  Buffer record = Buffer::with_capacity(message.size() + kTlsOverhead);
  CHECK(send_.seal(type, message, record.spare().data()));
  record.extend(message.size() + kTlsOverhead);
  return record;
}

Result<void> TlsStream::change_key_if_due(BufferChain& sealed) {
  if (!key_update_asked_ && send_.records() < records_per_key_) return success();
  const std::array<Byte, kMessageHeaderSize + 1> message{kKeyUpdate, 0, 0, 1, kUpdateNotRequested};
  TRY(Buffer record, seal_message(TlsContent::handshake, message));
  sealed.push(std::move(record));
  send_.update();
  key_update_asked_ = false;
  return success();
}

Result<Buffer> TlsStream::seal_block(BytesView& bytes) {
  Buffer block = bytes.size() > kMaxTlsContent ? Buffer::pooled_flat()
                                               : Buffer::with_capacity(bytes.size() + kTlsOverhead);
  while (!bytes.empty() && block.tailroom() > kTlsOverhead) {
    const std::size_t room = block.tailroom() - kTlsOverhead;
    const std::size_t n = std::min({bytes.size(), kMaxTlsContent, room});
    CHECK(send_.seal(TlsContent::application_data, bytes.first(n), block.spare().data()));
    block.extend(n + kTlsOverhead);
    bytes = bytes.subspan(n);
  }
  return block;
}

Result<void> TlsStream::seal_in_place(Buffer& buffer) {
  const std::size_t size = buffer.size();
  Byte* record = buffer.prepend(kTlsHeaderSize);
  CHECK(send_.seal(TlsContent::application_data, {record + kTlsHeaderSize, size}, record));
  buffer.extend(kTlsTrailerSize);
  return success();
}

awaitable<Result<void>> TlsStream::write(BytesView bytes) {
  while (!bytes.empty()) {
    BufferChain sealed;
    CO_CHECK(change_key_if_due(sealed));
    while (!sealed.full() && !bytes.empty()) {
      CO_TRY(Buffer block, seal_block(bytes));
      sealed.push(std::move(block));
    }
    CO_CHECK(co_await below_->write_chain(std::move(sealed)));
  }
  co_return success();
}

awaitable<Result<void>> TlsStream::write_chain(BufferChain chain) {
  BufferChain sealed;
  CO_CHECK(change_key_if_due(sealed));
  for (Buffer& buffer : chain) {
    if (buffer.empty()) continue;
    const bool one_record = buffer.size() <= kMaxTlsContent && buffer.can_prepend(kTlsHeaderSize) &&
                            buffer.tailroom() >= kTlsTrailerSize;
    if (one_record) {
      CO_CHECK(seal_in_place(buffer));
      if (sealed.full()) CO_CHECK(co_await below_->write_chain(std::move(sealed)));
      sealed.push(std::move(buffer));
      continue;
    }
    for (BytesView rest = buffer.bytes(); !rest.empty();) {
      if (sealed.full()) CO_CHECK(co_await below_->write_chain(std::move(sealed)));
      CO_TRY(Buffer block, seal_block(rest));
      sealed.push(std::move(block));
    }
  }
  if (sealed.empty()) co_return success();
  co_return co_await below_->write_chain(std::move(sealed));
}

awaitable<Result<void>> TlsStream::close_write() {
  if (std::exchange(write_closed_, true)) co_return success();
  const std::array<Byte, 2> alert{kWarning, kCloseNotify};
  CO_TRY(Buffer record, seal_message(TlsContent::alert, alert));
  BufferChain farewell;
  farewell.push(std::move(record));
  CO_CHECK(co_await below_->write_chain(std::move(farewell)));
  co_return co_await below_->close_write();
}

}  // namespace oc::p2p
