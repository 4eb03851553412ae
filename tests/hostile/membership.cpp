#include "membership.hpp"

#include "codec/varint.hpp"
#include "crypto/cpace.hpp"
#include "crypto/password_hash.hpp"
#include "overlay/handshake.hpp"
#include "overlay/network.pb.h"
#include "overlay/sync.hpp"
#include "overlay/sync.pb.h"

namespace oc::hostile {
namespace {

std::string text_of(BytesView bytes) { return std::string(as_text(bytes)); }

Bytes delimited_message(const std::string& message) {
  Bytes out;
  codec::put_length_prefixed(out, as_bytes(message));
  return out;
}

// The next message on a stream, from `at` on, which moves behind it.
std::optional<Bytes> next_message(Session& session, std::uint32_t stream, std::size_t& at) {
  std::optional<Bytes> message;
  const auto whole = [&] {
    BytesView rest = session.data(stream);
    if (rest.size() < at) return false;
    const std::size_t before = rest.size() - at;
    rest = rest.subspan(at);
    auto taken = codec::take_length_prefixed(rest);
    if (!taken) return false;
    message = to_bytes(*taken);
    at += before - rest.size();
    return true;
  };
  (void)session.watch(kPatience, whole);
  return message;
}

}  // namespace

overlay::Network network_of(const std::string& name, const std::string& password) {
  overlay::NetworkName network(name);
  const auto id = overlay::network_id(network);
  return {std::move(network), id,
          overlay::NetworkSecret(crypto::derive_network_secret(password, name))};
}

std::unique_ptr<Session> join(Visit& visit, const crypto::PrivateKey& identity,
                              const overlay::Network& network) {
  auto session = visit.session(identity_of(identity));
  if (session == nullptr) return nullptr;
  const auto self = identity.peer_id();
  const auto node = codec::PeerId::of_public_key(session->channel().remote_key());
  Bytes channel = to_bytes(as_bytes(overlay::kNetworkProtocol));
  append(channel, network.id);
  append(channel, self.bytes());
  append(channel, node.bytes());
  const crypto::CPaceInputs inputs{network.secret.view(), channel, session->channel().binding()};
  crypto::CPace pake(crypto::CPaceRole::initiator, inputs, self.bytes(), visit.random());

  overlay::pb::Hello hello;
  hello.set_network_id(text_of(network.id));
  hello.set_share(text_of(pake.share()));
  const std::uint32_t stream =
      session->open(overlay::kNetworkProtocol, delimited_message(hello.SerializeAsString()));
  std::size_t at = proposal(overlay::kNetworkProtocol).size();
  const auto said = next_message(*session, stream, at);
  overlay::pb::Reply reply;
  if (!said || !reply.ParseFromArray(said->data(), static_cast<int>(said->size()))) return nullptr;
  const auto agreed = pake.finish(as_bytes(reply.share()), node.bytes());
  if (!agreed) return nullptr;
  overlay::pb::Confirm confirm;
  confirm.set_tag(text_of(agreed->own_tag()));
  session->send(data_frame(0, stream, delimited_message(confirm.SerializeAsString())));
  const auto judged = next_message(*session, stream, at);
  overlay::pb::Verdict verdict;
  if (!judged || !verdict.ParseFromArray(judged->data(), static_cast<int>(judged->size())) ||
      verdict.outcome() != overlay::pb::Verdict::ACCEPTED) {
    return nullptr;
  }
  session->send(frame(FrameType::data, kFin, stream, 0));
  return session;
}

bool push_records(Session& session, const overlay::Network& network,
                  const std::vector<Bytes>& envelopes) {
  overlay::pb::SyncOpen push;
  push.set_network_id(text_of(network.id));
  push.set_push(true);
  for (const Bytes& envelope : envelopes) push.add_records(text_of(envelope));
  const std::uint32_t stream =
      session.open(overlay::kSyncProtocol, delimited_message(push.SerializeAsString()), kFin);
  // The node ends its half when it has read all.
  return session.watch(kPatience, [&] { return session.seen().finished.contains(stream); }) ||
         session.alive();
}

}  // namespace oc::hostile
