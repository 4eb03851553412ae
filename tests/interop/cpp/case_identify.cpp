#include "cases.hpp"
#include "p2p/identify.pb.h"
#include "p2p/upgrade/upgrade.hpp"
#include "talk.hpp"

namespace oc::interop {
namespace {

// The key in the listener's answer, which Identify looks at only when it is there.
awaitable<Verdict<void>> check_key(p2p::ConnectionPtr connection) {
  auto opened = co_await connection->open_stream(p2p::kIdentifyId);
  CO_TRY(StreamPtr stream, explain("identify", std::move(opened)));
  auto read = co_await net::read_delimited(*stream, p2p::kMaxIdentifyMessage);
  CO_TRY(const Bytes bytes, explain("identify", std::move(read)));
  p2p::pb::Identify message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    co_return Failure{"identify is no protobuf message"};
  auto key = crypto::PublicKey::unmarshal(as_bytes(message.public_key()));
  CO_CHECK(explain("the key in identify", key));
  if (key->peer_id() != connection->peer())
    co_return Failure{"the key in identify is that of " + key->peer_id().to_string()};
  co_return Verdict<void>();
}

}  // namespace

CaseResult identify_case(Dialer& dialer) {
  CO_TRY(const p2p::ConnectionPtr connection, co_await dialer.connect());
  CO_CHECK(co_await check_key(connection));
  const p2p::PeerInfo& info = *connection->info();
  // The number of a record is known only when its envelope verified and it is the peer's own.
  if (!info.record_seq) co_return Failure{"no signed peer record, or not a valid one"};
  Json out;
  out["peer_id"] = connection->peer().to_string();
  out["security"] = connection->security();
  out["muxer"] = p2p::kYamuxId;
  out["agent_version"] = info.agent_version;
  out["protocol_version"] = info.protocol_version;
  out["protocols"] = info.protocols;
  out["listen_addresses"] = Json::array();
  for (const auto& address : info.listen_addresses)
    out["listen_addresses"].push_back(address.to_string());
  out["observed_address"] = info.observed_address ? info.observed_address->to_string() : "";
  out["signed_record"] = true;
  co_return out;
}

}  // namespace oc::interop
