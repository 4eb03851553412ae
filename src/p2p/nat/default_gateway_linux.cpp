#include <netinet/in.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <string>

#include "p2p/nat/default_gateway.hpp"

namespace oc::p2p {
namespace {

constexpr unsigned kUp = 0x1, kThroughGateway = 0x2;  // RTF_UP, RTF_GATEWAY

}  // namespace

std::optional<asio::ip::address_v4> default_gateway_of(std::string_view route_table) {
  std::istringstream lines{std::string(route_table)};
  std::string line;
  std::getline(lines, line);  // the names of the columns
  std::optional<asio::ip::address_v4> best;
  unsigned best_metric = std::numeric_limits<unsigned>::max();
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::string interface;
    // Addresses are hexadecimal as the machine holds them, which is in network order.
    std::uint32_t destination = 0, gateway = 0, mask = 0;
    unsigned flags = 0, references = 0, uses = 0, metric = 0;
    fields >> interface >> std::hex >> destination >> gateway >> flags >> std::dec >> references >>
        uses >> metric >> std::hex >> mask;
    const bool leads = (flags & kUp) != 0 && (flags & kThroughGateway) != 0;
    if (!fields || destination != 0 || mask != 0 || !leads || (best && metric >= best_metric))
      continue;
    best = asio::ip::address_v4(ntohl(gateway));
    best_metric = metric;
  }
  return best;
}

std::optional<asio::ip::address_v4> default_gateway() {
  std::ifstream table("/proc/net/route");
  return default_gateway_of({std::string(std::istreambuf_iterator<char>(table), {})});
}

}  // namespace oc::p2p
