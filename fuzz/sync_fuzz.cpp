// The opener's part of a reconciliation, on a stream of a real connection between two swarms of
// this process: what a member may send to a member.
#include "fuzzing.hpp"
#include "overlay/sync.hpp"

using namespace oc;

namespace {

// Made once and never destroyed: the connection serves every input.
class World {
 public:
  World() {
    fuzz::require(node_.listen({asio::ip::address_v4::loopback(), 0}).has_value());
    network_.name = overlay::NetworkName("fuzz");
    network_.id = overlay::network_id(network_.name);
    fuzz::require(members_.join(network_).has_value());
    run([this] { return connect(); });
  }

  void feed(BytesView bytes) {
    run([this, bytes] { return speak(bytes); });
  }
  const overlay::NetworkId& network() const { return network_.id; }

 private:
  template <class Make>
  void run(Make make) {
    bool done = false;
    asio::co_spawn(io_, make(), [&done](const std::exception_ptr& failure) {
      if (failure) std::rethrow_exception(failure);
      done = true;
    });
    io_.restart();
    while (!done) fuzz::require(io_.run_one_for(std::chrono::seconds(5)) != 0);
  }

  awaitable<void> connect() {
    auto dialed = co_await peer_.dial(node_.self(), node_.listen_addresses());
    fuzz::require(dialed.has_value());
    connection_ = *dialed;
    while (node_.connection_to(peer_.self()) == nullptr)
      co_await asio::post(io_, asio::use_awaitable);
    members_.proved(node_.connection_to(peer_.self()), network_.id);
  }

  awaitable<void> speak(BytesView bytes) {
    auto stream = co_await connection_->open_stream(overlay::kSyncProtocol);
    fuzz::require(stream.has_value());
    if (co_await (*stream)->write(bytes)) (void)co_await (*stream)->close_write();
    FixedBytes<4096> into;
    while (co_await (*stream)->read_some(into)) continue;
    fuzz::require(connection_->alive());
    fuzz::require(members_.book(network_.id).versions().size() <= overlay::kMaxRecords);
  }

  asio::io_context io_;
  FakeClock clock_;
  FakeRandom random_{1};
  p2p::Swarm node_{io_.get_executor(), clock_, random_,
                   crypto::PrivateKey::from_seed(Bytes(32, 1))};
  p2p::Swarm peer_{io_.get_executor(), clock_, random_,
                   crypto::PrivateKey::from_seed(Bytes(32, 2))};
  overlay::Network network_;
  overlay::Members members_{node_};
  overlay::Sync sync_{node_, members_, clock_, random_, [](const auto&, const auto&) {}};
  p2p::ConnectionPtr connection_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World& world = *new World;
  if (size == 0) return 0;
  const BytesView bytes(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    world.feed(bytes);
    return 0;
  }
  // Behind a good first message, which asks to compare.
  Bytes opened{36, 0x0a, 32};
  append(opened, world.network());
  append(opened, Bytes{0x12, 0});
  append(opened, bytes);
  world.feed(opened);
  return 0;
}
