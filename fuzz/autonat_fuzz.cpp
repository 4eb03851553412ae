// The messages of AutoNAT, whatever a peer sends, and what a server makes of a request: it never
// dials what it must not, and never another IP address for nothing.
#include "fuzzing.hpp"
#include "p2p/protocols/autonat/autonat_message.hpp"
#include "p2p/protocols/autonat/dial_back_rules.hpp"

using namespace oc;

namespace {

using codec::AddressScope;
using codec::Multiaddr;

const Multiaddr kOwn = *Multiaddr::parse("/ip4/192.0.2.1/tcp/1985");
const Multiaddr kOwnLocal = *Multiaddr::parse("/ip4/10.0.0.1/tcp/1985");

bool same_ip(const Multiaddr& a, const Multiaddr& b) {
  const auto one = a.tcp_endpoint();
  const auto other = b.tcp_endpoint();
  return one && other && one->v6 == other->v6 && one->address == other->address;
}

void check_plan(const std::vector<Multiaddr>& asked, const Multiaddr& remote, bool trusted) {
  const p2p::DialBackAsker asker{{}, remote, trusted};
  const p2p::DialBackGround ground{{kOwn, kOwnLocal}, false};
  if (const auto plan = p2p::plan_dial_back(asked, asker, ground)) {
    fuzz::require(plan->index < asked.size());
    fuzz::require(plan->address == asked[plan->index].without_peer());
    fuzz::require(plan->address.tcp_endpoint().has_value());
    fuzz::require(!same_ip(plan->address, kOwn) && !same_ip(plan->address, kOwnLocal));
    const AddressScope scope = plan->address.scope();
    const bool local = trusted && scope == remote.scope();
    fuzz::require(scope == AddressScope::public_internet || local);
    fuzz::require(plan->needs_data != same_ip(plan->address, remote));
  }
  const auto dials = p2p::plan_v1_dials(asked, asker, ground);
  fuzz::require(dials.size() <= p2p::kMaxV1Dials);
  for (const Multiaddr& address : dials) {
    fuzz::require(same_ip(address, remote));
    fuzz::require(address.scope() == AddressScope::public_internet);
  }
}

// What was understood comes out the same when it is written and read again.
void check_message(BytesView bytes) {
  const auto message = p2p::decode_autonat(bytes);
  if (!message) return;
  const Bytes written = p2p::encode_autonat(*message);
  const auto again = p2p::decode_autonat(written);
  fuzz::require(again.has_value() && again->index() == message->index());
  fuzz::require(p2p::encode_autonat(*again) == written);
  if (const auto* request = std::get_if<p2p::DialRequest>(&*message))
    fuzz::require(request->addresses.size() <= p2p::kMaxAutonatAddresses);
}

std::vector<Multiaddr> addresses_in(BytesView bytes) {
  if (const auto message = p2p::decode_autonat(bytes)) {
    const auto* request = std::get_if<p2p::DialRequest>(&*message);
    if (request != nullptr) return request->addresses;
  }
  if (auto dial = p2p::decode_autonat_v1(bytes)) return std::move(dial->addresses);
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array remotes{
      *Multiaddr::parse("/ip4/203.0.113.1/tcp/1"), *Multiaddr::parse("/ip4/10.0.0.7/tcp/1"),
      *Multiaddr::parse("/ip6/2001:db8::1/tcp/1"), *Multiaddr::parse("/ip4/127.0.0.1/tcp/1")};
  fuzz::Input input(data, size);
  const Byte how = input.byte();
  const BytesView message = input.rest();
  check_message(message);
  (void)p2p::decode_dial_back(message);
  (void)p2p::decode_dial_back_response(message);
  check_plan(addresses_in(message), remotes[how % remotes.size()], how >= 128);
  return 0;
}
