// The data phase of TLS: bytes where records should be, and records sealed well around what the
// input says, some of them changed on the way.
#include "p2p/upgrade/tls_stream.hpp"

#include "fuzzing.hpp"

using namespace oc;

namespace {

using crypto::TlsContent;
using crypto::TlsSuite;
using crypto::TlsTrafficCipher;
using Use = TlsTrafficCipher::Use;

TlsTrafficCipher cipher(TlsSuite suite, Byte seed, Use use) {
  const std::size_t size = suite == TlsSuite::aes_256_gcm_sha384 ? 48 : 32;
  return TlsTrafficCipher(suite, use, Bytes(size, seed));
}

TlsSuite suite_of(Byte choice) { return static_cast<TlsSuite>(0x1301 + choice % 3); }

// What the peer sends, and what of it the reader may see.
class Peer {
 public:
  Peer(fuzz::Input input, TlsSuite suite) : seal_(cipher(suite, 1, Use::seal)) {
    while (!input.empty()) record(input);
  }

  const Bytes& wire() const { return wire_; }
  // Nothing is made up, and nothing is lost where the peer kept to the protocol.
  void check(BytesView got, error_code end) const {
    fuzz::require(got.size() <= plain_.size());
    fuzz::require(equal(got, BytesView(plain_).first(got.size())));
    if (!honest_) return;
    fuzz::require(got.size() == plain_.size());
    fuzz::require(end == (ended_ ? Errc::eof : Errc::reset));
  }

 private:
  void record(fuzz::Input& input) {
    switch (input.byte() % 8) {
      case 4: return anything(input.bytes(input.byte()));
      case 5: return key_update(input.byte() % 2);
      case 6: return alert(input.byte());
      case 7: return changed(input.bytes(input.byte()));
      default: return data(input.bytes(input.byte()));
    }
  }

  void data(BytesView content) {
    seal(TlsContent::application_data, content);
    if (content.empty()) {
      useless();
    } else {
      useless_ = 0;
    }
    if (!ended_) append(plain_, content);
  }
  // Any inner plaintext at all, padding included: its last byte takes the place of the type.
  void anything(BytesView inner) {
    honest_ = false;
    if (inner.empty()) return;
    seal(static_cast<TlsContent>(inner.back()), inner.first(inner.size() - 1));
    while (!inner.empty() && inner.back() == 0) inner = inner.first(inner.size() - 1);
    const bool is_data =
        !inner.empty() && inner.back() == static_cast<Byte>(TlsContent::application_data);
    if (is_data) append(plain_, inner.first(inner.size() - 1));
  }
  void key_update(int requested) {
    const FixedBytes<5> message{24, 0, 0, 1, static_cast<Byte>(requested)};
    seal(TlsContent::handshake, message);
    seal_.update();
    useless();
  }
  void alert(Byte description) {
    seal(TlsContent::alert, FixedBytes<2>{1, description});
    useless();
    if (description == 0) ended_ = true;
    if (description != 0 && description != 90 && !ended_) honest_ = false;
  }
  void changed(BytesView content) {
    seal(TlsContent::application_data, content);
    wire_[wire_.size() - 1 - content.size() / 2] ^= 1;
    if (!ended_) honest_ = false;
  }

  void useless() {
    if (++useless_ > p2p::kMaxUselessRecords && !ended_) honest_ = false;
  }
  void seal(TlsContent type, BytesView content) {
    const std::size_t at = wire_.size();
    wire_.resize(at + content.size() + crypto::kTlsOverhead);
    fuzz::require(seal_.seal(type, content, wire_.data() + at).has_value());
  }

  TlsTrafficCipher seal_;
  Bytes wire_;
  Bytes plain_;
  int useless_ = 0;
  bool honest_ = true;
  bool ended_ = false;
};

struct Read {
  Bytes bytes;
  error_code end;
};

// Reads to the end, and writes in between, as an answer to a peer that wants our key changed does.
// `early`: how much of the bytes came with the handshake.
awaitable<void> read_all(BytesView bytes, fuzz::Cuts cuts, std::size_t early, TlsSuite suite,
                         Read& read) {
  early = std::min(early, bytes.size());
  fuzz::StreamPtr below = std::make_unique<fuzz::GivenStream>(bytes.subspan(early), cuts);
  Buffer received = early == 0 ? Buffer() : Buffer::copy_of(bytes.first(early));
  p2p::TlsStream stream(std::move(below), cipher(suite, 2, Use::seal), cipher(suite, 1, Use::open),
                        std::move(received));
  FixedBytes<100> into;
  for (;;) {
    auto n = co_await stream.read_some(into);
    if (!n) {
      read.end = n.error();
      co_return;
    }
    append(read.bytes, BytesView(into).first(*n));
    fuzz::require((co_await stream.write(as_bytes("x"))).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, std::min<std::size_t>(size, 40'000));
  const Byte choice = input.byte();
  const TlsSuite suite = suite_of(choice / 32);
  const std::size_t early = input.byte();
  Read read;
  if (choice >= 224) {
    const BytesView bytes = input.rest();
    fuzz::run_to_end([&] { return read_all(bytes, fuzz::Cuts(choice), early, suite, read); });
    fuzz::require(read.bytes.empty());
    return 0;
  }
  const Peer peer(input, suite);
  fuzz::run_to_end([&] { return read_all(peer.wire(), fuzz::Cuts(choice), early, suite, read); });
  peer.check(read.bytes, read.end);
  return 0;
}
