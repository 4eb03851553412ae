// The data phase of TLS 1.3: a stream of sealed records over another stream (RFC 8446).
#pragma once

#include "crypto/tls_record.hpp"
#include "p2p/upgrade/sealed_stream.hpp"

namespace oc::p2p {

// Records without application data that may follow each other (session tickets, key updates, empty
// ones); a peer that sends more makes us work for nothing and is cut.
inline constexpr int kMaxUselessRecords = 32;
// A message of the peer after the handshake: a session ticket, which is dropped.
inline constexpr std::size_t kMaxPostHandshakeMessage = 16 * 1024;
// Our key is changed after so many records: half of what RFC 8446, section 5.5, allows for AES-GCM.
inline constexpr std::uint64_t kRecordsPerKey = std::uint64_t{1} << 23;

// Writes: a buffer of at most one record that has the room of base/buffer.hpp is sealed in place;
// a longer one is sealed from where it lies into a fresh block, as a row of records. All records of
// a chain leave in one gather write. Reads: whole records are gathered in a block and opened from
// there into another one, so that what is handed out is contiguous.
//
// close_write() tells the peer by close_notify; an end of the stream below without the peer's
// close_notify is Errc::reset, because it may be a cut.
class TlsStream final : public SealedStream {
 public:
  // `received`: bytes of the stream below that came behind the handshake.
  TlsStream(std::unique_ptr<net::Stream> below, crypto::TlsTrafficCipher send,
            crypto::TlsTrafficCipher receive, Buffer received = {},
            std::uint64_t records_per_key = kRecordsPerKey);

  awaitable<Result<void>> write(BytesView bytes) override;
  awaitable<Result<void>> write_chain(BufferChain chain) override;
  awaitable<Result<void>> close_write() override;

 private:
  std::size_t frame_size(const Byte* header) const override;
  Result<BufferChain> open_frames() override;
  error_code end_of_below() const override { return Errc::reset; }

  Result<void> on_alert(BytesView content);
  Result<void> on_handshake(BytesView content);
  Result<void> on_message(BytesView message, bool last_of_record);

  // Seals a row of records into a fresh block; takes what fits off the front of `bytes`.
  Result<Buffer> seal_block(BytesView& bytes);
  // Seals one whole buffer where it lies.
  Result<void> seal_in_place(Buffer& buffer);
  Result<Buffer> seal_message(crypto::TlsContent type, BytesView message);
  // Appends a KeyUpdate, and changes the key, when that is due.
  Result<void> change_key_if_due(BufferChain& sealed);

  crypto::TlsTrafficCipher send_;
  crypto::TlsTrafficCipher receive_;
  const std::uint64_t records_per_key_;
  Bytes message_;  // a message of the peer of which a part has come
  int useless_ = 0;
  bool key_update_asked_ = false;
  bool peer_ended_ = false;
  bool write_closed_ = false;
};

}  // namespace oc::p2p
