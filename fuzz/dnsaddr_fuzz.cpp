// TXT records of _dnsaddr: what is taken can be written again; and names in addresses, looked up
// where the answers are whatever a stranger's servers say, which is the input.
#include "fuzzing.hpp"
#include "p2p/swarm/address_resolver.hpp"

using namespace oc;

namespace {

class Servers final : public net::Resolver {
 public:
  explicit Servers(fuzz::Input input) : input_(input) {}

  std::size_t asked() const { return asked_; }

  awaitable<Result<std::vector<asio::ip::address>>> addresses_of(std::string,
                                                                 net::AddressFamily) override {
    ++asked_;
    std::vector<asio::ip::address> found;
    for (int count = input_.byte() % 4; count > 0; --count) {
      if (input_.byte() % 2 == 0) {
        found.emplace_back(asio::ip::address_v4(static_cast<std::uint32_t>(input_.two_bytes())));
      } else {
        asio::ip::address_v6::bytes_type bytes{};
        std::ranges::copy(input_.bytes(bytes.size()), bytes.begin());
        found.emplace_back(asio::ip::address_v6(bytes));
      }
    }
    if (found.empty()) co_return Errc::not_found;
    co_return found;
  }
  awaitable<Result<std::vector<std::string>>> texts_of(std::string) override {
    ++asked_;
    std::vector<std::string> found;
    for (int count = input_.byte() % 8; count > 0; --count) found.push_back(line());
    if (found.empty()) co_return Errc::not_found;
    co_return found;
  }

 private:
  std::string line() {
    std::string out;
    while (!input_.empty()) {
      const char c = static_cast<char>(input_.byte());
      if (c == '\n') break;
      out += c;
    }
    return out;
  }

  fuzz::Input input_;
  std::size_t asked_ = 0;
};

awaitable<void> resolve(fuzz::Input input) {
  static const auto peer = *codec::PeerId::parse("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC");
  std::vector<codec::Multiaddr> addresses;
  for (const char* text : {"/dnsaddr/a.example", "/dns/b.example/tcp/1", "/ip4/192.0.2.1/tcp/2"}) {
    addresses.push_back(*codec::Multiaddr::parse(text));
  }
  FakeClock clock;
  Servers servers(input);
  auto found = co_await p2p::resolve_addresses(servers, clock, peer, std::move(addresses));
  fuzz::require(servers.asked() <= p2p::kMaxLookupsOfDial);
  fuzz::require(found.has_value());  // the last one of the three needs no server
  fuzz::require(found->size() <= p2p::kMaxResolvedAddresses + 1);
  for (const codec::Multiaddr& address : *found) {
    fuzz::require(!p2p::begins_with_name(address));
    const auto named = address.peer_id();
    fuzz::require(!named || *named == peer);
  }
}

void check_record(std::string_view text) {
  const auto address = p2p::parse_dnsaddr_record(text);
  if (!address) return;
  fuzz::require(!address->empty());
  const auto again = p2p::parse_dnsaddr_record("dnsaddr=" + address->to_string());
  fuzz::require(!again || *again == *address);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_record(as_text({data, size}));
  const fuzz::Input input(data, size);
  fuzz::run_to_end([&] { return resolve(input); });
  return 0;
}
