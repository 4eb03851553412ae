#include "conformance/gateway_conformance.hpp"

#include "p2p/nat/natpmp_gateway.hpp"
#include "p2p/nat/upnp_gateway.hpp"

namespace oc::test {
namespace {

class FakeWorld final : public GatewayWorld {
 public:
  explicit FakeWorld(const Executor&) {}
  p2p::Gateway& gateway() override { return gateway_; }

 private:
  FakeGateway gateway_{router, "fake"};
};

class NatPmpWorld final : public GatewayWorld {
 public:
  explicit NatPmpWorld(const Executor& executor)
      : server_(executor, [this](BytesView request) { return natpmp_answer(router, request); }),
        gateway_(clock, {server_.address()}) {}
  p2p::Gateway& gateway() override { return gateway_; }
  awaitable<void> close() override { return server_.close(); }

 private:
  FakeUdpServer server_;
  p2p::NatPmpGateway gateway_;
};

class UpnpWorld final : public GatewayWorld {
 public:
  explicit UpnpWorld(const Executor& executor)
      : device_(executor, router), gateway_(clock, {device_.search_address()}) {}
  p2p::Gateway& gateway() override { return gateway_; }
  awaitable<void> close() override { return device_.close(); }

 private:
  FakeIgd device_;
  p2p::UpnpGateway gateway_;
};

template <class World>
std::unique_ptr<GatewayWorld> make(Executor executor) {
  return std::make_unique<World>(executor);
}

INSTANTIATE_TEST_SUITE_P(P2p, GatewayConformance,
                         testing::Values(GatewayKind{"fake", make<FakeWorld>},
                                         GatewayKind{"natpmp", make<NatPmpWorld>},
                                         GatewayKind{"upnp", make<UpnpWorld>}),
                         gateway_name);

}  // namespace
}  // namespace oc::test
