// A message of multicast DNS, as anybody on the LAN may send it: what is read keeps its bounds, and
// a node that hears it, as a question and as an answer, finds only what may be dialed and says
// little.
#include "fuzzing.hpp"
#include "p2p/discovery/mdns.hpp"

using namespace oc;

namespace {

constexpr p2p::LinkId kLink{1, false};

class Wire final : public p2p::Lan {
 public:
  std::vector<p2p::Link> links() const override { return {{kLink, {}}}; }
  awaitable<Result<void>> send(p2p::LinkId, std::optional<net::UdpAddress>,
                               Bytes message) override {
    fuzz::require(message.size() <= p2p::kMaxMdnsWritten);
    const auto said = p2p::parse_mdns_message(message);
    fuzz::require(said.has_value());
    answers += said->response ? 1 : 0;
    co_return success();
  }

  int answers = 0;
};

const codec::PeerId& self() {
  static const auto id = *codec::PeerId::parse("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC");
  return id;
}

void check_found(const codec::PeerId& peer, const std::vector<codec::Multiaddr>& addresses) {
  fuzz::require(peer != self() && !peer.empty());
  fuzz::require(!addresses.empty() && addresses.size() <= p2p::kMaxMdnsAddresses);
  for (const codec::Multiaddr& address : addresses)
    fuzz::require(p2p::fits_lan(address) && !address.peer_id());
}

void check_message(BytesView bytes) {
  const auto message = p2p::parse_mdns_message(bytes);
  if (!message) return;
  fuzz::require(message->questions.size() <= p2p::kMaxMdnsRecords);
  fuzz::require(message->pointers.size() <= p2p::kMaxMdnsRecords);
  std::size_t texts = 0;
  for (const auto& record : message->texts) {
    texts += record.strings.size();
    for (const auto& text : record.strings) fuzz::require(text.size() <= p2p::kMaxMdnsText);
  }
  fuzz::require(texts <= p2p::kMaxMdnsTexts);
}

// The message comes from the port of multicast DNS or from another one, again and again for a
// second.
void hear(BytesView bytes, std::uint16_t port) {
  asio::io_context io;
  FakeClock clock;
  FakeRandom random(1);
  Wire wire;
  p2p::Mdns mdns(
      io.get_executor(), wire, clock, random, self(),
      [] { return std::vector{*codec::Multiaddr::parse("/ip4/192.168.0.1/tcp/1985")}; },
      [](const codec::PeerId& peer, std::vector<codec::Multiaddr> addresses) {
        check_found(peer, addresses);
      });
  const auto run = [&io] {
    io.restart();
    io.poll();
  };
  mdns.start();
  for (int i = 0; i < 10; ++i) {
    wire.on_message(kLink, {asio::ip::make_address("192.168.0.2"), port}, bytes);
    run();
    clock.advance(std::chrono::milliseconds(90));
  }
  run();
  fuzz::require(wire.answers <= 1);
  bool ended = false;
  asio::co_spawn(io, mdns.close(), [&ended](const std::exception_ptr&) { ended = true; });
  run();
  fuzz::require(ended);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(data, size);
  check_message(bytes);
  hear(bytes, p2p::kMdnsPort);
  hear(bytes, 40000);
  return 0;
}
