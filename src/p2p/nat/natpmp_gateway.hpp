// NatPmpGateway: a Gateway that speaks NAT-PMP with the default router.
//
// Source: RFC 6886. Waits for an answer as long as 3.1 says, but gives up after four tries (nearly
// four seconds) instead of nine: whoever asks comes again.
#pragma once

#include <boost/asio/ip/udp.hpp>

#include "p2p/nat/gateway.hpp"
#include "p2p/nat/natpmp_message.hpp"

namespace oc::p2p {

inline constexpr Duration kNatPmpFirstWait = std::chrono::milliseconds(250);  // then doubled
inline constexpr int kNatPmpTries = 4;

struct NatPmpOptions {
  // Instead of the default router's.
  std::optional<asio::ip::udp::endpoint> server;
};

class NatPmpGateway final : public Gateway {
 public:
  explicit NatPmpGateway(Clock& clock, NatPmpOptions options = {})
      : clock_(clock), options_(options) {}

  std::string_view protocol() const override { return "nat-pmp"; }
  awaitable<Result<asio::ip::address_v4>> find() override;
  awaitable<Result<MappingGrant>> map(MappingRequest request) override;
  awaitable<Result<void>> unmap(Port internal, Port external) override;

 private:
  // The answer to the request, from the server only. An answer to another request, or one that
  // cannot be read, is passed over.
  awaitable<Result<NatPmpAnswer>> ask(asio::ip::udp::endpoint server, Bytes request,
                                      NatPmpOpcode opcode, Port internal);

  Clock& clock_;
  NatPmpOptions options_;
  std::optional<asio::ip::udp::endpoint> found_;  // a server that has answered
};

}  // namespace oc::p2p
