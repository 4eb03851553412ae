#include "base/error.hpp"

#include <string>

namespace oc {
namespace {

class BaseCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "open-chat"; }

  std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::closed: return "closed";
      case Errc::eof: return "end of stream";
      case Errc::reset: return "reset by the peer";
      case Errc::timed_out: return "timed out";
      case Errc::cancelled: return "cancelled";
      case Errc::limit_exceeded: return "limit exceeded";
      case Errc::malformed: return "malformed input";
      case Errc::truncated: return "truncated input";
      case Errc::not_found: return "not found";
      case Errc::already_exists: return "already exists";
      case Errc::unsupported: return "not supported";
      case Errc::permission_denied: return "permission denied";
      case Errc::protocol_violation: return "protocol violation";
    }
    return "unknown error " + std::to_string(value);
  }
};

}  // namespace

const boost::system::error_category& base_category() noexcept {
  static const BaseCategory category;
  return category;
}

}  // namespace oc
