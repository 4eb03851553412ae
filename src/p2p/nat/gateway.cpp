#include "p2p/nat/gateway.hpp"

#include <string>

namespace oc::p2p {
namespace {

class NatCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "nat"; }

  std::string message(int value) const override {
    switch (static_cast<NatErrc>(value)) {
      case NatErrc::no_gateway: return "no router that maps ports answered";
      case NatErrc::port_taken: return "the router's port is taken by somebody else";
      case NatErrc::refused: return "the router refused to map a port";
      case NatErrc::not_connected: return "the router has no external address";
      case NatErrc::bad_reply: return "the router's answer makes no sense";
    }
    return "unknown port mapping error " + std::to_string(value);
  }
};

}  // namespace

const boost::system::error_category& nat_category() noexcept {
  static const NatCategory category;
  return category;
}

}  // namespace oc::p2p
