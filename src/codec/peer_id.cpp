#include "codec/peer_id.hpp"

#include "base/assert.hpp"
#include "codec/base58.hpp"
#include "codec/multibase.hpp"
#include "codec/multihash.hpp"
#include "codec/varint.hpp"

namespace oc::codec {
namespace {

constexpr std::uint64_t kCidVersion = 1;
constexpr std::uint64_t kLibp2pKeyCodec = 0x72;
constexpr std::size_t kSha256Size = 32;

bool is_base58_multihash(std::string_view text) {
  return text.starts_with('1') || text.starts_with("Qm");
}

}  // namespace

Result<PeerId> PeerId::from_bytes(BytesView multihash) {
  TRY(const Multihash hash, decode_multihash(multihash));
  if (hash.code == HashCode::identity) {
    if (hash.digest.empty()) return Errc::malformed;
    if (hash.digest.size() > kMaxInlineKeySize) return Errc::limit_exceeded;
  } else if (hash.code != HashCode::sha2_256) {
    return Errc::unsupported;
  } else if (hash.digest.size() != kSha256Size) {
    return Errc::malformed;
  }
  return PeerId(to_bytes(multihash));
}

Result<PeerId> PeerId::parse(std::string_view text) {
  if (is_base58_multihash(text)) {
    TRY(const Bytes multihash, base58_decode(text));
    return from_bytes(multihash);
  }
  TRY(const Bytes cid, multibase_decode(text));
  BytesView rest = cid;
  TRY(const std::uint64_t version, take_uvarint(rest));
  if (version != kCidVersion) return Errc::unsupported;
  TRY(const std::uint64_t codec, take_uvarint(rest));
  if (codec != kLibp2pKeyCodec) return Errc::unsupported;
  return from_bytes(rest);
}

PeerId PeerId::of_public_key(BytesView marshalled) {
  ASSERT(!marshalled.empty());
  if (marshalled.size() <= kMaxInlineKeySize) {
    return PeerId(encode_multihash(HashCode::identity, marshalled));
  }
  return PeerId(encode_multihash(HashCode::sha2_256, sha2_256(marshalled)));
}

BytesView PeerId::inline_public_key() const& {
  if (empty() || bytes_[0] != static_cast<Byte>(HashCode::identity)) return {};
  return BytesView(bytes_).subspan(2);
}

std::string PeerId::to_string() const { return base58_encode(bytes_); }

std::string PeerId::to_cid() const {
  if (empty()) return {};
  Bytes cid;
  put_uvarint(cid, kCidVersion);
  put_uvarint(cid, kLibp2pKeyCodec);
  append(cid, bytes_);
  return multibase_encode(Multibase::base32, cid);
}

std::string PeerId::short_string() const {
  const std::string text = to_string();
  return text.size() <= 6 ? text : text.substr(text.size() - 6);
}

}  // namespace oc::codec
