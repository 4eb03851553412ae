#include "overlay/handshake.hpp"

#include <algorithm>

#include "crypto/cpace.hpp"
#include "net/message.hpp"
#include "overlay/network.pb.h"

namespace oc::overlay {
namespace {

class HandshakeCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "network handshake"; }
  std::string message(int value) const override {
    switch (static_cast<HandshakeErrc>(value)) {
      case HandshakeErrc::refused: return "the network's name or password differs";
      case HandshakeErrc::unproven: return "the peer could not prove that it knows the password";
      case HandshakeErrc::too_many_attempts: return "too many failed attempts";
    }
    return "unknown handshake error " + std::to_string(value);
  }
};

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

// The names of both parties and of the use, initiator first.
Bytes channel_identifier(const codec::PeerId& initiator, const codec::PeerId& responder,
                         const NetworkId& network) {
  Bytes out = to_bytes(as_bytes(kNetworkProtocol));
  append(out, network);
  append(out, initiator.bytes());
  append(out, responder.bytes());
  return out;
}

}  // namespace

const boost::system::error_category& handshake_category() noexcept {
  static const HandshakeCategory category;
  return category;
}

FaultCode handshake_fault(error_code error) {
  return error == HandshakeErrc::too_many_attempts ? FaultCode::too_many_attempts
                                                   : FaultCode::handshake_refused;
}

awaitable<Result<void>> prove_membership(net::Stream& stream, HandshakeParties parties,
                                         Network network, Random& random) {
  const Bytes channel = channel_identifier(parties.self, parties.remote, network.id);
  const crypto::CPaceInputs inputs{network.secret.view(), channel, parties.binding};
  crypto::CPace pake(crypto::CPaceRole::initiator, inputs, parties.self.bytes(), random);
  pb::Hello hello;
  hello.set_network_id(text_of(network.id));
  hello.set_share(text_of(pake.share()));
  CO_CHECK(co_await net::send_message(stream, std::move(hello)));
  CO_TRY(const pb::Reply reply,
         co_await net::receive_message<pb::Reply>(stream, kMaxHandshakeMessage));
  CO_TRY(const crypto::CPaceSession session,
         pake.finish(as_bytes(reply.share()), parties.remote.bytes()));
  pb::Confirm confirm;
  confirm.set_tag(text_of(session.own_tag()));
  CO_CHECK(co_await net::send_message(stream, std::move(confirm)));
  CO_TRY(const pb::Verdict verdict,
         co_await net::receive_message<pb::Verdict>(stream, kMaxHandshakeMessage));
  if (verdict.outcome() == pb::Verdict::TOO_MANY_ATTEMPTS)
    co_return HandshakeErrc::too_many_attempts;
  if (verdict.outcome() != pb::Verdict::ACCEPTED) co_return HandshakeErrc::refused;
  if (!session.confirms(as_bytes(verdict.tag()))) co_return HandshakeErrc::unproven;
  co_return success();
}

awaitable<Result<void>> verify_membership(net::Stream& stream, HandshakeParties parties,
                                          Verifier verifier, Random& random) {
  CO_TRY(const pb::Hello hello,
         co_await net::receive_message<pb::Hello>(stream, kMaxHandshakeMessage));
  NetworkId id;
  if (hello.network_id().size() != id.size()) co_return Errc::malformed;
  std::ranges::copy(as_bytes(hello.network_id()), id.begin());
  const Network* network = verifier.find(id);
  NetworkSecret secret;
  if (network != nullptr) {
    secret = network->secret;
  } else {
    random.fill(secret.mutable_view());
  }
  const Bytes channel = channel_identifier(parties.remote, parties.self, id);
  const crypto::CPaceInputs inputs{secret.view(), channel, parties.binding};
  crypto::CPace pake(crypto::CPaceRole::responder, inputs, parties.self.bytes(), random);
  CO_TRY(const crypto::CPaceSession session,
         pake.finish(as_bytes(hello.share()), parties.remote.bytes()));
  pb::Reply reply;
  reply.set_share(text_of(pake.share()));
  CO_CHECK(co_await net::send_message(stream, std::move(reply)));
  CO_TRY(const pb::Confirm confirm,
         co_await net::receive_message<pb::Confirm>(stream, kMaxHandshakeMessage));
  const bool right = session.confirms(as_bytes(confirm.tag())) && network != nullptr;
  pb::Verdict verdict;
  Result<void> result = success();
  if (!verifier.allowed(id)) {
    verdict.set_outcome(pb::Verdict::TOO_MANY_ATTEMPTS);
    result = HandshakeErrc::too_many_attempts;
  } else if (!right) {
    verifier.failed(id);
    verdict.set_outcome(pb::Verdict::REFUSED);
    result = HandshakeErrc::refused;
  } else {
    verifier.proved(id);
    verdict.set_outcome(pb::Verdict::ACCEPTED);
    verdict.set_tag(text_of(session.own_tag()));
  }
  CO_CHECK(co_await net::send_message(stream, std::move(verdict)));
  CO_CHECK(co_await stream.close_write());
  co_return result;
}

}  // namespace oc::overlay
